"""Where a notebook points to a section that is not written yet it says so, and stops saying so when it is."""

import re

import nbformat
import pytest

from rec_lib import catalogue
from rec_lib.paths import root

CHAPTERS = root() / "chapters"
NOTEBOOKS = sorted(path.relative_to(CHAPTERS).as_posix() for path in CHAPTERS.rglob("[!.]*.ipynb"))
KNOWN = {s.id for s in catalogue.SECTIONS}
READY = {s.id for s in catalogue.SECTIONS if s.notebook and (CHAPTERS / s.notebook).is_file()}
BARE = re.compile(r"\((\d\.\d+(?:\.\d+)?)\)")  # (2.5)
PLANNED = re.compile(r"\b(\d\.\d+(?:\.\d+)?),? (?:is )?planned")  # 2.5, planned


def ready(section):
    """Whether a section, or every part of it, has its notebook."""
    parts = {id for id in KNOWN if id == section or id.startswith(f"{section}.")}
    return bool(parts) and parts <= READY


def prose(notebook):
    cells = nbformat.read(CHAPTERS / notebook, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_sections_to_come_are_called_planned_and_no_others(notebook):
    text = "\n".join(prose(notebook))
    unmarked = {id for id in BARE.findall(text) if id in KNOWN and not ready(id)}
    assert not unmarked, f"write ({min(unmarked)}, planned), or link to its notebook"
    outdated = {id for id in PLANNED.findall(text) if ready(id)}
    assert not outdated, f"{sorted(outdated)} can be studied now: link to it instead of calling it planned"


def test_the_patterns_find_what_they_look_for():
    assert BARE.findall("FM (2.5) and LR (2.4, planned)") == ["2.5"]
    assert PLANNED.findall("(2.4, planned), its own section, 2.5, is planned, in 4.4.2") == ["2.4", "2.5"]
