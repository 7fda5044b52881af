"""The network of section 4.5: the last watches and an age become a user vector; items have vectors of their own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rec_lib.layers.sampled_softmax import sampled_softmax_loss
from rec_lib.schema import FIRST, PAD, Batch


class WatchNetwork(nn.Module):
    """Average of the watched vectors and the age of the example, through ReLU layers: u. Beside it a vector v an item."""

    def __init__(self, items: int, dim: int, hidden: tuple[int, ...], init_sd: float):
        super().__init__()
        self.e = nn.Parameter(torch.randn(items, dim) * init_sd)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip((dim + 1, *hidden), hidden, strict=False))
        self.v = nn.Parameter(torch.randn(items, hidden[-1]) * init_sd)

    def user(self, batch: Batch) -> Tensor:
        real = (batch["history"] != PAD).to(self.e.dtype)  # (B, T)
        watched = self.e.index_select(0, batch["history"].flatten()).view(*real.shape, self.e.shape[1])  # (B, T, D)
        mean = (watched * real.unsqueeze(2)).sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)  # (B, D)
        u = torch.cat([mean, batch["age"].to(mean.dtype).unsqueeze(1)], dim=1)  # (B, D + 1)
        for layer in self.layers:
            u = torch.relu(layer(u))  # (B, width)
        return u  # (B, N)

    def loss(self, batch: Batch) -> Tensor:
        """Mean −log P of the item: over all items, or over the item and the draws where the batch has "drawn" (S,)."""
        if "drawn" not in batch:
            return cross_entropy(self(batch)[:, FIRST:], batch["item"] - FIRST)
        u, v = self.user(batch), self.v.index_select(0, batch["item"])  # (B, N)
        drawn = u @ self.v.index_select(0, batch["drawn"]).T  # (B, S)
        logits = torch.cat([(u * v).sum(dim=1, keepdim=True), drawn], dim=1)  # (B, 1 + S)
        log_q = batch["log_q"]  # (V,)
        own, others = log_q[batch["item"]].unsqueeze(1), log_q[batch["drawn"]].expand(len(u), -1)
        return sampled_softmax_loss(logits, torch.cat([own, others], dim=1), torch.zeros_like(batch["item"]))

    def forward(self, batch: Batch) -> Tensor:
        u = self.user(batch)  # (B, N)
        return u @ self.v.T  # (B, V)  v_i·u, before the softmax of section 3.1


def draw(batch: Batch, popularity: np.ndarray, count: int, rng: np.random.Generator) -> Batch:
    """The batch with "drawn" (count,), items drawn in proportion to `popularity (V,)`, and "log_q" (V,), its logarithm.

    Raises ValueError for a count below 1 and for a popularity that no item has or that is NaN, infinite or below 0.
    """
    if count < 1 or not np.isfinite(popularity).all() or popularity.min() < 0 or not popularity.any():
        raise ValueError(
            f"got {count=} and a popularity from {popularity.min():g} to {popularity.max():g}; expected 1 or more draws "
            "and finite numbers of 0 or more, one of them above 0."
        )
    q = popularity / popularity.sum()
    drawn = np.searchsorted(q.cumsum(), rng.random(count), side="right").clip(max=int(np.flatnonzero(q)[-1]))
    log_q = np.log(np.maximum(q, 1e-12)).astype(np.float32)
    return batch | {"drawn": torch.from_numpy(drawn), "log_q": torch.from_numpy(log_q)}
