"""ItemCF: it is like what you liked.

Paper    Sarwar, Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms", WWW 2001: section 3.1 (similarities), 3.2 (weighted sum); in production: Linden, Smith, York, IEEE Internet Computing 2003
Section  2.2.4 ItemCF
Idea     score(u, p) = Σ_{h∈H} w_ph R_uh,  H those of the k items most similar to p that u took, w_ph their similarity
Differs  the book collects candidates as the k items nearest to each h; here every p has its k nearest, as in the paper, which ranks better; `predict` divides by Σ w_ph, around each item's mean if asked; negative similarities are not used
Symbols  u user · p candidate · h taken item · R (users, items) · W (items, items) kept similarities, row p those of p
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
        return (taken @ self.W.T).toarray()  # (U, items)  Σ_h w_ph R_uh

    def _reached(self) -> np.ndarray:
        is_neighbour = np.bincount(self.W.indices, minlength=self.W.shape[1]) > 0  # (items,)
        return (self.seen != 0) @ is_neighbour > 0

    def _reasons(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Items h that the user took and that are among the neighbours of p: w_ph R_uh."""
        amounts = self.W[[item]].multiply(self.seen[[user]]).tocsr()
        return amounts.indices.astype(np.int64), amounts.data

    def _sides(self, users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, csr_matrix]:
        return items, users, self.seen.T.tocsr()
