"""Where one vector must count with some partners and not with others, attention over the pairs beats FM."""

import pytest
from learning import SEEDS

from rec_lib.experiments.afm import MAKERS, ring
from rec_lib.experiments.comparison import grid, world_auc
from rec_lib.experiments.networks import in_world


@pytest.mark.parametrize("seed", SEEDS)
def test_attention_beats_fm_on_the_ring(seed):
    world = ring(seed)
    auc = {
        name: world_auc(in_world(MAKERS[name], world, seed, grid(weight_decay=(1e-5,)))[0], world.test)
        for name in ("fm", "afm")
    }
    assert auc["afm"] - auc["fm"] > 0.003
