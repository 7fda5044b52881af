"""Exercises of 3.3, the part of chapter 3 on Deep Crossing."""

from __future__ import annotations

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


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("r1", "r2", "r3")})


def _unit_numbers(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    width, hidden = size + 1, size
    return (
        numbers(rng, 2, width), numbers(rng, hidden, width), numbers(rng, hidden), numbers(rng, width, hidden), numbers(rng, width),
    )  # fmt: skip


def _unit(x: Tensor, W0: Tensor, b0: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    return torch.relu(x + torch.relu(x @ W0.T + b0) @ W1.T + b1)


def _nothing_to_change(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    x = torch.tensor([[1.0, -2.0, 3.0]])
    zeros = torch.zeros(2, 3), torch.zeros(2), torch.zeros(3, 2), torch.zeros(3)
    got, wanted = function(x, *zeros), torch.tensor([[1.0, 0.0, 3.0]])
    if got.shape == wanted.shape and torch.allclose(got, wanted):
        return None
    return f"with weights of 0 there is nothing to change: of (1, −2, 3) the unit passes on (1, 0, 3); got {show(got)}"


def _can_take_away(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    x = torch.tensor([[4.0, 0.5]])
    got = function(x, torch.zeros(1, 2), torch.ones(1), torch.tensor([[-3.0], [0.0]]), torch.zeros(2))
    wanted = torch.tensor([[1.0, 0.5]])
    if got.shape == wanted.shape and torch.allclose(got, wanted):
        return None
    return f"a unit can make a number smaller: here its layers say −3 and 0, so of (4, 0.5) remains (1, 0.5); got {show(got)}"


def _bags(rng: Rng, size: int) -> tuple[Tensor, int]:
    ids = torch.tensor(rng.integers(1, size + 2, (3, size + 1)))
    keep = torch.arange(size + 1) < torch.tensor(rng.integers(0, size + 2, (3, 1)))
    return torch.where(keep, ids, 0), size + 1


def _shares(ids: Tensor, n: int) -> Tensor:
    counts = functional.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)


def _longer(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    ids = torch.tensor([[2, 1, 0]])
    short, longer = function(ids, 3), function(functional.pad(ids, (0, 4)), 3)
    if short.shape == longer.shape and torch.allclose(short, longer, atol=1e-6):
        return None
    return f"the same two genres with more padding must give the same shares; got {show(short)}, then {show(longer)}"


def _empty(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(torch.zeros(1, 3, dtype=torch.long), 2)
    if got.shape == (1, 2) and not got.any():
        return None
    return f"a film without a genre has two shares of 0; got {show(got)}"


DEEP_CROSSING = (
    Exercise(
        id="3.3-residual-unit",
        kind="code",
        title="Write the residual unit",
        stub='''
def unit(x, W0, b0, W1, b1):
    """Two layers say what to change; the input is added; then the last ReLU.

    x: (B, X)      W0: (H, X), b0: (H,)      W1: (X, H), b1: (X,)      returns (B, X)
    """
    return NOT_YET
''',
        solution="""
def unit(x, W0, b0, W1, b1):
    change = torch.relu(x @ W0.T + b0) @ W1.T + b1
    return torch.relu(x + change)
""",
        hints=(
            "How many ReLUs does a unit have, and what stands inside each of them? Look at eq. 4 once more.",
            "The first ReLU follows W0 and b0. W1 and b1 follow it without one of their own.",
            "change = torch.relu(x @ W0.T + b0) @ W1.T + b1. The input is added before the last ReLU.",
        ),
        judge=code_judge(
            "unit",
            _unit,
            _unit_numbers,
            properties=(
                Property("nothing to change", _nothing_to_change),
                Property("takes away", _can_take_away),
                differentiable("x", 0, _unit),
            ),
        ),
        wrong=(
            Wrong(
                "def unit(x, W0, b0, W1, b1):\n    return torch.relu(torch.relu(x @ W0.T + b0) @ W1.T + b1)",
                "nothing to change",
            ),
            Wrong(
                "def unit(x, W0, b0, W1, b1):\n    return x + torch.relu(torch.relu(x @ W0.T + b0) @ W1.T + b1)",
                "nothing to change",
            ),
            Wrong(
                "def unit(x, W0, b0, W1, b1):\n    return torch.relu(x + torch.relu(torch.relu(x @ W0.T + b0) @ W1.T + b1))",
                "can make a number smaller",
            ),
            Wrong(
                "def unit(x, W0, b0, W1, b1):\n    return x + torch.relu(x @ W0.T + b0) @ W1.T + b1",
                "nothing to change",
            ),
            Wrong("def unit(x, W0, b0, W1, b1):\n    return torch.relu(x + torch.relu(x @ W0.T + b0))", "raised"),
            Wrong(
                "def unit(x, W0, b0, W1, b1):\n    change = torch.relu(x @ W0.T + b0) @ W1.T + b1\n    return torch.relu(x.detach() + change)",
                "gradient",
            ),
        ),
    ),
    Exercise(
        id="3.3-paths",
        kind="symbolic",
        title="How much of a change gets through two units, and how much around them?",
        stub="""
# Three units of one number, all ReLUs open, with slopes r1, r2, r3. Unit 2 has lost its shortcut; the other two have theirs.
# Give the slope of the output in the input.
r1, r2, r3 = sympy.symbols("r1 r2 r3")
slope = NOT_YET
""",
        solution="""
r1, r2, r3 = sympy.symbols("r1 r2 r3")
slope = (1 + r1) * r2 * (1 + r3)
""",
        hints=(
            "What is the slope of one unit with the shortcut, x + F(x)? And of one without it?",
            "The slopes of a chain multiply.",
            "(1 + r1), then r2, then (1 + r3).",
        ),
        judge=symbolic_judge(
            lambda: _symbols("(1 + r1)*r2*(1 + r3)"), {"r1": (-0.9, 2), "r2": (0.1, 2), "r3": (-0.9, 2)}
        ),
        wrong=(
            Wrong('r1, r2, r3 = sympy.symbols("r1 r2 r3")\nslope = r1 * r2 * r3', "expected"),
            Wrong('r1, r2, r3 = sympy.symbols("r1 r2 r3")\nslope = (1 + r1) * (1 + r2) * (1 + r3)', "expected"),
            Wrong('r1, r2, r3 = sympy.symbols("r1 r2 r3")\nslope = (1 + r1) + r2 + (1 + r3)', "expected"),
            Wrong('r1, r2 = sympy.symbols("r1 r2")\nslope = (1 + r1) * r2', "expected"),
        ),
    ),
    Exercise(
        id="3.3-shares",
        kind="bug",
        title="Find the silent bug: the same film scores differently since somebody made room for longer lists of genres",
        stub='''
def shares(ids, n):
    """A small bag as it is stacked: the share of each value 1 … n in the bag; an empty bag has none.

    ids: (B, T) int64, padded with 0      returns (B, n)
    """
    counts = F.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()
    return counts / ids.shape[1]
''',
        solution="""
def shares(ids, n):
    counts = F.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
""",
        hints=(
            "Call it with [[2, 1]] and with [[2, 1, 0, 0]]. Which of the two answers adds up to 1?",
            "ids.shape[1] counts places in the list. What should be counted?",
            "Divide by the number of real values in each row: counts.sum(dim=1, keepdim=True). And what happens to a row that has none?",
        ),
        judge=code_judge(
            "shares", _shares, _bags, properties=(Property("padding", _longer), Property("empty bag", _empty))
        ),
        wrong=(
            Wrong(
                "def shares(ids, n):\n    counts = F.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()\n    return counts / counts.sum(dim=1, keepdim=True)",
                "without a genre",
            ),
            Wrong(
                "def shares(ids, n):\n    counts = F.one_hot(ids, n + 1).sum(dim=1).float()\n    return (counts / counts.sum(dim=1, keepdim=True))[:, 1:]",
                "more padding",
            ),
            Wrong(
                "def shares(ids, n):\n    counts = F.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()\n    return counts / (ids != 0).sum().clamp(min=1)",
                "value",
            ),
            Wrong("def shares(ids, n):\n    return F.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()", "value"),
        ),
    ),
    Exercise(
        id="3.3-fading",
        kind="numeric",
        title="Experiment: by how much does one plain layer shrink what passes?",
        stub="""
# A plain layer is relu(W x), with W of 200 × 200 numbers drawn evenly from ±1/√200, as PyTorch draws them; no bias.
# Send one vector through twenty such layers. By what factor does its root mean square change in ONE layer, on average?
rng = np.random.default_rng(0)
factor = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
ends = []
for _ in range(50):
    x = np.abs(rng.normal(size=200))
    start = np.sqrt(np.mean(x**2))
    for _ in range(20):
        x = np.maximum(0, rng.uniform(-1, 1, (200, 200)) / np.sqrt(200) @ x)
    ends.append(np.sqrt(np.mean(x**2)) / start)
factor = np.mean(np.log(ends))
factor = np.exp(factor / 20)
""",
        hints=(
            "Measure the root mean square before the first layer and after the last; the factor of one layer is the 20th root of their ratio.",
            "On paper: the variance of a number drawn evenly from ±a is a²/3. Add up 200 of them.",
            "W x has a third of the mean square of x, and the ReLU keeps half of that. A mean square shrinks to 1/6, so a root mean square to …",
        ),
        judge=numeric_judge(
            6**-0.5,
            0.03,
            "the root of 1/6: a third is left after W, and half of that after the ReLU",
            traps=(
                (1 / 6, "This is the factor of the mean square. The root mean square shrinks by its root."),
                (3**-0.5, "This is the layer without its ReLU."),
                (6**-10, "This is what twenty layers leave together. The question is about one."),
                (1.0, "This is a layer that starts as He et al. do: its weights are larger, so that nothing shrinks."),
            ),
        ),
        wrong=(
            Wrong("factor = 1 / 6", "shrinks by its root"),
            Wrong("factor = (1 / 3) ** 0.5", "without its ReLU"),
            Wrong("factor = 6.0**-10", "twenty layers"),
            Wrong("factor = 1.0", "as He et al. do"),
        ),
    ),
)
