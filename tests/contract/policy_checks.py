"""What every policy promises: one list of checks, each a function of the policy's class.

The contract tests run each check on each policy of the library; the mutant tests run them on broken ones. The world is
a small feed of topics with tastes that stay: what is worth learning can be learnt, and the best lists are known.
"""

import inspect
import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from rec_lib.data.news import Feed, Visit, topic_feed
from rec_lib.layers.interleaving import best
from rec_lib.models import Policy

USERS, TOPICS, CANDIDATES, K = 3, 8, 10, 3
WARM, VISITS, CLOCK = 100, 600, 20.0
OTHER: dict[
    str, object
] = {  # one other value for each constructor argument; a policy with a new one has to add it here
    "k": 2,
    "lr": 0.03,
    "major": 45.0,
    "epsilon": 0.6,
    "alpha": 0.9,
    "eta": 0.9,
    "minor": 45.0,
    "hidden": (4,),
    "gamma": 0.8,
    "double": False,
    "steps": 3,
    "batch": 5,
    "memory": 20,
    "beta": 4.0,
}


def feed(seed: int = 0, visits: int = VISITS) -> Feed:
    return topic_feed(seed, visits=visits, users=USERS, topics=TOPICS, candidates=CANDIDATES)


def build(cls: type[Policy], seed: int = 0, **settings) -> Policy:
    torch.manual_seed(seed)
    names = inspect.signature(cls).parameters
    if "rng" in names:
        settings.setdefault("rng", np.random.default_rng(seed))
    if "minor" in names:
        settings.setdefault("minor", CLOCK)
    return cls(USERS, TOPICS, **{"k": K, "major": CLOCK} | settings)


def serve(policy: Policy, world: Feed, warm: int = WARM, start: int = 0) -> np.ndarray:
    """All visits from `start`, the first `warm` with random lists: (T, k) what was shown."""
    shown = []
    for t in range(start, len(world)):
        visit = world.visit(t)
        chosen = world.random[t, : policy.k] if t < warm else policy.select(visit)
        policy.update(visit, chosen, world.clicks(t, chosen))
        shown.append(chosen)
    return np.array(shown)


def regret(world: Feed, shown: np.ndarray) -> np.ndarray:
    return world.best(shown.shape[1]) - np.take_along_axis(world.p, shown, axis=1).sum(axis=1)


def taught(cls: type[Policy], visits: int = 200) -> Policy:
    policy = build(cls)
    serve(policy, feed(visits=visits))
    return policy


def new_visit(seed: int = 7, time: float = VISITS + 1.0) -> Visit:
    rng = np.random.default_rng(seed)
    user = int(rng.integers(USERS))
    return Visit(time, user, np.eye(USERS)[user], np.eye(TOPICS)[rng.permutation(TOPICS)])  # no topic twice: no ties


def check_regret_is_well_below_that_of_random_lists(cls):
    own, chance = [], []
    for seed in range(3):
        world = feed(seed)
        own.append(regret(world, serve(build(cls, seed), world))[VISITS // 2 :].mean())
        chance.append(regret(world, world.random[:, :K])[VISITS // 2 :].mean())
    assert np.mean(own) < 0.55 * np.mean(chance), f"regret {np.mean(own):.3f}, random lists {np.mean(chance):.3f}"


def check_a_list_is_k_different_candidates(cls):
    policy = taught(cls)
    for seed in range(30):
        visit = new_visit(seed)
        shown = policy.select(visit)
        assert isinstance(shown, np.ndarray)
        assert shown.shape == (K,)
        assert shown.dtype == np.int64
        assert len(set(shown.tolist())) == K, "a candidate stands twice"
        assert ((shown >= 0) & (shown < len(visit.news))).all()
    whole = build(cls, k=TOPICS).select(visit)
    assert sorted(whole.tolist()) == list(range(TOPICS)), "a list of all candidates holds each of them once"


def check_lists_follow_the_scores(cls):
    """Without a generator the list is the ranking; with one, other items are tried and good ones still come more often."""
    policy, visit = taught(cls), new_visit()
    ranking = best(policy.score(visit), TOPICS)
    lists = np.array([policy.select(visit) for _ in range(300)])
    if "rng" not in inspect.signature(cls).parameters:
        assert (lists == ranking[:K]).all(), "not the candidates with the best scores, best first"
        return
    assert len(np.unique(lists, axis=0)) > 1, "it never tries another list"
    often = np.bincount(lists.ravel(), minlength=TOPICS)[ranking]
    assert often[:K].min() > often[K:].max(), f"by rank the candidates were shown {often} times"
    assert np.bincount(lists[:, 0], minlength=TOPICS).argmax() == ranking[0], (
        "the best candidate is not first most often"
    )


def check_scores_are_finite_numbers_that_differ(cls):
    score = taught(cls).score(new_visit())
    assert score.shape == (TOPICS,)
    assert np.isfinite(score).all()
    assert np.ptp(score) > 0


def check_clicks_raise_a_score_and_passes_lower_it(cls):
    policy = build(cls)
    liked, ignored = 2, 5
    for t in range(200):
        user = t % USERS
        news = np.eye(TOPICS)[[liked, ignored, 0]]
        visit = Visit(float(t + 1), user, np.eye(USERS)[user], news)
        policy.update(visit, np.array([0, 1]), np.array([True, False]))
    for user in range(USERS):
        score = policy.score(Visit(500.0, user, np.eye(USERS)[user], np.eye(TOPICS)))
        assert score[liked] > score[ignored], "what was always clicked scores lower than what never was"


def check_what_was_not_shown_is_no_answer(cls):
    """Of two users one never sees topic 5; the policy may not take that for dislike and give it the score of a pass."""
    shown_once, never = build(cls), build(cls)
    for policy, second in ((shown_once, True), (never, False)):
        for t in range(200):
            user = t % USERS
            visit = Visit(float(t + 1), user, np.eye(USERS)[user], np.eye(TOPICS)[[0, 5]])
            shown = np.array([0, 1]) if second else np.array([0])
            policy.update(visit, shown, np.array([True, False])[: len(shown)])
    visit = Visit(500.0, 0, np.eye(USERS)[0], np.eye(TOPICS))
    assert never.score(visit)[5] > shown_once.score(visit)[5], "a candidate that was not shown counts as not clicked"


def check_select_changes_nothing_that_is_learnt(cls):
    policy, visit = taught(cls), new_visit()
    before, state, news = policy.score(visit), visit.state.copy(), visit.news.copy()
    for _ in range(20):
        policy.select(visit)
    np.testing.assert_array_equal(policy.score(visit), before)
    np.testing.assert_array_equal(visit.state, state)
    np.testing.assert_array_equal(visit.news, news)


def check_update_leaves_the_callers_arrays_alone(cls):
    policy, world = build(cls), feed(visits=45)
    for t in range(45):
        visit, shown = world.visit(t), world.random[t, :K].copy()
        clicks = world.clicks(t, shown)
        arrays = (visit.state, visit.news, shown, clicks)
        copies = [array.copy() for array in arrays]
        policy.update(visit, shown, clicks)
        for array, kept in zip(arrays, copies, strict=True):
            np.testing.assert_array_equal(array, kept)


def check_weights_move_when_the_clock_strikes_and_not_between(cls):
    policy, world, asked = build(cls), feed(visits=100), new_visit()
    moved = []
    before = policy.score(asked)
    for t in range(100):
        visit, shown = world.visit(t), world.random[t, :K]
        policy.update(visit, shown, world.clicks(t, shown))
        now = policy.score(asked)
        if not np.array_equal(now, before):
            moved.append(t + 1)
        before = now
    assert moved == [20, 40, 60, 80, 100], f"scores moved after visits {moved}; the clock strikes every {CLOCK:g}"


def check_visits_come_in_order_and_once(cls):
    policy, world = taught(cls), feed()
    before, asked = policy.score(new_visit()), new_visit()
    for t in (199, 150, 0):
        with pytest.raises(ValueError, match="in order"):
            policy.update(world.visit(t), world.random[t, :K], np.ones(K, bool))
    np.testing.assert_array_equal(policy.score(asked), before)
    serve(policy, world, start=230)  # a gap is no harm: others served meanwhile


def check_answers_to_lists_of_others_teach_too(cls):
    """Logged lists, which the policy did not choose, are all that it gets."""
    own, chance = [], []
    for seed in range(3):
        world, policy = feed(seed), build(cls, seed)
        serve(policy, world, warm=VISITS)
        own.append(regret(world, np.array([best(policy.score(world.visit(t)), K) for t in range(VISITS)])).mean())
        chance.append(regret(world, world.random[:, :K]).mean())
    assert np.mean(own) < 0.55 * np.mean(chance)


def check_questions_that_cannot_be_are_refused(cls):
    policy, world = build(cls), feed(visits=3)
    visit = world.visit(0)
    for shown, clicks in (
        ([0, 0, 1], [1, 0, 0]),
        ([0, 1, CANDIDATES], [1, 0, 0]),
        ([0, 1, -1], [1, 0, 0]),
        ([0, 1, 2], [1, 0]),
    ):
        with pytest.raises(ValueError, match="expected"):
            policy.update(visit, np.array(shown), np.array(clicks))
    with pytest.raises(ValueError, match="lower k"):
        build(cls, k=CANDIDATES + 1).select(visit)
    for setting in ({"k": 0}, {"major": 0.0}, {"lr": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            build(cls, **setting)


def check_same_seed_same_lists(cls):
    runs = [serve(build(cls, seed=4), feed(visits=200)) for _ in range(2)]
    np.testing.assert_array_equal(*runs)
    if "rng" in inspect.signature(cls).parameters:
        other = build(cls, seed=4, rng=np.random.default_rng(5))
        assert not np.array_equal(serve(other, feed(visits=200)), runs[0]), "another generator, and the same lists"


def check_nothing_is_seeded(cls):
    """Neither the constructor nor a run puts a global generator to a place of its own choice."""
    ends, own = [], random.getstate()
    for seed in (11, 12):
        torch.manual_seed(seed)
        settings = {"rng": np.random.default_rng(0)} if "rng" in inspect.signature(cls).parameters else {}
        serve(cls(USERS, TOPICS, k=K, **settings), feed(visits=60))
        ends.append(torch.rand(4))
    assert not torch.equal(*ends), "torch's generator was seeded"
    assert random.getstate() == own, "Python's generator was used"


def check_two_policies_share_nothing(cls):
    first, second, visit = build(cls), build(cls), new_visit()
    before = second.score(visit)
    serve(first, feed(visits=100))
    np.testing.assert_array_equal(second.score(visit), before)


def check_every_option_does_something(cls):
    def trace(**settings):
        policy = build(cls, **settings)
        return serve(policy, feed(visits=300)), policy.score(new_visit())

    usual = trace()
    for name in inspect.signature(cls).parameters:
        if name in ("n_state", "n_news", "rng"):
            continue
        assert name in OTHER, f"{cls.__name__} has a new option {name!r}: name another value of it in OTHER"
        other = trace(**{name: OTHER[name]})
        assert not all(np.array_equal(a, b) for a, b in zip(usual, other, strict=True)), f"{name} is dead"


CHECKS: dict[str, Callable[[type[Policy]], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
