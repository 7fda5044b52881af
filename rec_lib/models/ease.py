"""EASE: every item is predicted from all the other items, by one linear model in closed form.

Paper    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv:1905.03375: the objective with its zero diagonal, and its closed form.
Section  3.4 NeuralCF模型——CF与深度学习的结合 (a baseline)
Idea     min_B ‖X − XB‖² + λ‖B‖², diag(B) = 0;  P = (XᵀX + λI)⁻¹,  B_ij = −P_ij / P_jj for i ≠ j;  score(u, ·) = X_u B
Differs  every interaction counts 1, stars or not.
Symbols  X (users, items) ones · B (items, items) weights, column j predicts item j · λ l2
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import inv
from scipy.sparse import csr_matrix

from rec_lib.models.topn import TopN


class EASE(TopN):
    """A linear model from all items to each item, its own weight forbidden.

    Without the zero diagonal the best B would be near the identity: it copies X and says nothing about what is missing.
    The time is that of inverting one (items, items) matrix, whatever the number of users.

    Args:
        l2: λ, in users: a weight between two items that fewer users share is pulled most of the way to 0.

    Raises:
        ValueError: a λ that is not above 0: XᵀX may have no inverse.
    """

    def __init__(self, l2: float = 100.0):
        if not l2 > 0:
            raise ValueError(f"got l2={l2}; expected a price above 0, or XᵀX may have no inverse.")
        self.l2 = l2

    def _fit(self, seen: csr_matrix) -> None:
        X = (seen != 0).astype(np.float64)
        P = inv((X.T @ X).toarray() + self.l2 * np.eye(X.shape[1]), overwrite_a=True)  # (items, items)
        self.B = P / -np.diag(P)  # column j divided by −P_jj
        np.fill_diagonal(self.B, 0)

    def _score(self, users: np.ndarray) -> np.ndarray:
        return (self.seen[users] != 0).astype(np.float64) @ self.B  # (U, items)  X_u B

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"B": self.B}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.B = arrays["B"]
