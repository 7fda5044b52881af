"""The panels of 3.6: the monomials are sympy's, and what the parts know adds up to what the model says."""

import numpy as np
import pytest
import sympy as sp
import torch

from rec_lib.data import worlds
from rec_lib.derive.dcn import polynomial
from rec_lib.figures import dcn as monomial_pictures
from rec_lib.figures import wide_deep as memory_pictures
from rec_lib.figures.core import alt_text
from rec_lib.schema import FIRST
from rec_lib.widgets import dcn, wide_deep


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [0, 1, 2, 3])
@pytest.mark.parametrize("version", dcn.VERSIONS)
def test_monomials_are_those_that_sympy_multiplies_out(version, layers, bias):
    network = dcn.CrossNetwork()
    data = network.compute(version, layers, "number 1 of x_L", bias)
    number = dcn.VERSIONS[version]
    weights = network.w if number == 1 else network.matrix
    given = {}
    for layer in range(layers):
        for position, value in np.ndenumerate(weights[layer]):
            given[sp.Symbol(f"w_{{{','.join(str(p + 1) for p in (layer, *position))}}}", real=True)] = value
        for a in range(2):
            given[sp.Symbol(f"b_{{{layer + 1},{a + 1}}}", real=True)] = network.b[layer, a]
    expected = np.zeros((dcn.SIZE, dcn.SIZE))
    for (i, j), coefficient in polynomial(layers, 2, number, bias).terms():
        expected[i, j] = float(coefficient.subs(given))
    np.testing.assert_allclose(data.weight, expected, atol=1e-12)
    assert data.degree == layers + 1


def test_what_the_notebook_says_of_the_monomials():
    network = dcn.CrossNetwork()
    one, two = (network.compute(version, 3, "number 1 of x_L", False) for version in dcn.VERSIONS)
    assert np.array_equal(one.there, two.there), "the same monomials"
    assert (one.free, two.free) == (6, 12)
    other = network.compute("DCN (a vector a layer)", 3, "number 2 of x_L", False)
    np.testing.assert_allclose(one.weight[1:, :-1], other.weight[:-1, 1:], err_msg="x_2 gets the factor that x_1 gets")
    v2 = network.compute("DCN-V2 (a matrix a layer)", 3, "number 2 of x_L", False)
    assert np.abs(two.weight[1:, :-1] - v2.weight[:-1, 1:]).max() > 0.1


def test_the_table_of_monomials_keeps_its_axes():
    network = dcn.CrossNetwork()
    figures = [
        monomial_pictures.monomials_figure(network.compute("DCN (a vector a layer)", n, "number 1 of x_L", False))
        for n in (0, 4)
    ]
    assert figures[0].layout.xaxis.range == figures[1].layout.xaxis.range
    assert "degree 5" in alt_text(figures[1])


@pytest.fixture(scope="module")
def reader():
    world = worlds.memorised(0, (2_000, 500, 500))
    models = {}
    for name, kind in wide_deep.KINDS.items():
        model = wide_deep.in_memorised(kind, world, 2, 0, paper=kind == "wide_deep")
        models[name, 2] = model
    return wide_deep.Reader(world, models)


def test_parts_add_up_to_the_model(reader):
    data = reader.compute("Wide & Deep", 2)
    listed = reader.world.law.effects["memorised"]
    pair = 7
    user, item = divmod(int(listed.keys[pair]), 100)
    batch = {"user": torch.full((10,), user + FIRST), "item": torch.full((10,), item + FIRST)}
    batch["context"] = torch.arange(10) + FIRST
    with torch.no_grad():
        logits = reader.models["Wide & Deep", 2](batch).numpy()
    columns = {name: ids.numpy() - FIRST for name, ids in batch.items()}
    ordinary = reader.world.law.without("memorised").logit(columns)
    total = (data.by_cross + data.by_rest)[pair] * listed.signs[pair]
    assert total == pytest.approx((logits - ordinary).mean(), abs=1e-4)
    assert data.strength == 3


def test_without_crosses_nothing_is_in_them(reader):
    data = reader.compute("deep part alone", 2)
    assert not data.by_cross.any()
    assert data.by_rest.std() > 0
    assert "its own weight carries 0.0" in memory_pictures.summary(data)


def test_dimension_figure_has_a_line_a_model():
    figure = memory_pictures.dimension_figure({"a": np.array([[0.7, 0.8], [0.5, 0.5]])}, [2, 4], "t", 0.9, ("LR", 0.6))
    assert [t.name for t in figure.data] == ["a"]
    assert list(figure.data[0].y) == [0.75, 0.5]
    assert "LR: 0.600" in alt_text(figure)
