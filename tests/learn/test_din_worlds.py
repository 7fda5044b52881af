"""Where the candidate decides what counts, DIN beats pooling; which form wins depends on the law."""

import pytest
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import grid, world_auc
from rec_lib.experiments.din import PLANTED_MAKERS
from rec_lib.experiments.networks import in_world


def scores(form, names, seed):
    world = worlds.activation(seed, form)
    return {
        name: world_auc(in_world(PLANTED_MAKERS[name], world, seed, grid(weight_decay=(1e-5,)))[0], world.test)
        for name in names
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_counts(seed):
    auc = scores("count", ("sum", "din", "din_softmax"), seed)
    assert auc["din"] - auc["sum"] > 0.02
    assert auc["din"] > auc["din_softmax"]


@pytest.mark.parametrize("seed", SEEDS)
def test_presence(seed):
    auc = scores("any", ("sum", "din", "din_softmax"), seed)
    assert auc["din"] - auc["sum"] > 0.03
    assert auc["din_softmax"] > auc["din"]
