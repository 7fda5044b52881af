"""What a set of vectors is worth before any model uses it: its picture, its neighbours, its sums and differences.

Neighbours are by cosine, as everywhere in chapter 4; the distance between two dots of a picture is Euclid's.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

BLOCK = 1024  # rows of the cosine table that are in memory at once


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, (n, d) float64; a row of zeros stays one. Raises ValueError where a number is not finite."""
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinity; expected finite numbers")
    wide = vectors.astype(np.float64)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)


def principal_axes(vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k directions in which the rows (n, d) vary most, (k, d), and the share of the variance along each, (k,).

    Each axis points to where its largest entry is above 0, so that the same rows always give the same picture. Raises
    ValueError for a k outside 1 … min(n, d) and for rows that are all the same.
    """
    if not 1 <= k <= min(vectors.shape):
        raise ValueError(f"k={k} axes of vectors of shape {vectors.shape}; expected 1 to {min(vectors.shape)}")
    _, s, axes = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    if s[0] == 0:
        raise ValueError(f"all {len(vectors)} vectors are the same; there is no direction in which they vary")
    top = axes[:k]
    sign = np.sign(top[np.arange(k), np.abs(top).argmax(1)])
    return top * sign[:, None], s[:k] ** 2 / (s**2).sum()


def cosine_neighbours(vectors: np.ndarray, k: int) -> np.ndarray:
    """The k rows of the largest cosine to each row, nearest first, itself left out: (n, k). Raises ValueError for k ≥ n."""
    n = len(vectors)
    if not 1 <= k < n:
        raise ValueError(f"k={k} neighbours among {n} vectors; expected 1 to {n - 1}")
    u = unit_rows(vectors)
    near = np.empty((n, k), np.int64)
    for start in range(0, n, BLOCK):
        cosine = u[start : start + BLOCK] @ u.T
        own = np.arange(len(cosine))
        cosine[own, start + own] = -np.inf
        near[start : start + BLOCK] = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return near


def kept_in_picture(places: np.ndarray, near: np.ndarray) -> float:
    """Share of each row's neighbours `near` (n, k) that are among its k nearest dots of the picture `places` (n, 2 or 3).

    1: the picture shows every neighbourhood as it is; k / (n − 1) is what a picture of dots strewn at random keeps.
    """
    n, k = near.shape
    found = KDTree(places).query(places, k + 1)[1]
    # dots in one place may hide a dot from itself: then the last of the k + 1 goes
    own = found == np.arange(n)[:, None]
    own[~own.any(1), -1] = True
    dots = found[~own].reshape(n, k)
    return float((dots[:, :, None] == near[:, None, :]).any(1).mean())


def analogy_report(vectors: np.ndarray, quads: np.ndarray) -> dict[str, float]:
    """How often d is the nearest of all vectors to b − a + c, and what that is worth: shares over the rows of quads (m, 4).

    "left out"    a, b and c may not be the answer: the figure that papers print
    "kept"        every vector may be the answer
    "c itself"    how often the answer is then c
    "c alone"     d is the nearest to c, a and b not used at all (a, b, c left out): what the sum has to beat
    "chance"      1 / (n − 3)

    a is to b as c is to d; rows of length 1 first. Equal cosines are shared: m equally near answers count 1 / m.
    Sources: Mikolov, Yih, Zweig, NAACL 2013; Linzen, "Issues in evaluating semantic spaces using word analogies", 2016.
    """
    u = unit_rows(vectors)
    a, b, c, d = quads.T
    sums, alone = (u[b] - u[a] + u[c]) @ u.T, u[c] @ u.T  # (m, n)
    free = sums.copy()
    for scores in (sums, alone):
        np.put_along_axis(scores, quads[:, :3], -np.inf, 1)
    return {
        "left out": _first(sums, d),
        "kept": _first(free, d),
        "c itself": _first(free, c),
        "c alone": _first(alone, d),
        "chance": 1 / (len(u) - 3),
    }


def _first(scores: np.ndarray, wanted: np.ndarray) -> float:
    best = scores == scores.max(1, keepdims=True)
    return float((best[np.arange(len(wanted)), wanted] / best.sum(1)).mean())
