"""YouTube recall, its examples and its loss against plain loops and exact expectations."""

import numpy as np
import pytest
import torch
from contract.topn_checks import KNOWN, noisy_world
from oracles import watch_naive as naive

from rec_lib.data import movielens
from rec_lib.data.watch_days import days
from rec_lib.data.watches import Watches
from rec_lib.layers import sampled_softmax_loss
from rec_lib.models.watch_network import WatchNetwork, draw
from rec_lib.models.youtube_recall import YouTubeRecall


@pytest.mark.parametrize("check", naive.NETWORK_CHECKS.values(), ids=naive.NETWORK_CHECKS)
def test_network(check):
    check(WatchNetwork)


@pytest.mark.parametrize("check", naive.LOSS_CHECKS.values(), ids=naive.LOSS_CHECKS)
def test_sampled_softmax(check):
    check(sampled_softmax_loss)


@pytest.mark.parametrize("check", naive.SOURCE_CHECKS.values(), ids=naive.SOURCE_CHECKS)
def test_source(check):
    check(Watches)


def test_in_a_batch_the_rows_can_serve_each_other():
    """The two-tower's form: logits (B, B), target on the diagonal, one log Q a column."""
    torch.manual_seed(0)
    logits, log_q = torch.randn(4, 4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    each = [sampled_softmax_loss(logits[[i]], log_q.expand(1, 4), torch.tensor([i])) for i in range(4)]
    torch.testing.assert_close(sampled_softmax_loss(logits, log_q, torch.arange(4)), torch.stack(each).mean())


def test_gradients_are_those_of_differences():
    net = naive.network()
    for batch in (naive.BATCH, naive.BATCH | naive.DRAWN):
        assert torch.autograd.gradcheck(lambda *_, b=batch: net.loss(b), tuple(net.parameters()))


def test_draws_follow_popularity_and_say_so():
    popularity = np.array([0, 0, 0.5, 0.25, 0, 0.25])
    batch = draw({}, popularity, 20_000, np.random.default_rng(0))
    share = np.bincount(batch["drawn"].numpy(), minlength=6) / 20_000
    np.testing.assert_allclose(share, popularity, atol=0.015)
    assert not share[popularity == 0].any()
    np.testing.assert_allclose(batch["log_q"].exp().numpy(), popularity, atol=1e-6)


def test_number_of_weights():
    net = WatchNetwork(10, 3, (4, 2), 0.1)
    assert sum(p.numel() for p in net.parameters()) == 10 * 3 + (4 * 4 + 4) + (4 * 2 + 2) + 10 * 2


def test_scores_are_products_of_the_two_kinds_of_vectors_and_those_of_the_network():
    model = YouTubeRecall(epochs=2).fit(noisy_world())
    scores, u, v = model.score(KNOWN[:4]), model.user_vectors(KNOWN[:4]), model.item_vectors()
    assert (u >= 0).all()
    for row, user in enumerate(KNOWN[:4]):
        expected = naive.logits(model.net, model.history[user].tolist(), 0.0)
        for item in (2, 9):
            assert scores[row, item] == pytest.approx(expected[item], rel=1e-5, abs=1e-6)
            assert scores[row, item] == pytest.approx(u[row] @ v[item])


def test_times_change_what_is_learnt_and_a_second_fit_forgets_them():
    matrix = noisy_world()
    times = matrix.copy()
    times.data = np.random.default_rng(0).random(times.nnz)
    model = YouTubeRecall(epochs=2, rng=np.random.default_rng(0)).fit(matrix, times)
    plain = YouTubeRecall(epochs=2, rng=np.random.default_rng(0)).fit(matrix)
    assert not np.array_equal(model.score(KNOWN), plain.score(KNOWN))
    again = model.fit(matrix)
    assert again.history.shape == plain.history.shape


def test_times_that_do_not_fit_are_refused():
    seen, when = naive.matrices()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="shape"):
        Watches(seen, when[:3], 2, rng)
    fewer = when.copy()
    fewer.data[fewer.data == 9.0] = 0
    fewer.eliminate_zeros()
    with pytest.raises(ValueError, match="user 3 watched item 6 and times have nothing there"):
        Watches(seen, fewer, 2, rng)
    when.data[0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        Watches(seen, when, 2, rng)


def test_days_hold_every_rating():
    data = movielens.load("ml-100k")
    times = days(data, (945, 1684))
    assert times.nnz == 100_000
    assert times.data.min() == 0
    assert 200 < times.data.max() < 230


def test_fit_leaves_the_callers_generator_alone():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    YouTubeRecall(epochs=1).fit(noisy_world())
    torch.testing.assert_close(torch.rand(3), expected)


@pytest.mark.parametrize(
    "change",
    [
        {"dim": 0}, {"hidden": ()}, {"hidden": (4, 0)}, {"maxlen": 0}, {"negatives": 0}, {"per_user": 0}, {"epochs": 0},
        {"batch_size": 0}, {"lr": 0.0}, {"l2": -1.0}, {"init_sd": 0.0}, {"lr": float("nan")}, {"dim": 2.5}, {"hidden": (8.0,)}, {"negatives": 1.5},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match="expected"):
        YouTubeRecall(**change)


def test_a_user_without_a_vector_is_named():
    model = YouTubeRecall(epochs=1)
    with pytest.raises(RuntimeError, match="call fit"):
        model.user_vectors(KNOWN)
    with pytest.raises(RuntimeError, match="call fit"):
        model.item_vectors()
    model.fit(noisy_world())
    with pytest.raises(ValueError, match="user 500 watched nothing"):
        model.user_vectors(np.array([KNOWN[0], 500]))
    with pytest.raises(ValueError, match="user 0 watched nothing"):
        model.user_vectors(np.array([0]))
    with pytest.raises(ValueError, match="negative"):
        model.user_vectors(np.array([-1]))
    with pytest.raises(TypeError, match="integers"):
        model.user_vectors(np.array([2.0]))
    assert model.user_vectors(KNOWN[:0]).shape == (0, 16)


@pytest.mark.parametrize(
    ("popularity", "count"),
    [([0, 0, 0], 3), ([0, 1, np.nan], 3), ([0, 1, np.inf], 3), ([0, 1, -1], 3), ([0, 1, 1], 0)],
)
def test_draws_that_cannot_be_are_refused(popularity, count):
    with pytest.raises(ValueError, match="1 or more draws"):
        draw({}, np.array(popularity, dtype=float), count, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("candidates", "log_q", "said"),
    [
        (1, torch.zeros(1), "two candidates"),  # no draws: a loss of 0, whatever the scores
        (4, torch.zeros(3, 1), "log_q of"),  # the same for all candidates of a row: corrects nothing
        (4, torch.zeros(3), "log_q of"),
        (4, torch.tensor([0.0, -np.inf, 0.0, 0.0]), "Q above 0"),
        (4, torch.tensor([0.0, np.nan, 0.0, 0.0]), "Q above 0"),
    ],
)
def test_candidates_that_cannot_be_are_refused(candidates, log_q, said):
    with pytest.raises(ValueError, match=said):
        sampled_softmax_loss(torch.zeros(3, candidates), log_q, torch.zeros(3, dtype=torch.long))
