"""Exercises of 4.2 word2vec."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong


def _sentence(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    return int(rng.integers(1, 4 * size)), int(rng.integers(1, 4))


def _pairs(T: int, c: int) -> np.ndarray:
    found = [(t, t + j) for t in range(T) for j in range(-c, c + 1) if j != 0 and 0 <= t + j < T]
    return np.array(found, dtype=int).reshape(-1, 2)


def _pair_step(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    h, U = rng.normal(size=size + 1), rng.normal(size=(size + 2, size + 1))
    return h, U, float(rng.choice([0.1, 0.3, 0.5]))


def _step(h: np.ndarray, U: np.ndarray, lr: float) -> np.ndarray:
    error = 1 / (1 + np.exp(-(U @ h))) - (np.arange(len(U)) == 0)
    return np.vstack([h - lr * error @ U, U - lr * np.outer(error, h)])


def _counts(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    return (rng.integers(1, 200, size + 2).astype(float), float(rng.choice([0.5, 0.75])))


def _noise(counts: np.ndarray, power: float) -> np.ndarray:
    weights = counts**power
    return weights / weights.sum()


@cache
def _kept() -> float:
    from rec_lib.data.text import king_james

    text = king_james()
    ratio = 1e-3 / (text.counts[text.number("the")] / text.counts.sum())
    return float(np.sqrt(ratio) + ratio)


_V, _UO, _U1 = sympy.symbols("v u_o u_1")
_SLOPE = (1 / (1 + sympy.exp(-_V * _UO)) - 1) * _UO + _U1 / (1 + sympy.exp(-_V * _U1))

WORD2VEC = (
    Exercise(
        id="4.2-slope",
        kind="symbolic",
        title="Which way does the centre move?",
        stub="""
v, u_o, u_1 = sympy.symbols("v u_o u_1")
# Vectors of one number. E = −log σ(u_o·v) − log σ(−u_1·v), with σ(x) = 1 / (1 + e^−x): one context, one negative.
slope = NOT_YET  # ∂E/∂v, in v, u_o and u_1
""",
        solution="""
v, u_o, u_1 = sympy.symbols("v u_o u_1")
sigma = lambda x: 1 / (1 + sympy.exp(-x))
slope = (sigma(u_o * v) - 1) * u_o + sigma(u_1 * v) * u_1
""",
        hints=(
            "Differentiate −log σ(z) by z first. What is left has σ(z) and a number in it, nothing else.",
            "−log σ(z) has the slope σ(z) − 1, −log σ(−z) has σ(z). By the chain rule each is multiplied by what stands beside v.",
            "(σ(u_o v) − 1) u_o + σ(u_1 v) u_1.",
        ),
        judge=symbolic_judge(_SLOPE, {"v": (-2, 2), "u_o": (-2, 2), "u_1": (-2, 2)}),
        wrong=(
            Wrong(
                'v, u_o, u_1 = sympy.symbols("v u_o u_1")\nslope = 1 / (1 + sympy.exp(-u_o * v)) - 1 + 1 / (1 + sympy.exp(-u_1 * v))',
                "expected",
            ),
            Wrong(
                'v, u_o, u_1 = sympy.symbols("v u_o u_1")\n'
                "slope = (1 - 1 / (1 + sympy.exp(-u_o * v))) * u_o - u_1 / (1 + sympy.exp(-u_1 * v))",
                "expected",
            ),
            Wrong(
                'v, u_o, u_1 = sympy.symbols("v u_o u_1")\n'
                "E = -sympy.log(1 / (1 + sympy.exp(-(u_o * v - sympy.log(1 / (1 + sympy.exp(u_1 * v)))))))\nslope = sympy.diff(E, v)",
                "expected",
            ),
        ),
    ),
    Exercise(
        id="4.2-pairs",
        kind="code",
        title="Write the training pairs of a sentence",
        stub="""
def pairs(T, c):
    # A sentence of T words at places 0 … T−1, a window of c words on each side.
    # Return (m, 2) whole numbers: (centre, context) for every pair, by centre, then by context.
    return NOT_YET
""",
        solution="""
def pairs(T, c):
    found = [(t, s) for t in range(T) for s in range(max(0, t - c), min(T, t + c + 1)) if s != t]
    return np.array(found, dtype=int).reshape(-1, 2)
""",
        hints=(
            "What does the sum over −c ≤ j ≤ c say about the first word of a sentence? Which places exist?",
            "Two conditions: j ≠ 0, and 0 ≤ t + j < T. A sentence of one word has no pair.",
            "for s in range(max(0, t − c), min(T, t + c + 1)), leaving out s = t; reshape(-1, 2) keeps the shape of an empty list.",
        ),
        judge=code_judge("pairs", _pairs, _sentence),
        wrong=(
            Wrong(
                "def pairs(T, c):\n    return np.array([(t, t + j) for t in range(T) for j in range(-c, c + 1) if j != 0])",
                "expected",
            ),
            Wrong(
                "def pairs(T, c):\n    return np.array([(t, (t + j) % T) for t in range(T) for j in range(-c, c + 1) if j != 0])",
                "expected",
            ),
            Wrong(
                "def pairs(T, c):\n    return np.array([(t, s) for t in range(T) for s in range(max(0, t - c), min(T, t + c + 1))])"
                ".reshape(-1, 2)",
                "expected",
            ),
        ),
    ),
    Exercise(
        id="4.2-noise",
        kind="code",
        title="Write the law of the negatives",
        stub="""
def noise(counts, power):
    # counts: (V,) how often each word occurs. Return (V,): the probability that each is drawn as a negative.
    return NOT_YET
""",
        solution="""
def noise(counts, power):
    weights = counts**power
    return weights / weights.sum()
""",
        hints=(
            "The power is taken of each count by itself, before anything is added up.",
            "A law adds up to one. What must every weight be divided by?",
            "weights = counts ** power, then weights / weights.sum().",
        ),
        judge=code_judge("noise", _noise, _counts),
        wrong=(
            Wrong("def noise(counts, power):\n    return counts / counts.sum()", "value"),
            Wrong("def noise(counts, power):\n    return counts**power / counts.sum() ** power", "value"),
            Wrong("def noise(counts, power):\n    return counts**power", "value"),
        ),
    ),
    Exercise(
        id="4.2-bug",
        kind="bug",
        title="Find the step that is taken at two places",
        stub="""
def step(h, U, lr):
    # One pair and its negatives: row 0 of U is the context, the others were drawn. It trains, the loss falls, nobody complains.
    # Return the new h above the new U, as np.vstack([h, U]). It should be one step of gradient descent on E, exactly.
    h, U = h.copy(), U.copy()
    for j in range(len(U)):
        label = 1.0 if j == 0 else 0.0
        error = 1 / (1 + np.exp(-(U[j] @ h))) - label
        h -= lr * error * U[j]
        U[j] -= lr * error * h
    return np.vstack([h, U])
""",
        solution="""
def step(h, U, lr):
    U, gradient = U.copy(), np.zeros_like(h)
    for j in range(len(U)):
        label = 1.0 if j == 0 else 0.0
        error = 1 / (1 + np.exp(-(U[j] @ h))) - label
        gradient += error * U[j]
        U[j] -= lr * error * h
    return np.vstack([h - lr * gradient, U])
""",
        hints=(
            "All slopes of one step are taken at one point. Which h does the second row see?",
            "h moves inside the loop, so U[0] is moved by the new h, and every later error is measured at another h.",
            "Collect the slope of h in an array of its own, and move h once, after the loop.",
        ),
        judge=code_judge("step", _step, _pair_step),
        wrong=(
            Wrong(
                "def step(h, U, lr):\n    h, U = h.copy(), U.copy()\n    for j in range(len(U)):\n"
                "        error = 1 / (1 + np.exp(-(U[j] @ h))) - (j == 0)\n        old = h.copy()\n"
                "        h -= lr * error * U[j]\n        U[j] -= lr * error * old\n    return np.vstack([h, U])",
                "value",
            ),
            Wrong(
                "def step(h, U, lr):\n    error = 1 / (1 + np.exp(-(U @ h))) - (np.arange(len(U)) == 0)\n"
                "    U = U - lr * np.outer(error, h)\n    return np.vstack([h - lr * error @ U, U])",
                "value",
            ),
            Wrong(
                "def step(h, U, lr):\n    error = 1 / (1 + np.exp(-(U @ h)))\n"
                "    return np.vstack([h - lr * error @ U, U - lr * np.outer(error, h)])",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.2-kept",
        kind="numeric",
        title="How much of “the” is left?",
        stub="""
# The word2vec program keeps a share √(t / f) + t / f of a word's occurrences, at most all; f is its share of all words. In the
# King James Bible, t = 1e-3: which share of "the" is kept? rec_lib.data.text.king_james() has .counts, .number(word), .tokens.
kept = NOT_YET
""",
        solution="""
from rec_lib.data.text import king_james

bible = king_james()
f = bible.counts[bible.number("the")] / len(bible.tokens)
kept = (1e-3 / f) ** 0.5 + 1e-3 / f
""",
        hints=(
            "f is a share of all words, between 0 and 1, not a count.",
            "Two terms: the root of t / f, and t / f itself. The paper prints the root alone.",
            "f is about 0.08; √(0.001 / f) + 0.001 / f.",
        ),
        judge=numeric_judge(
            _kept,
            0.002,
            "√(t / f) + t / f with t = 1e-3 and f the share of “the” among all words",
            traps=(
                (0.8776, "That share is discarded. How much is kept?"),
                (0.1102, "That is the paper's √(t / f). The program adds t / f."),
            ),
        ),
        wrong=(
            Wrong("kept = 0.8776", "discarded"),
            Wrong("kept = 0.1102", "paper"),
            Wrong("kept = 0.0122", "too small"),
            Wrong("kept = 12.24", "percentage"),
        ),
    ),
)
