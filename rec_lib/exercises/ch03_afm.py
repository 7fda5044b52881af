"""Exercises of 3.8.1, the part of chapter 3 on AFM."""

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
from rec_lib.layers.attention import masked_softmax

Rng = np.random.Generator


def _scores_and_mask(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    mask = torch.tensor(rng.random((3, size + 1)) < 0.6)
    mask[0] = False
    mask[1] = True
    return numbers(rng, 3, size + 1), mask


def _nothing_real(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    scores = torch.tensor([[1.0, 2.0]])
    got = function(scores, torch.tensor([[False, False]]))
    if isinstance(got, Tensor) and got.shape == (1, 2) and bool((got == 0).all()):
        return None
    return f"a sample without any pair must get the shares 0 and 0, not NaN and not ½; got {show(got)}"


def _large_scores(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(torch.tensor([[200.0, 199.0]]), torch.tensor([[True, True]]))
    if (
        isinstance(got, Tensor)
        and got.shape == (1, 2)
        and bool((got - torch.tensor([[0.7310586, 0.2689414]])).abs().max() < 1e-4)
    ):
        return None
    return f"scores 200 and 199 have the shares 0.73 and 0.27, as 1 and 0 have; exp(200) is too large a number. Got {show(got)}"


def _pairs_and_weights(rng: Rng, size: int) -> tuple[Tensor, ...]:
    return numbers(rng, 2, size + 2, size), numbers(rng, 3, size), numbers(rng, 3), numbers(rng, 3), numbers(rng, size)


def _attentional_pooling(pairs: Tensor, W: Tensor, b: Tensor, h: Tensor, p: Tensor) -> Tensor:
    a = torch.softmax(torch.relu(pairs @ W.mT + b) @ h, dim=1)
    return (a.unsqueeze(2) * pairs).sum(dim=1) @ p


def _rows_alone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    pairs, *weights = args
    both, alone = function(pairs, *weights), function(pairs[:1], *weights)
    if both.shape == (2,) and alone.shape == (1,) and abs(float(both[0] - alone[0])) < 1e-4:
        return None
    return (
        f"a sample's value must not depend on who else is in the batch: with the second sample beside it {show(both[:1])}, "
        f"alone {show(alone)}"
    )


AFM = (
    Exercise(
        id="3.8.1-masked-softmax",
        kind="code",
        title="A softmax over the pairs that are there",
        stub='''
def shares(scores, mask):
    """Softmax along the last axis over the places where mask is True; the others get 0, and so do all if none is True.

    scores: (B, P) a number for each pair      mask: (B, P) bool      returns (B, P)
    """
    return NOT_YET
''',
        solution="""
def shares(scores, mask):
    low = torch.finfo(scores.dtype).min
    return torch.softmax(scores.masked_fill(~mask, low), dim=-1) * mask
""",
        hints=(
            "What must a score be, so that its share is 0? And what is the softmax of a row in which all scores are that?",
            "Fill the absent places with a very low number. −∞ gives 0/0 where nothing is there; the lowest finite number does not.",
            "scores.masked_fill(~mask, torch.finfo(scores.dtype).min), then torch.softmax, then times mask.",
        ),
        judge=code_judge(
            "shares",
            masked_softmax,
            _scores_and_mask,
            properties=(
                Property("nothing there", _nothing_real),
                Property("large scores", _large_scores),
                differentiable("scores", 0, masked_softmax),
            ),
        ),
        wrong=(
            Wrong(
                "def shares(scores, mask):\n    return torch.softmax(scores, dim=-1) * mask",
                "value",
            ),
            Wrong(
                'def shares(scores, mask):\n    return torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)',
                "nothing there",
            ),
            Wrong(
                "def shares(scores, mask):\n    return torch.softmax(scores * mask, dim=-1) * mask",
                "value",
            ),
            Wrong(
                "def shares(scores, mask):\n    e = scores.exp() * mask\n    return e / e.sum(dim=-1, keepdim=True).clamp(min=1e-12)",
                "exp(200)",
            ),
        ),
    ),
    Exercise(
        id="3.8.1-score-slope",
        kind="symbolic",
        title="What moves a score?",
        stub="""
# Two pairs. The first has the share a, the second 1 − a. They would add g1 and g2, so the sample's value is a·g1 + (1 − a)·g2.
# a = exp(s1) / (exp(s1) + exp(s2)). Give the slope of the value in the score s1, written with a, g1 and g2 alone.
a, g1, g2 = sympy.symbols("a g1 g2")
slope = NOT_YET
""",
        solution="""
a, g1, g2 = sympy.symbols("a g1 g2")
slope = a * (1 - a) * (g1 - g2)
""",
        hints=(
            "First da/ds1. It is the slope of a sigmoid: of s1 − s2.",
            "da/ds1 = a(1 − a), and the value changes by g1 − g2 for each unit of a.",
            "a(1 − a)(g1 − g2). It is 0 where both add the same, and almost 0 where a is near 0 or 1.",
        ),
        judge=symbolic_judge(
            lambda: sympy.sympify("a*(1 - a)*(g1 - g2)", {n: sympy.Symbol(n) for n in ("a", "g1", "g2")}),
            {"a": (0.05, 0.95), "g1": (-2.0, 2.0), "g2": (-2.0, 2.0)},
        ),
        wrong=(
            Wrong('a, g1 = sympy.symbols("a g1")\nslope = a * g1', "expected"),
            Wrong('a, g1 = sympy.symbols("a g1")\nslope = a * (1 - a) * g1', "expected"),
            Wrong('a, g1, g2 = sympy.symbols("a g1 g2")\nslope = a * (g1 - g2)', "expected"),
            Wrong('a, g1, g2 = sympy.symbols("a g1 g2")\nslope = a * (1 - a) * (g2 - g1)', "-1.00"),
        ),
    ),
    Exercise(
        id="3.8.1-neighbours",
        kind="bug",
        title="Find the silent bug: this AFM scores a sample by the company it keeps",
        stub='''
def attentional_pooling(pairs, W, b, h, p):
    """pᵀ Σ a_ij (v_i ⊙ v_j), with a = softmax over the pairs of hᵀ relu(W (v_i ⊙ v_j) + b).

    pairs: (B, P, D) the products v_i ⊙ v_j      W: (t, D)   b, h: (t,)   p: (D,)      returns (B,)
    """
    scores = torch.relu(pairs @ W.T + b) @ h
    a = torch.softmax(scores, dim=0)
    return (a.unsqueeze(2) * pairs).sum(dim=1) @ p
''',
        solution="""
def attentional_pooling(pairs, W, b, h, p):
    scores = torch.relu(pairs @ W.T + b) @ h
    a = torch.softmax(scores, dim=1)
    return (a.unsqueeze(2) * pairs).sum(dim=1) @ p
""",
        hints=(
            "Which axes does scores have? Over which of them must the shares add up to 1?",
            "Print a.sum(dim=0) and a.sum(dim=1) for two samples.",
            "dim=0 is the batch. The pairs of a sample stand along dim=1.",
        ),
        judge=code_judge(
            "attentional_pooling",
            _attentional_pooling,
            _pairs_and_weights,
            properties=(Property("rows alone", _rows_alone), differentiable("W", 1, _attentional_pooling)),
        ),
        wrong=(
            Wrong(
                "def attentional_pooling(pairs, W, b, h, p):\n    a = torch.relu(pairs @ W.T + b) @ h\n    return (a.unsqueeze(2) * pairs).sum(dim=1) @ p",
                "value",
            ),
            Wrong(
                "def attentional_pooling(pairs, W, b, h, p):\n    a = torch.softmax(torch.relu(pairs @ W.T + b) @ h, dim=1).detach()\n    return (a.unsqueeze(2) * pairs).sum(dim=1) @ p",
                "gradient",
            ),
            Wrong(
                "def attentional_pooling(pairs, W, b, h, p):\n    a = torch.softmax((pairs @ W.T + b) @ h, dim=1)\n    return (a.unsqueeze(2) * pairs).sum(dim=1) @ p",
                "value",
            ),
            Wrong(
                "def attentional_pooling(pairs, W, b, h, p):\n    a = torch.softmax(torch.relu(pairs @ W.T + b) @ h, dim=1)\n    return (a.unsqueeze(2) * pairs).mean(dim=1) @ p",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.8.1-cost",
        kind="numeric",
        title="What does a share cost?",
        stub="""
# One sample, F = 8 fields, vectors of k = 16 numbers, attention of t = 16 units. Multiplications of AFM's pairwise term:
#   the products v_i ⊙ v_j of all pairs; W times each product (k·t); h times the t units; each product times its share; p times the sum.
# FM's pairwise term in linear time takes F·k + k = 144. How many times as many does AFM take?
ratio = NOT_YET
""",
        solution="""
F, k, t = 8, 16, 16
P = F * (F - 1) // 2
ratio = (P * k + P * k * t + P * t + P * k + k) / (F * k + k)
""",
        hints=(
            "How many pairs do 8 fields have? Everything but the last product is done once a pair.",
            "A pair costs k for its product, k·t for W, t for h, k for its share: 16 + 256 + 16 + 16.",
            "28 · 304 + 16 = 8 528, over 144.",
        ),
        judge=numeric_judge(
            8528 / 144,
            1e-3,
            "28 · (16 + 256 + 16 + 16) + 16 multiplications over 144",
            "times as many",
            traps=(
                (121.0, "8 fields have 28 pairs. 56 counts each of them twice."),
                ((28 * 288 + 16) / 144, "This is close: multiply each product by its share, too."),
                (8528.0, "This is how many AFM takes; divide by FM's 144."),
            ),
        ),
        wrong=(
            Wrong("ratio = 8528", "divide by FM's 144"),
            Wrong("ratio = 121", "counts each of them twice"),
            Wrong("ratio = (28 * 288 + 16) / 144", "by its share"),
            Wrong("ratio = '59'", "type"),
        ),
    ),
)
