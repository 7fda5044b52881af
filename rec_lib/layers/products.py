"""Quadratic signals of PNN: all products of field vectors, weighed and added up, without a visit to every pair.

Source  Qu et al., "Product-based Neural Networks for User Response Prediction", ICDM 2016, arXiv:1611.00144:
        eq. 8-10 (inner products, W_n = θ_n θ_nᵀ) and 12-14 (outer products, summed before they are weighed).
"""

from __future__ import annotations

from torch import Tensor


def inner_signal(f: Tensor, theta: Tensor) -> Tensor:
    """l_n = Σ_{i,j} θ_ni θ_nj ⟨f_i, f_j⟩ = ‖Σ_i θ_ni f_i‖², over all ordered pairs, i = j among them.

    Both forms are the same number. The left one costs N²(M + D1) multiplications a sample, the right one N·M·D1 (the
    paper's choice); the cheaper one is taken. With few fields that is the left one.

    Args:
        f: (B, N, M) field vectors.
        theta: (D1, N) one weight a unit and field.

    Returns:
        (B, D1), not below 0 but for rounding.
    """
    n, m, d1 = f.shape[1], f.shape[2], len(theta)
    if n * (m + d1) < m * d1:
        gram = f @ f.mT  # (B, N, N)  ⟨f_i, f_j⟩
        weights = theta.unsqueeze(2) * theta.unsqueeze(1)  # (D1, N, N)  θ_n θ_nᵀ
        return gram.flatten(1) @ weights.flatten(1).mT  # (B, D1)
    delta = f.mT @ theta.mT  # (B, M, D1)  δ_n = Σ_i θ_ni f_i
    return delta.square().sum(dim=1)  # (B, D1)


def outer_signal(f: Tensor, w: Tensor) -> Tensor:
    """l_n = Σ_{i,j} f_iᵀ W_n f_j = sᵀ W_n s with s = Σ_i f_i: every pair has the same W_n, so fields are summed first.

    Args:
        f: (B, N, M) field vectors.
        w: (D1, M, M) one matrix a unit.

    Returns:
        (B, D1)

    Raises:
        ValueError: matrices of another size than the vectors.
    """
    s = f.sum(dim=1)  # (B, M)
    if w.shape[1:] != (s.shape[1], s.shape[1]):
        raise ValueError(
            f"got w of shape {tuple(w.shape)}, expected (D1, {s.shape[1]}, {s.shape[1]}): a matrix a unit."
        )
    p = s.unsqueeze(2) * s.unsqueeze(1)  # (B, M, M)  Σ_{i,j} f_i f_jᵀ
    return p.flatten(1) @ w.flatten(1).mT  # (B, D1)
