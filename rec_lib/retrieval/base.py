"""What every index shares: the protocol, the checks at the door, the measure of its quality."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Protocol, Self

import numpy as np


class Index(Protocol):
    """A set of vectors that can be asked for the nearest ones."""

    examined: np.ndarray
    """(m,) int64: stored vectors whose distance to query i was computed in the last `query`."""

    def build(self, vectors: np.ndarray) -> Self:
        """Store `vectors (n, d)`; row i has id i. n may be 0."""
        ...

    def query(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Nearest stored vectors of `queries (m, d)` or `(d,)`: ids (m, k), euclidean distances (m, k)."""
        ...


def checked_vectors(vectors: Any, what: str = "vectors", dtype: np.dtype | None = None) -> np.ndarray:
    """`vectors` as a C-contiguous (n, d) array of float32 or float64.

    It has the given `dtype`; without one, float32 stays float32 and every other real type becomes float64. The array is
    copied, so that later changes to the caller's array do not reach the index.

    Raises
        ValueError  not two-dimensional, no columns, NaN, infinite values, or numbers whose squares overflow
        TypeError   not real numbers
    """
    array = np.asarray(vectors)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} have dtype {array.dtype}; an index needs real numbers (float32 or float64)")
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{what} have shape {array.shape}; expected (n, d) with d >= 1, one vector a row")
    array = array.astype(np.float32 if array.dtype == np.float32 else np.float64, copy=False)
    dtype = array.dtype if dtype is None else dtype
    most = float(np.finfo(dtype).max) / 8  # then ||x - q||² <= 4 max(||x||², ||q||²) has room, rounding included
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.einsum("nd,nd->n", array, array, dtype=np.float64)
    bad = ~(square <= most)  # NaN too
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{what}[{row}] holds NaN or too large a number ({int(bad.sum())} such rows): its squared length is "
            f"{square[row]:.3g}, expected at most {most:.2g} in {dtype}. No distance to it exists: drop these rows, "
            "scale all alike, or look at what produced them"
        )
    return np.array(array, dtype=dtype, order="C", copy=True)


def checked_queries(queries: Any, vectors: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """`queries` as (m, d) of the dtype of the stored vectors, a single vector (d,) as (1, d); and the stored vectors.

    Raises
        RuntimeError  the index has not been built
        ValueError    wrong dimension, or what `checked_vectors` refuses
    """
    if vectors is None:
        raise RuntimeError("query() before build(): call index.build(vectors) first")
    array = np.asarray(queries)
    array = checked_vectors(array[None, :] if array.ndim == 1 else array, "queries", vectors.dtype)
    if array.shape[1] != vectors.shape[1]:
        raise ValueError(
            f"queries have {array.shape[1]} columns, the stored vectors {vectors.shape[1]}; "
            "both must come from the same embedding"
        )
    return array, vectors


def checked_count(value: Any, name: str, least: int = 1, most: float = np.inf) -> int:
    """`value` as an int from `least` to `most`. Raises TypeError for 2.0, True or "2", ValueError outside."""
    if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; expected an integer such as 4")
    if value < least:
        raise ValueError(f"{name} is {value}; expected at least {least}")
    if int(value) > most:
        raise ValueError(f"{name} is {value}; expected at most {most}")
    return int(value)


def checked_positive(value: Any, name: str, unit: str) -> float:
    """`value` as a finite float > 0. Raises TypeError for non-numbers, ValueError otherwise."""
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; expected a number > 0 ({unit})")
    number = float(value)
    if not np.isfinite(number) or number <= 0:
        raise ValueError(f"{name} is {number:g}; expected a finite number > 0 ({unit})")
    return number


def checked_rng(rng: Any) -> np.random.Generator:
    """`rng` itself. Raises TypeError for a seed or the legacy RandomState."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; expected a generator, for example np.random.default_rng(0)")
    return rng


def recall_at_k(found: np.ndarray, true: np.ndarray) -> float:
    """Share of the true nearest ids (m, k) that are among the found ids (m, k'), averaged over the queries.

    Padding (-1) on either side counts for nothing: with no true neighbour at all the recall is 1.
    """
    if found.ndim != 2 or true.ndim != 2 or len(found) != len(true):
        raise ValueError(f"found has shape {found.shape}, true {true.shape}; expected (m, k') and (m, k)")
    hit = (true[:, :, None] == found[:, None, :]).any(axis=2) & (true >= 0)
    wanted = (true >= 0).sum()
    return float(hit.sum() / wanted) if wanted else 1.0
