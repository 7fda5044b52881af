"""FNN learns sooner and ends higher from a trained FM than from random numbers, where pairs are the truth."""

import pytest
import torch
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.experiments.comparison import PLANTED, train, world_auc
from rec_lib.experiments.fnn import epochs_to, from_fm
from rec_lib.models import FM, FNN


@pytest.mark.parametrize("seed", SEEDS)
def test_start_from_fm_beats_random_start(seed):
    world = worlds.pure_fm(seed)

    def fitted(model, lr):
        return train(
            model, world.train, world.valid, lr=lr, weight_decay=0.0, epochs=14, patience=14, batch_size=512, seed=seed
        )

    torch.manual_seed(seed)
    fm = FM(world.train.schema, PLANTED["dim"])
    fitted(fm, 1e-2)
    torch.manual_seed(seed)
    random = FNN(world.train.schema, PLANTED["dim"])
    history_random = fitted(random, 3e-3)
    torch.manual_seed(seed)
    started = from_fm(fm)
    history_started = fitted(started, 3e-3)
    assert world_auc(started, world.test) - world_auc(random, world.test) > 0.02
    best = max(history_random.valid)
    assert epochs_to(best, history_started.valid, 14) < epochs_to(best, history_random.valid, 14)
