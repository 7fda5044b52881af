"""What the engine reads: sentences, walks or sessions of numbered tokens, in memory or one block after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Vectors(NamedTuple):
    """What is learnt: `centre` (n, d), the embedding that is used, and `context`, its counterpart: (n, d), or (n − 1, d) for a tree."""

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


@dataclass(frozen=True)
class Stream:
    """A corpus that is never in memory as a whole: `blocks()` starts it from the beginning, once for the counts and once an epoch.

    blocks: a function, not an iterator, since it is called again; each block is a `Corpus` of the same `size`. For walks:
    `Stream(lambda: (Corpus.from_walks(walker.walk(rng=np.random.default_rng(r)), n) for r in range(10)), n)`.
    """

    blocks: Callable[[], Iterable[Corpus]]
    size: int

    @property
    def counts(self) -> np.ndarray:
        """How often each token occurs, (size,) int64; reads everything once."""
        return sum((block.counts for block in self.blocks()), np.zeros(self.size, np.int64))
