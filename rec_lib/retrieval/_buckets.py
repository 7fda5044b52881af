"""Buckets as sorted arrays: rows sorted by the key of their bucket, one table after the other.

A table is three arrays: the distinct keys in order, where each bucket starts, and the rows. A bucket is a slice,
found by binary search. A dict of lists would hold the same in some twenty times the memory, one pointer a row.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numba import njit

from rec_lib.retrieval._kernels import offer, squared_distance


class Tables(NamedTuple):
    """All tables end to end. Table t has buckets `first[t]:first[t+1]`; bucket i has rows `starts[i]:starts[i+1]`."""

    keys: np.ndarray  # (buckets,) uint64, sorted within a table
    starts: np.ndarray  # (buckets + 1,) int64
    first: np.ndarray  # (tables + 1,) int64
    rows: np.ndarray  # (tables · n,) int32

    @classmethod
    def build(cls, keys: np.ndarray) -> Self:
        """Tables of bucket `keys (n, tables)`."""
        n, count = keys.shape
        if n * count >= 2**31:
            raise ValueError(f"{n} vectors in {count} tables need more than 2^31 entries: use fewer tables")
        rows = np.empty(n * count, np.int32)
        distinct, starts, first = [], [], np.zeros(count + 1, np.int64)
        for t in range(count):
            order = np.argsort(keys[:, t], kind="stable")
            rows[t * n : (t + 1) * n] = order
            found, begins = np.unique(keys[order, t], return_index=True)
            distinct.append(found)
            starts.append(begins + t * n)
            first[t + 1] = first[t] + len(found)
        ends = np.array([n * count])
        return cls(np.concatenate(distinct), np.concatenate([*starts, ends]), first, rows)


@njit(cache=True)
def project(vectors: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """x·v for `vectors (n, d)` and `directions (d, H)`: (n, H) float64.

    Written out instead of `vectors @ directions`: BLAS adds in another order for one row than for many, and a
    vector on the edge of a bucket would then not find itself.
    """
    out = np.zeros((vectors.shape[0], directions.shape[1]))
    for i in range(vectors.shape[0]):
        for j in range(vectors.shape[1]):
            value = vectors[i, j]
            for h in range(directions.shape[1]):
                out[i, h] += value * directions[j, h]
    return out


@njit(cache=True)
def mix(codes: np.ndarray, tables: int) -> np.ndarray:
    """One uint64 key a table from its codes: (n, tables·K) int64 -> (n, tables).

    Multiply and xor-shift (the finaliser of splitmix64, which is a bijection) after each code. Two different
    buckets of a million share a key with probability below 1e-7; they would only add candidates.
    """
    n, columns = codes.shape
    width = columns // tables
    keys = np.empty((n, tables), np.uint64)
    for i in range(n):
        for t in range(tables):
            key = np.uint64(0x9E3779B97F4A7C15)
            for h in range(t * width, (t + 1) * width):
                key ^= np.uint64(codes[i, h])
                key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                key ^= key >> np.uint64(31)
            keys[i, t] = key
    return keys


@njit(cache=True)
def bucket(tables: Tables, t: int, key: np.uint64) -> tuple[int, int]:
    """Slice of `tables.rows` that holds the bucket `key` of table t; (0, 0) if there is none. O(log buckets)."""
    low, end = tables.first[t], tables.first[t + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if tables.keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    if low < end and tables.keys[low] == key:
        return tables.starts[low], tables.starts[low + 1]
    return 0, 0


@njit(cache=True)
def rank_hits(
    vectors: np.ndarray,
    tables: Tables,
    wanted: np.ndarray,
    min_hits: int,
    q: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the rows that share at least `min_hits` of the `wanted (m, tables, probes)` buckets.

    Buckets of one table are disjoint, so a row is hit at most once a table and its count is the number of tables.
    """
    m, count_tables, probes = wanted.shape
    ids = np.full((m, k), -1, np.int64)
    d2 = np.full((m, k), np.inf, q.dtype)
    examined = np.zeros(m, np.int64)
    hits = np.zeros(vectors.shape[0], np.uint16)
    met = np.empty(vectors.shape[0], np.int32)
    for i in range(m):
        count = 0
        for t in range(count_tables):
            for p in range(probes):
                begin, end = bucket(tables, t, wanted[i, t, p])
                for place in range(begin, end):
                    row = tables.rows[place]
                    if hits[row] == 0:
                        met[count] = row
                        count += 1
                    hits[row] += 1
        for place in range(count):
            row = met[place]
            if hits[row] >= min_hits:
                examined[i] += 1
                offer(ids[i], d2[i], row, squared_distance(vectors[row], q[i]))
            hits[row] = 0  # clean for the next query, at the cost of the rows met, not of n
    return ids, d2, examined


@njit(cache=True)
def rank_levels(
    vectors: np.ndarray,
    tables: Tables,
    wanted: np.ndarray,
    groups: int,
    q: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the rows that share, in each of `groups` equal groups of tables, at least one of `wanted (m, tables)`."""
    m, count_tables = wanted.shape
    size = count_tables // groups
    ids = np.full((m, k), -1, np.int64)
    d2 = np.full((m, k), np.inf, q.dtype)
    examined = np.zeros(m, np.int64)
    level = np.zeros(vectors.shape[0], np.uint16)  # groups passed so far, without a miss
    met = np.empty(vectors.shape[0], np.int32)
    for i in range(m):
        count = 0
        for t in range(count_tables):
            group = t // size
            begin, end = bucket(tables, t, wanted[i, t])
            for place in range(begin, end):
                row = tables.rows[place]
                if level[row] == group:
                    if group == 0:
                        met[count] = row
                        count += 1
                    level[row] = group + 1
        for place in range(count):
            row = met[place]
            if level[row] == groups:
                examined[i] += 1
                offer(ids[i], d2[i], row, squared_distance(vectors[row], q[i]))
            level[row] = 0
    return ids, d2, examined
