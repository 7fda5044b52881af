"""Where pairs are the truth, products before the network beat the network alone."""

import numpy as np
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import grid, world_auc
from rec_lib.experiments.networks import in_world
from rec_lib.experiments.pnn import MAKERS


def test_products_beat_the_network_alone():
    auc = {name: [] for name in ("mlp", "ipnn", "opnn")}
    for seed in SEEDS:
        world = worlds.pure_fm(seed)
        for name, values in auc.items():
            model = in_world(MAKERS[name], world, seed, grid(weight_decay=(1e-5,)))[0]
            values.append(world_auc(model, world.test))
    inner, outer = (np.subtract(auc[name], auc["mlp"]) for name in ("ipnn", "opnn"))
    assert inner.min() > 0.03
    assert outer.min() > 0
    assert outer.mean() > 0.01
