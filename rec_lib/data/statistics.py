"""Counts and click rates of ids as dense features, in ways that let a row's own label in, and in ways that do not.

A tree cannot read an id of a thousand values; it can read how often the id was seen and how often it was clicked. The
catch is that a click rate contains labels, and among them the label that is to be predicted.

Source  Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 3(1), 2001
        (smoothed rates); Prokhorenkova et al., "CatBoost", NeurIPS 2018, arXiv:1706.09516, sec. 3 (target leakage, and
        statistics of the past alone).
"""

from __future__ import annotations

import numpy as np
import torch

from rec_lib.data.table import Table
from rec_lib.schema import FIRST, Bag, Dense, Schema, Sparse

WAYS = ("own", "leave_one_out", "out_of_fold", "past", "known")


def rates(
    rows: Table,
    known: Table,
    fields: tuple[str, ...],
    way: str,
    strength: float = 10.0,
    folds: int = 5,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """How often the value of a field was seen among the known rows, and its smoothed click rate.

    rate = (clicks + strength · r) / (count + strength), r the click rate of all known rows. With several fields it is
    their combination that is counted; of a bag, every member, added up.

    Args:
        rows: the rows that get the feature; in every way but "known" these are the known rows themselves.
        known: the rows whose labels are used.
        fields: names of Sparse fields, and of one Bag at most.
        way: "own" counts the row's own label as well (a leak). "leave_one_out" leaves out that label alone (a leak too:
            what is missing from the sum tells what it was). "out_of_fold" counts the other folds. "past" counts rows of
            an earlier second ("timestamp"). "known" counts all known rows, for rows that are not among them.
        strength: rows' worth of the overall rate that every value starts with.
        folds: number of random folds.
        rng: draws the folds; seed 0 by default.

    Returns:
        count, rate: (N,) float64 each.

    Raises:
        ValueError: an unknown way, or a way that needs `rows` to be the known rows and other rows.
    """
    if way not in WAYS:
        raise ValueError(f"way={way!r}: expected one of {', '.join(WAYS)}.")
    if way != "known" and rows is not known:
        raise ValueError(f"way={way!r} is for the known rows themselves; for other rows pass way='known'.")
    y = known["label"].numpy().astype(float)
    asked, told = _keys(rows, fields), _keys(known, fields)
    if way == "past":
        count, clicks = _before(asked, rows["timestamp"].numpy(), told, known["timestamp"].numpy(), y)
    else:
        own = np.zeros(len(told), dtype=np.int64)
        if way == "leave_one_out":
            own = np.arange(len(told))
        elif way == "out_of_fold":
            own = (np.random.default_rng(0) if rng is None else rng).permutation(len(told)) % folds
        count, clicks = _added_up(asked, told, y)
        if way in ("leave_one_out", "out_of_fold"):
            a, b = _added_up(_paired(asked, own), _paired(told, own), y)
            count, clicks = count - a, clicks - b
    return count, (clicks + strength * y.mean()) / (count + strength)


def with_dense(table: Table, columns: dict[str, np.ndarray]) -> Table:
    """The same rows with further Dense fields, in the order given."""
    schema = Schema((*table.schema.fields, *(Dense(name) for name in columns)))
    added = {name: torch.from_numpy(np.asarray(values, dtype=np.float32)) for name, values in columns.items()}
    return Table(schema, table.columns | added, table.extra)


def _keys(rows: Table, fields: tuple[str, ...]) -> np.ndarray:
    """(N, K) one whole number for each combination of values, −1 where there is none; K > 1 for a bag's members."""
    key, missing = np.zeros((len(rows), 1), dtype=np.int64), np.zeros((len(rows), 1), dtype=bool)
    for name in fields:
        field = rows.schema[name]
        if not isinstance(field, Sparse | Bag):
            raise ValueError(f"{name!r} is a {type(field).__name__} field; counts are of Sparse fields and bags.")
        ids = rows[name].numpy().reshape(len(rows), -1)
        key, missing = key * field.size + ids, missing | (ids < FIRST)
    return np.where(missing, -1, key)


def _paired(keys: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.where(keys < 0, -1, keys * (int(group.max()) + 1) + group[:, None])


def _added_up(asked: np.ndarray, told: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, place = np.unique(told, return_inverse=True)
    place = place.reshape(told.shape)
    counts = np.bincount(place.ravel(), minlength=len(values)).astype(float)
    clicks = np.bincount(place.ravel(), np.repeat(y, told.shape[1]), minlength=len(values))
    at = np.searchsorted(values, asked).clip(max=len(values) - 1)
    found = (values[at] == asked) & (asked >= 0)
    return (counts[at] * found).sum(axis=1), (clicks[at] * found).sum(axis=1)


def _before(
    asked: np.ndarray, now: np.ndarray, told: np.ndarray, then: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    span = int(max(now.max(), then.max())) + 1
    kept = told >= 0
    moments = (told * span + then[:, None])[kept]
    order = np.argsort(moments, kind="stable")
    moments = moments[order]
    clicks = np.concatenate([[0.0], np.repeat(y, told.shape[1]).reshape(told.shape)[kept][order].cumsum()])
    first = np.searchsorted(moments, asked * span, side="left")
    last = np.searchsorted(moments, asked * span + now[:, None], side="left")  # rows of this very second are not past
    here = asked >= 0
    return ((last - first) * here).sum(axis=1).astype(float), ((clicks[last] - clicks[first]) * here).sum(axis=1)
