"""LR finds the optimum that scikit-learn finds, and is calibrated there; FTRL finds what is planted and follows what turns."""

import numpy as np
import pytest
import torch
from learning import SEEDS
from sklearn.linear_model import LogisticRegression

from rec_lib.experiments import lr
from rec_lib.models.lr import LR
from rec_lib.schema import Dense, Schema, Sparse


def one_hot(ids, size):
    return np.eye(size)[ids]


def small(seed, n=400):
    rng = np.random.default_rng(seed)
    a, b, x = rng.integers(2, 7, n), rng.integers(2, 5, n), rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(0.5 - 0.4 * (a - 4) + 0.8 * x))).astype(float)
    schema = Schema((Sparse("a", 7), Sparse("b", 5), Dense("x")))
    batch = {"a": torch.tensor(a), "b": torch.tensor(b), "x": torch.tensor(x), "label": torch.tensor(y)}
    return schema, batch, np.hstack([one_hot(a, 7)[:, 2:], one_hot(b, 5)[:, 2:], x[:, None]]), y


def optimum(schema, batch, penalty):
    """Probabilities of LR where its loss, with an L2 penalty on all weights but the constant, is smallest."""
    model = LR(schema).double()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2000, tolerance_grad=1e-10, tolerance_change=1e-14)

    def closure():
        optimizer.zero_grad()
        weights = model.linear.w.table.square().sum() + model.linear.dense.square().sum()
        loss = model.loss(batch) + penalty / 2 * weights
        loss.backward()
        return loss

    optimizer.step(closure)
    return model.predict_proba(batch).numpy()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimum_is_scikit_learns_and_calibrated_on_every_feature(seed):
    schema, batch, x, y = small(seed)
    p = optimum(schema, batch, 1e-2)
    theirs = LogisticRegression(C=1 / (1e-2 * len(y)), tol=1e-10, max_iter=5000).fit(x, y)
    np.testing.assert_allclose(p, theirs.predict_proba(x)[:, 1], atol=1e-4)
    assert p.sum() == pytest.approx(y.sum(), rel=1e-5)  # the constant has no penalty: its slope is 0
    p = optimum(schema, batch, 0.0)
    for column in x.T:  # and without a penalty the slope of every weight is 0
        assert (p * column).sum() == pytest.approx((y * column).sum(), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_ftrl_silences_noise_before_it_silences_what_matters(seed):
    found = lr.noise(seed, 20_000, [0.0, 10.0])
    assert found["noise/0/zero_noise"] == 0
    assert found["noise/10/zero_noise"] > 0.9
    assert found["noise/10/zero_real"] < 0.25
    assert found["noise/10/excess"] < found["noise/0/excess"]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_goes_on_learning_follows_what_turns(seed):
    found = lr.drift(seed, 20_000, 3.0, [0.4, 0.8], [0.1], lr.BATCH)
    assert found["drift/frozen/9"] > 3 * found["drift/ftrl/9"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_grouping_feature_gives_the_weight_its_sign(seed):
    found = lr.planted_simpson(seed, 40_000, 0.4, lr.BATCH)
    assert found["simpson/pooled"] < 0 < found["simpson/within"]
    assert found["simpson/alone"] < -0.1
    assert abs(found["simpson/with_film"] - 0.4) < 0.1
