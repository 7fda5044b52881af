"""The piecewise worlds follow their stated laws, and only the part that is named moves from day to day."""

import math

import numpy as np
import pytest
import torch

from rec_lib.data import piecewise
from rec_lib.data.bayes import expected_auc


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def solved_slopes(table, side):
    """w of p = σ(w·x) from rows where the gate is nearly shut or nearly open, by least squares on the logit."""
    x = np.stack([table[f"x{i}"].numpy() for i in range(6)], axis=1).astype(float)
    p = table["p"].numpy()
    rows = (side * x[:, 0] > 2.2) & (p > 1e-3) & (p < 1 - 1e-3)  # the gate is beyond σ(8.8)
    return np.linalg.lstsq(x[rows, 1:], np.log(p[rows] / (1 - p[rows])), rcond=None)[0]


@pytest.mark.parametrize("opposed", [1.0, 0.5, 0.0])
def test_two_regimes_have_the_stated_slopes(opposed):
    world = piecewise.two_regimes(3, opposed=opposed, sizes=(60_000, 10, 10))
    w, v = solved_slopes(world.train, +1), solved_slopes(world.train, -1)
    assert np.linalg.norm(w) == pytest.approx(2, abs=0.05)
    assert np.linalg.norm(v) == pytest.approx(2, abs=0.05)
    assert w @ v / np.linalg.norm(w) / np.linalg.norm(v) == pytest.approx(-opposed, abs=0.03)
    gate = [sigmoid(4 * x) for x in world.train["x0"][:50].tolist()]
    x = np.stack([world.train[f"x{i}"][:50].numpy() for i in range(1, 6)], axis=1)
    p = [g * sigmoid(a @ w) + (1 - g) * sigmoid(a @ v) for g, a in zip(gate, x, strict=True)]
    np.testing.assert_allclose(world.train["p"][:50], p, atol=0.02)


def test_noise_has_no_part_in_the_law():
    world = piecewise.two_regimes(3, noise=4, sizes=(20_000, 10, 10))
    assert [f.name for f in world.train.schema.dense][-4:] == ["noise0", "noise1", "noise2", "noise3"]
    p = world.train["p"]
    for name in ("noise0", "noise3"):
        assert abs(torch.corrcoef(torch.stack([world.train[name].double(), p]))[0, 1]) < 0.03
    assert world.bayes["auc"] > 0.7


def test_thresholds_follow_the_formula_row_by_row():
    world = piecewise.thresholds(1, sizes=(20_000, 10, 10))
    t = world.train
    logit = torch.log(t["p"] / (1 - t["p"]))
    steps = [
        -0.5 + 1.5 * (1 if a > 0.2 else -1) * (1 if b > -0.1 else -1) + (1 if abs(c) < 0.4 else 0)
        for a, b, c in zip(t["x1"].tolist(), t["x2"].tolist(), t["x3"].tolist(), strict=True)
    ]
    w = logit - torch.tensor(steps)
    for ad in t["ad"].unique()[:20]:
        assert w[t["ad"] == ad].std() < 1e-3, "what is left must be the ad's own weight"
    assert t["label"].mean().item() == pytest.approx(t["p"].mean().item(), abs=0.02)


def test_nobody_beats_the_true_probability():
    world = piecewise.thresholds(0, sizes=(10, 10, 4000))
    noisy = world.test["p"].numpy() + np.random.default_rng(0).normal(0, 0.1, 4000)
    assert expected_auc(world.test["p"], noisy) < world.bayes["auc"] < 1


def test_a_seed_is_a_law_and_a_draw():
    a, b, c = (piecewise.two_regimes(s, sizes=(50, 10, 10)) for s in (1, 1, 2))
    assert torch.equal(a.train["p"], b.train["p"])
    assert torch.equal(a.train["label"], b.train["label"])
    assert not torch.equal(a.train["p"], c.train["p"])


def weight_of_ads(table):
    x = [table[f"x{i}"] for i in (1, 2, 3)]
    inside = (x[0].abs() > 0.65) & (x[1].abs() > 0.65)  # beyond where a threshold can wander
    steps = -0.5 + 1.5 * torch.sign(x[0]) * torch.sign(x[1]) + (x[2].abs() < 0.4)
    w = torch.log(table["p"] / (1 - table["p"])) - steps
    return torch.stack([w[inside & (table["ad"] == ad)].mean() for ad in table["ad"].unique()])


def where_the_crossing_is(table):
    """The share of rows with x1 = x2 signs that the first day's crossing would give, told by the step in p."""
    x = [table[f"x{i}"] for i in (1, 2, 3)]
    logit = torch.log(table["p"] / (1 - table["p"])) - (x[2].abs() < 0.4).double()
    return torch.corrcoef(torch.stack([logit, (torch.sign(x[0] - 0.2) * torch.sign(x[1] + 0.1)).double()]))[0, 1]


@pytest.mark.parametrize("drift", ["ads", "crossing", "nothing"])
def test_only_the_named_part_drifts(drift):
    tables = piecewise.days(0, drift, n_days=9)
    ads = torch.corrcoef(torch.stack([weight_of_ads(t) for t in (tables[0], tables[-1])]))[0, 1]
    crossing = where_the_crossing_is(tables[-1]) / where_the_crossing_is(tables[0])
    assert (ads < 0.6) == (drift == "ads")
    assert (crossing < 0.9) == (drift == "crossing")
    assert len(tables) == 9


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: piecewise.two_regimes(0, d=2), "d=2"),
        (lambda: piecewise.two_regimes(0, opposed=1.5), "opposed=1.5"),
        (lambda: piecewise.days(0, "weather"), "drift='weather'"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()
