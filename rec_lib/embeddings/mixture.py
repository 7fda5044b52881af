"""Skip-gram whose centre is a weighted mean of several vectors: the compiled part of EGES.

The centre v has slots s = 0 … S: its own vector and one vector an attribute. With e = σ(⟨H_v, Z_u⟩) − y (Wang et al., KDD
2018, arXiv:1803.02349, eq. 6-10):

    H_v = Σ_s w_s W^s,   w = softmax(a_v)        ∂L/∂W^s = w_s e Z_u        ∂L/∂a^s = w_s (W^s − H_v)·e Z_u

The paper writes the last one with sums of exponentials above and below; it is the same (the section derives it). A slot
without a value takes no part: its weight is 0 and the others share the 1. A slot with several values is their mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from rec_lib.data.sides import Sides
from rec_lib.embeddings.alias import draw_alias
from rec_lib.embeddings.splitmix import below


def weighted_mean(W: Any, a: Any) -> Any:
    """H = Σ_s e^{a_s} W^s / Σ_s e^{a_s}, (d,), for W (S + 1, d), a (S + 1,); numpy arrays or torch tensors. Eq. 6."""
    e = math.e ** (a - a.max())  # scaled alike above and below, so that no sum overflows
    return e @ W / e.sum()


@njit(cache=True)
def gather(W: np.ndarray, indptr: np.ndarray, rows: np.ndarray, v: int, slot: np.ndarray, present: np.ndarray) -> None:
    """Fill `slot` (S + 1, d) with v's vectors and `present` (S + 1,) with whether there is one."""
    for s in range(len(slot)):
        a, b = indptr[v * len(slot) + s], indptr[v * len(slot) + s + 1]
        present[s] = a < b
        slot[s] = 0.0
        for k in range(a, b):
            slot[s] += W[rows[k]] / (b - a)


@njit(cache=True)
def mix(slot: np.ndarray, a: np.ndarray, present: np.ndarray, w: np.ndarray, H: np.ndarray) -> None:
    """w = softmax of a over the slots that are present, (S + 1,); H = Σ_s w_s slot_s, (d,)."""
    top = -np.inf
    for s in range(len(a)):
        if present[s]:
            top = max(top, a[s])
    total = 0.0
    for s in range(len(a)):
        w[s] = np.exp(a[s] - top) if present[s] else 0.0  # e^{a_s}, scaled alike above and below
        total += w[s]
    H[:] = 0.0
    for s in range(len(a)):
        w[s] /= total
        for i in range(len(H)):
            H[i] += w[s] * slot[s, i]


@njit(cache=True)
def weight_gradient(g: np.ndarray, slot: np.ndarray, w: np.ndarray, H: np.ndarray, out: np.ndarray) -> None:
    """out = w_s (W^s − H)·g, (S + 1,), for g = ∂L/∂H (d,)."""
    for s in range(len(out)):
        out[s] = 0.0
        for i in range(len(g)):
            out[s] += w[s] * (slot[s, i] - H[i]) * g[i]


def pair_gradients(
    W: np.ndarray, a: np.ndarray, Z: np.ndarray, y: float
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """One pair as the compiled loop takes it: loss, ∂L/∂W (S + 1, d), ∂L/∂a (S + 1,), ∂L/∂Z (d,).

    W: the slots of v, (S + 1, d); a: (S + 1,); Z: the context vector of u, (d,); y: 1 for a true pair, 0 for a sampled one.
    """
    w, H, da = np.empty_like(a), np.empty_like(Z), np.empty_like(a)
    mix(W, a, np.ones(len(a), np.bool_), w, H)
    z = float(H @ Z)
    g = (1.0 / (1.0 + np.exp(-z)) - y) * Z  # ∂L/∂H
    weight_gradient(g, W, w, H, da)
    return float(np.logaddexp(0.0, z) - y * z), w[:, None] * g, da, (1.0 / (1.0 + np.exp(-z)) - y) * H


@njit(cache=True, error_model="numpy")
def train_epoch(
    tokens: np.ndarray,
    offsets: np.ndarray,
    order: np.ndarray,
    W: np.ndarray,
    a: np.ndarray,
    Z: np.ndarray,
    indptr: np.ndarray,
    rows: np.ndarray,
    window: int,
    negatives: int,
    accept: np.ndarray,
    alias: np.ndarray,
    lr_start: float,
    lr_end: float,
    weight_step: float,
    state: np.ndarray,
) -> None:
    """One pass of stochastic gradient descent over the pairs, as the engine's skip-gram, with each centre mixed from its slots.

    `weight_step` times the step size is the step of `a`; 0 leaves the weights equal (GES).
    """
    slots, d = a.shape[1], W.shape[1]
    slot, present = np.empty((slots, d), W.dtype), np.empty(slots, np.bool_)
    w, da, H, g = np.empty(slots), np.empty(slots), np.empty(d, W.dtype), np.empty(d, W.dtype)
    seen = 0
    for sentence in order:
        start, end = offsets[sentence], offsets[sentence + 1]
        lr = lr_start + (lr_end - lr_start) * seen / len(tokens)
        seen += end - start
        for i in range(start, end):
            reach = 1 + below(state, window)
            v = tokens[i]
            for j in range(max(start, i - reach), min(end, i + reach + 1)):
                if j == i:
                    continue
                gather(W, indptr, rows, v, slot, present)
                mix(slot, a[v], present, w, H)
                g[:] = 0.0  # −∂L/∂H, over the true context and the sampled ones
                for m in range(negatives + 1):
                    u = tokens[j]
                    if m > 0:
                        u = draw_alias(accept, alias, 0, len(accept), state)
                        if u == tokens[j]:
                            continue
                    z = 0.0
                    for k in range(d):
                        z += H[k] * Z[u, k]
                    e = (1.0 if m == 0 else 0.0) - 1.0 / (1.0 + np.exp(-z))
                    for k in range(d):
                        g[k] += e * Z[u, k]
                        Z[u, k] += lr * e * H[k]
                if weight_step > 0.0:
                    weight_gradient(g, slot, w, H, da)
                    for s in range(slots):
                        a[v, s] += lr * weight_step * da[s]
                for s in range(slots):
                    first, last = indptr[v * slots + s], indptr[v * slots + s + 1]
                    for entry in range(first, last):
                        for k in range(d):
                            W[rows[entry], k] += lr * w[s] / (last - first) * g[k]


def slots(n: int, sides: Sides | None) -> tuple[np.ndarray, np.ndarray]:
    """Slots of all n items as (indptr, rows) of one table: slot 0 is row v, the attributes' rows follow the n items'."""
    if sides is None:
        return np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.int32)
    count = np.concatenate([np.ones((n, 1), np.int64), np.diff(sides.indptr).reshape(n, -1)], axis=1)
    indptr = np.concatenate(([0], count.ravel().cumsum()))
    rows = np.insert(n + sides.rows, sides.indptr[:: len(sides.names)][:n], np.arange(n))
    return indptr.astype(np.int64), rows.astype(np.int32)
