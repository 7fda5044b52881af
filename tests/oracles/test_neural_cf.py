"""NeuralCF, its source of negatives and EASE against plain loops, closed forms, and MF itself."""

import numpy as np
import pytest
import torch
from contract.topn_checks import KNOWN, noisy_world
from oracles import neural_naive as naive

from rec_lib.data.pointwise import Pointwise
from rec_lib.models import neural_cf
from rec_lib.models.ease import EASE
from rec_lib.models.neural_cf import NeuralCF
from rec_lib.schema import FIRST


@pytest.mark.parametrize("check", naive.NETWORK_CHECKS.values(), ids=naive.NETWORK_CHECKS)
def test_network(check):
    check(neural_cf)


@pytest.mark.parametrize("check", naive.SOURCE_CHECKS.values(), ids=naive.SOURCE_CHECKS)
def test_source(check):
    check(Pointwise)


def test_ease_is_a_ridge_regression_of_each_item_on_all_the_others():
    naive.check_ease(EASE)


def test_ease_is_the_best_that_a_zero_diagonal_allows():
    """No step away from B, the diagonal kept at 0, lowers the objective."""
    seen = noisy_world()
    X = seen.toarray()
    B = EASE(3.0).fit(seen).B

    def objective(B):
        return ((X - X @ B) ** 2).sum() + 3.0 * (B**2).sum()

    assert not np.diag(B).any()
    rng = np.random.default_rng(0)
    for _ in range(20):
        step = rng.normal(size=B.shape)
        np.fill_diagonal(step, 0)
        assert all(objective(B + e * step) > objective(B) for e in (-1e-3, 1e-3))


@pytest.mark.parametrize("network", neural_cf.NETWORKS)
def test_gradients_are_those_of_differences(network):
    net = naive.networks()[neural_cf.NETWORKS.index(network)]
    parameters = tuple(net.parameters())
    assert torch.autograd.gradcheck(lambda *_: net(naive.PAIRS), parameters)


@pytest.mark.parametrize(
    ("network", "count"), [("gmf", 5 * 3 + 6 * 3 + 3), ("mlp", 11 * 4 + 8 * 4 + 4 + 4 * 2 + 2 + 2)]
)
def test_number_of_weights(network, count):
    both = sum(p.numel() for p in NeuralCF("neumf", 3, (4, 2))._network(5, 6).parameters())
    one = sum(p.numel() for p in NeuralCF(network, 3, (4, 2))._network(5, 6).parameters())
    assert one == count
    assert both == 36 + 44 + 36 + 10 + 2


def test_scores_are_the_logits_of_the_fitted_network():
    model = NeuralCF("neumf", 4, (4, 2), epochs=2).fit(noisy_world())
    scores = model.score(KNOWN[:3])
    for row, u in enumerate(KNOWN[:3].tolist()):
        for i in (FIRST, FIRST + 7):
            assert scores[row, i] == pytest.approx(naive.logit(model.net, u, i), rel=1e-4, abs=1e-5)


def test_a_pretrained_start_trains_the_towers_that_gmf_and_mlp_train_alone():
    """Vanishing SGD: what is left is the mixture of two towers, and GMF is the one that NeuralCF("gmf") finds."""
    settings = {"dim": 4, "hidden": (4, 2), "epochs": 3}
    both = NeuralCF("neumf", alpha=1.0, sgd_lr=1e-9, **settings).fit(noisy_world())
    gmf = NeuralCF("gmf", **settings).fit(noisy_world())
    np.testing.assert_allclose(both.score(KNOWN), gmf.score(KNOWN), atol=1e-5)


def test_fit_leaves_the_callers_generator_alone():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    NeuralCF(epochs=1).fit(noisy_world())
    torch.testing.assert_close(torch.rand(3), expected)


@pytest.mark.parametrize(
    "change",
    [
        {"network": "nmf"}, {"dim": 0}, {"hidden": ()}, {"hidden": (4, 0)}, {"alpha": 1.1}, {"alpha": -0.1}, {"sgd_lr": 0.0},
        {"negatives": 0}, {"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}, {"l2": -1.0}, {"lr": float("nan")},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match="expected"):
        NeuralCF(**change)


def test_ease_needs_a_price():
    for l2 in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            EASE(l2)


def test_a_source_without_negatives_is_refused():
    with pytest.raises(ValueError, match="1 or more"):
        naive.source(negatives=0)
