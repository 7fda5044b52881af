"""Watches as training examples: what somebody watched before, how long ago the example is, what was watched next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data.interactions import Interactions
from rec_lib.schema import PAD, Batch


class Watches:
    """Examples {"history" (B, T), "age" (B,), "item" (B,)} drawn from the entries of a matrix, the same number a user.

    With times, the history is what the user watched before the item, the last T, and the age is how long before the
    newest entry the item was watched: 0 for the newest, 1 for the oldest. Equal times stand in a random order. Without
    times, the history is a random T of the user's other items, and the age is 0: any watch is to be guessed from others.

    Args:
        seen: (users, items), sorted, real ids from 2; every stored entry is a watch.
        times: (users, items) with a stored number for each entry of `seen`, in any unit; 0 may be stored. None: no order.
        maxlen: T.
        rng: draws order and examples.

    Raises:
        ValueError: times of another shape, without a number for some watch, or with one that is not finite.
    """

    def __init__(self, seen: csr_matrix, times: csr_matrix | None, maxlen: int, rng: np.random.Generator):
        nobody = np.empty(0, dtype=np.int64)
        owner, item = Interactions(seen, nobody, nobody, np.empty((0, 0), dtype=np.int64)).pairs()
        self.ordered, self.maxlen, self.rng = times is not None, maxlen, rng
        when = np.zeros(len(item)) if times is None else _at(times, seen.shape, owner, item)
        order = np.lexsort((rng.random(len(item)), when, owner))  # by user, then by time, ties at random
        self.owner, self.item = owner[order], item[order]
        self.begin, self.count = seen.indptr[:-1].astype(np.int64), np.diff(seen.indptr).astype(np.int64)
        span = float(np.ptp(when)) if len(when) else 0.0
        self.age = ((when.max() - when[order]) / span if span else np.zeros(len(item))).astype(np.float32)

    def __len__(self) -> int:
        return len(self.item)

    def histories(self, users: np.ndarray) -> np.ndarray:
        """(U, T) int64: the last T watches of `users (U,)`, padded with 0 at the end; what is known when one recommends."""
        return self._before(users, self.count[users])

    def _before(self, users: np.ndarray, place: np.ndarray) -> np.ndarray:
        """(R, T): the T watches of each user before place (R,) in its order, the latest first."""
        back = np.arange(1, self.maxlen + 1)
        at = place[:, None] - back  # (R, T)
        if self.ordered:
            real = at >= 0
        else:  # no order: a circle, all the others are "before"
            inside = place < self.count[users]
            real = back <= (self.count[users] - inside)[:, None]
            at = at % np.maximum(self.count[users], 1)[:, None]
        items = np.append(self.item, PAD)
        return np.where(real, items[np.where(real, self.begin[users][:, None] + at, len(self.item))], PAD)

    def examples(self, per_user: int) -> Batch:
        """`per_user` examples of each user who watched something, drawn with repetition, in random order."""
        if not self.ordered:
            order = np.lexsort((self.rng.random(len(self.item)), self.owner))
            self.item = self.item[order]
        users = self.rng.permutation(np.repeat(np.flatnonzero(self.count), per_user))
        place = (self.rng.random(len(users)) * self.count[users]).astype(np.int64)
        at = self.begin[users] + place
        return {
            "history": torch.from_numpy(self._before(users, place)),
            "age": torch.from_numpy(self.age[at]),
            "item": torch.from_numpy(self.item[at]),
        }

    def batches(self, per_user: int, size: int) -> Iterator[Batch]:
        """`examples` in slices of `size` rows."""
        rows = self.examples(per_user)
        for start in range(0, len(rows["item"]), size):
            yield {name: column[start : start + size] for name, column in rows.items()}


def _at(times: csr_matrix, shape: tuple[int, int], users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """(N,) times of the pairs."""
    if times.shape != shape:
        raise ValueError(f"times have shape {times.shape}, the watches {shape}; both are (users, items).")
    stored = csr_matrix(times, dtype=np.float64, copy=True)
    stored.sort_indices()
    keys = np.repeat(np.arange(shape[0]), np.diff(stored.indptr)) * shape[1] + stored.indices
    wanted = users * shape[1] + items
    place = np.searchsorted(keys, wanted)
    found = np.append(keys, -1)[place] == wanted
    when = np.append(stored.data, 0.0)[place]
    if not found.all() or not np.isfinite(when).all():
        bad = int(np.argmin(found & np.isfinite(when)))
        raise ValueError(
            f"user {users[bad]} watched item {items[bad]} and times have {when[bad] if found[bad] else 'nothing'} there; "
            "expected a finite number for each watch (0 must be stored too)."
        )
    return when
