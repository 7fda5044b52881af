"""The formulas of 3.3 and 3.5 hold their code: the real classes agree, and a class with one slip does not."""

import pytest
import torch

from rec_lib.derive import Disagreement, deep_crossing, pnn
from rec_lib.layers import inner_signal, outer_signal
from rec_lib.models import IPNN, OPNN, PNN, DeepCrossing
from rec_lib.models.deep_crossing import ResidualUnit

PAIRS = [
    (deep_crossing.unit, ResidualUnit),
    (deep_crossing.model, DeepCrossing),
    (deep_crossing.shortcut, ResidualUnit),
    (deep_crossing.paths, deep_crossing.slope_of_cascade),
    (pnn.inner, inner_signal),
    (pnn.outer, outer_signal),
    (pnn.same, inner_signal),
    (pnn.layer, pnn.dense_over_both),
    (pnn.ipnn, IPNN),
    (pnn.opnn, OPNN),
    (pnn.pnn, PNN),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def test_the_two_products_with_weights_of_one_are_the_same_formula():
    def with_the_unit_matrix(f, ones):
        return outer_signal(f, torch.eye(f.shape[2], dtype=f.dtype).unsqueeze(0))

    assert pnn.same.agrees_with(with_the_unit_matrix).draws == 5


class AddedAfterTheReLU(ResidualUnit):
    def forward(self, x):
        return x + torch.relu(self.residual(x))


class NothingAdded(ResidualUnit):
    def forward(self, x):
        return torch.relu(self.residual(x))


class BareLookUp(DeepCrossing):
    def forward(self, batch):
        x = torch.cat([self.emb.flat(self.emb(batch) + self.bias, batch), self.small(batch, self.bias.dtype)], dim=1)
        return self.score(self.units(x)).squeeze(-1)


class DetachedShortcut(ResidualUnit):
    def forward(self, x):
        return torch.relu(x.detach() + self.residual(x))


def over_pairs_once(f, theta):
    return 0.5 * (inner_signal(f, theta) - f.square().sum(2) @ theta.square().mT)


def summed_over_coordinates(f, theta):
    return (f.mT @ theta.mT).sum(1).square()


def each_field_alone(f, w):
    return (f.mT @ f).flatten(1) @ w.flatten(1).mT


class OwnReLU(IPNN):
    def forward(self, batch):
        f = self.emb(batch)
        return self.mlp(torch.relu(self.linear(f.flatten(1))) + torch.relu(self.quadratic(f))).squeeze(-1)


class TwiceInner(PNN):
    def quadratic(self, f):
        return 2 * inner_signal(f, self.theta) + outer_signal(f, self.w_p)


SLIPS = [
    (deep_crossing.unit, AddedAfterTheReLU, "value"),
    (deep_crossing.unit, NothingAdded, "value"),
    (deep_crossing.model, BareLookUp, "value"),
    (deep_crossing.unit, DetachedShortcut, "value: agrees"),
    (deep_crossing.shortcut, NothingAdded, "does not agree"),
    (pnn.inner, over_pairs_once, "value"),
    (pnn.inner, summed_over_coordinates, "value"),
    (pnn.outer, each_field_alone, "value"),
    (pnn.ipnn, OwnReLU, "does not agree"),
    (pnn.pnn, TwiceInner, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
