"""DRN: a deep Q-network that recommends, is rewarded for clicks and returns, and explores by dueling with itself.

Paper    Zheng, Zhang, Zheng, Xiang, Yuan, Xie, Li, "DRN: A Deep Reinforcement Learning Framework for News Recommendation", WWW 2018, sections 4.2 (framework), 4.3 (Q), 4.4 (activeness), 4.5 (exploration).
Section  3.10 强化学习与推荐系统的结合
Idea     push → feedback → minor update (W ← W + η (W̃ − W) if W̃'s items won) → major update (replay of r_click + β r_active)
Differs  time constants are settings; one comparison a minor period, judged by clicks; r_active is S just after the return; a step towards W̃, where the paper prints W + ηW̃; no features of pages and hours beyond those of the visit.
Symbols  W net · W̃ explorer · α alpha · η eta · β beta · S(t) activeness of a user · k places
"""

from __future__ import annotations

import copy

import numpy as np
import torch

from rec_lib.data.news import Visit
from rec_lib.layers.dueling import perturbed, towards
from rec_lib.layers.interleaving import best, interleave
from rec_lib.layers.survival import HAZARD, START, after_return, survival
from rec_lib.models.deep_q import DeepQ, _tensors
from rec_lib.models.policy import Clock


class DRN(DeepQ):
    """DeepQ with activeness in the reward, lists interleaved with those of a perturbed copy, and minor updates.

    Args:
        alpha: size of the perturbation, relative to each weight.
        eta: share of the way to the winner.
        beta: what activeness counts beside a click.
        minor: time between two comparisons; where both clocks strike, the comparison is settled first.
        rng: draws the lists. Weights, replay and perturbations come from torch's generator.

    The other settings are DeepQ's; visits are in hours, the unit of the survival curve.

    Raises:
        ValueError: negative α or β, an η outside [0, 1], or what DeepQ refuses.
    """

    def __init__(
        self,
        n_state: int,
        n_news: int,
        k: int = 5,
        hidden: tuple[int, ...] = (32,),
        gamma: float = 0.4,
        double: bool = True,
        lr: float = 0.003,
        steps: int = 30,
        batch: int = 32,
        memory: int = 2000,
        major: float = 24.0,
        alpha: float = 0.1,
        eta: float = 0.05,
        beta: float = 0.05,
        minor: float = 12.0,
        *,
        rng: np.random.Generator,
    ):
        super().__init__(n_state, n_news, k, hidden, gamma, double, lr, steps, batch, memory, major)
        if min(alpha, beta) < 0 or not 0 <= eta <= 1:
            raise ValueError(f"alpha={alpha}, beta={beta}, eta={eta}; expected alpha, beta ≥ 0 and eta in [0, 1]")
        self.alpha, self.eta, self.beta, self.rng = alpha, eta, beta, rng
        self.activeness: dict[int, tuple[float, float]] = {}  # user → S after the last return, and when that was
        self.explorer = copy.deepcopy(self.net)
        self._minor = Clock(minor)
        self._judged: tuple[Visit, np.ndarray, np.ndarray] | None = None  # the list that waits for its clicks
        self.explore()

    @torch.no_grad()
    def explore(self) -> None:
        """A new W̃ around W, and a new count."""
        for W_tilde, W in zip(self.explorer.parameters(), self.net.parameters(), strict=True):
            W_tilde.copy_(perturbed(W, 2 * torch.rand_like(W) - 1, self.alpha))
        self.won = 0  # clicks on W̃'s items, less those on W's

    def _choose(self, visit: Visit) -> np.ndarray:
        n = len(visit.news)
        with torch.no_grad():
            Q_tilde = self.explorer(*_tensors(visit.state[None], visit.news[None]))[0].numpy()
        shown, by_tilde = interleave(best(self.score(visit), n), best(Q_tilde, n), self.k, self.rng)
        self._judged = visit, shown, by_tilde
        return shown

    def _extra(self, visit: Visit) -> float:
        return self.beta * self.activeness[visit.user][0]  # β r_active

    def _learn(self, visit: Visit, shown: np.ndarray, clicks: np.ndarray) -> None:
        S, since = self.activeness.get(visit.user, (START, visit.time))
        self.activeness[visit.user] = after_return(survival(S, HAZARD, visit.time - since)), visit.time
        if self._judged and self._judged[0] is visit and np.array_equal(self._judged[1], shown):
            by_tilde = self._judged[2]
            self.won += int(clicks[by_tilde].sum()) - int(clicks[~by_tilde].sum())
        if settle := self._minor.strikes(visit.time):
            self.minor_update()
        super()._learn(visit, shown, clicks)
        if settle:
            self.explore()

    @torch.no_grad()
    def minor_update(self) -> None:
        """A step towards W̃ if its items were clicked more."""
        if self.won > 0:
            for W, W_tilde in zip(self.net.parameters(), self.explorer.parameters(), strict=True):
                W.copy_(towards(W, W_tilde, self.eta))
