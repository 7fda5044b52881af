"""Who has seen what: a sparse user × item matrix, the film held out for each user, and films that were never seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.schema import FIRST


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Training pairs as a matrix, and a test set of one held-out item a user.

    Rows and columns are encoded ids: row u of `train` is user u, column i is item i; the rows and columns of PAD and
    OOV are empty. U users have a held-out item.

    train      (users, items) CSR of float32 ones; indices sorted
    users      (U,) int64, ascending
    held_out   (U,) int64, the last item of each user
    negatives  (U, n) int64, distinct items that the user has neither in training nor held out
    """

    train: csr_matrix
    users: np.ndarray
    held_out: np.ndarray
    negatives: np.ndarray

    def __repr__(self) -> str:
        n_test, n_negatives = self.negatives.shape
        return f"Interactions({self.train.nnz:,} training pairs; {n_test:,} users tested, {n_negatives} negatives each)"

    def candidates(self) -> np.ndarray:
        """(U, 1 + n) items to rank in the sampled protocol: the held-out one first, then its negatives."""
        return np.concatenate([self.held_out[:, None], self.negatives], axis=1)

    def rankable(self, users: np.ndarray) -> np.ndarray:
        """(len(users), items) bool: what the full ranking ranks, every real item that the user has not in training."""
        allowed = np.ones((len(users), self.train.shape[1]), dtype=bool)
        allowed[:, :FIRST] = False
        rows = self.train[users]
        allowed[np.repeat(np.arange(len(users)), np.diff(rows.indptr)), rows.indices] = False
        return allowed

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Users and items of all training pairs, both (pairs,) int64, by user, then item."""
        users = np.repeat(np.arange(self.train.shape[0], dtype=np.int64), np.diff(self.train.indptr))
        return users, self.train.indices.astype(np.int64)

    def sample(self, users: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
        """(len(users), k) int64 items, uniform among those that the user has not in training; an item may come twice.

        The held-out item can be drawn: whoever trains must not know it. Raises ValueError for a user who has all items.
        """
        n_items = self.train.shape[1]
        full = np.diff(self.train.indptr)[users] >= n_items - FIRST
        if full.any():
            raise ValueError(f"user {users[int(np.argmax(full))]} has every item in training; nothing is left to draw.")
        train_users, train_items = self.pairs()
        keys = np.append(
            train_users * n_items + train_items, np.iinfo(np.int64).max
        )  # ascending, as rows and indices are
        drawn = np.empty((len(users), k), dtype=np.int64)
        todo = np.ones(drawn.shape, dtype=bool)
        owner = np.broadcast_to(np.asarray(users, dtype=np.int64)[:, None], drawn.shape)
        while todo.any():  # each round redraws what was seen: a few percent of the round before
            drawn[todo] = rng.integers(FIRST, n_items, size=int(todo.sum()))
            wanted = owner[todo] * n_items + drawn[todo]
            todo[todo] = keys[np.searchsorted(keys, wanted)] == wanted  # the last key is above all: a place to stop
        return drawn


def leave_one_out(
    users: np.ndarray, items: np.ndarray, shape: tuple[int, int], negatives: int, rng: np.random.Generator
) -> Interactions:
    """Interactions from a log in the order of time: the last item of each user with two or more is held out.

    users, items  (N,) int64 encoded ids, each pair once    shape  (user ids, item ids), PAD and OOV included

    Raises ValueError where a user has too few unseen items for `negatives` distinct ones.
    """
    last = len(users) - 1 - np.unique(users[::-1], return_index=True)[1]
    last = last[np.bincount(users, minlength=shape[0])[users[last]] > 1]
    kept = np.ones(len(users), dtype=bool)
    kept[last] = False
    train = csr_matrix((np.ones(kept.sum(), dtype=np.float32), (users[kept], items[kept])), shape=shape)
    train.sum_duplicates()
    train.sort_indices()
    everything = csr_matrix((np.ones(len(users), dtype=np.float32), (users, items)), shape=shape)
    return Interactions(train, users[last], items[last], _never_seen(everything, users[last], negatives, rng))


def _never_seen(everything: csr_matrix, users: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(len(users), n) distinct items outside each user's row, by the n smallest of one random key an item."""
    free = everything.shape[1] - FIRST - np.diff(everything.indptr)[users]
    if len(users) and free.min() < n:
        raise ValueError(
            f"user {users[int(np.argmin(free))]} has {free.min()} unseen items, {n} negatives were asked for. "
            "Ask for fewer."
        )
    blocks = [np.empty((0, n), dtype=np.int64)]
    for start in range(0, len(users), 512):  # a block of keys at a time keeps the memory small
        rows = everything[users[start : start + 512]]
        keys = rng.random((rows.shape[0], everything.shape[1]))
        keys[:, :FIRST] = 2.0
        keys[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices] = 2.0
        smallest = np.argpartition(keys, n - 1, axis=1)[:, :n] if n else np.empty((rows.shape[0], 0), dtype=np.int64)
        blocks.append(np.take_along_axis(smallest, np.take_along_axis(keys, smallest, 1).argsort(1), 1))
    return np.concatenate(blocks)
