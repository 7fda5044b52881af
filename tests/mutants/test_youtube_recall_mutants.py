"""Bugs of real candidate generators, re-created: the check named here must see each of them."""

import numpy as np
import pytest
import torch
from oracles import watch_naive as naive
from torch.nn.functional import cross_entropy

from rec_lib.data.watches import Watches
from rec_lib.models.watch_network import WatchNetwork
from rec_lib.schema import FIRST, PAD


class MeanOverThePadding(WatchNetwork):
    """Divides by T, whatever the number of watches."""

    def user(self, batch):
        real = (batch["history"] != PAD).to(self.e.dtype)
        mean = (self.e[batch["history"]] * real.unsqueeze(2)).mean(dim=1)
        u = torch.cat([mean, batch["age"].to(mean.dtype).unsqueeze(1)], dim=1)
        for layer in self.layers:
            u = torch.relu(layer(u))
        return u


class PaddingIsAnItem(WatchNetwork):
    """No mask."""

    def user(self, batch):
        mean = self.e[batch["history"]].mean(dim=1)
        u = torch.cat([mean, batch["age"].to(mean.dtype).unsqueeze(1)], dim=1)
        for layer in self.layers:
            u = torch.relu(layer(u))
        return u


class DividesByNothing(WatchNetwork):
    """0/0 for who watched nothing."""

    def user(self, batch):
        real = (batch["history"] != PAD).to(self.e.dtype)
        mean = (self.e[batch["history"]] * real.unsqueeze(2)).sum(dim=1) / real.sum(dim=1, keepdim=True)
        u = torch.cat([mean, batch["age"].to(mean.dtype).unsqueeze(1)], dim=1)
        for layer in self.layers:
            u = torch.relu(layer(u))
        return u


class AgeForgotten(WatchNetwork):
    def user(self, batch):
        return super().user(batch | {"age": torch.zeros_like(batch["age"])})


class EachItemOnce(WatchNetwork):
    """A set where a list is averaged: the second look-up of an id leaves no gradient."""

    def user(self, batch):
        history = batch["history"].clone()
        for row in history:
            seen = set()
            for place, item in enumerate(row.tolist()):
                if item in seen:
                    row[place] = PAD
                seen.add(item)
        return super().user(batch | {"history": history})


class OnlyDrawsAreCorrected(WatchNetwork):
    def loss(self, batch):
        if "drawn" not in batch:
            return super().loss(batch)
        s = self(batch)
        own = s.gather(1, batch["item"].unsqueeze(1))
        others = s[:, batch["drawn"]] - batch["log_q"][batch["drawn"]]
        return cross_entropy(torch.cat([own, others], dim=1), torch.zeros_like(batch["item"]))


class PaddingIsAClass(WatchNetwork):
    def loss(self, batch):
        return super().loss(batch) if "drawn" in batch else cross_entropy(self(batch), batch["item"])


class SumOverTheBatch(WatchNetwork):
    def loss(self, batch):
        if "drawn" in batch:
            return super().loss(batch)
        return cross_entropy(self(batch)[:, FIRST:], batch["item"] - FIRST, reduction="sum")


NETWORKS = {
    MeanOverThePadding: "padding_gives_nothing_and_learns_nothing",
    PaddingIsAnItem: "logits_are_those_of_the_loops",
    DividesByNothing: "no_watch_is_a_finite_start_that_learns",
    AgeForgotten: "logits_are_those_of_the_loops",
    EachItemOnce: "a_repeated_watch_gets_the_sum_of_its_gradients",
    OnlyDrawsAreCorrected: "the_loss_over_draws_is_corrected_for_each_candidate",
    PaddingIsAClass: "the_loss_over_all_items_is_the_mean",
    SumOverTheBatch: "the_loss_over_all_items_is_the_mean",
}


def no_correction(logits, log_q, target):
    return cross_entropy(logits, target)


def added_in_place_of_subtracted(logits, log_q, target):
    return cross_entropy(logits + log_q, target)


def real_one_left_alone(logits, log_q, target):
    drawn = torch.ones_like(logits, dtype=torch.bool).scatter_(1, target.unsqueeze(1), False)
    return cross_entropy(logits - log_q * drawn, target)


def equal_draws_dropped(logits, log_q, target):
    own = logits.gather(1, target.unsqueeze(1))
    again = (logits == own).scatter(1, target.unsqueeze(1), False)
    return cross_entropy((logits - log_q).masked_fill(again, -torch.inf), target)


def summed(logits, log_q, target):
    return cross_entropy(logits - log_q, target, reduction="sum")


def blind(logits, log_q, target):
    return (logits * 0 - log_q * 0).sum()


LOSSES = {
    no_correction: "the_truth_is_where_the_expected_loss_is_flat",
    added_in_place_of_subtracted: "the_truth_is_where_the_expected_loss_is_flat",
    real_one_left_alone: "the_truth_is_where_the_expected_loss_is_flat",
    equal_draws_dropped: "the_truth_is_where_the_expected_loss_is_flat",
    summed: "a_row_is_the_log_share_and_rows_are_averaged",
    blind: "elsewhere_it_is_not_flat",
}


class KnowsTheAnswer(Watches):
    """The window ends one place too late: the item to guess is the latest of its own history."""

    def _before(self, users, place):
        return super()._before(users, np.minimum(place + 1, self.count[users]))


class OldestFirst(Watches):
    """Age 0 for the oldest."""

    def __init__(self, *args):
        super().__init__(*args)
        self.age = 1 - self.age


class ByWatches(Watches):
    """Who watched more brings more examples."""

    def examples(self, per_user):
        self.count = self.count.copy()
        batch = super().examples(per_user)
        many = self.rng.choice(len(self.item), len(batch["item"]))
        return batch | {"item": torch.from_numpy(self.item[many])}


class FirstWatches(Watches):
    """The first T watches in place of the last."""

    def histories(self, users):
        return super()._before(users, np.minimum(self.count[users], self.maxlen))


class TheCircleIncludesTheItem(Watches):
    def _before(self, users, place):
        if self.ordered:
            return super()._before(users, place)
        found = super()._before(users, place)
        found[:, -1] = self.item[self.begin[users] + np.minimum(place, self.count[users] - 1)]
        return found


SOURCES = {
    KnowsTheAnswer: "what_stands_before_is_the_history",
    OldestFirst: "what_stands_before_is_the_history",
    ByWatches: "every_user_brings_the_same_number_of_examples",
    FirstWatches: "what_is_known_when_recommending_is_the_last_watches",
    TheCircleIncludesTheItem: "without_times_the_others_are_the_history",
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
