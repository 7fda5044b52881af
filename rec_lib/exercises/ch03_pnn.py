"""Exercises of 3.5, the part of chapter 3 on PNN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, scales, symbolic_judge
from rec_lib.exercises.laws import differentiable, linear_cost
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    names = ("t1", "t2", "a", "b", "c", "d")
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in names})


def _vectors_and_weights(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    return numbers(rng, 2, size + 1, size), numbers(rng, 3, size + 1)


def _squared_length(f: Tensor, theta: Tensor) -> Tensor:
    return (f.mT @ theta.mT).square().sum(dim=1)


def _never_negative(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    f = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    theta = torch.tensor([[1.0, -1.0]])
    got = function(f, theta)
    if got.shape == (1, 1) and abs(float(got)) < 1e-5:
        return None
    return (
        "two equal vectors with the weights 1 and −1: the pairs (1,1) and (2,2) give +1 each, (1,2) and (2,1) give −1 each, in all 0; "
        f"got {show(got)}"
    )


def _coordinates_apart(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    f = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    got = function(f, torch.ones(1, 2))
    if got.shape == (1, 1) and abs(float(got) - 2) < 1e-5:
        return None
    return f"(1, 0) and (0, 1) have the product 0 with each other and 1 with themselves, in all 2; got {show(got)}"


def _outer_numbers(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    return numbers(rng, 2, size + 1, size), numbers(rng, 3, size, size)


def _outer(f: Tensor, w: Tensor) -> Tensor:
    s = f.sum(dim=1)
    return torch.einsum("ba,nac,bc->bn", s, w, s)


def _fields_meet(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    f = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    w = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    got = function(f, w)
    if got.shape == (1, 1) and abs(float(got) - 1) < 1e-5:
        return None
    return (
        "one field is (1, 0), the other (0, 1), and W reads the first number of one with the second of the other. "
        f"That product exists when two different fields meet, and it is 1; got {show(got)}"
    )


PNN = (
    Exercise(
        id="3.5-inner-signal",
        kind="code",
        title="Write IPNN's signal without a visit to every pair",
        stub='''
def inner_signal(f, theta):
    """Σ_{i,j} θ_ni θ_nj ⟨f_i, f_j⟩ over all ordered pairs, i = j among them, in O(N·M·D1).

    f: (B, N, M) field vectors      theta: (D1, N) a weight for each unit and field      returns (B, D1)
    """
    return NOT_YET
''',
        solution="""
def inner_signal(f, theta):
    delta = torch.einsum("ni,bim->bnm", theta, f)  # Σ_i θ_ni f_i
    return delta.square().sum(dim=2)
""",
        hints=(
            "Take one unit and M = 1, so every vector is a number: Σ_{i,j} (θ_i f_i)(θ_j f_j). Whose square is it?",
            "First add up the weighed vectors over the fields: (B, D1, M). Square and add up afterwards.",
            'torch.einsum("ni,bim->bnm", theta, f) is Σ_i θ_ni f_i. Its squared length, over m, is the answer.',
        ),
        judge=code_judge(
            "inner_signal",
            _squared_length,
            _vectors_and_weights,
            properties=(
                Property("pairs cancel", _never_negative),
                Property("coordinates", _coordinates_apart),
                scales(2, name="f"),
                differentiable("theta", 1, _squared_length),
                linear_cost("fields", lambda rng, n: (numbers(rng, 8, n, 4), numbers(rng, 3, n)), "O(N·M·D1)"),
            ),
        ),
        wrong=(
            Wrong(
                'def inner_signal(f, theta):\n    d = torch.einsum("ni,bim->bnm", theta, f)\n    q = torch.einsum("ni,bim->bn", theta**2, f**2)\n    return 0.5 * (d.square().sum(dim=2) - q)',
                "pairs cancel",
            ),
            Wrong(
                'def inner_signal(f, theta):\n    return torch.einsum("ni,bim->bn", theta, f).square()',
                "product 0 with each other",
            ),
            Wrong('def inner_signal(f, theta):\n    return torch.einsum("ni,bim->bnm", theta, f).sum(dim=2)', "value"),
            Wrong('def inner_signal(f, theta):\n    return torch.einsum("ni,bim->bnm", theta, f).square()', "shape"),
            Wrong(
                "def inner_signal(f, theta):\n    gram = f @ f.transpose(1, 2)\n    return torch.einsum('ni,bij,nj->bn', theta, gram, theta)",
                "every pair is visited",
            ),
            Wrong(
                'def inner_signal(f, theta):\n    d = torch.einsum("ni,bim->bnm", theta.detach(), f)\n    return d.square().sum(dim=2)',
                "no gradient reaches theta",
            ),
        ),
    ),
    Exercise(
        id="3.5-theta",
        kind="symbolic",
        title="What teaches a weight θ?",
        stub="""
# Two fields with the vectors (a, b) and (c, d), one unit with the weights t1 and t2:
# l_p = t1² ⟨f1, f1⟩ + 2 t1 t2 ⟨f1, f2⟩ + t2² ⟨f2, f2⟩. Give its slope in t1.
t1, t2, a, b, c, d = sympy.symbols("t1 t2 a b c d")
slope = NOT_YET
""",
        solution="""
t1, t2, a, b, c, d = sympy.symbols("t1 t2 a b c d")
slope = 2 * (a * (t1 * a + t2 * c) + b * (t1 * b + t2 * d))
""",
        hints=(
            "Two of the three terms contain t1, and one of them contains it twice.",
            "⟨f1, f1⟩ = a² + b² and ⟨f1, f2⟩ = ac + bd.",
            "2 t1 (a² + b²) + 2 t2 (ac + bd): twice the inner product of f1 with t1 f1 + t2 f2. With both weights at 0 it is 0.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("2*t1*(a**2 + b**2) + 2*t2*(a*c + b*d)"),
            {name: (-2.0, 2.0) for name in ("t1", "t2", "a", "b", "c", "d")},
        ),
        wrong=(
            Wrong('t1, a, b = sympy.symbols("t1 a b")\nslope = 2 * t1 * (a**2 + b**2)', "expected"),
            Wrong('t2, a, b, c, d = sympy.symbols("t2 a b c d")\nslope = 2 * t2 * (a * c + b * d)', "expected"),
            Wrong(
                't1, t2, a, b, c, d = sympy.symbols("t1 t2 a b c d")\nslope = t1 * (a**2 + b**2) + t2 * (a * c + b * d)',
                "0.50 ×",
            ),
            Wrong(
                't1, t2, a, b, c, d = sympy.symbols("t1 t2 a b c d")\nslope = (t1 * a + t2 * c) ** 2 + (t1 * b + t2 * d) ** 2',
                "expected",
            ),
        ),
    ),
    Exercise(
        id="3.5-strangers",
        kind="bug",
        title="Find the silent bug: this OPNN trains, and no field of it has ever met another",
        stub='''
def outer_signal(f, w):
    """Σ_{i,j} f_iᵀ W_n f_j over all ordered pairs of fields, the same W_n for every pair.

    f: (B, N, M) field vectors      w: (D1, M, M) a matrix for each unit      returns (B, D1)
    """
    p = (f.unsqueeze(3) * f.unsqueeze(2)).sum(dim=1)
    return torch.einsum("bac,nac->bn", p, w)
''',
        solution="""
def outer_signal(f, w):
    s = f.sum(dim=1)
    p = s.unsqueeze(2) * s.unsqueeze(1)
    return torch.einsum("bac,nac->bn", p, w)
""",
        hints=(
            "Which pairs (i, j) are in p? Write p for two fields of one number each.",
            "f.unsqueeze(3) * f.unsqueeze(2) multiplies numbers of the same field. The sum comes too late.",
            "Add up the fields first, s = f.sum(dim=1); then multiply s with itself.",
        ),
        judge=code_judge(
            "outer_signal",
            _outer,
            _outer_numbers,
            properties=(Property("fields meet", _fields_meet), differentiable("w", 1, _outer)),
        ),
        wrong=(
            Wrong(
                'def outer_signal(f, w):\n    s = f.mean(dim=1)\n    return torch.einsum("ba,nac,bc->bn", s, w, s)',
                "value",
            ),
            Wrong(
                'def outer_signal(f, w):\n    s = f.sum(dim=1)\n    own = torch.einsum("bia,bic->bac", f, f)\n'
                '    p = s.unsqueeze(2) * s.unsqueeze(1) - own\n    return torch.einsum("bac,nac->bn", p, w)',
                "value",
            ),
            Wrong(
                'def outer_signal(f, w):\n    s = f.sum(dim=1)\n    return torch.einsum("ba,naa->bn", s * s, w)',
                "fields meet",
            ),
            Wrong(
                'def outer_signal(f, w):\n    s = f.sum(dim=1)\n    return torch.einsum("ba,nac,bc->bnac", s, w, s)',
                "shape",
            ),
        ),
    ),
    Exercise(
        id="3.5-cost",
        kind="numeric",
        title="Does the factorised form pay at this size?",
        stub="""
# IPNN over N = 8 fields with vectors of M = 16 numbers and D1 = 64 units. Multiplications for one sample:
#   table of pairs first:  N·N·M for all ⟨f_i, f_j⟩, then N·N for each unit
#   factorised:            N·M for the weighed vectors of each unit (the squares are not counted)
# How many times as many does the factorised form need as the table of pairs?
ratio = NOT_YET
""",
        solution="""
N, M, D1 = 8, 16, 64
ratio = (D1 * N * M) / (N * N * (M + D1))
""",
        hints=(
            "Count both, then divide the factorised form's by the table's.",
            "Table of pairs: 64 · 16 = 1 024 for the products, and 64 for each of 64 units.",
            "8 192 over 5 120.",
        ),
        judge=numeric_judge(
            1.6,
            1e-6,
            "64 · 8 · 16 multiplications over 8 · 8 · (16 + 64)",
            "times as many",
            traps=(
                (0.625, "This is the table's share of the factorised form. At this size the table is the cheaper one."),
                (8.0, "The N²·M products are computed once a sample, not once a unit."),
                (2.0, "The products ⟨f_i, f_j⟩ themselves cost multiplications too."),
            ),
        ),
        wrong=(
            Wrong("ratio = 5120 / 8192", "table is the cheaper one"),
            Wrong("ratio = 8192 / 4096", "cost multiplications too"),
            Wrong("ratio = 8.0", "once a sample"),
            Wrong("ratio = 'more'", "type"),
        ),
    ),
)
