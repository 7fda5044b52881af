"""What a Q-network is trained towards, and how one is built from a state's value and an action's advantage.

Sources  van Hasselt, Guez, Silver, "Deep RL with double Q-learning", AAAI 2016: the double target;
         Wang et al., "Dueling network architectures for deep RL", ICML 2016: value and advantage;
         Zheng et al., "DRN", WWW 2018: what each of the two sees.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.mlp import mlp


def double_target(reward: Tensor, gamma: float | Tensor, q_next: Tensor, q_next_target: Tensor) -> Tensor:
    """r + γ Q(s', argmax_a Q(s', a; W); W').

    reward (B, …) · q_next (B, N) what W says of the next candidates · q_next_target (B, N) what W' says of them
    returns (B, …): every action of one visit shares the next one
    """
    chosen = q_next.argmax(dim=-1, keepdim=True)  # (B, 1) by W
    future = q_next_target.gather(-1, chosen)  # (B, 1) judged by W'
    return reward + gamma * future.reshape(len(future), *[1] * (reward.dim() - 1))


class DuelingQ(nn.Module):
    """Q(s, a) = V(s) + A(s, a): V sees the state alone, A sees state and action.

    n_state S · n_news A · hidden: sizes of the hidden layers, the same in both parts
    """

    def __init__(self, n_state: int, n_news: int, hidden: tuple[int, ...]):
        super().__init__()
        self.value = mlp(n_state, hidden)
        self.advantage = mlp(n_state + n_news, hidden)

    def forward(self, state: Tensor, news: Tensor) -> Tensor:
        s = state.unsqueeze(-2).expand(*news.shape[:-1], -1)  # (B, N, S)
        V = self.value(state)  # (B, 1)
        A = self.advantage(torch.cat([s, news], dim=-1)).squeeze(-1)  # (B, N)
        return V + A  # (B, N)
