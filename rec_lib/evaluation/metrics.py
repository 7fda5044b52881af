"""Metrics. Each looks at all rows once; none is an average over batches.

Click metrics take arrays of N rows. List metrics take ``hits (U, k)``: was the item at this place of this user's list
relevant (a list of fewer than k is filled up with 0); and where they need it ``n_relevant (U,)``: how many relevant
items the user has in all. All raise ValueError for what they cannot judge.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from rec_lib.data.table import Table
from rec_lib.models.base import CTRModel


def auc(y: ArrayLike, score: ArrayLike) -> float:
    """P(a random positive scores above a random negative), ties counted half (the Mann–Whitney form).

    Args:
        y: (N,) labels 0 or 1.
        score: (N,) anything that ranks; higher means more likely 1.

    Raises:
        ValueError: labels of one class only, other labels, unequal lengths, NaN scores.
    """
    label, s = _clicks(y, score)
    n_pos = int(label.sum())
    if n_pos in (0, len(label)):
        raise ValueError(
            f"all {len(label)} labels are {int(label[0])}: AUC compares positives with negatives and needs both."
        )
    ranks = rankdata(s)  # (N,)  ties share their mean rank
    return float((ranks[label == 1].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * (len(label) - n_pos)))


def gauc(y: ArrayLike, score: ArrayLike, group: ArrayLike) -> float:
    """AUC within each group (user), weighted by the group's number of rows (DIN, KDD 2018, eq. 7).

    Groups with clicks only or no clicks have no AUC; they are left out, and their rows with them.
    """
    label, s = _clicks(y, score)
    g = np.asarray(group)
    if g.shape != label.shape:
        raise ValueError(f"group has shape {g.shape}, expected {label.shape}: one group id a row.")
    order = np.argsort(g, kind="stable")
    ends = np.flatnonzero(g[order][1:] != g[order][:-1]) + 1
    parts = [p for p in np.split(order, ends) if 0 < label[p].sum() < len(p)]
    if not parts:
        raise ValueError("no group has both a 0 and a 1: GAUC is not defined on these rows.")
    return float(np.average([auc(label[p], s[p]) for p in parts], weights=[len(p) for p in parts]))


def log_loss(y: ArrayLike, p: ArrayLike, eps: float = 1e-7) -> float:
    """Mean −[y log p + (1−y) log(1−p)] in nats, y 0 or 1; p is kept eps away from 0 and 1."""
    label, q = _clicks(y, p)
    if q.min() < 0 or q.max() > 1:
        raise ValueError(
            f"probabilities run from {q.min():.3g} to {q.max():.3g}; expected 0 to 1. Logits need a sigmoid."
        )
    q = np.clip(q, eps, 1 - eps)
    return float(-(label * np.log(q) + (1 - label) * np.log(1 - q)).mean())


def rmse(y: ArrayLike, prediction: ArrayLike) -> float:
    """Root mean squared error, in the unit of y."""
    truth, guess = _pair(y, prediction)
    return float(np.sqrt(((truth - guess) ** 2).mean()))


def hit_rate(hits: ArrayLike) -> float:
    """HR@k: share of users with at least one relevant item in their list of k."""
    return float(_hits(hits).any(axis=1).mean())


def ndcg(hits: ArrayLike, n_relevant: ArrayLike) -> float:
    """NDCG@k with binary gains: Σ hit/log2(place + 1), over the best sum that k places allow; mean over users."""
    h, n = _relevant(hits, n_relevant)
    discount = 1 / np.log2(np.arange(2, h.shape[1] + 2))  # (k,)  place 1 counts 1
    ideal = np.concatenate([[0.0], discount.cumsum()])[np.minimum(n, h.shape[1])]  # (U,)
    return float(((h * discount).sum(axis=1) / ideal).mean())


def mrr(hits: ArrayLike) -> float:
    """Mean of 1/(place of the first relevant item), 0 where the list has none."""
    h = _hits(hits)
    return float(np.where(h.any(axis=1), 1 / (h.argmax(axis=1) + 1), 0.0).mean())


def mean_average_precision(hits: ArrayLike, n_relevant: ArrayLike) -> float:
    """MAP@k: precision at the places of the hits, summed, over min(k, number of relevant items); mean over users."""
    h, n = _relevant(hits, n_relevant)
    precision = h.cumsum(axis=1) / np.arange(1, h.shape[1] + 1)  # (U, k)
    return float(((precision * h).sum(axis=1) / np.minimum(n, h.shape[1])).mean())


def coverage(ranked: ArrayLike, n_items: int) -> float:
    """Share of the n_items that stand in at least one user's list.

    Args:
        ranked: (U, k) whole numbers: items counted from 0 (encoded ids less ``schema.FIRST``), −1 where a list is shorter.
        n_items: how many items there are, at least 1.
    """
    r = np.asarray(ranked)
    if r.ndim != 2 or r.dtype.kind not in "iu":
        raise ValueError(
            f"ranked has shape {r.shape} and dtype {r.dtype}; expected a (users, k) array of whole numbers."
        )
    if n_items < 1 or r.min(initial=0) < -1 or r.max(initial=0) >= n_items:
        raise ValueError(
            f"ranked holds {r.min(initial=0)} … {r.max(initial=0)} for n_items={n_items}; expected items 0 … n_items − 1, "
            "−1 for an empty place, and at least one item. Encoded ids start at schema.FIRST: take it off."
        )
    return float(len(np.unique(r[r >= 0])) / n_items)


def auc_on(table: Table) -> Callable[[CTRModel], float]:
    """``validate`` for ``fit``: the AUC of a model's probabilities on the rows of a table."""
    y = table["label"].numpy()

    def validate(model: CTRModel) -> float:
        return auc(y, model.predict_proba(table).numpy())

    return validate


def _pair(y: ArrayLike, score: ArrayLike) -> tuple[NDArray, NDArray]:
    a, b = np.asarray(y, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ValueError(f"got shapes {a.shape} and {b.shape}; expected two arrays of the same N ≥ 1 rows.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a label or score is NaN or infinite; look at the model's output before it is judged.")
    return a, b


def _clicks(y: ArrayLike, score: ArrayLike) -> tuple[NDArray, NDArray]:
    label, s = _pair(y, score)
    if not np.isin(label, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1; got {np.unique(label)[:5]}. Stars become clicks by a threshold.")
    return label, s


def _hits(hits: ArrayLike) -> NDArray:
    h = np.asarray(hits)
    if h.ndim != 2 or h.size == 0 or not np.isin(h, (0, 1)).all():
        raise ValueError(
            f"hits has shape {h.shape} and values {np.unique(h)[:3]}; expected a (users, k) array of 0 and 1."
        )
    return h.astype(bool)


def _relevant(hits: ArrayLike, n_relevant: ArrayLike) -> tuple[NDArray, NDArray]:
    h, n = _hits(hits), np.asarray(n_relevant)
    if n.shape != (len(h),) or n.dtype.kind not in "iu" or (n < 1).any() or (h.sum(axis=1) > n).any():
        raise ValueError(
            f"n_relevant has shape {n.shape}, dtype {n.dtype} and smallest value {n.min() if n.size else None}; expected one "
            "whole number a user, at least 1 and at least the user's hits. Leave out users who have nothing to find."
        )
    return h, n
