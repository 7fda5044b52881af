"""SVD++: what a user rated, whatever the stars, is part of the user's vector.

Paper    Koren, "Factorization Meets the Neighborhood", KDD 2008: eq. 15 (model), section 4 (objective).
Section  2.3 矩阵分解算法——协同过滤的进化
Idea     r̂_ui = μ + b_u + b_i + q_iᵀ (p_u + |N(u)|^(−1/2) Σ_{j∈N(u)} y_j)
Differs  N(u) holds the user's training ratings only: the paper also knew which films the test ratings were of; gradients of all y_j at every batch, not one user at a time; λ of its own for the y_j.
Symbols  B batch · D size of a vector · N(u) items rated by user u · R training ratings
"""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.layers.list_sums import ListSums
from rec_lib.models.mf import MF
from rec_lib.schema import Batch


class SVDpp(MF):
    """Biased MF whose user vectors also hold a vector y_j of everything that the user rated.

    Args:
        train: the ratings to learn from; N(u) is read from them.
        dim, l2, init_sd: as in :class:`MF`.
        l2_y: λ of the y_j; a rating pays for the y_j of all that its user rated.

    Raises:
        ValueError: a dim below 1, or a λ or init_sd that is negative or no finite number.
    """

    rated: Tensor
    start: Tensor
    count: Tensor
    raters: Tensor
    first: Tensor

    def __init__(self, train: Table, dim: int = 64, l2: float = 0.1, l2_y: float = 0.01, init_sd: float = 0.1):
        if dim < 1 or not 0 <= l2_y < inf:
            raise ValueError(f"got dim={dim}, l2_y={l2_y}; expected vectors (dim ≥ 1) and a finite λ of 0 or more.")
        super().__init__(train, dim, l2, init_sd)
        self.l2_y = l2_y
        self.y = nn.Parameter(torch.randn(self.schema.size("item"), dim) * init_sd)
        user, item = torch.unique(torch.stack([train["user"], train["item"]], dim=1), dim=0).unbind(1)  # by user
        count = torch.bincount(user, minlength=self.schema.size("user"))
        self.register_buffer("rated", item)  # (R,)  N(0), N(1), … one after the other
        self.register_buffer("start", count.cumsum(0) - count)  # (users,)  where N(u) begins
        self.register_buffer("count", count)  # (users,)  |N(u)|
        raters = torch.bincount(item, minlength=self.schema.size("item"))
        self.register_buffer("raters", user[item.argsort(stable=True)])  # (R,)  who rated item 0, item 1, …
        self.register_buffer("first", raters.cumsum(0) - raters)  # (items,)  where an item's raters begin

    def user_vectors(self, batch: Batch) -> Tensor:
        """p_u + |N(u)|^(−1/2) Σ_{j∈N(u)} y_j: (B, D)."""
        root = self.count.clamp(min=1).to(self.y.dtype).rsqrt()  # (users,)  1 for an empty N(u), whose sum is 0
        implied = self.over_rated(self.y) * root.unsqueeze(1)  # (users, D)
        return self.rows(self.p + implied, "user", batch)

    def over_rated(self, table: Tensor) -> Tensor:
        """Σ_{j∈N(u)} of a table's rows, for every user: (items, …) → (users, …); 0 where N(u) is empty."""
        return ListSums.apply(table, self.rated, self.start, self.raters, self.first)

    def penalty(self, batch: Batch) -> Tensor:
        """That of MF, and λ_y Σ_{j∈N(u)} ‖y_j‖²: (B,)."""
        cost = self.over_rated(self.y.square().sum(dim=1, keepdim=True)).squeeze(1)  # (users,)
        return super().penalty(batch) + self.l2_y * self.rows(cost, "user", batch)
