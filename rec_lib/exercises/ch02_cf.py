"""Exercises of 2.2, collaborative filtering."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("c", "s", "n", "B1", "B2")})


def _ratings(rng: Rng, size: int) -> tuple[np.ndarray, int, int]:
    """Stars of size + 2 users for size + 2 items, NaN where not rated, and two items that are asked for.

    Every user rated something, and not everybody rated both.
    """
    users = size + 2
    R = rng.integers(1, 6, (users, size + 2)).astype(float)
    R[rng.random(R.shape) < 0.35] = np.nan
    R[:2, :2] = rng.integers(1, 6, (2, 2))
    R[2, 0], R[2, 1] = 4.0, np.nan
    order = rng.permutation(size + 2)
    a, b = np.argsort(order)[:2]  # where items 0 and 1 are now
    return R[:, order], int(a), int(b)


def _adjusted(R: np.ndarray, a: int, b: int) -> float:
    rest = R - np.nanmean(R, axis=1, keepdims=True)
    both = ~np.isnan(R[:, a]) & ~np.isnan(R[:, b])
    x, y = rest[both, a], rest[both, b]
    below = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / below) if below > 1e-12 else 0.0


def _blind_to_tempers(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    R, a, b = args
    shift = rng.integers(-3, 4, (len(R), 1)).astype(float)
    before, after = float(function(R, a, b)), float(function(R + shift, a, b))
    if abs(before - after) < 1e-9:
        return None
    return (
        f"if some users give a few stars more to everything, the similarity of two items must stay; it was {before:.4g} "
        f"and became {after:.4g}"
    )


def _no_variance(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    R, a, b = args
    flat = np.where(np.isnan(R), np.nan, 3.0)
    value = float(function(flat, a, b))
    return (
        None
        if value == 0
        else f"if everybody gives 3 stars to everything there is nothing to compare: expected 0, got {value}"
    )


def _only_who_rated_both(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    R, a, b = args
    moved = R.copy()
    moved[2, a] = 1.0  # this user has not rated b
    before, after = float(function(R, a, b)), float(function(moved, a, b))
    if abs(before - after) < 1e-9:
        return None
    return (
        "only users who rated both items count, in the norms too; another star from a user who rated one of them moved "
        f"the similarity from {before:.4g} to {after:.4g}"
    )


def _list_of(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores of 2·size + 2 items, most of them 0, items seen among the first, and a k that the rest can fill."""
    n = 2 * size + 2
    scores = np.zeros(n)
    scores[rng.choice(n, size, replace=False)] = rng.permutation(size) + 1.0
    seen = np.sort(rng.choice(n, size, replace=False))
    return scores, seen, n - size


def _k_places(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    scores, seen, k = args
    got = np.asarray(function(scores, seen, k))
    if got.ndim == 1 and len(set(got.tolist())) == len(got) == k:
        return None
    return f"expected {k} different items; got {got.tolist()}"


def _nothing_seen(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    scores, seen, k = args
    again = sorted(set(np.asarray(function(scores, seen, k)).tolist()) & set(seen.tolist()))
    return f"item {again[0]} is recommended, and the user has seen it" if again else None


def _best_first(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    scores, seen, k = args
    got = np.asarray(function(scores, seen, k))
    best = np.sort(np.delete(scores, seen))[::-1][:k]
    if np.array_equal(scores[got], best):  # equal scores may stand in any order
        return None
    return f"the best unseen item comes first; expected the scores {best.tolist()}, got {scores[got].tolist()}"


@cache
def _places_in_the_head(k: int) -> float:
    from rec_lib.data.holdouts import leave_two_out
    from rec_lib.experiments.cf import head_items, movielens
    from rec_lib.models import UserCF

    _, test = leave_two_out(movielens(), seed=0)
    model = UserCF(k=k).fit(test)
    items, _ = model.recommend(test.users, 10)
    return float(head_items(model.popularity)[items].mean())


CF = (
    Exercise(
        id="2.2-temper",
        kind="symbolic",
        title="What cosine makes of the same taste and another temper",
        stub="""
# User j gives b_p stars to n films. User i has the same taste and another temper: c·b_p + s stars to each of them.
# Their cosine, written with c, s, n, B1 = Σ b_p and B2 = Σ b_p²:
c, s, n, B1, B2 = sympy.symbols("c s n B1 B2", positive=True)
cosine = NOT_YET
""",
        solution="""
c, s, n, B1, B2 = sympy.symbols("c s n B1 B2", positive=True)
cosine = (c * B2 + s * B1) / sympy.sqrt((c**2 * B2 + 2 * c * s * B1 + n * s**2) * B2)
""",
        hints=(
            "Three sums are needed: of the products, of the squares of i, of the squares of j. Which of them is B2?",
            "Σ (c b + s) b = c B2 + s B1. Now square c b + s before you sum.",
            "Σ (c b + s)² = c² B2 + 2 c s B1 + n s²: the last term is a constant, summed over n films.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("(c*B2 + s*B1)/sqrt((c**2*B2 + 2*c*s*B1 + n*s**2)*B2)"),
            {"c": (0.3, 3), "s": (0.3, 3), "n": (2, 6), "B1": (2, 8), "B2": (9, 30)},
        ),
        wrong=(
            Wrong("cosine = sympy.Integer(1)", "expected"),
            Wrong(
                'c, s, n, B1, B2 = sympy.symbols("c s n B1 B2")\n'
                "cosine = (c * B2 + s * B1) / sympy.sqrt((c**2 * B2 + 2 * c * s * B1 + s**2) * B2)",
                "expected",
            ),
            Wrong(
                'c, s, n, B1, B2 = sympy.symbols("c s n B1 B2")\n'
                "cosine = (c * B2 + s * B1) / sympy.sqrt((c**2 * B2 + n * s**2) * B2)",
                "expected",
            ),
            Wrong('c, b = sympy.symbols("c b")\ncosine = c * b', "symbols: got b"),
        ),
    ),
    Exercise(
        id="2.2-adjusted",
        kind="code",
        title="Write the adjusted cosine of two items",
        stub='''
def adjusted_cosine(R, a, b):
    """R: (users, items) stars, NaN where a user has not rated. Return the adjusted cosine of items a and b, a float.

    Take off each user's mean, over all that the user rated. All three sums run over the users who rated both items.
    The answer is 0 where there is nothing to divide by.
    """
    return NOT_YET
''',
        solution="""
def adjusted_cosine(R, a, b):
    rest = R - np.nanmean(R, axis=1, keepdims=True)
    both = ~np.isnan(R[:, a]) & ~np.isnan(R[:, b])
    x, y = rest[both, a], rest[both, b]
    below = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / below) if below > 1e-12 else 0.0
""",
        hints=(
            "np.nanmean(R, axis=1, keepdims=True) is (users, 1). Whose mean is it, and whose would axis=0 give?",
            "Only users who rated both count, above and below: both = ~np.isnan(R[:, a]) & ~np.isnan(R[:, b]).",
            "With x and y the rests of these users: Σxy / √(Σx² Σy²), and 0 if the root is 0.",
        ),
        judge=code_judge(
            "adjusted_cosine",
            _adjusted,
            _ratings,
            (
                Property("tempers", _blind_to_tempers),
                Property("no variance", _no_variance),
                Property("who counts", _only_who_rated_both),
            ),
        ),
        wrong=(
            Wrong(
                "def adjusted_cosine(R, a, b):\n    rest = R - np.nanmean(R, axis=0)\n"
                "    both = ~np.isnan(R[:, a]) & ~np.isnan(R[:, b])\n    x, y = rest[both, a], rest[both, b]\n"
                "    below = np.sqrt((x**2).sum() * (y**2).sum())\n"
                "    return float((x * y).sum() / below) if below > 1e-12 else 0.0",
                "few stars more to everything",
            ),
            Wrong(
                "def adjusted_cosine(R, a, b):\n    rest = R - np.nanmean(R, axis=1, keepdims=True)\n"
                "    x, y = rest[:, a], rest[:, b]\n"
                "    below = np.sqrt(np.nansum(x**2) * np.nansum(y**2))\n"
                "    return float(np.nansum(x * y) / below) if below > 1e-12 else 0.0",
                "only users who rated both items count",
            ),
            Wrong(
                "def adjusted_cosine(R, a, b):\n    rest = R - np.nanmean(R, axis=1, keepdims=True)\n"
                "    both = ~np.isnan(R[:, a]) & ~np.isnan(R[:, b])\n    x, y = rest[both, a], rest[both, b]\n"
                "    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))",
                "there is nothing to compare",
            ),
            Wrong(
                "def adjusted_cosine(R, a, b):\n    x, y = np.nan_to_num(R[:, a]), np.nan_to_num(R[:, b])\n"
                "    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))",
                "few stars more to everything",
            ),
            Wrong(
                "def adjusted_cosine(R, a, b):\n    rest = R - np.nanmean(R, axis=1, keepdims=True)\n"
                "    both = ~np.isnan(R[:, 0]) & ~np.isnan(R[:, 1])\n    x, y = rest[both, 0], rest[both, 1]\n"
                "    below = np.sqrt((x**2).sum() * (y**2).sum())\n"
                "    return float((x * y).sum() / below) if below > 1e-12 else 0.0",
                "value",
            ),
        ),
    ),
    Exercise(
        id="2.2-seen",
        kind="bug",
        title="Find the silent bug: some users are offered what they have seen",
        stub='''
def top_unseen(scores, seen, k):
    """scores: (items,), 0 where no neighbour says anything. seen: positions that the user has. Return the k best others."""
    left = scores.copy()
    left[seen] = 0
    return np.argsort(-left, kind="stable")[:k]
''',
        solution="""
def top_unseen(scores, seen, k):
    left = scores.copy()
    left[seen] = -np.inf
    return np.argsort(-left, kind="stable")[:k]
""",
        hints=(
            "For whom does it go wrong: users with many neighbours, or with few? Try three items, two of them with score 0.",
            "An item with score 0 is not forbidden: it ties with everything that nobody speaks for.",
            "What has been seen needs a score below every other one, whatever the others are.",
        ),
        judge=code_judge(
            "top_unseen",
            None,
            _list_of,
            (
                Property("places", _k_places),
                Property("nothing seen", _nothing_seen),
                Property("best first", _best_first),
            ),
        ),
        wrong=(
            Wrong(
                "def top_unseen(scores, seen, k):\n    return np.argsort(-scores, kind='stable')[:k]",
                "the user has seen it",
            ),
            Wrong(
                "def top_unseen(scores, seen, k):\n    order = np.argsort(-scores, kind='stable')[:k]\n"
                "    return order[~np.isin(order, seen)]",
                "different items",
            ),
            Wrong(
                "def top_unseen(scores, seen, k):\n    left = scores.copy()\n    left[seen] = np.inf\n"
                "    return np.argsort(left, kind='stable')[:k]",
                "the best unseen item comes first",
            ),
        ),
    ),
    Exercise(
        id="2.2-head",
        kind="numeric",
        title="Measure what many neighbours do to the list",
        stub="""
# Fit UserCF with k = 500 on the training pairs of leave_two_out(ml, seed=0), recommend ten films to every test user.
# Which share of all these places goes to the 84 films that most users took? (UserCF's other settings as they are.)
share = NOT_YET
""",
        solution="""
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.movielens import load
from rec_lib.models import UserCF

_, test = leave_two_out(load(), seed=0)
model = UserCF(k=500).fit(test)
items, scores = model.recommend(test.users, 10)
head = np.argsort(-model.popularity, kind="stable")[:84]
share = np.isin(items, head).mean()
""",
        hints=(
            "leave_two_out gives two Interactions, for validation and for the test. Fit on the second.",
            "model.recommend(test.users, 10) gives ids and scores; model.popularity holds each film's share of the users.",
            "head = np.argsort(-model.popularity)[:84]; then the mean of np.isin(items, head).",
        ),
        judge=numeric_judge(
            lambda: _places_in_the_head(500),
            0.01,
            "the mean of np.isin(items, head) over all users and places",
            traps=(
                (0.7148, "That is k = 50, the default: hand k = 500 to UserCF."),
                (0.05, "84 films are 5 % of the films, not of the places."),
            ),
        ),
        wrong=(
            Wrong("share = 0.05", "not of the places"),
            Wrong("share = 91.0", "too large"),
            Wrong("share = [0.9]", "one number"),
        ),
    ),
    Exercise(
        id="2.2-products",
        kind="numeric",
        title="Count what one night of UserCF costs",
        stub="""
# A shop has 1 000 000 users and 10 000 items, and every item was bought by 1 000 users.
# How many products does the sparse R Rᵀ take, with which all similarities of users are computed?
products = NOT_YET
""",
        solution="""
products = 10_000 * 1_000**2
""",
        hints=(
            "Go item by item, not pair of users by pair of users: how many pairs of users does one item touch?",
            "An item with d users adds one product to each ordered pair of them, itself included.",
            "Σ_p d_p² with d_p = 1 000 for each of the 10 000 items.",
        ),
        judge=numeric_judge(
            1e10,
            1e-6,
            "Σ_p d_p² over the items",
            traps=(
                (
                    1e16,
                    "That is m²n, every pair of users over every item. Items that two users do not share cost nothing.",
                ),
                (1e12, "That is m², the number of pairs. Most of them share no item."),
                (1e7, "That is the number of purchases."),
                (9.99e9, "That leaves out each user's product with itself: R Rᵀ has a diagonal."),
                (4.995e9, "That counts each pair of users once: R Rᵀ has both halves, and a diagonal."),
                (5e9, "That is half of the matrix: R Rᵀ has both halves."),
            ),
        ),
        wrong=(
            Wrong("products = 1_000_000**2 * 10_000", "every pair of users over every item"),
            Wrong("products = 1_000_000**2", "number of pairs"),
            Wrong("products = 10_000 * 1_000", "number of purchases"),
            Wrong("products = 10_000 * 1_000 * 999", "has a diagonal"),
            Wrong("products = 10_000 * 1_000 * 999 // 2", "each pair of users once"),
            Wrong("products = None", "None"),
        ),
    ),
)
