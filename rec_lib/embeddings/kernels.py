"""The compiled loops of the engine: which rows meet which vector, and one step of gradient descent for them.

Everything that word2vec trains is a vector h (a word's own, or the mean of its neighbours') against some rows u_r of a table:

    E = −Σ_r [ yes_r log σ(⟨h, u_r⟩) + no_r log σ(−⟨h, u_r⟩) ],   −∂E/∂u_r = e_r h,   −∂E/∂h = Σ_r e_r u_r,
    e_r = yes_r − (yes_r + no_r) σ(⟨h, u_r⟩)

Negative sampling fills the rows with contexts (yes) and draws (no), hierarchical softmax with the inner nodes of a path.
The full softmax has every word as a row and e_r = yes_r − Σ yes · p_r. A row that is met twice is one row with a larger
count, so all terms are taken at the same point and a step is exactly −lr ∂E.

Sources: Mikolov et al., NIPS 2013, eq. 4; Rong, arXiv:1411.2738, eq. 48-52 (tree), 56-61 (negative sampling).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rec_lib.embeddings.splitmix import below, next_bits, uniform

NEGATIVE, TREE, SOFTMAX = 0, 1, 2
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def step(
    inputs: np.ndarray,
    c: int,
    table: np.ndarray,
    rows: np.ndarray,
    yes: np.ndarray,
    no: np.ndarray,
    n: int,
    lr: float,
    softmax: bool,
    e: np.ndarray,
    gain: np.ndarray,
) -> None:
    """Move the first n `rows` of `table` by −lr ∂E, with h = inputs[c]; leave −lr ∂E/∂h in `gain` (d,). `e`: room for n numbers."""
    d = inputs.shape[1]
    one, rate = inputs.dtype.type(1.0), inputs.dtype.type(lr)
    h = inputs[c]
    for r in range(n):
        u = table[rows[r]]
        z = inputs.dtype.type(0.0)
        for i in range(d):
            z += h[i] * u[i]
        e[r] = z
    if softmax:
        total, mass, top = inputs.dtype.type(0.0), inputs.dtype.type(0.0), e[0]
        for r in range(1, n):
            top = max(top, e[r])
        for r in range(n):
            e[r] = np.exp(e[r] - top)
            total += e[r]
            mass += yes[r]
        for r in range(n):
            e[r] = rate * (yes[r] - mass * e[r] / total)
    else:
        for r in range(n):
            e[r] = rate * (yes[r] - (yes[r] + no[r]) / (one + np.exp(-e[r])))
    gain[:] = 0.0
    for r in range(n):
        u, slope = table[rows[r]], e[r]
        for i in range(d):
            gain[i] += slope * u[i]
            u[i] += slope * h[i]


@njit(cache=True, nogil=True)
def _draw(accept: np.ndarray, alias: np.ndarray, state: np.ndarray) -> int:
    """A negative from the alias table: 32 bits choose the column, 32 others which of its two words."""
    bits = next_bits(state)
    column = int(np.int64(((bits >> HALF) * np.uint64(len(accept))) >> HALF))
    return column if np.float64(bits & LOW) * 2.0**-32 < accept[column] else alias[column]


@njit(cache=True, nogil=True)
def _find(rows: np.ndarray, n: int, j: int) -> int:
    for r in range(n):
        if rows[r] == j:
            return r
    return n


@njit(cache=True, nogil=True)
def _sampled_rows(
    words: np.ndarray,
    first: int,
    last: int,
    negatives: int,
    accept: np.ndarray,
    alias: np.ndarray,
    state: np.ndarray,
    rows: np.ndarray,
    yes: np.ndarray,
    no: np.ndarray,
) -> int:
    """Rows for words[first:last], which were seen, and the `negatives` that they share; how many rows there are."""
    n = 0
    for k in range(first, last):
        o = words[k]
        r = _find(rows, n, o)
        if r == n:
            rows[r], yes[r], no[r] = o, 0, 0
            n += 1
        yes[r] += 1
    for _ in range(negatives):
        j = _draw(accept, alias, state)
        r = _find(rows, n, j)
        if r == n:
            rows[r], yes[r], no[r] = j, 0, 0
            n += 1
        no[r] += last - first - yes[r]  # a pair whose context it is does not count it, as in the word2vec program
    return n


@njit(cache=True, nogil=True)
def _tree_rows(
    word: int, start: np.ndarray, nodes: np.ndarray, ones: np.ndarray, rows: np.ndarray, yes: np.ndarray, no: np.ndarray
) -> int:
    """The inner nodes on the way from the root to `word`; "yes" is the child whose code bit is 0."""
    n = 0
    for k in range(start[word], start[word + 1]):
        rows[n], yes[n], no[n] = nodes[k], 1 - ones[k], ones[k]
        n += 1
    return n


@njit(cache=True, nogil=True)
def train_block(
    tokens: np.ndarray,
    offsets: np.ndarray,
    order: np.ndarray,
    centre: np.ndarray,
    table: np.ndarray,
    cbow: bool,
    output: int,
    window: int,
    dynamic: bool,
    negatives: int,
    share: int,
    keep: np.ndarray,
    accept: np.ndarray,
    alias: np.ndarray,
    path_start: np.ndarray,
    path_nodes: np.ndarray,
    path_ones: np.ndarray,
    lr_start: float,
    lr_end: float,
    length_of_all: float,
    state: np.ndarray,
) -> None:
    """One pass over the sentences `order` of a block. The step falls from lr_start to lr_end over `length_of_all` tokens."""
    size, dim = centre.shape
    longest = 0
    for s in order:
        longest = max(longest, offsets[s + 1] - offsets[s])
    sentence = np.empty(longest, np.int64)
    words = np.empty(max(1, min(2 * window, longest)), np.int64)
    room = share + negatives if output == NEGATIVE else max(1, len(table))
    rows = np.arange(room)
    yes, no, e = np.zeros(room, centre.dtype), np.zeros(room, centre.dtype), np.empty(room, centre.dtype)
    gain, mean = np.empty(dim, centre.dtype), np.empty((1, dim), centre.dtype)
    seen = 0
    for s in order:
        lr = lr_start + (lr_end - lr_start) * seen / length_of_all
        seen += offsets[s + 1] - offsets[s]
        length = 0
        for i in range(offsets[s], offsets[s + 1]):  # dropped tokens close the gap: the window then reaches further
            if keep[tokens[i]] >= 1.0 or uniform(state) < keep[tokens[i]]:
                sentence[length] = tokens[i]
                length += 1
        for i in range(length):
            reach = 1 + below(state, window) if dynamic else window
            around = 0
            for j in range(max(0, i - reach), min(length, i + reach + 1)):
                if j != i:
                    words[around] = sentence[j]
                    around += 1
            if around == 0:
                continue
            if cbow:
                part = centre.dtype.type(1.0 / around)
                mean[:] = 0.0
                for k in range(around):
                    for j in range(dim):
                        mean[0, j] += part * centre[words[k], j]
            # Skip-gram meets `share` contexts at a time, CBOW its one target.
            met, inputs, c = words, centre, sentence[i]
            todo = around
            if cbow:
                met, inputs, c = sentence[i : i + 1], mean, 0
                todo = 1
            for first in range(0, todo, share):
                if output == NEGATIVE:
                    last = min(first + share, todo)
                    n = _sampled_rows(met, first, last, negatives, accept, alias, state, rows, yes, no)
                elif output == TREE:
                    n = _tree_rows(met[first], path_start, path_nodes, path_ones, rows, yes, no)
                else:
                    n = size
                    yes[met[first]] = 1
                if output == SOFTMAX:  # True and False as they stand: each call is compiled without the other's branch
                    step(inputs, c, table, rows, yes, no, n, lr, True, e, gain)
                    yes[met[first]] = 0
                else:
                    step(inputs, c, table, rows, yes, no, n, lr, False, e, gain)
                if cbow:
                    for k in range(around):  # h is a mean: each of its words gets 1 / |C| of the slope
                        for j in range(dim):
                            centre[words[k], j] += part * gain[j]
                else:
                    moved = centre[c]
                    for j in range(dim):
                        moved[j] += gain[j]  # after all: every term of E is taken at the same h
