"""Raw values to ids and back: one vocabulary, in sorted order, above the two reserved ids."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rec_lib.schema import FIRST, OOV


class Encoder:
    """The vocabulary of one field: the sorted distinct `values` get the ids 2, 3, …; anything else is OOV (1).

    values  numbers or strings, of one kind.

    Raises ValueError for an empty vocabulary.
    """

    def __init__(self, values: Iterable[int] | Iterable[str]):
        self.values = np.unique(np.asarray(list(values)))
        if not len(self.values):
            raise ValueError("a vocabulary needs at least one value; got none. Is the column empty?")

    @property
    def size(self) -> int:
        """How many ids there are, PAD and OOV included."""
        return len(self.values) + FIRST

    def encode(self, raw: object) -> np.ndarray:
        """Ids (int64) of the same shape as `raw`; unknown values give OOV."""
        wanted = np.asarray(raw)
        if wanted.dtype == object:  # pandas strings
            wanted = wanted.astype(self.values.dtype.kind)
        place = np.searchsorted(self.values, wanted).clip(max=len(self.values) - 1)
        return np.where(self.values[place] == wanted, place + FIRST, OOV).astype(np.int64)

    def decode(self, ids: object) -> np.ndarray:
        """Raw values of the same shape as `ids`. Raises ValueError for PAD, OOV and ids past the end."""
        place = np.asarray(ids) - FIRST
        if (place < 0).any() or (place >= len(self.values)).any():
            got = np.asarray(ids)
            raise ValueError(f"ids from {got.min()} to {got.max()}; only {FIRST} … {self.size - 1} stand for a value.")
        return self.values[place]
