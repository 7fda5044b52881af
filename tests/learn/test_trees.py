"""Regions find two regimes that LR is blind to; leaves give LR the crossing, LR gives trees the ids."""

import pytest
import torch
from learning import SEEDS

from rec_lib.data import piecewise
from rec_lib.data.bayes import expected_auc
from rec_lib.evaluation.metrics import auc_on
from rec_lib.models import GBDTLR, LR, LSPLM
from rec_lib.models.ls_plm import ProximalAdagrad
from rec_lib.training import fit


def fitted(model, world, optimizer):
    fit(
        model, world.train, optimizers=[optimizer], validate=auc_on(world.valid), epochs=20, patience=4, batch_size=512,
        progress=False,
    )  # fmt: skip
    return expected_auc(world.test["p"], model.predict_proba(world.test))


def adam(model, lr=1e-2):
    return torch.optim.Adam(model.parameters(), lr=lr)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_regions_find_two_regimes(seed):
    world = piecewise.two_regimes(seed)
    torch.manual_seed(seed)
    scores = {}
    for m in (1, 2):
        model = LSPLM(world.train.schema, m, init_sd=0.5)
        scores[m] = fitted(model, world, ProximalAdagrad(model, 0.2))
    linear = LR(world.train.schema)
    scores["lr"] = fitted(linear, world, adam(linear))
    assert scores[2] - max(scores[1], scores["lr"]) > 0.25
    assert world.bayes["auc"] - scores[2] < 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_leaves_and_ids_together_beat_either(seed):
    world = piecewise.thresholds(seed)
    torch.manual_seed(seed)
    linear = LR(world.train.schema)
    lr = fitted(linear, world, adam(linear))
    both = GBDTLR(world.train.schema, trees=60, leaves=8)
    both.fit_trees(world.train)
    gbdt = expected_auc(world.test["p"], both.predict_proba(world.test))
    with torch.no_grad():
        both.leaf.zero_()
    hybrid = fitted(both, world, adam(both, 3e-3))
    assert hybrid - lr > 0.15
    assert hybrid - gbdt > 0.03
