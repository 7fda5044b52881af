"""The helpers of 3.2's experiment: what the variants read, and the world of traits."""

import numpy as np
import pytest
import torch
from contract.rating_checks import train

from rec_lib.data.traits import traits
from rec_lib.experiments import autorec as experiment
from rec_lib.schema import FIRST


def variant(name):
    torch.manual_seed(0)
    return experiment.MODELS[name](train(), dim=3, l2=1.0, init_sd=0.1)


def test_stars_only_reads_deviations_and_who_only_reads_ones():
    whole, stars, who = (variant(name).ratings for name in ("autorec", "stars_only", "who_only"))
    mean = train()["label"].mean()
    torch.testing.assert_close(stars, torch.where(whole > 0, whole - mean, 0.0))
    assert torch.equal(who, (whole > 0).float())
    assert who.sum() == len(train())


def doubles(model):
    """How far twice the row is from twice the answer, above what an empty row gives."""
    r, model = model.ratings.double(), model.double()
    empty, once, twice = (model.decode(model.encode(scale * r)) for scale in (0, 1, 2))
    return ((twice - empty) - 2 * (once - empty)).abs().max().item()


def test_linear_is_linear_in_the_row_and_autorec_is_not():
    assert doubles(variant("linear")) < 1e-12
    assert doubles(variant("autorec")) > 1e-4


def test_the_least_validation_error_is_kept_and_an_empty_grid_is_refused():
    world = traits(0, users=30, items=60, per_item=10)
    assert experiment.in_world("autorec", world, 0, [1e6, 1.0]).l2 == 1.0
    with pytest.raises(ValueError, match="at least one"):
        experiment.in_world("mf", world, 0, [])


# --- the world of traits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("graded", [False, True])
def test_traits_are_yes_or_no_unless_graded(graded):
    world = traits(1, users=80, items=300, per_item=30, noise=0.5, graded=graded, mean=3.5)
    inner = world.truth[FIRST:, FIRST:]
    assert np.linalg.matrix_rank(inner - inner.mean(axis=1, keepdims=True), tol=1e-9) == 3
    corners = len(np.unique(inner.round(9), axis=1).T)
    assert corners == (300 if graded else 8)
    assert inner.mean() == pytest.approx(3.5, abs=0.15)
    error = world.train["label"].numpy() - world.truth[world.train["user"], world.train["item"]]
    assert error.std() == pytest.approx(0.5, rel=0.04)


def test_each_item_is_rated_by_so_many_users_once():
    world = traits(2, users=20, items=40, per_item=7)
    rows = torch.cat([torch.stack([t["user"], t["item"]]) for t in (world.train, world.valid, world.test)], dim=1)
    assert len(torch.unique(rows, dim=1).T) == 280
    assert torch.bincount(rows[1])[FIRST:].unique().tolist() == [7]
    assert [len(t) for t in (world.train, world.valid, world.test)] == [224, 28, 28]


@pytest.mark.parametrize("sizes", [{"per_item": 101}, {"number": 0}, {"users": 0}, {"noise": -1.0}])
def test_impossible_worlds_are_refused(sizes):
    with pytest.raises(ValueError, match="expected sizes"):
        traits(0, **sizes)
