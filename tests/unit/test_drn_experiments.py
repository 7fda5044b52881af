"""The helpers of 3.10's experiments: diversity counted plainly, policies that are what their names say."""

import itertools

import numpy as np
import pytest

from rec_lib.experiments import drn, drn_online
from rec_lib.experiments.drn_online import CHOICES, WARM, WORLDS, K


@pytest.mark.parametrize("policy", ["greedy", "dbgd"])
def test_diversity_is_the_share_of_pairs_that_differ(policy):
    game = drn_online.serve("still", policy, 0.1, seed=200)
    topics = drn_online.world("still", 200).news.argmax(axis=2)
    pairs = [
        topics[t, a] != topics[t, b]
        for t in range(WARM, len(topics))
        for a, b in itertools.combinations(game.shown[t], 2)
    ]
    assert drn_online.diversity_of("still", game, 200) == pytest.approx(np.mean(pairs))


def test_every_policy_of_every_world_has_its_choice():
    assert set(CHOICES) == set(WORLDS)
    for choice in CHOICES.values():
        assert set(choice) == set(drn_online.policies())


def test_random_lists_are_random_and_static_ones_stop_learning():
    feed = drn_online.world("fast", 200)
    np.testing.assert_array_equal(drn_online.serve("fast", "random", 0.1, 200).shown, feed.random[:, :K])
    static, greedy = (drn_online.serve("fast", p, 0.1, 200) for p in ("static", "greedy"))
    np.testing.assert_array_equal(static.shown[: WARM + 49], greedy.shown[: WARM + 49])
    assert drn_online.regret_of("fast", static, 200) > drn_online.regret_of("fast", greedy, 200) + 0.2


def test_tuning_takes_the_least_regret():
    found = drn_online.tuned("still", (201,), [0.1, 5.0], [(0.1, 0.05)])
    assert found["greedy"] == 0.1
    assert found["dbgd_tuned"][1:] == [0.1, 0.05]


def test_who_knows_the_law_is_paid_for_it_and_bait_costs_visits():
    games = {name: drn.serve(name, 300, 0.003, 5.0, hours=300.0) for name in ("random", "rule", "clicks", "dn")}
    assert games["clicks"]["clicks_per_visit"] > games["rule"]["clicks_per_visit"] > games["random"]["clicks_per_visit"]
    assert games["rule"]["visits_per_day"] > games["clicks"]["visits_per_day"]
    assert games["dn"]["clicks_per_visit"] > games["random"]["clicks_per_visit"]


def test_exploiting_shows_the_ranking_and_random_places_do_not():
    sizes = (10, 10)
    visit = next(iter(drn.ReturningFeed(0)))
    for name, explores in (("ddqn_ub", False), ("eg", True), ("drn", True), ("ddqn", False)):
        policy = drn.learner(name, sizes, 0, 0.003, 5.0)
        lists = {tuple(policy.select(visit).tolist()) for _ in range(60)}
        assert (len(lists) > 1) == explores, name
    assert drn.learner("ddqn_u", sizes, 0, 0.003, 5.0).beta == drn.PAPER_BETA
