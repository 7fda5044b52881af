"""Pooled and within-group comparisons beside plain loops, and the resampling beside drawn data."""

import numpy as np
import pytest

from rec_lib.evaluation.simpson import Comparison, compare, resampled


def draw(seed, n=400):
    rng = np.random.default_rng(seed)
    group, x = rng.integers(0, 5, n), rng.integers(0, 2, n)
    return (rng.random(n) < 0.3 + 0.1 * x * (group > 2)).astype(float), x, group


@pytest.mark.parametrize("seed", range(5))
def test_both_numbers_are_the_plain_loops(seed):
    y, x, group = draw(seed)
    got = compare(y, x, group)
    assert got.pooled == pytest.approx(y[x == 1].mean() - y[x == 0].mean())
    total = weights = 0.0
    for g in range(5):
        a, b = y[(group == g) & (x == 1)], y[(group == g) & (x == 0)]
        w = len(a) * len(b) / (len(a) + len(b))
        total, weights = total + w * (a.mean() - b.mean()), weights + w
    assert got.within == pytest.approx(total / weights)


def test_a_weight_counts_a_row_several_times():
    y, x, group = draw(0, 60)
    times = np.random.default_rng(1).integers(0, 3, 60)
    repeated = [np.repeat(a, times) for a in (y, x, group)]
    assert compare(y, x, group, times) == compare(*repeated)


def test_the_books_kind_of_table_is_reversed():
    """Berkeley's shape: better in both groups, worse in the sum."""
    cells = [(0, 0, 530, 8), (1, 0, 1520, 51), (0, 1, 2510, 201), (1, 1, 1010, 92)]  # x, group, shown, clicked
    y = np.concatenate([np.arange(n) < k for _, _, n, k in cells])
    x = np.concatenate([np.full(n, a) for a, _, n, _ in cells])
    group = np.concatenate([np.full(n, g) for _, g, n, _ in cells])
    found = compare(y, x, group)
    assert found.reversed
    assert found.pooled == pytest.approx(143 / 2530 - 209 / 3040)
    assert found.pooled < 0 < found.within


def test_groups_without_both_sides_do_not_count():
    y, x, group = np.array([1.0, 0, 1, 0]), np.array([1, 0, 1, 1]), np.array([0, 0, 1, 1])
    assert compare(y, x, group).within == 1.0
    none = compare(y, x, np.array([0, 1, 0, 0]))
    assert np.isnan(none.within)
    assert not none.reversed
    assert not Comparison(0.1, 0.2).reversed


def test_resampling_clusters_has_the_spread_of_new_clusters():
    """Users differ by a lot and rows of a user agree: rows taken as independent would say a third of the truth."""

    def world(seed):
        rng = np.random.default_rng(seed)
        user = np.repeat(np.arange(60), 40)
        taste, side = rng.uniform(0.1, 0.9, 60), np.arange(60) % 2
        return (rng.random(len(user)) < taste[user]).astype(float), side[user], user

    truth = np.std([compare(y, x, np.zeros(len(y), int)).pooled for y, x, _ in map(world, range(200))])
    y, x, user = world(999)
    one_group = np.zeros(len(y), int)
    drawn = resampled(y, x, one_group, (user,), 200, np.random.default_rng(0))
    assert drawn.shape == (200, 2)
    assert drawn[:, 0].std() == pytest.approx(truth, rel=0.25)
    rows = resampled(y, x, one_group, (np.arange(len(y)),), 200, np.random.default_rng(0))
    assert rows[:, 0].std() < truth / 2


def test_draws_that_leave_a_side_empty_are_nan_and_silent():
    y = x = np.array([0, 1])
    with np.errstate(all="raise"):
        drawn = resampled(y, x, np.zeros(2, int), (np.arange(2),), 40, np.random.default_rng(0))
    assert 0 < np.isnan(drawn[:, 0]).sum() < 40
    assert (drawn[~np.isnan(drawn[:, 0])] == 1).all()


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="sometimes 0"):
        compare(np.ones(3), np.ones(3), np.zeros(3, int))
    for label in (np.nan, 2, -1):
        with pytest.raises(ValueError, match="labels must be 0 or 1"):
            compare(np.array([0, 1, label]), np.array([0, 1, 1]), np.zeros(3, int))
    with pytest.raises(ValueError, match="equal lengths"):
        compare(np.ones(3), np.array([0, 1]), np.zeros(3, int))
