"""Dice, an activation whose bend follows the data, and PReLU, which it becomes when the bend stands still.

Source  Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018, arXiv:1706.06978: eq. 8 (PReLU), 9 (Dice).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Dice(nn.Module):
    """f(s) = p(s) s + (1 − p(s)) α s,  p(s) = σ((s − E[s]) / √(Var[s] + ε)), a mean, a variance and an α for each unit.

    While training, mean and variance are those of the batch, over what is real only; moving averages of both serve in
    eval mode, and in a batch in which nothing is real. α starts at 0.

    Args:
        units: H, size of the last axis.
        momentum: share of the newest batch in the moving averages.
        eps: ε.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, units: int, momentum: float = 0.1, eps: float = 1e-8):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(units))
        self.register_buffer("running_mean", torch.zeros(units))
        self.register_buffer("running_var", torch.ones(units))
        self.momentum, self.eps = momentum, eps

    def forward(self, s: Tensor, mask: Tensor | None = None) -> Tensor:
        """(..., H) → (..., H). ``mask`` (...) says which places count in the statistics; all do without it."""
        rows = s.flatten(0, -2)  # (N, H)
        mean, var = self._batch_statistics(rows, mask) if self.training else (self.running_mean, self.running_var)
        return _Bend.apply(rows, mean, (var + self.eps).rsqrt(), self.alpha).view_as(s)  # p s + (1 − p) α s

    def _batch_statistics(self, rows: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        real = rows.new_ones(len(rows)) if mask is None else mask.flatten().to(rows.dtype)  # (N,)
        n = real.sum()
        mean, var = _Moments.apply(rows, real / n.clamp(min=1))  # (H,) each
        mean, var = torch.where(n > 0, mean, self.running_mean), torch.where(n > 0, var, self.running_var)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
        return mean, var


class _Moments(Function):
    """Mean and variance of each column, weighted: rows (N, H), weights (N,) that add up to 1 → (H,), (H,)."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(rows, weights, mean := weights @ rows)
        return mean, weights @ (rows - mean).square_()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_mean: Tensor, d_var: Tensor) -> tuple[Tensor, None]:
        rows, weights, mean = ctx.saved_tensors  # deviations add up to 0: the variance has no gradient through the mean
        return torch.addcmul(d_mean - 2 * mean * d_var, rows, 2 * d_var).mul_(weights.unsqueeze(1)), None


class _Bend(Function):
    """p s + (1 − p) α s with p = σ((s − mean) scale): s (N, H), and mean, scale and α (H,) → (N, H). In few passes over s."""

    @staticmethod
    def forward(ctx: Any, s: Tensor, mean: Tensor, scale: Tensor, alpha: Tensor) -> Tensor:
        p = torch.addcmul(-mean * scale, s, scale).sigmoid_()  # (N, H)
        ctx.save_for_backward(s, p, mean, scale, alpha)
        return torch.addcmul(alpha, p, 1 - alpha).mul_(s)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_f: Tensor) -> tuple[Tensor, ...]:
        s, p, mean, scale, alpha = ctx.saved_tensors
        ones, steep = s.new_ones(len(s)), 1 - alpha
        d_slope = d_f * s  # (N, H)  of α + p (1 − α)
        d_z = torch.addcmul(p, p, p, value=-1).mul_(d_slope)  # (N, H)  of what σ gets, but for the factor 1 − α
        d_s = torch.addcmul(alpha, p, steep).mul_(d_f).addcmul_(d_z, steep * scale)
        d_alpha = ones @ d_slope - ones @ d_slope.mul_(p)
        d_shift, d_scale = steep * (ones @ d_z), steep * (ones @ d_z.mul_(s))  # (H,) each, of s scale + shift
        return d_s, -scale * d_shift, d_scale - mean * d_shift, d_alpha


class PReLU(nn.Module):
    """f(s) = s where s > 0, α s elsewhere, an α for each unit: Dice with p(s) = 1[s > 0].

    It takes Dice's mask and needs none: nothing in it depends on other places. α starts at 0.25, as in the paper of PReLU.
    """

    def __init__(self, units: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((units,), 0.25))

    def forward(self, s: Tensor, mask: Tensor | None = None) -> Tensor:
        """(..., H) → (..., H)."""
        return torch.where(s > 0, s, self.alpha * s)


def dice_mlp(in_dim: int, hidden: tuple[int, ...], dropout: float = 0.0, dice: bool = True) -> nn.Sequential:
    """Dense layers in_dim → hidden… → 1 with Dice, or PReLU, and dropout after each hidden one: (B, in_dim) → (B, 1).

    Raises:
        ValueError: a width below 1 or a dropout outside [0, 1).
    """
    if min(hidden, default=1) < 1 or not 0 <= dropout < 1:
        raise ValueError(f"got hidden={hidden}, dropout={dropout}; expected widths ≥ 1 and 0 ≤ dropout < 1.")
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(in_dim, width), Dice(width) if dice else PReLU(width)]
        if dropout:
            layers.append(nn.Dropout(dropout))
        in_dim = width
    return nn.Sequential(*layers, nn.Linear(in_dim, 1))
