"""Dueling bandit gradient descent: try a nearby W, let users judge between the two lists, step towards the winner.

Paper    Yue, Joachims, "Interactively optimizing information retrieval systems as a dueling bandits problem", ICML 2009; in the form of Zheng et al., "DRN", WWW 2018, section 4.5.
Section  3.10.4 DRN的在线学习方法——竞争梯度下降算法
Idea     W̃ = W + α·rand(−1, 1)·W;  lists interleaved;  W ← W + η (W̃ − W) if W̃'s items got more clicks
Differs  DRN moves a deep Q-network, here W is the linear model of Greedy; a step towards W̃ where DRN prints W + ηW̃; an item counts for the list it was drawn from (Hofmann et al. sum over the lists it could have come from).
Symbols  W̃ W_tilde · α alpha · η eta · k places · S numbers of a state · A of a candidate
"""

from __future__ import annotations

import numpy as np

from rec_lib.data.news import Visit
from rec_lib.layers.dueling import perturbed, towards
from rec_lib.layers.interleaving import best, interleave
from rec_lib.models.greedy import Greedy
from rec_lib.models.policy import Clock


class DBGD(Greedy):
    """Greedy's training, lists interleaved with those of a perturbed copy, and a minor update from their comparison.

    Args:
        alpha: size of the perturbation, relative to each weight. 0 interleaves two equal rankings: soft choice by rank.
        eta: share of the way to the winner.
        minor: time between two comparisons. Where both clocks strike, the comparison is settled first. Let it divide `major`:
            otherwise W is trained while W̃ stays what it was, and they are no longer near each other.
        rng: draws perturbations and lists.

    Raises:
        ValueError: a negative α, an η outside [0, 1], or what Greedy refuses.
    """

    def __init__(
        self,
        n_state: int,
        n_news: int,
        k: int = 5,
        lr: float = 0.1,
        major: float = 50.0,
        alpha: float = 0.1,
        eta: float = 0.05,
        minor: float = 25.0,
        *,
        rng: np.random.Generator,
    ):
        super().__init__(n_state, n_news, k, lr, major)
        if not alpha >= 0 or not 0 <= eta <= 1:
            raise ValueError(f"alpha={alpha}, eta={eta}; expected alpha ≥ 0 and eta in [0, 1]")
        self.alpha, self.eta, self.rng = alpha, eta, rng
        self._minor = Clock(minor)
        self._judged: tuple[Visit, np.ndarray, np.ndarray] | None = None  # the list that waits for its clicks
        self.explore()

    def explore(self) -> None:
        """A new W̃ around W, and a new count."""
        self.W_tilde = perturbed(self.W, self.rng.uniform(-1, 1, self.W.shape), self.alpha)
        self.won = 0  # clicks on W̃'s items, less those on W's

    def _choose(self, visit: Visit) -> np.ndarray:
        n = len(visit.news)
        L, L_tilde = best(self.score(visit), n), best(visit.state @ self.W_tilde @ visit.news.T, n)
        shown, by_tilde = interleave(L, L_tilde, self.k, self.rng)
        self._judged = visit, shown, by_tilde
        return shown

    def _learn(self, visit: Visit, shown: np.ndarray, clicks: np.ndarray) -> None:
        if self._judged and self._judged[0] is visit and np.array_equal(self._judged[1], shown):
            by_tilde = self._judged[2]
            self.won += int(clicks[by_tilde].sum()) - int(clicks[~by_tilde].sum())
        settle = self._minor.strikes(visit.time)
        if settle and self.won > 0:
            self.W = towards(self.W, self.W_tilde, self.eta)
        super()._learn(visit, shown, clicks)
        if settle:
            self.explore()
