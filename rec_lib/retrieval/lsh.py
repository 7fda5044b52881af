"""Locality-sensitive hashing: near vectors share a bucket, so a query measures its bucket only.

Paper    Datar, Immorlica, Indyk, Mirrokni, "Locality-sensitive hashing scheme based on p-stable distributions",
         SoCG 2004; sign hash: Charikar, STOC 2002; near buckets: Lv et al., "Multi-probe LSH", VLDB 2007
Section  4.6.2 局部敏感哈希的基本原理, 4.6.3 局部敏感哈希多桶策略
Idea     h(v) = ⌊(x·v + b)/w⌋, x ~ N(0, I), b ~ U[0, w);  a bucket is K hashes (AND), there are L tables of them (OR)
Differs  a candidate may be asked to share `min_hits` buckets, not one; candidates are then measured exactly
Symbols  w bucket width (unit of the distances) · K hashes a table · L tables · x directions · b offsets
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from rec_lib.retrieval._buckets import Tables, mix, mix_across, project, rank_hits, rank_levels
from rec_lib.retrieval.base import checked_count, checked_positive, checked_queries, checked_rng, checked_vectors

COUNTED = 65535  # tables and groups that a row shares with a query are counted in 16 bits
ROWS = 1024  # hashed at once


class LSH:
    """p-stable hashing, AND of K then OR of L. Approximate: a neighbour that shares no bucket is not found.

    A query whose buckets hold fewer than k vectors gets fewer than k answers, padded with -1 and inf. There is no
    fall-back to exact search: the padding is the sign that w is too small, or K too large, for this distance.

    w         bucket width, > 0, in the unit of the distances: about the distance at which two vectors count as near
    K, L      hashes a table, tables; both at most 65535
    min_hits  buckets that a candidate must share, 1 <= min_hits <= L; 1 is the book's OR
    probes    buckets looked up beside its own in each table, 0 <= probes <= 2K: the neighbours across the nearest walls
    rng       drawn from in `build`, where d is known; building twice draws new hashes
    """

    def __init__(self, w: float, K: int, L: int, *, rng: np.random.Generator, min_hits: int = 1, probes: int = 0):
        self.w = checked_positive(w, "w", "the bucket width, in the unit of the distances")
        self.K, self.L = checked_count(K, "K", most=COUNTED), checked_count(L, "L", most=COUNTED)
        self.min_hits = checked_count(min_hits, "min_hits")
        if self.min_hits > self.L:
            raise ValueError(f"min_hits is {min_hits} and L is {L}: no vector can share more buckets than there are")
        self.probes = checked_count(probes, "probes", least=0)
        if self.probes > 2 * self.K:
            raise ValueError(f"probes is {probes}; a bucket of K = {K} hashes has 2K = {2 * K} walls to look across")
        self.rng = checked_rng(rng)
        self.vectors: np.ndarray | None = None
        self.examined = np.zeros(0, np.int64)

    def build(self, vectors: Any) -> Self:
        """Draw K·L hashes and sort the rows of `vectors (n, d)` by bucket, table by table. O(n (d K L + L log n))."""
        self.vectors = checked_vectors(vectors)
        d = self.vectors.shape[1]
        self.directions = self.rng.standard_normal((d, self.K * self.L))  # x, one a column
        self.offsets = self.rng.uniform(0, self.w, self.K * self.L)  # b
        keys = np.empty((len(self.vectors), self._tables), np.uint64)
        for start in range(0, len(keys), ROWS):  # n·K·L codes at once would outgrow all the rest
            part = slice(start, start + ROWS)
            keys[part] = mix(self.codes(self.vectors[part]), self._tables)
        self.tables = Tables.build(keys)
        return self

    @property
    def _tables(self) -> int:
        return self.L

    def positions(self, vectors: np.ndarray) -> np.ndarray:
        """(x·v + b)/w of `vectors (n, d)`: (n, K·L). Its floor is the bucket, its fraction the place inside."""
        return (project(vectors, self.directions) + self.offsets) / self.w

    def codes(self, vectors: np.ndarray) -> np.ndarray:
        """h(v) = ⌊(x·v + b)/w⌋: (n, K·L) int64; columns t·K … t·K + K - 1 are table t."""
        return _floor(self.positions(vectors))

    def query(self, queries: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest among the candidates: ids (m, k), distances (m, k); -1 and inf where they are fewer."""
        q, vectors = checked_queries(queries, self.vectors)
        k = checked_count(k, "k")
        keys = self._keys(q)  # (m, L, 1 + probes)
        ids, d2, self.examined = rank_hits(vectors, self.tables, keys, self.min_hits, q, k)
        return ids, np.sqrt(d2)

    def _keys(self, q: np.ndarray) -> np.ndarray:
        """Bucket keys to look up: its own, then across the nearest walls. (m, L, 1 + probes) uint64."""
        at = self.positions(q)
        own = _floor(at)
        return mix_across(own, at - own, self.L, self.probes) if self.probes else mix(own, self.L)[:, :, None]


class CosineLSH(LSH):
    """Sign hashing (Charikar 2002): h(v) = [x·v >= 0], which collides with probability 1 - θ/π.

    Vectors and queries are scaled to length 1, so the distances are chords, ||u - v||² = 2 (1 - cos θ): the order of
    the cosine. Vectors of zeros (or of numbers below the smallest that the type holds in full) have no direction and are
    refused with ValueError.
    """

    def __init__(self, K: int, L: int, *, rng: np.random.Generator, min_hits: int = 1):
        super().__init__(1.0, K, L, rng=rng, min_hits=min_hits)

    def build(self, vectors: Any) -> Self:
        """As `LSH.build`, on the directions of `vectors (n, d)`."""
        return super().build(_unit(checked_vectors(vectors), "vectors"))

    def query(self, queries: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """As `LSH.query`, on the directions of `queries`."""
        return super().query(_unit(checked_queries(queries, self.vectors)[0], "queries"), k)

    def positions(self, vectors: np.ndarray) -> np.ndarray:
        """1 where x·v >= 0, else 0: (n, K·L). A sign needs no width and no offset."""
        return (project(vectors, self.directions) >= 0).astype(np.float64)


class OrAndLSH(LSH):
    """The other order: OR of L, then AND of K. A candidate shares a bucket with the query in each of K groups of L.

    Its buckets are single hashes, hence large: the order is here to be compared, not to be fast.
    """

    def __init__(self, w: float, K: int, L: int, *, rng: np.random.Generator):
        super().__init__(w, K, L, rng=rng)

    @property
    def _tables(self) -> int:
        return self.K * self.L  # one hash a table; tables g·L … g·L + L - 1 are group g

    def query(self, queries: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest among the candidates: ids (m, k), distances (m, k); -1 and inf where they are fewer."""
        q, vectors = checked_queries(queries, self.vectors)
        k = checked_count(k, "k")
        keys = mix(self.codes(q), self._tables)  # (m, K·L)
        ids, d2, self.examined = rank_levels(vectors, self.tables, keys, self.K, q, k)
        return ids, np.sqrt(d2)


def _floor(positions: np.ndarray) -> np.ndarray:
    """⌊·⌋ as int64. Beyond ±2^62, far outside any useful bucket, the edge stands for all: int64 would wrap around."""
    return np.floor(np.clip(positions, -(2.0**62), 2.0**62)).astype(np.int64)


def _unit(vectors: np.ndarray, what: str) -> np.ndarray:
    peak = np.abs(vectors).max(axis=1, keepdims=True)
    none = peak[:, 0] < np.finfo(vectors.dtype).tiny
    if none.any():
        raise ValueError(
            f"{what}[{int(none.argmax())}] is the zero vector, or too near to it for {vectors.dtype}: it has no direction, so "
            "no cosine; drop such rows"
        )
    scaled = vectors / peak  # first: the squares of tiny numbers vanish
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
