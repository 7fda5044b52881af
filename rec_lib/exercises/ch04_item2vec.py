"""Exercises of 4.3, the part of chapter 4 on sets of items and on two towers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Judge, Outcome, Wrong

Rng = np.random.Generator


# --- pairs of a set ------------------------------------------------------------------------------------------------------


def _baskets(rng: Rng, size: int) -> tuple[list[list[int]], int]:
    """Baskets of items 0..n−1: one with an item twice, one of one item, an empty one."""
    n = size + 3
    baskets = [rng.permutation(n)[: int(k)].tolist() for k in rng.integers(2, n + 1, size)]
    return [*baskets, [0, 1, 0], [2], []], n


def _pair_counts(baskets: list[list[int]], n: int) -> np.ndarray:
    counts = np.zeros((n, n))
    for basket in baskets:
        for a in set(basket):
            for b in set(basket) - {a}:
                counts[a, b] += 1
    return counts


def _any_order(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    baskets, n = args
    turned = [basket[1:] + basket[:1] for basket in baskets]
    if np.array_equal(np.asarray(function(baskets, n)), np.asarray(function(turned, n))):
        return None
    return "the order of a basket must not matter; moving the first item of each basket to its end changed the counts"


def _not_itself(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    counts = np.asarray(function(*args))
    if counts.ndim != 2 or not np.diag(counts).any():
        return None
    return "j ≠ i: an item is no pair with itself, the diagonal must be 0 (a set holds each item once)"


def _whole_numbers_too(judge: Judge) -> Judge:
    """The judge, for counts: a table of whole numbers is as right as one of floats."""

    def judge_either(answer: Any) -> Outcome:
        if not callable(answer):
            return judge(answer)

        @wraps(answer)
        def as_floats(*args: Any) -> Any:
            got = answer(*args)
            return got.astype(float) if isinstance(got, np.ndarray) and got.dtype.kind in "iu" else got

        return judge(as_floats)

    return judge_either


# --- in-batch softmax ----------------------------------------------------------------------------------------------------


def _batch(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """u, v (size + 1, 2) and log Q (size + 1,) of the rows' items."""
    share = torch.from_numpy(rng.integers(1, 9, size + 1) / 16.0).float()
    return numbers(rng, size + 1, 2), numbers(rng, size + 1, 2), share.log()


def _in_batch_loss(u: Tensor, v: Tensor, log_q: Tensor) -> Tensor:
    return cross_entropy(u @ v.T - log_q, torch.arange(len(u)))


def _is_felt(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    u, v, log_q = args
    other = log_q.clone()
    other[0] = other[0] - 1.0
    if not torch.allclose(torch.as_tensor(function(u, v, log_q)), torch.as_tensor(function(u, v, other)), atol=1e-6):
        return None
    return "the first item became rarer, and the loss did not notice: what is the same along a row, a softmax cancels"


# --- a user without the item ---------------------------------------------------------------------------------------------


def _user(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """e (size + 4, 2), a basket of size different items, one of them."""
    e = rng.integers(-4, 5, (size + 4, 2)) / 2.0
    basket = rng.permutation(size + 4)[:size]
    return e, basket, int(basket[int(rng.integers(size))])


def _others_mean(e: np.ndarray, basket: np.ndarray, item: int) -> np.ndarray:
    rest = [j for j in basket if j != item]
    return e[rest].mean(axis=0) if rest else np.zeros(e.shape[1])


def _blind_to_the_item(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    e, basket, item = args
    other = e.copy()
    other[item] += 3.0
    if np.allclose(function(e, basket, item), function(other, basket, item), equal_nan=True):
        return None
    return (
        f"the vector of item {item} was changed and the user's moved: the answer to guess must not be in the question"
    )


def _of_one(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    e, basket, _ = args
    got = np.asarray(function(e, basket[:1], int(basket[0])), dtype=float)
    if got.shape == (2,) and not got.any():
        return None
    return "a basket of one item leaves nothing: the vector must be zeros, not NaN"


# --- numbers -------------------------------------------------------------------------------------------------------------


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("p", "q")})


def _ceiling() -> float:
    return float(1 / (1 + 511 * np.exp(-2)))


@cache
def _twice() -> float:
    q = 1 / np.arange(1, 1001)
    q = q / q.sum()
    return float((q * (1 - (1 - q) ** 255)).sum())


ITEM2VEC = (
    Exercise(
        id="4.3-pairs",
        kind="code",
        title="Count the pairs of sets",
        stub='''
def pairs(baskets, n):
    """counts (n, n): in how many baskets do items a and b lie together? baskets: lists of numbers 0..n-1.

    A basket is a set: no order, each item once. An item is no pair with itself.
    """
    return NOT_YET
''',
        solution="""
def pairs(baskets, n):
    counts = np.zeros((n, n))
    for basket in baskets:
        for a in set(basket):
            for b in set(basket) - {a}:
                counts[a, b] += 1
    return counts
""",
        hints=(
            "Two sums: i over the basket, j over the basket without i. What does that give for a basket of one item?",
            "set(basket) drops the order and what comes twice.",
            "For each a in the set, for each b in the set without a: counts[a, b] += 1. Both directions count.",
        ),
        judge=_whole_numbers_too(
            code_judge(
                "pairs", _pair_counts, _baskets, (Property("order", _any_order), Property("diagonal", _not_itself))
            )
        ),
        wrong=(
            Wrong(
                "def pairs(baskets, n):\n    counts = np.zeros((n, n))\n    for basket in baskets:\n"
                "        for a, b in zip(basket[:-1], basket[1:]):\n            counts[a, b] += 1\n            counts[b, a] += 1\n"
                "    return counts",
                "order",
            ),
            Wrong(
                "def pairs(baskets, n):\n    X = np.zeros((len(baskets), n))\n    for row, basket in enumerate(baskets):\n"
                "        X[row, basket] = 1\n    return X.T @ X",
                "diagonal",
            ),
            Wrong(
                "def pairs(baskets, n):\n    counts = np.zeros((n, n))\n    for basket in baskets:\n        items = sorted(set(basket))\n"
                "        for k, a in enumerate(items):\n            for b in items[k + 1:]:\n                counts[a, b] += 1\n    return counts",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.3-settles",
        kind="symbolic",
        title="Where do scores settle?",
        stub="""
# Two items. A user takes item 1 with probability p. The other row of a batch brings item 1 with probability q.
# Trained without log Q, the expected slope is  (1-p)*q*e^d/(1+e^d) - p*(1-q)/(1+e^d),  d = s1 - s2.
# At which d is it 0?
p, q = sympy.symbols("p q", positive=True)
d = NOT_YET
""",
        solution="""
p, q = sympy.symbols("p q", positive=True)
d = sympy.log(p * (1 - q) / (q * (1 - p)))
""",
        hints=(
            "The slope is a fraction. Only its numerator must be 0.",
            "(1-p)·q·e^d = p·(1-q). Solve for e^d.",
            "Take the logarithm: log(p/(1-p)) − log(q/(1-q)).",
        ),
        judge=symbolic_judge(lambda: _symbols("log(p*(1-q)/(q*(1-p)))"), {"p": (0.1, 0.9), "q": (0.1, 0.9)}),
        wrong=(
            Wrong('p, q = sympy.symbols("p q")\nd = sympy.log(p / (1 - p))', "expected"),
            Wrong('p, q = sympy.symbols("p q")\nd = sympy.log(p / q)', "expected"),
            Wrong('p, q = sympy.symbols("p q")\nd = p * (1 - q) / (q * (1 - p))', "expected"),
        ),
    ),
    Exercise(
        id="4.3-no-effect",
        kind="bug",
        title="Find the silent bug: the correction changes nothing",
        stub='''
def in_batch_loss(u, v, log_q):
    """Mean in-batch softmax loss with log Q taken off. u, v: (B, N) vectors of the rows; log_q: (B,) of each row's item."""
    scores = u @ v.T  # (B, B)
    scores = scores - log_q.unsqueeze(1)
    return F.cross_entropy(scores, torch.arange(len(u)))
''',
        solution="""
def in_batch_loss(u, v, log_q):
    scores = u @ v.T  # (B, B)
    scores = scores - log_q.unsqueeze(0)
    return F.cross_entropy(scores, torch.arange(len(u)))
""",
        hints=(
            "Compute the loss with log_q and with zeros. No shape complains, since the matrix is square. What differs?",
            "Row a of the matrix is user a, column b the item of row b. Which of the two does log Q belong to?",
            "log_q.unsqueeze(1) is one number a row, and a softmax over the row cancels it. One number a column: unsqueeze(0).",
        ),
        judge=code_judge("in_batch_loss", _in_batch_loss, _batch, (Property("correction", _is_felt),)),
        wrong=(
            Wrong(
                "def in_batch_loss(u, v, log_q):\n    return F.cross_entropy(u @ v.T, torch.arange(len(u)))",
                "a softmax cancels",
            ),
            Wrong(
                "def in_batch_loss(u, v, log_q):\n    return F.cross_entropy(u @ v.T + log_q, torch.arange(len(u)))",
                "value",
            ),
            Wrong(
                "def in_batch_loss(u, v, log_q):\n    scores = u @ v.T - log_q * (1 - torch.eye(len(u)))\n"
                "    return F.cross_entropy(scores, torch.arange(len(u)))",
                "value",
            ),
            Wrong(
                "def in_batch_loss(u, v, log_q):\n    return F.cross_entropy((u @ v.T - log_q).T, torch.arange(len(u)))",
                "value",
            ),
        ),
    ),
    Exercise(
        id="4.3-others",
        kind="code",
        title="A user without the item to guess",
        stub='''
def others_mean(e, basket, item):
    """The mean of the vectors e (n, D) of a user's basket without `item`, which is to be guessed; zeros if nothing is left.

    basket: (K,) different item numbers, `item` among them.
    """
    return NOT_YET
''',
        solution="""
def others_mean(e, basket, item):
    rest = basket[basket != item]
    return e[rest].sum(axis=0) / max(len(rest), 1)
""",
        hints=(
            "What would the user tower learn if the item to guess were in its own input?",
            "basket[basket != item] are the others. Divide by how many they are, K − 1.",
            "max(K − 1, 1) keeps a basket of one item from dividing by 0.",
        ),
        judge=code_judge(
            "others_mean",
            _others_mean,
            _user,
            (Property("no leak", _blind_to_the_item), Property("one item", _of_one)),
        ),
        wrong=(
            Wrong("def others_mean(e, basket, item):\n    return e[basket].mean(axis=0)", "must not be in the question"),
            Wrong(
                "def others_mean(e, basket, item):\n    return (e[basket].sum(axis=0) - e[item]) / len(basket)", "value"
            ),
            Wrong(
                "def others_mean(e, basket, item):\n    return (e[basket].sum(axis=0) - e[item]) / (len(basket) - 1)",
                "a basket of one item",
            ),
        ),
    ),
    Exercise(
        id="4.3-ceiling",
        kind="numeric",
        title="The surest that a cosine can be",
        stub="""
# A batch of 512, scores are cosines, τ = 1. A user points exactly at its item and exactly away from all the others.
# Which probability does the softmax over the batch give to the right item?
probability = NOT_YET
""",
        solution="""
probability = np.exp(1) / (np.exp(1) + 511 * np.exp(-1))
""",
        hints=(
            "The right item's cosine is 1. What are the other 511 cosines?",
            "e^1 over e^1 plus 511 times e^(−1).",
            "np.exp(1) / (np.exp(1) + 511 * np.exp(-1)). Then try τ = 0.1: exponents of ±10.",
        ),
        judge=numeric_judge(
            _ceiling,
            0.0005,
            "e^1 over the sum of e^1 and 511 times e^(−1)",
            traps=((1.0, "The softmax is not sharp enough for that: e^1 against 511 times e^(−1)."),
                   (1 / 512, "That is chance: all cosines alike."),
                   (float(np.e / (np.e + 511)), "There the others have cosine 0. They point exactly away: −1.")),
        ),
        wrong=(
            Wrong("probability = 1.0", "not sharp enough"),
            Wrong("probability = 1 / 512", "chance"),
            Wrong("probability = np.e / (np.e + 511)", "exactly away"),
        ),
    ),
    Exercise(
        id="4.3-twice",
        kind="numeric",
        title="How often does a batch hold an item twice?",
        stub="""
# 1000 items, item k in proportion to 1/k. A batch of 256 draws its items from that law, independently.
# Which share of the rows finds its own item in another row too, as its own "negative"? Draw some batches, or think.
share = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
q = 1 / np.arange(1, 1001)
q = q / q.sum()
found = []
for _ in range(400):
    items = rng.choice(1000, 256, p=q)
    found.append((np.bincount(items, minlength=1000)[items] > 1).mean())
share = np.mean(found)
""",
        hints=(
            "rng.choice(1000, 256, p=q) is a batch. np.bincount(items, minlength=1000)[items] says how often each row's item is there.",
            "A row counts if its item is there more than once. Average over rows, then over many batches.",
            "In closed form: Σ q (1 − (1 − q)^255): the item is q, and at least one of 255 other rows has it.",
        ),
        judge=numeric_judge(
            _twice,
            0.03,
            "the mean over rows of whether the row's item stands in another row of the batch",
            traps=((256 / 1000, "That would be a batch's share of the catalogue. Popular items meet themselves far more often."),
                   (float(1 - (1 - 1 / 1000) ** 255), "There all items are alike. Item 1 is in more than a tenth of the rows.")),
        ),
        wrong=(
            Wrong("share = 0.256", "share of the catalogue"),
            Wrong("share = 1 - (1 - 1 / 1000) ** 255", "all items are alike"),
            Wrong("share = 62.0", "percentage"),
        ),
    ),
)  # fmt: skip
