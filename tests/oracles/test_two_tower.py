"""Two towers, their examples and their loss against plain loops and exact expectations; what cannot be is refused."""

import numpy as np
import pytest
import torch
from contract.topn_checks import ITEMS, KNOWN, SHAPE, noisy_world, world
from oracles import tower_naive as naive
from scipy.sparse import csr_matrix

from rec_lib.data.basket_pairs import BasketPairs
from rec_lib.layers import in_batch_softmax_loss, tower_scores
from rec_lib.models.tower_network import TwoTowerNetwork
from rec_lib.models.two_tower import TwoTower
from rec_lib.schema import FIRST, OOV


@pytest.mark.parametrize("check", naive.NETWORK_CHECKS.values(), ids=naive.NETWORK_CHECKS)
def test_network(check):
    check(TwoTowerNetwork)


@pytest.mark.parametrize("check", naive.LOSS_CHECKS.values(), ids=naive.LOSS_CHECKS)
def test_in_batch_softmax(check):
    check(in_batch_softmax_loss)


@pytest.mark.parametrize("check", naive.SOURCE_CHECKS.values(), ids=naive.SOURCE_CHECKS)
def test_source(check):
    check(BasketPairs)


def test_gradients_are_those_of_differences():
    net = naive.network()
    assert torch.autograd.gradcheck(lambda *_: net.loss(naive.BATCH), tuple(net.parameters()))


def test_number_of_weights():
    count = sum(p.numel() for p in TwoTowerNetwork(10, 2, 3, 4, (5, 6), 1.0, True, 0.1).parameters())
    assert count == 2 * 10 * 4 + (2 + 3) * 4 + 2 * ((4 * 5 + 5) + (5 * 6 + 6))


def test_cosines_stay_within_one_over_the_temperature():
    u, v = 9 * torch.randn(5, 3), 9 * torch.randn(6, 3)
    assert tower_scores(u, v, 0.25, True).abs().max() <= 4 + 1e-5
    torch.testing.assert_close(tower_scores(3 * u, v, 0.25, True), tower_scores(u, v, 0.25, True))
    torch.testing.assert_close(tower_scores(u, v, 0.5, False), 2 * u @ v.T)


@pytest.mark.parametrize(
    ("scores", "log_q", "said"),
    [
        (torch.zeros(1, 1), None, "a batch of one"),
        (torch.zeros(0, 0), None, "no negative"),
        (torch.zeros(3, 2), None, "expected"),
        (torch.zeros(3), None, "expected"),
        (torch.zeros(3, 3), torch.zeros(2), "one number a column"),
        (torch.zeros(3, 3), torch.zeros(3, 1), "one number a column"),
        (torch.zeros(3, 3), torch.zeros(3, 3), "one number a column"),
    ],
)
def test_batches_that_cannot_be_are_refused(scores, log_q, said):
    with pytest.raises(ValueError, match=said):
        in_batch_softmax_loss(scores, log_q)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.0}, {"temperature": -1.0}, {"temperature": float("nan")}, {"temperature": float("inf")},
        {"batch_size": 1}, {"dim": 0}, {"hidden": (4, 0)}, {"maxlen": 0}, {"per_user": 0}, {"epochs": 0}, {"lr": 0.0},
        {"l2": -1.0}, {"init_sd": 0.0}, {"id_dropout": 1.5}, {"id_dropout": float("nan")},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match="expected"):
        TwoTower(**change)


@pytest.mark.parametrize("bad", [np.ones((3, 2)), np.ones(SHAPE[1]), np.full((SHAPE[1], 2), np.nan)])
def test_features_that_do_not_fit_are_refused(bad):
    with pytest.raises(ValueError, match="features have shape"):
        TwoTower(epochs=1).fit(noisy_world(), item_features=bad)


def colours():
    features = np.zeros((SHAPE[1], 2))
    features[np.arange(FIRST, SHAPE[1]), np.arange(ITEMS + 1) % 2] = 1
    return features


def test_features_change_what_is_learnt_and_a_second_fit_forgets_them():
    model = TwoTower(epochs=2, rng=np.random.default_rng(0)).fit(noisy_world(), item_features=colours())
    plain = TwoTower(epochs=2, rng=np.random.default_rng(0)).fit(noisy_world())
    assert not np.array_equal(model.score(KNOWN), plain.score(KNOWN))
    assert model.fit(noisy_world()).net.g.feature.numel() == 0


def test_towers_give_the_fitted_vectors_again_and_serve_what_training_never_met():
    features = colours()
    model = TwoTower(id_dropout=0.5, rng=np.random.default_rng(0)).fit(world(), item_features=features)
    np.testing.assert_allclose(model.item_tower(features, np.arange(SHAPE[1])), model.v)
    np.testing.assert_allclose(model.user_tower(model.seen, np.zeros((SHAPE[0], 0))), model.u)
    np.testing.assert_allclose(model.score(KNOWN)[:, 5], model.u[KNOWN] @ model.v[5] / model.temperature)
    new = model.item_tower(features[FIRST : FIRST + 2])
    np.testing.assert_allclose(new, model.item_tower(features[FIRST : FIRST + 2], np.array([OOV, OOV])))
    red = csr_matrix((np.ones(4), (np.zeros(4, int), FIRST + 2 * np.arange(4))), shape=(1, SHAPE[1]))
    nobody = model.user_tower(csr_matrix((1, SHAPE[1])), np.zeros((1, 0)))
    assert np.isfinite(nobody).all()
    score = model.user_tower(red, np.zeros((1, 0))) @ new.T
    assert score[0, 0] > score[0, 1], "a newcomer who took red items prefers a new red item to a new black one"


def test_fit_leaves_the_callers_generator_alone():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    TwoTower(epochs=1).fit(noisy_world())
    torch.testing.assert_close(torch.rand(3), expected)
