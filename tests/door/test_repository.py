"""The repository as a stranger finds it: small files, no traces of a machine, links that lead somewhere."""

import re
import subprocess

import pytest
import yaml

from rec_lib import paths
from rec_lib.cli import readme
from rec_lib.cli.__main__ import COMMANDS, main

ROOT = paths.root()
TRACKED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
FILES = [ROOT / name for name in TRACKED.split("\0") if name and (ROOT / name).exists()]
TEXTS = [path for path in FILES if path.suffix not in (".png", ".gz", ".npz")]
HOME_FOLDER = re.compile(r"/(?:home|Users|root)/[\w.]+/|[A-Z]:\\\\?Users\\")


def test_no_file_is_large():
    assert {path.name: path.stat().st_size for path in FILES if path.stat().st_size > 1_000_000} == {}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_names_a_home_folder(path):
    assert not HOME_FOLDER.search(path.read_text(encoding="utf-8"))


def test_nothing_of_the_learner_or_of_a_tool_is_tracked():
    tops = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert not tops & {".venv", ".course", "work", "rec_lib.egg-info"}
    assert not [path for path in FILES if {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        assert target.startswith("https://") or (ROOT / target.split("#")[0]).exists(), target


def test_the_readme_shows_the_map_of_today():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == readme.with_map(text), "stale: run python -m rec_lib.cli.readme"


def test_the_readme_names_both_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 course.py lab" in text
    assert "python3 course.py test" in text


def test_ci_runs_the_same_command_everywhere():
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == 'python3 course.py test "$@"'
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"]
    assert "python course.py test" in [step.get("run") for step in jobs["test"]["steps"]]
    systems = {row["os"].split("-")[0] for row in jobs["test"]["strategy"]["matrix"]["include"]}
    assert systems == {"ubuntu", "macos", "windows"}


def test_unknown_commands_are_refused(capsys):
    assert main(["lba"]) == 2
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_module(name):
    assert (ROOT / "rec_lib" / "cli" / f"{name}.py").is_file()
