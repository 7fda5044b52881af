"""Calibration measures beside scikit-learn's curve, scipy's interval, plain loops and drawn labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from rec_lib.evaluation.calibration import calibration_ratio, ece, ece_by_luck, reliability, wilson


def draw(seed, n=500, tied=False):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 3, n)
    p = np.round(p, 1) if tied else p
    return (rng.random(n) < p**1.3).astype(float), p


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 20), st.booleans(), st.sampled_from(["rows", "width"]))
def test_curve_is_scikit_learns(seed, bins, tied, equal):
    y, p = draw(seed, tied=tied)
    strategy = {"rows": "quantile", "width": "uniform"}[equal]
    observed, predicted = calibration_curve(y, p, n_bins=bins, strategy=strategy)
    r = reliability(y, p, bins, equal)
    np.testing.assert_allclose(r.observed, observed)
    np.testing.assert_allclose(r.predicted, predicted)
    assert r.count.sum() == len(y)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 30), (7, 30), (30, 30), (450, 1000)])
def test_interval_is_scipys(k, n):
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((expected.low, expected.high))


def test_interval_of_a_group_is_that_of_its_clicks():
    y, p = draw(3)
    r = reliability(y, p, 7)
    for share, n, low, high in zip(r.observed, r.count, r.low, r.high, strict=True):
        expected = binomtest(round(share * n), int(n)).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high))


def test_ece_and_ratio_are_the_plain_loops():
    y, p = draw(1)
    edges = np.quantile(p, np.linspace(0, 1, 11))
    total = 0.0
    for k in range(10):
        inside = (p > edges[k]) & (p <= edges[k + 1]) if k else p <= edges[1]
        total += abs(sum(y[inside]) - sum(p[inside])) / len(y)
    assert ece(y, p) == pytest.approx(total)
    assert calibration_ratio(y, p) == pytest.approx(sum(p) / sum(y))


def test_luck_is_the_mean_ece_of_labels_drawn_from_the_predictions():
    rng = np.random.default_rng(0)
    p = rng.beta(2, 3, 2000)
    drawn = [ece((rng.random(2000) < p).astype(float), p) for _ in range(400)]
    assert ece_by_luck(p) == pytest.approx(np.mean(drawn), rel=0.05)
    assert ece_by_luck(np.tile(p, 4)) == pytest.approx(
        ece_by_luck(p) / 2, rel=0.01
    )  # four times the rows, half the luck


def test_what_the_measures_see_and_what_they_do_not():
    y, p = np.tile([0.0, 1.0], 50), np.full(100, 0.5)
    assert ece(y, p) == 0  # useless and perfectly calibrated
    assert calibration_ratio(y, p) == 1
    assert len(reliability(y, p).count) == 1  # equal predictions share a group
    too_high = np.full(100, 0.6)
    assert ece(y, too_high) == pytest.approx(0.1)
    assert calibration_ratio(y, too_high) == pytest.approx(1.2)
    crossed = np.where(np.arange(100) < 50, 0.3, 0.7)  # wrong in both halves, right in the sum
    assert calibration_ratio(y, crossed) == pytest.approx(1)
    assert ece(y, crossed, 2) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 1], [0.5, 1.2], "sigmoid"),
        ([0, 1], [0.5, float("nan")], "probabilities"),
        ([0, 2], [0.5, 0.5], "0 or 1"),
        ([0, 1], [0.5], "shapes"),
        ([], [], "shapes"),
    ],
)
def test_what_cannot_be_judged_is_refused(y, p, message):
    for measure in (reliability, ece, calibration_ratio):
        with pytest.raises(ValueError, match=message):
            measure(y, p)


def test_settings_are_checked():
    with pytest.raises(ValueError, match="bins=0"):
        reliability([0, 1], [0.1, 0.2], 0)
    with pytest.raises(ValueError, match="bins=0"):
        ece_by_luck([0.1, 0.2], 0)
    for k, n, level in ((0, 0, 0.95), (5, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (np.nan, 2, 0.95)):
        with pytest.raises(ValueError, match="expected 0 … n"):
            wilson(k, n, level)
    with pytest.raises(ValueError, match="'rows' or 'width'"):
        reliability([0, 1], [0.1, 0.2], equal="area")
    with pytest.raises(ValueError, match="no label is 1"):
        calibration_ratio([0, 0], [0.1, 0.2])
