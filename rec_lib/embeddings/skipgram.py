"""Skip-gram with negative sampling 负采样 (SGNS): the engine that word2vec, item2vec, DeepWalk, node2vec and EGES share.

Sources: Mikolov et al., "Distributed representations of words and phrases", NIPS 2013, eq. 4 (loss), section 2.3
(subsampling); Rong, arXiv:1411.2738, eq. 59-61 (gradients). For a centre c, a context o and negatives o_1 … o_k:

    E = −log σ(⟨v_c, u_o⟩) − Σ_m log σ(−⟨v_c, u_{o_m}⟩),   o_m ~ counts^0.75

    ∂E/∂u_j = (σ(⟨v_c, u_j⟩) − label_j) v_c        ∂E/∂v_c = Σ_j (σ(⟨v_c, u_j⟩) − label_j) u_j

A negative that happens to be o is skipped, as in the word2vec program. One thread, no global random state: the same
generator gives the same vectors to the last bit on one machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from rec_lib.embeddings.alias import AliasTable, draw_alias
from rec_lib.embeddings.splitmix import below, fresh_state, uniform


class Vectors(NamedTuple):
    """What SGNS learns: `centre` (n, d), the embedding that is used, and `context` (n, d), its counterpart."""

    centre: np.ndarray
    context: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """Sentences (or walks, or sessions) of tokens 0..size−1 as one flat array.

    tokens: (T,) whole numbers, kept as int32; offsets: (S + 1,) int64, sentence s is tokens[offsets[s]:offsets[s+1]]; size: number of tokens that exist.
    Raises ValueError where a token is no whole number or outside 0..size−1, or the offsets do not cover the tokens.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    size: int

    def __post_init__(self) -> None:
        if self.tokens.ndim != 1 or self.tokens.dtype.kind not in "iu":
            raise ValueError(
                f"tokens have shape {self.tokens.shape} and type {self.tokens.dtype}; expected a vector of whole numbers. "
                "Number the words first."
            )
        if self.tokens.size and not 0 <= self.tokens.min() <= self.tokens.max() < self.size:
            raise ValueError(f"tokens run over {self.tokens.min()}..{self.tokens.max()}; expected 0..{self.size - 1}")
        if self.offsets[0] != 0 or self.offsets[-1] != self.tokens.size or (np.diff(self.offsets) < 0).any():
            raise ValueError(f"offsets must rise from 0 to the number of tokens, {self.tokens.size}")
        object.__setattr__(self, "tokens", self.tokens.astype(np.int32, copy=False))

    @classmethod
    def from_walks(cls, walks: np.ndarray, size: int) -> Corpus:
        """From walks (S, L), −1 behind the end of a walk."""
        real = walks >= 0
        return cls(walks[real], np.concatenate(([0], real.sum(1).cumsum())).astype(np.int64), size)

    @classmethod
    def from_sentences(cls, sentences: Iterable[np.ndarray], size: int) -> Corpus:
        """From arrays of token numbers of any lengths."""
        parts = [np.asarray(s) if len(s) else np.empty(0, np.int32) for s in sentences]
        offsets = np.concatenate(([0], np.cumsum([len(s) for s in parts]))).astype(np.int64)
        return cls(np.concatenate(parts) if parts else np.empty(0, np.int32), offsets, size)

    @property
    def counts(self) -> np.ndarray:
        """How often each token occurs, (size,) int64."""
        return np.bincount(self.tokens, minlength=self.size)


@njit(cache=True, fastmath={"reassoc", "contract"}, error_model="numpy")
def _pair(
    centre: np.ndarray,
    context: np.ndarray,
    c: int,
    o: int,
    negatives: int,
    lr: float,
    accept: np.ndarray,
    alias: np.ndarray,
    gradient: np.ndarray,
    state: np.ndarray,
) -> None:
    """One step of gradient descent for the pair (c, o) and its negatives."""
    d = centre.shape[1]
    gradient[:] = 0.0
    for m in range(negatives + 1):
        j = o
        if m > 0:
            j = draw_alias(accept, alias, 0, len(accept), state)
            if j == o:
                continue
        z = centre.dtype.type(0.0)
        for i in range(d):
            z += centre[c, i] * context[j, i]
        e = centre.dtype.type(lr * ((1.0 if m == 0 else 0.0) - 1.0 / (1.0 + np.exp(-z))))
        for i in range(d):
            gradient[i] += e * context[j, i]
            context[j, i] += e * centre[c, i]
    for i in range(d):
        centre[c, i] += gradient[i]  # after all: every term of E is taken at the same v_c


@njit(cache=True)
def _epoch(
    tokens: np.ndarray,
    offsets: np.ndarray,
    order: np.ndarray,
    centre: np.ndarray,
    context: np.ndarray,
    window: int,
    dynamic: bool,
    negatives: int,
    keep: np.ndarray,
    accept: np.ndarray,
    alias: np.ndarray,
    lr_start: float,
    lr_end: float,
    state: np.ndarray,
) -> None:
    gradient = np.empty(centre.shape[1], centre.dtype)
    longest = 0
    for s in range(len(offsets) - 1):
        longest = max(longest, offsets[s + 1] - offsets[s])
    sentence = np.empty(longest, np.int64)
    seen = 0
    for s in order:
        lr = lr_start + (lr_end - lr_start) * seen / len(tokens)
        seen += offsets[s + 1] - offsets[s]
        length = 0
        for i in range(offsets[s], offsets[s + 1]):  # dropped tokens close the gap: the window then reaches further
            if keep[tokens[i]] >= 1.0 or uniform(state) < keep[tokens[i]]:
                sentence[length] = tokens[i]
                length += 1
        for i in range(length):
            reach = 1 + below(state, window) if dynamic else window
            for j in range(max(0, i - reach), min(length, i + reach + 1)):
                if j != i:
                    _pair(centre, context, sentence[i], sentence[j], negatives, lr, accept, alias, gradient, state)


def keep_probability(counts: np.ndarray, subsample: float) -> np.ndarray:
    """Share of each token's occurrences that is kept, (n,): min(1, √(t / f)), f = relative count, t = `subsample`; 0 keeps all."""
    if subsample == 0.0:
        return np.ones(len(counts))
    with np.errstate(divide="ignore"):
        return np.minimum(1.0, np.sqrt(subsample * counts.sum() / counts))


def noise_law(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """The law of the negatives, (n,): counts^power / Σ counts^power. Tokens that never occur are never drawn."""
    weights = np.where(counts > 0, np.asarray(counts, np.float64), 0.0) ** power * (counts > 0)
    return weights / weights.sum()


def start_vectors(size: int, dim: int, rng: np.random.Generator, dtype: type = np.float32) -> Vectors:
    """word2vec's start: centre uniform in ±0.5 / d, context zero."""
    return Vectors(((rng.random((size, dim)) - 0.5) / dim).astype(dtype), np.zeros((size, dim), dtype))


def check_training(dim: int, window: int, negatives: int, lr: float, epochs: int, subsample: float = 0.0) -> None:
    """Raise ValueError that names the first number out of range."""
    least = {"dim": (dim, 1), "window": (window, 1), "negatives": (negatives, 0), "epochs": (epochs, 1)}
    for name, (value, lowest) in least.items():
        if value < lowest:
            raise ValueError(f"{name} = {value}; expected at least {lowest}")
    if not lr > 0 or not subsample >= 0:
        raise ValueError(f"lr = {lr}, subsample = {subsample}; expected lr > 0 and subsample >= 0")


def train_sgns(
    corpus: Corpus,
    dim: int = 16,
    *,
    window: int = 10,
    dynamic_window: bool = True,
    negatives: int = 5,
    power: float = 0.75,
    subsample: float = 0.0,
    lr: float = 0.05,
    epochs: int = 1,
    rng: np.random.Generator,
    start: Vectors | None = None,
) -> Vectors:
    """Train SGNS by plain stochastic gradient descent; the step falls linearly from `lr` to 0 over all epochs.

    window: contexts on each side; with `dynamic_window` each centre draws its own reach from 1..window, so a token at
    distance δ counts (window − δ + 1) / window times. negatives: per pair. start: vectors to go on from (copied; their
    type, float32 or float64, is kept). Sentences come in a new order each epoch.
    Returns `Vectors`, each (corpus.size, dim). Raises ValueError for numbers out of range and for an empty corpus.
    """
    check_training(dim, window, negatives, lr, epochs, subsample)
    counts = corpus.counts
    if counts.sum() == 0:
        raise ValueError("the corpus has no tokens; there is nothing to learn from")
    begin = start_vectors(corpus.size, dim, rng) if start is None else start
    if begin.centre.shape != (corpus.size, dim) or begin.context.shape != (corpus.size, dim):
        raise ValueError(
            f"start has shapes {begin.centre.shape}, {begin.context.shape}; expected ({corpus.size}, {dim}) twice"
        )
    centre, context = begin.centre.copy(), begin.context.copy()
    noise = AliasTable(noise_law(counts, power))
    keep = keep_probability(counts, subsample)
    state = fresh_state(rng)
    for epoch in range(epochs):
        order = rng.permutation(len(corpus.offsets) - 1)
        lr_start, lr_end = lr * (1 - epoch / epochs), lr * (1 - (epoch + 1) / epochs)
        _epoch(
            *(corpus.tokens, corpus.offsets, order, centre, context, window, dynamic_window, negatives),
            *(keep, noise.accept, noise.alias, lr_start, lr_end, state),
        )
    return Vectors(centre, context)
