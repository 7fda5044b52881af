"""Ridge and implicit ALS beside plain loops, and what the closed form promises: no gradient is left, nothing rises."""

import numpy as np
import pytest
import torch
from contract.topn_checks import noisy_world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge

from rec_lib.data.ragged import padded_rows
from rec_lib.layers.ridge import ridge, ridge_with_zeros
from rec_lib.models.ials import IALS, half_step, objective
from rec_lib.schema import FIRST


def stars(seed=0) -> csr_matrix:
    """Counts from 1 to 3 in place of ones."""
    matrix = noisy_world(seed)
    matrix.data = np.random.default_rng(seed).integers(1, 4, matrix.nnz).astype(float)
    return matrix


# --- rows of unequal length ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 12), st.integers(1, 9), st.integers(1, 40), st.integers(0, 2**31))
def test_padded_rows_hold_every_entry_once(n, m, places, seed):
    rng = np.random.default_rng(seed)
    dense = rng.integers(0, 4, (n, m)) * (rng.random((n, m)) < 0.5)
    again = np.zeros((n, m))
    for rows, columns, values in padded_rows(csr_matrix(dense.astype(float)), places):
        assert columns.shape == values.shape
        assert columns.size <= places or len(rows) == 1
        assert (values != 0).any(axis=0).all(), "a column of padding only"
        for row, column, value in zip(rows, columns, values, strict=True):
            assert not again[row].any(), "a row stands in two blocks"
            np.add.at(again[row], column, value)
    np.testing.assert_array_equal(again, dense)


# --- the closed forms ------------------------------------------------------------------------------------------------


def test_ridge_is_sklearns_and_padding_changes_nothing():
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(3, 6, 2, generator=g, dtype=torch.float64), torch.randn(3, 6, generator=g, dtype=torch.float64)
    l2 = torch.tensor([0.1, 1.0, 5.0], dtype=torch.float64)
    w = ridge(x, y, l2)
    for group in range(3):
        fitted = Ridge(alpha=l2[group].item(), fit_intercept=False).fit(x[group], y[group])
        np.testing.assert_allclose(w[group], fitted.coef_, rtol=1e-8)
    padded = torch.cat([x, torch.zeros(3, 4, 2, dtype=x.dtype)], dim=1), torch.cat([y, torch.full((3, 4), 9.0)], dim=1)
    torch.testing.assert_close(ridge(*padded, l2), w)
    assert (ridge(torch.zeros(1, 2, 3), torch.ones(1, 2), 0.1) == 0).all()
    with pytest.raises(ValueError, match="Raise l2"):  # two equal columns and no price: no single solution
        ridge(torch.ones(1, 4, 2), torch.ones(1, 4), 0.0)


def naive_row(y: np.ndarray, r: np.ndarray, alpha: float, l2: float) -> np.ndarray:
    """(YᵀCY + λI)⁻¹ YᵀC p over every column, zeros included: eq. 4 as it stands."""
    k = y.shape[1]
    normal, right = l2 * np.eye(k), np.zeros(k)
    for i in range(len(y)):
        c = 1 + alpha * r[i]
        p = 1.0 if r[i] > 0 else 0.0
        for a in range(k):
            right[a] += c * p * y[i, a]
            for b in range(k):
                normal[a, b] += c * y[i, a] * y[i, b]
    return np.linalg.solve(normal, right)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_half_step_is_the_plain_loop_over_all_items(seed):
    matrix, y = stars(seed), np.random.default_rng(seed).normal(size=(noisy_world().shape[1], 3))
    x = half_step(matrix, torch.from_numpy(y), alpha=2.5, l2=0.7).numpy()
    for user, row in enumerate(matrix.toarray()):
        np.testing.assert_allclose(x[user], naive_row(y, row, 2.5, 0.7), atol=1e-10)


def test_ridge_with_zeros_is_the_weighted_problem_over_the_whole_table():
    rng = np.random.default_rng(3)
    table, c = torch.from_numpy(rng.normal(size=(9, 3))), torch.from_numpy(1 + rng.random(4))
    fast = ridge_with_zeros(table[:4], c, table.T @ table, 0.3)
    root = torch.cat([c, torch.ones(5, dtype=c.dtype)]).sqrt()
    target = torch.cat([torch.ones(4, dtype=c.dtype), torch.zeros(5, dtype=c.dtype)])
    torch.testing.assert_close(fast, ridge(root.unsqueeze(1) * table, root * target, 0.3))


def naive_objective(matrix, x, y, alpha, l2):
    total = l2 * (float((x**2).sum()) + float((y**2).sum()))
    for u, row in enumerate(matrix.toarray()):
        for i, r in enumerate(row):
            total += (1 + alpha * r) * (float(r > 0) - float(x[u] @ y[i])) ** 2
    return total


def test_the_objective_is_that_of_the_double_loop():
    rng, matrix = np.random.default_rng(0), stars()
    x, y = (torch.from_numpy(rng.normal(size=(n, 3))) for n in matrix.shape)
    assert objective(matrix, x, y, 2.0, 0.5) == pytest.approx(naive_objective(matrix, x.numpy(), y.numpy(), 2.0, 0.5))


def test_after_a_half_step_the_gradient_is_zero_and_the_objective_never_rises():
    matrix = stars()
    dense = torch.from_numpy(matrix.toarray())
    y = torch.from_numpy(np.random.default_rng(0).normal(size=(matrix.shape[1], 4)))
    x = torch.zeros(matrix.shape[0], 4, dtype=y.dtype)
    values = [objective(matrix, x, y, 3.0, 0.4)]

    def slope(of, x, y):
        of.requires_grad_()
        c, p = 1 + 3.0 * dense, (dense > 0).double()
        loss = (c * (p - x @ y.T).square()).sum() + 0.4 * (x.square().sum() + y.square().sum())
        return torch.autograd.grad(loss, of)[0].abs().max().item()

    for _ in range(6):
        x = half_step(matrix, y, 3.0, 0.4)
        values.append(objective(matrix, x, y, 3.0, 0.4))
        assert slope(x, x, y) < 1e-8
        x = x.detach()
        y = half_step(matrix.T.tocsr(), x, 3.0, 0.4)
        values.append(objective(matrix, x, y, 3.0, 0.4))
        assert slope(y, x, y) < 1e-8
        y = y.detach()
    assert all(b <= a + 1e-9 for a, b in zip(values, values[1:], strict=False)), values
    assert values[-1] < 0.9 * values[1]


# --- the class -------------------------------------------------------------------------------------------------------


def test_fit_alternates_the_half_steps_and_ends_with_the_users():
    matrix = stars()
    model = IALS(3, 2.0, 0.5, iterations=4, rng=np.random.default_rng(7)).fit(matrix)
    expected = half_step(matrix, torch.from_numpy(model.y), 2.0, 0.5).numpy()
    np.testing.assert_allclose(model.x, expected)
    assert not model.x[[0, 1, -1]].any()
    assert not model.y[[0, 1, -1]].any()


def test_contributions_add_up_to_the_score():
    matrix = stars()
    model = IALS(4, 2.0, 0.5).fit(matrix)
    for user, item in ((FIRST, FIRST + 1), (FIRST + 7, FIRST + 8)):
        items, parts = model.contributions(user, item)
        assert items.tolist() == matrix[[user]].indices.tolist()
        assert parts.sum() == pytest.approx(model.score([user])[0, item])
    with pytest.raises(ValueError, match="user 1"):
        model.contributions(1, FIRST)
    for item in (999, 0, matrix.shape[1] - 1):  # beyond the matrix, padding, an item that nobody took
        with pytest.raises(ValueError, match=f"item {item}"):
            model.contributions(FIRST, item)


def test_confidence_of_stars_counts():
    """Twice the stars is more confidence, not another target: the score of a taken item comes nearer to 1."""
    matrix = noisy_world()
    more = matrix.copy()
    more.data *= 5
    u, i = matrix.nonzero()
    low, high = (IALS(2, 1.0, 1.0).fit(m).score(np.arange(m.shape[0]))[u, i] for m in (matrix, more))
    assert np.abs(1 - high).mean() < np.abs(1 - low).mean()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dim", 0),
        ("dim", 2.5),
        ("iterations", 0),
        ("iterations", 1.5),
        ("alpha", -1.0),
        ("alpha", np.nan),
        ("alpha", np.inf),
    ]
    + [("l2", value) for value in (0.0, np.nan, np.inf)],
)
def test_settings_that_cannot_be_are_refused(name, value):
    with pytest.raises(ValueError, match="l2 above 0"):
        IALS(**{name: value})


def test_numbers_of_numpy_are_settings_that_can_be_saved(tmp_path):
    model = IALS(np.int64(2), np.float32(3), np.float64(0.5), np.int64(1)).fit(stars())
    model.save(tmp_path / "model.npz")
    np.testing.assert_array_equal(IALS(2, 3, 0.5, 1).load(tmp_path / "model.npz").score([FIRST]), model.score([FIRST]))
