"""The formulas of 2.3 hold their code: the real classes agree, and a class with one slip does not."""

import numpy as np
import pytest
import torch

from rec_lib.derive import Disagreement, algebra, mf
from rec_lib.layers.ridge import ridge, ridge_with_zeros
from rec_lib.models import MF, SVDpp

PAIRS = [
    (mf.singular_values, torch.linalg.svdvals),
    (mf.model, MF),
    (mf.gradient, MF),
    (mf.update, MF),
    (mf.svdpp, SVDpp),
    (mf.als, ridge),
    (mf.ials, ridge_with_zeros),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


class TwiceTheItem(MF):
    def forward(self, batch):
        return super().forward(batch) + self.rows(self.b_item, "item", batch)


class FreeBiases(MF):
    def penalty(self, batch):
        p, q = self.rows(self.p, "user", batch), self.rows(self.q, "item", batch)
        return self.l2 * (p.square().sum(1) + q.square().sum(1))


class HalfTheSquare(MF):
    def loss(self, batch):
        return super().loss(batch) / 2


class MeanInPlaceOfRoot(SVDpp):
    def __init__(self, train, dim=64, l2=0.1, l2_y=0.01, init_sd=0.1):
        super().__init__(train, dim, l2, l2_y, init_sd)
        self.count.square_()


def without_price(x, y, l2):
    return ridge(x, y, 0 * l2)


def price_by_rows(x, y, l2):
    return ridge(x, y, l2 * x.shape[-2])


def whole_confidence_again(x, c, gram, l2):
    """C in place of C − I: the taken ones are counted once too often."""
    return ridge_with_zeros(x, c + 1, gram, l2)


def alpha_for_confidence(x, c, gram, l2):
    """α r in place of 1 + α r."""
    return ridge_with_zeros(x, c - 1, gram, l2)


def zeros_forgotten(x, c, gram, l2):
    """Only what was taken: everything is predicted to be taken."""
    return ridge_with_zeros(x, c, x.T @ x, l2)


SLIPS = [
    (mf.model, TwiceTheItem, "item bias is there 2.00"),
    (mf.update, FreeBiases, "does not agree"),
    (mf.gradient, HalfTheSquare, "0.50 ×"),
    (mf.svdpp, MeanInPlaceOfRoot, "q·y is there 0.71"),
    (mf.als, without_price, "does not agree"),
    (mf.als, price_by_rows, "does not agree"),
    (mf.ials, whole_confidence_again, "does not agree"),
    (mf.ials, alpha_for_confidence, "does not agree"),
    (mf.ials, zeros_forgotten, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)


def test_the_derived_gradient_of_the_films_is_that_of_backward():
    """By numbers: torch cannot differentiate the gradient of an embedding bag once more, which agrees_with would need."""
    weights = {"mu": 3.4, "b_u": 0.2, "b_i": -0.3, "r": 5.0, "l2": 0.3, "l2_y": 0.7}
    vectors = {"p": [0.5, -1.0], "q": [0.7, 0.4], "y": [[0.1, -0.6], [0.9, 0.3]]}
    t = {name: torch.tensor(value, dtype=torch.float64) for name, value in (weights | vectors).items()}
    t["y"].requires_grad_()
    mf.loss_of_one(SVDpp, t).backward()
    symbols = mf.svdpp_gradient.symbols
    point = {
        s: v for name in t for s, v in zip(np.ravel(symbols[name]), t[name].detach().ravel().tolist(), strict=True)
    }
    formula = [algebra.concrete(e, mf.svdpp_gradient.sizes) for e in mf.svdpp_gradient.final]
    np.testing.assert_allclose(t["y"].grad[0], [float(e.subs(point)) for e in formula])


def test_the_optimizer_makes_the_derived_step():
    """torch's SGD with the rate γ/2 on a batch of one rating, against the paper's update by hand."""
    from contract.rating_checks import build, train

    model = build(MF, dim=3, l2=0.3).double()
    model.mu.copy_(train()["label"].double().mean())
    row = train().batch(slice(4, 5))
    u, i, r = row["user"].item(), row["item"].item(), row["label"].item()
    with torch.no_grad():
        p, q, b_u, b_i = (w.clone() for w in (model.p[u], model.q[i], model.b_user[u], model.b_item[i]))
        e = r - (model.mu + b_u + b_i + p @ q)
        others = model.p.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05 / 2)
    model.loss(row).backward()
    optimizer.step()
    torch.testing.assert_close(model.q[i], q + 0.05 * (e * p - 0.3 * q))
    torch.testing.assert_close(model.p[u], p + 0.05 * (e * q - 0.3 * p))
    torch.testing.assert_close(model.b_user[u], b_u + 0.05 * (e - 0.3 * b_u))
    others[u] = model.p[u]
    assert torch.equal(model.p, others), "a user who gave no rating has moved"
