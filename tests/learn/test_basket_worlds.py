"""In baskets with a few items that nearly everybody takes: what the correction is worth, what features do for new items."""

import numpy as np
import pytest
from learning import SEEDS

from rec_lib.data.basket_pairs import BasketPairs
from rec_lib.data.basket_worlds import baskets_of, kinds_and_hits
from rec_lib.embeddings import Corpus, Item2vec
from rec_lib.models import TwoTower

SETTINGS = {"dim": 16, "hidden": (16,), "per_user": 12, "epochs": 30}


def trained(world, seed, features=None, **change):
    return TwoTower(**SETTINGS | change, rng=np.random.default_rng(seed)).fit(world.train, item_features=features)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_correction_popularity_is_subtracted_and_the_lists_lose(seed):
    world = kinds_and_hits(seed)
    q = BasketPairs(world.train, 1, np.random.default_rng(0)).q
    with_it, without = (trained(world, seed, correction=c).score(world.test) for c in (True, False))
    assert world.hit_rate(with_it) - world.hit_rate(without) > 0.1
    assert world.slope(without, q) < -0.8, "log Q is subtracted, once"
    assert abs(world.slope(with_it, q)) < 0.3
    assert world.hit_rate(with_it) < world.hit_rate(world.p), "nobody beats the law"


@pytest.mark.parametrize("seed", SEEDS)
def test_where_all_items_are_alike_the_correction_is_worth_nothing(seed):
    world = kinds_and_hits(seed, skew=0.0)
    with_it, without = (world.hit_rate(trained(world, seed, correction=c).score(world.test)) for c in (True, False))
    assert abs(with_it - without) < 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_features_rank_items_that_nobody_took(seed):
    world = kinds_and_hits(seed, skew=0.0)
    best, chance = world.new_hit_rate(world.p_new), 3 / world.new.sum()
    found = []
    for features in (world.kinds, np.zeros((len(world.new), 0))):
        model = trained(world, seed, features)
        found.append(world.new_hit_rate(model.u[world.test] @ model.item_tower(features).T))
    assert best - found[0] < 0.05
    assert found[1] == pytest.approx(chance, abs=0.05), "without features all new items are one vector"


@pytest.mark.parametrize("seed", SEEDS)
def test_item2vec_finds_the_kinds(seed):
    world = kinds_and_hits(seed, skew=0.0)
    model = Item2vec(Corpus(*baskets_of(world.train)), dim=16, epochs=10)
    vectors = model.fit(np.random.default_rng(seed))
    items = np.flatnonzero(model.baskets.counts)
    kind = world.kinds.argmax(axis=1)
    near = np.array([kind[model.nearest(i, 3)[0]] for i in items])
    assert (near == kind[items][:, None]).mean() > 0.8
    assert vectors.shape == (len(world.new), 16)


def test_a_world_is_what_it_says():
    world = kinds_and_hits(3)
    np.testing.assert_allclose(world.p.sum(axis=1), 1)
    np.testing.assert_allclose(world.p_new.sum(axis=1), 1)
    assert not world.p[~world.choices].any()
    assert not world.train.toarray()[:, world.new].any(), "new items are in no basket"
    assert (np.diff(world.train.indptr)[world.test] == 12).all()
    assert world.slope(np.log(np.maximum(world.p, 1e-300)), world.weight) == pytest.approx(0)
    law = np.log(np.maximum(world.p, 1e-300)) - np.log(np.maximum(world.weight, 1e-300))
    assert world.slope(law, world.weight) == pytest.approx(-1)


@pytest.mark.parametrize("change", [{"taken": 0}, {"items": 20}, {"new": 1.0}, {"skew": float("nan")}, {"kinds": 0}])
def test_worlds_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match="expected sizes"):
        kinds_and_hits(0, **change)
