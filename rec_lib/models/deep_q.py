"""Deep Q-network: learns how many clicks showing an item brings, now and at the visits to come.

Paper    van Hasselt, Guez, Silver, "Deep RL with double Q-learning", AAAI 2016 (double target); Wang et al., ICML 2016 (dueling heads); the learner inside Zheng et al., "DRN", WWW 2018, section 4.3.
Section  3.10.2 深度强化学习推荐模型
Idea     Q(s, a) = V(s) + A(s, a);  y = r + γ Q(s', argmax_a Q(s', a; W); W');  the k largest Q are shown
Differs  each shown item is an action of its own with the click on it as reward, and shares its list's next state; W' is copied from W at every major update; squared error, Adam.
Symbols  S numbers of a state · A of a candidate · N candidates · k places · B visits in a minibatch · W net, W' target
"""

from __future__ import annotations

import copy
from collections import deque

import numpy as np
import torch
from torch import Tensor

from rec_lib.data.news import Visit
from rec_lib.layers.interleaving import best
from rec_lib.layers.q_learning import DuelingQ, double_target
from rec_lib.models.policy import Clock, Policy


class DeepQ(Policy):
    """Greedy by Q; what was shown and clicked is kept, and replayed at major updates once its user has come back.

    Args:
        n_state, n_news: S and A.
        k: places in a list.
        hidden: widths of the hidden layers of V and of A.
        gamma: what a click at the next visit is worth today, in [0, 1).
        double: W chooses the next action and W' judges it; otherwise W' does both.
        lr, steps, batch: Adam's rate, minibatches of a major update, visits in one.
        memory: visits that are kept.
        major: time between two major updates.

    Raises:
        ValueError: a gamma outside [0, 1), a rate not above 0, sizes below 1, or what Policy and Clock refuse.
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
    ):
        super().__init__(k)
        if not 0 <= gamma < 1 or not lr > 0 or min(steps, batch, memory) < 1:
            raise ValueError(
                f"gamma={gamma}, lr={lr}, steps={steps}, batch={batch}, memory={memory}; "
                "expected 0 ≤ gamma < 1, lr > 0 and the others at least 1"
            )
        self.gamma, self.double, self.steps, self.batch = gamma, double, steps, batch
        self.net = DuelingQ(n_state, n_news, hidden)
        self.target = copy.deepcopy(self.net)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=lr, fused=True)
        self.memory: deque[tuple[np.ndarray, ...]] = deque(maxlen=memory)
        self._open: dict[int, tuple[np.ndarray, ...]] = {}  # user → the last visit, until the next one completes it
        self._major = Clock(major)

    @torch.no_grad()
    def score(self, visit: Visit) -> np.ndarray:
        return self.net(*_tensors(visit.state[None], visit.news[None]))[0].numpy()  # (N,)

    def _choose(self, visit: Visit) -> np.ndarray:
        return best(self.score(visit), self.k)

    def _learn(self, visit: Visit, shown: np.ndarray, clicks: np.ndarray) -> None:
        if visit.user in self._open:
            s, a, r = self._open[visit.user]
            self.memory.append((s, a, r + self._extra(visit), visit.state, visit.news))
        self._open[visit.user] = (visit.state, visit.news[shown], clicks.astype(float))
        if self._major.strikes(visit.time) and self.memory:
            self.major_update()

    def _extra(self, visit: Visit) -> float:
        """What the return itself adds to the reward of the list before it."""
        return 0.0

    def major_update(self) -> None:
        """Replay: minibatches from memory towards the double target, then W' is W. Visits have one number of candidates."""
        for _ in range(self.steps):
            rows = torch.randint(len(self.memory), (self.batch,)).tolist()
            columns = zip(*(self.memory[row] for row in rows), strict=True)
            s, a, r, s_next, news_next = _tensors(*(np.stack(column) for column in columns))
            self.optimizer.zero_grad()
            (self.net(s, a) - self.targets(r, s_next, news_next)).square().mean().backward()
            self.optimizer.step()
        self.target.load_state_dict(self.net.state_dict())

    @torch.no_grad()
    def targets(self, r: Tensor, s_next: Tensor, news_next: Tensor) -> Tensor:
        """(B, k) what Q of the shown items should be: rewards r (B, k), next states (B, S), next candidates (B, N, A)."""
        judged = self.target(s_next, news_next)  # (B, N)
        chosen = self.net(s_next, news_next) if self.double else judged
        return double_target(r, self.gamma, chosen, judged)  # (B, k)  y


def _tensors(*arrays: np.ndarray) -> list[Tensor]:
    return [torch.from_numpy(np.asarray(array, dtype=np.float32)) for array in arrays]
