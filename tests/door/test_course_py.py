"""course.py: which Pythons it takes, what it installs and when, and what it says when something is wrong."""

import ast
import errno
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import fake_door
import pytest

from rec_lib.cli import workcopy
from rec_lib.cli.__main__ import COMMANDS, main
from rec_lib.experiments.core import MODULES

SOURCE = fake_door.COURSE.read_text(encoding="utf-8")
NOTEBOOK = "02_05_fm_ffm"


@pytest.fixture
def clone(tmp_path):
    root = tmp_path / "a clone, with spaces"
    (root / ".venv").mkdir(parents=True)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (root / name).write_text("torch==2.13.0\n", encoding="utf-8")
    for name in ("benchmarks/factors.py", f"chapters/ch02/{NOTEBOOK}.ipynb", "rec_lib/experiments/core.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / f"chapters/ch02/{NOTEBOOK}.ipynb").write_text('"course": {"section": "2.5"}', encoding="utf-8")
    (root / "rec_lib/experiments/core.py").write_text('MODULES = {\n    "2.5": "fm",\n    "4.6": "lsh",\n}\n')
    return root


def start(clone: Path, *args: str, pip: str = "") -> subprocess.Popen:
    command = [sys.executable, fake_door.__file__, str(clone), *args]
    env = {**os.environ, "FAKE_PIP": pip}
    return subprocess.Popen(command, env=env, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(clone: Path, *args: str, pip: str = "") -> tuple[int, str]:
    process = start(clone, *args, pip=pip)
    said = process.communicate(timeout=60)[0]
    return process.returncode, said


def calls(clone: Path, word: str) -> list[str]:
    return [line for line in (clone / "calls.txt").read_text(encoding="utf-8").splitlines() if word in line]


def test_old_pythons_can_parse_it():
    """Nothing that Python 2.7 or 3.4 would call a syntax error, so that "too old" is a message."""
    assert SOURCE.isascii()
    tree = ast.parse(SOURCE, feature_version=(3, 4))
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef, ast.YieldFrom, ast.Starred)
    starred_calls = {id(arg) for node in ast.walk(tree) if isinstance(node, ast.Call) for arg in node.args[-1:]}
    for node in ast.walk(tree):
        assert not isinstance(node, new) or id(node) in starred_calls, ast.dump(node)
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not node.args.kwonlyargs
            assert not any(arg.annotation for arg in node.args.args)
        if isinstance(node, ast.Call):  # keywords after *args are fine, positional ones and a trailing comma are not
            assert not any(isinstance(arg, ast.Starred) for arg in node.args[:-1])
    tokens = [t.string for t in tokenize.generate_tokens(io.StringIO(SOURCE).readline) if t.string.strip()]
    assert not [i for i in range(len(tokens) - 3) if tokens[i] in "**" and tokens[i + 2 : i + 4] == [",", ")"]]


def test_only_the_standard_library_is_imported():
    names = {a.name for n in ast.walk(ast.parse(SOURCE)) if isinstance(n, ast.Import) for a in n.names}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 4, 10), (3, 10, 13), (3, 15, 0), (4, 0, 0)])
def test_other_pythons_are_refused_by_name(version, clone):
    course = fake_door.load(clone)
    with pytest.raises(course.Stop) as refusal:
        course.check_python(version)
    assert "CPython {}.{}.{}".format(*version) in str(refusal.value)
    assert "3.11 to 3.14" in str(refusal.value)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 14, 9)])
def test_supported_pythons_are_taken(version, clone):
    fake_door.load(clone).check_python(version)


def test_other_implementations_are_refused(clone):
    course = fake_door.load(clone)
    with pytest.raises(course.Stop, match="PyPy 3.11.0"):
        course.check_python((3, 11, 0), "PyPy")
    with pytest.raises(course.Stop, match="free-threaded"):
        course.check_python((3, 14, 0), "CPython", 1)


def test_a_suitable_python_on_the_path_is_named(clone, tmp_path, monkeypatch):
    course = fake_door.load(clone)
    (tmp_path / "python3.12").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(course.Stop, match=r"Try:  python3\.12 course\.py lab"):
        course.check_python((3, 9, 1))


def test_alone_it_prints_the_menu_and_installs_nothing(tmp_path):
    said = subprocess.run([sys.executable, fake_door.COURSE], capture_output=True, text=True, cwd=tmp_path)
    assert said.returncode == 0
    assert all(f"\n  {name} " in said.stdout for name in COMMANDS)
    wrong = subprocess.run([sys.executable, fake_door.COURSE, "lba"], capture_output=True, text=True, cwd=tmp_path)
    assert wrong.returncode == 2


def test_menu_and_package_know_the_same_commands(clone):
    assert tuple(name for name, _ in fake_door.load(clone).COMMANDS) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_answered_without_installing(clone, command):
    code, said = run(clone, command, "--help")
    assert code == 0
    assert f"usage: course.py {command}" in said
    assert not (clone / "calls.txt").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["lab", "--port"], "expected one argument"),
        (["lab", "--port", "x"], "invalid int value: 'x'"),
        (["lab", "--browser"], "unrecognized arguments: --browser"),
        (["lab", "3.7.2"], "unrecognized arguments: 3.7.2"),
        (["reset"], "required: SECTION"),
        (["reset", "3.7.2", "4.6"], "unrecognized arguments: 4.6"),
        (["doctor", "now"], "unrecognized arguments: now"),
        (["test", "--fast"], "unrecognized arguments: --fast"),
        (["measure", "--seeds", "many", "4.6"], "invalid int value: 'many'"),
        (["measure", "--seeds", "1"], "--seeds 1: expected 2 to"),
        (["measure", "4.6", "99.9"], "'99.9' is unknown; there are: 2.5, 4.6"),
        (["lab", "--port", "70000"], "--port 70000: expected 1 to 65535"),
        (["lab", "--port", "0"], "--port 0: expected 1 to 65535"),
        (["reset", "99.9"], "'99.9' is unknown; there are: 2.5, 02_05_fm_ffm"),
        (["reset", ""], "'' is unknown"),
        (["bench", "factors", "no_such"], "'no_such' is unknown; there are: factors"),
    ],
)
def test_wrong_usage_is_answered_without_installing(clone, args, words):
    code, said = run(clone, *args)
    assert code == 2
    assert words in said
    assert f"usage: course.py {args[0]}" in said
    assert not (clone / "calls.txt").exists()


@pytest.mark.parametrize(
    "args",
    [
        ["lab", "--no-browser", "--port=9"],
        ["measure"],
        ["measure", "4.6", "--seeds", "7"],
        ["bench"],
        ["bench", "factors"],
        *(["reset", f"{place}{NOTEBOOK}{end}"] for place in ("", "chapters/x/", "work\\x\\") for end in ("", ".ipynb")),
        ["reset", "2.5"],
    ],
)
def test_right_usage_is_handed_over_as_it_is(clone, args):
    assert run(clone, *args)[0] == 0
    assert calls(clone, "rec_lib.cli") == [f"-m rec_lib.cli {' '.join(args)}"]


def test_the_words_that_the_door_takes_are_those_of_the_commands():
    root = fake_door.COURSE.parent
    course = fake_door.load(root)
    assert course.known_words("measure") == list(MODULES)
    assert course.known_words("bench") == sorted(path.stem for path in (root / "benchmarks").glob("*.py"))
    notebooks = [name for name in workcopy.originals(root / "chapters") if name.endswith(".ipynb")]
    known = {workcopy.section(root / "chapters" / name) for name in notebooks} | {Path(name).stem for name in notebooks}
    assert set(course.known_words("reset")) == known - {""}


@pytest.mark.parametrize(
    "command", sorted(set(COMMANDS) - {"reset", "doctor", "bench"})
)  # whose words are all they take
def test_door_and_package_know_the_same_options(clone, command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = {
        name for name in re.findall(r"--[a-z-]+", capsys.readouterr().out.split("options:")[1]) if name != "--help"
    }
    door = fake_door.load(clone).ARGUMENTS[command]
    assert options == {argument.split()[0] for argument in door if argument.startswith("--")}


def test_a_home_of_nobody_is_named_before_anything_is_done(monkeypatch, capsys):
    monkeypatch.setenv("REC_LIB_HOME", "~nosuchuser")
    for command in COMMANDS:
        assert main([command]) == 2
        assert "REC_LIB_HOME is set to ~nosuchuser, and there is no such user" in capsys.readouterr().out


def test_installs_once_then_hands_over_at_once(clone):
    assert run(clone, "lab", "--port", "9000")[0] == 0
    assert [line.split()[:3] for line in calls(clone, "-m pip")] == [["-m", "pip", "install"]] * 2
    assert calls(clone, "rec_lib.cli") == ["-m rec_lib.cli lab --port 9000"]
    code, said = run(clone, "lab")
    assert (code, said) == (0, "")
    assert len(calls(clone, "-m pip")) == 2
    assert len(calls(clone, "-c import sys, pip")) == 1


def test_a_changed_lock_installs_again(clone):
    run(clone, "lab")
    (clone / "requirements.lock").write_text("torch==2.13.1\n", encoding="utf-8")
    run(clone, "lab")
    assert len(calls(clone, "requirements.lock")) == 2


def test_a_moved_clone_installs_again(clone):
    run(clone, "lab")
    moved = clone.rename(clone.with_name("moved"))
    run(moved, "lab")
    assert len(calls(moved, "requirements.lock")) == 2


def test_the_tests_lock_covers_the_learners(clone):
    run(clone, "test")
    run(clone, "lab")
    assert len(calls(clone, "requirements-dev.lock")) == 1
    assert not calls(clone, "requirements.lock")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("network", "could not be reached"),
        ("disk", "disk is full"),
        ("platform", "none for Intel Macs"),
        ("other", "pip's own"),
    ],
)
def test_trouble_is_told_apart_and_the_next_run_continues(clone, trouble, words):
    code, said = run(clone, "lab", pip=trouble)
    assert code == 1
    assert words in said
    assert "Traceback" not in said
    assert not (clone / ".venv" / "course-stamp.txt").exists()
    assert not calls(clone, "rec_lib.cli")
    assert run(clone, "lab")[0] == 0


def test_interrupted_and_full_disk_leave_no_stamp(clone, monkeypatch, capsys):
    course = fake_door.load(clone)
    for error, code, words in [
        (KeyboardInterrupt(), 130, "Interrupted"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "Make room"),
        (PermissionError(errno.EACCES, "Permission denied"), 1, "can be written to"),
    ]:

        def fail(*args, error=error):
            raise error

        monkeypatch.setattr(course, "pip_install", fail)
        assert course.main(["lab"]) == code
        assert words in capsys.readouterr().out
        assert not (clone / ".venv" / "course-stamp.txt").exists()


def test_two_at_once_install_once(clone):
    first, second = start(clone, "lab", pip="slow"), start(clone, "lab", pip="slow")
    said = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert len(calls(clone, "requirements.lock")) == 1
    assert sum("waiting until it is done" in text for text in said) == 1
    assert len(calls(clone, "rec_lib.cli")) == 2


def test_a_missing_venv_module_is_explained(clone, monkeypatch):
    course = fake_door.load(clone)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(course.Stop, match="apt-get install python3"):
        course.make_venv()


def test_a_half_made_environment_is_made_anew(clone):
    """Really made, in a path with spaces; what was left there before is gone."""
    course = fake_door.load(clone, fake=False)
    leftover = clone / ".venv" / "half-made"
    leftover.touch()
    assert not course.runs()
    course.make_venv()
    assert course.runs()
    assert not leftover.exists()


def test_the_doctor_runs_where_nothing_is_installed(clone, monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    for name in ("course.py", "pyproject.toml"):
        shutil.copy(fake_door.COURSE.with_name(name), clone)
    shutil.copytree(
        fake_door.COURSE.with_name("rec_lib"),
        clone / "rec_lib",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    said = subprocess.run([sys.executable, clone / "course.py", "doctor"], cwd="/", capture_output=True, text=True)
    assert said.returncode == 1
    assert "OK    Python 3." in said.stdout
    assert "FAIL  environment" in said.stdout
    assert "mend: python3 course.py lab" in said.stdout
    assert not said.stderr
