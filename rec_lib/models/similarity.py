"""How alike two rows of a sparse matrix are: cosine, Pearson, cosine after centring the columns, Jaccard; shrinkage.

Rows are users for UserCF and items for ItemCF (the transposed matrix). An entry that is not stored is "not rated".
Sums with P run over the co-rated columns of the two rows; n = |P|.

    cosine    Σ_P R_ip R_jp / (‖R_i‖ ‖R_j‖), norms over all that a row has rated
    pearson   Σ_P a b / √(Σ_P a² Σ_P b²) with a = R_ip − R̄_i, b = R_jp − R̄_j and R̄_i the mean of row i's ratings
    columns   the same with a = R_ip − R̄_p, b = R_jp − R̄_p and R̄_p the mean of column p's ratings. Between users that is
              the book's third formula (item means); between items it is Sarwar's adjusted cosine (user means)
    jaccard   n / |rated by i or j|

Where a denominator is 0 (nothing in common, or no variance: all ratings of a row equal) the similarity is 0.
Shrinkage λ multiplies by n / (n + λ): a pair that shares little is trusted little.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, vstack

KINDS = ("cosine", "pearson", "columns", "jaccard")


def similarity(R: csr_matrix, kind: str, shrinkage: float = 0.0, rows: slice = slice(None)) -> np.ndarray:
    """(b, m): rows `rows` of `R (m, n)` against all m rows, a row against itself included. Four sparse products at most.

    Raises ValueError for an unknown kind or a negative shrinkage.
    """
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}; expected one of {', '.join(KINDS)}.")
    if not shrinkage >= 0:
        raise ValueError(f"shrinkage is {shrinkage}; expected a number of at least 0.")
    mask = rated(R)
    n = (mask[rows] @ mask.T).toarray()  # (b, m)  co-rated columns
    if kind == "jaccard":
        degree = np.diff(R.indptr)
        return shrink(ratio(n, degree[rows, None] + degree - n), n, shrinkage)
    X = centred(R, kind)
    square = X.multiply(X).tocsr()
    dot = (X[rows] @ X.T).toarray()  # (b, m)
    if kind == "cosine":
        norm = np.asarray(square.sum(axis=1)).ravel()  # (m,)
        below = np.sqrt(norm[rows, None]) * np.sqrt(norm)
    else:
        below = np.sqrt((square[rows] @ mask.T).toarray()) * np.sqrt((mask[rows] @ square.T).toarray())
    return shrink(ratio(dot, below), n, shrinkage)


def rated(R: csr_matrix) -> csr_matrix:
    """Ones where R has an entry."""
    return csr_matrix((np.ones(R.nnz), R.indices, R.indptr), shape=R.shape)


def means(R: csr_matrix) -> np.ndarray:
    """(m,) mean of the entries of each row; 0 for an empty row."""
    sums, count = np.asarray(R.sum(axis=1)).ravel(), np.diff(R.indptr)
    return ratio(sums, count)


def centred(R: csr_matrix, kind: str) -> csr_matrix:
    """R with the row mean ("pearson") or the column mean ("columns") taken off each entry; R itself for "cosine".

    What is left of equal ratings is exactly 0: a rest of rounding would otherwise pass for variance.
    """
    if kind == "cosine":
        return R
    if kind == "pearson":
        centre = np.repeat(means(R), np.diff(R.indptr))
    else:
        centre = means(R.T.tocsr())[R.indices]
    rest = R.data - centre
    rest[np.abs(rest) <= 1e-12 * np.abs(R.data)] = 0
    return csr_matrix((rest, R.indices, R.indptr), shape=R.shape)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, 0 where below is 0."""
    out = np.zeros(np.broadcast(above, below).shape, dtype=np.result_type(above, below, np.float64))
    return np.divide(above, below, out=out, where=below != 0)


def shrink(value: Any, n: Any, shrinkage: float) -> Any:
    """n / (n + λ) · value, entry by entry; with λ = 0 the value itself. Works on numbers, arrays and tensors."""
    return n / (n + shrinkage) * value if shrinkage else value


def keep_nearest(near: np.ndarray, own: np.ndarray, k: int) -> csr_matrix:
    """(b, m) of similarities `near (b, m)` of rows `own (b,)`: the k largest positive ones of each row but itself.

    Ties go to the lower index.
    """
    near = near.copy()
    near[np.arange(len(near)), own] = 0  # nobody is their own neighbour
    best = np.argsort(-near, axis=1, kind="stable")[:, :k]
    value = np.take_along_axis(near, best, axis=1)
    indptr = np.concatenate([[0], (value > 0).sum(axis=1).cumsum()])
    out = csr_matrix((value[value > 0], best[value > 0], indptr), shape=near.shape)
    out.sort_indices()
    return out


def top_neighbours(R: csr_matrix, kind: str, k: int, shrinkage: float = 0.0, block: int = 512) -> csr_matrix:
    """(m, m): for each row its k most similar other rows, those with a positive similarity only; ties by lower index.

    block  rows at a time at most, fewer where block · m would pass 2^23 numbers: bounds the memory, changes nothing else
    """
    m = R.shape[0]
    block = min(block, 2**23 // max(m, 1) + 1)
    blocks = [csr_matrix((0, m))]
    for start in range(0, m, block):
        rows = slice(start, min(start + block, m))
        near = similarity(R, kind, shrinkage, rows)
        blocks.append(keep_nearest(near, np.arange(rows.start, rows.stop), k))
    return vstack(blocks, format="csr")


def multiplications(degrees: Any) -> Any:
    """What one sparse product R Rᵀ costs: Σ_p d_p², d_p the number of entries of column p (numbers, array or tensor)."""
    return (degrees * degrees).sum()
