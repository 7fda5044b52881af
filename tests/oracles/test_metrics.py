"""Metrics beside scikit-learn where it has one, and beside definitions written as loops where it has not."""

import numpy as np
import pytest
import sklearn.metrics as sk
from contract.ctr_checks import stirred, table
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_lib import evaluation as ev
from rec_lib.models import FM


def sample(seed, n=60, distinct=7):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    y[:2] = 0, 1
    return y, rng.integers(0, distinct, n) / distinct, rng


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_click_metrics_equal_scikit_learn_ties_included(seed):
    y, p, _ = sample(seed)
    assert ev.auc(y, p) == pytest.approx(sk.roc_auc_score(y, p))
    q = 0.05 + 0.9 * p
    assert ev.log_loss(y, q) == pytest.approx(sk.log_loss(y, q))
    assert ev.rmse(y, p) == pytest.approx(sk.root_mean_squared_error(y, p))


def test_auc_equals_the_count_over_all_pairs():
    y, p, _ = sample(3)
    wins = [(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
    assert ev.auc(y, p) == pytest.approx(np.mean(wins))
    assert ev.auc(y, -p) == pytest.approx(1 - ev.auc(y, p))


def test_gauc_is_the_row_weighted_mean_of_group_aucs():
    y, p, rng = sample(5, n=300)
    group = rng.integers(0, 40, 300)
    total, weight = 0.0, 0
    for g in set(group):
        rows = group == g
        if 0 < y[rows].sum() < rows.sum():
            total += rows.sum() * sk.roc_auc_score(y[rows], p[rows])
            weight += rows.sum()
    assert weight < 300, "some groups have one class only"
    assert ev.gauc(y, p, group) == pytest.approx(total / weight)
    assert ev.gauc(y, p, group.astype(str)) == pytest.approx(total / weight)
    with pytest.raises(ValueError, match="no group"):
        ev.gauc(y, p, np.arange(300))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_list_metrics_equal_their_definitions(seed):
    rng = np.random.default_rng(seed)
    users, k, n_items = 8, 5, 12
    scores = rng.permuted(np.tile(np.arange(n_items), (users, 1)), axis=1)
    relevant = rng.random((users, n_items)) < 0.3
    relevant[:, 0] = True
    ranked = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(relevant, ranked, axis=1)
    n = relevant.sum(1)

    assert ev.ndcg(hits, n) == pytest.approx(np.mean([_ndcg(relevant[u], scores[u], k) for u in range(users)]))
    full = np.take_along_axis(relevant, np.argsort(-scores, axis=1), axis=1)
    assert ev.ndcg(full, n) == pytest.approx(sk.ndcg_score(relevant, scores))
    expected = np.mean([sk.average_precision_score(relevant[u], scores[u]) for u in range(users)])
    assert ev.mean_average_precision(full, n) == pytest.approx(expected)
    assert ev.hit_rate(hits) == np.mean([any(row) for row in hits])
    first = [next((1 / (i + 1) for i, h in enumerate(row) if h), 0) for row in hits]
    assert ev.mrr(hits) == pytest.approx(np.mean(first))
    assert ev.coverage(ranked, n_items) == len({i for row in ranked for i in row}) / n_items


def _ndcg(relevant, scores, k):
    order = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]
    gain = sum(1 / np.log2(place + 2) for place, i in enumerate(order) if relevant[i])
    return gain / sum(1 / np.log2(place + 2) for place in range(min(k, relevant.sum())))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ev.auc([1, 1], [0.1, 0.2]), "needs both"),
        (lambda: ev.auc([0, 2], [0.1, 0.2]), "0 or 1"),
        (lambda: ev.auc([0, 1], [0.1, float("nan")]), "NaN"),
        (lambda: ev.auc([0, 1, 1], [0.1, 0.2]), "same N"),
        (lambda: ev.auc([], []), "N ≥ 1"),
        (lambda: ev.log_loss([0, 1], [-2.0, 3.0]), "sigmoid"),
        (lambda: ev.log_loss([0.3, 1], [0.1, 0.9]), "0 or 1"),
        (lambda: ev.log_loss([4, 5], [0.1, 0.9]), "threshold"),
        (lambda: ev.gauc([0, 1, -1, 1], [0.1, 0.2, 0.3, 0.4], [1, 1, 2, 2]), "0 or 1"),
        (lambda: ev.gauc([0, 1], [0.1, 0.2], [1]), "one group id a row"),
        (lambda: ev.hit_rate([0, 1]), "users, k"),
        (lambda: ev.hit_rate([[0, 2]]), "0 and 1"),
        (lambda: ev.ndcg([[1, 1]], [1]), "at least the user's hits"),
        (lambda: ev.mrr([[0.5, 1]]), r"values \[0.5"),
        (lambda: ev.mean_average_precision([[0, 0]], [0]), "at least 1"),
        (lambda: ev.mean_average_precision([[1, 0]], [1.5]), "whole number"),
        (lambda: ev.ndcg([[1, 0]], [[1]]), r"shape \(1, 1\)"),
        (lambda: ev.coverage([0, 1], 5), r"shape \(2,\)"),
        (lambda: ev.coverage([[0.5, 1]], 5), "whole numbers"),
        (lambda: ev.coverage([[0, 5]], 5), "0 … 5 for n_items=5"),
        (lambda: ev.coverage([[-2, 1]], 5), "−1 for an empty place"),
        (lambda: ev.coverage(np.empty((0, 2), int), 0), "at least one item"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_coverage_leaves_empty_places_out():
    assert ev.coverage([[3, 1], [1, -1], [-1, -1]], 4) == 2 / 4
    assert ev.coverage(np.empty((0, 2), int), 4) == 0


def test_log_loss_survives_certain_predictions():
    assert np.isfinite(ev.log_loss([0, 1], [1.0, 0.0]))


def test_validation_uses_all_rows_at_once():
    model = stirred(FM)
    assert ev.auc_on(table())(model) == ev.auc(table()["label"], model.predict_proba(table()))


def test_splits_part_the_rows_and_time_goes_forward():
    import torch

    stamps = torch.tensor([5, 3, 9, 1, 7, 2, 8, 4, 6, 0] * 10)
    for parts in (ev.random_split(100, seed=1), ev.time_split(stamps)):
        assert [len(p) for p in parts] == [80, 10, 10]
        assert torch.equal(torch.cat(parts).sort().values, torch.arange(100))
    train, valid, test = ev.time_split(stamps)
    assert stamps[train].max() <= stamps[valid].min() <= stamps[valid].max() <= stamps[test].min()
    assert torch.equal(ev.random_split(100, seed=1)[0], ev.random_split(100, seed=1)[0])
    assert not torch.equal(ev.random_split(100, seed=1)[0], ev.random_split(100, seed=2)[0])
    with pytest.raises(ValueError, match="add up to 1"):
        ev.random_split(10, seed=0, parts=(0.5, 0.4))
