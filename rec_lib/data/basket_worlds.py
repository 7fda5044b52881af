"""A planted world of baskets: a few items are in nearly every basket, and what a user takes beside them goes by kind.

    P(i | u) ∝ w_i · e^{a · [kind of i = taste of u]},   w_i ∝ 1 / rank_i^z

The law is known, so that the best possible score is, and what any training should converge to. Some items are new: they
have a kind and a weight, and nobody has taken them yet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.schema import FIRST


@dataclass(frozen=True, eq=False, repr=False)
class BasketWorld:
    """Baskets, and the law that filled them.

    train   (users, items) CSR of ones; test (U,) ids of the users
    p       (U, items) probability that an item is what a test user takes next, among all that are not new
    p_new   (U, items) the same among the new items
    choices (U, items) bool, what is ranked: items that are not new and not in the user's basket
    kinds   (items, K) ones and zeros, the kind of each item, the features of an item tower
    weight  (items,) w; new (items,) bool
    """

    train: csr_matrix
    test: np.ndarray
    p: np.ndarray
    p_new: np.ndarray
    choices: np.ndarray
    kinds: np.ndarray
    weight: np.ndarray
    new: np.ndarray

    def __repr__(self) -> str:
        return f"BasketWorld({self.train.nnz:,} items in {len(self.test)} baskets; {int(self.new.sum())} items are new)"

    def hit_rate(self, scores: np.ndarray, k: int = 10) -> float:
        """Probability that the next item is among the k choices of the largest `scores (U, items)`; the law's own is the best."""
        return _caught(self.p, np.where(self.choices, scores, -np.inf), k)

    def new_hit_rate(self, scores: np.ndarray, k: int = 3) -> float:
        """The same for a user who takes one of the new items."""
        return _caught(self.p_new, np.where(self.new, scores, -np.inf), k)

    def slope(self, scores: np.ndarray, q: np.ndarray) -> float:
        """How much a score falls short of log P for each unit of log Q: the slope of (score − log P) on log q (items,).

        Over all choices, each user's own mean taken off. 0: popularity counts in full. −1: it was subtracted once.
        """
        real = self.choices & (self.p > 0) & (q > 0)
        count = real.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            short, log_q = scores - np.log(self.p), np.broadcast_to(np.log(q), scores.shape)
        short, log_q = (
            np.where(real, x - np.where(real, x, 0).sum(axis=1, keepdims=True) / count, 0) for x in (short, log_q)
        )
        return float((short * log_q).sum() / (log_q**2).sum())


def _caught(p: np.ndarray, scores: np.ndarray, k: int) -> float:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(p, best, axis=1).sum(axis=1).mean())


def kinds_and_hits(
    seed: int, users: int = 800, items: int = 200, kinds: int = 5, taken: int = 12, pull: float = 2.0, skew: float = 1.0, new: float = 0.1
) -> BasketWorld:  # fmt: skip
    """`users` baskets of `taken` different items out of `items`, of `kinds` kinds; a share `new` of the items is in none.

    pull: a; skew: z, 0 for items that are all alike. Raises ValueError for sizes that cannot be.
    """
    old = items - round(new * items)
    if min(users, kinds, taken) < 1 or not 0 <= new < 1 or old < 2 * taken or not np.isfinite([pull, skew]).all():
        raise ValueError(
            f"got {users=}, {items=}, {kinds=}, {taken=}, {pull=}, {skew=}, {new=}; expected sizes of 1 or more and twice as many "
            "items that are not new as a basket holds."
        )
    rng = np.random.default_rng(seed)
    weight = 1 / (1 + rng.permutation(items)) ** skew
    kind, taste = rng.integers(0, kinds, items), rng.integers(0, kinds, users)
    is_new = np.zeros(items, dtype=bool)
    is_new[rng.choice(items, items - old, replace=False)] = True
    wanted = weight * np.exp(pull * (taste[:, None] == kind))  # (users, items)
    # The largest of log wanted + Gumbel noise are draws without replacement in proportion to `wanted`.
    keys = np.where(is_new, -np.inf, np.log(wanted) + rng.gumbel(size=wanted.shape))
    basket = np.argsort(-keys, axis=1)[:, :taken]
    shape = (FIRST + users, FIRST + items)
    rows, columns = np.repeat(np.arange(users), taken) + FIRST, basket.ravel() + FIRST
    train = csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    train.sort_indices()
    free = np.ones(wanted.shape, dtype=bool)
    np.put_along_axis(free, basket, False, axis=1)

    def law(among: np.ndarray) -> np.ndarray:
        full = np.zeros((users, shape[1]))
        inside = np.where(among, wanted, 0)
        full[:, FIRST:] = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1e-300)
        return full

    choices = np.zeros((users, shape[1]), dtype=bool)
    choices[:, FIRST:] = free & ~is_new
    features = np.zeros((shape[1], kinds))
    features[FIRST + np.arange(items), kind] = 1
    pad = np.zeros(FIRST)
    return BasketWorld(
        train,
        np.arange(users) + FIRST,
        law(free & ~is_new),
        law(np.broadcast_to(is_new, wanted.shape)),
        choices,
        features,
        np.append(pad, weight),
        np.append(pad.astype(bool), is_new),
    )


def baskets_of(train: csr_matrix) -> tuple[np.ndarray, np.ndarray, int]:
    """The rows of a matrix as the parts of a `Corpus`: tokens, offsets, size. Ids stay as they are."""
    return train.indices.astype(np.int32), train.indptr.astype(np.int64), train.shape[1]
