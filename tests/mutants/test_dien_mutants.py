"""Recurrent units and auxiliary losses with one slip each: torch's GRU and the loops must refuse them."""

import pytest
import torch
from oracles.gru_naive import check_auxiliary_loss, check_is_torchs_gru
from torch.nn.functional import softplus

from rec_lib.layers import GRU
from rec_lib.models.dien import next_behaviour_loss


class _Steps(GRU):
    """The GRU, one gate at a time, so that a slip fits on a line."""

    def forward(self, i, mask, a=None):
        h, states = i.new_zeros(i.shape[1], self.states), []
        for x in i:
            h = self.step(x @ self.W, h, h @ self.U, self.b)
            states.append(h)
        return torch.stack(states)

    def step(self, x, h, s, b):
        (x_u, x_r, x_h), (s_u, s_r, s_h), (b_u, b_r, b_h) = (part.chunk(3, dim=-1) for part in (x, s, b))
        u, r = self.sigmoid(x_u + s_u + b_u), self.sigmoid(x_r + s_r + b_r)
        return self.mixed(h, torch.tanh(self.new(x_h, r, s_h, b_h)), u)

    def sigmoid(self, z):
        return torch.sigmoid(z)

    def new(self, x, r, s, b):
        return x + r * s + b

    def mixed(self, h, new, u):
        return (1 - u) * h + u * new


class TiedBias(_Steps):
    """The bias of the candidate stands inside the product with r, as torch's second bias does."""

    def new(self, x, r, s, b):
        return x + r * (s + b)


class OneBiasForAllGates(_Steps):
    """All gates share the bias of the first."""

    def step(self, x, h, s, b):
        return super().step(x, h, s, b.chunk(3)[0].repeat(3))


class GateTurnedRound(_Steps):
    """u keeps where it should replace."""

    def mixed(self, h, new, u):
        return u * h + (1 - u) * new


class ResetsTheInput(_Steps):
    def new(self, x, r, s, b):
        return r * x + s + b


class NoReset(_Steps):
    def new(self, x, r, s, b):
        return x + s + b


class HardGates(_Steps):
    def sigmoid(self, z):
        return torch.nn.functional.hardsigmoid(z)


class ForgetsTheState(_Steps):
    def mixed(self, h, new, u):
        return u * new


class Backwards(GRU):
    """The last step first."""

    def forward(self, i, mask, a=None):
        return super().forward(i.flip(0), mask.flip(0), a).flip(0)


def without_mask(h, e, e_hat, mask):
    """Padding predicts padding."""
    clicked, drawn = ((h[:-1] * after[1:]).sum(2) for after in (e, e_hat))
    return (softplus(-clicked) + softplus(drawn)).mean()


def divided_by_all_places(h, e, e_hat, mask):
    return next_behaviour_loss(h, e, e_hat, mask) * mask[1:].sum() / mask[1:].numel()


def predicts_itself(h, e, e_hat, mask):
    """h_t is asked for e[t], which it has just read."""
    return next_behaviour_loss(h, e.roll(1, 0), e_hat, mask)


def mask_of_this_step(h, e, e_hat, mask):
    """The last behaviour is asked for what comes after the end."""
    clicked, drawn = ((h[:-1] * after[1:]).sum(2) for after in (e, e_hat))
    return ((softplus(-clicked) + softplus(drawn)) * mask[:-1]).sum() / mask[:-1].sum().clamp(min=1)


def clicked_and_drawn_exchanged(h, e, e_hat, mask):
    return next_behaviour_loss(h, e_hat, e, mask)


def divides_by_zero(h, e, e_hat, mask):
    clicked, drawn = ((h[:-1] * after[1:]).sum(2) for after in (e, e_hat))
    return (softplus(-clicked) + softplus(drawn))[mask[1:]].mean()


UNITS = (TiedBias, OneBiasForAllGates, GateTurnedRound, ResetsTheInput, NoReset, HardGates, ForgetsTheState, Backwards)
LOSSES = (without_mask, divided_by_all_places, predicts_itself, mask_of_this_step, clicked_and_drawn_exchanged, divides_by_zero)  # fmt: skip


def test_the_frame_of_the_mutants_passes():
    check_is_torchs_gru(_Steps)


@pytest.mark.parametrize("cls", UNITS, ids=lambda c: c.__name__)
def test_torchs_gru_refuses(cls):
    with pytest.raises(AssertionError):
        check_is_torchs_gru(cls)


@pytest.mark.parametrize("function", LOSSES, ids=lambda f: f.__name__)
def test_the_loop_refuses(function):
    with pytest.raises(AssertionError):
        check_auxiliary_loss(function)
