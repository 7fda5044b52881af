"""Rows of unequal length as rectangular blocks, for code that works on many rows at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix


def padded_rows(matrix: csr_matrix, places: int = 1 << 16) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The rows of a sparse matrix that have entries, in blocks of similar length.

    Yields (rows (b,), columns (b, T) int64, values (b, T)): row rows[i] has its columns and values at the left, columns 0
    and values 0 after them. T is the longest of the block; b·T is at most `places`, or b is 1.
    """
    length = np.diff(matrix.indptr)
    order = np.argsort(length, kind="stable")
    order = order[length[order] > 0]
    end = len(order)
    while end:  # from the longest row down
        T = int(length[order[end - 1]])
        start = max(0, end - max(1, places // T))
        rows = order[start:end]
        at = matrix.indptr[rows][:, None] + np.arange(T)  # (b, T)
        real = np.arange(T) < length[rows][:, None]
        at = np.where(real, at, 0)
        yield rows, np.where(real, matrix.indices[at], 0).astype(np.int64), np.where(real, matrix.data[at], 0)
        end = start
