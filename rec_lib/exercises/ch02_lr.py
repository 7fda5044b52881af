"""Exercises of 2.4, the part of chapter 2 on logistic regression and FTRL."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


# --- one step of FTRL ------------------------------------------------------------------------------------------------


def _state(rng: Rng, size: int) -> tuple[Any, ...]:
    """z, n, w that belong together, a gradient with a 0 in it, and settings."""
    z = rng.integers(-12, 13, size + 1) / 4
    n = rng.integers(1, 9, size + 1) / 2
    g = rng.integers(-4, 5, size + 1) / 2
    g[0] = 0.0
    alpha, beta, l1, l2 = 0.5 * size, 0.5 + size / 2, 0.25 + size / 2, float(rng.integers(0, 3)) / 2
    return z, n, _weight(z, n, alpha, beta, l1, l2), g, alpha, beta, l1, l2


def _weight(z: np.ndarray, n: np.ndarray, alpha: float, beta: float, l1: float, l2: float) -> np.ndarray:
    return -np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)


def _ftrl_step(
    z: np.ndarray, n: np.ndarray, w: np.ndarray, g: np.ndarray, alpha: float, beta: float, l1: float, l2: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / alpha
    z, n = z + g - sigma * w, n + g**2
    return z, n, _weight(z, n, alpha, beta, l1, l2)


def _stays(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    z, n, w, _, *setting = args
    got = function(z, n, w, np.zeros_like(z), *setting)
    if np.allclose(np.asarray(got[2], float), w):
        return None
    return "with a gradient of 0 everywhere nothing may move, and w does"


def _descends(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    _, n, _, g, alpha, beta, _, _ = args
    w = np.linspace(-1, 1, len(n))
    z = -(beta + np.sqrt(n)) / alpha * w
    got = np.asarray(function(z, n, w, g, alpha, beta, 0.0, 0.0)[2], float)
    expected = w - alpha / (beta + np.sqrt(n + g**2)) * g
    if got.shape == expected.shape and np.allclose(got, expected):
        return None
    return (
        f"without penalties it is gradient descent with the rate α/(β + √n) of the new n: from w = {np.round(w, 3)} expected "
        f"{np.round(expected, 3)}, got {np.round(got, 3)}"
    )


# --- the threshold that lets noise through ---------------------------------------------------------------------------


def _held(rng: Rng, size: int) -> tuple[Any, ...]:
    z = rng.integers(-12, 13, size + 2) / 4
    z[:2] = 0.25, -0.5
    return z, rng.integers(1, 9, size + 2) / 2, 0.5 * size, 2.0 / size, 0.5 + size / 2, 0.25 * (size + 1)


def _dead_zone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    z, n, alpha, beta, l1, l2 = args
    got = np.asarray(function(z, n, alpha, beta, l1, l2), float)
    inside = np.abs(z) <= l1
    if (got[inside] == 0).all():
        return None
    return f"where |z| ≤ λ₁ = {l1:g} the weight must be exactly 0; for z = {z[inside]} got {np.round(got[inside], 3)}"


def _against(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    z, n, alpha, beta, l1, l2 = args
    got = np.asarray(function(z, n, alpha, beta, l1, l2), float)
    if (got * z <= 0).all():
        return None
    return "a weight may never have the sign of z: gradients that add up to something positive push it down"


# --- calibration -----------------------------------------------------------------------------------------------------


def _predictions(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    n = 6 * size
    p = np.round(rng.uniform(0.05, 0.95, n), 2)
    p[:3] = 1.0, 0.2, 0.4  # where a group begins, and where the last one ends
    p[p == 0.6] = 0.61  # 3/5 rounded is one number, and the third multiple of 1/5 rounded another: both are right
    return (rng.random(n) < p).astype(float), p


def _table(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    group = np.minimum((p * 5).astype(int), 4)
    rows = [(p[group == k].mean(), y[group == k].mean(), (group == k).sum()) for k in range(5) if (group == k).any()]
    return np.array(rows, dtype=float)


def _counts_all(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    y, p = args
    counted = float(np.asarray(function(y, p))[:, 2].sum())
    return None if counted == len(y) else f"the groups must hold all {len(y)} rows; yours hold {counted:g}"


def _keeps_sums(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    y, p = args
    table = np.asarray(function(y, p), float)
    clicks = float((table[:, 1] * table[:, 2]).sum())
    return (
        None if abs(clicks - y.sum()) < 1e-6 else f"share × rows must add up to the {y.sum():g} clicks; got {clicks:g}"
    )


# --- numbers and formulas --------------------------------------------------------------------------------------------


@cache
def _adjusted() -> float:
    from rec_lib.data import movielens
    from rec_lib.evaluation.simpson import compare
    from rec_lib.experiments.reversals import rows_of

    rows = rows_of(movielens.load("ml-100k"))
    return 100 * compare(rows.liked, rows.sides["Adventure"], rows.groups["Drama"]).within


_W, _X, _Y, _B = sympy.symbols("w x y b")

LR = (
    Exercise(
        id="2.4-gradient",
        kind="symbolic",
        title="What does one row tell its weight?",
        stub="""
w, x, y, b = sympy.symbols("w x y b")
# One feature x, one row with label y, one weight w and a constant b. The loss of the row is
#     log(1 + exp(z)) - y z    with z = w x + b
gradient = NOT_YET  # its derivative in w, written with w, x, y, b and sympy.exp
""",
        solution="""
w, x, y, b = sympy.symbols("w x y b")
gradient = (1 / (1 + sympy.exp(-(w * x + b))) - y) * x
""",
        hints=(
            "Go through z: how does the loss change with z, and how does z change with w?",
            "The derivative of log(1 + exp(z)) is exp(z)/(1 + exp(z)). You know it under another name.",
            "(σ(wx + b) − y) x, with σ(z) = 1/(1 + exp(−z)).",
        ),
        judge=symbolic_judge(
            (1 / (1 + sympy.exp(-(_W * _X + _B))) - _Y) * _X,
            {"w": (-2, 2), "x": (-2, 2), "y": (0, 1), "b": (-1, 1)},
        ),
        wrong=(
            Wrong(
                'w, x, y, b = sympy.symbols("w x y b")\ngradient = (y - 1 / (1 + sympy.exp(-(w * x + b)))) * x',
                "-1.00 ×",
            ),
            Wrong(
                'w, x, y, b = sympy.symbols("w x y b")\ngradient = 1 / (1 + sympy.exp(-(w * x + b))) - y', "expected"
            ),
            Wrong(
                'w, x, y, b = sympy.symbols("w x y b")\ns = 1 / (1 + sympy.exp(-(w * x + b)))\n'
                "gradient = (s - y) * s * (1 - s) * x",
                "expected",
            ),
            Wrong('z, x, y = sympy.symbols("z x y")\ngradient = (1 / (1 + sympy.exp(-z)) - y) * x', "z"),
        ),
    ),
    Exercise(
        id="2.4-ftrl",
        kind="code",
        title="Write one step of FTRL-Proximal",
        stub="""
def ftrl_step(z, n, w, g, alpha, beta, l1, l2):
    # z, n: (d,) what FTRL keeps      w: (d,) the weights that belong to them      g: (d,) a gradient that was taken at w
    # Return (z, n, w) after the step, three new arrays.
    return NOT_YET
""",
        solution="""
def ftrl_step(z, n, w, g, alpha, beta, l1, l2):
    sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / alpha
    z = z + g - sigma * w
    n = n + g**2
    w = -np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)
    return z, n, w
""",
        hints=(
            "Three quantities change, and their order matters. Which of them still needs the old n?",
            "σ = (√(n + g²) − √n)/α comes first; then z grows by g − σw with the old w, then n by g²; the new w is last.",
            "w = −sgn(z)·max(|z| − λ₁, 0) / ((β + √n)/α + λ₂), with the new z and the new n.",
        ),
        judge=code_judge(
            "ftrl_step",
            _ftrl_step,
            _state,
            (Property("no gradient", _stays), Property("λ₁ = λ₂ = 0", _descends)),
        ),
        wrong=(
            Wrong(
                "def ftrl_step(z, n, w, g, alpha, beta, l1, l2):\n    n = n + g**2\n"
                "    sigma = (np.sqrt(n) - np.sqrt(n - 0)) / alpha\n    z = z + g - sigma * w\n"
                "    w = -np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)\n    return z, n, w",
                "gradient descent",
            ),
            Wrong(
                "def ftrl_step(z, n, w, g, alpha, beta, l1, l2):\n    z = z + g\n    n = n + g**2\n"
                "    w = -np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)\n    return z, n, w",
                "gradient descent",
            ),
            Wrong(
                "def ftrl_step(z, n, w, g, alpha, beta, l1, l2):\n    sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / alpha\n"
                "    z = z + g - sigma * w\n    n = n + g**2\n    w = -z / ((beta + np.sqrt(n)) / alpha + l2)\n"
                "    w = np.sign(w) * np.maximum(np.abs(w) - l1, 0)\n    return z, n, w",
                "nothing may move",
            ),
            Wrong(
                "def ftrl_step(z, n, w, g, alpha, beta, l1, l2):\n    sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / alpha\n"
                "    z += g - sigma * w\n    n += g**2\n"
                "    w = -np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)\n    return z, n, w",
                "in place",
            ),
        ),
    ),
    Exercise(
        id="2.4-never-zero",
        kind="bug",
        title="Find the silent bug: λ₁ is set, AUC is fair, and no weight is ever 0",
        stub="""
def weight(z, n, alpha, beta, l1, l2):
    # FTRL's closed form, (d,) from z and n (d,). Large weights come out right. Print the small ones.
    return -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2)
""",
        solution="""
def weight(z, n, alpha, beta, l1, l2):
    return -np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)
""",
        hints=(
            "Take λ₁ = 1 and z = 0.2 and do it by hand. Which sign does the weight get?",
            "Inside |z| ≤ λ₁ the numerator has turned its sign: the weight goes *with* the gradients. What should it be there?",
            "Shrink the length of z and stop at 0: np.sign(z) * np.maximum(np.abs(z) - l1, 0).",
        ),
        judge=code_judge(
            "weight", _weight, _held, (Property("threshold", _dead_zone), Property("direction", _against))
        ),
        wrong=(
            Wrong(
                "def weight(z, n, alpha, beta, l1, l2):\n"
                "    return np.where(np.abs(z) > l1, -z, 0) / ((beta + np.sqrt(n)) / alpha + l2)",
                "value",
            ),
            Wrong(
                "def weight(z, n, alpha, beta, l1, l2):\n"
                "    return np.sign(z) * np.maximum(np.abs(z) - l1, 0) / ((beta + np.sqrt(n)) / alpha + l2)",
                "sign of z",
            ),
            Wrong(
                "def weight(z, n, alpha, beta, l1, l2):\n"
                "    return -np.sign(z) * np.maximum(np.abs(z) - 1.0, 0) / ((1.0 + np.sqrt(n)) / 0.5 + 0.5)",
                "value",
            ),
            Wrong(
                "def weight(z, n, alpha, beta, l1, l2):\n    w = -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2)\n"
                "    return np.where(np.abs(w) < 1e-2, 0, w)",
                "exactly 0",
            ),
        ),
    ),
    Exercise(
        id="2.4-reliability",
        kind="code",
        title="Make the table behind a reliability curve",
        stub="""
def reliability(y, p):
    # y: (N,) labels 0 or 1      p: (N,) probabilities. Cut [0, 1] into five groups of equal width, from 0.2 on into the next.
    # Return an array (groups, 3): mean prediction, share of clicks, number of rows; lowest group first, empty groups left out.
    return NOT_YET
""",
        solution="""
def reliability(y, p):
    group = np.minimum((p * 5).astype(int), 4)
    rows = [(p[group == k].mean(), y[group == k].mean(), (group == k).sum()) for k in range(5) if (group == k).any()]
    return np.array(rows, dtype=float)
""",
        hints=(
            "Which group does a row belong to? One whole number from 0 to 4 for each row, made from p alone.",
            "(p * 5).astype(int), and a p of exactly 1 belongs to the last group. Then three numbers for each group that has rows.",
            "For each k: p[group == k].mean(), y[group == k].mean(), (group == k).sum(). Stack the rows as floats.",
        ),
        judge=code_judge(
            "reliability", _table, _predictions, (Property("rows", _counts_all), Property("clicks", _keeps_sums))
        ),
        wrong=(
            Wrong(
                "def reliability(y, p):\n    group = np.minimum((p * 5).astype(int), 4)\n"
                "    rows = [((k + 0.5) / 5, y[group == k].mean(), (group == k).sum()) for k in range(5) if (group == k).any()]\n"
                "    return np.array(rows, dtype=float)",
                "value",
            ),
            Wrong(
                "def reliability(y, p):\n    rows = [(p[y == k].mean(), y[y == k].mean(), (y == k).sum()) for k in (0, 1)"
                " if (y == k).any()]\n    return np.array(rows, dtype=float)",
                "shape",
            ),
            Wrong(
                "def reliability(y, p):\n    group = np.minimum((p * 5).astype(int), 4)\n"
                "    rows = [(p[group == k].mean(), y[group == k].sum(), (group == k).sum()) for k in range(5) if (group == k).any()]\n"
                "    return np.array(rows, dtype=float)",
                "share × rows",
            ),
            Wrong(
                "def reliability(y, p):\n    group = (p * 5).astype(int)\n"
                "    rows = [(p[group == k].mean(), y[group == k].mean(), (group == k).sum()) for k in range(5) if (group == k).any()]\n"
                "    return np.array(rows, dtype=float)",
                "the groups must hold all",
            ),
            Wrong(
                "def reliability(y, p):\n    group = np.digitize(p, (0.2, 0.4, 0.6, 0.8), right=True)\n"
                "    rows = [(p[group == k].mean(), y[group == k].mean(), (group == k).sum()) for k in range(5) if (group == k).any()]\n"
                "    return np.array(rows, dtype=float)",
                "shape",
            ),
        ),
    ),
    Exercise(
        id="2.4-adventure",
        kind="numeric",
        title="Experiment: compare adventure films inside drama and outside it",
        stub="""
# Over all ratings, adventure films are liked 2.3 points less often than the others: 53.4 times in a hundred against 55.7.
# Now inside the films that are dramas and inside those that are not, averaged with the weights n₁n₀/(n₁ + n₀): how many points?
# rec_lib.experiments.reversals.rows_of(ml) has the columns, rec_lib.evaluation.simpson.compare does the sum.
points = NOT_YET
""",
        solution="""
from rec_lib.data import movielens
from rec_lib.evaluation.simpson import compare
from rec_lib.experiments.reversals import rows_of

rows = rows_of(movielens.load("ml-100k"))
points = 100 * compare(rows.liked, rows.sides["Adventure"], rows.groups["Drama"]).within
""",
        hints=(
            'rows.liked are the labels, rows.sides["Adventure"] what is compared, rows.groups["Drama"] the groups.',
            "compare(y, x, group) returns both differences, pooled and within. Points are hundredths.",
            '100 * compare(rows.liked, rows.sides["Adventure"], rows.groups["Drama"]).within',
        ),
        judge=numeric_judge(
            _adjusted,
            0.05,
            "100 × the difference of the shares inside the two groups, weighted by n₁n₀/(n₁ + n₀)",
            "points",
            traps=((-2.333, "That is the difference over all rows."),),
        ),
        wrong=(
            Wrong("points = -2.333", "over all rows"),
            Wrong("points = 0.01053", "percentage"),
            Wrong("points = -1.053", "sign"),
            Wrong("points = '1.05'", "str"),
        ),
    ),
)
