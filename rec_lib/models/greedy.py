"""Greedy and ε-greedy: a linear model of the click that is trained on the newest clicks, with and without random places.

Paper    Sutton, Barto, "Reinforcement Learning", 2nd ed. 2018, sections 2.2 and 2.7 (ε-greedy); logistic regression by stochastic gradient.
Section  3.10 强化学习与推荐系统的结合
Idea     show the k largest sᵀW a;  W ← W + lr (click − σ(sᵀW a)) s aᵀ  over the clicks of the last period
Differs  a list has k places, and each is random with probability ε by itself; W starts at 0; every answer is learnt from once.
Symbols  S numbers of a state · A of a candidate · N candidates · k places · W (S, A)
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from rec_lib.data.news import Visit
from rec_lib.layers.interleaving import best
from rec_lib.models.policy import Clock, Policy


class Greedy(Policy):
    """Always the list that looks best.

    Args:
        n_state, n_news: S and A.
        k: places in a list.
        lr: learning rate.
        major: time between two trainings; inf never trains.

    Raises:
        ValueError: a rate that is not above 0, or what Policy and Clock refuse.
    """

    def __init__(self, n_state: int, n_news: int, k: int = 5, lr: float = 0.1, major: float = 50.0):
        super().__init__(k)
        if not lr > 0:
            raise ValueError(f"lr is {lr}; expected a rate above 0")
        self.lr = lr
        self.W = np.zeros((n_state, n_news))
        self._major = Clock(major)
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def score(self, visit: Visit) -> np.ndarray:
        return np.asarray(visit.state @ self.W @ visit.news.T)  # (N,)  sᵀW a, before σ

    def _choose(self, visit: Visit) -> np.ndarray:
        return best(self.score(visit), self.k)

    def _learn(self, visit: Visit, shown: np.ndarray, clicks: np.ndarray) -> None:
        self._waiting.append((visit.state, visit.news[shown], clicks))
        if self._major.strikes(visit.time):
            self.major_update()

    def major_update(self) -> None:
        """One pass over the answers that have come since the last one, oldest first."""
        for s, shown, clicks in self._waiting:
            for a, click in zip(shown, clicks, strict=True):
                self.W += self.lr * (click - expit(s @ self.W @ a)) * np.outer(s, a)
        self._waiting.clear()


class EpsilonGreedy(Greedy):
    """Each place goes to a random candidate with probability ε, and to the best one left otherwise.

    Args:
        epsilon: in [0, 1].
        rng: draws the random places.

    Raises:
        ValueError: an ε outside [0, 1], or what Greedy refuses.
    """

    def __init__(
        self,
        n_state: int,
        n_news: int,
        k: int = 5,
        lr: float = 0.1,
        major: float = 50.0,
        epsilon: float = 0.1,
        *,
        rng: np.random.Generator,
    ):
        super().__init__(n_state, n_news, k, lr, major)
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon is {epsilon}; expected a probability")
        self.epsilon, self.rng = epsilon, rng

    def _choose(self, visit: Visit) -> np.ndarray:
        return mixed(best(self.score(visit), len(visit.news)), self.k, self.epsilon, self.rng)


def mixed(ranking: np.ndarray, k: int, epsilon: float, rng: np.random.Generator) -> np.ndarray:
    """(k,) the first of `ranking` (N,), with each place given to a random one of those left with probability ε."""
    left = ranking.tolist()
    shown = [left.pop(int(rng.random() * len(left)) if rng.random() < epsilon else 0) for _ in range(k)]
    return np.array(shown, dtype=np.int64)
