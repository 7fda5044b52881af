"""Proximal maps beside what they minimise: a numeric argmin, the plain formulas, and the optimality conditions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from rec_lib.layers.proximal import group_soft_threshold, soft_threshold

numbers = st.floats(-3, 3)
thresholds = st.floats(0, 2)


@settings(deadline=None, max_examples=60)
@given(numbers, thresholds)
def test_soft_threshold_is_the_numeric_argmin(x, t):
    found = minimize_scalar(lambda u: 0.5 * (u - x) ** 2 + t * abs(u), bounds=(-4, 4), options={"xatol": 1e-10}).x
    got = soft_threshold(torch.tensor([x], dtype=torch.float64), t)
    assert got.item() == pytest.approx(found, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(st.lists(numbers, min_size=2, max_size=4), thresholds)
def test_group_soft_threshold_is_the_numeric_argmin(x, t):
    x = np.array(x)

    def objective(u):
        return 0.5 * ((u - x) ** 2).sum() + t * np.linalg.norm(u)

    got = group_soft_threshold(torch.tensor(x)[None], t, dim=1).numpy()[0]
    starts = (x, 0.5 * x, np.full_like(x, 0.01))
    exact = {"fatol": 1e-13, "xatol": 1e-9, "maxiter": 4000}
    best = min(minimize(objective, start, method="Nelder-Mead", options=exact).fun for start in starts)
    assert objective(got) <= min(best, objective(np.zeros_like(x))) + 1e-9


def plain_soft(x, t):
    return 0.0 if abs(x) <= t else x - math.copysign(t, x)


def plain_group(row, t):
    length = math.sqrt(sum(v * v for v in row))
    return [0.0] * len(row) if length <= t else [v * (length - t) / length for v in row]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), thresholds)
def test_both_equal_the_plain_loops(seed, t):
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    x[2] = 0.0
    soft = [[plain_soft(v, t) for v in row] for row in x.tolist()]
    torch.testing.assert_close(soft_threshold(x, t), torch.tensor(soft, dtype=torch.float64))
    groups = torch.tensor([plain_group(row, t) for row in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(group_soft_threshold(x, t, dim=1), groups)
    torch.testing.assert_close(group_soft_threshold(x.T, t, dim=0), groups.T)


def test_small_numbers_become_exactly_zero_and_short_groups_as_a_whole():
    x = torch.tensor([[0.3, -0.4], [0.6, 0.8], [0.0, 0.0]])
    assert torch.equal(soft_threshold(x, 0.45) == 0, torch.tensor([[True, True], [False, False], [True, True]]))
    got = group_soft_threshold(x, 0.55, dim=1)  # lengths 0.5, 1, 0
    assert torch.equal((got == 0).all(1), torch.tensor([True, False, True]))
    torch.testing.assert_close(got[1], torch.tensor([0.6, 0.8]) * 0.45)


def test_a_group_of_one_is_the_soft_threshold_and_a_threshold_of_zero_changes_nothing():
    x = torch.randn(6, 1, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(group_soft_threshold(x, 0.3, dim=1), soft_threshold(x, 0.3))
    assert torch.equal(soft_threshold(x, 0.0), x)
    assert torch.equal(group_soft_threshold(x, 0.0, dim=1), x)


def test_l1_and_groups_together_are_the_two_maps_in_this_order():
    """The subgradient conditions of ½‖u − x‖² + a‖u‖₁ + b‖u‖₂ hold at group(soft(x, a), b)."""
    a, b = 0.4, 0.5
    x = torch.randn(200, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    u = group_soft_threshold(soft_threshold(x, a), b, dim=1)
    alive = u.norm(dim=1) > 0
    assert 0 < alive.sum() < 200
    slope = u[alive] - x[alive] + b * u[alive] / u[alive].norm(dim=1, keepdim=True)
    nonzero = u[alive] != 0
    torch.testing.assert_close(slope[nonzero], -a * u[alive][nonzero].sign())
    assert (slope[~nonzero].abs() <= a + 1e-12).all()
    left_over = soft_threshold(x[~alive], a).norm(dim=1)  # 0 is best where no pull exceeds both penalties
    assert (left_over <= b + 1e-12).all()
    swapped = soft_threshold(group_soft_threshold(x, b, dim=1), a)
    assert not torch.allclose(swapped, u)


def test_one_threshold_for_each():
    x = torch.tensor([[3.0, 4.0], [3.0, 4.0]])
    t = torch.tensor([[1.0], [10.0]])
    torch.testing.assert_close(soft_threshold(x, t), torch.tensor([[2.0, 3.0], [0.0, 0.0]]))
    torch.testing.assert_close(group_soft_threshold(x, t, dim=1), torch.tensor([[2.4, 3.2], [0.0, 0.0]]))


@pytest.mark.parametrize("t", [-0.1, float("nan"), torch.tensor([0.1, -0.2])])
def test_a_threshold_below_zero_is_refused(t):
    with pytest.raises(ValueError, match="0 or more"):
        soft_threshold(torch.ones(2), t)
    with pytest.raises(ValueError, match="0 or more"):
        group_soft_threshold(torch.ones(2, 2), t if isinstance(t, float) else t[:, None], dim=1)
