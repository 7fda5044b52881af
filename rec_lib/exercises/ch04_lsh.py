"""Exercises of 4.6, the part of chapter 4 on search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong
from rec_lib.retrieval.probability import collision_without_offset

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    names = ("p", "K", "delta", "Q", "M", "s")
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in names})


def _codes(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of 3·size points in `size` tables of 2 hashes, and those of a query; few values, so that some agree."""
    return rng.integers(0, 3, (3 * size, size, 2)), rng.integers(0, 3, (size, 2))


def _candidates(codes: np.ndarray, query: np.ndarray) -> np.ndarray:
    return (codes == query).all(axis=2).any(axis=1)


def _finds_itself(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    codes, _ = args
    if bool(np.asarray(function(codes, codes[0]))[0]):
        return None
    return "a point whose codes are those of the query in every table must be a candidate; it is not"


def _one_table_is_enough(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    codes, query = (a.copy() for a in args)
    codes[0], codes[0, -1] = query + 1, query[-1]
    if bool(np.asarray(function(codes, query))[0]):
        return None
    return "OR of the tables: a point that agrees in all hashes of the last table only must be a candidate; it is not"


def _points(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    vectors = rng.integers(-8, 9, (size + 1, size)) / 4 - 0.06
    return vectors, rng.integers(-2, 3, size) / 2 + 0.25, 0.3, 1.0


def _bucket(vectors: np.ndarray, x: np.ndarray, b: float, w: float) -> np.ndarray:
    return np.floor((vectors @ x + b) / w).astype(np.int64)


def _buckets_are_equal(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    along = np.linspace(-2.95, 2.95, 60)[:, None]
    counts = np.unique(np.asarray(function(along, np.ones(1), 0.0, 1.0)), return_counts=True)[1]
    if len(counts) and counts.max() == counts.min():
        return None
    return (
        f"60 points evenly spread over six buckets of width 1 fell into {len(counts)} buckets, of {counts.max()} points "
        f"at most and {counts.min()} at least; every bucket must get 10"
    )


LSH = (
    Exercise(
        id="4.6-tables",
        kind="symbolic",
        title="How many tables are enough?",
        stub="""
# One hash collides with probability p, a table joins K hashes by AND, tables are joined by OR.
# Which L misses the pair with probability delta? Give L, written with p, K and delta (it need not be whole).
p, K, delta = sympy.symbols("p K delta", positive=True)
tables = NOT_YET
""",
        solution="""
p, K, delta = sympy.symbols("p K delta", positive=True)
tables = sympy.log(delta) / sympy.log(1 - p**K)
""",
        hints=(
            "Write down the probability that one table misses the pair, then that all L of them do.",
            "(1 − p^K)^L = delta. L stands in the exponent: what brings it down?",
            "Take the logarithm of both sides and divide.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("log(delta)/log(1 - p**K)"), {"p": (0.2, 0.9), "K": (1, 6), "delta": (0.01, 0.5)}
        ),
        wrong=(
            Wrong('p, K, delta = sympy.symbols("p K delta")\ntables = sympy.log(delta) / sympy.log(p**K)', "expected"),
            Wrong(
                'p, K, delta = sympy.symbols("p K delta")\ntables = sympy.log(1 - delta) / sympy.log(1 - p**K)',
                "expected",
            ),
            Wrong('p, K, delta = sympy.symbols("p K delta")\ntables = delta / (1 - p**K)', "expected"),
            Wrong('p, k = sympy.symbols("p k")\ntables = sympy.log(1 - p**k)', "symbols: got k"),
        ),
    ),
    Exercise(
        id="4.6-candidates",
        kind="code",
        title="Join hashes by AND and tables by OR",
        stub='''
def candidates(codes, query):
    """Which points share a bucket with the query.

    codes: (n, L, K) whole numbers, the codes of n points in L tables of K hashes      query: (L, K) those of the query
    returns (n,) True or False: a bucket is all K hashes of a table (AND), one table is enough (OR)
    """
    return NOT_YET
''',
        solution="""
def candidates(codes, query):
    same_bucket = (codes == query).all(axis=2)  # (n, L)
    return same_bucket.any(axis=1)
""",
        hints=(
            "codes == query compares all hashes of all points at once: what is the shape of the result?",
            "AND is over the hashes of one table, the last axis. OR is over the tables.",
            "(codes == query).all(axis=2) is (n, L); one more reduction is missing.",
        ),
        judge=code_judge(
            "candidates",
            _candidates,
            _codes,
            (Property("itself", _finds_itself), Property("one table is enough", _one_table_is_enough)),
        ),
        wrong=(
            Wrong("def candidates(codes, query):\n    return (codes == query).all(axis=(1, 2))", "one table is enough"),
            Wrong("def candidates(codes, query):\n    return (codes == query).any(axis=(1, 2))", "value"),
            Wrong("def candidates(codes, query):\n    return (codes == query).any(axis=1).all(axis=1)", "value"),
            Wrong("def candidates(codes, query):\n    return (codes == query).all(axis=2)", "shape"),
        ),
    ),
    Exercise(
        id="4.6-middle-bucket",
        kind="bug",
        title="Find the silent bug: one bucket is always twice as wide as its neighbours",
        stub='''
def bucket(vectors, x, b, w):
    """h(v) = ⌊(x·v + b)/w⌋ of each row of vectors (n, d), with one direction x (d,). Return (n,) int64."""
    return ((vectors @ x + b) / w).astype(np.int64)
''',
        solution="""
def bucket(vectors, x, b, w):
    return np.floor((vectors @ x + b) / w).astype(np.int64)
""",
        hints=(
            "Which bucket is too wide? Put numbers from −2 to 2 through the last line and look.",
            "astype(int) cuts the digits off. What does that do to −0.3, and what does ⌊−0.3⌋ do?",
            "np.floor goes down, astype goes towards zero: everything between −w and w lands in bucket 0.",
        ),
        judge=code_judge("bucket", _bucket, _points, (Property("equal buckets", _buckets_are_equal),)),
        wrong=(
            Wrong(
                "def bucket(vectors, x, b, w):\n    return np.trunc((vectors @ x + b) / w).astype(np.int64)",
                "equal buckets",
            ),
            Wrong(
                "def bucket(vectors, x, b, w):\n    return np.round((vectors @ x + b) / w).astype(np.int64)", "value"
            ),
            Wrong(
                "def bucket(vectors, x, b, w):\n    return np.floor(vectors @ x / w + b).astype(np.int64) + 1", "value"
            ),
            Wrong("def bucket(vectors, x, b, w):\n    return np.floor((vectors @ x + b) / w)", "dtype"),
        ),
    ),
    Exercise(
        id="4.6-no-offset",
        kind="numeric",
        title="Measure a collision without b",
        stub="""
# Draw 1 000 000 directions x from N(0, 1). The bucket of a number v is floor(x v / w), without b, and w is 1.
# How often do v = 0.1 and v = 0.6 share a bucket?
share = NOT_YET
""",
        solution="""
x = np.random.default_rng(0).standard_normal(1_000_000)
share = (np.floor(x * 0.1) == np.floor(x * 0.6)).mean()
""",
        hints=(
            "x is one array of a million numbers; every bucket is then an array of a million whole numbers.",
            "np.floor(x * 0.1) and np.floor(x * 0.6): compare them entry by entry.",
            "The mean of an array of True and False is the share of True.",
        ),
        judge=numeric_judge(
            lambda: float(collision_without_offset(0.1, 0.5, 1.0)),
            5e-3,
            "the mean of floor(x · 0.1) == floor(x · 0.6) over many x",
            traps=(
                (0.6095, "This is the rate with b, which is the same everywhere. Leave b out."),
                (0.4522, "Negative x count too: floor(-0.01) and floor(-0.06) are equal."),
            ),
        ),
        wrong=(
            Wrong("share = 0.6095", "rate with b"),
            Wrong("share = 0.5", "too small"),
            Wrong("share = '90 %'", "type"),
        ),
    ),
    Exercise(
        id="4.6-inner-product",
        kind="symbolic",
        title="Turn the largest inner product into the nearest neighbour",
        stub="""
# A model's score is q·v, not a distance. Give every film v one more coordinate, sqrt(M² − ‖v‖²), with M the longest
# ‖v‖, and the query q a 0 there. Write the squared distance of the two longer vectors with s = q·v, Q = ‖q‖ and M.
s, Q, M = sympy.symbols("s Q M", positive=True)
squared_distance = NOT_YET
""",
        solution="""
s, Q, M = sympy.symbols("s Q M", positive=True)
squared_distance = Q**2 + M**2 - 2 * s
""",
        hints=(
            "‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b. What are the three parts for the longer vectors?",
            "The longer film vector has the squared length ‖v‖² + (M² − ‖v‖²).",
            "The new coordinate adds nothing to the inner product, because the query has a 0 there.",
        ),
        judge=symbolic_judge(lambda: _symbols("Q**2 + M**2 - 2*s"), {"s": (0.05, 0.45), "Q": (0.5, 2), "M": (1, 3)}),
        wrong=(
            Wrong('s, Q, M = sympy.symbols("s Q M")\nsquared_distance = Q**2 + M**2 - s', "expected"),
            Wrong('s, Q, M = sympy.symbols("s Q M")\nsquared_distance = Q**2 - M**2 - 2 * s', "expected"),
            Wrong('s, Q, M = sympy.symbols("s Q M")\nsquared_distance = sympy.sqrt(Q**2 + M**2 - 2 * s)', "expected"),
        ),
    ),
)
