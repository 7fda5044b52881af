"""Bugs of real policies, re-created: the contract must kill each of them, and by the check named here."""

import random

import numpy as np
import pytest
import torch
from contract.policy_checks import CHECKS

from rec_lib.layers.interleaving import best
from rec_lib.models import DBGD, DRN, DeepQ, EpsilonGreedy, Greedy


class LearnsTheOtherWay(Greedy):
    """A descent where an ascent is meant."""

    def major_update(self):
        self.lr = -self.lr
        super().major_update()
        self.lr = -self.lr


class NeverLearns(Greedy):
    """Answers are stored and never read."""

    def major_update(self):
        self._waiting.clear()


class ForgetsEverything(Greedy):
    """Each training starts from nothing: what is known is the last period's few answers."""

    def major_update(self):
        self.W[:] = 0
        super().major_update()


class ShowsTheWorst(Greedy):
    """argsort without the minus."""

    def _choose(self, visit):
        return np.argsort(self.score(visit))[: self.k]


class WorstPlaceFirst(Greedy):
    """The right items, turned round."""

    def _choose(self, visit):
        return super()._choose(visit)[::-1]


class DrawsWithReplacement(EpsilonGreedy):
    """Random places do not look at what is there already."""

    def _choose(self, visit):
        shown = best(self.score(visit), self.k)
        random = self.rng.random(self.k) < self.epsilon
        return np.where(random, self.rng.integers(len(visit.news), size=self.k), shown)


class NeverExplores(EpsilonGreedy):
    """ε is kept and not used."""

    def _choose(self, visit):
        return best(self.score(visit), self.k)


class Overflows(Greedy):
    """A softmax without its largest exponent taken off."""

    def score(self, visit):
        with np.errstate(over="ignore", invalid="ignore"):
            weights = np.exp(5000 * super().score(visit))
            return weights / weights.sum()


class ClickIsMinusOne(Greedy):
    """Labels −1 and 1 read as passes and clicks the wrong way round."""

    def _learn(self, visit, shown, clicks):
        super()._learn(visit, shown, ~clicks)


class TheRestIsDisliked(Greedy):
    """What was offered and not shown is learnt as a pass."""

    def _learn(self, visit, shown, clicks):
        everything = np.arange(len(visit.news))
        full = np.zeros(len(everything), bool)
        full[shown[clicks]] = True
        super()._learn(visit, everything, full)


class LearnsFromItsOwnChoice(Greedy):
    """select counts as a click."""

    def _choose(self, visit):
        shown = super()._choose(visit)
        self.W += 0.01 * np.outer(visit.state, visit.news[shown].sum(axis=0))
        return shown


class StandardisesInPlace(Greedy):
    """The caller's news are centred, for good."""

    def _learn(self, visit, shown, clicks):
        super()._learn(visit, shown, clicks)
        news = visit.news
        news -= news.mean(axis=0)


class LearnsAtOnce(Greedy):
    """No clock: every answer moves the weights before the next list."""

    def _learn(self, visit, shown, clicks):
        self._waiting.append((visit.state, visit.news[shown], clicks))
        self.major_update()


class CountsFromTheLastStrike(Greedy):
    """The clock is set anew from the visit that struck it, one late each time."""

    def _learn(self, visit, shown, clicks):
        self._waiting.append((visit.state, visit.news[shown], clicks))
        if visit.time > self._major.next:
            self._major.next = visit.time + self._major.period
            self.major_update()


class TakesAnyOrder(Greedy):
    """The same log read twice counts twice."""

    def update(self, visit, shown, clicks):
        self._now = -np.inf
        super().update(visit, shown, clicks)


class OwnListsOnly(DBGD):
    """Answers to lists that it did not choose itself are thrown away."""

    def _learn(self, visit, shown, clicks):
        if self._judged and self._judged[0] is visit:
            super()._learn(visit, shown, clicks)


class TakesAnything(Greedy):
    """No look at what is handed in."""

    def update(self, visit, shown, clicks):
        self._learn(visit, np.asarray(shown) % len(visit.news), np.resize(clicks, len(shown)).astype(bool))


class GlobalNumbers(EpsilonGreedy):
    """Draws from Python's global generator; the one that was given stays unused."""

    def _choose(self, visit):
        order = best(self.score(visit), len(visit.news))
        if random.random() < self.epsilon:
            order = np.array(random.sample(order.tolist(), len(order)))
        return order[: self.k]


class SeedsTorch(DeepQ):
    """So that results can be repeated."""

    def __init__(self, n_state, n_news, k=5, major=24.0):
        torch.manual_seed(0)
        super().__init__(n_state, n_news, k, major=major)


class OneTableForAll(Greedy):
    """W is an attribute of the class."""

    table: dict = {}

    def __init__(self, n_state, n_news, k=5, lr=0.1, major=50.0):
        super().__init__(n_state, n_news, k, lr, major)
        self.W = OneTableForAll.table.setdefault((n_state, n_news), self.W)


class DeadEta(DBGD):
    """The step is taken in full, whatever η."""

    def _learn(self, visit, shown, clicks):
        kept, self.eta = self.eta, 1.0
        super()._learn(visit, shown, clicks)
        self.eta = kept


class DeadBeta(DRN):
    """Activeness is kept and never paid."""

    def _extra(self, visit):
        return 0.0


class OneReplayForAll(DeepQ):
    """double is kept and not looked at."""

    def targets(self, r, s_next, news_next):
        kept, self.double = self.double, True
        y = super().targets(r, s_next, news_next)
        self.double = kept
        return y


KILLED_BY = {
    LearnsTheOtherWay: "regret_is_well_below_that_of_random_lists",
    NeverLearns: "regret_is_well_below_that_of_random_lists",
    ForgetsEverything: "regret_is_well_below_that_of_random_lists",
    ShowsTheWorst: "lists_follow_the_scores",
    WorstPlaceFirst: "lists_follow_the_scores",
    NeverExplores: "lists_follow_the_scores",
    DrawsWithReplacement: "a_list_is_k_different_candidates",
    Overflows: "scores_are_finite_numbers_that_differ",
    ClickIsMinusOne: "clicks_raise_a_score_and_passes_lower_it",
    TheRestIsDisliked: "what_was_not_shown_is_no_answer",
    LearnsFromItsOwnChoice: "select_changes_nothing_that_is_learnt",
    StandardisesInPlace: "update_leaves_the_callers_arrays_alone",
    LearnsAtOnce: "weights_move_when_the_clock_strikes_and_not_between",
    CountsFromTheLastStrike: "weights_move_when_the_clock_strikes_and_not_between",
    TakesAnyOrder: "visits_come_in_order_and_once",
    OwnListsOnly: "answers_to_lists_of_others_teach_too",
    TakesAnything: "questions_that_cannot_be_are_refused",
    GlobalNumbers: "same_seed_same_lists",
    SeedsTorch: "nothing_is_seeded",
    OneTableForAll: "two_policies_share_nothing",
    DeadEta: "every_option_does_something",
    DeadBeta: "every_option_does_something",
    OneReplayForAll: "every_option_does_something",
}


@pytest.mark.parametrize("mutant", KILLED_BY, ids=lambda c: c.__name__)
def test_the_contract_kills(mutant):
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        CHECKS[KILLED_BY[mutant]](mutant)


def test_every_policy_check_kills_somebody():
    """A check that no bug fails is a check in name only."""
    assert set(KILLED_BY.values()) == set(CHECKS)
