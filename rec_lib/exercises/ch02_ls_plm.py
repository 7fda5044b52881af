"""Exercises of 2.7, the part of chapter 2 on piece-wise linear models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from scipy.special import expit
from torch import Tensor

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("s", "p1", "p2")})


def _samples(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Three samples of `size` features; gate and regions, two or three of them."""
    m = 2 + size % 2
    return numbers(rng, 3, size), numbers(rng, size, m), numbers(rng, size, m)


def _probability(x: Tensor, u: Tensor, w: Tensor) -> Tensor:
    return (torch.softmax(x @ u, dim=1) * torch.sigmoid(x @ w)).sum(dim=1)


def _equal_regions(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    x, u, w = args
    same = w[:, :1].expand(-1, w.shape[1])
    got, wanted = function(x, u, same), torch.sigmoid(x @ w[:, 0])
    if got.shape == wanted.shape and torch.allclose(got, wanted, atol=1e-5):
        return None
    return f"where all regions say the same the gate must not matter; expected {show(wanted)}, got {show(got)}"


def _alone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    x, u, w = args
    together, alone = function(x, u, w)[:1], function(x[:1], u, w)
    if together.shape == alone.shape and torch.allclose(together, alone, atol=1e-5):
        return None
    return f"a sample's probability must not depend on the other samples; sample 0 gets {show(together)}, alone {show(alone)}"


def _weights(rng: Rng, size: int) -> tuple[np.ndarray, float]:
    theta = rng.integers(-4, 5, (size + 1, 2)) / 2
    theta[-1] = 0.0
    return theta, 0.5 + size / 2


def _shrunk(theta: np.ndarray, t: float) -> np.ndarray:
    length = np.sqrt((theta**2).sum(axis=1, keepdims=True))
    return theta * np.maximum(0, 1 - t / np.maximum(length, 1e-12))


def _own_row(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    theta = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    got = np.asarray(function(theta, 1.0), dtype=float)
    lengths = np.sqrt((got**2).sum(axis=-1))
    if got.shape == theta.shape and np.allclose(lengths, [4, 0, 0], atol=1e-6):
        return None
    return (
        f"at t = 1 features of lengths 5, 0.5 and 0 must become 4, 0 and 0 long, whatever the others are; {theta.tolist()} "
        f"got the lengths {np.round(lengths, 2).tolist()}"
    )


LS_PLM = (
    Exercise(
        id="2.7-mixture",
        kind="code",
        title="Write the paper's equation",
        stub='''
def probability(x, u, w):
    """p = Σ_i softmax(u_1ᵀx … u_mᵀx)_i σ(w_iᵀx) for each sample.

    x: (B, d) tensor of features      u, w: (d, m) tensors, one column a region      returns (B,)
    """
    return NOT_YET
''',
        solution="""
def probability(x, u, w):
    gate = torch.softmax(x @ u, dim=1)  # (B, m)
    return (gate * torch.sigmoid(x @ w)).sum(dim=1)
""",
        hints=(
            "x @ u is (B, m): a score for each sample and region. Over which axis must the gate's shares add up to 1?",
            "Gate and regions have the same shape (B, m). What is left to do with it?",
            "torch.softmax(x @ u, dim=1), times torch.sigmoid(x @ w), summed over the regions.",
        ),
        judge=code_judge(
            "probability",
            _probability,
            _samples,
            (Property("equal regions", _equal_regions), Property("samples", _alone)),
        ),
        wrong=(
            Wrong(
                "def probability(x, u, w):\n    return (torch.softmax(x @ u, dim=0) * torch.sigmoid(x @ w)).sum(dim=1)",
                "equal regions",
            ),
            Wrong(
                "def probability(x, u, w):\n    return torch.sigmoid((torch.softmax(x @ u, dim=1) * (x @ w)).sum(dim=1))",
                "value",
            ),
            Wrong("def probability(x, u, w):\n    return torch.softmax(x @ u, dim=1) * torch.sigmoid(x @ w)", "shape"),
            Wrong(
                "def probability(x, u, w):\n    return (torch.sigmoid(x @ u) * torch.sigmoid(x @ w)).sum(dim=1)",
                "equal regions",
            ),
        ),
    ),
    Exercise(
        id="2.7-no-click",
        kind="symbolic",
        title="What the gate learns when there is no click",
        stub="""
# Two regions: the gate gives region 1 the share s, the regions say p1 and p2. There was no click, so the loss is -log(1 - p).
# Give its slope in the first gate score, written with s, p1 and p2. (The text has it for a click: share minus credit.)
s, p1, p2 = sympy.symbols("s p1 p2", positive=True)
slope = NOT_YET
""",
        solution="""
s, p1, p2 = sympy.symbols("s p1 p2", positive=True)
credit = s * (1 - p1) / (s * (1 - p1) + (1 - s) * (1 - p2))
slope = s - credit
""",
        hints=(
            "1 − p is a mixture as well. Which two numbers does it mix?",
            "The rule stays: share minus credit. Credit is the region's part of 1 − p.",
            "The part of region 1 is s(1 − p1), and the whole is s(1 − p1) + (1 − s)(1 − p2).",
        ),
        judge=symbolic_judge(
            lambda: _symbols("s - s*(1 - p1)/(s*(1 - p1) + (1 - s)*(1 - p2))"),
            {"s": (0.1, 0.9), "p1": (0.05, 0.95), "p2": (0.05, 0.95)},
        ),
        wrong=(
            Wrong(
                's, p1, p2 = sympy.symbols("s p1 p2")\nslope = s - s * p1 / (s * p1 + (1 - s) * p2)',
                "expected",
            ),
            Wrong(
                's, p1, p2 = sympy.symbols("s p1 p2")\nslope = s * (1 - p1) / (s * (1 - p1) + (1 - s) * (1 - p2)) - s',
                "-1.00 ×",
            ),
            Wrong('s, p1, p2 = sympy.symbols("s p1 p2")\nslope = s * (1 - s) * (p1 - p2)', "expected"),
            Wrong('s, p = sympy.symbols("s p")\nslope = s - s * (1 - p)', "symbols: got p"),
        ),
    ),
    Exercise(
        id="2.7-wrong-axis",
        kind="bug",
        title="Find the silent bug: the penalty rises, and still no feature is ever thrown out",
        stub='''
def group_shrink(theta, t):
    """The proximal step of the L2,1 norm: each feature (row) keeps its direction and loses t of its length, down to 0.

    theta: (features, 2m) array      t: price      returns (features, 2m)
    """
    length = np.sqrt((theta**2).sum(axis=0, keepdims=True))
    return theta * np.maximum(0, 1 - t / np.maximum(length, 1e-12))
''',
        solution="""
def group_shrink(theta, t):
    length = np.sqrt((theta**2).sum(axis=1, keepdims=True))
    return theta * np.maximum(0, 1 - t / np.maximum(length, 1e-12))
""",
        hints=(
            "Print the shape of length for a theta of 5 features and 4 columns. How many lengths should there be?",
            "A group is a feature, and a feature is a row. Over which axis does one add up to get a row's length?",
            "axis=0 adds up over the features: it makes one length a column, so it shrinks regions.",
        ),
        judge=code_judge("group_shrink", _shrunk, _weights, (Property("rows", _own_row),)),
        wrong=(
            Wrong(
                "def group_shrink(theta, t):\n    length = np.sqrt((theta**2).sum())\n"
                "    return theta * np.maximum(0, 1 - t / np.maximum(length, 1e-12))",
                "must become 4, 0 and 0 long",
            ),
            Wrong(
                "def group_shrink(theta, t):\n    return np.sign(theta) * np.maximum(np.abs(theta) - t, 0)",
                "must become 4, 0 and 0 long",
            ),
            Wrong(
                "def group_shrink(theta, t):\n    length = np.sqrt((theta**2).sum(axis=1, keepdims=True))\n"
                "    return theta * (1 - t / np.maximum(length, 1e-12))",
                "must become 4, 0 and 0 long",
            ),
            Wrong(
                "def group_shrink(theta, t):\n    length = np.sqrt((theta**2).sum(axis=1, keepdims=True))\n"
                "    return theta * np.maximum(0, 1 - 1 / np.maximum(length, 1e-12))",
                "value",
            ),
            Wrong(
                "def group_shrink(theta, t):\n    length = np.sqrt((theta**2).sum(axis=1, keepdims=True))\n"
                "    with np.errstate(all='ignore'):\n        return theta / length * np.maximum(0, length - t)",
                "must become 4, 0 and 0 long",
            ),
            Wrong(
                "def group_shrink(theta, t):\n    length = np.sqrt((theta**2).sum(axis=1, keepdims=True))\n"
                "    return np.where(length > t, theta, 0)",
                "must become 4, 0 and 0 long",
            ),
        ),
    ),
    Exercise(
        id="2.7-blind",
        kind="numeric",
        title="What is left for a model that cannot see the regimes?",
        stub="""
# In 70 % of the rows the log-odds are +2x, in the others -2x, and nothing tells which is which.
# What probability does the best model give at x = 1?
p = NOT_YET
""",
        solution="""
high, low = 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))
p = 0.7 * high + 0.3 * low
""",
        hints=(
            "Of 100 rows with x = 1, how many are of the first kind, and how many of those are clicked?",
            "Probabilities are mixed, not log-odds: 0.7 times one sigmoid plus 0.3 times the other.",
            "σ(2) = 0.881 and σ(−2) = 0.119.",
        ),
        judge=numeric_judge(
            lambda: float(0.7 * expit(2) + 0.3 * expit(-2)),
            2e-3,
            "the average of the two probabilities, weighted by how many rows there are of each kind",
            traps=(
                (0.68997, "This is the sigmoid of the average log-odds, σ(0.8). The rows mix probabilities."),
                (0.8808, "This is what a model would say that sees the regime and finds the first."),
                (0.5, "0.5 is right where half of the rows are of each kind."),
            ),
        ),
        wrong=(
            Wrong("p = 1 / (1 + math.exp(-0.8))", "mix probabilities"),
            Wrong("p = 0.8808", "sees the regime"),
            Wrong("p = 0.5", "half of the rows"),
            Wrong("p = 'about two thirds'", "type"),
        ),
    ),
)
