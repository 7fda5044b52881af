"""Probabilistic interleaving: one list from two rankings, that remembers who gave what.

Source  Hofmann, Whiteson, de Rijke, "A probabilistic method for inferring preferences from clicks", CIKM 2011; used by
        Zheng et al., "DRN", WWW 2018, section 4.5.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

STEEP = 3  # a rank's weight is 1/rank³, as in Hofmann et al.

Numbers = TypeVar("Numbers", np.ndarray, Tensor)


def rank_weights(ranks: Numbers) -> Numbers:
    """(…,) weights of ranks 1, 2, …: 1/rank³. Arrays and tensors alike."""
    return 1 / ranks**STEEP


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """(k,) positions of the highest scores (N,), best first; equal scores in the order of the candidates."""
    return np.argsort(-scores, kind="stable")[:k]


def interleave(
    first: np.ndarray, second: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fill k places from two rankings of the same candidates.

    For each place a fair coin chooses the ranking, and a candidate that is still free is drawn from it by its rank.

    first, second   (N,) candidates, best first
    returns         (k,) candidates, and (k,) True where the second ranking gave it
    """
    free = np.ones(len(first), dtype=bool)
    weights = rank_weights(np.arange(1.0, len(first) + 1))
    shown, by_second = np.empty(k, dtype=np.int64), np.empty(k, dtype=bool)
    for place in range(k):
        by_second[place] = rng.random() < 0.5
        ranking = second if by_second[place] else first
        chance = np.where(free[ranking], weights, 0.0).cumsum()
        at = int(np.searchsorted(chance, rng.random() * chance[-1], side="right"))
        shown[place] = ranking[at]
        free[ranking[at]] = False
    return shown, by_second


def first_place(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) how likely each candidate is to be put at the top by :func:`interleave`."""
    weights = rank_weights(np.arange(1.0, len(first) + 1))
    chance = np.empty(len(first))
    chance[first] = weights
    chance[second] = chance[second] + weights if len(first) else 0.0
    return chance / (2 * weights.sum())
