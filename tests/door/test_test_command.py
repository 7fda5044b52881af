"""`course.py test`: which stages there are, what is said at the end, and what counts as a failure."""

import sys

import pytest

from rec_lib import paths
from rec_lib.cli import browser, doctor, offline, test
from rec_lib.cli.test import Outcome, Stage


def names(**how) -> list[str]:
    return [stage.name for stage in test.stages(**{"thorough": False, "browser": True, "unplugged": None, **how})]


def test_stages_by_default():
    first = ["lint", "format", "types", "data", "tests", "learning tests", "chapters", "notebooks"]
    assert names() == [*first, "browser"]
    assert names(browser=False) == first


def test_stages_when_thorough():
    more = names(thorough=True, unplugged=["cut"])
    assert more[-4:] == [
        "notebooks again, network cut",
        "notebooks, baseline CPU",
        "measurements again",
        "browser, network cut",
    ]
    stages = {stage.name: stage for stage in test.stages(True, True, ["cut"])}
    assert stages["browser, network cut"].command[0] == "cut"
    assert stages["browser, network cut"].env == {"REC_LIB_BROWSER": "all"}
    assert not any("not thorough" in stage.command for stage in stages.values())
    assert "notebooks again" in names(thorough=True)


def test_every_folder_of_tests_belongs_to_a_stage():
    words = {word for stage in test.stages(False, True, None) for word in stage.command}
    folders = {f"tests/{path.parent.name}" for path in (paths.root() / "tests").glob("*/test_*.py")}
    assert folders <= words


def test_nothing_is_written_into_the_clone_but_the_data(tmp_path, monkeypatch):
    monkeypatch.delenv("REC_LIB_DATA", raising=False)
    monkeypatch.setattr(test, "home", lambda: tmp_path / "own")
    env = test.environment(tmp_path / "scratch", thorough=False)
    assert env["REC_LIB_HOME"] == str(tmp_path / "scratch" / "home")
    assert env["REC_LIB_DATA"] == str(tmp_path / "own" / "data")
    assert env["REC_LIB_SEEDS"] == "1"
    assert test.environment(tmp_path, thorough=True)["REC_LIB_SEEDS"] == "5"
    monkeypatch.setenv("REC_LIB_DATA", "/elsewhere")
    assert test.environment(tmp_path, thorough=False)["REC_LIB_DATA"] == "/elsewhere"


def test_a_stage_is_timed_and_its_code_kept(capfd):
    outcome = test.run(Stage("short", (sys.executable, "-c", "print('seen'); raise SystemExit(3)")), {})
    assert (outcome.name, outcome.code) == ("short", 3)
    assert outcome.seconds > 0
    assert "=== short" in capfd.readouterr().out


PASSED, FAILED = Outcome("lint", 0, 1.0), Outcome("types", 1, 2.0)


@pytest.mark.parametrize(
    ("outcomes", "notes", "incomplete", "code", "last"),
    [
        ([PASSED], [], False, 0, "course.py test: all 1 stages passed, in 2.0 minutes"),
        ([PASSED, FAILED], [], False, 1, "course.py test: failed: types, in 2.0 minutes"),
        ([PASSED], ["The browser tests did not run: none"], False, 0, "The browser tests did not run: none"),
        ([PASSED], ["The browser tests did not run: none"], True, 1, "The browser tests did not run: none"),
    ],
)
def test_the_last_line_tells_the_result(outcomes, notes, incomplete, code, last, capsys):
    assert test.close(outcomes, 120.0, notes, incomplete) == code
    assert capsys.readouterr().out.splitlines()[-1] == last


@pytest.mark.parametrize(("value", "ci"), [("true", True), ("1", True), ("", False), ("false", False), ("0", False)])
def test_ci(value, ci, monkeypatch):
    monkeypatch.setenv("CI", value)
    assert test.is_ci() is ci


def test_without_a_browser_and_the_right_to_install_one_it_says_how(monkeypatch):
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    monkeypatch.setattr(test.shutil, "which", lambda name: None)
    assert "playwright install chromium" in test.missing_browser()


def test_on_debian_as_root_the_browser_and_the_font_are_installed(monkeypatch):
    ran = []
    monkeypatch.setattr(browser, "find_chromium", lambda: "/usr/bin/chromium" if ran else None)
    monkeypatch.setattr(doctor, "has_cjk_font", lambda: False)
    monkeypatch.setattr(test.sys, "platform", "linux")
    monkeypatch.setattr(test.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(test.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(test.subprocess, "run", lambda command, **_: ran.append(command))
    assert test.missing_browser() == ""
    assert ran[0][:2] == ["apt-get", "update"]
    assert ran[1][-2:] == ["chromium", "fonts-noto-cjk"]


def test_where_the_network_cannot_be_cut_it_is_said(monkeypatch):
    monkeypatch.setattr(offline.sys, "platform", "darwin")
    assert offline.prefix() is None
