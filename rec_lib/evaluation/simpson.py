"""Two comparisons of the same rows: all of them at once, and group by group. They may differ in sign.

Source  Simpson, "The Interpretation of Interaction in Contingency Tables", JRSS B 13(2), 1951;
        Greenland & Robins, "Estimation of a common effect parameter from sparse follow-up data", Biometrics 41, 1985
        (weights n₁n₀/(n₁+n₀) for a difference of shares within groups).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Comparison:
    """Share of clicks where x is 1 minus the share where it is 0."""

    pooled: float  # over all rows; nan where all rows of one side have weight 0
    within: float  # inside the groups, averaged; nan where no group has both

    @property
    def reversed(self) -> bool:
        """The two have opposite signs."""
        return self.pooled * self.within < 0


def compare(y: NDArray, x: NDArray, group: NDArray, weight: NDArray | None = None) -> Comparison:
    """Pooled and within-group difference of the share of clicks.

    Args:
        y: (N,) labels 0 or 1.
        x: (N,) 0 or 1, what is compared.
        group: (N,) whole numbers from 0.
        weight: (N,) how often each row counts; once by default.

    Raises:
        ValueError: unequal lengths, labels other than 0 and 1, or an x that does not take both values.
    """
    y, x, group = np.asarray(y, float), np.asarray(x, float), np.asarray(group)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    if not len(y) == len(x) == len(group) == len(w) or not set(np.unique(x)) == {0.0, 1.0}:
        raise ValueError(
            f"got {len(y)} labels, {len(x)} x with values {np.unique(x)[:4]}, {len(group)} groups; expected equal lengths "
            "and an x that is sometimes 0 and sometimes 1."
        )
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1; got {np.unique(y)[:5]}.")
    n1, n0 = np.bincount(group, w * x), np.bincount(group, w * (1 - x))
    k1, k0 = np.bincount(group, w * x * y), np.bincount(group, w * (1 - x) * y)
    both = (n1 > 0) & (n0 > 0)
    sides = n1.sum() > 0 and n0.sum() > 0
    pooled = k1.sum() / n1.sum() - k0.sum() / n0.sum() if sides else float("nan")
    if not both.any():
        return Comparison(float(pooled), float("nan"))
    difference = k1[both] / n1[both] - k0[both] / n0[both]
    return Comparison(float(pooled), float(np.average(difference, weights=(n1 * n0)[both] / (n1 + n0)[both])))


def resampled(
    y: NDArray, x: NDArray, group: NDArray, clusters: tuple[NDArray, ...], draws: int, rng: np.random.Generator
) -> NDArray:
    """(draws, 2) pooled and within, in worlds with other users and other films: what a new sample might have said.

    Rows of one user are not independent, nor are those of one film. So whole clusters are drawn, each counted a Poisson(1)
    number of times, and a row as often as the product over its clusters (Owen, "The pigeonhole bootstrap", Annals of
    Applied Statistics 1(2), 2007). A draw that leaves a comparison without rows gives nan.

    Args:
        clusters: for each way of clustering (N,) whole numbers from 0: users, films.
    """
    found = np.empty((draws, 2))
    for d in range(draws):
        weight = np.ones(len(y))
        for cluster in clusters:
            weight *= rng.poisson(1.0, int(cluster.max()) + 1)[cluster]
        one = compare(y, x, group, weight)
        found[d] = one.pooled, one.within
    return found
