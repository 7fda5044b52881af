"""Pairs to be learnt by heart: with short vectors Wide & Deep beats both of its halves, by either pair of optimizers."""

import pytest
import torch
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.evaluation import auc_on
from rec_lib.experiments.comparison import world_auc
from rec_lib.models import WideDeep
from rec_lib.models.base import CTRModel
from rec_lib.models.ftrl import FTRL
from rec_lib.models.wide_deep import Wide
from rec_lib.training import fit

CROSSES = (("user", "item"),)


class WideAlone(CTRModel):
    """The wide half: LR with crosses."""

    def __init__(self, schema):
        super().__init__(schema)
        self.wide = Wide(schema, CROSSES)

    def forward(self, batch):
        return self.wide(batch)


def adam(model):
    return [torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)]


def ftrl_and_adagrad(model):
    wide = FTRL(model.wide.parameters(), alpha=0.2, beta=1e-3, l1=1e-4)
    return [wide, torch.optim.Adagrad(model.deep.parameters(), lr=0.1)]


def auc(model, world, seed, optimizers):
    fit(
        model,
        world.train,
        optimizers=optimizers,
        epochs=20,
        batch_size=512,
        validate=auc_on(world.valid),
        patience=4,
        seed=seed,
        progress=False,
    )
    return world_auc(model, world.test)


@pytest.mark.parametrize("optimizers", [adam, ftrl_and_adagrad])
@pytest.mark.parametrize("seed", SEEDS)
def test_both_halves_together_beat_each_of_them(seed, optimizers):
    world = worlds.memorised(seed)
    schema = world.train.schema
    torch.manual_seed(seed)
    wide, deep = WideAlone(schema), WideDeep(schema, 4, (32, 16))
    both = WideDeep(schema, 4, (32, 16), crosses=CROSSES)
    halves = auc(wide, world, seed, adam(wide)), auc(deep, world, seed, optimizers(deep))
    assert auc(both, world, seed, optimizers(both)) - max(halves) > 0.002
