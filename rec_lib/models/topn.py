"""What every top-n recommender shares: fit, score, recommend, what it does with strangers, and its file.

A subclass gives `_fit` and `_score`, `_arrays` and `_restore`. Everything that a caller can get wrong is checked here,
once. Users are rows, items are columns, ids are encoded: 0 is padding, 1 is "unknown", real ids start at 2.
"""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix, issparse

from rec_lib.data.interactions import Interactions
from rec_lib.models.files import ModelFileError, read_arrays, write_arrays
from rec_lib.schema import FIRST

BLOCK = 1024  # users scored at a time: bounds the memory, changes no number


class TopN(ABC):
    """A recommender of n items for a user. Higher scores are better; no score is ever NaN or infinite.

    A user without interactions, or with an id beyond the fitted rows, gets the popular items: scores are then the
    share of the known users who took the item. `knows(users)` says for whom that happens. An item that nobody took
    gets the lowest score of the user's row; `knows_items(items)` says which these are.
    """

    personal: ClassVar[bool] = True  # False: the same list for everybody, up to what was seen
    seen: csr_matrix  # (users, items) what was fitted
    popularity: np.ndarray  # (items,) share of the known users who have the item

    def fit(self, interactions: Interactions | csr_matrix) -> Self:
        """Learn from the training pairs; a second call forgets the first.

        interactions  Interactions, of which the training matrix is used, or a (users, items) sparse matrix of ones or
                      stars. A stored 0 is no interaction. The matrix is copied.

        Raises ValueError for entries that are NaN, below 0, or so large or small that their squares leave float64
        (outside 1e-100 … 1e100), for fewer than 2 rows or columns, and for entries at the reserved ids 0, 1.
        """
        self.seen = _checked(interactions.train if isinstance(interactions, Interactions) else interactions)
        self.popularity = _popularity(self.seen)
        self._fit(self.seen)
        return self

    def score(self, users: ArrayLike) -> np.ndarray:
        """(U, items) float64: how much each of `users (U,)` is expected to want each item, seen ones included."""
        ids = self._users(users)
        known = self.knows(ids)
        scores = np.empty((len(ids), len(self.popularity)))
        scores[~known] = self.popularity
        if known.any():
            scores[known] = self._score(ids[known])
        if not np.isfinite(scores).all():
            raise FloatingPointError(f"{type(self).__name__} gave a score that is NaN or infinite.")
        taken = self.popularity > 0
        if taken.any():
            scores[:, ~taken] = scores[:, taken].min(axis=1, keepdims=True)
        return scores

    def recommend(self, users: ArrayLike, k: int, exclude_seen: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """The k best items of each of `users (U,)`: ids (U, k) int64 and scores (U, k) float64, best first.

        Equal scores stand in the order of popularity, then of id. Where fewer than k items are left, the list ends in
        ids -1 with scores -inf. Users whom the model does not know get the popular items (see `knows`).

        exclude_seen  leave out what the user has in training

        Raises RuntimeError before `fit`, TypeError or ValueError for a k or ids that cannot be.
        """
        ids = self._users(users)
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise ValueError(f"k is {k!r}; expected how many items to recommend, an integer of at least 1.")
        items, values = np.full((len(ids), k), -1, dtype=np.int64), np.full((len(ids), k), -np.inf)
        by_popularity = np.argsort(-self.popularity, kind="stable")
        by_popularity = by_popularity[by_popularity >= FIRST]  # the reserved ids are no items
        for start in range(0, len(ids), BLOCK):
            block = ids[start : start + BLOCK]
            scores = self.score(block)
            if exclude_seen:
                scores[_entries(self.seen, block)] = -np.inf
            scores = scores[:, by_popularity]
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # stable: ties keep the order of popularity
            found = np.take_along_axis(scores, best, axis=1)
            rows = slice(start, start + BLOCK)
            values[rows, : best.shape[1]] = found
            items[rows, : best.shape[1]] = np.where(np.isfinite(found), by_popularity[best], -1)
        return items, values

    def knows(self, users: ArrayLike) -> np.ndarray:
        """(U,) bool: has the user an interaction in training? Those who have not get the popular items."""
        ids = self._users(users)
        known = np.zeros(len(ids), dtype=bool)
        inside = ids < self.seen.shape[0]
        known[inside] = np.diff(self.seen.indptr)[ids[inside]] > 0
        return known

    def knows_items(self, items: ArrayLike) -> np.ndarray:
        """(N,) bool: did anybody take the item in training? An item that nobody took is ranked last."""
        ids = self._users(items)
        known = np.zeros(len(ids), dtype=bool)
        inside = ids < len(self.popularity)
        known[inside] = self.popularity[ids[inside]] > 0
        return known

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, which are attributes of the same names: what a saved file must agree with."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters if name != "rng"}

    def save(self, path: str | Path) -> None:
        """Write what was fitted to one ``.npz`` file, atomically, without pickle."""
        self._fitted()
        arrays = {f"own:{name}": value for name, value in self._arrays().items()}
        arrays |= {f"seen:{part}": getattr(self.seen, part) for part in ("data", "indices", "indptr")}
        arrays |= {"seen:shape": np.array(self.seen.shape), "model": np.array(type(self).__name__)}
        write_arrays(path, arrays | {"settings": np.array(json.dumps(self.settings()))})

    def load(self, path: str | Path) -> Self:
        """Read what :meth:`save` wrote into this model, which must be of the same class and settings.

        Raises:
            ModelFileError: the file is truncated, foreign, or of another model; this model stays as it is.
        """
        arrays = read_arrays(path)
        before = dict(self.__dict__)
        try:
            name, settings = str(arrays["model"]), json.loads(str(arrays["settings"]))
            if (name, settings) != (type(self).__name__, json.loads(json.dumps(self.settings()))):
                raise ModelFileError(
                    f"{path} holds {name} with {settings}, not {type(self).__name__} with {self.settings()}. "
                    "Build the model that was saved, then load."
                )
            parts = tuple(arrays[f"seen:{part}"] for part in ("data", "indices", "indptr"))
            self.seen = csr_matrix(parts, shape=tuple(arrays["seen:shape"]))
            self.popularity = _popularity(self.seen)
            self._restore({n.removeprefix("own:"): a for n, a in arrays.items() if n.startswith("own:")})
        except Exception as error:
            self.__dict__.clear()
            self.__dict__.update(before)
            if isinstance(error, (KeyError, ValueError, TypeError)) and not isinstance(error, ModelFileError):
                raise ModelFileError(f"{path} is no complete file written by save ({error}).") from error
            raise
        return self

    @abstractmethod
    def _fit(self, seen: csr_matrix) -> None:
        """Learn from `seen (users, items)`, of which every entry counts; it may have no entry, no row, no column."""

    @abstractmethod
    def _score(self, users: np.ndarray) -> np.ndarray:
        """(U, items) of users who have at least one interaction."""

    @abstractmethod
    def _arrays(self) -> dict[str, np.ndarray]:
        """What `_fit` found and `_score` needs beside `seen` and `popularity`."""

    @abstractmethod
    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `_arrays` gave; `seen` and `popularity` are in place."""

    def _fitted(self) -> None:
        if not hasattr(self, "seen"):
            raise RuntimeError(f"this {type(self).__name__} has not been fitted: call fit(interactions) first.")

    def _users(self, users: ArrayLike) -> np.ndarray:
        self._fitted()
        ids = np.asarray(users)
        if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
            raise TypeError(
                f"ids have shape {ids.shape} and dtype {ids.dtype}; expected a list of integers, one a row."
            )
        if ids.size and ids.min() < 0:
            raise ValueError(
                f"id {ids.min()} is negative; encoded ids start at 0 (padding), 1 (unknown), {FIRST} (real)."
            )
        if ids.size and ids.max() > np.iinfo(np.int64).max:
            raise ValueError(f"id {ids.max()} is beyond int64, which ids are.")
        return ids.astype(np.int64)


def _checked(matrix: Any) -> csr_matrix:
    if not issparse(matrix):
        raise TypeError(f"got a {type(matrix).__name__}; expected Interactions or a scipy CSR matrix (users, items).")
    copy = csr_matrix(matrix, dtype=np.float64, copy=True)
    copy.sum_duplicates()
    copy.eliminate_zeros()
    copy.sort_indices()
    if min(copy.shape) < FIRST:
        raise ValueError(
            f"the matrix has shape {copy.shape}; ids 0 and 1 are reserved, so expected {FIRST} or more each."
        )
    if not np.isfinite(copy.data).all():
        raise ValueError("the matrix has an entry that is NaN or infinite; an interaction is 1, a rating its stars.")
    if copy.nnz and not (copy.data.min() >= 1e-100 and copy.data.max() <= 1e100):
        raise ValueError(
            f"the entries run from {copy.data.min():.3g} to {copy.data.max():.3g}; expected ones or stars, numbers above 0."
        )
    if copy[:FIRST].nnz or copy[:, :FIRST].nnz:
        raise ValueError(
            f"the matrix has entries in rows or columns 0 or 1, which are reserved: real ids start at {FIRST}."
        )
    return copy


def _popularity(seen: csr_matrix) -> np.ndarray:
    """(items,) share of the known users who have the item."""
    known = max(1, int((np.diff(seen.indptr) > 0).sum()))
    return np.bincount(seen.indices, minlength=seen.shape[1]) / known


def _entries(matrix: csr_matrix, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in a (U, items) array of what the users have; users beyond the matrix have nothing."""
    inside = np.flatnonzero(users < matrix.shape[0])
    rows = matrix[users[inside]]
    return np.repeat(inside, np.diff(rows.indptr)), rows.indices
