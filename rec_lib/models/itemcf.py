"""ItemCF: it is like what you liked.

Paper    Sarwar, Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms", WWW 2001: section 3.1 (similarities), 3.2 (weighted sum); in production: Linden, Smith, York, IEEE Internet Computing 2003
Section  2.2.4 ItemCF
Idea     score(u, p) = Σ_{h∈H} w_hp R_uh,  H what u took, w_hp the similarity of p to h if p is among the k items nearest to h
Differs  candidates are found from what the user took (Linden), so w_hp ≠ 0 does not mean w_ph ≠ 0; `predict` is the paper's weighted sum over the k items nearest to p, around each item's mean if asked; negative similarities are not used
Symbols  u user · p candidate · h taken item · R (users, items) · W (items, items) kept similarities, row h those of h
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.models.neighbours import NeighbourCF


class ItemCF(NeighbourCF):
    """Items near those that the user took. `NeighbourCF` says what the settings mean."""

    SIMILARITIES: ClassVar[dict[str, str]] = {
        "cosine": "cosine",
        "pearson": "pearson",
        "adjusted_cosine": "columns",
        "jaccard": "jaccard",
    }

    def _fit(self, seen: csr_matrix) -> None:
        self._fit_rows(seen.T.tocsr())

    def _score(self, users: np.ndarray) -> np.ndarray:
        taken = self.seen[users]  # (U, items)  R_uh
        return (taken @ self.W).toarray()  # (U, items)  Σ_h R_uh w_hp

    def _reached(self) -> np.ndarray:
        has_neighbours = np.diff(self.W.indptr) > 0  # (items,)
        return (self.seen != 0) @ has_neighbours > 0

    def _reasons(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Items h that the user took and that have p among their neighbours: w_hp R_uh."""
        amounts = self.seen[[user]].multiply(self.W[:, [item]].T).tocsr()
        return amounts.indices.astype(np.int64), amounts.data

    def _sides(self, users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, csr_matrix]:
        return items, users, self.seen.T.tocsr()
