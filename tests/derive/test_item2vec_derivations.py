"""The formulas of 4.3 hold their code: the real classes and functions agree, and one with a slip does not."""

import numpy as np
import pytest
import sympy as sp
import torch
from torch.nn.functional import cross_entropy

from rec_lib.derive import Disagreement, item2vec, two_tower
from rec_lib.embeddings import Corpus, Item2vec
from rec_lib.embeddings.item2vec import expected_visits
from rec_lib.layers import in_batch_softmax_loss
from rec_lib.models.tower_network import TwoTowerNetwork

PAIRS = [
    (item2vec.objective_of_a_set, Item2vec),
    (item2vec.shuffled, expected_visits),
    (two_tower.score, TwoTowerNetwork),
    (two_tower.uncorrected, in_batch_softmax_loss),
    (two_tower.corrected, in_batch_softmax_loss),
    (two_tower.ceiling, in_batch_softmax_loss),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=[d.id for d, _ in PAIRS])
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


class ForgetsAnItem(Item2vec):
    def __init__(self, baskets):
        super().__init__(Corpus(baskets.tokens[:2], np.array([0, 2]), baskets.size))


def every_distance_alike(size, window):
    return min(window, size - 1) / (size - 1)


class SharedLayers(TwoTowerNetwork):
    def item(self, batch):
        return self.f(self.q[batch["item"]] + batch["item_features"] @ self.g.feature, 0 * batch["user_features"])


class SumOfTheTaken(TwoTowerNetwork):
    def user(self, batch):
        return self.f(self.e[batch["history"]].sum(dim=1), batch["user_features"])


def no_correction(scores, log_q):
    return in_batch_softmax_loss(scores, None) + (0 if log_q is None else 0 * log_q.sum())


def wrong_sign(scores, log_q):
    return in_batch_softmax_loss(scores, None if log_q is None else -log_q)


def negatives_alone(scores, log_q):
    correction = 0 if log_q is None else log_q * (1 - torch.eye(len(scores), dtype=scores.dtype))
    return in_batch_softmax_loss(scores - correction, None)


def without_the_positive(scores, log_q):
    """The positive is left out of the sum below."""
    own = scores.diagonal()
    return (scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), -torch.inf).logsumexp(dim=1) - own).mean()


def summed(scores, log_q):
    return cross_entropy(scores - (0 if log_q is None else log_q), torch.arange(len(scores)), reduction="sum")


SLIPS = [
    (item2vec.objective_of_a_set, ForgetsAnItem),
    (item2vec.shuffled, every_distance_alike),
    (two_tower.score, SharedLayers),
    (two_tower.score, SumOfTheTaken),
    (two_tower.uncorrected, summed),
    (two_tower.corrected, no_correction),
    (two_tower.corrected, wrong_sign),
    (two_tower.corrected, negatives_alone),
    (two_tower.ceiling, without_the_positive),
]


@pytest.mark.parametrize(("derivation", "code"), SLIPS, ids=[f"{d.id}-{c.__name__}" for d, c in SLIPS])
def test_a_slip_is_seen(derivation, code):
    with pytest.raises(Disagreement, match="does not agree"):
        derivation.agrees_with(code)


def test_the_flat_point_is_the_only_one():
    """The slope changes sign once, at log P − log Q: it is increasing in s₁."""
    slope = two_tower.uncorrected.final
    rise = sp.diff(slope, two_tower.s1)
    values = {two_tower.s2: 0.3, two_tower.p: 0.7, two_tower.Q: 0.2}
    assert all(float(rise.subs(values | {two_tower.s1: x})) > 0 for x in np.linspace(-6, 6, 25))
