"""MF: a user and an item are short vectors; a rating is their inner product, plus what each adds alone.

Paper    Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems", Computer 42(8), 2009: eq. 1 (plain), 4 (model), 5 (objective).
Section  2.3 矩阵分解算法——协同过滤的进化
Idea     r̂_ui = μ + b_i + b_u + q_iᵀ p_u
Differs  the objective is the mean over ratings, not the sum; an id without training ratings has b = 0 and a zero vector; dim=0 leaves the biases alone; bias=False is eq. 1, where a pair with an unknown id gets μ.
Symbols  B batch · D size of a vector (the paper's f) · μ mean of the training ratings · λ l2
"""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.models.rating import RatingModel
from rec_lib.schema import Batch


class MF(RatingModel):
    """Matrix factorisation with biases.

    Args:
        train: the ratings to learn from.
        dim: D; 0 for a model of the biases alone.
        l2: λ, paid once for every rating of the user and of the item.
        init_sd: standard deviation of the initial vectors; biases start at 0.
        bias: False for r̂ = q_iᵀ p_u.

    Raises:
        ValueError: a dim, λ or init_sd that is negative or no finite number, or neither vectors nor biases.
    """

    def __init__(self, train: Table, dim: int = 64, l2: float = 0.1, init_sd: float = 0.1, bias: bool = True):
        super().__init__(train)
        if not all(0 <= value < inf for value in (dim, l2, init_sd)) or not (dim or bias):
            raise ValueError(
                f"got dim={dim}, l2={l2}, init_sd={init_sd}, bias={bias}; expected finite numbers of 0 or more, and "
                "vectors (dim ≥ 1) or biases."
            )
        users, items = self.schema.size("user"), self.schema.size("item")
        self.l2 = l2
        self.p = nn.Parameter(torch.randn(users, dim) * init_sd)
        self.q = nn.Parameter(torch.randn(items, dim) * init_sd)
        self.b_user = nn.Parameter(torch.zeros(users)) if bias else None
        self.b_item = nn.Parameter(torch.zeros(items)) if bias else None

    def forward(self, batch: Batch) -> Tensor:
        p_u, q_i = self.user_vectors(batch), self.rows(self.q, "item", batch)  # (B, D)
        q_p = (q_i * p_u).sum(dim=1)  # (B,)  q_iᵀ p_u
        if self.b_user is None or self.b_item is None:
            known = self.known_user[batch["user"]] & self.known_item[batch["item"]]
            return torch.where(known, q_p, self.mu)  # (B,)  eq. 1
        b_u, b_i = self.rows(self.b_user, "user", batch), self.rows(self.b_item, "item", batch)  # (B,)
        return self.mu + b_i + b_u + q_p  # (B,)  eq. 4

    def user_vectors(self, batch: Batch) -> Tensor:
        """What meets q_i: p_u, (B, D)."""
        return self.rows(self.p, "user", batch)

    def penalty(self, batch: Batch) -> Tensor:
        """λ(‖q_i‖² + ‖p_u‖² + b_u² + b_i²): (B,), the second part of eq. 5."""
        users = self.p.square().sum(dim=1)  # (users,)  of whole tables, which have fewer rows than a large batch
        items = self.q.square().sum(dim=1)  # (items,)
        if self.b_user is not None and self.b_item is not None:
            users, items = users + self.b_user.square(), items + self.b_item.square()
        return self.l2 * (self.rows(items, "item", batch) + self.rows(users, "user", batch))
