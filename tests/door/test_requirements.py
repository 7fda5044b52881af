"""pyproject.toml, both locks, environment.yml, course.py and what the code imports agree."""

import ast
import re
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions

import fake_door
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from rec_lib import paths

ROOT = paths.root()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LEARNERS = [Requirement(line) for line in PROJECT["dependencies"]]
TESTS = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]


def lock(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()[1:]
    pins = [re.fullmatch(r"([a-z0-9-]+)==([0-9][\w.]*)", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]  # no index, path, hash, +cpu
    return {pin[1]: pin[2] for pin in pins}


@pytest.mark.parametrize(
    ("name", "wanted"), [("requirements.lock", LEARNERS), ("requirements-dev.lock", LEARNERS + TESTS)]
)
def test_locks_satisfy_the_project(name, wanted):
    pins = lock(name)
    for requirement in wanted:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_the_tests_lock_is_the_learners_and_more():
    assert lock("requirements.lock").items() < lock("requirements-dev.lock").items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_name_no_machine(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--|find-links|index-url", text)


def test_every_locked_package_takes_every_supported_python():
    """The first release of each: Debian's 3.11 is 3.11.2, and a package may ask for 3.11.5."""
    course = fake_door.load(ROOT)
    pythons = [f"3.{minor}.0" for minor in range(course.OLDEST[1], course.NEWEST[1] + 1)]
    refused = {}
    for name in lock("requirements-dev.lock"):
        supported = SpecifierSet(metadata(name).get("Requires-Python", ""))
        if without := [python for python in pythons if not supported.contains(python)]:
            refused[name] = without
    assert refused == {}


def test_torch_is_pinned():
    assert str(next(r.specifier for r in LEARNERS if r.name == "torch")) == "==2.13.0"
    assert lock("requirements.lock")["torch"] == "2.13.0"


def test_conda_brings_python_and_pip_and_leaves_the_rest_to_the_lock():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, rest = conda["dependencies"]
    assert (pip, rest) == ("pip", {"pip": ["-r requirements.lock", "-e ."]})
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))


def test_course_py_takes_the_pythons_of_the_project():
    course = fake_door.load(ROOT)
    supported = SpecifierSet(PROJECT["requires-python"])
    for minor in range(30):
        assert supported.contains(f"3.{minor}") == (course.OLDEST <= (3, minor) <= course.NEWEST)


def test_every_requirement_says_why():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in LEARNERS + TESTS:
        assert re.search(rf'"{re.escape(requirement.name)}[^"]*", +# \w', text), requirement


def test_everything_that_is_imported_is_required():
    """A package that comes along with another today may not tomorrow."""
    distributions = packages_distributions()
    declared = {canonicalize_name(r.name) for r in LEARNERS}
    missing = {}
    for path in (ROOT / "rec_lib").rglob("*.py"):
        tests_only = path.parent.name == "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in {n.split(".")[0] for n in names} - sys.stdlib_module_names - {"rec_lib"}:
                came_from = {canonicalize_name(d) for d in distributions.get(name, [name])}
                allowed = declared | ({canonicalize_name(r.name) for r in TESTS} if tests_only else set())
                if not came_from & allowed:
                    missing[name] = path.name
    assert not missing
