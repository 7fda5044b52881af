"""Exercises of 4.4.3, the part of chapter 4 on EGES."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _item(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slots (S + 1, d) with one decimal, a (S + 1,), and which are there; the item itself always is, the last is missing."""
    slots = size + 2
    present = rng.random(slots) < 0.6
    present[0], present[-1] = True, False
    return rng.integers(-20, 21, (slots, size)) / 10, rng.integers(-10, 11, slots) / 10, present


def _vector(W: np.ndarray, a: np.ndarray, present: np.ndarray) -> np.ndarray:
    e = np.exp(a) * present
    return e @ W / e.sum()


def _ignores_what_is_missing(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    W, a, present = args
    other = W + 7.0 * ~present[:, None]
    if np.allclose(function(W, a, present), function(other, a, present)):
        return None
    return "a slot that is missing must not matter: its vector was changed, and H changed with it"


def _equal_is_mean(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    W, _, present = args
    got, expected = np.asarray(function(W, np.zeros(len(W)), present)), W[present].mean(0)
    if got.shape == expected.shape and np.allclose(got, expected):
        return None
    return (
        f"with all a equal H is the mean of the slots that are there, {np.round(expected, 3)}; got {np.round(got, 3)}"
    )


def _batch(rng: Rng, size: int) -> tuple[np.ndarray]:
    return (rng.integers(-10, 11, (size + 1, size + 2)) / 10,)


def _softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a)
    return e / e.sum(1, keepdims=True)


def _alone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    (a,) = args
    whole, alone = np.asarray(function(a)), np.asarray(function(a[:1]))
    if whole.shape == a.shape and np.allclose(whole[:1], alone):
        return None
    return "an item's weights must not depend on which other items are in the batch; these do"


@cache
def _category_weight() -> float:
    from rec_lib.data.item_worlds import shop
    from rec_lib.embeddings import EGES

    place = shop(np.random.default_rng(0), "driven")
    model = EGES(place.graph(), place.sides)
    model.fit(np.random.default_rng(0))
    return float(model.weights[(place.driven_by == 0) & ~place.cold, 1].mean())


_EPS, _W, _S0, _S1 = sympy.symbols("epsilon w s0 s1")

EGES = (
    Exercise(
        id="4.4.3-weight",
        kind="symbolic",
        title="What does a weight feel, with two slots?",
        stub="""
epsilon, w, s0, s1 = sympy.symbols("epsilon w s0 s1")
# Two slots: the item itself (0) and one attribute (1). w is the attribute's weight e^a1 / (e^a0 + e^a1),
# s0 and s1 are W^0 · Z and W^1 · Z, and epsilon = sigmoid(H · Z) - y.
slope = NOT_YET  # ∂L/∂a1
""",
        solution="""
epsilon, w, s0, s1 = sympy.symbols("epsilon w s0 s1")
slope = epsilon * w * (1 - w) * (s1 - s0)
""",
        hints=(
            "H · Z = (1 − w) s0 + w s1. Which part of it depends on a1?",
            "∂w/∂a1 = w (1 − w), as for any sigmoid; ∂(H · Z)/∂w = s1 − s0.",
            "Chain rule: ε · (s1 − s0) · w (1 − w).",
        ),
        judge=symbolic_judge(
            _EPS * _W * (1 - _W) * (_S1 - _S0), {"epsilon": (-1, 1), "w": (0.1, 0.9), "s0": (-2, 2), "s1": (-2, 2)}
        ),
        wrong=(
            Wrong('epsilon, w, s1 = sympy.symbols("epsilon w s1")\nslope = epsilon * w * s1', "expected"),
            Wrong('epsilon, w, s0, s1 = sympy.symbols("epsilon w s0 s1")\nslope = epsilon * (s1 - s0)', "expected"),
            Wrong(
                'epsilon, w, s0, s1 = sympy.symbols("epsilon w s0 s1")\nslope = epsilon * w * (1 - w) * (s0 - s1)',
                "expected",
            ),
            Wrong('epsilon, x = sympy.symbols("epsilon x")\nslope = epsilon * x', "x"),
        ),
    ),
    Exercise(
        id="4.4.3-vector",
        kind="code",
        title="Mix an item's vector",
        stub="""
def item_vector(W, a, present):
    # W: (S + 1, d), the item's own vector first; a: (S + 1,); present: (S + 1,) bool, which slots the item has.
    # Return H (d,): the mean of the slots that are there, weighted by e^a.
    return NOT_YET
""",
        solution="""
def item_vector(W, a, present):
    e = np.exp(a) * present
    return e @ W / e.sum()
""",
        hints=(
            "How can a missing slot get the weight 0, and the others still add up to 1?",
            "Set e^a of the missing slots to 0 before you add up.",
            "e = np.exp(a) * present; H = e @ W / e.sum().",
        ),
        judge=code_judge(
            "item_vector",
            _vector,
            _item,
            (Property("missing", _ignores_what_is_missing), Property("mean", _equal_is_mean)),
        ),
        wrong=(
            Wrong("def item_vector(W, a, present):\n    e = np.exp(a)\n    return e @ W / e.sum()", "must not matter"),
            Wrong(
                "def item_vector(W, a, present):\n    e = np.exp(a * present)\n    return e @ W / e.sum()",
                "must not matter",
            ),
            Wrong(
                "def item_vector(W, a, present):\n    return (a * present) @ W / (a * present).sum()",
                "with all a equal",
            ),
            Wrong(
                "def item_vector(W, a, present):\n    e = np.exp(a) * present\n    return e @ W / len(a)",
                "with all a equal",
            ),
        ),
    ),
    Exercise(
        id="4.4.3-bug",
        kind="bug",
        title="Find out why a film's weights change with its company",
        stub="""
def attention(a):
    # a: (B, S + 1), one row an item of the batch. Training runs and all weights are positive.
    # But the same film has other weights in another batch.
    e = np.exp(a)
    return e / e.sum(axis=0)
""",
        solution="""
def attention(a):
    e = np.exp(a)
    return e / e.sum(axis=1, keepdims=True)
""",
        hints=(
            "What must add up to 1? Print the sums over the rows and over the columns for a batch of two.",
            "axis=0 adds over the items of the batch: each attribute is shared out among the films.",
            "e / e.sum(axis=1, keepdims=True): over the slots of one item.",
        ),
        judge=code_judge("attention", _softmax, _batch, (Property("company", _alone),)),
        wrong=(
            Wrong("def attention(a):\n    e = np.exp(a)\n    return e / e.sum()", "depend on which other items"),
            Wrong("def attention(a):\n    return a / a.sum(axis=1, keepdims=True)", "value"),
            Wrong("def attention(a):\n    return np.exp(a)", "value"),
        ),
    ),
    Exercise(
        id="4.4.3-driven",
        kind="numeric",
        title="How much does EGES give the attribute that drives an item?",
        stub="""
# The shop of rec_lib.data.item_worlds: shop(np.random.default_rng(0), "driven"). Train EGES on its graph and its sides with
# the settings that it comes with. driven_by is 0 where the category drives an item; weights has the item itself in column 0.
# What is the mean weight of the category over the warm items that it drives?
weight = NOT_YET
""",
        solution="""
from rec_lib.data.item_worlds import shop
from rec_lib.embeddings import EGES

place = shop(np.random.default_rng(0), "driven")
model = EGES(place.graph(), place.sides)
model.fit(np.random.default_rng(1))
weight = model.weights[(place.driven_by == 0) & ~place.cold, 1].mean()
""",
        hints=(
            "EGES(place.graph(), place.sides).fit(rng) trains; model.weights is (n, S + 1).",
            "Column 0 is the item itself; place.sides.names says which column comes after it.",
            "model.weights[(place.driven_by == 0) & ~place.cold, 1].mean()",
        ),
        judge=numeric_judge(
            _category_weight,
            0.1,
            "the mean of column 1 of model.weights over warm items with driven_by == 0",
            traps=((0.25, "That is the equal share of four slots: GES."),),
        ),
        wrong=(
            Wrong("weight = 0.25", "GES"),
            Wrong("weight = 0.16", "too small"),
            Wrong("weight = 49", "percentage"),
            Wrong("weight = np.array([0.2, 0.5])", "one number"),
        ),
    ),
)
