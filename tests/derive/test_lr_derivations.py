"""The formulas of 2.4 hold their code, and code with one slip does not agree."""

import pytest
import torch

from rec_lib.derive import Disagreement, lr
from rec_lib.layers.proximal import soft_threshold
from rec_lib.models.ftrl import absorb, proximal_weight
from rec_lib.models.lr import LR


def one_step(w, n, g, alpha, beta):
    """What the optimizer does to one coordinate, without penalties."""
    z = -(beta + n.sqrt()) / alpha * w
    return proximal_weight(*absorb(w, z, n, g, alpha), alpha, beta, 0.0, 0.0)


PAIRS = [
    (lr.likelihood, LR),
    (lr.minus_log_likelihood, LR),
    (lr.gradient, LR),
    (lr.convexity, LR),
    (lr.squared, lr.squared_error),
    (lr.objective, lr.whole_objective),
    (lr.stationary, proximal_weight),
    (lr.weight, proximal_weight),
    (lr.telescope, absorb),
    (lr.one_step, one_step),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


class SigmoidTwice(LR):
    def forward(self, batch):
        return torch.sigmoid(super().forward(batch))


class Sum(LR):
    def loss(self, batch):
        return super().loss(batch) * len(batch["label"])


class Squared(LR):
    def loss(self, batch):
        return (torch.sigmoid(self(batch)) - batch["label"]).square().mean()


class NoConstant(LR):
    def forward(self, batch):
        return super().forward(batch) - self.linear.w0


def hard(z, n, alpha, beta, l1, l2):
    return torch.where(z.abs() > l1, proximal_weight(z, n, alpha, beta, 0.0, l2), 0.0)


def threshold_after(z, n, alpha, beta, l1, l2):
    return soft_threshold(proximal_weight(z, n, alpha, beta, 0.0, l2), l1)


def no_root(w, z, n, g, alpha):
    return z + g - g.square() / alpha * w, n + g.square()


def dual_averaging(w, n, g, alpha, beta):
    z = -(beta + n.sqrt()) / alpha * w + g
    return proximal_weight(z, n + g.square(), alpha, beta, 0.0, 0.0)


SLIPS = [
    (lr.likelihood, SigmoidTwice, "does not agree"),
    (lr.likelihood, Sum, "3.00"),
    (lr.likelihood, NoConstant, "w0"),
    (lr.gradient, Squared, "does not agree"),
    (lr.convexity, Squared, "does not agree"),
    (lr.squared, lambda z, y: (torch.sigmoid(z) - y).square() / 2, "0.50"),
    (lr.weight, hard, "does not agree"),
    (lr.weight, threshold_after, "does not agree"),
    (lr.stationary, hard, "does not agree"),
    (lr.telescope, no_root, "does not agree"),
    (lr.one_step, dual_averaging, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)


@pytest.mark.parametrize("z", [-0.9, -0.3, 0.0, 0.5, 0.9])
def test_inside_the_threshold_both_slopes_point_at_zero(z):
    """The half of the argument that is an inequality: |z| ≤ λ₁ = 1, H = 2, looked at just beside 0."""

    def objective(w):
        return z * w + w * w + abs(w)

    assert min(objective(1e-6), objective(-1e-6)) > objective(0.0)
    assert proximal_weight(torch.tensor(z), torch.tensor(1.0), 0.5, 0.0, 1.0, 0.0) == 0
