"""The helpers of 2.3's experiment: filled matrices, truncated copies, ALS that minimises MF's own loss, ranking by stars."""

import numpy as np
import pytest
import torch
from contract.rating_checks import ITEMS, USERS, build, train
from scipy.sparse import csr_matrix

from rec_lib.data.interactions import Interactions
from rec_lib.experiments import mf as experiment
from rec_lib.models import MF, SVDpp
from rec_lib.schema import FIRST


def biases():
    model = build(MF, dim=0)
    with torch.no_grad():
        model.b_user.uniform_(-0.5, 0.5)
        model.b_item.uniform_(-0.5, 0.5)
    return model


def test_filled_matrices_hold_the_ratings_and_the_filling():
    rows, model = train(), biases()
    u, i, r = rows["user"].numpy(), rows["item"].numpy(), rows["label"].numpy()
    hole = np.ones((USERS, ITEMS), bool)
    hole[u, i] = False
    for how in experiment.FILLS:
        whole, base = experiment.fill(rows, how, model)
        assert whole.shape == (USERS, ITEMS)
        np.testing.assert_array_equal(whole[u, i], r)
        np.testing.assert_array_equal(whole[hole], base[hole])
    _, zero = experiment.fill(rows, "zero", model)
    assert not zero.any()
    _, means = experiment.fill(rows, "item_mean", model)
    assert means[0, 5] == pytest.approx(r[i == 5].mean())
    assert means[0, ITEMS - 1] == pytest.approx(r.mean()), "an item without ratings gets the mean of all"
    _, said = experiment.fill(rows, "biases", model)
    assert said[3, 4] == pytest.approx((model.mu + model.b_user[3] + model.b_item[4]).item(), rel=1e-6)
    with pytest.raises(ValueError, match="item_mean"):
        experiment.fill(rows, "median", model)


def test_a_zero_that_is_stored_is_a_value():
    rows = train()
    matrix = experiment.observed(rows, torch.zeros(len(rows)))
    assert matrix.nnz == len(rows)


def test_a_copy_of_full_rank_fits_the_training_ratings_exactly():
    rows = train()
    errors = experiment.svd_errors(rows, "item_mean", biases(), (rows,))[:, 0]
    assert errors[-1] == pytest.approx(0, abs=1e-6)
    assert (np.diff(errors) <= 1e-9).all()


def test_als_steps_never_raise_the_loss_of_mf():
    """Biases held still, ALS and MF have one loss: mean squared error plus λ for the weights of every rating."""
    rows, model = train(), build(MF, dim=3, l2=0.2).double()
    model.b_user.data.normal_()
    model.b_item.data.normal_()
    free = build(MF, dim=0).double()
    free.load_state_dict(
        {k: v for k, v in model.state_dict().items() if k not in ("p", "q")} | {"p": free.p, "q": free.q}
    )
    left = experiment.observed(rows, rows["label"] - free.predict(rows, clip=False))
    known = model.known_item.unsqueeze(1)
    model.q.data.mul_(known)
    losses = []
    for _ in range(4):
        for name, matrix, other in (("p", left, "q"), ("q", left.T.tocsr(), "p")):
            getattr(model, name).data.copy_(experiment.als_step(matrix, getattr(model, other).data, 0.2))
            losses.append(model.loss(rows.batch()).item())
    model.loss(rows.batch()).backward()
    assert model.q.grad.abs().max() < 1e-6, "after a step for the items, no slope is left for them"
    assert all(b <= a + 1e-9 for a, b in zip(losses, losses[1:], strict=False)), losses


def test_als_finds_a_planted_matrix():
    world = experiment.low_rank(0, users=120, items=80, rank=2, per_user=40, noise=0.3)
    free = experiment.in_world(MF, world, 0, [{"dim": 0, "l2": 0.02}])
    x, y = experiment.als(world.train, free, dim=4, l2=0.03, iterations=8, seed=0)
    assert experiment.als_error(x, y, free, world.test) < 1.35 * world.noise


def test_ranking_by_stars_scores_every_pair_raw():
    model = build(SVDpp)
    scores = experiment.ByStars(model).score(np.array([3, 4]))
    assert scores.shape == (2, ITEMS)
    one = model.predict({"user": torch.tensor([4]), "item": torch.tensor([6])}, clip=False)
    assert scores[1, 6] == pytest.approx(one.item(), rel=1e-6)


def test_the_least_validation_error_is_kept_and_an_empty_grid_is_refused():
    world = experiment.low_rank(0, users=40, items=30, per_user=10)
    grid = [{"dim": 0, "l2": 50.0}, {"dim": 0, "l2": 0.01}]
    assert experiment.in_world(MF, world, 0, grid).l2 == 0.01
    with pytest.raises(ValueError, match="at least one"):
        experiment.in_world(MF, world, 0, [])


def test_stars_of_the_training_pairs_leave_the_held_out_films_out(monkeypatch):
    monkeypatch.setattr(experiment, "stars", train)
    rows = train()
    kept = torch.ones(len(rows), dtype=torch.bool)
    kept[[3, 7]] = False
    pairs = rows["user"][kept].numpy(), rows["item"][kept].numpy()

    matrix = csr_matrix((np.ones(len(pairs[0])), pairs), shape=(USERS, ITEMS))
    none = np.empty(0, dtype=np.int64)
    learn, stop, _ = experiment.stars_of(Interactions(matrix, none, none, np.empty((0, 0))), 0)
    assert len(learn) + len(stop) == len(rows) - 2
    gone = set(zip(rows["user"][~kept].tolist(), rows["item"][~kept].tolist(), strict=True))
    seen = set(
        zip(
            [*learn["user"].tolist(), *stop["user"].tolist()],
            [*learn["item"].tolist(), *stop["item"].tolist()],
            strict=True,
        )
    )
    assert not gone & seen
    assert min(u for u, _ in seen) >= FIRST
