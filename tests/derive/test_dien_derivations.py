"""The formulas of 3.9 hold their code: the real functions agree, and one with a slip does not."""

import pytest
import torch

from rec_lib.derive import Disagreement, dien
from rec_lib.layers.gru import gru_step
from rec_lib.models import DIEN
from rec_lib.models.dien import next_behaviour_loss

PAIRS = [
    (dien.gru, gru_step),
    (dien.convention, gru_step),
    (dien.augru, gru_step),
    (dien.agru, gru_step),
    (dien.memory, gru_step),
    (dien.head, DIEN),
    (dien.auxiliary, next_behaviour_loss),
    (dien.teaches, next_behaviour_loss),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def test_sigma_prints_as_one_symbol_and_is_a_number_where_its_argument_is_one():
    assert float(dien.sigma(0)) == 0.5
    assert "sigma" in dien.sigma(dien.D)._repr_latex_()


def turned_round(x_gates, x_new, h, U_gates, U_new, a):
    moved = gru_step(x_gates, x_new, h, U_gates, U_new, a)
    u = torch.sigmoid(x_gates + h @ U_gates)[:, : h.shape[1]]
    return h + (moved - h) * (1 - u) / u


def resets_the_bias(x_gates, x_new, h, U_gates, U_new, a):
    """h̃ = tanh(r (W i + U h + b))."""
    *u, r = torch.sigmoid(torch.addmm(x_gates, h, U_gates)).split(h.shape[1], dim=1)
    return torch.lerp(h, torch.tanh(r * (x_new + h @ U_new)), a * u[0] if u else a)


def scales_the_proposal(x_gates, x_new, h, U_gates, U_new, a):
    """(1 − u) h + a u h̃: with a = 0 the state fades in place of staying."""
    *u, r = torch.sigmoid(torch.addmm(x_gates, h, U_gates)).split(h.shape[1], dim=1)
    new = torch.tanh(torch.addcmul(x_new, r, h @ U_new))
    return (1 - u[0]) * h + a * u[0] * new


def detached_state(x_gates, x_new, h, U_gates, U_new, a):
    """The gradient stops at every step."""
    return gru_step(x_gates, x_new, h.detach(), U_gates, U_new, a) + 0 * h


class UniformAttention(DIEN):
    def attention(self, h, mask, e_a):
        return mask / mask.sum(0)


class AttentionOverPadding(DIEN):
    def attention(self, h, mask, e_a):
        return super().attention(h, torch.ones_like(mask), e_a)


class HalfTheCandidate(DIEN):
    def attention(self, h, mask, e_a):
        return super().attention(h, mask, e_a * 0.5)


def clicked_twice(h, e, e_hat, mask):
    return next_behaviour_loss(h, e, e, mask)


def states_are_constants(h, e, e_hat, mask):
    return next_behaviour_loss(h.detach(), e, e_hat, mask) + 0 * h.sum()


SLIPS = [
    (dien.gru, turned_round, "value"),
    (dien.gru, resets_the_bias, "value"),
    (dien.gru, detached_state, "value: agrees"),
    (dien.convention, turned_round, "value"),
    (dien.augru, scales_the_proposal, "value"),
    (dien.agru, resets_the_bias, "value"),
    (dien.memory, scales_the_proposal, "value"),
    (dien.head, UniformAttention, "value"),
    (dien.head, AttentionOverPadding, "value"),
    (dien.head, HalfTheCandidate, "value"),
    (dien.auxiliary, clicked_twice, "value"),
    (dien.auxiliary, states_are_constants, "value: agrees"),
    (dien.teaches, clicked_twice, "value"),
]


@pytest.mark.parametrize(("derivation", "code", "message"), SLIPS)
def test_a_slip_is_refused(derivation, code, message):
    with pytest.raises(Disagreement, match=message):
        derivation.agrees_with(code)
