"""Proximal maps of the penalties that make weights exactly zero: the L1 norm, and the norm over groups.

    prox_{t‖·‖}(x) = argmin_u ½‖u − x‖² + t‖u‖

Source  Parikh & Boyd, "Proximal Algorithms", Foundations and Trends in Optimization 1(3), 2014, sec. 6.5.2 (L1) and 6.5.4
        (groups); Beck & Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm", SIAM J. Imaging Sciences 2(1), 2009.
        For λ₁‖·‖₁ + λ₂‖·‖₂,₁ together: soft_threshold first, then group_soft_threshold (Friedman, Hastie, Tibshirani,
        "A note on the group lasso and a sparse group lasso", arXiv:1001.0736, 2010).
"""

from __future__ import annotations

import torch
from torch import Tensor


def soft_threshold(x: Tensor, t: float | Tensor) -> Tensor:
    """argmin_u ½‖u − x‖² + t‖u‖₁: every number moves towards 0 by t, and stops there.

    Args:
        x: any shape.
        t: the threshold, ≥ 0; a tensor gives each number its own and is broadcast against x.

    Returns:
        the shape of x.

    Raises:
        ValueError: a threshold below 0 or NaN.
    """
    t = _checked(t, x)
    return torch.sign(x) * (x.abs() - t).clamp(min=0)  # sgn(x) · max(|x| − t, 0)


def group_soft_threshold(x: Tensor, t: float | Tensor, dim: int) -> Tensor:
    """argmin_u ½‖u − x‖² + t Σ_g ‖u_g‖₂: every group keeps its direction, loses t of its length, and stops at 0.

    Args:
        x: any shape.
        t: the threshold, ≥ 0; a tensor gives each group its own: of x's shape with `dim` of size 1.
        dim: the axis that a group runs along; with one weight vector a feature (n, m), dim=1 shrinks whole features.

    Returns:
        the shape of x.

    Raises:
        ValueError: a threshold below 0 or NaN.
    """
    t = _checked(t, x)
    length = torch.linalg.vector_norm(x, dim=dim, keepdim=True)  # dim has size 1 from here on
    keep = (1 - t / torch.where(length > 0, length, 1)).clamp(min=0)  # a group at 0 stays there, whatever it is times
    return x * keep  # x_g · max(1 − t/‖x_g‖, 0)


def _checked(t: float | Tensor, x: Tensor) -> Tensor:
    value = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if not bool((value >= 0).all()):
        raise ValueError(f"threshold t={t}: expected 0 or more. A negative one would push weights away from 0.")
    return value
