"""SGNS without the sampling: the same objective in expectation, summed over all pairs at once.

Sampling reaches a pair (c, o) as often as it co-occurs, #(c, o), and draws k negatives for each. Their expectation is

    E(V, U) = −Σ_{c,o} [ #(c, o) log σ(⟨v_c, u_o⟩) + N(c, o) log σ(−⟨v_c, u_o⟩) ],   N(c, o) = k f_o (#(c) − #(c, o))

with f = counts^0.75 normalised (a negative equal to the context is skipped, hence the second term of N). Where d is large
enough the optimum is ⟨v_c, u_o⟩ = log #(c, o) − log N(c, o): shifted PMI (Levy & Goldberg, NIPS 2014). On graphs of a few
hundred nodes a step over all pairs costs less than a millisecond and has no noise, so a slider's picture moves only as
much as the slider moves it. It needs n² numbers: for larger graphs use `train`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rec_lib.embeddings.corpus import Corpus, Vectors
from rec_lib.embeddings.engine import noise_law

LARGEST = 4096  # nodes; above it the n × n arrays no longer fit a laptop's cache, nor a slider's patience


@njit(cache=True)
def _count(tokens: np.ndarray, offsets: np.ndarray, window: int, dynamic: bool, counts: np.ndarray) -> None:
    for s in range(len(offsets) - 1):
        for i in range(offsets[s], offsets[s + 1]):
            for j in range(i + 1, min(offsets[s + 1], i + window + 1)):
                weight = (window - (j - i) + 1) / window if dynamic else 1.0
                counts[tokens[i], tokens[j]] += weight
                counts[tokens[j], tokens[i]] += weight


def cooccurrences(corpus: Corpus, window: int = 10, dynamic_window: bool = True) -> np.ndarray:
    """Expected number of times SGNS visits each (centre, context) pair in one pass, (n, n) float64, symmetric.

    Raises ValueError for window < 1 and for more than `LARGEST` tokens.
    """
    if window < 1:
        raise ValueError(f"window = {window}; expected at least 1")
    if corpus.size > LARGEST:
        raise ValueError(f"{corpus.size} nodes need {corpus.size}² numbers; use `train` above {LARGEST} nodes")
    counts = np.zeros((corpus.size, corpus.size))
    _count(corpus.tokens, corpus.offsets, window, dynamic_window, counts)
    return counts


def expected_pairs(counts: np.ndarray, noise: np.ndarray, negatives: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Positive and negative weights of every pair, (n, n) each, divided by the number of positive pairs."""
    positive = counts / counts.sum()
    return positive, negatives * noise * (positive.sum(1, keepdims=True) - positive)


def objective(vectors: Vectors, positive: np.ndarray, negative: np.ndarray) -> float:
    """E(V, U) per positive pair, a scalar."""
    z = vectors.centre @ vectors.context.T
    return float((positive * np.logaddexp(0, -z) + negative * np.logaddexp(0, z)).sum())


def gradient(vectors: Vectors, positive: np.ndarray, negative: np.ndarray) -> Vectors:
    """∂E/∂V and ∂E/∂U, (n, d) each: (σ(z) − label) times the other vector, summed over all pairs."""
    sigma = 1.0 / (1.0 + np.exp(-(vectors.centre @ vectors.context.T)))
    error = (positive + negative) * sigma - positive  # (n, n)
    return Vectors(error @ vectors.context, error.T @ vectors.centre)


def train_full_batch(
    counts: np.ndarray, tokens: np.ndarray, start: Vectors, *, negatives: int = 5, steps: int = 40, lr: float = 0.1
) -> Vectors:
    """Minimise the expected SGNS objective with Adam from `start`; deterministic.

    counts: (n, n) from `cooccurrences`; tokens: (n,) how often each token occurs, for the law of the negatives.
    start: a random start or, for a slider, the vectors of a setting near by (a warm start: few steps, and the new picture
    stays comparable to the old). The result has the type of `start`. Raises ValueError if nothing co-occurs.
    """
    if counts.sum() <= 0:
        raise ValueError("no two tokens co-occur; walks of length 1 have no contexts")
    dtype = start.centre.dtype
    positive, negative = (m.astype(dtype) for m in expected_pairs(counts, noise_law(tokens), negatives))
    x = [start.centre.copy(), start.context.copy()]
    mean = [np.zeros_like(a) for a in x]
    square = [np.zeros_like(a) for a in x]
    for step in range(1, steps + 1):
        g = gradient(Vectors(*x), positive, negative)
        for a, m, s, grad in zip(x, mean, square, g, strict=True):
            m += 0.1 * (grad - m)
            s += 0.01 * (grad * grad - s)
            a -= lr * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.99**step)) + 1e-12)
    return Vectors(*x)
