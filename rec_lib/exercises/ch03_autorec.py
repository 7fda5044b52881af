"""Exercises of 3.2, the part of chapter 3 on AutoRec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("r", "e", "w", "z")})


# --- the objective ---------------------------------------------------------------------------------------------------


def _rows(rng: Rng, films: int, users: int) -> np.ndarray:
    """Ratings of 1 to 5 stars with holes (0), at least one rating and one hole."""
    r = rng.integers(1, 6, (films, users)) * (rng.random((films, users)) < 0.6)
    r[0, :2] = 3, 0
    return r.astype(float)


def _rebuilt(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    films, users = size, size + 1
    h = rng.integers(2, 11, (films, users)) / 2
    V, W = (rng.integers(1, 5, (users, size)) * rng.choice([-0.5, 0.5], (users, size)) for _ in range(2))
    return _rows(rng, films, users), h, V, W, float(size) / 2


def _objective(r: np.ndarray, h: np.ndarray, V: np.ndarray, W: np.ndarray, lam: float) -> float:
    return float((((r - h) ** 2)[r > 0]).sum() + lam / 2 * ((V**2).sum() + (W**2).sum()))


def _holes_are_free(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    r, h, V, W, lam = args
    elsewhere = np.where(r > 0, h, h + 7)
    if np.isclose(float(function(r, elsewhere, V, W, lam)), float(function(r, h, V, W, lam))):
        return None
    return "whatever the model says where r is 0 must cost nothing; adding 7 there changes the objective"


def _both_pay(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    r, h, V, W, lam = args
    before = float(function(r, h, V, W, lam))
    for name, moved in (("V", (2 * V, W)), ("W", (V, 2 * W))):
        if np.isclose(float(function(r, h, *moved, lam)), before):
            return f"twice {name} must cost more; it costs the same"
    return None


# --- the leak --------------------------------------------------------------------------------------------------------


def _model_and_rows(rng: Rng, size: int) -> tuple[np.ndarray, ...]:
    films, users = size + 1, size + 2
    known = _rows(rng, films, users)
    held = np.where((known == 0) & (rng.random(known.shape) < 0.5), rng.integers(1, 6, known.shape), 0).astype(float)
    held[0, 1] = 4
    V, W = (rng.integers(1, 5, (users, size)) * rng.choice([-0.5, 0.5], (users, size)) for _ in range(2))
    return known, held, V / 4, W, np.zeros(size), np.full(users, 3.0)


def _rebuild(rows: np.ndarray, V: np.ndarray, W: np.ndarray, c: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(rows @ V + c))) @ W.T + b


def _held_out(seen: np.ndarray, held: np.ndarray, V: Any, W: Any, c: Any, b: Any) -> np.ndarray:
    return _rebuild(seen, V, W, c, b)[held > 0]


def _blind_to_the_answers(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    seen, held, *weights = args
    other = np.where(held > 0, 6 - held, 0)
    other[held == 3] = 1
    before, after = np.asarray(function(seen, held, *weights)), np.asarray(function(seen, other, *weights))
    if before.shape == after.shape and np.allclose(before, after):
        return None
    return "other stars in held must change no prediction, or the model was told the answers; they do"


# --- yes or no -------------------------------------------------------------------------------------------------------


def _certain() -> float:
    return float(1 / (1 + np.exp(-1.5)))


AUTOREC = (
    Exercise(
        id="3.2-encoder",
        kind="symbolic",
        title="What does an error teach the encoder?",
        stub="""
# One user, one film, one hidden unit:  z = sigmoid(v r + c)   and   h = w z + b.
# The loss is e², with e = r - h. Give its derivative in v, written with r, e, w and z.
# (The target r is what it is; only h moves with v.)
r, e, w, z = sympy.symbols("r e w z")
slope = NOT_YET
""",
        solution="""
r, e, w, z = sympy.symbols("r e w z")
slope = -2 * e * w * z * (1 - z) * r
""",
        hints=(
            "Walk back along the chain: from e² to h, from h to z, from z to v.",
            "The slopes of the three steps are −2e, w, and the slope of the sigmoid times r. The sigmoid's slope is z (1 − z).",
            "−2 e · w · z (1 − z) · r.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("-2*e*w*z*(1 - z)*r"), {"r": (1, 5), "e": (-2, 2), "w": (-2, 2), "z": (0.1, 0.9)}
        ),
        wrong=(
            Wrong('r, e, w, z = sympy.symbols("r e w z")\nslope = -2 * e * w * z * (1 - z)', "expected"),
            Wrong('r, e, w, z = sympy.symbols("r e w z")\nslope = -2 * e * w * z * r', "expected"),
            Wrong('r, e, w, z = sympy.symbols("r e w z")\nslope = 2 * e * w * z * (1 - z) * r', "-1.00 ×"),
            Wrong('r, e, w, z, c = sympy.symbols("r e w z c")\nslope = -2 * e * w * c * r', "got c"),
        ),
    ),
    Exercise(
        id="3.2-objective",
        kind="code",
        title="The objective, with its holes",
        stub='''
def objective(r, h, V, W, lam):
    """Squared errors of the ratings, added up, and lam/2 times the squared numbers of both matrices.

    r: (films, users) stars, 0 where there is no rating      h: (films, users) what the model rebuilt
    V, W: (users, k)      returns a number
    """
    return NOT_YET
''',
        solution="""
def objective(r, h, V, W, lam):
    error = np.where(r > 0, r - h, 0)
    return (error**2).sum() + lam / 2 * ((V**2).sum() + (W**2).sum())
""",
        hints=(
            "r > 0 says where there is a rating. What should an error be everywhere else?",
            "np.where(r > 0, r - h, 0) is the error that counts.",
            "(error**2).sum() + lam / 2 * ((V**2).sum() + (W**2).sum())",
        ),
        judge=code_judge(
            "objective",
            _objective,
            _rebuilt,
            (Property("holes are free", _holes_are_free), Property("both matrices pay", _both_pay)),
        ),
        wrong=(
            Wrong(
                "def objective(r, h, V, W, lam):\n"
                "    return ((r - h) ** 2).sum() + lam / 2 * ((V**2).sum() + (W**2).sum())",
                "holes are free",
            ),
            Wrong(
                "def objective(r, h, V, W, lam):\n    return ((r - h) ** 2)[r > 0].sum() + lam / 2 * (W**2).sum()",
                "both matrices pay",
            ),
            Wrong(
                "def objective(r, h, V, W, lam):\n"
                "    return ((r - h) ** 2)[r > 0].sum() + lam * ((V**2).sum() + (W**2).sum())",
                "value",
            ),
            Wrong(
                "def objective(r, h, V, W, lam):\n"
                "    return ((r - h) ** 2)[r > 0].mean() + lam / 2 * ((V**2).sum() + (W**2).sum())",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.2-leak",
        kind="bug",
        title="Find the silent bug: the test error is too good",
        stub='''
def held_out(seen, held, V, W, c, b):
    """What the model says for the ratings that were held out, in reading order.

    seen: (films, users) training stars      held: (films, users) test stars      0 where there is none
    """
    rows = np.where(held > 0, held, seen)
    z = 1 / (1 + np.exp(-(rows @ V + c)))
    return (z @ W.T + b)[held > 0]
''',
        solution="""
def held_out(seen, held, V, W, c, b):
    z = 1 / (1 + np.exp(-(seen @ V + c)))
    return (z @ W.T + b)[held > 0]
""",
        hints=(
            "The model rebuilds its input. What is in the input?",
            "An autoencoder that is shown a rating has an easy time rebuilding it. What may it see of the test stars?",
            "Nothing but where they are, to know which cells are asked for. The rows that go in are the training rows.",
        ),
        judge=code_judge(
            "held_out", _held_out, _model_and_rows, (Property("blind to the answers", _blind_to_the_answers),)
        ),
        wrong=(
            Wrong(
                "def held_out(seen, held, V, W, c, b):\n    z = 1 / (1 + np.exp(-((seen + held) @ V + c)))\n"
                "    return (z @ W.T + b)[held > 0]",
                "blind to the answers",
            ),
            Wrong(
                "def held_out(seen, held, V, W, c, b):\n    z = 1 / (1 + np.exp(-(held @ V + c)))\n"
                "    return (z @ W.T + b)[held > 0]",
                "blind to the answers",
            ),
            Wrong(
                "def held_out(seen, held, V, W, c, b):\n    z = 1 / (1 + np.exp(-(seen @ V + c)))\n"
                "    return (z @ W.T + b)[seen == 0]",
                "shape",
            ),
            Wrong(
                "def held_out(seen, held, V, W, c, b):\n    z = 1 / (1 + np.exp(-(seen @ V + c)))\n"
                "    return (z @ W.T)[held > 0]",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.2-trait",
        kind="numeric",
        title="Experiment: is it a musical?",
        stub="""
# Half of all films are musicals. Users 1, 2, 3 rate a musical 1, 2 and 0.5 above their usual and any other film as much
# below, give or take noise of standard deviation 1. User 1 gave a film 1 above usual, user 3 gave it 0.5 below,
# user 2 has not rated it. How probable is it that the film is a musical? (numpy is np.)
probability = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
musical = rng.random(4_000_000) < 0.5
sign = np.where(musical, 1, -1)
one, three = (a * sign + rng.normal(size=len(sign)) for a in (1.0, 0.5))
like_this = (abs(one - 1) < 0.1) & (abs(three + 0.5) < 0.1)
probability = musical[like_this].mean()
""",
        hints=(
            "Draw films and their ratings, keep those with ratings near 1 and −0.5, count the musicals. Or use the formula of Derive.",
            "The formula: a sigmoid of 2 Σ a_u r_u / s², over those who rated.",
            "Σ a r = 1 · 1 + 0.5 · (−0.5) = 0.75. User 2 is not in the sum.",
        ),
        judge=numeric_judge(
            _certain,
            0.02,
            "the sigmoid of 2 (1 · 1 − 0.5 · 0.5)",
            "of 1",
            traps=(
                (float(1 / (1 + np.exp(-0.75))), "The 2 is missing: squares cancel, and −4ar over 2s² is left."),
                (float(1 / (1 + np.exp(-2.5))), "User 3 rated it below usual: that speaks against a musical."),
                (float(1 / (1 + np.exp(12.5))), "A hole went in as 0 stars, 3.5 below usual. User 2 has said nothing."),
            ),
        ),
        wrong=(
            Wrong("probability = 1 / (1 + np.exp(-0.75))", "The 2 is missing"),
            Wrong("probability = 1 / (1 + np.exp(-2.5))", "speaks against"),
            Wrong("probability = 1 / (1 + np.exp(-2 * (1 - 2 * 3.5 - 0.25)))", "A hole went in"),
            Wrong("probability = 1.5", "value"),
        ),
    ),
)
