"""The network of two towers: one makes a vector of a user, the other one of an item; they meet in an inner product."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.in_batch import in_batch_softmax_loss, tower_scores
from rec_lib.schema import PAD, Batch


class Tower(nn.Module):
    """One side: a vector and the vectors of features, added up, through layers with ReLU between them."""

    def __init__(self, features: int, dim: int, hidden: tuple[int, ...], init_sd: float):
        super().__init__()
        self.feature = nn.Parameter(torch.randn(features, dim) * init_sd)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip((dim, *hidden), hidden, strict=False))

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        """x (B, D) and features (B, F) to vectors (B, N)."""
        x = x + features @ self.feature  # (B, D)
        for n, layer in enumerate(self.layers):
            x = layer(x if n == 0 else torch.relu(x))  # (B, width)
        return x  # (B, N)


class TwoTowerNetwork(nn.Module):
    """f and g, the vectors e of what a user took before, and the vectors q of the items' ids."""

    def __init__(self, items: int, user_features: int, item_features: int, dim: int, hidden: tuple[int, ...],
                 temperature: float, normalise: bool, init_sd: float):  # fmt: skip
        super().__init__()
        self.temperature, self.normalise = temperature, normalise
        self.e = nn.Parameter(torch.randn(items, dim) * init_sd)
        self.q = nn.Parameter(torch.randn(items, dim) * init_sd)
        self.f = Tower(user_features, dim, hidden, init_sd)
        self.g = Tower(item_features, dim, hidden, init_sd)

    def user(self, batch: Batch) -> Tensor:
        real = (batch["history"] != PAD).to(self.e.dtype)  # (B, T)
        taken = self.e.index_select(0, batch["history"].flatten()).view(*real.shape, -1)  # (B, T, D)
        mean = (taken * real.unsqueeze(2)).sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)  # (B, D)
        return self.f(mean, batch["user_features"])  # (B, N)

    def item(self, batch: Batch) -> Tensor:
        return self.g(self.q.index_select(0, batch["item"]), batch["item_features"])  # (B, N)

    def loss(self, batch: Batch) -> Tensor:
        """In-batch softmax; corrected where the batch has "log_q" (B,)."""
        return in_batch_softmax_loss(self(batch), batch.get("log_q"))

    def forward(self, batch: Batch) -> Tensor:
        u, v = self.user(batch), self.item(batch)  # (B, N)
        return tower_scores(u, v, self.temperature, self.normalise)  # (B, B)  ⟨f(x_u), g(x_i)⟩ / τ
