"""Exercises of 2.3, the part of chapter 2 on matrix factorisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    names = ("p", "q", "r", "gamma", "lam", "y", "S", "alpha")
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in names})


# --- the step of ALS -------------------------------------------------------------------------------------------------


def _one_user(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Vectors of 3·size films, the stars above the mean that one user gave them, λ."""
    return rng.integers(-4, 5, (3 * size, size)) / 2 + 0.25, rng.integers(-4, 5, 3 * size) / 2 + 0.25, float(size) / 2


def _best_vector(Q: np.ndarray, r: np.ndarray, lam: float) -> np.ndarray:
    return np.linalg.solve(Q.T @ Q + lam * np.eye(Q.shape[1]), Q.T @ r)


def _no_slope_left(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    Q, r, lam = args
    p = np.asarray(function(Q, r, lam), dtype=float)
    slope = 2 * (Q.T @ (Q @ p - r) + lam * p)
    if np.abs(slope).max() < 1e-6:
        return None
    return f"the slope of |r - Qp|² + λ|p|² must be 0 at the answer; its largest entry is {np.abs(slope).max():.3g}"


def _price_is_felt(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    Q, r, _ = args
    if np.abs(np.asarray(function(Q, r, 1e9))).max() < 1e-3:
        return None
    return "a price λ of a billion must leave almost nothing of p; it does not"


# --- the simultaneous step -------------------------------------------------------------------------------------------


def _pair(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, float, float, float]:
    p, q = (rng.integers(1, 5, size) * rng.choice([-0.5, 0.5], size) for _ in range(2))
    return p, q, float(rng.integers(1, 6)), 0.1 * size, 0.25 * size


def _sgd_step(p: np.ndarray, q: np.ndarray, r: float, gamma: float, lam: float) -> np.ndarray:
    e = r - p @ q
    return np.stack([p + gamma * (e * q - lam * p), q + gamma * (e * p - lam * q)])


def _roles_may_be_swapped(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    p, q, r, gamma, lam = args
    one, other = np.asarray(function(p, q, r, gamma, lam)), np.asarray(function(q, p, r, gamma, lam))
    if np.allclose(one, other[::-1]):
        return None
    return (
        "nothing in the loss tells users from items, so swapping p and q must swap the two new vectors; it gives "
        "other numbers"
    )


# --- the answer to the experiment ------------------------------------------------------------------------------------


def _said_for_holes() -> float:
    return 0.4


MF = (
    Exercise(
        id="2.3-update",
        kind="symbolic",
        title="What does one rating do to the user?",
        stub="""
# One user, one film, vectors of one number each, no biases: the loss of one rating is
#     L = (r - p q)² + lam (p² + q²)
# Give the new p after one step downhill of size gamma/2, written with p, q, r, gamma and lam.
p, q, r, gamma, lam = sympy.symbols("p q r gamma lam")
new_p = NOT_YET
""",
        solution="""
p, q, r, gamma, lam = sympy.symbols("p q r gamma lam")
loss = (r - p * q) ** 2 + lam * (p**2 + q**2)
new_p = p - gamma / 2 * sympy.diff(loss, p)
""",
        hints=(
            "Downhill is against the derivative. With respect to which letter?",
            "sympy.diff(loss, p) differentiates. The square brings a factor 2 down, and gamma/2 takes it away.",
            "p + gamma (e q − lam p), where e is r − p q written out.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("p + gamma*((r - p*q)*q - lam*p)"),
            {"p": (-2, 2), "q": (-2, 2), "r": (1, 5), "gamma": (0.01, 0.5), "lam": (0.1, 2)},
        ),
        wrong=(
            Wrong(
                'p, q, r, gamma, lam = sympy.symbols("p q r gamma lam")\nnew_p = p + gamma * ((r - p * q) * p - lam * q)',
                "expected",
            ),
            Wrong(
                'p, q, r, gamma, lam = sympy.symbols("p q r gamma lam")\nnew_p = p - gamma * ((r - p * q) * q - lam * p)',
                "expected",
            ),
            Wrong('p, q, r, gamma = sympy.symbols("p q r gamma")\nnew_p = p + gamma * (r - p * q) * q', "expected"),
            Wrong(
                'p, q, e, gamma, lam = sympy.symbols("p q e gamma lam")\nnew_p = p + gamma * (e * q - lam * p)', "got e"
            ),
        ),
    ),
    Exercise(
        id="2.3-als-step",
        kind="code",
        title="The best vector of a user, in one go",
        stub='''
def user_step(Q, r, lam):
    """The p that makes |r - Q p|² + lam |p|² smallest.

    Q: (n, k) vectors of the n films that the user rated      r: (n,) stars above the mean      returns (k,)
    """
    return NOT_YET
''',
        solution="""
def user_step(Q, r, lam):
    return np.linalg.solve(Q.T @ Q + lam * np.eye(Q.shape[1]), Q.T @ r)
""",
        hints=(
            "The slope, 2[(QᵀQ + λI)p − Qᵀr], is 0 at the lowest point. Which equation is that for p?",
            "Q.T @ Q has shape (k, k), Q.T @ r has shape (k,). np.eye(k) is I.",
            "np.linalg.solve(A, b) gives the p with A p = b.",
        ),
        judge=code_judge(
            "user_step",
            _best_vector,
            _one_user,
            (Property("no slope left", _no_slope_left), Property("the price is felt", _price_is_felt)),
        ),
        wrong=(
            Wrong("def user_step(Q, r, lam):\n    return np.linalg.lstsq(Q, r, rcond=None)[0]", "no slope left"),
            Wrong(
                "def user_step(Q, r, lam):\n    return np.linalg.solve(Q.T @ Q + lam, Q.T @ r)",
                "no slope left",
            ),
            Wrong(
                "def user_step(Q, r, lam):\n"
                "    return np.linalg.solve(Q.T @ Q + len(r) * lam * np.eye(Q.shape[1]), Q.T @ r)",
                "no slope left",
            ),
            Wrong(
                "def user_step(Q, r, lam):\n    return np.linalg.solve(Q @ Q.T + lam * np.eye(len(Q)), r)",
                "shape",
            ),
        ),
    ),
    Exercise(
        id="2.3-order",
        kind="bug",
        title="Find the silent bug: the loss falls, but users and items are not treated alike",
        stub='''
def sgd_step(p, q, r, gamma, lam):
    """Both vectors after one step for one rating r. p, q: (k,)      returns (2, k): the new p, the new q"""
    p = p + gamma * ((r - p @ q) * q - lam * p)
    q = q + gamma * ((r - p @ q) * p - lam * q)
    return np.stack([p, q])
''',
        solution="""
def sgd_step(p, q, r, gamma, lam):
    e = r - p @ q
    return np.stack([p + gamma * (e * q - lam * p), q + gamma * (e * p - lam * q)])
""",
        hints=(
            "Which p does the second line see?",
            "The gradient is taken at one point: the error and both vectors as they were before the step.",
            "Compute e once, and write both new vectors from the old ones before you give either a new name.",
        ),
        judge=code_judge("sgd_step", _sgd_step, _pair, (Property("swapped roles", _roles_may_be_swapped),)),
        wrong=(
            Wrong(
                "def sgd_step(p, q, r, gamma, lam):\n    e = r - p @ q\n    p = p + gamma * (e * q - lam * p)\n"
                "    q = q + gamma * (e * p - lam * q)\n    return np.stack([p, q])",
                "swapped roles",
            ),
            Wrong(
                "def sgd_step(p, q, r, gamma, lam):\n    e = p @ q - r\n"
                "    return np.stack([p + gamma * (e * q - lam * p), q + gamma * (e * p - lam * q)])",
                "value",
            ),
            Wrong(
                "def sgd_step(p, q, r, gamma, lam):\n    e = r - p @ q\n"
                "    return np.stack([p + gamma * (e * p - lam * p), q + gamma * (e * q - lam * q)])",
                "value",
            ),
            Wrong(
                "def sgd_step(p, q, r, gamma, lam):\n    e = r - p @ q\n    p += gamma * (e * q - lam * p)\n"
                "    return np.stack([p, q + gamma * (e * p - lam * q)])",
                "in place",
            ),
            Wrong(
                "def sgd_step(p, q, r, gamma, lam):\n    e = r - p @ q\n"
                "    return np.stack([p + gamma * (e * q - gamma * p), q + gamma * (e * p - gamma * q)])",
                "value",
            ),
        ),
    ),
    Exercise(
        id="2.3-zeros",
        kind="numeric",
        title="Experiment: what does an SVD make of zeros that are none?",
        stub="""
# 200 users and 200 films. Everybody would give every film 4 stars, but only one cell in ten, at random, is rated.
# Fill the holes with 0, take the SVD, keep the first singular value (the truth has rank 1).
# Which rating does this copy predict for the holes, on average? (numpy is np.)
predicted = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
rated = rng.random((200, 200)) < 0.1
u, s, vt = np.linalg.svd(np.where(rated, 4.0, 0.0), full_matrices=False)
copy = s[0] * np.outer(u[:, 0], vt[0])
predicted = copy[~rated].mean()
""",
        hints=(
            "rng.random((200, 200)) < 0.1 says which cells are rated.",
            "np.linalg.svd(matrix, full_matrices=False) returns u, s, vt; the copy of rank 1 is s[0] · u[:, 0] vt[0].",
            "Take the mean of the copy where the mask of ratings is False.",
        ),
        judge=numeric_judge(
            _said_for_holes,
            0.06,
            "the mean of the rank-1 copy over the cells that were not rated",
            "stars",
            traps=(
                (4.0, "That is the truth. The SVD was shown a matrix that is 0 in nine cells of ten."),
                (2.0, "Half way would need as many ratings as holes; here there are nine holes for a rating."),
            ),
        ),
        wrong=(
            Wrong("predicted = 4.0", "That is the truth"),
            Wrong("predicted = 0.0", "value"),
            Wrong("predicted = 2.0", "Half way"),
            Wrong("predicted = '0.4 stars'", "type"),
        ),
    ),
    Exercise(
        id="2.3-one-film",
        kind="symbolic",
        title="A user who took one film",
        stub="""
# Implicit ALS with vectors of one number. A user took one film, whose vector is y, with confidence 1 + alpha.
# S is the sum of the squares of all films' vectors, this one's included; lam is the price. Which x is best?
y, S, alpha, lam = sympy.symbols("y S alpha lam", positive=True)
x = NOT_YET
""",
        solution="""
y, S, alpha, lam = sympy.symbols("y S alpha lam", positive=True)
x = (1 + alpha) * y / (S + alpha * y**2 + lam)
""",
        hints=(
            "x = (YᵀCY + λ)⁻¹ YᵀC p. With one number a vector, every part is a number.",
            "YᵀCY counts every film once and the taken one alpha times more. In YᵀC p only the taken one is left.",
            "YᵀCY = S + alpha y², and YᵀC p = (1 + alpha) y.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("(1 + alpha)*y/(S + alpha*y**2 + lam)"),
            {"y": (0.2, 1.5), "S": (3, 9), "alpha": (0.5, 40), "lam": (0.1, 10)},
        ),
        wrong=(
            Wrong(
                'y, S, alpha, lam = sympy.symbols("y S alpha lam")\nx = (1 + alpha) * y / (S + (1 + alpha) * y**2 + lam)',
                "expected",
            ),
            Wrong(
                'y, S, alpha, lam = sympy.symbols("y S alpha lam")\nx = alpha * y / (S + alpha * y**2 + lam)',
                "expected",
            ),
            Wrong(
                'y, alpha, lam = sympy.symbols("y alpha lam")\nx = (1 + alpha) * y / ((1 + alpha) * y**2 + lam)',
                "expected",
            ),
            Wrong('y, S, a, lam = sympy.symbols("y S a lam")\nx = (1 + a) * y / (S + a * y**2 + lam)', "got a"),
        ),
    ),
)
