"""Exercises of 2.6, the part of chapter 2 on boosted trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from rec_lib.exercises.judges import Property, code_judge, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("n", "k", "p0")})


def _leaves(rng: Rng, size: int) -> tuple[np.ndarray, int]:
    """Leaf numbers of size + 1 samples in `size` trees of 3 leaves, or 4."""
    n_leaves = 3 + size // 3
    return rng.integers(0, n_leaves, (size + 1, size)), n_leaves


def _code(leaf: np.ndarray, n_leaves: int) -> np.ndarray:
    return (leaf[:, :, None] == np.arange(n_leaves)).reshape(len(leaf), -1).astype(int)


def _one_a_tree(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    leaf, n_leaves = args
    ones = np.asarray(function(leaf, n_leaves)).sum(axis=1)
    if (ones == leaf.shape[1]).all():
        return None
    return f"a sample falls into one leaf of each of {leaf.shape[1]} trees; its code has {ones[0]} ones"


def _own_columns(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    trees, n_leaves = 2, args[1]
    alike = np.asarray(function(np.array([[1, 1], [1, 1]]), n_leaves))[0]
    columns = np.flatnonzero(alike)
    if len(columns) == trees and columns.tolist() == [1, n_leaves + 1]:
        return None
    return (
        f"leaf 1 of tree 1 and leaf 1 of tree 2 are columns 1 and {n_leaves + 1}; the code is 1 in {columns.tolist()}"
    )


def _folded(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = 4 * size
    return rng.integers(0, size + 1, n), rng.integers(0, 2, n).astype(float), rng.permutation(np.arange(n) % 2)


def _rates(ids: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    out = np.empty(len(ids))
    for row in range(len(ids)):
        others = (ids == ids[row]) & (fold != fold[row])
        out[row] = (y[others].sum() + 0.5) / (others.sum() + 1)
    return out


def _blind_to_itself(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    ids, y, fold = args
    turned = y.copy()
    turned[0] = 1 - turned[0]
    before, after = (float(np.asarray(function(ids, labels, fold))[0]) for labels in (y, turned))
    if abs(before - after) < 1e-9:
        return None
    return (
        f"the rate of row 0 goes from {before:.3g} to {after:.3g} when row 0's own label is turned; a tree "
        "that reads this feature reads the answer"
    )


def _blind_to_its_fold(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    ids, y, fold = np.array([0, 0, 0]), np.array([1.0, 0.0, 1.0]), np.array([0, 0, 1])
    turned = np.array([1.0, 1.0, 1.0])
    before, after = (float(np.asarray(function(ids, labels, fold))[0]) for labels in (y, turned))
    if abs(before - after) < 1e-9:
        return None
    return (
        f"rows 0 and 1 are of one fold; the rate of row 0 goes from {before:.3g} to {after:.3g} when row 1's label is turned, "
        "and only the other fold may be counted"
    )


TREES = (
    Exercise(
        id="2.6-leaf-code",
        kind="code",
        title="Turn leaves into LR's input",
        stub='''
def leaf_code(leaf, n_leaves):
    """The one-hot code of leaves, trees side by side.

    leaf: (B, T) whole numbers from 0, the leaf that each sample reaches in each tree      n_leaves: leaves of every tree
    returns (B, T · n_leaves), whole numbers 0 and 1
    """
    return NOT_YET
''',
        solution="""
def leaf_code(leaf, n_leaves):
    code = leaf[:, :, None] == np.arange(n_leaves)  # (B, T, L)
    return code.reshape(len(leaf), -1).astype(int)
""",
        hints=(
            "How many ones has a row of the code, with T trees? And which column belongs to leaf 0 of the second tree?",
            "Compare each leaf number with 0, 1, … n_leaves − 1: one more axis, by leaf[:, :, None].",
            "(leaf[:, :, None] == np.arange(n_leaves)) is (B, T, L); reshape lays the trees side by side.",
        ),
        judge=code_judge(
            "leaf_code", _code, _leaves, (Property("one leaf a tree", _one_a_tree), Property("columns", _own_columns))
        ),
        wrong=(
            Wrong("def leaf_code(leaf, n_leaves):\n    return leaf", "shape"),
            Wrong(
                "def leaf_code(leaf, n_leaves):\n    code = np.zeros((len(leaf), leaf.shape[1] * n_leaves), int)\n"
                "    np.put_along_axis(code, leaf, 1, axis=1)\n    return code",
                "its code has 1 ones",
            ),
            Wrong(
                "def leaf_code(leaf, n_leaves):\n    code = leaf[:, None, :] == np.arange(n_leaves)[:, None]\n"
                "    return code.reshape(len(leaf), -1).astype(int)",
                "columns 1 and 4",
            ),
            Wrong(
                "def leaf_code(leaf, n_leaves):\n    code = leaf[:, :, None] <= np.arange(n_leaves)\n"
                "    return code.reshape(len(leaf), -1).astype(int)",
                "one leaf of each",
            ),
            Wrong(
                "def leaf_code(leaf, n_leaves):\n    return (leaf[:, :, None] == np.arange(3)).reshape(len(leaf), -1).astype(int)",
                "shape",
            ),
        ),
    ),
    Exercise(
        id="2.6-first-leaf",
        kind="symbolic",
        title="The first tree's leaf, in clicks and samples",
        stub="""
# Before the first tree every sample has the same probability p0. A leaf holds n samples, k of them clicked.
# Give the value that the leaf adds to their log-odds (no lambda), written with n, k and p0.
n, k, p0 = sympy.symbols("n k p0", positive=True)
value = NOT_YET
""",
        solution="""
n, k, p0 = sympy.symbols("n k p0", positive=True)
value = (k - n * p0) / (n * p0 * (1 - p0))
""",
        hints=(
            "The value is −G/H. What is g of a sample that clicked, and of one that did not?",
            "k samples have g = p0 − 1 and n − k have g = p0. All have the same h.",
            "G = n p0 − k and H = n p0 (1 − p0).",
        ),
        judge=symbolic_judge(
            lambda: _symbols("(k - n*p0)/(n*p0*(1 - p0))"), {"n": (10, 50), "k": (1, 9), "p0": (0.1, 0.9)}
        ),
        wrong=(
            Wrong('n, k, p0 = sympy.symbols("n k p0")\nvalue = (n * p0 - k) / (n * p0 * (1 - p0))', "-1.00 ×"),
            Wrong('n, k, p0 = sympy.symbols("n k p0")\nvalue = (k - n * p0) / n', "expected"),
            Wrong('n, k, p0 = sympy.symbols("n k p0")\nvalue = sympy.log(k / (n - k))', "expected"),
            Wrong('n, k, p = sympy.symbols("n k p")\nvalue = (k - n * p) / (n * p * (1 - p))', "symbols: got p"),
        ),
    ),
    Exercise(
        id="2.6-rates",
        kind="bug",
        title="Find the silent bug: AUC 0.9 on the training rows, and less than before on new ones",
        stub='''
def click_rates(ids, y, fold):
    """For each row the click rate of its id among the rows of the other fold, as a feature for the trees.

    ids, y, fold: (n,) arrays; fold is 0 or 1      returns (n,): (clicks + 0.5) / (rows + 1), so 0.5 where there is nothing
    """
    rates = np.empty(len(ids))
    for row in range(len(ids)):
        others = ids == ids[row]
        rates[row] = (y[others].sum() + 0.5) / (others.sum() + 1)
    return rates
''',
        solution="""
def click_rates(ids, y, fold):
    rates = np.empty(len(ids))
    for row in range(len(ids)):
        others = (ids == ids[row]) & (fold != fold[row])
        rates[row] = (y[others].sum() + 0.5) / (others.sum() + 1)
    return rates
""",
        hints=(
            "Which rows are counted for row 0? Is row 0 among them?",
            "An id that occurs once has the rate 0.75 if it was clicked and 0.25 if not: a tree needs one split to read the label.",
            "fold is an argument, and the function does not use it.",
        ),
        judge=code_judge(
            "click_rates",
            _rates,
            _folded,
            (Property("own label", _blind_to_itself), Property("own fold", _blind_to_its_fold)),
        ),
        wrong=(
            Wrong(
                "def click_rates(ids, y, fold):\n    return np.array([(y[(ids == i) & (fold == f)].sum() + 0.5) / "
                "(((ids == i) & (fold == f)).sum() + 1) for i, f in zip(ids, fold)])",
                "own label",
            ),
            Wrong(
                "def click_rates(ids, y, fold):\n    rates = np.empty(len(ids))\n    for row in range(len(ids)):\n"
                "        others = ids == ids[row]\n        others[row] = False\n"
                "        rates[row] = (y[others].sum() + 0.5) / (others.sum() + 1)\n    return rates",
                "rows 0 and 1 are of one fold",
            ),
            Wrong(
                "def click_rates(ids, y, fold):\n    rates = np.empty(len(ids))\n    for row in range(len(ids)):\n"
                "        others = (ids == ids[row]) & (fold != fold[row])\n"
                "        rates[row] = y[others].sum() / max(others.sum(), 1)\n    return rates",
                "value",
            ),
            Wrong(
                "def click_rates(ids, y, fold):\n    rates = np.empty(len(ids))\n    for row in range(len(ids)):\n"
                "        others = (ids == ids[row]) & (np.arange(len(ids)) % 2 != row % 2)\n"
                "        rates[row] = (y[others].sum() + 0.5) / (others.sum() + 1)\n    return rates",
                "value",
            ),
            Wrong("def click_rates(ids, y, fold):\n    return np.full(len(ids), y.mean())", "own label"),
        ),
    ),
    Exercise(
        id="2.6-off-by-two",
        kind="numeric",
        title="The normalised entropy of a forecast that is twice too high",
        stub="""
# 2 % of the impressions are clicked. A model says 4 % every time. What is its normalised entropy, against the 2 %?
ne = NOT_YET
""",
        solution="""
b, p = 0.02, 0.04
loss = -(b * math.log(p) + (1 - b) * math.log(1 - p))
ne = loss / -(b * math.log(b) + (1 - b) * math.log(1 - b))
""",
        hints=(
            "NE is a log loss over an entropy. What share of the rows has −log 0.04, and what share −log 0.96?",
            "The loss is −(0.02 log 0.04 + 0.98 log 0.96).",
            "Below it stands the same with 0.02 in both logarithms: −(0.02 log 0.02 + 0.98 log 0.98).",
        ),
        judge=numeric_judge(
            lambda: float((0.02 * np.log(0.04) + 0.98 * np.log(0.96)) / (0.02 * np.log(0.02) + 0.98 * np.log(0.98))),
            1e-3,
            "log loss of the forecast 0.04 over the entropy of the rate 0.02",
            traps=(
                (
                    0.62153,
                    "This divides by the entropy of the forecast's 4 %. Below stands what knowing the click rate, 2 %, costs.",
                ),
                (0.10439, "This is the log loss. Divide by the entropy of the click rate."),
                (1.0, "1 is the NE of a forecast that says the click rate itself. This one says twice as much."),
                (2.0, "2 is the ratio of the rates. NE is a ratio of losses."),
            ),
        ),
        wrong=(
            Wrong("ne = 0.10439", "Divide by the entropy"),
            Wrong("ne = 1.0", "says twice as much"),
            Wrong("ne = 2.0", "ratio of losses"),
            Wrong("ne = 0.6216", "entropy of the forecast"),
            Wrong("ne = None", "type"),
        ),
    ),
)
