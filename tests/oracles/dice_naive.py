"""Dice one number at a time, and the check that holds a class to it; the mutant tests put broken ones in its place."""

import math

import pytest
import torch


def draw(seed, *shapes):
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, dtype=torch.float64, generator=g) for shape in shapes]


def dice_by_loops(s, real, alpha, eps=1e-8):
    """Unit by unit: mean and variance over the real rows, then every row through its own gate."""
    out, statistics = [[0.0] * len(alpha) for _ in s], []
    for u, a in enumerate(alpha):
        column = [row[u] for row, r in zip(s, real, strict=True) if r]
        mean = sum(column) / len(column)
        var = sum((x - mean) ** 2 for x in column) / len(column)
        statistics.append((mean, var))
        for j, row in enumerate(s):
            z = (row[u] - mean) / math.sqrt(var + eps)  # one real row has no spread: the others lie far outside
            p = 1 / (1 + math.exp(-z)) if z > -700 else 0.0
            out[j][u] = p * row[u] + (1 - p) * a * row[u]
    return out, statistics


def check_dice_while_training(cls, seed=0, batch=3, length=4, units=2):
    """Value and moving averages on a batch (B, T, H) in which the first place of the first row is real."""
    s, alpha = draw(seed, (batch, length, units), (units,))
    mask = torch.rand(batch, length, generator=torch.Generator().manual_seed(seed)) < 0.7
    mask[0, 0] = True
    layer = cls(units).double()
    layer.alpha.data.copy_(alpha)
    got = layer(s, mask)
    expected, statistics = dice_by_loops(s.flatten(0, 1).tolist(), mask.flatten().tolist(), alpha.tolist())
    torch.testing.assert_close(got.flatten(0, 1).tolist(), expected)
    for u, (mean, var) in enumerate(statistics):
        assert layer.running_mean[u].item() == pytest.approx(0.1 * mean)
        assert layer.running_var[u].item() == pytest.approx(0.9 + 0.1 * var)
