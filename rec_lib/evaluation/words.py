"""How near related words lie to each other, as ranks: 1 is the nearest word of all, (V − 1) the farthest."""

from __future__ import annotations

import numpy as np


def pair_ranks(vectors: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Rank of each word's mate among all other words by cosine, (2m,): first to second, then second to first.

    vectors: (V, d); pairs: (m, 2) word numbers. Equal cosines count half: a method that gives every word one vector ranks
    in the middle, not first. Raises ValueError where a vector is not finite.
    """
    asked, mate = np.concatenate((pairs, pairs[:, ::-1])).T
    u = _unit(vectors)
    return _ranks(u[asked] @ u.T, mate, asked[:, None])


def analogy_ranks(vectors: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Rank of d among all words but a, b, c by cosine to b − a + c, (m,): a is to b as c is to d; rows of length 1.

    vectors: (V, d); quads: (m, 4) word numbers. Raises ValueError where a vector is not finite.
    Source: Mikolov, Yih, Zweig, NAACL 2013.
    """
    u = _unit(vectors)
    a, b, c, d = quads.T
    return _ranks((u[b] - u[a] + u[c]) @ u.T, d, quads[:, :3])


def _unit(vectors: np.ndarray) -> np.ndarray:
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinity; expected finite numbers")
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _ranks(scores: np.ndarray, wanted: np.ndarray, without: np.ndarray) -> np.ndarray:
    own = np.take_along_axis(scores, wanted[:, None], 1)  # (m, 1)
    np.put_along_axis(scores, without, -np.inf, 1)
    return 1 + (scores > own).sum(1) + ((scores == own).sum(1) - 1) / 2
