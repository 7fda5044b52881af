"""The formulas of 3.8 hold their code: the real classes agree, and a class with one slip does not."""

import pytest
import torch

from rec_lib.derive import Disagreement, afm, din
from rec_lib.layers import ActivationUnit, Dice
from rec_lib.layers.mini_batch_aware import mini_batch_aware_l2
from rec_lib.models import AFM, DIN

PAIRS = [
    (afm.model, AFM),
    (afm.is_fm, AFM),
    (afm.score_gradient, afm.slope_of_first_score),
    (din.unit, ActivationUnit),
    (din.difference, ActivationUnit),
    (din.model, DIN),
    (din.dice, Dice),
    (din.decay, mini_batch_aware_l2),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


class WithoutSoftmax(AFM):
    def attention(self, pairs, batch):
        return torch.relu(self.score(pairs)) @ self.h


class SharesOfOnePairTooMany(AFM):
    def attention(self, pairs, batch):
        scores = torch.relu(self.score(pairs)) @ self.h
        return torch.softmax(torch.cat([scores, scores[:, :1]], dim=1), dim=1)[:, :-1]


class DetachedAttention(AFM):
    """The attention weighs but does not learn."""

    def attention(self, pairs, batch):
        return super().attention(pairs, batch).detach()


class SoftmaxUnit(ActivationUnit):
    def forward(self, q, k, mask):
        return torch.softmax(super().forward(q, k, mask), dim=1)


class SwappedDifference(ActivationUnit):
    """k − q where the weights were meant for q − k."""

    def given(self, q):
        c, M = super().given(q)
        dim = q.shape[1]
        of_difference = self.hidden.weight[:, 2 * dim : 3 * dim]
        return c - 2 * q @ of_difference.mT, M + 2 * of_difference


class MeanOfHistory(DIN):
    def activations(self, v, batch):
        return [(w / (batch["history"] != 0).sum(1, keepdim=True), e) for w, e in super().activations(v, batch)]


class PaddingCounts(Dice):
    def forward(self, s, mask=None):
        return super().forward(s)


class FrozenMean(Dice):
    """Mean and variance as constants: no gradient through them."""

    def _batch_statistics(self, rows, mask):
        mean, var = super()._batch_statistics(rows, mask)
        return mean.detach(), var.detach()


def every_reading_counts(table, rows, n):
    return 0.5 * (table[rows].square().sum(1) / n[rows]).sum()


def whole_table(table, rows, n):
    return 0.5 * table.square().sum()


SLIPS = [
    (afm.model, WithoutSoftmax, "value"),
    (afm.model, SharesOfOnePairTooMany, "value"),
    (afm.model, DetachedAttention, "value: agrees"),
    (din.unit, SoftmaxUnit, "value"),
    (din.unit, SwappedDifference, "value"),
    (din.model, MeanOfHistory, "value"),
    (din.dice, PaddingCounts, "value"),
    (din.dice, FrozenMean, "value: agrees"),
    (din.decay, every_reading_counts, "2.00"),
    (din.decay, whole_table, "value"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
