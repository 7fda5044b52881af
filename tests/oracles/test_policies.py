"""The policies against plain loops and closed forms: updates, targets, survival, interleaving, and the compiled copies."""

import itertools
import math

import numpy as np
import pytest
import torch
from contract.policy_checks import K, build, feed, serve

from rec_lib.data.news import ReturningFeed, Visit, dense_feed, topic_feed
from rec_lib.experiments.feed_kernels import NEVER, play
from rec_lib.layers import survival as activeness
from rec_lib.layers.dueling import perturbed, towards
from rec_lib.layers.interleaving import best, first_place, interleave
from rec_lib.layers.q_learning import DuelingQ, double_target
from rec_lib.models import DBGD, DRN, DeepQ, EpsilonGreedy, Greedy


def rng(seed=0):
    return np.random.default_rng(seed)


# --- greedy -----------------------------------------------------------------------------------------------------------


def test_a_major_update_is_the_loop_over_answers():
    world = feed(visits=40)
    policy = build(Greedy, major=40.0, lr=0.2)
    W = [[0.0] * world.news.shape[2] for _ in range(world.states.shape[1])]
    for t in range(40):
        shown = world.random[t, :K]
        clicks = world.clicks(t, shown)
        policy.update(world.visit(t), shown, clicks)
        for item, click in zip(shown, clicks, strict=True):
            s, a = world.states[t], world.news[t, item]
            z = sum(s[i] * W[i][j] * a[j] for i in range(len(s)) for j in range(len(a)))
            for i, j in itertools.product(range(len(s)), range(len(a))):
                W[i][j] += 0.2 * (click - 1 / (1 + math.exp(-z))) * s[i] * a[j]
    np.testing.assert_allclose(policy.W, W, atol=1e-12)


# --- dueling bandit gradient descent --------------------------------------------------------------------------------


def test_explorer_stays_within_alpha_of_each_weight_and_every_weight_has_its_own_draw():
    policy = build(DBGD, alpha=0.3)
    policy.W = rng(1).normal(size=policy.W.shape)
    policy.explore()
    ratio = (policy.W_tilde / policy.W - 1) / 0.3
    assert (np.abs(ratio) <= 1).all()
    assert len(np.unique(ratio.round(9))) == ratio.size
    assert abs(ratio.mean()) < 4 * (1 / 3 / ratio.size) ** 0.5


def test_a_weight_of_zero_stays_zero():
    W = np.array([0.0, 2.0])
    assert perturbed(W, np.array([0.7, 0.7]), 0.5)[0] == 0
    assert towards(W, perturbed(W, np.array([0.7, -1.0]), 0.5), 0.5)[0] == 0


@pytest.mark.parametrize("tilde_wins", [True, False])
def test_the_winner_of_the_comparison_is_stepped_towards(tilde_wins):
    world, policy = feed(), build(DBGD, alpha=0.5, eta=0.25, major=math.inf)
    policy.W = rng(2).normal(size=policy.W.shape)
    policy.explore()
    before, explorer = policy.W.copy(), policy.W_tilde.copy()
    for t in range(20):
        visit = world.visit(t)
        shown = policy.select(visit)
        by_tilde = policy._judged[2]
        policy.update(visit, shown, by_tilde == tilde_wins)
        if t < 19:
            np.testing.assert_array_equal(policy.W, before)
    np.testing.assert_allclose(policy.W, 0.75 * before + 0.25 * explorer if tilde_wins else before)
    assert not np.array_equal(policy.W_tilde, explorer), "the next comparison has a new explorer"
    assert policy.won == 0


def test_the_comparison_is_settled_on_the_weights_that_were_compared():
    """Both clocks strike: first the step towards W̃, then the training, then a new W̃ around what came out."""
    world, policy = feed(), build(DBGD, alpha=0.5, eta=1.0)
    policy.W = rng(2).normal(size=policy.W.shape)
    policy.explore()
    explorer = policy.W_tilde.copy()
    reference = build(Greedy)
    reference.W = explorer.copy()  # η = 1: the winner itself, then trained
    for t in range(20):
        visit = world.visit(t)
        shown = policy.select(visit)
        clicks = policy._judged[2].copy()
        policy.update(visit, shown, clicks)
        reference.update(visit, shown, clicks)
    np.testing.assert_allclose(policy.W, reference.W)
    assert (np.abs(policy.W_tilde / policy.W - 1) <= 0.5).all()


@pytest.mark.parametrize("cls", [DBGD, DRN])
def test_an_answer_to_a_list_of_somebody_else_settles_nothing(cls):
    world, policy = feed(), build(cls)
    policy.select(world.visit(0))
    policy.update(world.visit(1), world.random[1, :K], np.ones(K, bool))
    assert policy.won == 0
    visit = world.visit(2)
    other = np.roll(policy.select(visit), 1)
    policy.update(visit, other, np.ones(K, bool))
    assert policy.won == 0


# --- interleaving -----------------------------------------------------------------------------------------------------


def chance_of(places, first, second):
    """P[this list], over all coin tosses, the plain way."""
    total = 0.0
    for coins in itertools.product((first, second), repeat=len(places)):
        p, used = 0.5 ** len(places), []
        for item, ranking in zip(places, coins, strict=True):
            weight = {i: 1 / (rank + 1) ** 3 for rank, i in enumerate(ranking) if i not in used}
            p *= weight[item] / sum(weight.values())
            used.append(item)
        total += p
    return total


def test_interleaved_lists_come_as_often_as_they_should():
    first, second, n = np.array([2, 0, 1, 3]), np.array([3, 1, 2, 0]), 20_000
    generator = rng(3)
    drawn = [tuple(interleave(first, second, 2, generator)[0].tolist()) for _ in range(n)]
    total = 0.0
    for places in itertools.permutations(range(4), 2):
        p = chance_of(places, first.tolist(), second.tolist())
        total += p
        assert drawn.count(places) / n == pytest.approx(p, abs=4 * (p * (1 - p) / n) ** 0.5)
    assert total == pytest.approx(1)
    top = [chance_of((i,), first.tolist(), second.tolist()) for i in range(4)]
    np.testing.assert_allclose(first_place(first, second), top)


def test_credit_goes_to_the_list_that_the_item_was_drawn_from():
    n = 4000
    first, second = np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0])
    generator = rng(4)
    lists, givers = zip(*(interleave(first, second, 1, generator) for _ in range(n)), strict=True)
    top, by_second = np.concatenate(lists), np.concatenate(givers)
    assert by_second.mean() == pytest.approx(0.5, abs=4 * 0.5 / n**0.5)
    weights = 1 / np.arange(1.0, 5) ** 3
    share = weights[3] / (weights[3] + weights[0])  # an item ranked 4th by one and 1st by the other
    p = by_second[top == 0].mean()
    assert p == pytest.approx(share, abs=0.02)


def test_ties_keep_the_order_of_the_candidates():
    assert best(np.array([1.0, 3.0, 3.0, 0.0]), 3).tolist() == [1, 2, 0]


# --- deep Q ---------------------------------------------------------------------------------------------------------


def test_the_double_target_is_the_loop():
    torch.manual_seed(0)
    reward, q, q_target = torch.randn(5, 3), torch.randn(5, 4), torch.randn(5, 4)
    got = double_target(reward, 0.7, q, q_target)
    for b, place in itertools.product(range(5), range(3)):
        chosen = max(range(4), key=lambda n, b=b: q[b, n].item())
        assert got[b, place].item() == pytest.approx(
            reward[b, place].item() + 0.7 * q_target[b, chosen].item(), rel=1e-5
        )


def test_double_and_single_differ_in_who_chooses():
    policy = build(DeepQ)
    other = build(DeepQ, seed=9)
    policy.target = other.net
    r, s, news = torch.zeros(2, K), torch.eye(3)[:2], torch.eye(8).expand(2, 8, 8)
    own, judged = policy.net(s, news), other.net(s, news)
    doubled = policy.targets(r, s, news)
    policy.double = False
    single = policy.targets(r, s, news)
    torch.testing.assert_close(single[:, 0], 0.4 * judged.max(dim=1).values)
    torch.testing.assert_close(doubled[:, 0], 0.4 * judged[torch.arange(2), own.argmax(dim=1)])
    assert (doubled <= single).all()


def test_value_sees_the_state_alone():
    torch.manual_seed(0)
    net = DuelingQ(3, 4, (5,))
    s, news = torch.randn(2, 3), torch.randn(2, 6, 4)
    for b, n in itertools.product(range(2), range(6)):
        alone = net.value(s[b]) + net.advantage(torch.cat([s[b], news[b, n]]))
        torch.testing.assert_close(net(s, news)[b, n], alone[0])


def test_what_is_replayed_is_the_list_its_clicks_and_the_next_visit_of_the_same_user():
    policy = build(DeepQ, major=math.inf)
    visits = []
    for time, user in ((1.0, 0), (2.0, 1), (5.0, 0), (6.0, 0)):
        generator = rng(int(time))
        visits.append(Visit(time, user, np.eye(3)[user], generator.normal(size=(6, 8))))
    for visit in visits:
        policy.update(visit, np.array([4, 1, 0]), np.array([True, False, int(visit.time) % 2 == 1]))
    assert len(policy.memory) == 2  # user 1 has not come back, nor has user 0 after the last visit
    for (s, a, r, s_next, news_next), before, after in zip(policy.memory, visits[::2], visits[2:], strict=True):
        np.testing.assert_array_equal(s, before.state)
        np.testing.assert_array_equal(a, before.news[[4, 1, 0]])
        np.testing.assert_array_equal(r, [1.0, 0.0, 1.0])
        np.testing.assert_array_equal(s_next, after.state)
        np.testing.assert_array_equal(news_next, after.news)


def test_a_return_pays_beta_times_activeness():
    policy = build(DRN, beta=2.0, major=math.inf, minor=math.inf)
    S = 0.5 + 0.32
    for time, away in ((10.0, 0.0), (20.0, 10.0), (70.0, 50.0)):
        if away:
            S = min(1.0, S * math.exp(-1.2e-5 * 3600 * away) + 0.32)
        policy.update(Visit(time, 3, np.eye(3)[0], np.eye(8)), np.array([0, 1, 2]), np.array([True, False, False]))
        assert policy.activeness[3] == (pytest.approx(S), time)
        if away:
            np.testing.assert_allclose(policy.memory[-1][2], np.array([1.0, 0, 0]) + 2 * S)


def test_a_minor_update_of_the_network_is_a_step_towards_the_explorer():
    world, policy = feed(), build(DRN, alpha=0.5, eta=0.25, major=math.inf)
    before = [p.detach().clone() for p in policy.net.parameters()]
    explorer = [p.detach().clone() for p in policy.explorer.parameters()]
    for p, p_tilde in zip(before, explorer, strict=True):
        assert ((p_tilde - p).abs() <= 0.5 * p.abs() + 1e-7).all()
        assert not torch.equal(p, p_tilde)
    for t in range(20):
        visit = world.visit(t)
        shown = policy.select(visit)
        policy.update(visit, shown, policy._judged[2].copy())
    for p, old, p_tilde in zip(policy.net.parameters(), before, explorer, strict=True):
        torch.testing.assert_close(p.detach(), 0.75 * old + 0.25 * p_tilde)


# --- activeness ---------------------------------------------------------------------------------------------------------


def test_the_papers_constants_fit_together():
    left = activeness.survival(activeness.START, activeness.HAZARD, activeness.LIFE)
    assert left + activeness.RISE == pytest.approx(activeness.START, abs=0.005)
    assert activeness.after_return(0.9) == 1
    hours = np.linspace(0, 400, 400_001)
    area = np.trapezoid(activeness.survival(1.0, activeness.HAZARD, hours), hours)
    assert area == pytest.approx(1 / activeness.HAZARD, rel=1e-4)


# --- compiled -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "world", [topic_feed(1, visits=900, drift=300), dense_feed(1, visits=900)], ids=["topics", "dense"]
)
@pytest.mark.parametrize("kind", ["greedy", "static", "epsilon", "duel", "alpha 0"])
def test_compiled_lists_are_those_of_the_classes(world, kind):
    sizes = world.states.shape[1], world.news.shape[2]
    stop = 200 if kind == "static" else NEVER
    policy, settings = {
        "greedy": (Greedy(*sizes, lr=0.2), {}),
        "static": (Greedy(*sizes, lr=0.2), {"stop": 200}),
        "epsilon": (EpsilonGreedy(*sizes, lr=0.2, epsilon=0.3, rng=rng(5)), {"epsilon": 0.3, "rng": rng(5)}),
        "duel": (DBGD(*sizes, lr=0.2, alpha=0.5, eta=0.5, rng=rng(5)), {"duel": (0.5, 0.5, 25), "rng": rng(5)}),
        "alpha 0": (DBGD(*sizes, lr=0.2, alpha=0.0, rng=rng(5)), {"duel": (0.0, 0.05, 25), "rng": rng(5)}),
    }[kind]
    shown = []
    for t in range(len(world)):
        visit = world.visit(t)
        chosen = world.random[t, :5] if t < 200 else policy.select(visit)
        shown.append(chosen)
        if t < stop:
            policy.update(visit, chosen, world.clicks(t, chosen))
    game = play(world, 0.2, warm=200, keep=True, **settings)
    np.testing.assert_array_equal(game.shown, shown)
    np.testing.assert_array_equal(game.clicks, [world.clicks(t, row) for t, row in enumerate(shown)])
    if kind == "duel":
        assert np.ptp(game.W_tilde - game.W) > 0
        np.testing.assert_allclose(play(world, 0.2, warm=900, keep=True).W[-1], game.W[-1], atol=3)


def test_play_refuses_two_kinds_of_exploration_and_one_without_a_generator():
    world = topic_feed(0, visits=50)
    for settings in ({"epsilon": 0.1}, {"duel": (0.1, 0.1, 5)}, {"epsilon": 0.1, "duel": (0.1, 0.1, 5), "rng": rng()}):
        with pytest.raises(ValueError, match="expected one kind"):
            play(world, 0.1, **settings)


# --- the feeds --------------------------------------------------------------------------------------------------------


def test_tastes_drift_as_said_and_jump_when_told():
    def theta(**settings):
        world = topic_feed(3, visits=12_000, users=1, topics=3, candidates=3, **settings)
        logit = np.log(world.p / (1 - world.p)) + 1
        path = np.full((12_000, 3), np.nan)
        np.put_along_axis(path, world.news.argmax(axis=2), logit, axis=1)
        return path

    still, moving, jumping = theta(), theta(drift=50), theta(jump=3000)
    assert np.nanstd(still, axis=0).max() < 1e-9
    pairs = [(moving[:-50, i], moving[50:, i]) for i in range(3)]
    both = [(a[ok], b[ok]) for a, b in pairs for ok in [~np.isnan(a) & ~np.isnan(b)]]
    assert np.mean([np.corrcoef(a, b)[0, 1] for a, b in both]) == pytest.approx(np.exp(-1), abs=0.15)
    assert np.nanstd(moving) == pytest.approx(1.2, abs=0.3)
    assert [len(np.unique(jumping[~np.isnan(jumping[:, i]), i].round(9))) for i in range(3)] == [4, 4, 4]
    assert topic_feed(0, visits=5).best(5) == pytest.approx(np.sort(topic_feed(0, visits=5).p)[:, -5:].sum(axis=1))


def test_luck_is_the_same_for_all_policies():
    def tastes(show):
        world, first = ReturningFeed(0, hours=400.0), {}
        for visit in world:
            first.setdefault(visit.user, []).append(visit.news[:, :8].argmax(axis=1))
            world.answer(show(visit))
        return first

    bait = tastes(lambda v: np.argsort(-v.news[:, 8], kind="stable")[:3])
    good = tastes(lambda v: np.argsort(v.news[:, 8], kind="stable")[:3])
    assert sum(map(len, good.values())) > 1.3 * sum(map(len, bait.values())), "bait drives users away"
    for user in bait:
        for a, b in zip(bait[user], good[user], strict=False):
            np.testing.assert_array_equal(a, b)


def test_a_visit_is_answered_once_before_the_next():
    world = ReturningFeed(0, hours=100.0)
    visits = iter(world)
    with pytest.raises(RuntimeError, match="no visit"):
        world.answer(np.arange(3))
    with pytest.raises(RuntimeError, match="no open visit"):
        _ = world.probabilities
    next(visits)
    assert world.probabilities.shape == (15,)
    with pytest.raises(RuntimeError, match="not answered"):
        next(visits)


@pytest.mark.parametrize(
    "make", [lambda: topic_feed(0, drift=1.0), lambda: topic_feed(0, jump=-1), lambda: ReturningFeed(0, users=0)]
)
def test_impossible_feeds_are_refused(make):
    with pytest.raises(ValueError, match="expected"):
        make()


def test_settings_that_cannot_be_are_refused():
    for cls, setting in (
        (EpsilonGreedy, {"epsilon": 1.5}),
        (DBGD, {"alpha": -0.1}),
        (DBGD, {"eta": 2.0}),
        (DeepQ, {"gamma": 1.0}),
        (DeepQ, {"steps": 0}),
        (DRN, {"beta": -1.0}),
    ):
        with pytest.raises(ValueError, match="expected"):
            build(cls, **setting)


def test_a_policy_learns_what_it_is_served():
    world = feed()
    policy = build(Greedy)
    serve(policy, world)
    theta = np.full(policy.W.shape, np.nan)
    for t in range(len(world)):
        theta[world.users[t], world.news[t].argmax(axis=1)] = np.log(world.p[t] / (1 - world.p[t]))
    assert np.corrcoef(theta.ravel(), policy.W.ravel())[0, 1] > 0.6
