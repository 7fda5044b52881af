"""Least squares with a price on the weights, in closed form, many at once.

Source  Koren, Bell, Volinsky, Computer 42(8), 2009 (the steps of ALS, ridge);
        Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 4 (ridge_with_zeros).
"""

from __future__ import annotations

import torch
from torch import Tensor


def ridge(x: Tensor, y: Tensor, l2: Tensor | float) -> Tensor:
    """argmin_w Σ_n (y_n − x_n·w)² + l2 ‖w‖² = (XᵀX + l2 I)⁻¹ Xᵀy.

    Args:
        x: (…, n, k) rows; a row of zeros is no row, so groups of unequal size are padded with them.
        y: (…, n)
        l2: above 0, one for all or one a group (…,).

    Returns:
        (…, k); zeros where there are no rows.
    """
    return _solve(x.mT @ x + _price(l2, x), (x.mT @ y.unsqueeze(-1)).squeeze(-1), l2)


def ridge_with_zeros(x: Tensor, c: Tensor, gram: Tensor, l2: Tensor | float) -> Tensor:
    """argmin_w Σ_n [c_n (1 − x_n·w)² − (x_n·w)²] + wᵀ gram w + l2 ‖w‖²: some rows should give 1, all others 0.

    With gram = YᵀY over *all* rows y of a table, x those that should give 1, and c their confidence (1 for the others),
    this is the weighted least squares problem over the whole table, at the cost of the rows x alone.

    Args:
        x: (…, n, k) rows; a row of zeros is no row.
        c: (…, n) confidence.
        gram: (k, k)
        l2: above 0, one for all or one a group (…,).

    Returns:
        (…, k) (YᵀY + Xᵀ(C − I)X + l2 I)⁻¹ XᵀC 1
    """
    normal = (gram + _price(l2, x)) + x.mT @ ((c - 1).unsqueeze(-1) * x)  # (…, k, k)
    return _solve(normal, (c.unsqueeze(-2) @ x).squeeze(-2), l2)


def _price(l2: Tensor | float, x: Tensor) -> Tensor:
    """l2 I: (k, k), or (…, k, k) for one l2 a group."""
    eye = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    return torch.as_tensor(l2, dtype=x.dtype, device=x.device)[..., None, None] * eye


def _solve(normal: Tensor, right: Tensor, l2: Tensor | float) -> Tensor:
    """normal⁻¹ right by Cholesky: (…, k, k), (…, k) → (…, k). ValueError, which names l2, where it is not positive definite."""
    factor, failed = torch.linalg.cholesky_ex(normal)
    if failed.any():
        raise ValueError(
            f"got l2={l2}; expected one large enough beside the rows that the equations have a single solution in "
            f"{normal.dtype}. Raise l2, or look for rows that are NaN or huge."
        )
    return torch.cholesky_solve(right.unsqueeze(-1), factor).squeeze(-1)
