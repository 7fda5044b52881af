"""Quality against cost: who is on the front, whom the seeds cannot tell apart, what is said where nothing was measured."""

import numpy as np
import pytest

from rec_lib.figures.pareto import Trade, pareto_figure
from rec_lib.widgets.pareto import demo, summary


def trade(higher=True, **systems):
    return Trade(
        "test AUC",
        "parameters",
        "random",
        higher,
        3,
        {n: (c, np.array(q, dtype=float)) for n, (c, q) in systems.items()},
    )


def front_naive(trade):
    """Those that nobody dominates, pair by pair."""
    sign = 1 if trade.higher_is_better else -1
    rows = {n: (c, sign * q.mean()) for n, (c, q) in trade.systems.items()}
    beaten = {
        a for a, (ca, qa) in rows.items() for cb, qb in rows.values() if cb <= ca and qb >= qa and (cb < ca or qb > qa)
    }
    return {n for n in rows if n not in beaten}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("higher", [True, False])
def test_the_front_is_what_nobody_dominates(seed, higher):
    rng = np.random.default_rng(seed)
    given = trade(higher, **{f"m{i}": (float(rng.integers(1, 9)), rng.random(3)) for i in range(9)})
    assert set(given.front) == front_naive(given)
    costs = [given.systems[name][0] for name in given.front]
    assert costs == sorted(costs)


def test_of_two_at_one_cost_the_better_one_is_on_the_front():
    assert trade(a=(5, [0.7, 0.7]), b=(5, [0.8, 0.8])).front == ["b"]


def test_the_sentence_names_the_front_and_who_is_tied_with_its_best():
    given = trade(a=(1, [0.70, 0.71]), b=(2, [0.80, 0.82]), c=(9, [0.79, 0.83]))
    said = summary(given)
    assert "2 of 3 systems are on the front" in said
    assert said.endswith("Not told apart from b by the seeds: c.")
    assert summary(trade()).startswith("Nothing was measured")


def test_every_system_is_drawn_once_and_inside_the_axis():
    given = trade(a=(0.4, [0.7, 0.71]), b=(70000, [0.80, 0.82]), c=(90000, [0.79, 0.80]))
    figure = pareto_figure(given)
    assert sorted(name for t in figure.data for name in t.text or ()) == ["a", "b", "c"]
    assert sorted(name for t in figure.data for name in t.hovertext or ()) == ["a", "b", "c"]
    low, high = (10**end for end in figure.layout.xaxis.range)
    assert all(low < x < high for t in figure.data for x in t.x if x is not None)
    assert all(low <= tick <= high for tick in figure.layout.xaxis.tickvals)


def test_a_split_that_the_panel_has_not_is_refused():
    with pytest.raises(ValueError, match="split"):
        demo().compute(quality="auc", cost="parameters", split="loo")


def test_sizes_and_speeds_are_those_of_the_model_whatever_the_split():
    panel = demo()
    for cost in ("parameters", "learn_seconds", "score_seconds"):
        a, b = (panel.compute(quality="auc", cost=cost, split=split).systems for split in ("random", "time"))
        assert a.keys() == b.keys()
        assert len(a) == 15
        assert all(a[name][0] == b[name][0] for name in a)


def test_every_click_model_of_the_map_has_its_place():
    given = demo().compute(quality="auc", cost="train_seconds", split="random")
    assert {"LR", "FM", "FNN", "DeepFM", "DCN-v2", "AFM", "DIN", "DIEN"} <= given.systems.keys()
    assert len(given.systems) == 15


def leaders(figure):
    """Name → the two ends of its line."""
    lines, names = (next(t for t in figure.data if t.mode == mode) for mode in ("lines", "text"))
    ends = list(zip(lines.x, lines.y, strict=True))
    return {name: (ends[3 * i], ends[3 * i + 1]) for i, name in enumerate(names.text)}


@pytest.mark.parametrize("seed", range(10))
def test_names_do_not_overlap_and_lead_to_their_points(seed):
    rng = np.random.default_rng(seed)
    given = trade(**{f"m{i}": (float(rng.uniform(1, 99)), rng.normal(0.78, 0.004, 5)) for i in range(15)})
    figure = pareto_figure(given)
    low, high = figure.layout.yaxis.range
    found = leaders(figure)
    for name, (point, _) in found.items():
        assert point == (given.systems[name][0], pytest.approx(given.systems[name][1].mean()))
    places = sorted(end[1] for _, end in found.values())
    assert low < places[0]
    assert places[-1] < high
    assert min(np.diff(places)) > (high - low) / 21
    by_mean = sorted(found, key=lambda name: given.systems[name][1].mean())
    assert by_mean == sorted(found, key=lambda name: found[name][1][1])  # no two lines change places


def front(cost, split):
    return demo().compute(quality="auc", cost=cost, split=split).front


def test_the_questions_of_the_notebook_have_their_answers():
    training = front("train_seconds", "random")
    assert (training[0], training[-1]) == ("LR", "DIEN")
    given = demo().compute(quality="auc", cost="train_seconds", split="random")
    assert summary(given).endswith("Not told apart from DIEN by the seeds: OPNN, DeepFM.")
    assert given.systems["DeepFM"][0] < given.systems["DIEN"][0] / 4
    sizes = demo().compute(quality="auc", cost="parameters", split="random")
    assert "Wide&Deep" not in sizes.front
    assert max(sizes.systems, key=lambda name: sizes.systems[name][0]) == "Wide&Deep"
    assert sizes.systems["NFM"][0] < sizes.systems["Wide&Deep"][0]
    assert sizes.systems["NFM"][1].mean() > sizes.systems["Wide&Deep"][1].mean()
    both = set(front("train_seconds", "time")) & set(front("score_seconds", "time"))
    assert both - {"LR"} == {"Deep&Cross", "DeepFM", "IPNN", "DCN-v2"}
