"""What a boosted tree adds to a sum of logits: the best constant for a leaf, and what a split is worth.

Source  Friedman, "Greedy Function Approximation", Annals of Statistics 29(5), 2001 (Newton steps for the log loss);
        Chen & Guestrin, "XGBoost", KDD 2016, arXiv:1603.02754: eq. 5 (leaf), 7 (gain; its γ is 0 here).

With g = p − y and h = p(1 − p), slope and curvature of a sample's log loss in its logit; G and H are their sums over the
samples of a leaf. All functions take numbers, arrays or tensors.
"""

from __future__ import annotations

from typing import Any


def leaf_value(G: Any, H: Any, l2: float = 0.0) -> Any:
    """argmin_v G v + ½ (H + l2) v²: one Newton step for all samples of a leaf together."""
    return -G / (H + l2)


def split_gain(G_left: Any, H_left: Any, G_right: Any, H_right: Any, l2: float = 0.0) -> Any:
    """By how much two leaves in place of one lower that quadratic: never below 0 while l2 is 0."""
    return 0.5 * (
        G_left**2 / (H_left + l2) + G_right**2 / (H_right + l2) - (G_left + G_right) ** 2 / (H_left + H_right + l2)
    )
