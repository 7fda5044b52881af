"""The panels of 3.3 and 3.5 show what the models of the library say."""

import dataclasses
from itertools import product

import numpy as np
import pytest
import torch
from legible import faults

from rec_lib.data import worlds
from rec_lib.data.movielens import load
from rec_lib.data.views import ctr
from rec_lib.experiments.deep_crossing import gradient_norms
from rec_lib.figures import deep_crossing as depth_pictures
from rec_lib.figures import pnn as product_pictures
from rec_lib.figures.core import alt_text
from rec_lib.models import IPNN, DeepCrossing
from rec_lib.widgets import deep_crossing, pnn

# --- 3.3 -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cascades():
    return deep_crossing.Cascades(worlds.third_order(0, (deep_crossing.ROWS, 10, 10)).train)


@pytest.mark.parametrize("start", deep_crossing.STARTS)
@pytest.mark.parametrize("shortcut", [True, False])
def test_gradients_and_spread_are_those_of_the_network(cascades, shortcut, start):
    data = cascades.compute(4, shortcut, start)
    model = cascades.network(4, shortcut, start)
    np.testing.assert_allclose(data.gradient[::2], gradient_norms(model, cascades.rows))
    batch = cascades.rows.batch()
    with torch.no_grad():
        v = torch.relu(model.emb(batch) + model.bias)
        x = torch.cat([model.emb.flat(v, batch), model.small(batch, v.dtype)], dim=1)
        expected = [x]
        for unit in model.units:
            expected.append(torch.relu(expected[-1] * shortcut + unit.residual(expected[-1])))
        spread = [float((x - x.mean(0)).square().mean().sqrt()) for x in expected]
    np.testing.assert_allclose(data.spread, spread)


def test_the_dotted_line_is_the_network_with_the_shortcut_switched(cascades):
    a, b = (cascades.compute(6, shortcut, "as PyTorch does") for shortcut in (True, False))
    np.testing.assert_array_equal(a.other_gradient, b.gradient)
    np.testing.assert_array_equal(b.other_spread, a.spread)


def test_what_the_notebook_says_of_the_panel(cascades):
    """Without the shortcut the gradient falls with every layer; both remedies keep it; both at once make numbers grow."""
    plain, half = (cascades.compute(units, False, "as PyTorch does") for units in (10, 5))
    residual = cascades.compute(10, True, "as PyTorch does")
    assert plain.ratio < 1e-6 < 1e-3 < residual.ratio
    assert np.log(plain.ratio) / np.log(half.ratio) == pytest.approx(2, abs=0.5), "half the units, half the logarithm"
    he_plain, he_residual = (cascades.compute(10, shortcut, "as He et al. do") for shortcut in (False, True))
    assert 0.01 < he_plain.ratio < 100
    assert he_residual.spread[-1] > 30 * he_residual.spread[0]
    assert he_plain.spread[-1] < 10 * he_plain.spread[0]


def test_the_cascade_is_drawn_on_axes_that_stay(cascades):
    axes = set()
    for units, shortcut, start in product((1, 12), (True, False), deep_crossing.STARTS):
        figure = depth_pictures.cascade_figure(cascades.compute(units, shortcut, start))
        ranges = {"y": figure.layout.yaxis.range, "y2": figure.layout.yaxis2.range}
        axes.add(tuple(ranges.values()))
        for trace in figure.data:
            low, high = ranges[trace.yaxis or "y"]
            drawn = np.log10(trace.y)
            assert ((low < drawn) & (drawn < high)).all(), f"{trace.name} leaves the picture"
        assert f"{units} units" in alt_text(figure)
    assert len(axes) == 1


def test_a_layer_without_a_gradient_is_left_out_of_the_logarithm(cascades):
    data = cascades.compute(2, True, "as PyTorch does")
    dead = dataclasses.replace(data, gradient=np.array([0.0, 0.0, 0.0, 1.0]))
    assert np.isnan(depth_pictures.cascade_figure(dead).data[0].y[:3]).all()
    assert "3 of 4 layers get less than a thousandth" in depth_pictures.summary(dead)
    assert dataclasses.replace(dead, gradient=np.zeros(4)).ratio == 0


def test_depth_figure_has_a_line_a_kind_of_network():
    figure = depth_pictures.depth_figure(
        {"a": np.array([[0.7, 0.8], [0.5, 0.5]]), "b": np.ones((2, 2))}, [2, 10], "t", 0.9
    )
    assert [t.name for t in figure.data] == ["a", "b"]
    assert list(figure.data[0].y) == [0.75, 0.5]
    assert "0.750, 0.500" in alt_text(figure)


# --- 3.5 -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader():
    ml = load("ml-100k")
    table = ctr(ml)
    torch.manual_seed(0)
    return pnn.ProductReader(IPNN(table.schema, dim=6, init_sd=0.5), table, ml)


def of(reader, **changes):
    chosen = {
        "user": "user 354",
        "film": "Sleepless in Seattle (1993)",
        "first": "user",
        "second": "item",
        "summed": False,
    }
    return reader.compute(**(chosen | changes))


def test_products_are_those_of_the_models_vectors(reader):
    data = of(reader, second="genres")
    batch = reader.samples.batch([reader.users["user 354"]], [reader.films["Sleepless in Seattle (1993)"]])
    with torch.no_grad():
        f = reader.model.emb(batch)[0].numpy()
    np.testing.assert_allclose(data.inner, f @ f.T, rtol=1e-5)
    i, j = data.pair
    assert (data.fields[i], data.fields[j]) == ("user", "genres")
    np.testing.assert_allclose(data.outer, np.outer(f[i], f[j]), rtol=1e-5)


def test_the_inner_product_is_the_diagonal_of_the_outer_one(reader):
    data = of(reader)
    assert data.diagonal == pytest.approx(data.inner[data.pair])
    summed = of(reader, summed=True)
    assert summed.diagonal == pytest.approx(summed.inner.sum())
    np.testing.assert_allclose(summed.outer, summed.outer.T)
    assert "21 of its numbers differ" in product_pictures.summary(summed)
    same = of(reader, second="user")
    assert (np.diag(same.outer) >= 0).all()


def test_a_model_of_another_schema_is_refused():
    ml = load("ml-100k")
    other = worlds.pure_fm(0, (10, 10, 10)).train.schema
    with pytest.raises(ValueError, match="another schema"):
        pnn.ProductReader(IPNN(other), ctr(ml), ml)


def test_pair_and_diagonal_are_framed(reader):
    figure = product_pictures.products_figure(of(reader))
    frames = [(s.xref, s.x0 + 0.5, s.y0 + 0.5) for s in figure.layout.shapes]
    i, j = of(reader).pair
    assert frames[:2] == [("x", j, i), ("x", i, j)]
    assert frames[2:] == [("x2", k, k) for k in range(6)]
    assert len(product_pictures.products_figure(of(reader, second="user")).layout.shapes) == 7


def test_cost_figure_wants_a_value_a_size():
    figure = product_pictures.cost_figure([2, 4], {"a": [1, 2], "b": [3, 4]}, "t", "multiplications")
    assert [list(t.y) for t in figure.data] == [[1, 2], [3, 4]]
    assert not faults(figure.to_plotly_json())
    with pytest.raises(ValueError, match="as many values"):
        product_pictures.cost_figure([2, 4], {"a": [1]}, "t", "multiplications")


def test_deep_crossing_reads_what_the_panel_hooks(cascades):
    """The hooks collect the stacked vector and every unit's output, in order."""
    assert isinstance(cascades.network(3, True, "as PyTorch does"), DeepCrossing)
    assert len(cascades.compute(3, True, "as PyTorch does").spread) == 4
