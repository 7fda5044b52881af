"""Where the order of the history is the law AUGRU sees what DIN cannot; with few clicks the auxiliary loss teaches."""

import numpy as np
import pytest
from learning import SEEDS

from rec_lib.data import worlds
from rec_lib.data.negatives import with_negatives
from rec_lib.data.recency import recency
from rec_lib.experiments.comparison import world_auc
from rec_lib.experiments.dien import FEW, PLANTED, fitted, of


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sequence_model_beats_the_sum_where_the_order_decides(seed):
    world = worlds.threads(seed, 2)
    auc = {name: world_auc(fitted(name, of(world), seed, PLANTED)[0], world.test) for name in ("din", "augru")}
    assert auc["augru"] - auc["din"] > 0.08


@pytest.mark.parametrize("seed", SEEDS)
def test_attention_beats_a_plain_gru_with_four_interleaved_interests(seed):
    world = worlds.threads(seed, 4)
    auc = {name: world_auc(fitted(name, of(world), seed, PLANTED)[0], world.test) for name in ("gru", "augru")}
    assert auc["augru"] - auc["gru"] > 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_the_auxiliary_loss_teaches_where_clicks_are_few(seed):
    world = recency(seed)
    parts = with_negatives(world.train, np.random.default_rng(seed + 1000)), world.valid, world.test
    auc = {a: world_auc(fitted("augru", parts, seed, FEW, {"auxiliary": a})[0], world.test) for a in (0.0, 1.0)}
    assert auc[1.0] - auc[0.0] > 0.05
