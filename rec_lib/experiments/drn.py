"""3.10.1: deep Q-networks in a feed whose users come back sooner or later, by what they read.

returning/POLICY/clicks_per_day    clicks a user and day: what the feed earns
returning/POLICY/clicks_per_visit  clicks a list of 3
returning/POLICY/visits_per_day    visits a user and day
returning/POLICY/seconds           CPU seconds for the whole feed

POLICY  random · rule (no bait, and of the rest what is truly clicked most: it knows the law) · clicks (most clicked, bait
        or not: it knows the law too, and is myopic) · dn (γ = 0) · ddqn (γ = 0.4) · ddqn_u (activeness
        at the paper's β = 0.05) · ddqn_ub (at the β that was chosen) · eg (ddqn_ub with ε = 0.1) · drn (ddqn_ub with dueling
        bandits)
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from rec_lib.data.news import ReturningFeed, Visit
from rec_lib.experiments.core import Experiment
from rec_lib.layers.interleaving import best
from rec_lib.models.deep_q import DeepQ
from rec_lib.models.drn import DRN
from rec_lib.models.greedy import mixed
from rec_lib.models.policy import Policy

K = 3
# β of ddqn_ub: most clicks a day over sixty days of feeds 100 and 101, which nothing else uses. The rate is not tuned.
CHOICES: dict[str, float] = {"lr": 0.003, "beta": 5.0}
PAPER_BETA, GAMMA, EPSILON = 0.05, 0.4, 0.1


class Exploiting(DRN):
    """DRN without its exploration: the list is the ranking, and nothing is compared."""

    def _choose(self, visit: Visit) -> np.ndarray:
        return best(self.score(visit), self.k)


class RandomPlaces(Exploiting):
    """ε-greedy by Q."""

    def _choose(self, visit: Visit) -> np.ndarray:
        return mixed(best(self.score(visit), len(visit.news)), self.k, EPSILON, self.rng)


def learner(name: str, sizes: tuple[int, int], seed: int, lr: float, beta: float) -> Policy:
    """One of the learning policies, freshly drawn from the seed."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 2])
    if name in ("dn", "ddqn"):
        return DeepQ(*sizes, K, gamma=0.0 if name == "dn" else GAMMA, lr=lr)
    if name == "ddqn_u":
        beta = PAPER_BETA
    kinds: dict[str, type[DRN]] = {"ddqn_u": Exploiting, "ddqn_ub": Exploiting, "eg": RandomPlaces}
    return kinds.get(name, DRN)(*sizes, K, gamma=GAMMA, lr=lr, beta=beta, rng=rng)


def by_law(name: str, feed: ReturningFeed, rng: np.random.Generator) -> Callable[[Visit], np.ndarray]:
    """Lists of those who know the law, or nothing."""

    def show(visit: Visit) -> np.ndarray:
        if name == "random":
            return rng.permutation(len(visit.news))[:K]
        bait = visit.news[:, feed.topics]
        return best(feed.probabilities - (name == "rule") * bait, K)

    return show


LEARNERS = ("dn", "ddqn", "ddqn_u", "ddqn_ub", "eg", "drn")
POLICIES = ("random", "rule", "clicks", *LEARNERS)


def serve(name: str, seed: int, lr: float, beta: float, hours: float = 720.0) -> dict[str, float]:
    """Clicks, visits and seconds of one policy over one feed."""
    feed = ReturningFeed(seed, hours=hours)
    policy = learner(name, feed.sizes, seed, lr, beta) if name in LEARNERS else None
    show = policy.select if policy else by_law(name, feed, np.random.default_rng([seed, 3]))
    start, clicks, visits = time.process_time(), 0, 0
    for visit in feed:
        shown = show(visit)
        clicked = feed.answer(shown)
        if policy:
            policy.update(visit, shown, clicked)
        clicks, visits = clicks + int(clicked.sum()), visits + 1
    days = feed.users * hours / 24
    return {
        "clicks_per_day": clicks / days,
        "clicks_per_visit": clicks / visits,
        "visits_per_day": visits / days,
        "seconds": time.process_time() - start,
    }


def run(seed: int, choices: dict[str, float]) -> dict[str, float]:
    torch.set_num_threads(1)
    games = {name: serve(name, seed, **choices) for name in POLICIES}
    return {f"returning/{name}/{key}": value for name, game in games.items() for key, value in game.items()}


def mean_clicks(name: str, lr: float, beta: float, seeds: tuple[int, ...] = (100, 101)) -> float:
    return float(np.mean([serve(name, seed, lr, beta, hours=1440.0)["clicks_per_day"] for seed in seeds]))


EXPERIMENT = Experiment("3.10.1", run, {"choices": CHOICES})

if __name__ == "__main__":
    torch.set_num_threads(1)
    for beta in (1.0, 5.0, 20.0):
        print(f"beta {beta}: ddqn_ub {mean_clicks('ddqn_ub', CHOICES['lr'], beta):.3f}", flush=True)
