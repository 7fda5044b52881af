"""Exercises of 3.8.2, the part of chapter 3 on DIN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.laws import differentiable
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _history(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor]:
    mask = torch.tensor(np.arange(size + 1) < rng.integers(0, size + 2, size=(3, 1)))
    mask[0] = True
    return numbers(rng, 3, size + 1), numbers(rng, 3, size + 1, 2), mask


def _interest(a: Tensor, e: Tensor, mask: Tensor) -> Tensor:
    return ((a * mask).unsqueeze(2) * e).sum(dim=1)


def _twice_the_history(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    a, e, mask = args
    once, twice = function(a, e, mask), function(*(torch.cat([x, x], dim=1) for x in (a, e, mask)))
    if once.shape == twice.shape and bool((twice - 2 * once).abs().max() < 1e-4):
        return None
    return f"the same history twice over must give twice the interest: that is its intensity. Got {show(once)}, then {show(twice)}"


def _more_padding(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    a, e, mask = args
    longer = torch.cat([a, 5 + 0 * a], 1), torch.cat([e, 3 + 0 * e], 1), torch.cat([mask, mask & False], 1)
    short, padded = function(a, e, mask), function(*longer)
    if short.shape == padded.shape and bool((short - padded).abs().max() < 1e-4):
        return None
    return f"padding behind the history, whatever numbers stand in it, must change nothing; got {show(short)}, then {show(padded)}"


def _batch(rng: Rng, size: int) -> tuple[Tensor, Tensor, float]:
    mask = torch.tensor(np.arange(3) < rng.integers(1, 4, size=(2, 1)))
    return numbers(rng, 2, 3, size) * (1 + mask.unsqueeze(2)), mask, 0.25


def _dice(s: Tensor, mask: Tensor, alpha: float) -> Tensor:
    real = s[mask]
    z = (s - real.mean(dim=0)) / torch.sqrt(real.var(dim=0, unbiased=False) + 1e-8)
    p = torch.sigmoid(z)
    return p * s + (1 - p) * alpha * s


def _dice_padding(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    s, mask, alpha = args
    longer, longer_mask = torch.cat([s, 9 + 0 * s], dim=1), torch.cat([mask, mask & False], dim=1)
    short, padded = function(s, mask, alpha), function(longer, longer_mask, alpha)
    if padded.shape == longer.shape and bool((short - padded[:, : s.shape[1]])[mask].abs().max() < 1e-3):
        return None
    return f"padding must not move the mean and the variance: real values gave {show(short[mask])}, with padding behind them {show(padded[:, : s.shape[1]][mask])}"


def _units_apart(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    s, mask, alpha = args
    alone, beside = function(s, mask, alpha), function(torch.cat([s, 10 * s + 7], dim=2), mask, alpha)
    if beside.shape == (*s.shape[:2], 2 * s.shape[2]) and bool((alone - beside[..., : s.shape[2]]).abs().max() < 1e-3):
        return None
    return f"another unit beside it must not change what a unit gives: alone {show(alone)}, with others {show(beside[..., : s.shape[2]])}"


DIN = (
    Exercise(
        id="3.8.2-interest",
        kind="code",
        title="The interest vector of a candidate",
        stub='''
def interest(a, e, mask):
    """v_U(A) = Σ_j a_j e_j over the real items of each history. No softmax.

    a: (B, T) weights      e: (B, T, D) vectors      mask: (B, T) bool, True = real      returns (B, D)
    """
    return NOT_YET
''',
        solution="""
def interest(a, e, mask):
    return ((a * mask).unsqueeze(2) * e).sum(dim=1)
""",
        hints=(
            "A weight times its vector, then a sum over the items. Which of the three axes is that?",
            "Weights of padding must be 0 before the sum. Nothing is divided.",
            "((a * mask).unsqueeze(2) * e).sum(dim=1)",
        ),
        judge=code_judge(
            "interest",
            _interest,
            _history,
            properties=(
                Property("intensity", _twice_the_history),
                Property("padding", _more_padding),
                differentiable("a", 0, _interest),
            ),
        ),
        wrong=(
            Wrong("def interest(a, e, mask):\n    return (a.unsqueeze(2) * e).sum(dim=1)", "padding"),
            Wrong(
                "def interest(a, e, mask):\n    w = torch.softmax(a.masked_fill(~mask, -1e9), dim=1) * mask\n    return (w.unsqueeze(2) * e).sum(dim=1)",
                "intensity",
            ),
            Wrong("def interest(a, e, mask):\n    return ((a * mask).unsqueeze(2) * e).mean(dim=1)", "intensity"),
            Wrong("def interest(a, e, mask):\n    return ((a * mask).unsqueeze(2) * e).sum(dim=2)", "shape"),
        ),
    ),
    Exercise(
        id="3.8.2-share",
        kind="symbolic",
        title="What a softmax makes of a count",
        stub="""
# A history of n items, m of them like the candidate. The unit gives those the score s and the others the score 0.
# What do the m items weigh together when a softmax makes shares of the scores?
n, m, s = sympy.symbols("n m s", positive=True)
together = NOT_YET
""",
        solution="""
n, m, s = sympy.symbols("n m s", positive=True)
together = m * sympy.exp(s) / (m * sympy.exp(s) + n - m)
""",
        hints=(
            "Write the denominator first: m terms of one kind, n − m of another.",
            "exp(0) is 1, so the denominator is m·exp(s) + (n − m).",
            "m·exp(s) / (m·exp(s) + n − m). Divide both by n: only the share m/n is left. The count is gone.",
        ),
        judge=symbolic_judge(
            lambda: sympy.sympify("m*exp(s)/(m*exp(s) + n - m)", {k: sympy.Symbol(k) for k in ("n", "m", "s")}),
            {"n": (5.0, 9.0), "m": (1.0, 4.0), "s": (0.2, 2.0)},
        ),
        wrong=(
            Wrong('m, s = sympy.symbols("m s", positive=True)\ntogether = m * s', "expected"),
            Wrong('n, m = sympy.symbols("n m", positive=True)\ntogether = m / n', "expected"),
            Wrong(
                'n, m, s = sympy.symbols("n m s", positive=True)\ntogether = sympy.exp(s) / (m * sympy.exp(s) + n - m)',
                "expected",
            ),
            Wrong(
                'n, m, s = sympy.symbols("n m s", positive=True)\ntogether = m * sympy.exp(s) / (m * sympy.exp(s) + n)',
                "expected",
            ),
        ),
    ),
    Exercise(
        id="3.8.2-dice",
        kind="bug",
        title="Find the silent bug: this Dice standardises the wrong things",
        stub='''
def dice(s, mask, alpha):
    """f(s) = p s + (1 − p) α s,  p = sigmoid((s − mean) / sqrt(var + 1e-8)): mean and variance of each unit over what is real.

    s: (B, T, H) H units for each item of B histories      mask: (B, T) bool, True = real      alpha: a number
    returns (B, T, H)
    """
    mean = s.mean(dim=-1, keepdim=True)
    var = s.var(dim=-1, unbiased=False, keepdim=True)
    p = torch.sigmoid((s - mean) / torch.sqrt(var + 1e-8))
    return p * s + (1 - p) * alpha * s
''',
        solution="""
def dice(s, mask, alpha):
    real = s[mask]  # (number of real items, H)
    mean = real.mean(dim=0)
    var = real.var(dim=0, unbiased=False)
    p = torch.sigmoid((s - mean) / torch.sqrt(var + 1e-8))
    return p * s + (1 - p) * alpha * s
""",
        hints=(
            "Which values does a mean along the last axis average? Say what each axis of s is.",
            "Dice asks how large s is for this unit among all items of the batch. So the mean runs over batch and history.",
            "And over real items only: s[mask] has one row for each, then mean(dim=0).",
        ),
        judge=code_judge(
            "dice",
            _dice,
            _batch,
            properties=(Property("padding", _dice_padding), Property("units", _units_apart)),
            rtol=1e-3,
            atol=1e-4,
        ),
        wrong=(
            Wrong(
                "def dice(s, mask, alpha):\n    mean, var = s.mean(dim=(0, 1)), s.var(dim=(0, 1), unbiased=False)\n    p = torch.sigmoid((s - mean) / torch.sqrt(var + 1e-8))\n    return p * s + (1 - p) * alpha * s",
                "padding",
            ),
            Wrong(
                "def dice(s, mask, alpha):\n    mean, var = s.mean(dim=0), s.var(dim=0, unbiased=False)\n    p = torch.sigmoid((s - mean) / torch.sqrt(var + 1e-8))\n    return p * s + (1 - p) * alpha * s",
                "value",
            ),
            Wrong(
                "def dice(s, mask, alpha):\n    real = s[mask]\n    p = torch.sigmoid((s - real.mean()) / torch.sqrt(real.var(unbiased=False) + 1e-8))\n    return p * s + (1 - p) * alpha * s",
                "units",
            ),
            Wrong(
                "def dice(s, mask, alpha):\n    real = s[mask]\n    p = torch.sigmoid((s - real.mean(dim=0)) / (real.var(dim=0, unbiased=False) + 1e-8))\n    return p * s + (1 - p) * alpha * s",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.8.2-decay",
        kind="numeric",
        title="How much does an epoch take off?",
        stub="""
# Mini-batch aware regularisation with λ = 0.01 and plain gradient descent of step η = 1; no other gradient.
# Film A stands in n = 400 training samples, and 100 batches of an epoch read it (four samples each). Film B: n = 4, in 4 batches.
# A step takes η·λ/n of a vector that its batch reads. By what factor does film B shrink more than film A in one epoch?
# To first order: (number of steps) · η·λ/n.
factor = NOT_YET
""",
        solution="""
a = 100 * 0.01 / 400
b = 4 * 0.01 / 4
factor = b / a
""",
        hints=(
            "How much does one step take off A's vector, and how often does it happen?",
            "A: 100 steps of 0.01/400. B: 4 steps of 0.01/4.",
            "0.0025 and 0.01.",
        ),
        judge=numeric_judge(
            4.0,
            1e-6,
            "4 · 0.01/4 over 100 · 0.01/400",
            "times as much",
            traps=(
                (100.0, "This compares one step of each. A has 100 steps in the epoch, B 4."),
                (0.25, "The other way round: B shrinks more."),
                (1.0, "It would be 1 if each batch read one sample of A: then there were 400 steps."),
            ),
        ),
        wrong=(
            Wrong("factor = 100", "one step of each"),
            Wrong("factor = 0.25", "other way round"),
            Wrong("factor = 1.0", "400 steps"),
            Wrong("factor = 'four'", "type"),
        ),
    ),
)
