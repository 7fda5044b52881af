"""Counts and rates beside plain loops, and which of them tell a row its own label."""

import numpy as np
import pytest
import torch

from rec_lib.data.statistics import rates, with_dense
from rec_lib.data.table import Table
from rec_lib.evaluation.metrics import auc
from rec_lib.schema import Bag, Dense, Schema, Sparse

SCHEMA = Schema((Sparse("user", 12), Bag("genres", 6, 3), Dense("age")))


def rows(n=80, seed=0):
    rng = np.random.default_rng(seed)
    genres = rng.integers(0, 6, (n, 3))
    columns = {
        "user": torch.from_numpy(rng.integers(1, 12, n)),
        "genres": torch.from_numpy(genres),
        "age": torch.zeros(n),
        "label": torch.from_numpy(rng.integers(0, 2, n).astype(np.float32)),
    }
    return Table(SCHEMA, columns, extra={"timestamp": torch.from_numpy(rng.integers(0, 15, n))})


def values(table, row, fields):
    """The combinations of values of one row; PAD and OOV are none."""
    found = [()]
    for name in fields:
        ids = np.ravel(table[name][row].numpy()).tolist()
        found = [(*key, i) for key in found for i in ids if i >= 2]
    return found


def naive(asked, told, fields, counts, strength):
    """counts(row, other) says whether the other row may be counted."""
    mean = float(told["label"].mean())
    out = []
    for row in range(len(asked)):
        n = clicks = 0.0
        for key in values(asked, row, fields):
            for other in range(len(told)):
                if counts(row, other):
                    seen = values(told, other, fields).count(key)
                    n += seen
                    clicks += seen * float(told["label"][other])
        out.append((n, (clicks + strength * mean) / (n + strength)))
    return np.array(out).T


@pytest.mark.parametrize("fields", [("user",), ("genres",), ("user", "genres")])
def test_all_ways_equal_the_plain_loop(fields):
    table, fresh = rows(), rows(seed=1)
    folds = np.random.default_rng(3).permutation(80) % 4
    time = table["timestamp"]
    ways = {
        "own": lambda i, j: True,
        "leave_one_out": lambda i, j: i != j,
        "out_of_fold": lambda i, j: folds[i] != folds[j],
        "past": lambda i, j: time[j] < time[i],
    }
    for way, counts in ways.items():
        got = rates(table, table, fields, way, strength=3.0, folds=4, rng=np.random.default_rng(3))
        np.testing.assert_allclose(got, naive(table, table, fields, counts, 3.0), err_msg=way)
    got = rates(fresh, table, fields, "known", strength=3.0)
    np.testing.assert_allclose(got, naive(fresh, table, fields, lambda i, j: True, 3.0))


def leak(way):
    """AUC of the rate where there is nothing to know: labels are coin flips, no user differs from another."""
    scores = []
    for seed in range(20):
        table = rows(n=600, seed=seed)
        scores.append(auc(table["label"], rates(table, table, ("user",), way, strength=0.1, folds=5)[1]))
    return float(np.mean(scores))


def test_own_and_leave_one_out_tell_the_label_and_the_others_do_not():
    assert leak("own") > 0.53
    assert leak("leave_one_out") < 0.47, "a clicked row misses its own click: its rate is the lower one"
    for way in ("out_of_fold", "past"):
        assert abs(leak(way) - 0.5) < 0.02, way


def test_with_dense_adds_fields_and_keeps_the_rest():
    table = rows()
    wide = with_dense(table, {"a": np.arange(80), "b": np.ones(80)})
    assert [f.name for f in wide.schema.dense] == ["age", "a", "b"]
    assert wide["a"].dtype == torch.float32
    assert torch.equal(wide["timestamp"], table["timestamp"])
    assert [f.name for f in table.schema.dense] == ["age"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: rates(t, t, ("user",), "magic"), "way='magic'"),
        (lambda t: rates(t, rows(), ("user",), "past"), "pass way='known'"),
        (lambda t: rates(t, t, ("age",), "past"), "Dense field"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call(rows())
