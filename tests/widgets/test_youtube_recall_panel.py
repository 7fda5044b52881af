"""The panel of 4.5: its list is the model's own, its path starts and ends at the two sets, its index is what it says."""

import itertools
import time

import numpy as np
import pytest

from rec_lib.data import watch_worlds
from rec_lib.figures.core import alt_text
from rec_lib.figures.youtube_recall import PLACES, births_figure, epochs_figure, recalled_figure, search_figure
from rec_lib.models.youtube_recall import YouTubeRecall
from rec_lib.schema import FIRST
from rec_lib.widgets.youtube_recall import BEST, PLAYED, TABLES, WIDTHS, Journey, demo, summary

NAMES = [f"item {n}" for n in range(FIRST + 6 * watch_worlds.SIDE)]
SETS = [(f"group {g}", range(FIRST + 20 * k, FIRST + 20 * k + PLAYED)) for k, g in enumerate("ABCD")]


@pytest.fixture(scope="module")
def world():
    planted = watch_worlds.two_tastes(0, users=200)
    model = YouTubeRecall(epochs=5, rng=np.random.default_rng(0)).fit(planted.train, planted.times)
    return Journey(model, NAMES, SETS, np.random.default_rng(0))


def test_the_list_is_that_of_the_models_vectors_without_what_was_watched(world):
    for n, age in itertools.product((0, 2, 6), (0.0, 0.7)):
        data = world("group A", "group C", n, age, 3.0, 8)
        watched = [*SETS[0][1][n:], *SETS[2][1][:n]]
        u = world.user("group A", "group C", n, age)
        scores = {i: float(world.model.item_vectors()[i] @ u) for i in world.items if i not in watched}
        expected = sorted(scores, key=lambda i: -scores[i])[:PLACES]
        assert data.listed == [NAMES[i] for i in expected]
        np.testing.assert_allclose(data.scores, [scores[i] for i in expected])


def test_a_history_of_one_set_is_the_same_whatever_the_other(world):
    a = world("group A", "group C", 0, 0.0, 3.0, 8)
    b = world("group A", "group D", 0, 0.0, 3.0, 8)
    assert a.listed == b.listed
    np.testing.assert_allclose(a.path[0], b.path[0])
    back = world("group C", "group A", PLAYED, 0.0, 3.0, 8)
    np.testing.assert_allclose(back.path[-1], a.path[0])


def test_more_tables_measure_more_and_find_more(world):
    for w in WIDTHS:
        examined, recall = world.effort[w]
        assert examined[-1] > examined[0], "32 tables against 2"
        assert recall[-1] >= recall[0]
    assert world("group A", "group C", 3, 0.0, WIDTHS[-1], TABLES[-1]).recall > 0.5


def test_every_setting_draws_the_same_traces_and_says_so(world):
    kinds = set()
    for n, w, L in itertools.product((0, 3), WIDTHS, TABLES):
        data = world("group B", "group D", n, 0.5, w, L)
        kinds.add(tuple((t.type, t.name) for t in recalled_figure(data).data))
        assert data.listed[0] in summary(data)
        assert data.listed[0] in alt_text(recalled_figure(data))
        assert f"best {BEST}" in summary(data)
    assert len(kinds) == 1


def test_computing_takes_twenty_milliseconds_at_most(world):
    world("group A", "group C", 1, 0.0, 3.0, 8)
    start = time.process_time()
    for n in range(PLAYED + 1):
        world("group A", "group C", n, 0.0, 3.0, 32)
    assert (time.process_time() - start) / (PLAYED + 1) < 0.020


def test_bad_values_and_worlds_are_refused(world):
    good = {"first": "group A", "second": "group C", "of_second": 1, "age": 0.0, "w": 3.0, "L": 8}
    for name, value in {
        "first": "group E",
        "second": None,
        "of_second": PLAYED + 1,
        "age": 1.5,
        "w": 2.5,
        "L": 3,
    }.items():
        with pytest.raises(ValueError, match=f"{name} got"):
            world(**good | {name: value})
    rng = np.random.default_rng(0)
    for sets in (SETS[:1], [("short", [2, 3]), SETS[0]], [("nobody", [0] * PLAYED), SETS[0]]):
        with pytest.raises(ValueError, match="two or more"):
            Journey(world.model, NAMES, sets, rng)


def test_the_demo_is_a_panel_that_redraws():
    panel = demo()
    panel.controls["of_second"].value = 4
    assert panel.error == ""
    assert panel.data.of_second == 4


def test_the_other_figures_are_drawn():
    lines = {"one": (np.arange(3.0), np.ones(3)), "two": (np.ones(3), np.zeros(3))}
    assert [t.name for t in epochs_figure("t", "a", lines, "AUC").data] == ["one", "two"]
    assert len(births_figure("t", "a", {"law": np.ones(10) / 10}).data[0].x) == 10
    searched = search_figure("t", "a", {"exact": (np.array([2.0]), np.ones(1)), "LSH": (np.ones(2), np.zeros(2))})
    assert [(t.name, list(t.x)) for t in searched.data] == [("exact", [2.0]), ("LSH", [1.0, 1.0])]
