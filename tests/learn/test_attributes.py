"""Attributes place an item without history; learnt weights find what drives an item."""

import numpy as np
import pytest
from learning import SEEDS

from rec_lib.data.item_worlds import shop
from rec_lib.experiments.eges import CHOICES, MODELS, fit, judge, shop_weights, split_pairs


@pytest.mark.parametrize("seed", SEEDS)
def test_cold_items_need_attributes_and_driven_items_need_weights(seed):
    place = shop(np.random.default_rng(seed), "driven")
    pairs = split_pairs(place.test, place.cold)
    models = {name: fit(name, place.graph(), place.sides, CHOICES["worlds"][name], seed) for name in MODELS}
    auc = {name: judge(model, pairs, seed) for name, model in models.items()}
    assert abs(auc["bge"]["cold"] - 0.5) < 0.06
    assert auc["ges"]["cold"] > 0.8
    few = {
        name: judge(
            fit(name, place.graph(), place.sides, CHOICES["worlds"][name] | {"num_walks": 5}, seed), pairs, seed
        )
        for name in ("ges", "eges")
    }
    assert few["eges"]["warm"] > few["ges"]["warm"] + 0.01  # a head start: with more walks the two are level
    weights = shop_weights(models["eges"], place)
    assert weights["category/category"] > 2 * weights["category/brand"]
    assert weights["brand/brand"] > 2 * weights["brand/category"]
