"""The largest inner product as a nearest neighbour: one more coordinate makes all stored vectors equally long.

Source   Bachrach et al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
         Spaces", RecSys 2014; Neyshabur and Srebro, ICML 2015, arXiv:1410.5518
Section  4.5.3 深度学习网络与Embedding召回
Idea     ṽ = [v − μ; √(M² − ‖v − μ‖²)], q̃ = [s q; 0]:  ‖ṽ − q̃‖² = M² + s²‖q‖² − 2s q·(v − μ), so near means a large q·v
Symbols  n vectors · d their size · μ their mean · M the longest ‖v − μ‖ · s scale of a query
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from rec_lib.retrieval.base import Index, checked_queries, checked_vectors


class InnerProductIndex:
    """Any index of distances, asked for the largest inner products. Vectors in float64 inside, so that M² − ‖v‖² is exact.

    The mean is taken off first: it adds q·μ to every product of a query and changes no order, and the shorter the vectors,
    the more the distances differ. Queries are scaled to the length M, which changes no order: a query far shorter or longer than the vectors would have
    nearly equal distances to all of them, and a hash of a given width would not tell them apart.

    index  built on the longer vectors, size d + 1: an `ExactIndex`, `KDTree` or `LSH`
    """

    def __init__(self, index: Index):
        self.index = index
        self.vectors: np.ndarray | None = None  # (n, d)
        self.examined = np.zeros(0, np.int64)  # (m,) vectors measured by the last query

    def build(self, vectors: Any) -> Self:
        """Store `vectors (n, d)`. Raises as `checked_vectors` does: NaN, infinite, no columns, no numbers."""
        self.vectors = checked_vectors(vectors, dtype=np.dtype(np.float64))
        self.mean = self.vectors.mean(axis=0) if len(self.vectors) else np.zeros(self.vectors.shape[1])  # μ
        self.longest = float(np.linalg.norm(self.vectors - self.mean, axis=1).max(initial=0.0))  # M
        self.index.build(self.longer(self.vectors))
        return self

    def longer(self, vectors: np.ndarray) -> np.ndarray:
        """[v − μ; √(M² − ‖v − μ‖²)] of each row: (n, d + 1), all of length M."""
        short = vectors - self.mean
        rest = self.longest**2 - np.einsum("nd,nd->n", short, short)
        return np.concatenate([short, np.sqrt(np.maximum(rest, 0.0))[:, None]], axis=1)  # rounding can go below 0

    def query(self, queries: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k largest inner products with `queries (m, d)` or `(d,)`: ids (m, k), products (m, k), largest first.

        Where the index finds fewer than k: id −1 and product −inf. A query of zeros has the product 0 with everything;
        it gets whatever lies nearest to the origin, which says nothing. Raises as `checked_queries` does.
        """
        q, vectors = checked_queries(queries, self.vectors)
        length = np.linalg.norm(q, axis=1, keepdims=True)  # (m, 1)
        scaled = q * np.divide(self.longest, length, out=np.zeros_like(length), where=length > 0)
        ids, _ = self.index.query(np.concatenate([scaled, np.zeros((len(q), 1))], axis=1), k)
        self.examined = self.index.examined
        products = np.einsum("md,mkd->mk", q, vectors[np.maximum(ids, 0)]) if len(vectors) else np.zeros(ids.shape)
        return ids, np.where(ids >= 0, products, -np.inf)
