"""Exercises of 3.6, the part of chapter 3 on Wide & Deep and Deep & Cross."""

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


def _symbols(expression: str) -> sympy.Expr:
    names = ("x1", "x2", "a1", "a2", "b1", "b2")
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in names})


def _ones(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    x = torch.tensor(rng.integers(0, 2, (3, size + 2))).double()
    c = torch.tensor(rng.integers(0, 2, (size + 1, size + 2))).double()
    return x, c


def _phi(x: Tensor, c: Tensor) -> Tensor:
    return (x.unsqueeze(1) ** c.unsqueeze(0)).prod(dim=2)


def _left_out(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(torch.tensor([[1.0, 1.0, 0.0]]).double(), torch.tensor([[1.0, 1.0, 0.0]]).double())
    if got.shape == (1, 1) and float(got) == 1:
        return None
    return (
        f"a feature that is not in the cross must not matter: x = (1, 1, 0) with c = (1, 1, 0) gives 1; got {show(got)}"
    )


def _all_there(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(torch.tensor([[1.0, 0.0, 1.0]]).double(), torch.tensor([[1.0, 1.0, 0.0]]).double())
    if got.shape == (1, 1) and float(got) == 0:
        return None
    return f"an AND needs both: x = (1, 0, 1) with c = (1, 1, 0) gives 0; got {show(got)}"


def _stack(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor]:
    width, layers = size + 1, size + 1
    return numbers(rng, 2, width), numbers(rng, layers, width), numbers(rng, layers, width)


def _network(x_0: Tensor, w: Tensor, b: Tensor) -> Tensor:
    x = x_0
    for w_l, b_l in zip(w, b, strict=True):
        x = x_0 * (x @ w_l).unsqueeze(1) + b_l + x
    return x


def _degree(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    w, b = torch.ones(2, 1).double(), torch.zeros(2, 1).double()
    got = function(torch.tensor([[2.0]]).double(), w, b)
    if got.shape == (1, 1) and abs(float(got) - 18) < 1e-9:
        return None
    return (
        "one number 2, weights 1, no bias: the first layer gives 2·2 + 2 = 6, the second 2·6 + 6 = 18. "
        f"Two layers have degree 3; got {show(got)}"
    )


WIDE_DEEP = (
    Exercise(
        id="3.6-cross-product",
        kind="code",
        title="Write the cross-product transformation",
        stub='''
def cross_product(x, c):
    """φ_k(x) = Π_i x_i^c_ki: 1 where all features of combination k are there, else 0.

    x: (B, d) zeros and ones      c: (K, d) zeros and ones      returns (B, K) in the dtype of x
    """
    return NOT_YET
''',
        solution="""
def cross_product(x, c):
    return (x.unsqueeze(1) ** c.unsqueeze(0)).prod(dim=2)
""",
        hints=(
            "What is x to the power 0? And what does a factor of 1 do to a product?",
            "Give x the shape (B, 1, d) and c the shape (1, K, d): every row meets every combination.",
            "Raise the one to the power of the other and multiply over the last axis: .prod(dim=2).",
        ),
        judge=code_judge(
            "cross_product",
            _phi,
            _ones,
            properties=(Property("left out", _left_out), Property("all there", _all_there)),
        ),
        wrong=(
            Wrong(
                "def cross_product(x, c):\n    return (x.unsqueeze(1) * c.unsqueeze(0)).prod(dim=2)", "must not matter"
            ),
            Wrong("def cross_product(x, c):\n    return ((x @ c.T) > 0).double()", "needs both"),
            Wrong("def cross_product(x, c):\n    return x @ c.T", "must not matter"),
            Wrong("def cross_product(x, c):\n    return (x.unsqueeze(1) ** c.unsqueeze(0)).prod(dim=1)", "shape"),
        ),
    ),
    Exercise(
        id="3.6-weight",
        kind="symbolic",
        title="The weight of one monomial of degree 3",
        stub="""
# Two cross layers of DCN without biases over two numbers x1, x2; their weights are (a1, a2), then (b1, b2).
# The first number of the output is a polynomial in x1 and x2. What is the weight of x1 · x2²?
a1, a2, b1, b2 = sympy.symbols("a1 a2 b1 b2")
weight = NOT_YET
""",
        solution="""
a1, a2, b1, b2 = sympy.symbols("a1 a2 b1 b2")
weight = a2 * b2
""",
        hints=(
            "Without biases every layer multiplies by one sum. Which one?",
            "The output is x1 · (1 + a1·x1 + a2·x2) · (1 + b1·x1 + b2·x2).",
            "x1 stands in front already. From which terms of the two brackets can x2² come?",
        ),
        judge=symbolic_judge(
            lambda: _symbols("a2*b2"), {"a1": (0.2, 2), "a2": (0.2, 2), "b1": (0.2, 2), "b2": (0.2, 2)}
        ),
        wrong=(
            Wrong('a2 = sympy.symbols("a2")\nweight = a2**2', "expected"),
            Wrong('a2, b2 = sympy.symbols("a2 b2")\nweight = a2 + b2', "expected"),
            Wrong('a1, a2, b1, b2 = sympy.symbols("a1 a2 b1 b2")\nweight = a1 * b2 + a2 * b1', "expected"),
        ),
    ),
    Exercise(
        id="3.6-cross-network",
        kind="bug",
        title="Find the silent bug: one more layer, and the loss is NaN on some days",
        stub='''
def cross_network(x_0, w, b):
    """A cross network of L layers.

    x_0: (B, X)      w: (L, X)      b: (L, X)      returns (B, X)
    """
    x = x_0
    for w_l, b_l in zip(w, b):
        x = x * (x @ w_l).unsqueeze(1) + b_l + x
    return x
''',
        solution="""
def cross_network(x_0, w, b):
    x = x_0
    for w_l, b_l in zip(w, b):
        x = x_0 * (x @ w_l).unsqueeze(1) + b_l + x
    return x
""",
        hints=(
            "Send one number through: x_0 = 2, all weights 1, no bias, two layers. What should come out, what does?",
            "The degree should grow by one a layer. Here it doubles.",
            "Every layer multiplies by the input of the whole network.",
        ),
        judge=code_judge(
            "cross_network",
            _network,
            _stack,
            properties=(Property("degree", _degree), differentiable("x_0", 0, _network)),
        ),
        wrong=(
            Wrong(
                "def cross_network(x_0, w, b):\n    x = x_0\n    for w_l, b_l in zip(w, b):\n        x = x_0 * (x @ w_l).unsqueeze(1) + b_l\n    return x",
                "degree 3",
            ),
            Wrong(
                "def cross_network(x_0, w, b):\n    x = x_0\n    for w_l, b_l in zip(w, b):\n        x = x_0 * (x_0 @ w_l).unsqueeze(1) + b_l + x\n    return x",
                "degree 3",
            ),
            Wrong(
                "def cross_network(x_0, w, b):\n    x = x_0\n    for w_l, b_l in zip(w, b):\n        x = x_0 * (x * w_l) + b_l + x\n    return x",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.6-parts",
        kind="numeric",
        title="Experiment: how many numbers does a cross add?",
        stub="""
# Build WideDeep on MovieLens' schema (clicks.schema) with dim=16, once without crosses and once with
# crosses=(("user", "item"),). How many more numbers has the second to learn?
more = NOT_YET
""",
        solution="""
from rec_lib.data import movielens, views
from rec_lib.models import WideDeep

clicks = views.ctr(movielens.load("ml-100k"))


def size(crosses):
    model = WideDeep(clicks.schema, dim=16, crosses=crosses)
    return sum(p.numel() for p in model.parameters())


more = size((("user", "item"),)) - size(())
""",
        hints=(
            "sum(p.numel() for p in model.parameters()) counts the numbers of a model.",
            "On paper: 944 users with the unknown one, 1 683 films with the unknown one, and a weight for each pair.",
            "944 · 1 683, and two rows more for the reserved ids.",
        ),
        judge=numeric_judge(
            944 * 1683 + 2,
            1e-9,
            "944 · 1 683 pairs and the two reserved ids",
            "numbers",
            traps=(
                (100_000, "So many pairs occur in the data. There is a weight for each pair that could."),
                (945 + 1684, "Added, not multiplied: these are the weights that the linear part has anyway."),
                (943 * 1682, "Close: unknown users and films take part as well, and two ids are reserved."),
            ),
        ),
        wrong=(
            Wrong("more = 100_000", "occur in the data"),
            Wrong("more = 945 + 1684", "Added, not multiplied"),
            Wrong("more = 943 * 1682", "take part as well"),
        ),
    ),
)
