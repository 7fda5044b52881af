"""NFM follows a bend in the pooled products, which FM cannot."""

import pytest
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import grid, in_world, world_auc


@pytest.mark.parametrize("seed", SEEDS)
def test_bend_beats_fm(seed):
    world = worlds.bi_interaction(seed)
    recipe = grid(weight_decay=(1e-5,))
    fm, nfm = (world_auc(in_world(name, world, seed, recipe, init_sd=0.1)[0], world.test) for name in ("fm", "nfm"))
    assert nfm - fm > 0.02
