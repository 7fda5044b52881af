"""Exercises of 4.5, the part of chapter 4 on embeddings inside networks and on recall by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong
from rec_lib.retrieval.base import recall_at_k
from rec_lib.retrieval.exact import ExactIndex

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("p1", "p2", "q1", "q2")})


# --- scatter-add -------------------------------------------------------------------------------------------------------


def _looked_up(rng: Rng, size: int) -> tuple[Tensor, Tensor, int]:
    """ids (B,) of a table of size + 2 rows, some twice; g (B, 2)."""
    rows = size + 2
    return torch.from_numpy(rng.integers(0, size + 1, 2 * size)), numbers(rng, 2 * size, 2), rows


def _table_gradient(ids: Tensor, g: Tensor, rows: int) -> Tensor:
    return torch.zeros(rows, g.shape[1]).index_add_(0, ids, g)


def _twice(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(torch.tensor([1, 1]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 3)
    if torch.is_tensor(got) and torch.allclose(got[1], torch.tensor([4.0, 6.0])):
        return None
    return "id 1 was looked up twice, with (1, 2) and (3, 4) coming down: its row must get the sum (4, 6)"


def _never(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    ids, g, rows = args
    got = function(ids, g, rows)
    if not got[rows - 1].any():
        return None
    return f"row {rows - 1} was not looked up: its gradient must be exactly 0"


# --- mean of watches ---------------------------------------------------------------------------------------------------


def _watched(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    """e (size + 3, 2) and histories (3, size + 1), the last of them empty; 0 pads."""
    history = rng.integers(1, size + 3, (3, size + 1))
    history[0, size:], history[2] = 0, 0
    return numbers(rng, size + 3, 2), torch.from_numpy(history)


def _mean_of_watches(e: Tensor, history: Tensor) -> Tensor:
    real = (history != 0).to(e.dtype)
    return (e[history] * real.unsqueeze(2)).sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)


def _more_padding(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    e, history = args
    wider = torch.cat([history, torch.zeros(len(history), 3, dtype=history.dtype)], dim=1)
    if torch.allclose(function(e, wider), function(e, history), equal_nan=True):
        return None
    return "three more columns of padding changed the vectors: padding is nobody's watch"


def _empty(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    e, history = args
    got = function(e, torch.zeros_like(history))
    if torch.isfinite(got).all() and not got.any():
        return None
    return "somebody who watched nothing must get the vector of zeros, not NaN and not the vector of the padding"


# --- a leak ------------------------------------------------------------------------------------------------------------


def _watches(rng: Rng, size: int) -> tuple[np.ndarray, int, int]:
    """size + 2 different watches in the order of time, the place of the one to guess, T."""
    return rng.permutation(90)[: size + 2] + 2, int(rng.integers(0, size + 2)), size


def _history_before(watches: np.ndarray, t: int, T: int) -> np.ndarray:
    last = watches[max(0, t - T) : t]
    return np.pad(last, (0, T - len(last)))


def _no_leak(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    watches, t, T = args
    got = np.asarray(function(watches, t, T))
    if watches[t] not in got:
        return None
    return f"the watch to guess, {watches[t]}, stands in its own history {got.tolist()}: training knows the answer, serving does not"


# --- search ------------------------------------------------------------------------------------------------------------


@cache
def _recall_by_distance() -> float:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2000, 16)) * rng.lognormal(0, 0.5, (2000, 1))
    queries = rng.normal(size=(200, 16))
    true = np.argsort(-(queries @ vectors.T), axis=1)[:, :100]
    return recall_at_k(ExactIndex().build(vectors).query(queries, 100)[0], true)


EMBEDDING_DEEP = (
    Exercise(
        id="4.5-table-gradient",
        kind="code",
        title="Write the backward pass of an embedding layer",
        stub='''
def table_gradient(ids, g, rows):
    """Gradient of a table with that many rows, of which ids (B,) were looked up, where g (B, D) comes down from above.

    Return (rows, D). Without autograd and without a one-hot matrix.
    """
    return NOT_YET
''',
        solution="""
def table_gradient(ids, g, rows):
    return torch.zeros(rows, g.shape[1]).index_add_(0, ids, g)
""",
        hints=(
            "Start from zeros: most rows were not looked up. What happens to an id that comes twice?",
            "grad[ids] = g writes the second over the first, and grad[ids] += g reads before it writes: both lose one.",
            "index_add_ adds row b of g to row ids[b], one after the other. (Or a loop over b.)",
        ),
        judge=code_judge(
            "table_gradient", _table_gradient, _looked_up, (Property("twice", _twice), Property("never", _never))
        ),
        wrong=(
            Wrong(
                "def table_gradient(ids, g, rows):\n    grad = torch.zeros(rows, g.shape[1])\n    grad[ids] = g\n    return grad",
                "must get the sum",
            ),
            Wrong(
                "def table_gradient(ids, g, rows):\n    grad = torch.zeros(rows, g.shape[1])\n    grad[ids] += g\n    return grad",
                "must get the sum",
            ),
            Wrong("def table_gradient(ids, g, rows):\n    return g", "shape"),
        ),
    ),
    Exercise(
        id="4.5-which-is-real",
        kind="symbolic",
        title="Which of two candidates was watched?",
        stub="""
# Two films stand before you. One was watched: it came from the law of this user, which gives them p1 and p2.
# The other was drawn from popularity, which gives them q1 and q2. Which probability has "film 1 was watched"?
p1, p2, q1, q2 = sympy.symbols("p1 p2 q1 q2", positive=True)
probability = NOT_YET
""",
        solution="""
p1, p2, q1, q2 = sympy.symbols("p1 p2 q1 q2", positive=True)
probability = p1 * q2 / (p1 * q2 + p2 * q1)
""",
        hints=(
            "There are two stories. Write down the probability of each: who came from where?",
            "If film 1 was watched, film 2 was drawn: p1·q2. The other story is p2·q1.",
            "Bayes: the first story divided by the sum of both.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("p1*q2/(p1*q2 + p2*q1)"),
            {"p1": (0.1, 0.9), "p2": (0.1, 0.9), "q1": (0.1, 0.9), "q2": (0.1, 0.9)},
        ),
        wrong=(
            Wrong('p1, p2 = sympy.symbols("p1 p2")\nprobability = p1 / (p1 + p2)', "expected"),
            Wrong(
                'p1, p2, q1, q2 = sympy.symbols("p1 p2 q1 q2")\nprobability = p1 * q1 / (p1 * q1 + p2 * q2)', "expected"
            ),
            Wrong('p1, q1 = sympy.symbols("p1 q1")\nprobability = p1 / q1', "expected"),
        ),
    ),
    Exercise(
        id="4.5-mean-of-watches",
        kind="code",
        title="Average what was watched",
        stub='''
def mean_of_watches(e, history):
    """The mean of the watched vectors of each row.

    e: (V, D) table      history: (B, T) ids, padded with 0      returns (B, D); zeros where nothing was watched
    """
    return NOT_YET
''',
        solution="""
def mean_of_watches(e, history):
    real = (history != 0).to(e.dtype)  # (B, T)
    total = (e[history] * real.unsqueeze(2)).sum(dim=1)  # (B, D)
    return total / real.sum(dim=1, keepdim=True).clamp(min=1)
""",
        hints=(
            "e[history] is (B, T, D). Which of its T vectors must not count?",
            "Multiply by the mask (history != 0) before adding up, and divide by how many are real.",
            "Nobody divides by 0: .clamp(min=1) on the count turns the empty mean into zeros.",
        ),
        judge=code_judge(
            "mean_of_watches",
            _mean_of_watches,
            _watched,
            (Property("padding", _more_padding), Property("empty", _empty)),
        ),
        wrong=(
            Wrong("def mean_of_watches(e, history):\n    return e[history].mean(dim=1)", "padding"),
            Wrong(
                "def mean_of_watches(e, history):\n    real = (history != 0).to(e.dtype)\n"
                "    return (e[history] * real.unsqueeze(2)).mean(dim=1)",
                "padding",
            ),
            Wrong(
                "def mean_of_watches(e, history):\n    real = (history != 0).to(e.dtype)\n"
                "    return (e[history] * real.unsqueeze(2)).sum(dim=1) / real.sum(dim=1, keepdim=True)",
                "watched nothing",
            ),
            Wrong(
                "def mean_of_watches(e, history):\n    real = (history != 0).to(e.dtype)\n"
                "    return (e[history] * real.unsqueeze(2)).sum(dim=1)",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.5-too-good",
        kind="bug",
        title="Find the silent bug: the training loss is wonderful, the recommendations are not",
        stub='''
def history_before(watches, t, T):
    """The last T watches before place t, oldest first, padded with 0 behind: what may be known when watches[t] is guessed."""
    last = watches[max(0, t - T + 1) : t + 1]
    return np.pad(last, (0, T - len(last)))
''',
        solution="""
def history_before(watches, t, T):
    last = watches[max(0, t - T) : t]
    return np.pad(last, (0, T - len(last)))
""",
        hints=(
            "Call it with watches = [10, 20, 30], t = 2, T = 2. Which film is to be guessed, and what does the network see?",
            "A slice a[x:y] ends before y. What is the last index of the slice in the stub?",
            "Both ends are one too late: the window must end before t and begin T places earlier.",
        ),
        judge=code_judge("history_before", _history_before, _watches, (Property("no leak", _no_leak),)),
        wrong=(
            Wrong(
                "def history_before(watches, t, T):\n    last = watches[max(0, t - T) : t + 1][-T:]\n    return np.pad(last, (0, T - len(last)))",
                "stands in its own history",
            ),
            Wrong("def history_before(watches, t, T):\n    last = watches[max(0, t - T + 1) : t]\n    return np.pad(last, (0, T - len(last)))", "value"),
            Wrong("def history_before(watches, t, T):\n    return watches[max(0, t - T) : t]", "shape"),
            Wrong("def history_before(watches, t, T):\n    last = watches[max(0, t - T) : t][::-1]\n    return np.pad(last, (0, T - len(last)))", "value"),
        ),
    ),
    Exercise(
        id="4.5-wrong-neighbour",
        kind="numeric",
        title="Measure what the plain distance finds",
        stub="""
# 2000 vectors of different lengths, 200 queries. Which share of the 100 largest inner products is among the 100 nearest
# by plain distance? ExactIndex().build(vectors).query(queries, 100)[0] are the nearest; recall_at_k(found, true) compares.
rng = np.random.default_rng(0)
vectors = rng.normal(size=(2000, 16)) * rng.lognormal(0, 0.5, (2000, 1))
queries = rng.normal(size=(200, 16))
recall = NOT_YET
""",
        solution="""
from rec_lib.retrieval import ExactIndex, recall_at_k

rng = np.random.default_rng(0)
vectors = rng.normal(size=(2000, 16)) * rng.lognormal(0, 0.5, (2000, 1))
queries = rng.normal(size=(200, 16))
true = np.argsort(-(queries @ vectors.T), axis=1)[:, :100]
recall = recall_at_k(ExactIndex().build(vectors).query(queries, 100)[0], true)
""",
        hints=(
            "queries @ vectors.T is (200, 2000): all inner products. Which 100 columns of each row are the largest?",
            "true = np.argsort(-(queries @ vectors.T), axis=1)[:, :100]; the minus turns the order round.",
            "recall = recall_at_k(found, true), with found from ExactIndex. Both are (200, 100).",
        ),
        judge=numeric_judge(
            _recall_by_distance,
            0.01,
            "recall_at_k of the 100 nearest against the 100 largest inner products",
            traps=((1.0, "Nearest and largest are the same only for vectors of one length. Compare the two lists."),
                   (0.05, "That is what 100 vectors at random would find.")),
        ),
        wrong=(
            Wrong("recall = 1.0", "of one length"),
            Wrong("recall = 0.05", "at random"),
            Wrong("recall = -1.0", "wrong sign"),
        ),
    ),
)  # fmt: skip
