"""`course.py doctor`: this installation is fine, and each kind of damage is found with its mend."""

import subprocess
import sys

import pytest

from rec_lib import paths
from rec_lib.cli import doctor


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone without anything but its pyproject and lock."""
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((paths.root() / name).read_bytes())
    monkeypatch.setattr(doctor, "root", lambda: tmp_path)
    monkeypatch.setattr(doctor, "home", lambda: tmp_path / ".course")
    monkeypatch.delenv("REC_LIB_DATA", raising=False)
    return tmp_path


def only(check) -> doctor.Result:
    (result,) = check()
    return result


def test_this_installation_has_what_the_lock_says():
    for check in (doctor.python, doctor.versions, doctor.extensions, doctor.rights):
        for fine, found, mend in check():
            assert fine, (found, mend)


def test_wrong_and_missing_versions_are_named(clone):
    (clone / "requirements.lock").write_text("# head\ntorch==1.0.0\nnot-there==2.0\n", encoding="utf-8")
    fine, found, mend = only(doctor.versions)
    assert not fine
    assert "0 of 2" in found
    assert "torch 2.13.0 (locked: 1.0.0), not-there missing (locked: 2.0)" in found
    assert "pip install -r" in mend


def test_python_out_of_range(clone):
    text = (clone / "pyproject.toml").read_text(encoding="utf-8")
    (clone / "pyproject.toml").write_text(text.replace(">=3.11,<3.15", ">=3.90,<3.91"), encoding="utf-8")
    assert not only(doctor.python)[0]


def test_missing_extensions(clone, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(clone))
    results = list(doctor.extensions())
    assert [fine for fine, _, _ in results] == [False] * 3
    assert "jupyterlab-plotly" in results[0][1]


def test_missing_and_damaged_data(clone, monkeypatch):
    fine, found, mend = only(doctor.data)
    assert not fine
    assert "course.py lab fetches it" in mend
    (clone / ".course" / "data" / "ml-100k").mkdir(parents=True)
    monkeypatch.setattr(
        doctor, "_run", lambda code: subprocess.CompletedProcess([], 1, "", "Traceback\nDataError: cut short")
    )
    fine, found, mend = only(doctor.data)
    assert not fine
    assert found.endswith(": DataError: cut short")
    assert mend.startswith("delete that folder")


def test_no_room_before_the_install(clone, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 3e9}))
    fine, found, mend = only(doctor.disk)
    assert not fine
    assert "3.0 GB free" in found
    assert "make room" in mend
    (clone / ".venv").mkdir()
    assert only(doctor.disk)[0]


def test_no_right_to_write(clone, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert {fine for fine, _, _ in doctor.rights()} == {False}


def test_no_font(monkeypatch):
    monkeypatch.setattr(doctor, "has_cjk_font", lambda: False)
    fine, found, mend = only(doctor.font)
    assert not fine
    assert "fonts-noto-cjk" in mend


def test_exit_code_and_mends(monkeypatch, capsys):
    def broken():
        yield False, "something", "a mend"

    monkeypatch.setattr(doctor, "CHECKS_EVERYWHERE", (broken,))
    monkeypatch.setattr(doctor, "CHECKS_INSIDE", ())
    assert doctor.main([]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["FAIL  something", "      mend: a mend"]
    monkeypatch.setattr(doctor, "CHECKS_EVERYWHERE", ())
    assert doctor.main([]) == 0
    assert doctor.main(["more"]) == 2
