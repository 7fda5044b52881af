"""Layers cross three fields where FM cannot; the shortcut keeps twenty layers trainable, and so does He's start."""

import pytest
import torch
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import grid, train, world_auc
from rec_lib.experiments.deep_crossing import DEPTH, MAKERS, WAYS, deep
from rec_lib.experiments.networks import in_world


@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_beats_fm(seed):
    world = worlds.third_order(seed)
    auc = {
        name: world_auc(in_world(MAKERS[name], world, seed, grid(weight_decay=(1e-5,)))[0], world.test)
        for name in ("fm", "deep_crossing")
    }
    assert auc["deep_crossing"] - auc["fm"] > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_units_learn_with_the_shortcut_or_with_hes_start_and_not_without_both(seed):
    world = worlds.third_order(seed)
    auc = {}
    for way in WAYS:
        model = deep(way, world.train.schema, 10, seed, DEPTH)
        train(
            model, world.train, world.valid, lr=3e-3, weight_decay=0.0, epochs=5, patience=5, batch_size=512, seed=seed
        )
        auc[way] = world_auc(model, world.test)
    assert min(auc["residual"], auc["plain_he"]) - auc["plain"] > 0.1
    assert torch.isfinite(torch.tensor(list(auc.values()))).all()
