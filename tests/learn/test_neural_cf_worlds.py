"""An MLP follows a ring, which a short inner product cannot; an inner product it follows worse than MF does."""

import pytest
from learning import SEEDS

from rec_lib.data import pair_worlds
from rec_lib.data.bayes import expected_auc
from rec_lib.experiments.neural_cf import answers, in_world


def score(name, parts, seed, size, scale):
    net = in_world(name, parts, seed, scales=(scale,), sizes=(size,))
    return expected_auc(parts[2]["p"].numpy(), answers(net, parts[2]).numpy())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ring_is_the_mlps(seed):
    parts = pair_worlds.ring(seed)
    mf = max(score("mf", parts, seed, size, 0.1) for size in (4, 16))
    assert score("mlp", parts, seed, 16, 0.3) - mf > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_the_inner_product_is_mfs_and_neumf_keeps_it(seed):
    parts = pair_worlds.inner_product(seed)
    mf = score("mf", parts, seed, 4, 0.1)
    assert mf - max(score("mlp", parts, seed, 16, scale) for scale in (0.1, 0.3)) > 0.01
    assert mf - score("neumf", parts, seed, 16, 0.1) < 0.03
