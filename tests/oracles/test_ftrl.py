"""FTRL-Proximal beside the argmin it stands for, the paper's own loop, and gradient descent, which it is without penalties."""

import numpy as np
import pytest
import torch
from contract.ftrl_checks import CHECKS, one_coordinate
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.ftrl_naive import algorithm_1, follow_the_leader

from rec_lib.models.ftrl import FTRL
from rec_lib.models.lr import LR
from rec_lib.schema import Schema, Sparse


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_ftrl(check):
    check(FTRL)


gradients = st.lists(st.floats(-2, 2), min_size=1, max_size=8)


@settings(deadline=None, max_examples=30)
@given(gradients, st.floats(0.05, 2), st.floats(0, 2), st.floats(0, 1.5), st.floats(0, 1), st.floats(-1, 1))
def test_every_weight_is_the_argmin_of_the_whole_objective(g, alpha, beta, l1, l2, start):
    g = [x if abs(x) > 1e-3 else 0.5 for x in g]
    expected = follow_the_leader(g, alpha, beta, l1, l2, start)
    got = one_coordinate(FTRL, g, start, alpha=alpha, beta=beta, l1=l1, l2=l2)
    np.testing.assert_allclose(got, expected, atol=2e-5, rtol=1e-5)


def test_lr_by_single_rows_is_the_papers_loop():
    """The class that the course trains, on ids, against dictionaries of floats: weights, z, n and predictions."""
    rng = np.random.default_rng(0)
    schema = Schema((Sparse("user", 9), Sparse("item", 14)))
    ids = {"user": rng.integers(1, 9, 300), "item": rng.integers(1, 14, 300)}
    y = (rng.random(300) < 0.4).astype(float)
    rows = [{"w0": 1.0, ("user", int(u)): 1.0, ("item", int(i)): 1.0} for u, i in zip(*ids.values(), strict=True)]
    setting = {"alpha": 0.3, "beta": 1.0, "l1": 2.0, "l2": 0.1}
    weight, _, _, predicted = algorithm_1(rows, y, **setting)
    model = LR(schema).double()
    optimizer = FTRL(model.parameters(), **setting)
    got = []
    for t in range(300):
        batch = {name: torch.tensor(column[t : t + 1]) for name, column in ids.items()} | {"label": torch.tensor(y[t : t + 1])}  # fmt: skip
        got.append(model.predict_proba(batch).item())
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    np.testing.assert_allclose(got, predicted, rtol=1e-10)
    assert model.linear.w0.item() == pytest.approx(weight["w0"], rel=1e-10)
    for field in ids:
        found = model.linear.w.rows(field)[:, 0].tolist()
        assert found == pytest.approx([weight.get((field, i), 0.0) for i in range(len(found))], rel=1e-9)
    assert 0 < sum(w == 0 for w in weight.values()) < len(weight), "the penalty should keep some weights at 0, not all"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 0.0),
        ("alpha", np.nan),
        ("alpha", np.inf),
        ("beta", -1.0),
        ("beta", np.inf),
        ("l1", -0.1),
        ("l2", -0.1),
    ],
)
def test_settings_out_of_bounds_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        FTRL([torch.nn.Parameter(torch.zeros(2))], **{name: value})
