"""Exercises of chapter 4, embeddings: 4.2 word2vec, 4.3 item2vec and two towers, 4.4.1 DeepWalk, 4.4.2 node2vec, 4.4.3 EGES,
4.5 embeddings and deep networks, 4.6 locality-sensitive hashing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.ch04_deepwalk import DEEPWALK
from rec_lib.exercises.ch04_eges import EGES
from rec_lib.exercises.ch04_embedding_deep import EMBEDDING_DEEP
from rec_lib.exercises.ch04_item2vec import ITEM2VEC
from rec_lib.exercises.ch04_lsh import LSH
from rec_lib.exercises.ch04_word2vec import WORD2VEC
from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong


def _weighted_graph(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    """A symmetric weight matrix without self-loops, an edge (t, v), p and q; every distance occurs in the larger ones."""
    n = size + 3
    a = np.triu(rng.integers(1, 4, (n, n)) * (rng.random((n, n)) < 0.6), 1).astype(float)
    a[np.arange(n - 1), np.arange(1, n)] = rng.integers(1, 4, n - 1)  # a path through all: no node is alone
    a = a + a.T
    t = int(rng.integers(n))
    v = int(rng.choice(np.flatnonzero(a[t])))
    p, q = (float(x) for x in rng.choice([0.25, 0.5, 2.0, 4.0], 2, replace=False))
    return a, t, v, p, q


def _transition(A: np.ndarray, t: int, v: int, p: float, q: float) -> np.ndarray:
    alpha = np.where(A[t] > 0, 1.0, 1 / q)
    alpha[t] = 1 / p
    pi = alpha * A[v]
    return pi / pi.sum()


def _adds_up(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
    total = float(np.sum(function(*args)))
    return None if abs(total - 1) < 1e-6 else f"probabilities add up to 1; yours add up to {total:.3g}"


def _deepwalk(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
    A, t, v, _, _ = args
    got, expected = np.asarray(function(A, t, v, 1.0, 1.0)), A[v] / A[v].sum()
    if np.shape(got) == expected.shape and np.allclose(got, expected):
        return None
    return f"with p = q = 1 the walk goes by weight alone, {np.round(expected, 3)}; got {np.round(got, 3)}"


def _far_counts(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
    A, t, v, p, _ = args
    far = (A[v] > 0) & (A[t] == 0)
    far[t] = False
    if not far.any():
        return None
    near, away = (float(np.asarray(function(A, t, v, p, q))[far].sum()) for q in (10.0, 0.1))
    return None if away > near + 1e-9 else "a smaller q must send the walk further from t, and it changes nothing here"


def _law(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    weights = rng.integers(1, 9, size + 1).astype(float)
    return (weights / weights.sum(),)


def _exact(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
    (P,) = args
    answer = function(P)
    if not isinstance(answer, tuple) or len(answer) != 2:
        return f"return two arrays, (U, alias); got {type(answer).__name__}"
    U, alias = np.asarray(answer[0], float), np.asarray(answer[1])
    if U.shape != P.shape or alias.shape != P.shape:
        return f"U and alias have shapes {U.shape} and {alias.shape}, expected {P.shape} both"
    if (U < -1e-9).any() or (U > 1 + 1e-9).any():
        return f"each column is filled from 0 to 1; your U is {np.round(U, 3)}"
    if alias.dtype.kind not in "iu" or (alias < 0).any() or (alias >= len(P)).any():
        return f"alias holds outcomes 0 to {len(P) - 1}; got {alias}"
    drawn = (U + np.bincount(alias, 1 - U, len(P))) / len(P)
    if np.allclose(drawn, P):
        return None
    return f"the table must draw with {np.round(P, 3)}; yours draws with {np.round(drawn, 3)}"


@cache
def _share_far() -> float:
    from rec_lib.data.graphs import les_miserables
    from rec_lib.embeddings import Walker
    from rec_lib.evaluation.graph import step_distances

    graph = les_miserables()
    walks = Walker(graph).walk(1.0, 0.1, 40, 80, rng=np.random.default_rng(0))
    return float((step_distances(graph, walks) == 2).mean())


_P, _Q = sympy.symbols("p q")

NODE2VEC = (
    Exercise(
        id="4.4.2-return",
        kind="symbolic",
        title="How likely is the way back?",
        stub="""
p, q = sympy.symbols("p q")
# The walk went t → v. v has four neighbours: t, one that t knows too, and two that t does not know. All weights are 1.
back = NOT_YET  # P(next node is t), in p and q
""",
        solution="""
p, q = sympy.symbols("p q")
back = (1 / p) / (1 / p + 1 + 2 / q)
""",
        hints=(
            "Write α for each of the four neighbours before you divide anything.",
            "They are 1/p, 1, 1/q and 1/q. A probability is one of them over their sum.",
            "(1/p) / (1/p + 1 + 2/q), which is also q / (q + pq + 2p).",
        ),
        judge=symbolic_judge((1 / _P) / (1 / _P + 1 + 2 / _Q), {"p": (0.2, 4), "q": (0.2, 4)}),
        wrong=(
            Wrong('p = sympy.Symbol("p")\nback = 1 / p', "expected"),
            Wrong('p, q = sympy.symbols("p q")\nback = (1 / p) / (1 / p + 1 + 1 / q)', "expected"),
            Wrong('p, q = sympy.symbols("p q")\nback = p / (p + 1 + 2 * q)', "expected"),
            Wrong('p, q, t = sympy.symbols("p q t")\nback = (1 / p) / (1 / p + t + 2 / q)', "t"),
        ),
    ),
    Exercise(
        id="4.4.2-transition",
        kind="code",
        title="Write the law of the next step",
        stub="""
def next_step(A, t, v, p, q):
    # A: (n, n) symmetric weights, 0 where there is no edge. The walk went t → v.
    # Return (n,): the probability of each node as the next one.
    return NOT_YET
""",
        solution="""
def next_step(A, t, v, p, q):
    alpha = np.where(A[t] > 0, 1.0, 1 / q)
    alpha[t] = 1 / p
    pi = alpha * A[v]
    return pi / pi.sum()
""",
        hints=(
            "Give every node an α first, by its distance from t. Which row of A says who is one edge from t?",
            "α is 1 where A[t] > 0, else 1/q; then set α[t] = 1/p. Multiply by the weights of v's edges.",
            "pi = alpha * A[v] is 0 where v has no edge. Return pi / pi.sum().",
        ),
        judge=code_judge(
            "next_step",
            _transition,
            _weighted_graph,
            (Property("sum", _adds_up), Property("p = q = 1", _deepwalk)),
        ),
        wrong=(
            Wrong(
                "def next_step(A, t, v, p, q):\n    alpha = np.where(A[t] > 0, 1.0, 1 / q)\n    alpha[t] = 1 / p\n"
                "    return alpha * A[v]",
                "add up to 1",
            ),
            Wrong(
                "def next_step(A, t, v, p, q):\n    alpha = np.where(A[t] > 0, 1.0, 1 / q)\n    alpha[t] = 1 / p\n"
                "    pi = alpha * (A[v] > 0)\n    return pi / pi.sum()",
                "by weight alone",
            ),
            Wrong(
                "def next_step(A, t, v, p, q):\n    alpha = np.where(A[t] > 0, 1.0, q)\n    alpha[t] = p\n"
                "    pi = alpha * A[v]\n    return pi / pi.sum()",
                "value",
            ),
            Wrong(
                "def next_step(A, t, v, p, q):\n    alpha = np.where(A[t] > 0, 1.0, 1 / q)\n    pi = alpha * A[v]\n"
                "    return pi / pi.sum()",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.4.2-alias",
        kind="code",
        title="Build an alias table",
        stub="""
def build_alias(P):
    # P: (n,) probabilities. Return (U, alias): a draw picks column i with probability 1/n,
    # then i with probability U[i], else alias[i]. Both arrays have n entries.
    return NOT_YET
""",
        solution="""
def build_alias(P):
    n = len(P)
    U, alias = n * np.asarray(P, float), np.arange(n)
    small = [i for i in range(n) if U[i] < 1]
    large = [i for i in range(n) if U[i] >= 1]
    while small and large:
        s, g = small.pop(), large.pop()
        alias[s] = g
        U[g] -= 1 - U[s]
        (small if U[g] < 1 else large).append(g)
    U[small + large] = 1
    return U, alias
""",
        hints=(
            "Scale first: U = nP, so that a full column has height 1. Which outcomes have too little, which too much?",
            "Take one that has too little, s, and one that has enough, g. g fills column s: alias[s] = g. What has g left?",
            "U[g] −= 1 − U[s]; put g back among the small or the large. What is left at the end is 1 but for rounding.",
        ),
        judge=code_judge("build_alias", None, _law, (Property("exact", _exact),)),
        wrong=(
            Wrong(
                "def build_alias(P):\n    n = len(P)\n    U, alias = n * P, np.arange(n)\n"
                "    alias[U < 1] = np.argmax(U)\n    return np.minimum(U, 1), alias",
                "the table must draw with",
            ),
            Wrong("def build_alias(P):\n    return P, np.arange(len(P))[::-1]", "the table must draw with"),
            Wrong("def build_alias(P):\n    return len(P) * P, np.arange(len(P))", "filled from 0 to 1"),
            Wrong("def build_alias(P):\n    return np.cumsum(P)", "two arrays"),
        ),
    ),
    Exercise(
        id="4.4.2-bug",
        kind="bug",
        title="Find out why q does nothing",
        stub="""
def biased_step(A, t, v, p, q):
    # The rows add up to one and no test of shapes complains. But the slider of q is dead.
    pi = A[v].copy()
    for x in np.flatnonzero(A[v]):
        if x == t:
            pi[x] = A[v, x] / p
        elif A[v, x] > 0:
            pi[x] = A[v, x]
        else:
            pi[x] = A[v, x] / q
    return pi / pi.sum()
""",
        solution="""
def biased_step(A, t, v, p, q):
    pi = A[v].copy()
    for x in np.flatnonzero(A[v]):
        if x == t:
            pi[x] = A[v, x] / p
        elif A[t, x] > 0:
            pi[x] = A[v, x]
        else:
            pi[x] = A[v, x] / q
    return pi / pi.sum()
""",
        hints=(
            "Which of the three branches can ever run? Try it on a graph of four nodes.",
            "Every x of the loop is a neighbour of v, so A[v, x] > 0 is always true. From which node is d counted?",
            "d_tx is the distance from t, not from v: the test must read A[t, x] > 0.",
        ),
        judge=code_judge("biased_step", _transition, _weighted_graph, (Property("q", _far_counts),)),
        wrong=(
            Wrong(
                "def biased_step(A, t, v, p, q):\n    pi = A[v].copy()\n    for x in np.flatnonzero(A[v]):\n"
                "        pi[x] = A[v, x] / (p if x == t else q)\n    return pi / pi.sum()",
                "value",
            ),
            Wrong(
                "def biased_step(A, t, v, p, q):\n    pi = A[v].copy()\n    for x in np.flatnonzero(A[v]):\n"
                "        pi[x] = A[v, x] / (p if x == t else q if A[t, x] > 0 else 1)\n    return pi / pi.sum()",
                "must send the walk further",
            ),
            Wrong(
                "def biased_step(A, t, v, p, q):\n    pi = A[v].copy()\n    for x in np.flatnonzero(A[v]):\n"
                "        pi[x] = A[v, x] / (p if x == t else 1 if A[t, x] > 0 else q)\n    return pi",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.4.2-share",
        kind="numeric",
        title="Measure how often a walk with q = 0.1 moves away",
        stub="""
# On Les Misérables, p = 1 and q = 0.1: which share of the steps t → v → x has d = 2?
# 40 walks a node of 80 nodes are enough. rec_lib.embeddings.Walker walks, rec_lib.evaluation.graph.step_distances counts.
share = NOT_YET
""",
        solution="""
from rec_lib.data.graphs import les_miserables
from rec_lib.embeddings import Walker
from rec_lib.evaluation.graph import step_distances

graph = les_miserables()
walks = Walker(graph).walk(p=1.0, q=0.1, num_walks=40, length=80, rng=np.random.default_rng(1))
share = (step_distances(graph, walks) == 2).mean()
""",
        hints=(
            "Walker(graph).walk(p, q, num_walks, length, rng=...) gives an array with one walk a row.",
            "step_distances(graph, walks) gives 0, 1 or 2 for each step but the first.",
            "Take the mean of step_distances(...) == 2. Mind which number is p and which is q.",
        ),
        judge=numeric_judge(
            _share_far,
            0.03,
            "the mean of step_distances(graph, walks) == 2 over all steps of the walks",
            traps=((0.2042, "That is the share at q = 1: DeepWalk's walk."),),
        ),
        wrong=(
            Wrong("share = 0.2042", "q = 1"),
            Wrong("share = 0.0322", "too small"),
            Wrong("share = 49.4", "percentage"),
            Wrong("share = np.array([0.2, 0.3, 0.5])", "one number"),
        ),
    ),
)

EXERCISES = (*WORD2VEC, *ITEM2VEC, *DEEPWALK, *NODE2VEC, *EGES, *EMBEDDING_DEEP, *LSH)
