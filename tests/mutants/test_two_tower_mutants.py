"""Real bugs of two-tower programs: each is killed by the oracle's check that is named beside it."""

import numpy as np
import pytest
import torch
from oracles import tower_naive as naive

from rec_lib.data.basket_pairs import BasketPairs
from rec_lib.layers.in_batch import in_batch_softmax_loss
from rec_lib.models.tower_network import TwoTowerNetwork
from rec_lib.schema import PAD


def user_mean(self, batch, real, count):
    taken = self.e[batch["history"]] * real.unsqueeze(2)
    return self.f(taken.sum(dim=1) / count, batch["user_features"])


class MeanOverThePadding(TwoTowerNetwork):
    def user(self, batch):
        real = (batch["history"] != PAD).to(self.e.dtype)
        return user_mean(self, batch, real, batch["history"].shape[1])


class PaddingIsAnItem(TwoTowerNetwork):
    def user(self, batch):
        return user_mean(self, batch, torch.ones_like(batch["history"], dtype=self.e.dtype), batch["history"].shape[1])


class DividesByNothing(TwoTowerNetwork):
    def user(self, batch):
        real = (batch["history"] != PAD).to(self.e.dtype)
        return user_mean(self, batch, real, real.sum(dim=1, keepdim=True))


class OneTower(TwoTowerNetwork):
    """Items go through the users' layers."""

    def item(self, batch):
        return self.f(self.q[batch["item"]] + batch["item_features"] @ self.g.feature, 0 * batch["user_features"])


class TemperatureOfTheUserAlone(TwoTowerNetwork):
    """Multiplied in place of divided."""

    def forward(self, batch):
        return super().forward(batch) * self.temperature**2


class LengthsKept(TwoTowerNetwork):
    def forward(self, batch):
        return self.user(batch) @ self.item(batch).T / self.temperature


class RootOfNothing(TwoTowerNetwork):
    """A length whose slope at the vector of zeros is not a number."""

    def forward(self, batch):
        u, v = self.user(batch), self.item(batch)
        if self.normalise:
            u, v = (x / x.square().sum(dim=1, keepdim=True).sqrt() for x in (u, v))
        return u @ v.T / self.temperature


class Uncorrected(TwoTowerNetwork):
    def loss(self, batch):
        return in_batch_softmax_loss(self(batch), None)


class ByRow(TwoTowerNetwork):
    """log Q of the row's item: a number that a softmax cancels."""

    def loss(self, batch):
        correction = batch["log_q"].unsqueeze(1) if "log_q" in batch else 0.0
        return in_batch_softmax_loss(self(batch) - correction, None)


NETWORKS = {
    MeanOverThePadding: "padding_gives_nothing_and_learns_nothing",
    PaddingIsAnItem: "padding_gives_nothing_and_learns_nothing",
    DividesByNothing: "nothing_taken_is_a_finite_start_that_learns",
    OneTower: "scores_are_those_of_the_loops",
    TemperatureOfTheUserAlone: "scores_are_those_of_the_loops",
    LengthsKept: "scores_are_those_of_the_loops",
    RootOfNothing: "a_vector_of_zeros_has_finite_scores_and_slopes",
    Uncorrected: "the_loss_is_corrected_for_each_column",
    ByRow: "the_loss_is_corrected_for_each_column",
}


def no_correction(scores, log_q):
    return in_batch_softmax_loss(scores, None)


def wrong_sign(scores, log_q):
    return in_batch_softmax_loss(scores, None if log_q is None else -log_q)


def along_the_rows(scores, log_q):
    return in_batch_softmax_loss(scores if log_q is None else scores - log_q.unsqueeze(1), None)


def negatives_alone(scores, log_q):
    if log_q is None:
        return in_batch_softmax_loss(scores, None)
    return in_batch_softmax_loss(scores - log_q * (1 - torch.eye(len(scores), dtype=scores.dtype)), None)


def always_corrected(scores, log_q):
    return in_batch_softmax_loss(scores, torch.arange(len(scores)) * 0.3 if log_q is None else log_q)


def transposed(scores, log_q):
    """The users compete for an item."""
    return in_batch_softmax_loss(scores.T, log_q)


def summed(scores, log_q):
    return len(scores) * in_batch_softmax_loss(scores, log_q)


def blind(scores, log_q):
    return (scores * 0).sum()


LOSSES = {
    no_correction: "corrected_scores_settle_at_log_p",
    wrong_sign: "corrected_scores_settle_at_log_p",
    along_the_rows: "corrected_scores_settle_at_log_p",
    negatives_alone: "corrected_scores_settle_at_log_p",
    transposed: "corrected_scores_settle_at_log_p",
    always_corrected: "uncorrected_scores_settle_at_log_p_minus_log_q",
    summed: "rows_are_averaged",
    blind: "neither_settles_where_the_other_does",
}


class KnowsTheAnswer(BasketPairs):
    """The item stands in its own history."""

    def examples(self, per_user):
        batch = super().examples(per_user)
        history = torch.cat([batch["history"][:, :-1], batch["item"].unsqueeze(1)], dim=1)
        return batch | {"history": history}


class AlwaysTheSamePart(BasketPairs):
    def examples(self, per_user):
        batch = super().examples(per_user)
        return batch | {"history": torch.where(batch["history"] == PAD, PAD, batch["history"].max())}


class ByPairs(BasketPairs):
    """Q counts pairs; the examples count users."""

    def __init__(self, *args):
        super().__init__(*args)
        self.q = np.bincount(self.item, minlength=len(self.q)) / len(self.item)


class KeepsTheLastOne(BasketPairs):
    def batches(self, per_user, size):
        rows = self.examples(per_user)
        for start in range(0, len(rows["item"]), size):
            yield {name: column[start : start + size] for name, column in rows.items()}


SOURCES = {
    KnowsTheAnswer: "the_history_is_all_the_others_and_never_the_item",
    AlwaysTheSamePart: "a_long_history_is_a_random_part",
    ByPairs: "q_is_how_often_an_item_stands_in_a_batch",
    KeepsTheLastOne: "no_batch_of_one",
}
CASES = (
    [(m, naive.NETWORK_CHECKS[c]) for m, c in NETWORKS.items()]
    + [(m, naive.LOSS_CHECKS[c]) for m, c in LOSSES.items()]
    + [(m, naive.SOURCE_CHECKS[c]) for m, c in SOURCES.items()]
)


@pytest.mark.parametrize(("mutant", "check"), CASES, ids=[m.__name__ for m, _ in CASES])
def test_the_oracle_kills(mutant, check):
    with pytest.raises(AssertionError):
        check(mutant)


def test_every_check_kills_somebody():
    assert set(NETWORKS.values()) == set(naive.NETWORK_CHECKS)
    assert set(LOSSES.values()) == set(naive.LOSS_CHECKS)
    assert set(SOURCES.values()) == set(naive.SOURCE_CHECKS)
