"""Collaborative filtering, symbol by symbol: what each similarity is blind to, what shrinkage is, what it all costs.

Source  cosine, Pearson, item means: Wang Zhe, section 2.2.2; adjusted cosine: Sarwar et al., WWW 2001, section 3.1;
        shrinkage: Bell and Koren, "Improved neighborhood-based collaborative filtering", KDD Cup 2007, section 2.1

Symbols  a, b ratings of two users (items) · ā, b̄ their means · c a scale, s a shift of a's ratings · P co-rated
         λ shrinkage · n = |P| · w similarities of neighbours · d_p users of item p
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from rec_lib.derive.core import Derivation, Step, symbol_array

STEP = 1e-30  # of the complex step below: far under the rounding of any number that occurs


class _ByComplexStep(torch.autograd.Function):
    """numpy code inside torch: its derivatives are Im f(x + ih)/h, exact to rounding because nothing is subtracted."""

    @staticmethod
    def forward(ctx: Any, code: Callable[..., np.ndarray], *inputs: Tensor) -> Tensor:
        arrays = [x.detach().numpy().astype(np.complex128) for x in inputs]
        value = np.asarray(code(*arrays))
        ctx.jacobians = []
        for array in arrays:
            columns = []
            for place in np.ndindex(array.shape):
                kept, array[place] = array[place], array[place] + 1j * STEP
                columns.append(np.asarray(code(*arrays)).imag / STEP)
                array[place] = kept
            ctx.jacobians.append(torch.tensor(np.stack(columns, -1)).reshape(*value.shape, *array.shape))
        return torch.tensor(value.real)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (g,) = gradients
        return None, *(torch.tensordot(g, j, dims=g.dim()) for j in ctx.jacobians)


def _through(code: Callable[..., np.ndarray], *inputs: Tensor) -> Tensor:
    out: Tensor = _ByComplexStep.apply(code, *inputs)
    return out


def _two_rows(a: np.ndarray, b: np.ndarray) -> csr_matrix:
    """Two users and four films: the first rated films 0, 1, 2, the second 1, 2, 3; P = {1, 2}."""
    rows, columns = np.repeat([0, 1], 3), np.array([0, 1, 2, 1, 2, 3])
    return csr_matrix((np.concatenate([a, b]), (rows, columns)), shape=(2, 4))


def _cosine(x: list[sp.Expr], y: list[sp.Expr]) -> sp.Expr:
    dot, left, right = (sp.Add(*[p * q for p, q in zip(*pair, strict=True)]) for pair in ((x, y), (x, x), (y, y)))
    return dot / (sp.sqrt(left) * sp.sqrt(right))


def _rest(ratings: list[sp.Expr], on: slice) -> list[sp.Expr]:
    """Ratings on P less the mean of all of them."""
    mean = sp.Add(*ratings) / len(ratings)
    return [r - mean for r in ratings[on]]


_a, _b = symbol_array("a", (3,)), symbol_array("b", (3,))
A, B = list(_a), list(_b)
c = sp.Symbol("c", positive=True)
s = sp.Symbol("s", real=True)
_pearson = _cosine(_rest(A, slice(1, 3)), _rest(B, slice(0, 2)))

cosine = Derivation(
    id="cf-cosine",
    title="Cosine: a scale does not matter, a shift does",
    steps=(
        Step(
            "vectors",
            (A[1] * B[0] + A[2] * B[1]) / (sp.sqrt(sp.Add(*[r**2 for r in A])) * sp.sqrt(sp.Add(*[r**2 for r in B]))),
            "Two users, three ratings each: a of films 1 to 3, b of films 2 to 4. What was not rated counts as 0, so only "
            "films 2 and 3 are left in the product above; the norms below run over all that a user rated.",
            lhs=r"\mathrm{sim}(i, j)",
        ),
        Step(
            "scaled",
            (c * A[1] * B[0] + c * A[2] * B[1])
            / (sp.sqrt(sp.Add(*[(c * r) ** 2 for r in A])) * sp.sqrt(sp.Add(*[r**2 for r in B]))),
            "Multiply all ratings of one user by c > 0: the angle stays.",
        ),
    ),
    inputs={"a": (3,), "b": (3,)},
    symbols={"a": _a, "b": _b},
    final=(A[1] * B[0] + A[2] * B[1]) / (sp.sqrt(sp.Add(*[r**2 for r in A])) * sp.sqrt(sp.Add(*[r**2 for r in B]))),
    wire=lambda code, t: _through(lambda a, b: code(_two_rows(a, b), "cosine")[0, 1], t["a"], t["b"]),
)

pearson = Derivation(
    id="cf-pearson",
    title="Pearson is the cosine of what is left when each user's mean is taken off",
    steps=(
        Step(
            "rests",
            _pearson,
            "Take a user's own mean off each rating, then the cosine, with sums over the films that both rated. "
            "As before, films 1 to 3 and films 2 to 4.",
            lhs=r"\mathrm{sim}(i, j)",
        ),
        Step(
            "another scale",
            _cosine(_rest([c * r + s for r in A], slice(1, 3)), _rest(B, slice(0, 2))),
            "Let the first user be of another temper: every rating r becomes c·r + s, c > 0. "
            "The mean moves by the same s, so the rests are only multiplied by c, and a cosine does not see that.",
        ),
        Step("back", _pearson, "Nothing is left of c and s: Pearson cannot tell a harsh user from a mild one."),
    ),
    inputs={"a": (3,), "b": (3,)},
    symbols={"a": _a, "b": _b},
    final=_pearson,
    wire=lambda code, t: _through(lambda a, b: code(_two_rows(a, b), "pearson")[0, 1], t["a"], t["b"]),
)

_R = symbol_array("R", (2, 3))  # two users or two items, three columns of the other side
_means = [(_R[0, p] + _R[1, p]) / 2 for p in range(3)]
_columns = _cosine(*([_R[i, p] - _means[p] for p in range(3)] for i in range(2)))

alone = Derivation(
    id="cf-column-means",
    title="Centred on column means, two rows alone are always opposite",
    steps=(
        Step(
            "formula",
            _columns,
            "The book's third formula, for two users who are all that there is: take each film's mean off, then the cosine.",
            lhs=r"\mathrm{sim}(1, 2)",
        ),
        Step(
            "half the difference",
            sp.Add(*[-((_R[0, p] - _R[1, p]) ** 2) / 4 for p in range(3)])
            / sp.Add(*[((_R[0, p] - _R[1, p]) / 2) ** 2 for p in range(3)]),
            "With two users the mean lies half way: one user's rest is minus the other's.",
        ),
        Step(
            "minus one",
            sp.Integer(-1),
            "So they point in opposite directions, whatever they rated. (Alike in everything, they leave 0/0.)",
        ),
    ),
    inputs={"R": (2, 3)},
    symbols={"R": _R},
    final=sp.Integer(-1) + 0 * _R[0, 0],
    wire=lambda code, t: _through(lambda R: code(csr_matrix(R), "columns")[0, 1], t["R"]),
)

_S = symbol_array("R", (3, 2))  # three users, of whom the third rated two further films, and two items
_E = symbol_array("e", (3,))  # each user's rating of a third film, which makes the mean
_user_mean = [(_S[u, 0] + _S[u, 1] + _E[u]) / 3 for u in range(3)]
_shift = symbol_array("s", (3,))
_adjusted = _cosine(*([_S[u, i] - _user_mean[u] for u in range(3)] for i in range(2)))


def _shifted(u: int, i: int) -> sp.Expr:
    mean = (_S[u, 0] + _S[u, 1] + _E[u] + 3 * _shift[u]) / 3
    return _S[u, i] + _shift[u] - mean


adjusted = Derivation(
    id="cf-adjusted-cosine",
    title="Adjusted cosine: items are compared, and users' tempers are taken off",
    steps=(
        Step(
            "formula",
            _adjusted,
            "Two items a, b and three users; e is each user's rating of a third item. The sums run over users, and from "
            "each rating that user's mean is taken: the item's mean stays.",
            lhs=r"\mathrm{sim}(a, b)",
        ),
        Step(
            "tempers",
            _cosine(*([_shifted(u, i) for u in range(3)] for i in range(2))),
            "Every user u gives s_u stars more to everything: each user's mean takes it away again.",
        ),
    ),
    inputs={"R": (3, 2), "e": (3,)},
    symbols={"R": _S, "e": _E},
    final=_adjusted,
    wire=lambda code, t: _through(
        lambda R, e: code(csr_matrix(np.concatenate([R, e[:, None]], axis=1).T), "columns")[0, 1], t["R"], t["e"]
    ),
)

_x, _y = symbol_array("x", (3,)), symbol_array("y", (3,))
_r = sp.Symbol("r", real=True)
lam, n = sp.symbols("lambda n", positive=True)
_sxx, _sxy, _syy = (sp.Add(*[p * q for p, q in zip(*pair, strict=True)]) for pair in ((_x, _x), (_x, _y), (_y, _y)))
sim = sp.Symbol(r"\mathrm{sim}", real=True)

shrinkage = Derivation(
    id="cf-shrinkage",
    title="Shrinkage is ridge regression of one user on another",
    steps=(
        Step(
            "price",
            sp.Add(*[(y - _r * x) ** 2 for x, y in zip(_x, _y, strict=True)]) + lam * _r**2,
            "Predict one user's rests y from the other's, x, by one number r; a large r is penalised by λ.",
            lhs=r"L(r)",
        ),
        Step(
            "square",
            (_sxx + lam) * (_r - _sxy / (_sxx + lam)) ** 2 + _syy - _sxy**2 / (_sxx + lam),
            "Complete the square: r occurs once. L is least where the squared bracket is 0, at r = Σxy / (Σx² + λ).",
        ),
        Step(
            "standardised",
            n * sim / (n + lam),
            "Rests that are scaled to a mean square of 1 over the n co-rated films have Σx² = n and Σxy = n·sim, "
            "with sim their correlation. So r is the correlation times n/(n + λ).",
            lhs=r"r",
            starts=True,
        ),
    ),
    inputs={"value": (), "n": (), "shrinkage": ()},
    symbols={
        "value": np.array(sim, dtype=object),
        "n": np.array(n, dtype=object),
        "shrinkage": np.array(lam, dtype=object),
    },
    final=n / (n + lam) * sim,
    domain={"n": (1.0, 40.0), "shrinkage": (0.5, 50.0)},
)

_w, _v = sp.symbols("w_1:4", positive=True), symbol_array("v", (3,))
_total = sp.Add(*_w)
_vote = sp.Add(*[w * v for w, v in zip(_w, _v, strict=True)])

votes = Derivation(
    id="cf-weighted-mean",
    title="A weighted mean is the answer that the neighbours disagree with least",
    steps=(
        Step(
            "disagreement",
            sp.Add(*[w * (v - _r) ** 2 for w, v in zip(_w, _v, strict=True)]),
            "Three neighbours say v, with weights w. Answer r, and pay each one's squared disagreement by its weight.",
            lhs=r"L(r)",
        ),
        Step(
            "square",
            _total * (_r - _vote / _total) ** 2
            + sp.Add(*[w * v**2 for w, v in zip(_w, _v, strict=True)])
            - _vote**2 / _total,
            "Complete the square as before: r occurs once.",
        ),
        Step(
            "mean", _vote / _total, "The bracket is 0 here: the formula of section 2.2.3.", lhs=r"\hat R", starts=True
        ),
    ),
    inputs={"w": (3,), "v": (3,)},
    symbols={"w": np.array(_w, dtype=object), "v": _v},
    final=_vote / _total,
    wire=lambda code, t: _through(lambda w, v: code(csr_matrix(w[None]), csr_matrix(v[:, None])), t["w"], t["v"]),
)

_d = np.array(sp.symbols("d_1:6", positive=True), dtype=object)
_mean = sp.Add(*_d) / 5

cost = Derivation(
    id="cf-cost",
    title="What the sparse product costs: pairs of users, film by film",
    steps=(
        Step(
            "film by film",
            sp.Add(*[d * d for d in _d]),
            "A film with d_p users adds one product to each of its d_p² ordered pairs. Films that two users do not share "
            "cost nothing: five films here.",
            lhs=r"\text{products}",
        ),
        Step(
            "mean and spread",
            5 * _mean**2 + sp.Add(*[(d - _mean) ** 2 for d in _d]),
            "The mean number of users squared, n times, and the spread on top: at the same number of ratings, the more "
            "unevenly they fall on the films, the more it costs.",
        ),
    ),
    inputs={"degrees": (5,)},
    symbols={"degrees": _d},
    final=sp.Add(*[d * d for d in _d]),
)
