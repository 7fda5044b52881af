"""Item2vec, step by step: what becomes of the window on a set, and of a set that is read in random orders through a window.

Source  Barkan and Koenigstein, MLSP 2016, arXiv:1603.04259: eq. 1 and 2, and the last paragraph of section 3.

A basket of three items fits a line. Each item has a vector v and a vector u of two numbers; one negative a pair, drawn evenly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
import torch
from sympy import Sum
from torch import Tensor

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.embeddings.corpus import Corpus, Vectors
from rec_lib.embeddings.engine import noise_law
from rec_lib.embeddings.fullbatch import cooccurrences, expected_pairs, gradient, objective
from rec_lib.embeddings.item2vec import largest

K, c, d = sp.symbols("K c d", integer=True, positive=True)
ITEMS, NEGATIVES = 3, 1
ORDER, OTHER_ORDER = (2, 3, 1), (1, 2, 3)  # how the basket happens to lie

_v, _u = symbol_array("v", (ITEMS, 2)), symbol_array("u", (ITEMS, 2))
_z = [[sp.Add(*(_v[a, k] * _u[b, k] for k in range(2))) for b in range(ITEMS)] for a in range(ITEMS)]


def _log_sigma(z: sp.Expr) -> sp.Expr:
    return -sp.log(1 + sp.exp(-z))


def _log_p(a: int, b: int) -> sp.Expr:
    """log p(w_b | w_a) with the negatives in expectation: each item is drawn a third of the time, b itself is skipped."""
    drawn = [sp.Rational(NEGATIVES, ITEMS) * _log_sigma(-_z[a][m]) for m in range(ITEMS) if m != b]
    return _log_sigma(_z[a][b]) + sp.Add(*drawn)


def _through_a_window(order: tuple[int, ...], reach: int) -> sp.Expr:
    found = []
    for t in range(len(order)):
        for j in range(-reach, reach + 1):
            if j != 0 and 0 <= t + j < len(order):
                found.append(_log_p(order[t] - 1, order[t + j] - 1))
    return sp.Add(*found)


_set = sp.Add(*(_log_p(a, b) for a in range(ITEMS) for b in range(ITEMS) if a != b))


class _Expected(torch.autograd.Function):
    """The expected loss of all pairs; its slope is the closed form that the engine's steps follow on average."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, u: Tensor, baskets: Corpus) -> Tensor:
        counts = cooccurrences(baskets, largest(baskets) - 1, dynamic_window=False)
        pairs = expected_pairs(counts, noise_law(baskets.counts), NEGATIVES)
        vectors = Vectors(v.detach().numpy(), u.detach().numpy())
        ctx.save_for_backward(*(torch.from_numpy(g) for g in gradient(vectors, *pairs)))
        return torch.tensor(objective(vectors, *pairs), dtype=v.dtype)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        slope_v, slope_u = ctx.saved_tensors
        return grad[0] * slope_v, grad[0] * slope_u, None


def _wire(code: Any, t: dict[str, Tensor]) -> Tensor:
    """The baskets as the class keeps them, whatever order they came in."""
    model = code(Corpus.from_sentences([np.array(ORDER) - 1], ITEMS))
    loss: Tensor = _Expected.apply(t["v"], t["u"], model.baskets)
    return loss


objective_of_a_set = Derivation(
    id="item2vec-objective",
    title="A set has no window",
    steps=(
        Step(
            "word2vec",
            -_through_a_window(ORDER, ITEMS - 1) / (ITEMS * (ITEMS - 1)),
            "The basket lies on the table as items 2, 3, 1. Word2vec adds up $\\log p(w_{t+j} \\mid w_t)$ through a window. Let the window "
            "reach as far as the basket does, $c = K - 1 = 2$. We divide by the number of pairs and turn the sign: a loss.",
            lhs="E",
        ),
        Step(
            "another order",
            -_through_a_window(OTHER_ORDER, ITEMS - 1) / (ITEMS * (ITEMS - 1)),
            "Lay the items down as 1, 2, 3. With a window that long the terms are the same ones.",
        ),
        Step(
            "set",
            -_set / (ITEMS * (ITEMS - 1)),
            "So no order is needed: $\\sum_{i=1}^{K} \\sum_{j \\neq i}^{K}$, every item with every other one. That is item2vec's objective.",
        ),
    ),
    inputs={"v": (ITEMS, 2), "u": (ITEMS, 2)},
    symbols={"v": _v, "u": _u},
    final=-_set / (ITEMS * (ITEMS - 1)),
    wire=_wire,
)

_x = symbol_array("x", ())

shuffled = Derivation(
    id="item2vec-shuffled",
    title="A new order every time, and a short window",
    steps=(
        Step(
            "distances",
            _x[()] * Sum(2 * (K - d) / (K * (K - 1)), (d, 1, c)),
            "In a random order two given items are $d$ places apart in $2(K-d)$ of $K(K-1)$ ways. The window sees them if $d \\le c$. $x$ is what the "
            "pair adds when it is seen.",
            lhs=r"\mathbb{E}[\text{pair}]",
        ),
        Step(
            "add up",
            _x[()] * c * (2 * K - c - 1) / (K * (K - 1)),
            "The sum of the first $c$ numbers is $c(c+1)/2$. The same number for every pair: no pair is nearer than another one.",
        ),
        Step(
            "times all pairs",
            _x[()] * c * (2 * K - c - 1),
            "A basket has $K(K-1)$ ordered pairs. Together they now count about $2cK$, in proportion to $K$, and so does the $1/K$ of the "
            "paper's objective: $\\frac1K K(K-1) = K - 1$. All pairs without the $1/K$ would count $K(K-1)$.",
            lhs=r"\mathbb{E}[\text{basket}]",
            starts=True,
        ),
    ),
    inputs={"x": ()},
    symbols={"x": _x},
    final=_x[()] * c * (2 * K - c - 1),
    sizes={K: 5, c: 2},
    wire=lambda code, t: t["x"] * code(5, 2) * 20,
)
