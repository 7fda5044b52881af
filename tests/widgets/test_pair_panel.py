"""The start page's panel opens on no answer: everything is at zero, and what it asks for can be found from there."""

import numpy as np
import pytest
from scipy.special import expit

from rec_lib.figures.pair import DESIGN, Cells, best_weights, log_loss, wilson
from rec_lib.widgets.pair import pair_panel

CELLS = Cells("Comedy", "Romance", np.array([111, 55, 45, 22]), np.array([70, 36, 29, 6]))


def test_it_starts_at_zero_where_every_film_is_a_coin_toss():
    panel = pair_panel(CELLS)
    assert set(panel.values.values()) == {0.0}
    start = panel.compute(**panel.values)
    assert start.loss == pytest.approx(np.log(2))
    low, high = wilson(CELLS.liked, CELLS.seen)
    assert not np.all((low < 0.5) & (0.5 < high)), "the start would already be an answer to question 1"


def test_question_1_can_be_answered_with_the_sliders():
    additive = np.round(best_weights(CELLS, pair=False), 1)
    low, high = wilson(CELLS.liked, CELLS.seen)
    said = expit(DESIGN @ additive)
    assert np.all((low < said) & (said < high))
    assert log_loss(CELLS, additive) < log_loss(CELLS, best_weights(CELLS, pair=False)) + 0.001


def test_question_3_can_be_answered_from_there_by_the_pair_weight_alone():
    weights = np.round(best_weights(CELLS, pair=False), 1)
    weights[3] = -0.5
    assert log_loss(CELLS, weights) < log_loss(CELLS, best_weights(CELLS, pair=False))
