"""Exercises of 4.4.1, the part of chapter 4 on DeepWalk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _sessions(rng: Rng, size: int) -> tuple[list[list[int]], int]:
    """Sessions of items 0..n−1 with a repeat, a session of one item, and an item that nothing follows."""
    n = size + 3
    sessions = [rng.integers(0, n - 1, int(k)).tolist() for k in rng.integers(1, 5, size + 1)]
    return [*sessions, [0, 0, 1], [1, n - 1]], n


def _jump_matrix(sessions: list[list[int]], n: int) -> np.ndarray:
    M = np.zeros((n, n))
    for session in sessions:
        for u, v in zip(session[:-1], session[1:], strict=True):
            if u != v:
                M[u, v] += 1
    total = M.sum(1, keepdims=True)
    return np.divide(M, total, out=np.zeros_like(M), where=total > 0)


def _rows(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    sessions, n = args
    P = np.asarray(function(sessions, n), float)
    if P.shape != (n, n):
        return f"return a matrix of shape ({n}, {n}); got {P.shape}"
    if not np.isfinite(P).all():
        return "a node without out-edges has a row of zeros; yours has NaN there (0 / 0)"
    total = P.sum(1)
    bad = np.flatnonzero((np.abs(total - 1) > 1e-9) & (np.abs(total) > 1e-9))
    return (
        f"row {bad[0]} adds up to {total[bad[0]]:.3g}; a row is a law (1) or, for a sink, empty (0)"
        if len(bad)
        else None
    )


def _stays(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    sessions, n = args
    P = np.asarray(function(sessions, n), float)
    return "a step from an item to itself makes no edge: the diagonal must be 0" if np.diag(P).any() else None


def _weights(rng: Rng, size: int) -> tuple[np.ndarray, int]:
    """Weights of a directed graph in which every node has an edge out and an edge in, and a node of it."""
    n = size + 3
    A = rng.integers(1, 5, (n, n)) * (rng.random((n, n)) < 0.5).astype(float)
    A[np.arange(n), (np.arange(n) + 1) % n] = rng.integers(1, 5, n)
    np.fill_diagonal(A, 0)
    return A, int(rng.integers(n))


def _law(A: np.ndarray, v: int) -> np.ndarray:
    return A[v] / A[v].sum()


def _along(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    A = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    if np.argmax(np.asarray(function(A, 0))) == 1:
        return None
    return "on the ring 0 → 1 → 2 → 0 the walk from 0 must go to 1; yours goes against the arrow"


@cache
def _valjean() -> float:
    from rec_lib.data.graphs import les_miserables

    graph = les_miserables()
    strength = np.bincount(graph.rows, graph.weights)
    return float(strength[graph.names.index("Valjean")] / strength.sum())


_A, _B, _C, _D = sympy.symbols("a b c d", positive=True)
_POSITIVE = {name: (0.3, 3) for name in "abcd"}

DEEPWALK = (
    Exercise(
        id="4.4.1-two-jumps",
        kind="symbolic",
        title="How likely is the walk home after two jumps?",
        stub="""
a, b, c, d = sympy.symbols("a b c d", positive=True)
# Weights: 1 → 2 is a, 1 → 3 is b, 2 → 1 is a, 3 → 1 is c, 3 → 4 is d. No other edges.
home = NOT_YET  # P(the walk is at 1 after two jumps, having started at 1)
""",
        solution="""
a, b, c, d = sympy.symbols("a b c d", positive=True)
home = a / (a + b) + b / (a + b) * c / (c + d)
""",
        hints=(
            "There are two ways home: over 2 and over 3. What is the probability of each of their jumps?",
            "From 2 there is only one way on. From 3 the way home is taken with probability c / (c + d).",
            "a/(a + b) · 1  +  b/(a + b) · c/(c + d).",
        ),
        judge=symbolic_judge(_A / (_A + _B) + _B / (_A + _B) * _C / (_C + _D), _POSITIVE),
        wrong=(
            Wrong('a, b, c, d = sympy.symbols("a b c d", positive=True)\nhome = a / (a + b) * c / (c + d)', "expected"),
            Wrong('a, b, c, d = sympy.symbols("a b c d", positive=True)\nhome = a * a + b * c', "expected"),
            Wrong('a, b, c, d = sympy.symbols("a b c d", positive=True)\nhome = a / (a + b) + c / (c + d)', "expected"),
            Wrong('a, b, x = sympy.symbols("a b x", positive=True)\nhome = a / (a + b) + x', "x"),
        ),
    ),
    Exercise(
        id="4.4.1-jumps",
        kind="code",
        title="Make the law of the jumps from sessions",
        stub="""
def jump_matrix(sessions, n):
    # sessions: lists of items 0..n-1. Return P (n, n): P[i, j] is the probability that a walk on i jumps to j.
    # A step from an item to itself makes no edge. An item that nothing follows has a row of zeros.
    return NOT_YET
""",
        solution="""
def jump_matrix(sessions, n):
    M = np.zeros((n, n))
    for session in sessions:
        for u, v in zip(session[:-1], session[1:]):
            if u != v:
                M[u, v] += 1
    total = M.sum(axis=1, keepdims=True)
    return M / np.where(total > 0, total, 1)
""",
        hints=(
            "First count: M[u, v] is how often v stands right behind u. Which pairs does a session of three items hold?",
            "zip(session[:-1], session[1:]) gives them. Leave out u == v.",
            "Divide each row by its sum; where the sum is 0, divide by 1 instead.",
        ),
        judge=code_judge(
            "jump_matrix", _jump_matrix, _sessions, (Property("rows", _rows), Property("diagonal", _stays))
        ),
        wrong=(
            Wrong(
                "def jump_matrix(sessions, n):\n    M = np.zeros((n, n))\n    for s in sessions:\n"
                "        for u, v in zip(s[:-1], s[1:]):\n            if u != v:\n                M[u, v] += 1\n"
                "    with np.errstate(all='ignore'):\n        return M / M.sum(1, keepdims=True)",
                "NaN",
            ),
            Wrong(
                "def jump_matrix(sessions, n):\n    M = np.zeros((n, n))\n    for s in sessions:\n"
                "        for u, v in zip(s[:-1], s[1:]):\n            M[u, v] += 1\n"
                "    t = M.sum(1, keepdims=True)\n    return M / np.where(t > 0, t, 1)",
                "diagonal",
            ),
            Wrong(
                "def jump_matrix(sessions, n):\n    M = np.zeros((n, n))\n    for s in sessions:\n"
                "        for u, v in zip(s[:-1], s[1:]):\n            if u != v:\n                M[u, v] += 1\n"
                "    return M / M.sum()",
                "adds up to",
            ),
            Wrong(
                "def jump_matrix(sessions, n):\n    M = np.zeros((n, n))\n    for s in sessions:\n"
                "        for u, v in zip(s[:-1], s[1:]):\n            if u != v:\n                M[u, v] = 1\n"
                "    t = M.sum(1, keepdims=True)\n    return M / np.where(t > 0, t, 1)",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.4.1-bug",
        kind="bug",
        title="Find out why the walk of a shop runs backwards",
        stub="""
def next_law(A, v):
    # A[u, v] is how often v followed u. Every test on the karate club passes. In the shop, walks run from basket to search.
    return A[:, v] / A[:, v].sum()
""",
        solution="""
def next_law(A, v):
    return A[v] / A[v].sum()
""",
        hints=(
            "What is special about the karate club that the shop is not? Compare A with its transpose.",
            "The karate club is undirected: A is symmetric, so its rows are its columns. In the shop they are not.",
            "Row v holds what followed v: A[v] / A[v].sum().",
        ),
        judge=code_judge("next_law", _law, _weights, (Property("arrow", _along),)),
        wrong=(
            Wrong("def next_law(A, v):\n    return A[:, v] / A[v].sum()", "against the arrow"),
            Wrong("def next_law(A, v):\n    S = A + A.T\n    return S[v] / S[v].sum()", "value"),
            Wrong("def next_law(A, v):\n    return (A[v] > 0) / (A[v] > 0).sum()", "value"),
            Wrong("def next_law(A, v):\n    return A[v]", "value"),
        ),
    ),
    Exercise(
        id="4.4.1-visits",
        kind="numeric",
        title="Which share of all visits does Valjean get?",
        stub="""
# Long walks on Les Misérables, from every node: which share of all visits falls on Valjean?
# rec_lib.data.graphs.les_miserables gives the graph; walk, or use what was derived.
share = NOT_YET
""",
        solution="""
from rec_lib.data.graphs import les_miserables

graph = les_miserables()
strength = np.bincount(graph.rows, graph.weights)
share = strength[graph.names.index("Valjean")] / strength.sum()
""",
        hints=(
            "The walk is undirected. Where does a long walk spend its time?",
            "In proportion to the weight of a node's edges: graph.rows says in whose row each entry of graph.weights stands.",
            "np.bincount(graph.rows, graph.weights) is the weight at each node; divide Valjean's by the sum.",
        ),
        judge=numeric_judge(
            _valjean,
            0.04,
            "the weight of Valjean's edges over the weight at all nodes",
            traps=(
                (36 / 508, "That is his share of the edges. The walk goes by their weight."),
                (1 / 77, "That would be every node alike."),
            ),
        ),
        wrong=(
            Wrong("share = 36 / 508", "share of the edges"),
            Wrong("share = 1 / 77", "every node alike"),
            Wrong("share = 9.6", "percentage"),
            Wrong("share = np.array([0.1, 0.2])", "one number"),
        ),
    ),
)
