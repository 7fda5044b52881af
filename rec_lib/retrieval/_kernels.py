"""Compiled inner loops that the indexes share: a squared distance and a short sorted list of the best k."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def squared_distance(a: np.ndarray, b: np.ndarray) -> float:
    """||a - b||² of two (d,) vectors. The terms are added in an order that fills a SIMD register."""
    total = a.dtype.type(0)
    for j in range(a.shape[0]):
        difference = a[j] - b[j]
        total += difference * difference
    return total


@njit(cache=True)
def offer(ids: np.ndarray, d2: np.ndarray, row: int, value: float) -> None:
    """Insert (value, row) into the sorted lists `d2 (k,)`, `ids (k,)` if it is among the best k.

    Ties go to the lower id. Empty places hold (inf, -1). With k around 10 a sorted list beats a heap.
    """
    last = d2.shape[0] - 1
    if value > d2[last] or (value == d2[last] and row > ids[last]):
        return
    place = last
    while place > 0 and (d2[place - 1] > value or (d2[place - 1] == value and ids[place - 1] > row)):
        d2[place] = d2[place - 1]
        ids[place] = ids[place - 1]
        place -= 1
    d2[place] = value
    ids[place] = row
