"""Calibration: do the things that a model gives 30 % happen three times in ten? AUC cannot tell; the price of an ad can.

Source  DeGroot & Fienberg, "The Comparison and Evaluation of Forecasters", The Statistician 32, 1983 (reliability curve);
        Naeini, Cooper, Hauskrecht, AAAI 2015 (expected calibration error);
        He et al., ADKDD 2014, sec. 3 (expected over observed clicks); Wilson, JASA 22, 1927 (interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm


@dataclass(frozen=True)
class Reliability:
    """Rows grouped by prediction, lowest first; empty groups are left out. All (groups,)."""

    predicted: NDArray  # mean prediction
    observed: NDArray  # share of clicks
    low: NDArray  # 95 % Wilson interval of the share, rows taken as independent
    high: NDArray
    count: NDArray  # rows

    @property
    def ece(self) -> float:
        """Expected calibration error: mean |observed − predicted| over the groups, weighted by rows."""
        return float(np.average(np.abs(self.observed - self.predicted), weights=self.count))


def reliability(y: ArrayLike, p: ArrayLike, bins: int = 10, equal: str = "rows") -> Reliability:
    """The reliability curve of predictions p (N,) for labels y (N,).

    Args:
        y: 0 or 1.
        p: probabilities.
        bins: number of groups.
        equal: "rows" puts the same number of rows into each group (fewer groups where predictions are tied), "width" cuts
            [0, 1] evenly.

    Raises:
        ValueError: labels other than 0 and 1, numbers that are no probabilities, other lengths, or bins below 1.
    """
    label, q = _checked(y, p)
    if bins < 1 or equal not in ("rows", "width"):
        raise ValueError(f"got bins={bins}, equal={equal!r}; expected at least 1, and 'rows' or 'width'.")
    steps = np.linspace(0, 1, bins + 1)
    edges = np.quantile(q, steps) if equal == "rows" else steps
    group = np.searchsorted(edges[1:-1], q)  # (N,)  equal predictions always share a group
    n = np.bincount(group, minlength=bins)
    clicks, expected = (np.bincount(group, weights, bins)[n > 0] for weights in (label, q))
    n = n[n > 0]
    low, high = wilson(clicks, n)
    return Reliability(expected / n, clicks / n, low, high, n)


def ece(y: ArrayLike, p: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error over groups of equally many rows. Never 0 on finite data: see :func:`ece_by_luck`."""
    return reliability(y, p, bins).ece


def ece_by_luck(p: ArrayLike, bins: int = 10) -> float:
    """The ECE that p would show on average if it were the truth: labels scatter, and ECE counts that as an error.

    A group of n rows has a share with standard deviation s = √(Σ p (1 − p)) / n, and E|N(0, s²)| = s √(2/π).

    Raises:
        ValueError: numbers that are no probabilities, or bins below 1.
    """
    _, q = _checked(np.zeros(np.shape(p)), p)
    if bins < 1:
        raise ValueError(f"got bins={bins}; expected at least 1.")
    edges = np.quantile(q, np.linspace(0, 1, bins + 1))
    variance = np.bincount(np.searchsorted(edges[1:-1], q), q * (1 - q))
    return float(np.sqrt(2 / np.pi * variance).sum() / len(q))


def calibration_ratio(y: ArrayLike, p: ArrayLike) -> float:
    """Expected clicks over observed clicks, Σp / Σy: 1 where the sum is right, 1.2 where a fifth too many are promised.

    Raises:
        ValueError: as reliability, or no click at all.
    """
    label, q = _checked(y, p)
    if not label.sum():
        raise ValueError("no label is 1: expected clicks cannot be divided by 0 observed ones.")
    return float(q.sum() / label.sum())


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[NDArray, NDArray]:
    """Lower and upper end of Wilson's interval of a share, for n ≥ 1 independent tries.

    Raises:
        ValueError: n below 1, successes outside 0 … n, or a level outside (0, 1).
    """
    k, size = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    if not ((size >= 1) & (k >= 0) & (k <= size)).all() or not 0 < level < 1:
        raise ValueError(
            f"got {k} successes in {size} tries, level={level}; expected 0 … n of n ≥ 1, a level in (0, 1)."
        )
    z = norm.ppf((1 + level) / 2)
    share = k / size
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return middle - half, middle + half


def _checked(y: ArrayLike, p: ArrayLike) -> tuple[NDArray, NDArray]:
    label, q = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if label.ndim != 1 or label.shape != q.shape or not len(label):
        raise ValueError(f"got shapes {label.shape} and {q.shape}; expected two arrays of the same N ≥ 1 rows.")
    if not np.isin(label, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1; got {np.unique(label)[:5]}.")
    if not ((q >= 0) & (q <= 1)).all():
        raise ValueError(
            f"predictions run from {q.min():.3g} to {q.max():.3g}; expected probabilities. Logits need a sigmoid."
        )
    return label, q
