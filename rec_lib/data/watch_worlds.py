"""Planted worlds of watches in time: one in which two tastes together decide what comes next, one in which fashion moves.

The law of every test user's next watch is known, so the best possible score is too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import softmax

from rec_lib.schema import FIRST


@dataclass(frozen=True, eq=False, repr=False)
class WatchWorld:
    """Watches up to now, and the law of the next one.

    train (users, items) CSR of ones; times the same with the moment of each watch; test (U,) ids of users; p (U, items)
    probability that each item is what a test user watches next; choices (U, items) bool, what is ranked for each; born
    (items,) when an item came, where that matters.
    """

    train: csr_matrix
    times: csr_matrix
    test: np.ndarray
    p: np.ndarray
    choices: np.ndarray
    born: np.ndarray

    def __repr__(self) -> str:
        return f"WatchWorld({self.train.nnz:,} watches of {self.train.shape[1] - FIRST} items; {len(self.test)} test users)"

    def hit_rate(self, scores: np.ndarray, k: int = 10) -> float:
        """Probability that the next watch is among the k choices of the largest `scores (U, items)`; the law's own is the best."""
        best = np.argsort(-np.where(self.choices, scores, -np.inf), axis=1, kind="stable")[:, :k]
        return float(np.take_along_axis(self.p, best, axis=1).sum(axis=1).mean())

    def shares(self, scores: np.ndarray) -> np.ndarray:
        """(U, items) softmax of the scores over the choices: the probabilities that a model gives."""
        share: np.ndarray = softmax(np.where(self.choices, scores, -np.inf), axis=1)
        return share


SIDE, WATCHED = 20, 5  # items a group, watches of a group


def two_tastes(seed: int, users: int = 800, sure: float = 0.95) -> WatchWorld:
    """Groups A, B, C, D, X, Y of 20 items. A user watches 5 of A or of B and 5 of C or of D, mixed, and then one of X or Y.

        It is X after A with C or B with D, Y after A with D or B with C, with probability `sure`. Neither taste alone says
        anything of the next watch, and no sum over the watched items does: two sums that must be large and two that must be
    small have the same total. Every second user has watched it; the others are the test, and X and Y the choices.
    """
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 2, (2, users))
    names = np.arange(6 * SIDE).reshape(6, SIDE) + FIRST
    right = 4 + (first != second)  # X where both are 0 or both are 1
    shape = (FIRST + users, FIRST + 6 * SIDE)
    log = []  # (user, item, time)
    p = np.zeros((users, shape[1]))
    for u in range(users):
        watched = np.concatenate([rng.permutation(names[g])[:WATCHED] for g in (first[u], 2 + second[u])])
        log += [(FIRST + u, item, step) for step, item in enumerate(rng.permutation(watched))]
        p[u, names[right[u]]], p[u, names[9 - right[u]]] = sure / SIDE, (1 - sure) / SIDE
        if u % 2:
            log.append((FIRST + u, int(rng.choice(shape[1], p=p[u])), 2 * WATCHED))
    rows, columns, when = np.array(log).T
    test = np.arange(0, users, 2)
    train, times = _matrices(rows, columns, when, shape)
    return WatchWorld(train, times, test + FIRST, p[test], p[test] > 0, np.zeros(shape[1]))


FADE = 0.15  # of the whole time


def fashion(seed: int, users: int = 800, items: int = 300, watches: int = 12) -> WatchWorld:
    """Items come at moments from −1/2 to 1 and fade: weight q_i e^(−(t − born_i)/0.15) from then on, q log-normal.

    Every item is of one of two kinds; users, of two kinds too, watch the other kind a fifth as often. They watch at random
    moments from 0 to 1, nothing twice; the test is what each would watch at moment 1, among what it has not watched.
    """
    rng = np.random.default_rng(seed)
    born = rng.uniform(-0.5, 1, items)
    weight = rng.lognormal(0, 0.5, items)
    kind, taste = rng.integers(0, 2, items), rng.integers(0, 2, users)
    likes = np.where(taste[:, None] == kind, 1.0, 0.2) * weight  # (users, items)

    def law(user: int, t: float, free: np.ndarray) -> np.ndarray:
        now = likes[user] * np.where(born <= t, np.exp(-(t - np.minimum(born, t)) / FADE), 0.0) * free
        share: np.ndarray = now / now.sum()
        return share

    log, p = [], np.zeros((FIRST + users, FIRST + items))
    for u in range(users):
        free = np.ones(items)
        for t in np.sort(rng.random(watches)):
            item = int(rng.choice(items, p=law(u, t, free)))
            free[item] = 0
            log.append((FIRST + u, FIRST + item, t))
        p[FIRST + u, FIRST:] = law(u, 1.0, free)
    rows, columns, when = np.array(log).T
    train, times = _matrices(rows.astype(int), columns.astype(int), when, p.shape)
    choices = train.toarray()[FIRST:] == 0
    choices[:, :FIRST] = False
    return WatchWorld(train, times, np.arange(users) + FIRST, p[FIRST:], choices, np.append(np.zeros(FIRST), born))


def _matrices(users: np.ndarray, items: np.ndarray, when: np.ndarray, shape: tuple[int, int]) -> tuple[csr_matrix, csr_matrix]:  # fmt: skip
    train = csr_matrix((np.ones(len(users), dtype=np.float32), (users, items)), shape=shape)
    times = csr_matrix((when.astype(float), (users, items)), shape=shape)
    train.sort_indices()
    times.sort_indices()
    return train, times
