"""The best that any model can do where the probabilities are known, and how far luck can carry a model past it.

All functions take `p` (n,), each row's true probability of label 1. Labels are independent given p.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit, xlogy
from scipy.stats import rankdata


def expected_auc(p: ArrayLike, score: ArrayLike) -> float:
    """The AUC of `score` (n,) over all labels that p could have drawn, without drawing any; ties count half.

        Σ_{i≠j} p_i (1 − p_j) (1[s_i > s_j] + ½ 1[s_i = s_j])  /  [(Σ p)(Σ (1 − p)) − Σ p (1 − p)]

    A ratio of expectations, in O(n log n): sort, sum over groups of equal score. No score exceeds that of p itself.
    Raises ValueError for probabilities outside [0, 1], another length, a NaN, or where one label is impossible.
    """
    p, score = _checked(p, score)
    _, group = np.unique(score, return_inverse=True)
    positive = np.bincount(group, weights=p)
    negative = np.bincount(group, weights=1 - p)
    below = np.cumsum(negative) - negative
    self_pairs = (p * (1 - p)).sum()  # i = j is no pair
    pairs = p.sum() * (1 - p).sum() - self_pairs
    if pairs <= 0:
        raise ValueError(
            "p makes one of the two labels impossible, so there is no pair to rank; expected both to occur."
        )
    return float(((positive * (below + negative / 2)).sum() - self_pairs / 2) / pairs)


def bayes_auc(p: ArrayLike) -> float:
    """The AUC of the best ranking, which is by p itself. Raises ValueError as expected_auc does."""
    return expected_auc(p, p)


def expected_log_loss(p: ArrayLike, q: ArrayLike) -> float:
    """The log loss (nats a row) of the predictions q (n,) over all labels that p could have drawn: H(p) + mean KL(p‖q).

    Never below H(p), and exact: no label is drawn. Infinite where q is sure of something that can be otherwise.
    """
    p, q = _checked(p, q)
    if (q < 0).any() or (q > 1).any():
        raise ValueError(
            f"predictions run from {q.min()} to {q.max()}; expected probabilities. Apply the sigmoid first."
        )
    return float(-(xlogy(p, q) + xlogy(1 - p, 1 - q)).mean())


def bayes_log_loss(p: ArrayLike) -> float:
    """The log loss of the best prediction, which is p itself: the mean entropy H, in nats a row."""
    return expected_log_loss(p, p)


def log_loss_sd(p: ArrayLike) -> float:
    """The exact standard deviation of the log loss of p on n labels drawn from p: √(Σ p (1 − p) logit(p)²) / n."""
    p, _ = _checked(p, p)
    inside = p[(p > 0) & (p < 1)]
    return float(np.sqrt((inside * (1 - inside) * logit(inside) ** 2).sum()) / len(p))


class PairedAUC(NamedTuple):
    """AUC(score) − AUC(other) on the same labels, and its standard error."""

    difference: float
    se: float


def paired_auc(label: ArrayLike, score: ArrayLike, other: ArrayLike) -> PairedAUC:
    """The difference of two AUCs on the same labels with DeLong's standard error.

    Luck moves both AUCs together: on 20 000 rows each alone is uncertain by several thousandths, their difference by
    several ten-thousandths. "No model beats the optimum" reads paired_auc(label, model, p): difference ≤ 4 se.

    Raises ValueError where labels are not 0 and 1, or one of them occurs fewer than twice.
    Source  DeLong et al., Biometrics 44 (1988) 837; by ranks: Sun and Xu, IEEE Signal Proc. Letters 21 (2014) 1389.
    """
    y = np.asarray(label, dtype=float)
    if not np.isin(y, (0, 1)).all() or min(y.sum(), (1 - y).sum()) < 2:
        raise ValueError("labels must be 0 and 1, and each must occur at least twice.")
    places = [_placements(y == 1, np.asarray(s, dtype=float)) for s in (score, other)]
    up, down = (places[0][i] - places[1][i] for i in (0, 1))
    return PairedAUC(float(up.mean()), float(np.sqrt(up.var(ddof=1) / len(up) + down.var(ddof=1) / len(down))))


def _placements(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each positive the share of negatives below it, for each negative the share of positives above it."""
    if score.shape != positive.shape or not np.isfinite(score).all():
        raise ValueError(
            f"scores have shape {score.shape} for {len(positive)} labels; expected one finite score a label."
        )
    ranks = rankdata(score)
    up = (ranks[positive] - rankdata(score[positive])) / (~positive).sum()
    down = 1 - (ranks[~positive] - rankdata(score[~positive])) / positive.sum()
    return up, down


def _checked(p: ArrayLike, other: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(p, dtype=float), np.asarray(other, dtype=float)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError(f"got shapes {first.shape} and {second.shape}; expected two vectors of one length, not empty.")
    if np.isnan(second).any() or not ((first >= 0) & (first <= 1)).all():
        raise ValueError("got a NaN or a true probability outside [0, 1].")
    return first, second
