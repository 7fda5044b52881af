"""Exercises of 3.9, the part of chapter 3 on DIEN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor
from torch.nn import functional

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.laws import differentiable
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _step_numbers(rng: Rng, size: int) -> tuple[Tensor, ...]:
    D, H = size, size + 1
    return numbers(rng, 2, D), numbers(rng, 2, H), numbers(rng, D, 3 * H), numbers(rng, H, 3 * H), numbers(rng, 3 * H)


def _step(i: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    x_u, x_r, x_h = (i @ W + b).chunk(3, dim=1)
    s_u, s_r, s_h = (h @ U).chunk(3, dim=1)
    u, r = torch.sigmoid(x_u + s_u), torch.sigmoid(x_r + s_r)
    return (1 - u) * h + u * torch.tanh(x_h + r * s_h)


def _gate_at(bias: tuple[float, float, float]) -> tuple[Tensor, ...]:
    """One number each: no weight but the candidate's, biases for u, r and h̃."""
    W, U = torch.zeros(1, 3), torch.zeros(1, 3)
    U[0, 2] = 1.0
    return torch.tensor([[0.5]]), torch.tensor([[0.8]]), W, U, torch.tensor(bias)


def _shut_gate_keeps(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(*_gate_at((-50.0, 0.0, 0.0)))
    if got.shape == (1, 1) and abs(float(got) - 0.8) < 1e-4:
        return None
    return f"with b of u at −50 the gate is shut (u = 0), so the old state 0.8 stays; got {show(got)}"


def _bias_outside(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(*_gate_at((50.0, -50.0, 0.6)))
    if got.shape == (1, 1) and abs(float(got) - math.tanh(0.6)) < 1e-4:
        return None
    return (
        "with u = 1 and r = 0 the proposal sees no old state, but it still has its bias: tanh(0.6) = 0.537; "
        f"got {show(got)}"
    )


def _loss_numbers(rng: Rng, size: int) -> tuple[Tensor, ...]:
    T, B = size + 2, size + 1
    real = torch.arange(T).unsqueeze(1) < torch.from_numpy(rng.integers(2, T + 1, B))
    real[:, 0] = torch.arange(T) < 2
    return numbers(rng, T, B, 2), numbers(rng, T, B, 2), numbers(rng, T, B, 2), real


def _auxiliary(h: Tensor, e: Tensor, e_hat: Tensor, real: Tensor) -> Tensor:
    clicked, drawn = (h[:-1] * e[1:]).sum(dim=2), (h[:-1] * e_hat[1:]).sum(dim=2)
    losses = functional.softplus(-clicked) + functional.softplus(drawn)
    return losses[real[1:]].mean()


def _padding_does_not_count(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    h, e, e_hat, real = args
    padded = [torch.cat([x, x.new_full((2, *x.shape[1:]), 2.0)]) for x in (h, e, e_hat)]
    longer = function(*padded, torch.cat([real, torch.zeros_like(real[:2])]))
    short = function(h, e, e_hat, real)
    if longer.shape == () and short.shape == () and abs(float(longer) - float(short)) < 1e-5:
        return None
    return f"two more places of padding changed the loss from {show(short)} to {show(longer)}"


def _asks_for_the_next(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    h = torch.tensor([[[9.0]], [[0.0]]])
    e = torch.tensor([[[-1.0]], [[1.0]]])
    got = function(h, e, torch.zeros(2, 1, 1), torch.ones(2, 1, dtype=torch.bool))
    if got.shape == () and abs(float(got) - math.log(2)) < 1e-3:
        return None
    return (
        "h_1 = 9 fits the second behaviour, e = 1, perfectly and the negative 0 not at all: log(1 + e^−9) + log 2 = 0.693; "
        f"got {show(got)}"
    )


def _share() -> sympy.Expr:
    a1, a2, a3, u1, u2, u3 = sympy.symbols("a1 a2 a3 u1 u2 u3")
    return a1 * u1 * (1 - a2 * u2) * (1 - a3 * u3)


DIEN = (
    Exercise(
        id="3.9-gru-step",
        kind="code",
        title="Write one step of the GRU, in the paper's convention",
        stub='''
def gru_step(i, h, W, U, b):
    """One step for B rows. Gates stand side by side in the last axis of W, U and b: u, then r, then the proposal h̃.

    i: (B, D) input      h: (B, H) state before      W: (D, 3·H)      U: (H, 3·H)      b: (3·H,)      returns (B, H)
    """
    return NOT_YET
''',
        solution="""
def gru_step(i, h, W, U, b):
    x_u, x_r, x_h = (i @ W + b).chunk(3, dim=1)
    s_u, s_r, s_h = (h @ U).chunk(3, dim=1)
    u, r = torch.sigmoid(x_u + s_u), torch.sigmoid(x_r + s_r)
    new = torch.tanh(x_h + r * s_h)
    return (1 - u) * h + u * new
""",
        hints=(
            "Three parts of i W + b and three of h U, H numbers each: .chunk(3, dim=1) cuts them.",
            "u and r are sigmoids of a sum of two parts. In the proposal r multiplies the state's part alone, not the bias.",
            "h̃ = tanh(x_h + r · s_h), and the new state is (1 − u) · h + u · h̃: here u lets the new in.",
        ),
        judge=code_judge(
            "gru_step",
            _step,
            _step_numbers,
            properties=(
                Property("a shut gate keeps", _shut_gate_keeps),
                Property("the bias stands outside", _bias_outside),
                differentiable("U", 3, _step),
            ),
        ),
        wrong=(
            Wrong(
                "def gru_step(i, h, W, U, b):\n    x_u, x_r, x_h = (i @ W + b).chunk(3, dim=1)\n    s_u, s_r, s_h = (h @ U).chunk(3, dim=1)\n"
                "    u, r = torch.sigmoid(x_u + s_u), torch.sigmoid(x_r + s_r)\n    return u * h + (1 - u) * torch.tanh(x_h + r * s_h)",
                "a shut gate keeps",
            ),
            Wrong(
                "def gru_step(i, h, W, U, b):\n    x_u, x_r, x_h = (i @ W).chunk(3, dim=1)\n    s_u, s_r, s_h = (h @ U + b).chunk(3, dim=1)\n"
                "    u, r = torch.sigmoid(x_u + s_u), torch.sigmoid(x_r + s_r)\n    return (1 - u) * h + u * torch.tanh(x_h + r * s_h)",
                "the bias stands outside",
            ),
            Wrong(
                "def gru_step(i, h, W, U, b):\n    x_u, x_r, x_h = (i @ W + b).chunk(3, dim=1)\n    s_u, s_r, s_h = (h @ U).chunk(3, dim=1)\n"
                "    u = torch.sigmoid(x_u + s_u)\n    return (1 - u) * h + u * torch.tanh(x_h + s_h)",
                "the bias stands outside",
            ),
            Wrong(
                "def gru_step(i, h, W, U, b):\n    x_u, x_r, x_h = (i @ W + b).chunk(3, dim=1)\n    s_u, s_r, s_h = (h.detach() @ U.detach()).chunk(3, dim=1)\n"
                "    u, r = torch.sigmoid(x_u + s_u), torch.sigmoid(x_r + s_r)\n    return (1 - u) * h + u * torch.tanh(x_h + r * s_h)",
                "no gradient reaches U",
            ),
            Wrong("def gru_step(i, h, W, U, b):\n    return torch.sigmoid(i @ W + h @ U + b)", "shape"),
        ),
    ),
    Exercise(
        id="3.9-share",
        kind="symbolic",
        title="How much of the first behaviour is left after the third?",
        stub="""
# AUGRU, one number a state: h' = (1 - a u) h + a u h~. Three steps with attention a1, a2, a3 and gates u1, u2, u3, from h = 0.
# The last state is a sum of the three proposals h~, each with a share. Give the share of the first.
a1, a2, a3, u1, u2, u3 = sympy.symbols("a1 a2 a3 u1 u2 u3")
share = NOT_YET
""",
        solution="""
a1, a2, a3, u1, u2, u3 = sympy.symbols("a1 a2 a3 u1 u2 u3")
share = a1 * u1 * (1 - a2 * u2) * (1 - a3 * u3)
""",
        hints=(
            "After the first step the state is a1·u1 times the first proposal. What does the second step do to what is there?",
            "Each later step multiplies what is there by 1 − a u.",
            "a1·u1, then two such factors. If a2 = a3 = 0, all of a1·u1 is left.",
        ),
        judge=symbolic_judge(_share, {name: (0.0, 1.0) for name in ("a1", "a2", "a3", "u1", "u2", "u3")}),
        wrong=(
            Wrong('a1, u1 = sympy.symbols("a1 u1")\nshare = a1 * u1', "expected"),
            Wrong('a1, u1, u2, u3 = sympy.symbols("a1 u1 u2 u3")\nshare = a1 * u1 * (1 - u2) * (1 - u3)', "expected"),
            Wrong(
                'a1, a2, a3, u1, u2, u3 = sympy.symbols("a1 a2 a3 u1 u2 u3")\nshare = a1 * u1 * (1 - a2 * u2 - a3 * u3)',
                "expected",
            ),
            Wrong(
                'a1, a2, a3, u1, u2, u3 = sympy.symbols("a1 a2 a3 u1 u2 u3")\nshare = a1 * u1 * a2 * u2 * a3 * u3',
                "expected",
            ),
        ),
    ),
    Exercise(
        id="3.9-padding",
        kind="bug",
        title="Find the silent bug: this auxiliary loss falls fast, the faster the more short histories there are",
        stub='''
def auxiliary_loss(h, e, e_hat, real):
    """Mean over all steps of -log σ(h_t · e[t+1]) - log(1 - σ(h_t · e_hat[t+1])).

    h, e, e_hat: (T, B, D) states, behaviours, negatives      real: (T, B) bool, False at padding      returns a scalar
    """
    clicked = (h[:-1] * e[1:]).sum(dim=2)
    drawn = (h[:-1] * e_hat[1:]).sum(dim=2)
    losses = F.softplus(-clicked) + F.softplus(drawn)
    return (losses * real[:-1]).sum() / losses.numel()
''',
        solution="""
def auxiliary_loss(h, e, e_hat, real):
    clicked = (h[:-1] * e[1:]).sum(dim=2)
    drawn = (h[:-1] * e_hat[1:]).sum(dim=2)
    losses = F.softplus(-clicked) + F.softplus(drawn)
    return (losses * real[1:]).sum() / real[1:].sum()
""",
        hints=(
            "There are two faults, and both are about padding. Append two places of padding to every history: what changes?",
            "Step t asks for behaviour t + 1. So which of the two has to be real? And how many steps are there to average over?",
            "The mask is real[1:], and the mean divides by real[1:].sum().",
        ),
        judge=code_judge(
            "auxiliary_loss",
            _auxiliary,
            _loss_numbers,
            properties=(
                Property("padding does not count", _padding_does_not_count),
                Property("asks for the next", _asks_for_the_next),
                differentiable("h", 0, _auxiliary),
            ),
        ),
        wrong=(
            Wrong(
                "def auxiliary_loss(h, e, e_hat, real):\n    clicked, drawn = (h[:-1] * e[1:]).sum(dim=2), (h[:-1] * e_hat[1:]).sum(dim=2)\n"
                "    losses = F.softplus(-clicked) + F.softplus(drawn)\n    return (losses * real[1:]).sum() / losses.numel()",
                "padding does not count",
            ),
            Wrong(
                "def auxiliary_loss(h, e, e_hat, real):\n    clicked, drawn = (h[:-1] * e[1:]).sum(dim=2), (h[:-1] * e_hat[1:]).sum(dim=2)\n"
                "    losses = F.softplus(-clicked) + F.softplus(drawn)\n    return losses[real[:-1]].mean()",
                "value",
            ),
            Wrong(
                "def auxiliary_loss(h, e, e_hat, real):\n    clicked, drawn = (h * e).sum(dim=2), (h * e_hat).sum(dim=2)\n"
                "    losses = F.softplus(-clicked) + F.softplus(drawn)\n    return losses[real].mean()",
                "asks for the next",
            ),
            Wrong(
                "def auxiliary_loss(h, e, e_hat, real):\n    clicked, drawn = (h[:-1] * e[1:]).sum(dim=2), (h[:-1] * e_hat[1:]).sum(dim=2)\n"
                "    losses = F.softplus(-clicked) + F.softplus(drawn)\n    return losses * real[1:]",
                "expected one number",
            ),
            Wrong(
                "def auxiliary_loss(h, e, e_hat, real):\n    clicked, drawn = (h[:-1] * e[1:]).sum(dim=2), (h[:-1] * e_hat[1:]).sum(dim=2)\n"
                "    return (F.softplus(-clicked) + F.softplus(drawn)).mean()",
                "padding does not count",
            ),
        ),
    ),
    Exercise(
        id="3.9-first-loss",
        kind="numeric",
        title="The auxiliary loss before the first step",
        stub="""
# A DIEN whose vectors start with a standard deviation of 0.05: all products h · e are near 0. What does the auxiliary loss
# print before the first step, a mean over the steps? (Try it with the model above, or work it out.)
first = NOT_YET
""",
        solution="first = 2 * math.log(2)",
        hints=(
            "σ(0) = 1/2: the model has no idea. There are two questions at every step.",
            "−log(1/2) for what came next, and −log(1 − 1/2) for what was drawn.",
            "2 · ln 2. A loss that starts elsewhere, or that does not sink below this number, has a fault.",
        ),
        judge=numeric_judge(
            2 * math.log(2),
            0.02,
            "−log σ(0) − log(1 − σ(0)) = 2 · ln 2",
            "nats a step",
            traps=(
                (math.log(2), "There are two log losses a step: one for what came next, one for what was drawn."),
                (0.0, "At products of 0 the model says one half to both questions, and one half is not certain."),
                (1.0, "One half each, but in log losses: −log(1/2) is 0.693."),
            ),
        ),
        wrong=(
            Wrong("first = math.log(2)", "two log losses a step"),
            Wrong("first = 0.0", "one half"),
            Wrong("first = 1.0", "log losses"),
            Wrong("first = 'high'", "type"),
        ),
    ),
)
