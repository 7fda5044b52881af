"""Pairs that happened with label 1, and pairs that did not, drawn anew for every epoch, with label 0."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data.interactions import Interactions
from rec_lib.schema import FIRST, Batch


class Pointwise:
    """A source of batches {"user", "item", "label"} over the entries of a matrix and items that the users do not have.

    An epoch has each entry once, with label 1, and `negatives` rows with label 0 for each: items drawn evenly from
    those that the user does not have in the matrix. A user who has every item brings no negatives. Another epoch draws
    others: a fixed sample would be learnt by heart, and most unseen pairs would never be asked about.

    Args:
        seen: (users, items), sorted, real ids from 2; every stored entry counts.
        negatives: rows with label 0 for each entry.
        rng: draws items and order.

    Raises:
        ValueError: fewer than 1 negative an entry: a model of ones alone says 1 to everything.
    """

    def __init__(self, seen: csr_matrix, negatives: int, rng: np.random.Generator):
        if negatives < 1:
            raise ValueError(f"negatives={negatives}: expected 1 or more rows with label 0 for each pair.")
        nobody = np.empty(0, dtype=np.int64)
        self.data = Interactions(seen, nobody, nobody, np.empty((0, 0), dtype=np.int64))
        self.negatives, self.rng = negatives, rng
        self.users, self.items = self.data.pairs()
        self.has_more = np.diff(seen.indptr)[self.users] < seen.shape[1] - FIRST  # (pairs,) something is left to draw

    def epoch(self) -> Batch:
        """The rows of one epoch in random order: user and item (R,) int64, label (R,) float32."""
        owners = self.users[self.has_more]
        drawn = self.data.sample(owners, self.negatives, self.rng)  # (pairs, negatives)
        user = np.concatenate([self.users, np.repeat(owners, self.negatives)])
        item = np.concatenate([self.items, drawn.ravel()])
        order = self.rng.permutation(len(user))
        label = (order < len(self.users)).astype(np.float32)
        return {
            "user": torch.from_numpy(user[order]),
            "item": torch.from_numpy(item[order]),
            "label": torch.from_numpy(label),
        }

    def batches(self, size: int) -> Iterator[Batch]:
        """One epoch in slices of `size` rows."""
        rows = self.epoch()
        for start in range(0, len(rows["label"]), size):
            yield {name: column[start : start + size] for name, column in rows.items()}
