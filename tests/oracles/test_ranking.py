"""Ranking of a held-out item against plain loops: every order of the tied scores, listed one by one."""

import itertools
from math import log2

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rec_lib.data.interactions import Interactions
from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.schema import FIRST


class Table:
    """Scores that stand in a table."""

    def __init__(self, scores):
        self.scores = scores

    def score(self, users):
        return self.scores[users]


def world(seed, levels=3, users=9, items=8):
    rng = np.random.default_rng(seed)
    train = np.zeros((FIRST + users, FIRST + items))
    train[FIRST:, FIRST:] = rng.random((users, items)) < 0.3
    train[FIRST:, FIRST] = 0  # so that everybody has something left
    held, negatives = [], []
    for row in train[FIRST:]:
        free = FIRST + rng.permutation(np.flatnonzero(row[FIRST:] == 0))
        held.append(free[0])
        negatives.append(np.resize(free[1:], 3) if len(free) > 1 else np.full(3, free[0]))
    data = Interactions(csr_matrix(train), np.arange(FIRST, FIRST + users), np.array(held), np.array(negatives))
    return data, Table(rng.integers(0, levels, train.shape).astype(float))


def naive(scores, held, rivals, k):
    """Means over all orders that agree with the scores."""
    items = [held, *rivals]
    hits, gains, places = [], [], []
    for order in itertools.permutations(range(len(items))):
        listed = [items[i] for i in order]
        if any(scores[a] < scores[b] for a, b in itertools.pairwise(listed)):
            continue
        place = order.index(0) + 1
        hits.append(place <= k)
        gains.append(1 / log2(place + 1) if place <= k else 0)
        places.append(place)
    return np.mean(hits), np.mean(gains), np.mean(places)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 2, 3, 20])
@pytest.mark.parametrize("protocol", ["sampled", "full"])
def test_equals_the_mean_over_all_orders(seed, k, protocol):
    data, model = world(seed, users=4, items=6)
    ranked = rank_held_out(model, data, k, protocol, block=3)
    for row, user in enumerate(data.users):
        free = set(range(FIRST, data.train.shape[1])) - set(data.train[[user]].indices) - {data.held_out[row]}
        rivals = data.negatives[row] if protocol == "sampled" else free
        expected = naive(model.scores[user], data.held_out[row], rivals, k)
        got = ranked.hits[row], ranked.gains[row], ranked.places[row]
        np.testing.assert_allclose(got, expected)
    assert ranked.hit_rate == pytest.approx(ranked.hits.mean())
    assert ranked.ndcg == pytest.approx(ranked.gains.mean())


def test_a_constant_score_is_worth_chance_and_the_best_score_everything():
    data, model = world(5, users=40, items=30)
    flat = Table(np.zeros_like(model.scores))
    assert rank_held_out(flat, data, 2, "sampled").hit_rate == pytest.approx(2 / 4)
    best = np.zeros_like(model.scores)
    best[data.users, data.held_out] = 1
    for protocol in ("sampled", "full"):
        assert rank_held_out(Table(best), data, 1, protocol).ndcg == 1
        assert rank_held_out(Table(-best), data, 1, protocol).hit_rate == 0


def test_questions_that_cannot_be_are_refused():
    data, model = world(0)
    with pytest.raises(ValueError, match="k=0"):
        rank_held_out(model, data, 0)
    with pytest.raises(ValueError, match="protocol 'all'"):
        rank_held_out(model, data, 1, "all")
    nobody = Interactions(data.train, data.users[:0], data.held_out[:0], data.negatives[:0])
    with pytest.raises(ValueError, match="0 users"):
        rank_held_out(model, nobody, 1)
    broken = np.zeros((data.train.shape[0], data.train.shape[1]))
    broken[data.users[0], data.held_out[0]] = np.nan  # nothing compares as above it: it would be the best
    with pytest.raises(ValueError, match="NaN"):
        rank_held_out(Table(broken), data, 1)
