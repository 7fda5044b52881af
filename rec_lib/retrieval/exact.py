"""Exact search: measure every distance. The yardstick of section 4.6, O(n·d) a query.

Source   Wang Zhe, section 4.5.3 and 4.6.1: what recall by embedding costs without an index
Idea     ||x - q||² = ||x||² - 2 x·q + ||q||²: one matrix product does nearly all the work
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numba import njit

from rec_lib.retrieval._kernels import offer, squared_distance
from rec_lib.retrieval.base import checked_count, checked_queries, checked_vectors

BLOCK = 1 << 22  # scores held at once: 16 MB in float32


class ExactIndex:
    """All distances, then the k smallest. Never wrong: rounding of the matrix product is repaired (see `_best`)."""

    def __init__(self) -> None:
        self.vectors: np.ndarray | None = None  # (n, d)
        self.examined = np.zeros(0, np.int64)

    def build(self, vectors: Any) -> Self:
        """Store `vectors (n, d)`. Nothing else to prepare but their squared lengths."""
        self.vectors = checked_vectors(vectors)
        self.norms = np.einsum("nd,nd->n", self.vectors, self.vectors)  # (n,)
        return self

    def query(self, queries: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of all n: ids (m, k), distances (m, k); -1 and inf where k > n."""
        q, vectors = checked_queries(queries, self.vectors)
        k = checked_count(k, "k")
        n, d = vectors.shape
        ids = np.full((len(q), k), -1, np.int64)
        d2 = np.full((len(q), k), np.inf, q.dtype)
        step = max(1, BLOCK // max(n, 1))
        # error of a float dot product of length d is below d·eps·|x||q|; both sides of a comparison may be off
        reach = self.norms.max(initial=0.0) + np.einsum("md,md->m", q, q)
        slack = (4 * (d + 2) * np.finfo(q.dtype).eps * reach).astype(q.dtype)
        for start in range(0, len(q), step):
            part = slice(start, start + step)
            scores = self.norms - 2 * (q[part] @ vectors.T)  # (b, n): ||x||² - 2 x·q
            _best(scores, slack[part], vectors, q[part], ids[part], d2[part])
        self.examined = np.full(len(q), n, np.int64)
        return ids, np.sqrt(d2)


@njit(cache=True)
def _best(
    scores: np.ndarray, slack: np.ndarray, vectors: np.ndarray, q: np.ndarray, ids: np.ndarray, d2: np.ndarray
) -> None:
    """Fill `ids`, `d2` (b, k): rows whose rounded score could be among the k smallest are measured again, directly.

    The expanded square loses digits where ||x - q|| is far below ||x||: two identical vectors can come out apart.
    """
    k = ids.shape[1]
    for i in range(scores.shape[0]):
        low = np.full(k, np.inf, scores.dtype)
        rows = np.full(k, -1, np.int64)
        for row in range(scores.shape[1]):
            if scores[i, row] < low[k - 1]:
                offer(rows, low, row, scores[i, row])
        bound = low[k - 1] + slack[i]
        for row in range(scores.shape[1]):
            if scores[i, row] <= bound:
                offer(ids[i], d2[i], row, squared_distance(vectors[row], q[i]))
