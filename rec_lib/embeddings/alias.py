"""Alias sampling 别名采样: draw from any discrete law in constant time.

Cut the law into n columns of height 1/n. Each column holds at most two outcomes: its own, below the height `accept`,
and one other, its `alias`, above it. A draw picks a column and then one of its two outcomes: two random numbers, whatever n.

Sources: Walker, "An efficient method for generating discrete random variables with general distributions", ACM TOMS 1977;
Vose, IEEE TSE 1991 (this build, O(n)). Node2vec uses it for the steps of its walks, word2vec for its negatives.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rec_lib.embeddings.splitmix import below, uniform


@njit(cache=True)
def build_alias(weights: np.ndarray, accept: np.ndarray, alias: np.ndarray) -> None:
    """Fill `accept` (n,) in [0, 1] and `alias` (n,) for non-negative `weights` (n,), in O(n)."""
    n = len(weights)
    scale = n / weights.sum()
    small = np.empty(n, np.int64)  # columns that are not full yet
    large = np.empty(n, np.int64)  # columns that have something to give
    n_small, n_large = 0, 0
    for i in range(n):
        accept[i] = weights[i] * scale  # U_i = n p_i
        alias[i] = i
        if accept[i] < 1.0:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small > 0 and n_large > 0:
        s, g = small[n_small - 1], large[n_large - 1]
        alias[s] = g  # g fills what is missing in column s ...
        accept[g] -= 1.0 - accept[s]  # ... and has so much less to give
        n_small -= 1
        if accept[g] < 1.0:
            n_large -= 1
            small[n_small] = g
            n_small += 1
    # What is left differs from 1 by rounding only.
    for k in range(n_small):
        accept[small[k]] = 1.0
    for k in range(n_large):
        accept[large[k]] = 1.0


@njit(cache=True)
def draw_alias(accept: np.ndarray, alias: np.ndarray, start: int, n: int, state: np.ndarray) -> int:
    """One draw, in [0, n), from the table that lies in `accept[start:start+n]`, `alias[start:start+n]`."""
    i = below(state, n)
    if uniform(state) < accept[start + i]:
        return i
    return alias[start + i]


class AliasTable:
    """A discrete law prepared for draws in O(1).

    weights: (n,) non-negative, finite, with a positive sum; they need not add up to one.
    Attributes: `accept` (n,) float64, `alias` (n,) int32, `n`.
    Raises ValueError for an empty, two-dimensional, negative, non-finite or all-zero `weights`.
    """

    def __init__(self, weights: np.ndarray) -> None:
        weights = np.asarray(weights, np.float64)
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(f"weights has shape {weights.shape}; expected a non-empty vector (n,)")
        if not np.isfinite(weights).all() or (weights < 0).any() or weights.max() <= 0:
            raise ValueError(
                "weights must be finite, non-negative and have a positive sum; look for NaN, inf or negatives"
            )
        # Divided by their largest, so that neither their sum nor n / sum can overflow.
        weights = weights / weights.max()
        self.n = weights.size
        self.accept = np.empty(self.n, np.float64)
        self.alias = np.empty(self.n, np.int32)
        build_alias(weights, self.accept, self.alias)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Independent draws, (size,) int64 in [0, n)."""
        column = rng.integers(self.n, size=size)
        return np.where(rng.random(size) < self.accept[column], column, self.alias[column])

    def probabilities(self) -> np.ndarray:
        """The law that the table draws from, (n,): its own part of each column plus what others lent it."""
        lent = np.bincount(self.alias, weights=1.0 - self.accept, minlength=self.n)
        return (self.accept + lent) / self.n
