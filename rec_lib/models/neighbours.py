"""What UserCF and ItemCF share: the k most similar rows, reasons for a score, ratings as weighted means."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix

from rec_lib.models.similarity import means, rated, ratio, top_neighbours
from rec_lib.models.topn import TopN


class NeighbourCF(TopN):
    """A collaborative filter over rows (users or items) and their neighbours.

    k           neighbours kept of each row; where fewer rows are similar, all of them
    similarity  a key of `SIMILARITIES`
    shrinkage   λ ≥ 0: similarities are multiplied by n / (n + λ), n co-rated entries

    Neighbours have a positive similarity. A user whom no neighbour reaches (its ratings are all equal under a centred
    similarity, nobody shares an item with it) gets the popular items like a stranger, and `knows` says so.
    """

    SIMILARITIES: ClassVar[dict[str, str]]  # what it is called here: what `similarity` calls it

    def __init__(self, k: int = 50, similarity: str = "cosine", shrinkage: float = 0.0):
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise ValueError(f"k is {k!r}; expected how many neighbours to keep, an integer of at least 1.")
        if not isinstance(similarity, str) or similarity not in self.SIMILARITIES:
            raise ValueError(f"similarity is {similarity!r}; {type(self).__name__} has {', '.join(self.SIMILARITIES)}.")
        if not (isinstance(shrinkage, (int, float, np.integer, np.floating)) and 0 <= shrinkage < np.inf):
            raise ValueError(f"shrinkage is {shrinkage!r}; expected a finite number of at least 0.")
        self.k, self.similarity, self.shrinkage = int(k), similarity, float(shrinkage)

    W: csr_matrix
    """(rows, rows) similarities of the kept neighbours: row i holds those of i."""

    def neighbours(self, id: int) -> tuple[np.ndarray, np.ndarray]:
        """The neighbours of a row, most similar first: ids (≤ k,), similarities (≤ k,). None for an unknown id."""
        (row,) = self._users([id])
        if row >= self.W.shape[0]:
            return np.empty(0, dtype=np.int64), np.empty(0)
        ids, w = self.W[[row]].indices.astype(np.int64), self.W[[row]].data
        order = np.lexsort((ids, -w))
        return ids[order], w[order]

    def contributions(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Why this score: ids (C,) of the neighbours behind it and what each adds, largest first.

        The amounts add up to `score([user])[0, item]`. Nobody contributes where the answer is popularity, and nobody
        to an item that nobody took.
        """
        self._users([user]), self._users([item])
        if not self.knows([user])[0] or not self.knows_items([item])[0]:
            return np.empty(0, dtype=np.int64), np.empty(0)
        ids, amounts = self._reasons(user, item)
        order = np.lexsort((ids, -amounts))
        return ids[order], amounts[order]

    def predict(self, users: ArrayLike, items: ArrayLike, centred: bool = True) -> np.ndarray:
        """(N,) expected ratings of the pairs `users (N,)`, `items (N,)`, within the range of the ratings in training.

        centred  neighbours say how far they are from their own mean, and that is added to the row's mean; False: the
                 plain weighted mean of the neighbours' ratings

        Where no neighbour rated: the row's own mean, then the mean of the other side, then the mean of all ratings
        (see `rated_by_neighbours`). Raises ValueError for lists of unequal length.
        """
        u, p = self._pairs(users, items)
        if not self.seen.nnz:
            return np.zeros(len(u))
        rows, columns, R = self._sides(u, p)
        mean = _filled(means(R), R, rows, _filled(means(R.T.tocsr()), R.T, columns, self.seen.data.mean()))
        above, below = self._weighted(rows, columns, R, centred)
        plain = ratio(above, below)
        guess = np.where(below > 0, plain + mean if centred else plain, mean)
        return guess.clip(self.seen.data.min(), self.seen.data.max())

    def rated_by_neighbours(self, users: ArrayLike, items: ArrayLike) -> np.ndarray:
        """(N,) bool: does `predict` rest on a neighbour's rating, or is it a mean? Raises as `predict`."""
        rows, columns, R = self._sides(*self._pairs(users, items))
        return self._weighted(rows, columns, R, False)[1] > 0

    def knows(self, users: ArrayLike) -> np.ndarray:
        """(U,) bool: is there a neighbour that recommends something to the user? The others get the popular items."""
        known = super().knows(users)
        known[known] = self.reached[self._users(users)[known]]
        return known

    def _pairs(self, users: ArrayLike, items: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        u, p = self._users(users), self._users(items)
        if len(u) != len(p):
            raise ValueError(f"got {len(u)} users and {len(p)} items; expected pairs.")
        return u, p

    def _weighted(self, rows: np.ndarray, columns: np.ndarray, R: csr_matrix, centred: bool) -> tuple[np.ndarray, ...]:
        """Σ_s w_rs R_sc and Σ_s w_rs over the neighbours s of row r that have column c: (N,) each, 0 for strangers."""
        inside = np.flatnonzero((rows < R.shape[0]) & (columns < R.shape[1]))
        above, below = np.zeros(len(rows)), np.zeros(len(rows))
        w = self.W[rows[inside]]  # (N, rows)
        values, mask = R.copy(), rated(R)
        if centred:
            values.data = R.data - np.repeat(means(R), np.diff(R.indptr))
        above[inside] = np.asarray(w.multiply(values.T.tocsr()[columns[inside]]).sum(axis=1)).ravel()
        below[inside] = np.asarray(w.multiply(mask.T.tocsr()[columns[inside]]).sum(axis=1)).ravel()
        return above, below

    def _fit_rows(self, R: csr_matrix) -> None:
        self.W = top_neighbours(R, self.SIMILARITIES[self.similarity], self.k, self.shrinkage)
        self.reached = self._reached()

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"data": self.W.data, "indices": self.W.indices, "indptr": self.W.indptr}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        size = len(arrays["indptr"]) - 1
        self.W = csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(size, size))
        self.reached = self._reached()

    @abstractmethod
    def _reached(self) -> np.ndarray:
        """(users,) bool: does any neighbour say anything for the user?"""

    @abstractmethod
    def _reasons(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids and amounts behind the score of a known user and item, in any order, none of them 0."""

    @abstractmethod
    def _sides(self, users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, csr_matrix]:
        """The rows that have neighbours, the other side, and the matrix of these rows."""


def weighted_votes(W: csr_matrix, R: csr_matrix) -> np.ndarray:
    """Σ_s w_us R_sp / Σ_s w_us of `W (U, m)` and `R (m, n)`: (U, n); 0 for a row of W without weights."""
    return ratio((W @ R).toarray(), np.asarray(W.sum(axis=1)))


def _filled(mean: np.ndarray, R: csr_matrix, ids: np.ndarray, otherwise: np.ndarray | float) -> np.ndarray:
    """mean[ids] where the row has entries, else `otherwise`: (N,)."""
    inside = ids < R.shape[0]
    known = np.zeros(len(ids), dtype=bool)
    known[inside] = np.diff(R.tocsr().indptr)[ids[inside]] > 0
    out = np.broadcast_to(otherwise, ids.shape).astype(np.float64)
    out[known] = mean[ids[known]]
    return out
