"""Every notebook of the course keeps the rules of ``anatomy.py``, and the catalogue's notebooks are there."""

import anatomy
import pytest

from rec_lib import catalogue
from rec_lib.cli import notebooks
from rec_lib.paths import root

START = "00_start_here.ipynb"
CHAPTERS = root() / "chapters"


def promised() -> set[str]:
    """Notebooks that must exist: the start page and what the catalogue names."""
    done = {s.parts["notebook"].removeprefix("chapters/") for s in catalogue.SYSTEMS if s.state == "done"}
    return {START} | done | {s.notebook for s in catalogue.SECTIONS if s.notebook}


def stored() -> set[str]:
    return {path.relative_to(CHAPTERS).as_posix() for path in notebooks.all_notebooks()}


def test_the_notebooks_are_those_that_the_catalogue_names():
    assert stored() == promised()


def read(name: str) -> anatomy.Chapter:
    assert (CHAPTERS / name).is_file(), f"chapters/{name} is named in the catalogue and does not exist"
    return anatomy.Chapter.read(CHAPTERS / name)


@pytest.mark.parametrize("rule", anatomy.BOTH, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", sorted(promised() | stored()))
def test_notebook(name, rule):
    wrong = rule(read(name))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rule", anatomy.SECTION, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", sorted(n for n in promised() | stored() if anatomy.kind_of(n) == "section"))
def test_section(name, rule):
    wrong = rule(read(name))
    assert not wrong, "\n".join(wrong)
