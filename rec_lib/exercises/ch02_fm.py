"""Exercises of 2.5, the part of chapter 2 on POLY2, FM and FFM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, scales, symbolic_judge
from rec_lib.exercises.laws import differentiable
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("a", "b", "c")})


# --- the field-aware term --------------------------------------------------------------------------------------------


def _field_vectors(rng: Rng, size: int) -> tuple[Tensor]:
    return (numbers(rng, 2, size + 1, size + 1, size),)


def _ffm_term(v: Tensor) -> Tensor:
    return torch.triu((v * v.transpose(1, 2)).sum(dim=3), diagonal=1).sum(dim=(1, 2))


def _own_field_rests(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    v = args[0]
    moved = v.clone()
    moved.diagonal(dim1=1, dim2=2).add_(1.0)
    before, after = function(v), function(moved)
    if bool(((before - after).abs() < 1e-4).all()):
        return None
    return f"v[:, f, f] is for a partner in the own field, and there is none: it must not count; got {show(before)}, and {show(after)} with other numbers there"


def _meant_for_each_other(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    v = torch.zeros(1, 3, 3, 1)
    v[0, 0, 1], v[0, 1, 2], v[0, 2, 0] = 1.0, 1.0, 1.0  # 0 has one for 1, 1 has one for 2, 2 has one for 0: no two meet
    got = function(v)
    if bool((got.abs() < 1e-5).all()):
        return None
    return f"field 0 has a vector for field 1 only, 1 for 2 only, 2 for 0 only. No two are meant for each other, so the answer is 0; got {show(got)}"


# --- numbering pairs -------------------------------------------------------------------------------------------------


def _users_and_films(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    n_users, n_films = size + 1, 2 * size + 3
    user, film = np.divmod(np.arange(n_users * n_films), n_films)
    order = rng.permutation(len(user))
    return user[order], film[order], n_users, n_films


def _one_number_a_pair(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    user, film, n_users, n_films = args
    got = np.asarray(function(*args))
    if got.shape != user.shape:
        return f"expected one number for each of the {len(user)} pairs, got shape {got.shape}"
    order = np.argsort(got, kind="stable")
    for first, second in zip(order, order[1:], strict=False):
        if got[first] == got[second]:
            return (
                f"user {user[first]} with film {film[first]} and user {user[second]} with film {film[second]} both got the number {got[first]}: "
                "two pairs share a weight"
            )
    return None


def _no_row_to_spare(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    _, _, n_users, n_films = args
    got = np.asarray(function(*args))
    if got.min() >= 0 and got.max() < n_users * n_films:
        return None
    return f"the table has n_users · n_films = {n_users * n_films} rows, numbered from 0; got numbers from {got.min()} to {got.max()}"


def _large_numbers(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    n_users, n_films = 3_000_000, 5_000_000
    user, film = rng.integers(n_users, size=1000), rng.integers(n_films, size=1000)
    got = np.asarray(function(user, film, n_users, n_films))
    if (
        got.min() >= 0 and got.max() >= 2**32
    ):  # a thousand pairs of all these are not all among the first 4 thousand million
        return None
    row = int(got.argmin())
    return (
        f"3 million users and 5 million films make 15 million million pairs. User {user[row]} with film {film[row]} got the number {got[row]}, "
        f"and the largest of 1000 pairs is {got.max()}: 32 bits do not hold them all"
    )


def _whole(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    got = np.asarray(function(*args))
    return None if got.dtype.kind in "iu" else f"the number of a row is a whole one; got {got.dtype}, {show(got[:3])}"


def _alone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    user, film, n_users, n_films = args
    among, alone = np.asarray(function(*args))[-1], np.asarray(function(user[-1:], film[-1:], n_users, n_films))[0]
    if among == alone:
        return None
    return f"user {user[-1]} with film {film[-1]} has the number {alone} when asked for alone, and {among} among others"


FM = (
    Exercise(
        id="2.5-unseen",
        kind="symbolic",
        title="The weight of a pair that nobody has seen",
        stub="""
# FM with vectors of one number. Three pairs are known, their weights are the products of two numbers each:
#     user 1 and film 1: a        user 1 and film 2: b        user 2 and film 1: c
# User 2 and film 2 never met. Which weight does FM give to this pair? Write it with a, b and c.
a, b, c = sympy.symbols("a b c", positive=True)
weight = NOT_YET
""",
        solution="""
a, b, c = sympy.symbols("a b c", positive=True)
weight = b * c / a
""",
        hints=(
            "Give each of the four a number of its own, u1, u2, f1, f2, and write down the three weights that are known.",
            "a = u1·f1, b = u1·f2, c = u2·f1. The one that is wanted is u2·f2.",
            "Multiply b and c: u1 and f1 stand in the product, and in a.",
        ),
        judge=symbolic_judge(lambda: _symbols("b*c/a"), {"a": (0.5, 2), "b": (0.5, 2), "c": (0.5, 2)}),
        wrong=(
            Wrong('a, b, c = sympy.symbols("a b c")\nweight = b + c - a', "expected"),
            Wrong("weight = sympy.Integer(0)", "expected"),
            Wrong('a, b, c = sympy.symbols("a b c")\nweight = (a + b + c) / 3', "expected"),
            Wrong('u2, f2 = sympy.symbols("u2 f2")\nweight = u2 * f2', "symbols: got"),
        ),
    ),
    Exercise(
        id="2.5-ffm-term",
        kind="code",
        title="Let each pair use the vectors that are meant for each other",
        stub='''
def ffm_term(v):
    """Σ_{f<g} <v[f, g], v[g, f]> for each sample.

    v: (B, F, F, D), v[:, f, g] is the vector that field f's value has for partners in field g      returns (B,)
    """
    return NOT_YET
''',
        solution="""
def ffm_term(v):
    products = (v * v.transpose(1, 2)).sum(dim=3)
    return torch.triu(products, diagonal=1).sum(dim=(1, 2))
""",
        hints=(
            "Where does the partner of v[:, f, g] stand? Write the two places down for f = 0, g = 1.",
            "v.transpose(1, 2) has at (f, g) what v has at (g, f). Multiply the two and add up the last axis: that is (B, F, F).",
            "Each pair stands in that square twice, and the diagonal is no pair: torch.triu(…, diagonal=1).",
        ),
        judge=code_judge(
            "ffm_term",
            _ffm_term,
            _field_vectors,
            properties=(
                Property("own field", _own_field_rests),
                Property("partners", _meant_for_each_other),
                scales(2),
                differentiable("v", 0, _ffm_term),
            ),
        ),
        wrong=(
            Wrong(
                "def ffm_term(v):\n    return torch.triu((v * v).sum(dim=3), diagonal=1).sum(dim=(1, 2))",
                "No two are meant for each other",
            ),
            Wrong(
                "def ffm_term(v):\n    return torch.triu((v * v.transpose(1, 2)).sum(dim=3)).sum(dim=(1, 2))",
                "own field",
            ),
            Wrong(
                "def ffm_term(v):\n    p = (v * v.transpose(1, 2)).sum(dim=3)\n    return p.sum(dim=(1, 2)) - p.diagonal(dim1=1, dim2=2).sum(dim=1)",
                "2.00 ×",
            ),
            Wrong(
                "def ffm_term(v):\n    own = v.diagonal(dim1=1, dim2=2).transpose(1, 2)\n    return 0.5 * (own.sum(1).square() - own.square().sum(1)).sum(1)",
                "own field",
            ),
            Wrong(
                "def ffm_term(v):\n    return torch.triu((v * v.transpose(1, 2)).sum(dim=3), diagonal=1).sum()", "shape"
            ),
        ),
    ),
    Exercise(
        id="2.5-pair-number",
        kind="bug",
        title="Find the silent bug: a weight for every pair, and yet films share weights",
        stub='''
def pair_number(user, film, n_users, n_films):
    """Number each pair of a user (0 … n_users − 1) and a film (0 … n_films − 1): the row of POLY2's table, no hash.

    user, film: (B,) int64      returns (B,) int64, from 0 to n_users · n_films − 1, another one for every pair
    """
    return user * n_users + film
''',
        solution="""
def pair_number(user, film, n_users, n_films):
    return user * n_films + film
""",
        hints=(
            "Take 2 users and 5 films and number all ten pairs by hand. Where does user 1 begin?",
            "A user's row of the table has one place for each film. By how much must the number grow from one user to the next?",
            "Nobody notices while there are as many users as films. The stride is the length of a row, n_films.",
        ),
        judge=code_judge(
            "pair_number",
            None,
            _users_and_films,
            properties=(
                Property("one number a pair", _one_number_a_pair),
                Property("whole numbers", _whole),
                Property("a pair alone", _alone),
                Property("rows of the table", _no_row_to_spare),
                Property("whole numbers of 64 bits", _large_numbers),
            ),
        ),
        wrong=(
            Wrong(
                "def pair_number(user, film, n_users, n_films):\n    return user + film * n_films", "rows of the table"
            ),
            Wrong("def pair_number(user, film, n_users, n_films):\n    return user + film", "two pairs share a weight"),
            Wrong("def pair_number(user, film, n_users, n_films):\n    return user * film", "two pairs share a weight"),
            Wrong(
                "def pair_number(user, film, n_users, n_films):\n    return user * 1000 + film",
                "rows of the table",
            ),
            Wrong(
                "def pair_number(user, film, n_users, n_films):\n    return (user * n_films + film).astype(np.int32)",
                "32 bits",
            ),
            Wrong(
                "def pair_number(user, film, n_users, n_films):\n    return (user * n_films + film) % 2**31",
                "32 bits",
            ),
            Wrong(
                "def pair_number(user, film, n_users, n_films):\n    return user * float(n_films) + film",
                "whole one; got float64",
            ),
            Wrong(
                "def pair_number(user, film, n_users, n_films):\n    return np.arange(len(user))",
                "when asked for alone",
            ),
        ),
    ),
    Exercise(
        id="2.5-alone",
        kind="numeric",
        title="Experiment: how many pairs have a row of the hashed table to themselves?",
        stub="""
rng = np.random.default_rng(0)
# 30 000 pairs are hashed into a table of 65 536 rows; each lands in any row with the same probability.
# Which share of the pairs shares its row with no other pair?
share = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
in_row = np.bincount(rng.integers(65_536, size=30_000), minlength=65_536)
share = (in_row == 1).sum() / 30_000
""",
        hints=(
            "rng.integers(65_536, size=30_000) draws a row for each pair. How many pairs are in each row?",
            "np.bincount counts them. A row with exactly one pair is a pair that is alone.",
            "Divide by the number of pairs, not of rows. On paper: (1 − 1/65536)^29999.",
        ),
        judge=numeric_judge(
            (1 - 1 / 65_536) ** 29_999,
            0.02,
            "the share of pairs in whose row no other pair lies, (1 − 1/rows)^(pairs − 1)",
            traps=(
                (1 - (1 - 1 / 65_536) ** 29_999, "This is the share of pairs that do share."),
                (30_000 / 65_536, "This is how many pairs a row has on average."),
                (1.0, "There are more rows than pairs, but a hash does not know which rows are taken."),
                (
                    30_000 / 65_536 * (1 - 1 / 65_536) ** 29_999,
                    "This is the share of the rows that hold exactly one pair. The question is about the share of the pairs.",
                ),
            ),
        ),
        wrong=(
            Wrong("share = 1.0", "does not know which rows are taken"),
            Wrong("share = 30_000 / 65_536", "on average"),
            Wrong(
                "in_row = np.bincount(np.random.default_rng(0).integers(65_536, size=30_000), minlength=65_536)\nshare = (in_row == 1).mean()",
                "share of the rows",
            ),
            Wrong(
                "in_row = np.bincount(np.random.default_rng(0).integers(65_536, size=30_000), minlength=65_536)\nshare = 1 - (in_row == 1).sum() / 30_000",
                "do share",
            ),
        ),
    ),
)
