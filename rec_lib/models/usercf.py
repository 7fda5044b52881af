"""UserCF: people like you liked it.

Paper    Resnick et al., "GroupLens", CSCW 1994 (correlation, weighted deviations); the idea: Goldberg et al., CACM 1992
Section  2.2.1 什么是协同过滤, 2.2.2 用户相似度计算, 2.2.3 最终结果的排序
Idea     R̂_up = Σ_{s∈S} w_us R_sp / Σ_{s∈S} w_us,  S the k users most similar to u, w_us their similarity
Differs  a score counts what a neighbour did not take as 0, so that it ranks by agreement; `predict` takes the mean over those who rated p, around each one's own mean if asked; neighbours of negative similarity are not used
Symbols  u user · s neighbour · p item · S the k neighbours · R (users, items) · W (users, users) kept similarities
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.models.neighbours import NeighbourCF, weighted_votes


class UserCF(NeighbourCF):
    """Weighted votes of the k most similar users. `NeighbourCF` says what the settings mean."""

    SIMILARITIES: ClassVar[dict[str, str]] = {
        "cosine": "cosine",
        "pearson": "pearson",
        "item_mean": "columns",
        "jaccard": "jaccard",
    }

    def _fit(self, seen: csr_matrix) -> None:
        self._fit_rows(seen)

    def _score(self, users: np.ndarray) -> np.ndarray:
        W = self.W[users]  # (U, users)
        return weighted_votes(W, self.seen)  # (U, items)  R̂_up = Σ_s w_us R_sp / Σ_s w_us

    def _reached(self) -> np.ndarray:
        return np.diff(self.W.indptr) > 0

    def _reasons(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Neighbours s who have the item: w_us R_sp / Σ w_us."""
        w = self.W[[user]]
        amounts = w.multiply(self.seen[:, [item]].T).tocsr() / w.sum()
        return amounts.indices.astype(np.int64), amounts.data

    def _sides(self, users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, csr_matrix]:
        return users, items, self.seen
