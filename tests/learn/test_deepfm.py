"""DeepFM learns third order, which FM cannot, and keeps what FM learns where there are only pairs."""

import pytest
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import grid, in_world, world_auc


@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_beats_fm(seed):
    world = worlds.third_order(seed)
    fm, deepfm = (in_world(name, world, seed, grid(weight_decay=(1e-5,)))[0] for name in ("fm", "deepfm"))
    assert world_auc(deepfm, world.test) - world_auc(fm, world.test) > 0.06


@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_are_kept(seed):
    world = worlds.pairwise(seed)
    fm, fnn, deepfm = (
        world_auc(in_world(name, world, seed, grid(weight_decay=(0.0,)))[0], world.test)
        for name in ("fm", "fnn", "deepfm")
    )
    assert abs(deepfm - fm) < 0.015  # the network costs next to nothing
    assert deepfm - fnn > 0.03  # a network alone has to learn to multiply
