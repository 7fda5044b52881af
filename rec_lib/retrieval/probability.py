"""The probabilities of locality-sensitive hashing, as functions of a distance (section 4.6.2 and 4.6.3).

Paper    Datar, Immorlica, Indyk, Mirrokni, SoCG 2004 (p-stable); Charikar, STOC 2002 (sign)
Symbols  c distance · w bucket width · θ angle · p one hash collides · K hashes joined by AND · L joined by OR
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special
from scipy.stats import binom

from rec_lib.retrieval.base import checked_count, checked_positive


def p_stable(r: Any, erf: Callable[..., Any] = special.erf, expm1: Callable[..., Any] = np.expm1) -> Any:
    """P[h(u) = h(v)] as a function of r = w/c > 0:  1 - 2Φ(-r) - 2/(√(2π) r) · (1 - exp(-r²/2)).

    `erf` and `expm1` may be torch's: the probability can then be differentiated.
    """
    return erf(r / 2**0.5) + (2 / np.pi) ** 0.5 / r * expm1(-(r**2) / 2)  # erf(r/√2) = 1 - 2Φ(-r)


def collision(c: Any, w: float) -> np.ndarray:
    """P[h(u) = h(v)] of h(v) = ⌊(x·v + b)/w⌋ for ||u - v|| = c >= 0, in the same unit as w; 1 at c = 0."""
    c = np.asarray(c, np.float64)
    if not (c >= 0).all():
        raise ValueError(f"a distance is at least 0; got {c.min()}")
    w = checked_positive(w, "w", "the unit of the distances")
    return np.where(c > 0, p_stable(w / np.where(c > 0, c, 1.0)), 1.0)


def collision_without_offset(a: Any, c: float, w: float) -> np.ndarray:
    """The same for ⌊x·v/w⌋, the formula without b, and two points at a and a + c on a line through the origin.

    Both projections are multiples of one Gaussian x, so the points share bucket n >= 0 while nw <= xa and
    x(a + c) < (n + 1)w:  2 Σ_n max(0, Φ((n + 1)w/(a + c)) - Φ(nw/a)), the 2 for negative x. The answer depends on a.
    On the two sides of the origin the points have projections of different sign: 0. In the origin (a = 0, ⌊0⌋ = 0)
    only positive x can join them: Φ(w/c) - ½.
    """
    c, w = checked_positive(c, "c", "a distance"), checked_positive(w, "w", "the unit of the distances")
    a = np.asarray(a, np.float64)
    near, far = np.minimum(np.abs(a), np.abs(a + c)), np.maximum(np.abs(a), np.abs(a + c))
    n = np.arange(int(np.ceil(9 * far.max(initial=0.0) / w)) + 1)  # beyond 9 standard deviations nothing is left
    low = special.ndtr(n * w / np.where(near > 0, near, 1.0)[..., None])
    high = special.ndtr((n + 1) * w / far[..., None])
    both = 2 * np.maximum(0, high - low).sum(-1)
    one_side = special.ndtr(w / c) - 0.5
    return np.where(near == 0, one_side, np.where(a * (a + c) < 0, 0.0, both))


def sign_collision(angle: Any) -> np.ndarray:
    """P[sign(x·u) = sign(x·v)] = 1 - θ/π for an angle θ in radians, 0 <= θ <= π."""
    angle = np.asarray(angle, np.float64)
    if not ((angle >= 0) & (angle <= np.pi)).all():
        raise ValueError("an angle between two vectors lies in [0, π] radians")
    return 1 - angle / np.pi


def and_or(p: Any, K: int, L: int, min_hits: int = 1) -> Any:
    """AND of K, then OR of L: 1 - (1 - p^K)^L; with `min_hits` m, at least m of the L tables must agree.

    `p` is a number, an array or (for m = 1) a tensor of probabilities.
    """
    q = p ** checked_count(K, "K")
    if checked_count(min_hits, "min_hits") == 1:
        return 1 - (1 - q) ** checked_count(L, "L")
    return binom.sf(min_hits - 1, checked_count(L, "L"), q)


def or_and(p: Any, K: int, L: int) -> Any:
    """OR of L, then AND of K: (1 - (1 - p)^L)^K."""
    return (1 - (1 - p) ** checked_count(L, "L")) ** checked_count(K, "K")


def threshold(K: int, L: int) -> float:
    """Where the S-curve of AND-then-OR is steep: p ≈ (1/L)^(1/K)."""
    return float((1 / checked_count(L, "L")) ** (1 / checked_count(K, "K")))
