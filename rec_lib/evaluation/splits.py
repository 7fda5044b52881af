"""Splits of rows into training, validation and test parts."""

from __future__ import annotations

import torch
from torch import Tensor

PARTS = (0.8, 0.1, 0.1)


def random_split(n: int, seed: int, parts: tuple[float, ...] = PARTS) -> tuple[Tensor, ...]:
    """Row positions of each part, drawn at random. The past may be predicted from the future: say "random" with it."""
    return _cut(torch.randperm(n, generator=torch.Generator().manual_seed(seed)), parts)


def time_split(timestamp: Tensor, parts: tuple[float, ...] = PARTS) -> tuple[Tensor, ...]:
    """Row positions of each part, oldest rows first: every training row is at least as old as every later one."""
    return _cut(torch.argsort(timestamp, stable=True), parts)


def _cut(order: Tensor, parts: tuple[float, ...]) -> tuple[Tensor, ...]:
    if min(parts) <= 0 or abs(sum(parts) - 1) > 1e-9:
        raise ValueError(f"parts={parts}: expected positive shares that add up to 1.")
    ends = [round(len(order) * sum(parts[: i + 1])) for i in range(len(parts))]
    return tuple(order[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True))
