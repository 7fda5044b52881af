"""Crosses against plain loops: Wide & Deep with crosses keeps the whole contract, and the cross layers are their formulas."""

import inspect

import pytest
import torch
from contract.ctr_checks import CHECKS, build, schema, stirred, table

from rec_lib.data.features import crossed
from rec_lib.layers import CrossProduct, cross_layer, matrix_cross_layer
from rec_lib.models import DCN, DCNv2, WideDeep
from rec_lib.schema import OOV, PAD, Schema, Sparse

CROSSES = (("user", "genres"), ("user", "item"), ("item", "history"))


class Crossed(WideDeep):
    """Wide & Deep with crosses of all three kinds."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd, CROSSES)


@pytest.mark.parametrize(
    "check", [c for name, c in CHECKS.items() if name != "parameter_count"], ids=lambda c: c.__name__
)
def test_contract_with_crosses(check):
    check(Crossed)


def test_a_cross_has_a_weight_for_each_combination():
    def size(model):
        return sum(p.numel() for p in model.parameters())

    combinations = (11 - 1) * (7 - 1) + (11 - 1) * (13 - 1) + (13 - 1) * (13 - 1)
    assert size(build(Crossed)) - size(build(WideDeep)) == combinations + 3 * 2  # PAD and OOV rows of each cross


def test_crosses_in_the_model_are_those_made_by_hand_in_the_table():
    """features.crossed numbers the same combinations, in its own code."""
    rows = table()
    layer = CrossProduct(rows.schema, CROSSES[:2])
    made = crossed(rows, *CROSSES[:2])
    for name, ids in layer.ids(rows.batch()).items():
        assert torch.equal(ids, made[name])
        assert ids.max() < made.schema.size(name)


def test_each_combination_has_a_weight_of_its_own():
    small = Schema((Sparse("a", 4), Sparse("b", 5)))
    layer = CrossProduct(small, (("a", "b"),))
    a, b = (torch.tensor(x) for x in zip(*[(x, y) for x in range(1, 4) for y in range(1, 5)], strict=True))
    ids = layer.ids({"a": a, "b": b})["a*b"]
    assert len(set(ids.tolist())) == 12
    assert min(ids.tolist()) == 2
    assert layer.ids({"a": torch.tensor([PAD, OOV]), "b": torch.tensor([OOV, PAD])})["a*b"].tolist() == [PAD, PAD]


def test_only_the_weight_that_was_shown_learns():
    model, rows = build(Crossed), table()
    one = rows.rows(torch.tensor([3]))
    model.loss(one.batch()).backward()
    learnt = model.wide.cross.w.table.grad.abs().sum(1) > 0
    shown = sum(len(set(ids.flatten().tolist()) - {PAD}) for ids in model.wide.cross.ids(one.batch()).values())
    assert learnt.sum() == shown


@pytest.mark.parametrize(
    "crosses",
    [
        (("age", "item"),), (("genres", "item"),), (("user", "age"),), (("user", "user"),), (("user", "item"),) * 2,
        (("user", "item"), ("item", "user")), ("user", "item"), "user", (("user",),),
    ],
)  # fmt: skip
def test_a_cross_that_cannot_be_is_refused(crosses):
    with pytest.raises(ValueError, match=r"expected (a Sparse field|at least one pair|pairs of field names)"):
        WideDeep(schema(), crosses=crosses)


def test_a_field_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="colour"):
        WideDeep(schema(), crosses=(("user", "colour"),))


@pytest.mark.parametrize("cls", [DCN, DCNv2])
def test_layers_below_one_are_refused(cls):
    with pytest.raises(ValueError, match="cross_layers=0"):
        cls(schema(), cross_layers=0)


@pytest.mark.parametrize("cls", [DCN, DCNv2])
def test_without_hidden_layers_the_cross_network_is_alone(cls):
    model = stirred(lambda s: cls(s, dim=3, hidden=()))
    assert "hidden" in inspect.signature(cls.__init__).parameters
    x_0 = model.emb.flat(model.emb(table().batch()), table().batch())
    assert torch.equal(model.deep(x_0), x_0)
    assert model.logits.in_features == 2 * x_0.shape[1]


def by_loops(x_0, x, w, b, version):
    rows = []
    for r in range(len(x)):
        row = []
        for a in range(x.shape[1]):
            weights = w if version == 1 else w[a]
            scale = sum(float(x[r, c] * weights[c]) for c in range(x.shape[1]))
            row.append(float(x_0[r, a]) * (scale + (version == 2) * float(b[a])) + (version == 1) * float(b[a]))
            row[-1] += float(x[r, a])
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize(("layer", "version"), [(cross_layer, 1), (matrix_cross_layer, 2)])
def test_a_cross_layer_is_its_loop(layer, version):
    g = torch.Generator().manual_seed(0)
    x_0, x = (torch.randn(6, 5, generator=g, dtype=torch.float64) for _ in range(2))
    w = torch.randn(*(5,) * version, generator=g, dtype=torch.float64)
    b = torch.randn(5, generator=g, dtype=torch.float64)
    torch.testing.assert_close(layer(x_0, x, w, b), by_loops(x_0, x, w, b, version))


@pytest.mark.parametrize("layer", [cross_layer, matrix_cross_layer])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_degree_grows_by_one_a_layer(layer, layers):
    """Along a ray x_0 = t·u the output is a polynomial in t: its degree from the values at L + 3 points."""
    t = torch.arange(1, layers + 4, dtype=torch.float64)
    g = torch.Generator().manual_seed(1)
    u = torch.randn(4, generator=g, dtype=torch.float64)
    x_0 = t.unsqueeze(1) * u
    x = x_0
    for _ in range(layers):
        w = torch.randn(*((4,) if layer is cross_layer else (4, 4)), generator=g, dtype=torch.float64)
        x = layer(x_0, x, w, torch.randn(4, generator=g, dtype=torch.float64))
    differences = x[:, 0]
    for _ in range(layers + 1):
        differences = differences.diff()
    assert differences.abs().min() > 1e-6  # a difference of order L + 1 is there …
    assert differences.diff().abs().max() < 1e-8 * x.abs().max()  # … and constant: the degree is L + 1


def test_a_table_of_one_row_works():
    rows = table().rows(torch.tensor([0]))
    assert build(Crossed).predict_proba(rows).shape == (1,)
