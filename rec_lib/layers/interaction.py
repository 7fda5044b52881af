"""Second-order interactions of field vectors, in linear time.

Source  Rendle, "Factorization Machines", ICDM 2010, lemma 3.1 (fm_pairwise);
        He & Chua, "Neural Factorization Machines", SIGIR 2017, eq. 4 (bi_interaction).
"""

from __future__ import annotations

from torch import Tensor


def bi_interaction(v: Tensor) -> Tensor:
    """Σ_{i<j} v_i ⊙ v_j, per coordinate.

    Args:
        v: (B, F, D) field vectors, already multiplied by their feature values.

    Returns:
        (B, D)
    """
    square_of_sum = v.sum(dim=1).square()  # (B, D)
    sum_of_squares = v.square().sum(dim=1)  # (B, D)
    return 0.5 * (square_of_sum - sum_of_squares)  # (B, D)  ½[(Σ v_i)² − Σ v_i²]


def fm_pairwise(v: Tensor) -> Tensor:
    """Σ_{i<j} ⟨v_i, v_j⟩: F·D multiplications instead of D·F(F−1)/2.

    Args:
        v: (B, F, D) field vectors, already multiplied by their feature values.

    Returns:
        (B,)
    """
    return bi_interaction(v).sum(dim=1)  # (B,)
