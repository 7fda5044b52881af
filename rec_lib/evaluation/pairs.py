"""Do the vectors of two items say that they stand together? Pairs of held-out sessions against the same items re-paired."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rec_lib.evaluation.metrics import auc


def window_pairs(sessions: Iterable[np.ndarray], window: int) -> np.ndarray:
    """(P, 2) int64: all (v, u), v ≠ u, that stand within `window` places of each other in a session, in both orders."""
    found = [np.empty((0, 2), np.int64)]
    for session in sessions:
        s = np.asarray(session)
        for k in range(1, min(window, len(s) - 1) + 1):
            found += [np.stack([s[:-k], s[k:]], 1), np.stack([s[k:], s[:-k]], 1)]
    pairs = np.concatenate(found)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def pair_auc(scores: np.ndarray, pairs: np.ndarray, rng: np.random.Generator) -> float:
    """P(a true pair (v, u) scores above (v, u')), u' being the u of another pair, so that popularity alone gains nothing.

    scores: (n, n), row v; pairs: (P, 2). 0.5 is chance. Raises ValueError for no pairs.
    """
    if not len(pairs):
        raise ValueError("there are no pairs; are the held-out sessions longer than one item?")
    other = rng.permutation(pairs[:, 1])
    label = np.repeat([1, 0], len(pairs))
    return auc(label, np.concatenate([scores[pairs[:, 0], pairs[:, 1]], scores[pairs[:, 0], other]]))
