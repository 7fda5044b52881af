"""The parts of the experiment of 3.4: tuned MF, mixtures, broken sources, planted worlds; against counting by hand."""

import numpy as np
import pytest
import torch
from contract.topn_checks import CHECKS, KNOWN, noisy_world, world
from oracles import neural_naive as naive

from rec_lib.data import pair_worlds
from rec_lib.data.bayes import bayes_auc, expected_auc
from rec_lib.experiments import neural_cf as experiment
from rec_lib.models.neural_cf import NeuralCF
from rec_lib.schema import FIRST


def sampled_mf(rng=None, **change):
    settings = {"dim": 4, "epochs": 20, "lr": 0.01, "l2": 0.0, "negatives": 4, "batch_size": 256, "init_sd": 0.1}
    return experiment.SampledMF(**settings | change, rng=rng or np.random.default_rng(0))


def test_the_tuned_mf_is_biases_and_an_inner_product():
    torch.manual_seed(0)
    net = experiment.InnerProduct(naive.USERS, naive.ITEMS, 3, 1.0)
    for bias in (net.b, net.b_u, net.b_i):
        bias.data.normal_()
    for u, i, got in zip(*(naive.PAIRS[n].tolist() for n in ("user", "item")), net(naive.PAIRS).tolist(), strict=True):
        product = sum(a * b for a, b in zip(net.gmf.p[u].tolist(), net.gmf.q[i].tolist(), strict=True))
        assert got == pytest.approx(net.b.item() + net.b_u[u].item() + net.b_i[i].item() + product, rel=1e-5)


def test_the_tuned_mf_is_a_top_n_model_that_finds_the_checkerboard():
    class WithDefaults(experiment.SampledMF):
        def __init__(self, rng):
            super().__init__(4, 20, 0.01, 0.0, 4, 256, 0.1, rng)

    for name in ("finds_the_checkerboard", "a_saved_model_comes_back", "strangers_get_what_is_popular_and_are_named"):
        CHECKS[name](WithDefaults)


def test_a_blend_is_the_mixture_of_scores_and_its_ends_are_the_models():
    a, b = sampled_mf().fit(noisy_world()), NeuralCF("mlp", hidden=(8, 4), epochs=2).fit(noisy_world())
    blend = experiment.Blend(a, b, KNOWN)
    for blend.alpha in (0.0, 0.3, 1.0):
        expected = blend.alpha * a.score(KNOWN[:5]) + (1 - blend.alpha) * b.score(KNOWN[:5])
        np.testing.assert_allclose(blend.score(KNOWN[:5]), expected, rtol=1e-5, atol=1e-6)


def test_fixed_negatives_are_the_same_in_another_order():
    rows = naive.source(experiment.Fixed)
    first, second = naive.triples(rows.epoch()), naive.triples(rows.epoch())
    assert first != second
    assert sorted(first) == sorted(second)


def test_dirty_negatives_hit_what_users_have():
    rows = naive.source(experiment.Dirty, negatives=50)
    triples = naive.triples(rows.epoch())
    drawn = [(u, i) for u, i, y in triples if y == 0]
    assert any(naive.SEEN[u, i] for u, i in drawn)
    assert all(i >= FIRST for _, i in drawn)
    assert sum(y for _, _, y in triples) == naive.SEEN.nnz


def test_a_model_takes_the_source_that_it_is_given():
    scores = {}
    for source in (experiment.Pointwise, experiment.Dirty):
        model = experiment.WithSource("gmf", epochs=3)
        model.source = source
        scores[source] = model.fit(world()).score(KNOWN)
    assert not np.array_equal(*scores.values())


@pytest.mark.parametrize("name", [*experiment.RECIPES, "popularity"])
def test_every_recipe_builds_its_model(name):
    model = experiment.build(name, 0)
    if name in ("gmf", "mlp"):
        assert (model.network, model.alpha) == (name, None)
    if name == "neumf_scratch":
        assert (model.network, model.alpha) == ("neumf", None)
    if name == "neuralcf":
        assert (model.network, model.alpha) == ("neumf", experiment.RECIPES[name]["alpha"])


@pytest.mark.parametrize("make", [pair_worlds.inner_product, pair_worlds.ring])
def test_a_planted_world_has_every_pair_once_with_its_probability(make):
    parts = make(0)
    assert tuple(map(len, parts)) == pair_worlds.SIZES
    pairs = torch.cat([table["user"] * 1000 + table["item"] for table in parts])
    assert len(pairs.unique()) == pair_worlds.USERS * pair_worlds.ITEMS == len(pairs)
    for table in parts:
        p, y = table["p"].numpy(), table["label"].numpy()
        assert abs(y.mean() - p.mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / len(p)
        assert table["user"].min() >= FIRST
    p = parts[2]["p"].numpy()
    assert bayes_auc(p) > 0.75


def test_ring_distance_goes_the_shorter_way():
    np.testing.assert_allclose(
        pair_worlds.ring_distance(np.array([0.05, 0.5]), np.array([0.95, 0.4])), [[0.1, 0.35], [0.45, 0.1]]
    )


def test_the_size_and_scale_of_the_best_validation_are_kept_and_an_empty_grid_is_refused():
    parts = pair_worlds.inner_product(0)
    small = tuple(table.rows(torch.arange(4000)) for table in parts)
    net = experiment.in_world("mf", small, 0, scales=(0.1,), sizes=(4,))
    p = small[2]["p"].numpy()
    assert expected_auc(p, experiment.answers(net, small[2]).numpy()) > 0.55
    with pytest.raises(ValueError, match="at least one"):
        experiment.in_world("mf", small, 0, scales=())


def test_looking_along_the_way_is_training_for_so_many_epochs(monkeypatch):
    """What `along` reports after two epochs of four is what a model of two epochs scores."""
    from rec_lib.data.interactions import Interactions

    data = Interactions(
        noisy_world(), KNOWN, np.full(len(KNOWN), FIRST + 3), np.tile(np.arange(FIRST + 4, FIRST + 9), (len(KNOWN), 1))
    )
    monkeypatch.setattr(experiment, "holdouts", lambda seed: (data, data))
    recipe = {"dim": 4, "lr": 0.01, "l2": 0.0}
    found = experiment.along("gmf", recipe, 0, (2, 4))
    assert list(found) == [2, 4]
    alone = experiment.build("gmf", 0, recipe | {"epochs": 2}).fit(data)
    assert found[2] == pytest.approx(experiment.ranked(alone, data))
