"""What the experiments of 3.3 and 3.5 compare with, each beside its formula."""

import numpy as np
import pytest
import torch
from contract.ctr_checks import schema, table
from oracles.ctr_naive import dense_layers, dense_values, field_vectors, relu

from rec_lib.data import worlds
from rec_lib.experiments import deep_crossing, networks, pnn
from rec_lib.experiments.comparison import PLANTED
from rec_lib.models import IPNN, DeepCrossing


def stirred(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return model.double().eval()


def plain_loop(model, batch, row, products):
    f = field_vectors(model.schema, model.emb.table, batch, row)
    x = [a for vector in f for a in vector] + dense_values(model.schema, batch, row)
    if products:
        x += [sum(a * b for a, b in zip(f[i], f[j], strict=True)) for i in range(len(f)) for j in range(i + 1, len(f))]
    return dense_layers(model.mlp, x, relu)


@pytest.mark.parametrize(("kind", "products"), [(networks.MLP, False), (pnn.Pairs, True)])
def test_networks_to_compare_with_equal_their_plain_loops(kind, products):
    model, batch = stirred(kind(schema(), 4, (6, 5), 0.0, 0.05)), table().batch()
    expected = torch.tensor([plain_loop(model, batch, row, products) for row in range(24)], dtype=torch.float64)
    torch.testing.assert_close(model(batch), expected)


def test_without_the_shortcut_nothing_else_changes():
    torch.manual_seed(0)
    residual = DeepCrossing(schema(), 8, (6, 5))
    plain = deep_crossing.Plain(schema(), 8, (6, 5))
    assert networks.weights(plain) == networks.weights(residual)
    plain.load_state_dict(residual.state_dict())
    x = torch.rand(3, residual.score.in_features)
    for a, b in zip(residual.units, plain.units, strict=True):
        torch.testing.assert_close(torch.relu(a.residual(x)), b(x))
        assert not torch.equal(a(x), b(x))


def test_a_look_up_has_neither_bias_nor_relu():
    torch.manual_seed(0)
    model, twin = deep_crossing.LookUp(schema(), 8), DeepCrossing(schema(), 8, networks.HIDDEN)
    assert networks.weights(twin) - networks.weights(model) == 3 * 8
    with torch.no_grad():
        for own in (model, twin):
            own.emb.table.fill_(0.2)
    twin.load_state_dict(model.state_dict(), strict=False)
    batch = table().rows(torch.arange(1, 24)).batch()  # row 0 has an empty history
    torch.testing.assert_close(model(batch), twin(batch))  # where nothing is below 0 the two agree
    with torch.no_grad():
        for own in (model, twin):
            own.emb.table.fill_(-0.2)
    assert not torch.equal(model(batch), twin(batch))


def test_he_start_has_its_variance_and_no_bias():
    torch.manual_seed(0)
    model = DeepCrossing(schema(), 8, (400, 400))
    deep_crossing.start_as_he(model.units)
    for unit in model.units:
        assert unit.inner.weight.std().item() == pytest.approx((2 / unit.inner.in_features) ** 0.5, rel=0.05)
        assert unit.outer.weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.05)
        assert not unit.inner.bias.any()
        assert not unit.outer.bias.any()


def test_deep_networks_differ_in_what_their_names_say():
    s = worlds.third_order(0, (64, 10, 10)).train.schema
    residual, plain, he = (deep_crossing.deep(way, s, 3, 0, deep_crossing.DEPTH) for way in deep_crossing.WAYS)
    for a, b, c in zip(residual.parameters(), plain.parameters(), he.parameters(), strict=True):
        assert torch.equal(a, b), "the same start, with the shortcut and without"
        assert a.shape == c.shape
    assert torch.equal(he.emb.table, plain.emb.table)
    with pytest.raises(ValueError, match="expected one of residual"):
        deep_crossing.deep("deep", s, 3, 0, deep_crossing.DEPTH)


def test_gradients_fade_without_the_shortcut_and_leave_nothing_behind():
    world = worlds.third_order(0, (256, 10, 10))
    plain, residual = (
        deep_crossing.deep(way, world.train.schema, 8, 0, deep_crossing.DEPTH) for way in ("plain", "residual")
    )
    norms = {model: deep_crossing.gradient_norms(model, world.train) for model in (plain, residual)}
    assert norms[plain][0] < 1e-3 * norms[residual][0]
    assert all(p.grad is None for p in plain.parameters())


def test_half_of_a_fresh_models_numbers_are_switched_off():
    torch.manual_seed(0)
    model = DeepCrossing(schema(), 8)
    rows = table().rows(torch.arange(1, 24))
    assert 0.3 < deep_crossing.switched_off(model, rows) < 0.7
    with torch.no_grad():
        model.bias.fill_(10)
    assert deep_crossing.switched_off(model, rows) == 0


def test_pairs_with_signs_are_the_law_that_the_docstring_states():
    world = pnn.signed_pairs(3, (50, 10, 10))
    x = world.law.columns(world.train)
    rng = np.random.default_rng(3)
    v = {name: rng.normal(size=(50, 4)) for name in world.law.sizes}
    names, z, signs = list(v), np.zeros(50), []
    for i in range(6):
        for j in range(i + 1, 6):
            signs.append(rng.choice([-1.0, 1.0]))
            z += signs[-1] * (v[names[i]][x[names[i]]] * v[names[j]][x[names[j]]]).sum(axis=1) / np.sqrt(60)
    assert set(signs) == {-1.0, 1.0}
    np.testing.assert_allclose(world.train["p"].numpy(), 1 / (1 + np.exp(-z)), rtol=1e-9)


def test_a_small_theta_is_the_same_model_with_another_start():
    torch.manual_seed(0)
    model = pnn.ipnn_small(schema(), 8, 0.0, 0.05)
    assert isinstance(model, IPNN)
    assert model.theta.abs().max() <= 0.5  # four fields
    assert model.theta.abs().max() > 0.4


def test_the_best_recipe_is_chosen_on_validation_rows():
    world = worlds.pure_fm(0, (2_000, 500, 500))
    recipes = [{"lr": lr, "weight_decay": 0.0, "dropout": 0.0} for lr in (1e-5, 1e-2)]
    best, history = networks.in_world(networks.make_mlp, world, 0, recipes)
    each = [networks.fitted(networks.make_mlp, world, 0, recipe, 8, PLANTED["init_sd"])[1] for recipe in recipes]
    assert max(history.valid) == max(max(h.valid) for h in each)
    assert isinstance(best, networks.MLP)
    with pytest.raises(ValueError, match="no recipe"):
        networks.in_world(networks.make_mlp, world, 0, [])


@pytest.mark.parametrize("module", [deep_crossing, pnn])
def test_makers_build_models_of_the_schema_they_are_given(module):
    for name, make in module.MAKERS.items():
        model = make(schema(), 8, 0.1, 0.05)
        assert model.schema == schema(), name
        assert torch.isfinite(model(table().batch())).all(), name
