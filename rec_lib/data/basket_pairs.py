"""Pairs of a user and an item for two towers: who took it, what it was, what else that user took."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data.watches import Watches
from rec_lib.schema import Batch


class BasketPairs(Watches):
    """Examples {"user" (B,), "item" (B,), "history" (B, T)}, the same number a user; the history never holds the item.

    Args:
        seen: (users, items), sorted, real ids from 2.
        maxlen: T; a longer history is a random T of the user's other items.
        rng: draws the examples.

    Attributes:
        q: (items,) the law that the items of the examples follow: the mean over users of one over their number of items.
    """

    def __init__(self, seen: csr_matrix, maxlen: int, rng: np.random.Generator):
        super().__init__(seen, None, maxlen, rng)
        share = 1 / np.maximum(self.count, 1)[self.owner] / max(1, int((self.count > 0).sum()))
        self.q = np.bincount(self.item, weights=share, minlength=seen.shape[1])

    def examples(self, per_user: int) -> Batch:
        """`per_user` examples of each user who took something, drawn with repetition, in random order."""
        self.item = self.item[np.lexsort((self.rng.random(len(self.item)), self.owner))]
        users = self.rng.permutation(np.repeat(np.flatnonzero(self.count), per_user))
        place = (self.rng.random(len(users)) * self.count[users]).astype(np.int64)
        return {
            "user": torch.from_numpy(users),
            "item": torch.from_numpy(self.item[self.begin[users] + place]),
            "history": torch.from_numpy(self._before(users, place)),
        }

    def batches(self, per_user: int, size: int) -> Iterator[Batch]:
        """`examples` in slices of `size` rows; a last slice of one row, which has no negatives, is left out."""
        rows = self.examples(per_user)
        for start in range(0, len(rows["item"]) - 1, size):
            yield {name: column[start : start + size] for name, column in rows.items()}


def features_of(features: np.ndarray | None, rows: int) -> torch.Tensor:
    """(rows, F) float32, F = 0 without features. Raises ValueError for another number of rows and for NaN or infinity."""
    found = np.zeros((rows, 0)) if features is None else np.asarray(features, dtype=np.float64)
    if found.ndim != 2 or len(found) != rows or not np.isfinite(found).all():
        raise ValueError(f"features have shape {found.shape}; expected ({rows}, F), a row an id, of finite numbers.")
    return torch.from_numpy(found).float()
