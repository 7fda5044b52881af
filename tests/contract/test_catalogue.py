"""The catalogue and the tree say the same: a done system has every part of its kind, a planned one has none."""

import importlib
import inspect

import pytest
from exercises_by_section import exercise_ids

from rec_lib import catalogue, paths
from rec_lib.catalogue import CHAPTERS, KINDS, LINES, PARTS, SECTIONS, STATES, SYSTEMS


def load(dotted):
    """A module, or an attribute of one."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, name = dotted.rsplit(".", 1)
        return getattr(importlib.import_module(module), name)


def test_ids_kinds_states_sections_and_parents_exist():
    ids = [s.id for s in SYSTEMS]
    assert len(set(ids)) == len(ids)
    for s in SYSTEMS:
        assert s.kind in KINDS
        assert s.state in STATES
        assert set(s.parents) <= set(ids), s.id
        assert s.section in {x.id for x in SECTIONS}, s.id
    assert {s.chapter for s in SECTIONS} == set(CHAPTERS)
    assert set(PARTS) == set(KINDS)


def test_a_child_says_what_it_adds_and_a_line_names_systems_of_its_chapter_once():
    for s in SYSTEMS:
        assert bool(s.adds) == bool(s.parents), f"{s.id}: 'adds' says what it adds to {s.parents}"
    for chapter, lines in LINES.items():
        on_map = [id for _, _, ids in lines for id in ids]
        own = [s.id for s in SYSTEMS if int(s.section.split(".")[0]) == chapter]
        assert sorted(on_map) == sorted(own)


def test_parents_are_not_descendants():
    parents = {s.id: s.parents for s in SYSTEMS}

    def ancestors(id, seen=()):
        assert id not in seen, f"{id} descends from itself"
        for parent in parents[id]:
            ancestors(parent, (*seen, id))

    for id in parents:
        ancestors(id)


@pytest.mark.parametrize("system", [s for s in SYSTEMS if s.state == "done"], ids=lambda s: s.id)
def test_done_has_every_part_of_its_kind(system):
    assert not system.missing
    assert inspect.isclass(load(system.parts["class"]))
    assert (paths.root() / system.parts["notebook"]).is_file()
    for part in ("derivation", "widget"):
        if part in PARTS[system.kind]:
            assert load(system.parts[part])
    if "exercises" in PARTS[system.kind]:
        assert len(exercise_ids(system.parts["exercises"])) >= 3


def test_built_has_a_class_and_lacks_something():
    for system in (s for s in SYSTEMS if s.state == "built"):  # at times there is none
        assert inspect.isclass(load(system.parts["class"]))
        assert system.missing, f"{system.id} has every part: call it done"


def test_planned_has_no_parts(capsys):
    planned = [s.id for s in SYSTEMS if s.state == "planned"]
    for s in SYSTEMS:
        assert s.state != "planned" or not s.parts, f"{s.id} has parts: it is not planned any more"
    with capsys.disabled():
        print(f"\ncatalogue: {len(planned)} of {len(SYSTEMS)} systems are planned: {', '.join(planned)}")


def test_a_done_row_that_lacks_a_part_is_seen():
    lame = catalogue.System("x", "X", "ctr", "2.4", 2000, "p", "i", state="done", parts={"class": "rec_lib.models.LR"})
    assert lame.missing == ("derivation", "notebook", "widget", "exercises")


def test_notebooks_of_the_sections_exist_and_no_others():
    chapters = paths.root() / "chapters"
    named = {chapters / s.notebook for s in SECTIONS if s.notebook} | {chapters / "00_start_here.ipynb"}
    found = {p for p in chapters.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts}
    assert found == named


def test_printed_table_and_map_name_every_system_and_section():
    assert all(s.name in catalogue.table() for s in SYSTEMS)
    assert all(s.id in catalogue.chapter_map() for s in SECTIONS)
