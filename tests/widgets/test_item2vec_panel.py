"""The panel of 4.3: scores settle where the derivation says; what its questions ask has the answers that the text gives."""

import numpy as np
import pytest

from rec_lib.figures.core import alt_text
from rec_lib.figures.item2vec import bars_figure, batch_figure, leaders, pairs_figure
from rec_lib.widgets.item2vec import BATCHES, ITEMS, MOST, TASTES, batch_panel, compute, summary, world

SETTING = {"taste": "A", "skew": 1.0, "size": 8, "count": MOST, "corrected": False}


def at(**change):
    return compute(**SETTING | change)


def test_the_law_is_a_law():
    for skew in (0.0, 0.7, 1.5):
        p, q = world(skew)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(q, p.mean(axis=0))
        assert p.shape == (len(TASTES), ITEMS)


@pytest.mark.parametrize("taste", TASTES)
@pytest.mark.parametrize("skew", [0.5, 1.0])
def test_scores_settle_at_log_p_minus_log_q_or_at_log_p(taste, skew):
    without, with_it = (at(taste=taste, skew=skew, corrected=c) for c in (False, True))
    assert np.abs(without.scores - (without.log_p - without.log_q)).max() < 0.45
    assert np.abs(with_it.scores - with_it.log_p).max() < 0.45
    assert without.slope == pytest.approx(-1, abs=0.2)
    assert with_it.slope == pytest.approx(0, abs=0.2)


def test_question_one_the_most_popular_item_loses_its_lead_without_the_correction():
    without, with_it = at(), at(corrected=True)
    assert int(np.argmax(with_it.scores)) == int(np.argmax(with_it.log_p)) == 0
    assert int(np.argmax(without.scores)) != 0
    assert with_it.scores[0] - without.scores[0] > 1
    assert without.scores[-1] > with_it.scores[-1] + 0.7


def test_question_two_where_all_are_alike_the_switch_does_nothing():
    assert np.abs(at(skew=0.0).scores - at(skew=0.0, corrected=True).scores).max() < 0.3


def test_question_three_a_larger_batch_settles_at_the_same_place():
    small, large = at(size=2), at(size=8)
    assert np.abs(small.scores - large.scores).max() < 0.7
    assert small.slope == pytest.approx(large.slope, abs=0.2)


def test_before_training_all_scores_are_zero_and_the_batch_is_one():
    data = at(count=0)
    assert not data.scores.any()
    assert len(data.items) == 8


@pytest.mark.parametrize("size", BATCHES)
def test_every_setting_draws_the_same_traces_and_says_so(size):
    kinds = set()
    for skew in (0.0, 1.5):
        for corrected in (False, True):
            data = at(size=size, skew=skew, corrected=corrected)
            figure = batch_figure(data)
            kinds.add(tuple((t.type, t.name) for t in figure.data))
            assert data.logits.shape == (size, size)
            first = leaders(data.scores)
            assert first in summary(data)
            assert first in alt_text(figure)
    assert len(kinds) == 1


def test_a_shared_first_place_is_called_one():
    assert leaders(np.array([1.0, 0.0, 1.0])) == "items 1, 3"
    assert leaders(np.array([0.0, 2.0])) == "item 2"
    assert "by the law items 1, 4, 7, 10" in summary(at(skew=0.0))


def test_bad_values_are_refused():
    for name, value in {"taste": "D", "skew": 2.0, "size": 3, "count": -1, "corrected": None}.items():
        with pytest.raises(ValueError, match=f"{name} got"):
            at(**{name: value})


def test_the_panel_redraws():
    panel = batch_panel()
    panel.controls["corrected"].value = True
    assert panel.error == ""
    assert panel.data.corrected


def test_the_other_figures_are_drawn():
    counts = np.eye(3)[::-1]
    assert len(pairs_figure(["a", "b", "c"], counts, np.ones((3, 3)) - np.eye(3)).data) == 2
    bars = {"with": {"x": (0.2, 0.01), "y": (0.1, 0.02)}, "without": {"x": (0.1, 0.01), "y": (0.1, 0.01)}}
    assert [t.name for t in bars_figure("t", "a", bars, "HR@10").data] == ["with", "without"]
