"""POLY2 learns pairs that it has seen, FM those that it has not, and FFM vectors that depend on the partner."""

import pytest
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import world_auc
from rec_lib.experiments.fm import first_order_auc, in_world, own_weight

GRID = {"lr": [1e-2], "weight_decay": [0.0]}


@pytest.mark.parametrize("seed", SEEDS)
def test_poly2_learns_seen_pairs_and_fm_unseen_ones(seed):
    world = worlds.pairwise(seed)
    seen, unseen = world.tests["seen"], world.tests["unseen"]
    lr, poly2, fm = (in_world(name, world, seed, GRID) for name in ("lr", "poly2", "fm8"))
    assert world_auc(poly2, seen) - world_auc(lr, seen) > 0.03
    assert world_auc(poly2, unseen) < world_auc(lr, unseen)
    assert world_auc(fm, unseen) - world_auc(lr, unseen) > 0.15
    assert world_auc(fm, seen) - world_auc(fm, unseen) < 0.02
    assert (own_weight(poly2, unseen) == 0).all()
    assert abs(first_order_auc(poly2, unseen) - world_auc(lr, unseen)) < 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_ffm_beats_fm_of_as_many_weights_where_vectors_depend_on_the_partner(seed):
    world = worlds.field_aware(seed)
    ffm, fm = (in_world(name, world, seed, GRID) for name in ("ffm10", "fm10"))
    assert sum(p.numel() for p in ffm.parameters()) == sum(p.numel() for p in fm.parameters())
    assert world_auc(ffm, world.test) - world_auc(fm, world.test) > 0.03
