"""Layers over the average find what two tastes mean together; the age of the example turns the model to what is new."""

import numpy as np
import pytest
from learning import SEEDS

from rec_lib.data import watch_worlds
from rec_lib.experiments.youtube_recall import PLANTED, fitted


def scores(name, world, seed):
    return fitted(name, seed, world.train, world.times, PLANTED).score(world.test)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_tastes_need_layers(seed):
    world = watch_worlds.two_tastes(seed)
    tower, average = (world.hit_rate(scores(name, world, seed)) for name in ("youtube_recall", "average"))
    best = world.hit_rate(world.p)
    assert best - tower < 0.08
    assert tower - average > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_examples_age_turns_the_model_to_what_is_new(seed):
    world = watch_worlds.fashion(seed)
    with_age, without = (scores(name, world, seed) for name in ("youtube_recall", "no_age"))
    assert world.hit_rate(with_age) - world.hit_rate(without) > 0.02
    expected = [float((world.shares(found) @ (1 - world.born)).mean()) for found in (with_age, without)]
    true = float((world.p @ (1 - world.born)).mean())
    assert abs(expected[0] - true) < 0.04 < expected[1] - true, (expected, true)
    assert world.hit_rate(with_age) < world.hit_rate(world.p), "nobody beats the law"


def test_a_world_is_what_it_says():
    world = watch_worlds.two_tastes(3)
    np.testing.assert_allclose(world.p.sum(axis=1), 1)
    assert world.hit_rate(world.p) == pytest.approx(0.475)
    assert world.choices.sum(axis=1).tolist() == [40] * len(world.test)
    assert (np.diff(world.train.indptr)[world.test] == 10).all()
    fashion = watch_worlds.fashion(3)
    np.testing.assert_allclose(fashion.p.sum(axis=1), 1)
    assert not fashion.p[~fashion.choices].any()
    watched, moment = fashion.times.tocoo().col, fashion.times.tocoo().data
    assert (fashion.born[watched] <= moment).all(), "nothing is watched before it exists"
