"""Bugs of real recommenders, re-created: the contract must kill each of them, and by the check named here."""

import json

import numpy as np
import pytest
from contract.topn_checks import CHECKS
from scipy.sparse import csr_matrix

from rec_lib.models import EASE, ItemCF, NeuralCF, Popularity, TopN, UserCF


class RecommendsWhatWasSeen(ItemCF):
    """exclude_seen is taken and never looked at."""

    def recommend(self, users, k, exclude_seen=True):
        return super().recommend(users, k, exclude_seen=False)


class HidesWhatWasSeenForGood(ItemCF):
    """The mask of seen items is written into the scores that the model keeps using: exclude_seen=False has no effect."""

    def recommend(self, users, k, exclude_seen=True):
        return super().recommend(users, k, exclude_seen=True)


class Transposed(UserCF):
    """Users and items are mixed up where the neighbours are looked for."""

    def _fit(self, seen):
        square = seen.T.tocsr()
        square.resize(max(seen.shape), max(seen.shape))
        self._fit_rows(square)
        self.W.resize(seen.shape[0], seen.shape[0])


class VotesOfTheOthers(UserCF):
    """A distance where a similarity is meant: those who have least in common vote."""

    def _fit(self, seen):
        super()._fit(seen)
        self.W = csr_matrix(1.0 - self.W.toarray())


class NaNFromAZeroNorm(UserCF):
    """0/0 where a user has no neighbour."""

    def _score(self, users):
        W = self.W[users]
        with np.errstate(invalid="ignore"):
            return (W @ self.seen).toarray() / np.asarray(W.sum(axis=1))

    def knows(self, users):
        return TopN.knows(self, users)


class ScaledByTheBatch(ItemCF):
    """Scores are scaled to [0, 1] over all users of the call."""

    def _score(self, users):
        scores = super()._score(users)
        return scores / scores.max()


class CrashesOnStrangers(ItemCF):
    """No fallback: an id without a row is an IndexError."""

    def knows(self, users):
        return np.ones(len(users), dtype=bool)


class StrangersGetZeros(ItemCF):
    """Everything ties at 0 for somebody unknown; the scores do not say that the list is the popular one."""

    def score(self, users):
        scores = super().score(users)
        scores[~self.knows(users)] = 0
        return scores


class ClaimsToKnowEverybody(Popularity):
    """The fallback works and is not said."""

    def knows(self, users):
        return np.ones(len(np.asarray(users)), dtype=bool)

    def score(self, users):
        return np.broadcast_to(self.popularity, (len(users), len(self.popularity))).copy()


class PopularityCountsStars(ItemCF):
    """What is popular is the sum of the entries over all users, not the share of the users who took it."""

    def fit(self, interactions):
        super().fit(interactions)
        self.popularity = self.popularity / self.seen.shape[0]
        return self


class NewItemsFirst(Popularity):
    """An item that nobody took gets the largest score: new items flood every list."""

    def score(self, users):
        scores = super().score(users)
        scores[:, self.popularity == 0] = 2
        return scores


class RecommendsPadding(ItemCF):
    """Ids 0 and 1 are columns like any other."""

    def recommend(self, users, k, exclude_seen=True):
        scores = self.score(users)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(scores, order, axis=1)


class AscendingOrder(ItemCF):
    """argsort without the minus: the list starts with its worst item."""

    def recommend(self, users, k, exclude_seen=True):
        items, scores = super().recommend(users, k, exclude_seen)
        return items[:, ::-1], scores[:, ::-1]


class RepeatsToFillUp(ItemCF):
    """A short list is filled up by repeating its first item."""

    def recommend(self, users, k, exclude_seen=True):
        items, scores = super().recommend(users, k, exclude_seen)
        return np.where(items < 0, items[:, :1], items), np.where(items < 0, scores[:, :1], scores)


class SavesHalf(ItemCF):
    """Similarities are saved in half precision."""

    def _arrays(self):
        return super()._arrays() | {"data": self.W.data.astype(np.float16).astype(np.float64)}


class LoadsAnything(Popularity):
    """The class and the settings of a file are not looked at."""

    def load(self, path):
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        arrays["model"] = np.array(type(self).__name__)
        arrays["settings"] = np.array(json.dumps(self.settings()))
        np.savez(path, **arrays)
        return super().load(path)


class LearnsTheTestItems(ItemCF):
    """fit reads the held-out items too: the leak that makes a table of results look good."""

    def fit(self, interactions):
        if hasattr(interactions, "held_out"):
            train = interactions.train.tolil()
            train[interactions.users, interactions.held_out] = 1
            interactions = train.tocsr()
        return super().fit(interactions)


class RemembersTheFirstFit(ItemCF):
    """Similarities are computed once and kept when the data changes."""

    def _fit(self, seen):
        if not hasattr(self, "W"):
            super()._fit(seen)


class KeepsTheCallersMatrix(ItemCF):
    """No copy: what the caller does to its matrix later changes the recommendations."""

    def fit(self, interactions):
        super().fit(interactions)
        self.seen = getattr(interactions, "train", interactions)
        return self


class CountsStoredZeros(Popularity):
    """A stored 0 counts as an interaction."""

    def fit(self, interactions):
        super().fit(interactions)
        matrix = getattr(interactions, "train", interactions)
        self.popularity = np.bincount(matrix.indices, minlength=matrix.shape[1]) / max(1, matrix.shape[0])
        return self


class DividesByNoUsers(Popularity):
    """A share of 0 users."""

    def fit(self, interactions):
        super().fit(interactions)
        with np.errstate(invalid="ignore"):
            self.popularity = (
                np.bincount(self.seen.indices, minlength=self.seen.shape[1])
                / np.diff(self.seen.indptr).astype(bool).sum()
            )
        return self


class NeedsTwo(ItemCF):
    """Standardises the scores of a user: one interaction has no spread."""

    def _score(self, users):
        scores = super()._score(users)
        with np.errstate(invalid="ignore"):
            return (scores - scores.mean(1, keepdims=True)) / scores.std(1, keepdims=True)

    def knows(self, users):
        return TopN.knows(self, users)


class DividesByTheSpread(ItemCF):
    """Divides by the standard deviation of the ratings, which is 0 where everybody gives the same stars."""

    def _score(self, users):
        with np.errstate(divide="ignore", invalid="ignore"):
            return super()._score(users) / self.seen.data.std()


class TakesAnyId(ItemCF):
    """Negative ids are not refused: numpy counts them from the end, and a stranger gets somebody else's list."""

    def _users(self, users):
        self._fitted()
        return np.asarray(users, dtype=np.int64).ravel() % self.seen.shape[0]


class OneCacheForAll(ItemCF):
    """The similarities are an attribute of the class."""

    shared: dict = {}

    def _fit(self, seen):
        super()._fit(seen)
        OneCacheForAll.shared["W"] = self.W

    def _score(self, users):
        return (self.seen[users] @ OneCacheForAll.shared["W"]).toarray()


class DeadShrinkage(ItemCF):
    """An option that is stored and never used."""

    def _fit(self, seen):
        kept, self.shrinkage = self.shrinkage, 0.0
        super()._fit(seen)
        self.shrinkage = kept


class MinusForgotten(EASE):
    """B_ij = P_ij / P_jj: items that go together count against each other."""

    def _fit(self, seen):
        super()._fit(seen)
        self.B = -self.B


class DrawsFromTheGlobalGenerator(NeuralCF):
    """Weights come from whatever torch's generator happens to be at: two fits of one matrix differ."""

    def _fit(self, seen):
        self.net = self._trained(self._rows(seen), *seen.shape)


class SavesOneTower(NeuralCF):
    """What is saved lacks the output weights."""

    def _arrays(self):
        return super()._arrays() | {"h": np.zeros_like(self.net.h.detach().numpy())}


class DeadAlpha(NeuralCF):
    """The share of the towers is stored and the start is always half and half."""

    def _trained(self, rows, users, items):
        kept, self.alpha = self.alpha, 0.5
        net = super()._trained(rows, users, items)
        self.alpha = kept
        return net


KILLED_BY = {
    MinusForgotten: "finds_the_checkerboard",
    DrawsFromTheGlobalGenerator: "fit_reads_the_training_pairs_alone",
    SavesOneTower: "a_saved_model_comes_back",
    DeadAlpha: "every_option_does_something",
    Transposed: "finds_the_checkerboard",
    VotesOfTheOthers: "finds_the_checkerboard",
    NaNFromAZeroNorm: "one_interaction_is_enough",
    CrashesOnStrangers: "scores_are_a_finite_number_for_every_user_and_item",
    AscendingOrder: "lists_hold_the_best_scores_in_order",
    RecommendsWhatWasSeen: "seen_items_are_left_out_unless_asked_for",
    HidesWhatWasSeenForGood: "seen_items_are_left_out_unless_asked_for",
    RepeatsToFillUp: "short_lists_end_in_minus_one",
    StrangersGetZeros: "strangers_get_what_is_popular_and_are_named",
    ClaimsToKnowEverybody: "strangers_get_what_is_popular_and_are_named",
    PopularityCountsStars: "strangers_get_what_is_popular_and_are_named",
    NewItemsFirst: "an_item_that_nobody_took_comes_last_and_is_named",
    RecommendsPadding: "reserved_ids_are_never_recommended",
    ScaledByTheBatch: "a_user_alone_gets_what_it_gets_in_a_batch",
    SavesHalf: "a_saved_model_comes_back",
    LoadsAnything: "a_bad_file_is_refused_and_changes_nothing",
    LearnsTheTestItems: "fit_reads_the_training_pairs_alone",
    RemembersTheFirstFit: "a_second_fit_forgets_the_first",
    KeepsTheCallersMatrix: "the_callers_matrix_is_copied",
    CountsStoredZeros: "entries_may_come_in_any_order",
    DividesByNoUsers: "an_empty_matrix_gives_popular_lists_of_nothing",
    NeedsTwo: "one_interaction_is_enough",
    DividesByTheSpread: "stars_of_one_value_give_finite_lists",
    TakesAnyId: "questions_that_cannot_be_are_refused",
    OneCacheForAll: "two_models_share_nothing",
    DeadShrinkage: "every_option_does_something",
}


@pytest.mark.parametrize("mutant", KILLED_BY, ids=lambda c: c.__name__)
def test_the_contract_kills(mutant):
    with pytest.raises((AssertionError, RuntimeError, FloatingPointError, IndexError, pytest.fail.Exception)):
        CHECKS[KILLED_BY[mutant]](mutant)


def test_every_topn_check_kills_somebody():
    """A check that no bug fails is a check in name only."""
    assert set(KILLED_BY.values()) == set(CHECKS)
