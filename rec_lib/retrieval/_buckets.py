"""Buckets as sorted arrays: rows sorted by the key of their bucket, one table after the other.

A table is three arrays: the distinct keys in order, where each bucket starts, and the rows. A bucket is a slice. Keys are
mixed, hence spread evenly: the first bits of a key say where to look for it, as the letters on the edge of a dictionary.
A dict of lists would hold the same in some twenty times the memory, one pointer a row.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numba import njit

from rec_lib.retrieval._kernels import offer, squared_distance


class Tables(NamedTuple):
    """All tables end to end. Table t has buckets `first[t]:first[t+1]`; bucket i has rows `starts[i]:starts[i+1]`.

    Keys of table t whose first bits are c, `key >> shift == c`, are `keys[guide[t, c]:guide[t, c+1]]`: four on average.
    """

    keys: np.ndarray  # (buckets,) uint64, sorted within a table
    starts: np.ndarray  # (buckets + 1,) int64
    first: np.ndarray  # (tables + 1,) int64
    rows: np.ndarray  # (tables · n,) uint32: an index that may be negative costs compiled code a comparison each
    guide: np.ndarray  # (tables, 2^bits + 1) int32
    shift: np.uint64  # 64 - bits

    @classmethod
    def build(cls, keys: np.ndarray) -> Self:
        """Tables of bucket `keys (n, tables)`."""
        n, count = keys.shape
        if n * count >= 2**31:
            raise ValueError(f"{n} vectors in {count} tables need more than 2^31 entries: use fewer tables")
        rows = np.empty(n * count, np.uint32)
        distinct, starts, first = [], [], np.zeros(count + 1, np.int64)
        for t in range(count):
            column = np.ascontiguousarray(keys[:, t])
            order = np.argsort(column, kind="stable")
            rows[t * n : (t + 1) * n] = order
            column = column[order]
            begins = np.flatnonzero(np.diff(column, prepend=~column[:1]))
            distinct.append(column[begins])
            starts.append(begins + t * n)
            first[t + 1] = first[t] + len(begins)
        bits = max(1, int(np.diff(first).max()).bit_length() - 2)
        shift = np.uint64(64 - bits)
        marks = np.arange(2**bits, dtype=np.uint64) << shift
        guide = np.empty((count, 2**bits + 1), np.int32)
        for t, found in enumerate(distinct):
            guide[t, :-1] = first[t] + np.searchsorted(found, marks)
            guide[t, -1] = first[t + 1]
        ends = np.array([n * count])
        return cls(np.concatenate(distinct), np.concatenate([*starts, ends]), first, rows, guide, shift)


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
def _mixed(codes: np.ndarray) -> np.uint64:
    key = np.uint64(0x9E3779B97F4A7C15)
    for code in codes:
        key ^= np.uint64(code)
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(31)
    return key


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
            keys[i, t] = _mixed(codes[i, t * width : (t + 1) * width])
    return keys


@njit(cache=True)
def mix_across(codes: np.ndarray, inside: np.ndarray, tables: int, probes: int) -> np.ndarray:
    """Keys of a bucket and of those across its `probes` nearest walls, one wall each: (n, tables, 1 + probes) uint64.

    `inside (n, tables·K)` is the place in the bucket, in [0, 1): the way to the lower wall; 1 - inside is that to the upper.
    Of walls at the same distance the lower ones come first, by hash.
    """
    n, columns = codes.shape
    width = columns // tables
    keys = np.empty((n, tables, 1 + probes), np.uint64)
    ways = np.empty(2 * width)
    for i in range(n):
        for t in range(tables):
            own = codes[i, t * width : (t + 1) * width].copy()
            for h in range(width):
                ways[h] = inside[i, t * width + h]
                ways[width + h] = 1 - ways[h]
            keys[i, t, 0] = _mixed(own)
            for p in range(probes):
                wall = ways.argmin()
                ways[wall] = np.inf  # crossed
                step = -1 if wall < width else 1
                own[wall % width] += step
                keys[i, t, 1 + p] = _mixed(own)
                own[wall % width] -= step
    return keys


@njit(cache=True)
def bucket(tables: Tables, t: int, key: np.uint64) -> tuple[int, int]:
    """Slice of `tables.rows` that holds the bucket `key` of table t; (0, 0) if there is none."""
    bits = key >> tables.shift
    for place in range(tables.guide[t, bits], tables.guide[t, bits + np.uint64(1)]):
        if tables.keys[place] == key:
            return tables.starts[place], tables.starts[place + 1]
    return 0, 0


@njit(cache=True)
def _measure(vectors: np.ndarray, rows: np.ndarray, q: np.ndarray, ids: np.ndarray, d2: np.ndarray) -> None:
    """Fill `ids`, `d2` (k,) with the nearest of `rows`."""
    bound = d2[-1]
    for row in rows:
        value = squared_distance(vectors[row], q)
        if value <= bound:  # few pass: a call of `offer` costs more than a distance
            offer(ids, d2, row, value)
            bound = d2[-1]


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
    n, (m, count_tables, probes) = vectors.shape[0], wanted.shape
    ids = np.full((m, k), -1, np.int64)
    d2 = np.full((m, k), np.inf, q.dtype)
    examined = np.zeros(m, np.int64)
    hits = np.zeros(n, np.uint16)
    met = np.empty(n + 1, np.uint32)  # and a place to write to when all rows are met
    slices = np.empty((count_tables * probes, 2), np.int64)
    enough = np.uint16(min_hits)
    for i in range(m):
        total = 0
        for t in range(count_tables):  # all buckets before any row: what is read for them comes from far, and at once
            for p in range(probes):
                begin, end = bucket(tables, t, wanted[i, t, p])
                slices[t * probes + p] = begin, end
                total += end - begin
        count = np.uint64(0)
        for begin, end in slices:
            for row in tables.rows[begin:end]:
                hit = hits[row] + np.uint16(1)
                hits[row] = hit
                met[count] = row  # stays where this hit makes it a candidate: no branch to mispredict
                count += np.uint64(hit == enough)
        _measure(vectors, met[:count], q[i], ids[i], d2[i])
        examined[i] = count
        if total < n // 16:  # clean for the next query, the cheaper way
            for begin, end in slices:
                for row in tables.rows[begin:end]:
                    hits[row] = 0
        else:
            hits[:] = 0
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
    n, (m, count_tables) = vectors.shape[0], wanted.shape
    size = count_tables // groups
    ids = np.full((m, k), -1, np.int64)
    d2 = np.full((m, k), np.inf, q.dtype)
    examined = np.zeros(m, np.int64)
    level = np.zeros(n, np.uint16)  # groups passed so far, without a miss
    met = np.empty(n, np.uint32)
    for i in range(m):
        count = 0
        for t in range(count_tables):
            group = t // size
            begin, end = bucket(tables, t, wanted[i, t])
            for row in tables.rows[begin:end]:
                if level[row] == group:
                    if group == 0:
                        met[count] = row
                        count += 1
                    level[row] = group + 1
        passed = 0
        for row in met[:count]:
            if level[row] == groups:
                met[passed] = row
                passed += 1
            level[row] = 0  # clean for the next query, at the cost of the rows met, not of n
        _measure(vectors, met[:passed], q[i], ids[i], d2[i])
        examined[i] = passed
    return ids, d2, examined
