"""Implicit ALS: every film that was not taken is a zero that is believed a little.

Paper    Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008: eq. 3 (objective), 4-5 (closed form), 7 (explanation).
Section  2.3 矩阵分解算法——协同过滤的进化
Idea     min Σ_ui c_ui (p_ui − x_uᵀ y_i)² + λ(Σ_u ‖x_u‖² + Σ_i ‖y_i‖²),  p_ui = 1[r_ui > 0],  c_ui = 1 + α r_ui
Differs  ends with a step for the users, so that every x_u is the closed form of the final y_i; users and items without interactions have zero vectors.
Symbols  D size of a vector (the paper's f) · α confidence · λ l2 · r stars, counts or ones
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.nn.functional import embedding

from rec_lib.data.ragged import padded_rows
from rec_lib.layers.ridge import ridge_with_zeros
from rec_lib.models.topn import TopN


def half_step(matrix: csr_matrix, y: Tensor, alpha: float, l2: float) -> Tensor:
    """The best vectors of the rows while the columns' vectors y (columns, D) are held still: (rows, D), eq. 4 or 5."""
    gram = y.T @ y  # (D, D)  YᵀY, once for all rows
    x = y.new_zeros(matrix.shape[0], y.shape[1])
    padded = torch.cat([y, y.new_zeros(1, y.shape[1])])  # the last row is what padding takes
    for rows, columns, r in padded_rows(matrix):
        c = 1 + alpha * torch.as_tensor(r, dtype=y.dtype)  # (b, T)
        taken = embedding(torch.from_numpy(np.where(r != 0, columns, len(y))), padded)  # (b, T, D)
        x[torch.from_numpy(rows)] = ridge_with_zeros(taken, c, gram, l2)
    return x


def objective(matrix: csr_matrix, x: Tensor, y: Tensor, alpha: float, l2: float) -> float:
    """Eq. 3, without visiting the zeros one by one: Σ_ui (x_uᵀ y_i)² is the trace of XᵀX YᵀY."""
    entries = matrix.tocoo()
    said = (x[torch.from_numpy(entries.row)] * y[torch.from_numpy(entries.col)]).sum(dim=1)  # (nnz,)
    c = 1 + alpha * torch.as_tensor(entries.data, dtype=y.dtype)
    zeros = ((x.T @ x) * (y.T @ y)).sum() - said.square().sum()
    return float((c * (1 - said).square()).sum() + zeros + l2 * (x.square().sum() + y.square().sum()))


class IALS(TopN):
    """Weighted matrix factorisation of a whole matrix by alternating least squares.

    Args:
        dim: D.
        alpha: α; an interaction counts 1 + α r, a missing one 1.
        l2: λ.
        iterations: steps for the items, each followed by one for the users.
        rng: draws the first item vectors; a generator with seed 0 by default.

    Raises:
        ValueError: dim or iterations below 1 or no integers, an α below 0, a λ that is not above 0, or one that is infinite.
            `fit` raises it where λ is so small beside the rest that the equations cannot be solved in float64.
    """

    def __init__(
        self,
        dim: int = 32,
        alpha: float = 40.0,
        l2: float = 10.0,
        iterations: int = 15,
        rng: np.random.Generator | None = None,
    ):
        whole = all(isinstance(n, (int, np.integer)) and n >= 1 for n in (dim, iterations))
        if not (whole and 0 <= alpha < np.inf and 0 < l2 < np.inf):
            raise ValueError(
                f"got dim={dim}, alpha={alpha}, l2={l2}, iterations={iterations}; expected integers of 1 or more, "
                "alpha of 0 or more, and l2 above 0 (at 0 the equations of a user may have no single solution)."
            )
        self.dim, self.iterations = int(dim), int(iterations)
        self.alpha, self.l2 = float(alpha), float(l2)
        self.rng = np.random.default_rng(0) if rng is None else rng

    def _fit(self, seen: csr_matrix) -> None:
        by_item = seen.T.tocsr()
        start = self.rng.normal(0, 0.1 / np.sqrt(self.dim), (seen.shape[1], self.dim))
        start[self.popularity == 0] = 0
        y = torch.from_numpy(start)
        x = half_step(seen, y, self.alpha, self.l2)
        for _ in range(self.iterations):
            y = half_step(by_item, x, self.alpha, self.l2)
            x = half_step(seen, y, self.alpha, self.l2)
        self.x, self.y = x.numpy(), y.numpy()  # (users, D), (items, D)

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.x[users] @ self.y.T

    def contributions(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Why this item for this user: what each item that the user took adds to the score, eq. 7.

        Returns the user's items (n,) and their parts c_uj y_iᵀ (YᵀC^uY + λI)⁻¹ y_j (n,), which add up to the score.

        Raises ValueError for a user without interactions or an item that nobody took: their scores are not of this form.
        """
        if not self.knows([user])[0] or not self.knows_items([item])[0]:
            raise ValueError(
                f"got user {user}, item {item}; expected a user with interactions and an item that somebody took."
            )
        row = self.seen[[user]]
        taken, c = self.y[row.indices], 1 + self.alpha * row.data  # (n, D), (n,)
        normal = self.y.T @ self.y + taken.T @ ((c - 1)[:, None] * taken) + self.l2 * np.eye(self.dim)
        return row.indices.astype(np.int64), c * (taken @ np.linalg.solve(normal, self.y[item]))

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"x": self.x, "y": self.y}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.x, self.y = arrays["x"], arrays["y"]
