"""The world of recent interests: its law by a plain loop, its histories by counting."""

import math

import pytest

from rec_lib.data.recency import FADES, LENGTH, PER_CATEGORY, recency
from rec_lib.schema import FIRST

SIZES = (2_000, 50, 50)


def test_the_law_is_a_fading_count_of_the_candidates_category():
    world = recency(3, SIZES)
    for row in range(50):
        item = world.test["item"][row].item() - FIRST
        z = -2 + world.law.effects["main"].weights["item"][item]
        for t, other in enumerate((world.test["history"][row] - FIRST).tolist()):
            if other // PER_CATEGORY == item // PER_CATEGORY:
                z += 4.5 * (1 - FADES) * FADES ** (LENGTH - 1 - t)
        assert world.test["p"][row].item() == pytest.approx(1 / (1 + math.exp(-z)))


def test_a_history_stays_with_three_interests_and_mostly_with_the_last_one():
    history = (recency(0, SIZES).train["history"] - FIRST) // PER_CATEGORY
    assert max(len(set(row)) for row in history.tolist()) <= 3
    stays = (history[:, 1:] == history[:, :-1]).double().mean().item()
    assert stays == pytest.approx(0.8 + 0.2 / 3, abs=0.01)


def test_a_seed_is_a_world():
    a, b, c = (recency(seed, SIZES) for seed in (1, 1, 2))
    assert (a.train["history"] == b.train["history"]).all()
    assert (a.train["p"] == b.train["p"]).all()
    assert not (a.train["item"] == c.train["item"]).all()
    assert 0.8 < recency(0, (50, 50, 5_000)).bayes["auc"] < 0.88
