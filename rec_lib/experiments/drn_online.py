"""3.10.2: linear policies on drifting news, a dozen worlds a setting: is fresh better than static, and what is exploring worth?

WORLD/POLICY/regret     expected clicks that a list of 5 lacks to the best one, a visit, over the visits after the warm-up
WORLD/POLICY/diversity  share of the pairs in a list that differ in topic (worlds of topics)

WORLD   still, slow, fast: topics whose tastes forget in never, 2000, 500 visits; jumps: drawn anew every 1000; dense: one
        user and 20 Gaussian features, 500
POLICY  random; static (trained on the warm-up, then left); greedy; eps_E; dbgd (α = 0.1, η = 0.05, the paper's), dbgd_tuned;
        alpha_0 (interleaved with itself); duels_only (trained on the warm-up, afterwards by comparisons alone)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from rec_lib.data.news import Feed, dense_feed, topic_feed
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.feed_kernels import NEVER, Game, play

K, WARM, MINOR = 5, 500, 25
WORLDS: dict[str, dict[str, Any]] = {
    "still": {},
    "slow": {"drift": 2000.0},
    "fast": {"drift": 500.0},
    "jumps": {"jump": 1000},
    "dense": {"drift": 500.0},
}
PAPER = (0.1, 0.05)  # α, η
EPSILONS = (0.02, 0.05, 0.1, 0.2)
# Learning rate by world and policy, and (α, η) of dbgd_tuned: lowest mean regret over worlds 100 to 103, which nothing
# else uses; `python -m rec_lib.experiments.drn_online` prints them.
CHOICES: dict[str, dict[str, Any]] = {
    "still": {
        "random": 0.1,
        "static": 0.03,
        "greedy": 0.1,
        "eps_0.02": 0.1,
        "eps_0.05": 0.1,
        "eps_0.1": 0.1,
        "eps_0.2": 0.03,
        "dbgd": 0.03,
        "dbgd_tuned": [0.03, 0.03, 0.5],
        "alpha_0": 0.03,
        "duels_only": [0.03, 0.1, 0.05],
    },
    "slow": {
        "random": 0.1,
        "static": 0.8,
        "greedy": 0.1,
        "eps_0.02": 0.1,
        "eps_0.05": 0.3,
        "eps_0.1": 0.3,
        "eps_0.2": 0.3,
        "dbgd": 0.3,
        "dbgd_tuned": [0.3, 0.1, 0.05],
        "alpha_0": 0.3,
        "duels_only": [0.8, 0.1, 0.05],
    },
    "fast": {
        "random": 0.1,
        "static": 0.8,
        "greedy": 0.1,
        "eps_0.02": 0.8,
        "eps_0.05": 0.8,
        "eps_0.1": 0.8,
        "eps_0.2": 0.8,
        "dbgd": 0.8,
        "dbgd_tuned": [0.8, 0.1, 0.5],
        "alpha_0": 0.8,
        "duels_only": [0.8, 0.1, 0.5],
    },
    "jumps": {
        "random": 0.1,
        "static": 0.8,
        "greedy": 0.8,
        "eps_0.02": 0.8,
        "eps_0.05": 0.8,
        "eps_0.1": 0.8,
        "eps_0.2": 0.8,
        "dbgd": 0.8,
        "dbgd_tuned": [0.8, 0.5, 0.05],
        "alpha_0": 0.8,
        "duels_only": [0.8, 0.5, 0.5],
    },
    "dense": {
        "random": 0.1,
        "static": 0.3,
        "greedy": 0.03,
        "eps_0.02": 0.03,
        "eps_0.05": 0.03,
        "eps_0.1": 0.03,
        "eps_0.2": 0.03,
        "dbgd": 0.03,
        "dbgd_tuned": [0.03, 0.1, 0.05],
        "alpha_0": 0.03,
        "duels_only": [0.3, 0.5, 0.5],
    },
}


@lru_cache(maxsize=5)
def world(name: str, seed: int) -> Feed:
    """The feed of that name."""
    return dense_feed(seed, **WORLDS[name]) if name == "dense" else topic_feed(seed, **WORLDS[name])


def serve(name: str, policy: str, lr: float, seed: int, duel: tuple[float, float] = PAPER) -> Game:
    """One policy in one world; its own luck comes from the seed."""
    feed, rng = world(name, seed), np.random.default_rng([seed, 1])
    if policy == "random":
        return play(feed, lr, K, warm=len(feed), stop=0)
    if policy.startswith("eps_"):
        return play(feed, lr, K, WARM, epsilon=float(policy.removeprefix("eps_")), rng=rng)
    if policy in ("dbgd", "dbgd_tuned", "alpha_0", "duels_only"):
        alpha, eta = (0.0, 0.0) if policy == "alpha_0" else duel
        stop = WARM if policy == "duels_only" else NEVER
        return play(feed, lr, K, WARM, stop, duel=(alpha, eta, MINOR), rng=rng)
    return play(feed, lr, K, WARM, WARM if policy == "static" else NEVER)


def policies() -> list[str]:
    """All of them, in the order of tables."""
    return [
        "random",
        "static",
        "greedy",
        *(f"eps_{e:g}" for e in EPSILONS),
        "dbgd",
        "dbgd_tuned",
        "alpha_0",
        "duels_only",
    ]


def regret_of(name: str, game: Game, seed: int) -> float:
    """Mean over the visits after the warm-up."""
    return float(game.regret(world(name, seed))[WARM:].mean())


def diversity_of(name: str, game: Game, seed: int) -> float:
    """Share of pairs of a list's places that hold different topics, after the warm-up."""
    topics = world(name, seed).news.argmax(axis=2)
    lists = np.take_along_axis(topics, game.shown, axis=1)[WARM:]
    differ = lists[:, :, None] != lists[:, None, :]
    return float(differ.sum() / (len(lists) * K * (K - 1)))


def tuned(name: str, seeds: tuple[int, ...], rates: list[float], duels: list[tuple[float, float]]) -> dict[str, Any]:
    """Settings of least mean regret over the seeds."""

    def cost(policy: str, lr: float, duel: tuple[float, float]) -> float:
        return float(np.mean([regret_of(name, serve(name, policy, lr, seed, duel), seed) for seed in seeds]))

    found: dict[str, Any] = {"random": 0.1}  # no rate matters
    for policy in policies()[1:]:
        duelling = policy in ("dbgd_tuned", "duels_only")
        tried = [(lr, duel) for lr in rates for duel in (duels if duelling else [PAPER])]
        costs = [cost(policy, lr, duel) for lr, duel in tried]
        lr, duel = tried[int(np.argmin(costs))]
        found[policy] = [lr, *duel] if duelling else lr
    return found


def run(seed: int, choices: dict[str, dict[str, Any]]) -> dict[str, float]:
    scores = {}
    for name in WORLDS:
        for policy in policies():
            choice = choices[name][policy]
            lr, *duel = choice if isinstance(choice, list) else (choice, *PAPER)
            game = serve(name, policy, lr, seed, (duel[0], duel[1]))
            scores[f"{name}/{policy}/regret"] = regret_of(name, game, seed)
            if name != "dense":
                scores[f"{name}/{policy}/diversity"] = diversity_of(name, game, seed)
    return scores


EXPERIMENT = Experiment("3.10.2", run, {"choices": CHOICES})

if __name__ == "__main__":
    grid = [(alpha, eta) for alpha in (0.03, 0.1, 0.5) for eta in (0.05, 0.5)]
    for name in WORLDS:
        print(f"    {name!r}: {tuned(name, (100, 101, 102, 103), [0.03, 0.1, 0.3, 0.8], grid)},", flush=True)
