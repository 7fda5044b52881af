"""The formulas of 3.10 hold their code: the real functions agree, and code with one slip does not."""

import pytest
import torch

from rec_lib.derive import Disagreement, drn
from rec_lib.layers.dueling import towards
from rec_lib.layers.q_learning import DuelingQ, double_target
from rec_lib.layers.survival import survival


def discounted(r, gamma):
    total = 0.0
    for reward in r.flip(0):
        total = reward + gamma * total
    return total


def largest_of_two(Q, d):
    return sum(torch.maximum(Q + a * d, Q + b * d) for a in (1, -1) for b in (1, -1)) / 4


def centred(V, A, c):
    return (V + c) + (A - c)[0] - (A - c).mean()


def area(S_0, hazard):
    return S_0 * torch.distributions.Exponential(hazard).mean


def as_printed(W, u, alpha, eta):
    return W + eta * (W + alpha * u * W)


PAIRS = [
    (drn.bellman, discounted),
    (drn.double_target, double_target),
    (drn.overestimate, largest_of_two),
    (drn.q_network, DuelingQ),
    (drn.identify, centred),
    (drn.activeness, survival),
    (drn.lifetime, area),
    (drn.duel, towards),
    (drn.printed, as_printed),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


class ValueTwice(DuelingQ):
    def forward(self, state, news):
        return super().forward(state, news) + self.value(state)


def chosen_by_the_target(reward, gamma, q, q_target):
    return double_target(reward, gamma, q_target, q_target)


def judged_by_the_net(reward, gamma, q, q_target):
    return double_target(reward, gamma, q, q)


def replaced(W, W_tilde, eta):
    return W_tilde


@pytest.mark.parametrize(
    ("derivation", "code", "said"),
    [
        (drn.q_network, ValueTwice, "value is there 2.00"),
        (drn.double_target, chosen_by_the_target, "does not agree"),
        (drn.double_target, judged_by_the_net, "does not agree"),
        (drn.activeness, lambda start, hazard, hours: start * (1 - hazard * hours), "does not agree"),
        (drn.duel, replaced, "does not agree"),
        (drn.bellman, lambda r, gamma: r.sum() * gamma, "does not agree"),
    ],
)
def test_a_slip_is_seen(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
