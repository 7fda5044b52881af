"""The table of 4.7 holds every system of the chapter, with the numbers that are stored, and stands what is missing."""

import pytest

from rec_lib.catalogue import SYSTEMS
from rec_lib.experiments import embedding_table as module
from rec_lib.experiments.core import MODULES, measured
from rec_lib.experiments.embedding_table import FOUND, embedding_table, quality

OWN = [s for s in SYSTEMS if s.section.startswith("4.")]


def test_every_system_of_the_chapter_has_a_row():
    rows = embedding_table().splitlines()[2:]
    assert [row.split("**")[1] for row in rows] == [s.name for s in OWN]
    assert {row.count("|") for row in rows} == {7}


def test_what_is_looked_up_belongs_to_systems_of_the_chapter():
    assert FOUND.keys() <= {s.id for s in OWN}


@pytest.mark.parametrize("id", FOUND)
def test_numbers_are_those_that_are_stored(id):
    """Each name is one that its section stores, as soon as the section stores anything."""
    for label, place, name in FOUND[id]:
        if place in MODULES:
            assert f"{label} {measured(place).mean(name):.3f}" in quality(id)


def test_what_is_not_measured_leaves_its_place_empty(monkeypatch):
    def nothing(place):
        raise FileNotFoundError(place)

    monkeypatch.setattr(module, "measured", nothing)
    assert quality("lsh") == "–"
    assert quality("exact") == "–"


def test_finished_systems_have_strength_and_limit():
    for s in OWN:
        if s.state == "done":
            assert s.strength, s.id
            assert s.limit, s.id


def test_a_row_says_how_far_a_system_is():
    table = embedding_table()
    for s in OWN:
        row = next(line for line in table.splitlines() if line.startswith(f"| **{s.name}** "))
        assert ("(planned)" in row) == (s.state == "planned")
        assert ("no notebook yet" in row) == (s.state == "built")
