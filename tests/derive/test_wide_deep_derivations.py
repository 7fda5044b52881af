"""The formulas of 3.6 hold their code, a slip is seen, and the degree of a cross network is l + 1 in symbols."""

import pytest
import sympy as sp
import torch

from rec_lib.derive import Disagreement, dcn, wide_deep
from rec_lib.layers import cross_layer, matrix_cross_layer
from rec_lib.models import DCN, WideDeep

PAIRS = [
    (wide_deep.cross_product, wide_deep.weight_by_loops),
    (wide_deep.model, WideDeep),
    (wide_deep.joint, WideDeep),
    (dcn.layer, cross_layer),
    (dcn.degree, cross_layer),
    (dcn.multiple, cross_layer),
    (dcn.matrix_layer, matrix_cross_layer),
    (dcn.model, DCN),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def times_itself(x_0, x, w, b):
    return cross_layer(x, x, w, b)


def nothing_carried(x_0, x, w, b):
    return cross_layer(x_0, x, w, b) - x


def transposed(x_0, x, w, b):
    return matrix_cross_layer(x_0, x, w.mT, b)


class TwoErrors(WideDeep):
    """The network is trained by an error of its own."""

    def forward(self, batch):
        return self.wide(batch) + self.deep(batch).detach()


class MeanOfTwo(WideDeep):
    def forward(self, batch):
        return super().forward(batch) / 2


class OneAfterTheOther(DCN):
    def forward(self, batch):
        x_0 = self.emb.flat(self.emb(batch), batch)
        x = x_0
        for w, b in zip(self.w, self.b, strict=True):
            x = cross_layer(x_0, x, w, b)
        return self.logits(torch.cat([x, self.deep(x)], dim=1)).squeeze(-1)


SLIPS = [
    (wide_deep.cross_product, lambda x, z, c: (c.sum(1) @ x) + (c.sum(0) @ z)),
    (wide_deep.model, TwoErrors),
    (wide_deep.model, MeanOfTwo),
    (wide_deep.joint, MeanOfTwo),
    (dcn.layer, times_itself),
    (dcn.layer, nothing_carried),
    (dcn.degree, times_itself),
    (dcn.multiple, nothing_carried),
    (dcn.matrix_layer, transposed),
    (dcn.model, OneAfterTheOther),
]


@pytest.mark.parametrize(("derivation", "code"), SLIPS)
def test_a_slip_is_seen(derivation, code):
    with pytest.raises(Disagreement):
        derivation.agrees_with(code)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("layers", range(4))
def test_degree_is_layers_plus_one(layers, version):
    polynomial = dcn.polynomial(layers, 2, version)
    assert polynomial.total_degree() == layers + 1


@pytest.mark.parametrize("layers", range(4))
def test_without_biases_every_monomial_up_to_the_degree_is_there(layers):
    """In the first number: all that contain x_1 in the factored form, x_1 Π (1 + x·w_l)."""
    got = {m for m in dcn.polynomial(layers, 2, 1, bias=False).monoms()}
    assert got == {(a, b) for a in range(1, layers + 2) for b in range(layers + 2) if a + b <= layers + 1}


def test_v2_with_equal_rows_is_v1():
    x = sp.Matrix(sp.symbols("x1:4"))
    w, zero = sp.Matrix(sp.symbols("w1:4")), sp.zeros(3, 1)
    rows = sp.Matrix.vstack(*[w.T] * 3)
    assert (dcn.cross(x, x, w, zero) - dcn.cross(x, x, rows, zero, 2)).applyfunc(sp.expand) == zero


def test_a_third_version_is_refused():
    with pytest.raises(ValueError, match="version=3"):
        dcn.polynomial(1, 2, 3)
