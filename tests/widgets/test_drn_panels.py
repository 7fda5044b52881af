"""The panels of 3.10: what they draw is what was played, and what they teach is there to be seen."""

import itertools
import time

import numpy as np
import pytest

from rec_lib.figures.core import alt_text
from rec_lib.figures.drn import alive_figure, bars_figure, duel_figure
from rec_lib.layers.survival import HAZARD, RISE, START
from rec_lib.widgets.drn import ALPHAS, MINORS, VISITS, WARM, DuelWorld, alive, alive_summary, duel_summary


@pytest.fixture(scope="module")
def world():
    return DuelWorld()


def test_activeness_settles_where_the_rise_makes_good_the_fall():
    for gap in (12, 24, 36):
        data = alive(gap, HAZARD, 0.2)
        left = np.exp(-HAZARD * gap)
        top = min(1.0, 0.2 / (1 - left))
        assert data.settled == pytest.approx(top * left, abs=0.02 + 0.3 * np.exp(-HAZARD * 144))
    daily = alive(24, HAZARD, RISE)
    assert daily.settled + RISE == pytest.approx(START, abs=0.01)
    assert f"S is {daily.settled:.2f}" in alive_summary(daily)
    assert alive(24, 0.1, 0.6).S.max() <= 1
    assert alive(24, 0.1, 0.0).last == pytest.approx(START * np.exp(-0.1 * 240))
    assert f"settles at {daily.settled:.2f}" in alt_text(alive_figure(daily))


def test_what_is_shown_comes_from_the_two_rankings(world):
    for alpha, minor, visit in itertools.product(ALPHAS, MINORS, (WARM + 1, 700, VISITS)):
        data = world(alpha, minor, visit)
        on_page = set(world.feed.news[visit - 1].argmax(axis=1).tolist())
        assert set(data.shown.tolist()) <= on_page
        assert data.settled == (visit - 1) // minor - WARM // minor
        assert 0 <= data.moved <= data.settled
        if alpha == 0:
            np.testing.assert_array_equal(data.L, data.L_tilde)
        assert f"{data.score[0]} clicks" in duel_summary(data)
        assert alt_text(duel_figure(data))


def test_every_setting_draws_the_same_traces(world):
    kinds = {tuple((t.type, t.name) for t in duel_figure(world(a, m, 300)).data) for a in ALPHAS for m in MINORS}
    assert len(kinds) == 1


def test_regret_in_the_window_is_the_mean_of_its_visits(world):
    data, game = world(0.3, 25, 500), world.play(0.3, 25)
    regret = game.regret(world.feed)
    for at, value in zip(data.visits[:5], data.regret["DBGD"][:5], strict=True):
        assert value == pytest.approx(regret[at - 150 : at].mean())


def test_a_large_perturbation_loses(world):
    assert world(3.0, 25, VISITS).mean["DBGD"] > world(0.3, 25, VISITS).mean["DBGD"] + 0.1
    assert world(3.0, 25, VISITS).moved < 0.25 * world(3.0, 25, VISITS).settled


def test_a_slider_does_not_wait(world):
    world(0.1, 25, 400)
    start = time.process_time()
    for visit in range(400, 410):
        world(0.1, 25, visit)
    assert (time.process_time() - start) / 10 < 0.05


@pytest.mark.parametrize(("name", "value"), [("alpha", 0.2), ("minor", 7), ("visit", WARM), ("visit", 400.5)])
def test_values_that_no_control_has_are_refused(world, name, value):
    with pytest.raises(ValueError, match=name):
        world(**({"alpha": 0.3, "minor": 25, "visit": 400} | {name: value}))


@pytest.mark.parametrize(("name", "value"), [("gap", 1), ("gap", 3.5), ("hazard", 0.0), ("rise", 0.9)])
def test_activeness_refuses_what_no_control_has(name, value):
    with pytest.raises(ValueError, match=name):
        alive(**({"gap": 24, "hazard": 0.04, "rise": 0.3} | {name: value}))


def test_bars_name_every_value_and_refuse_unequal_groups():
    figure = bars_figure({"a": {"x": 1.0, "y": 2.0}, "b": {"x": 3.0, "y": 4.0}}, "t", "v")
    assert "b: x 3.00, y 4.00" in alt_text(figure)
    with pytest.raises(ValueError, match="different"):
        bars_figure({"a": {"x": 1.0}, "b": {"y": 1.0}}, "t", "v")


def test_answers_of_the_activeness_panel():
    assert alive(24, 0.04, RISE).settled == pytest.approx(0.2, abs=0.01)
    assert alive(48, 0.04, RISE).settled == pytest.approx(0.05, abs=0.01)
    assert alive(12, 0.08, RISE).settled == pytest.approx(alive(24, 0.04, RISE).settled, abs=0.001)
    assert alive(6, 0.04, 0.0).last == pytest.approx(alive(48, 0.04, 0.0).last)


def test_answers_of_the_duel_panel():
    world = DuelWorld()
    W = world.play(0.3, 25).W
    step = np.sqrt((np.diff(W, axis=0) ** 2).sum(axis=(1, 2)))
    moved = np.flatnonzero(step) + 1
    trained, compared = (np.median(step[visits - 1]) for visits in (moved[moved % 50 == 0], moved[moved % 50 != 0]))
    assert (moved % 25 == 0).all()
    assert len(moved[moved % 50 == 0]) == (VISITS - 1) // 50
    assert 0.1 < compared / trained < 0.3

    calm = [world(0.0, 25, visit) for visit in range(200, VISITS, 100)]
    assert all((duel.L == duel.L_tilde).all() for duel in calm)
    assert any((duel.shown != duel.L).any() for duel in calm)

    wild = world(3.0, 25, VISITS)
    assert wild.mean["DBGD"] > wild.mean["greedy"] + 0.1
    assert wild.moved < wild.settled / 10
