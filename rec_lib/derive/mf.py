"""Matrix factorisation, step by step: singular values by hand, the updates of SGD, the closed form of ALS, SVD++.

Source  Koren, Bell, Volinsky, Computer 42(8), 2009: eq. 4 (model), 5 (objective), the updates of SGD, ALS;
        Hu, Koren, Volinsky, ICDM 2008: eq. 4 and the page after it (implicit ALS in the time of what was taken);
        Koren, KDD 2008: eq. 15 (SVD++).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed
from rec_lib.schema import FIRST, Schema, Sparse

n, k, m, N = sp.symbols("n k m N", integer=True, positive=True)  # items, numbers in a vector, items taken, items rated
i, j, f = sp.symbols("i j f", integer=True, positive=True)

# --- singular values -------------------------------------------------------------------------------------------------

A = sp.IndexedBase("A", real=True)
_x = Sum(A[i, 1] ** 2, (i, 1, 3))
_z = Sum(A[i, 2] ** 2, (i, 1, 3))
_y = Sum(A[i, 1] * A[i, 2], (i, 1, 3))


def _both(root: sp.Expr, middle: sp.Expr) -> sp.Matrix:
    return sp.Matrix([sp.sqrt(middle + root), sp.sqrt(middle - root)])


_trace, _determinant = _x + _z, _x * _z - _y**2

singular_values = Derivation(
    id="singular-values",
    title="The two singular values of a matrix with two columns",
    steps=(
        Step(
            "roots of the characteristic polynomial",
            _both(sp.sqrt(_trace**2 / 4 - _determinant), _trace / 2),
            "$A^\\top A$ is 2 × 2: squared lengths of the columns on its diagonal, their inner product beside it. Its "
            "eigenvalues solve $\\lambda^2 - t\\lambda + d = 0$ with its trace $t$ and determinant $d$; the singular values are "
            "their roots.",
            lhs=r"\sigma_1, \sigma_2",
        ),
        Step(
            "what makes them differ",
            _both(sp.sqrt((_x - _z) ** 2 / 4 + _y**2), _trace / 2),
            "Under the root stands a sum of two squares: it is 0, and both values are equal, only if the columns are equally "
            "long and at a right angle. The more alike the columns, the more of the matrix is in the first value.",
        ),
    ),
    inputs={"A": (3, 2)},
    symbols={"A": symbol_array(A, (3, 2))},
    final=_both(sp.sqrt((_x - _z) ** 2 / 4 + _y**2), _trace / 2),
    wire=lambda code, t: code(t["A"]),
)

# --- the model and its updates ---------------------------------------------------------------------------------------

p, q, y, r, Q, Y = indexed("p", "q", "y", "r", "Q", "Y")
mu, b_u, b_i, stars, l2, l2_y, gamma, alpha = (
    symbol_array(name, ()) for name in ("mu", "b_u", "b_i", "r_ui", "lambda", "lambda_y", "gamma", "alpha")
)
PRICE = (0.1, 2.0)

_inner = Sum(q[f] * p[f], (f, 1, k))
_prediction = mu[()] + b_i[()] + b_u[()] + _inner
_error = stars[()] - _prediction
_cost = l2[()] * (Sum(q[f] ** 2, (f, 1, k)) + Sum(p[f] ** 2, (f, 1, k)) + b_u[()] ** 2 + b_i[()] ** 2)
_one = _error**2 + _cost

_mf_inputs: dict[str, tuple[int, ...]] = {"mu": (), "b_u": (), "b_i": (), "p": (2,), "q": (2,)}
_mf_symbols = {"mu": mu, "b_u": b_u, "b_i": b_i, "p": symbol_array(p, (2,)), "q": symbol_array(q, (2,))}
_loss_inputs = _mf_inputs | {"r": (), "l2": ()}
_loss_symbols = _mf_symbols | {"r": stars, "l2": l2}

SCHEMA = Schema((Sparse("user", FIRST + 1), Sparse("item", FIRST + 2)))
TWO_RATINGS = {
    "user": torch.tensor([FIRST, FIRST]),
    "item": torch.tensor([FIRST, FIRST + 1]),
    "label": torch.tensor([3.0, 4.0]),
}


class _Loss(nn.Module):
    """``loss`` where ``functional_call`` looks: in forward."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.model.loss(batch)


def _table(row: Tensor, rows: int) -> Tensor:
    """A table whose first real row (or rows) is what is given: zeros for PAD, OOV and the rest."""
    given = row.reshape(-1, *row.shape[1:]) if row.dim() == 2 else row.unsqueeze(0)
    before = given.new_zeros(FIRST, *given.shape[1:])
    return torch.cat([before, given, given.new_zeros(rows - FIRST - len(given), *given.shape[1:])])


def _lent(t: dict[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """The formula's numbers under the names that they have in the model: user and item are the first real ids."""
    users, items = FIRST + 1, FIRST + 2
    tables = {"p": _table(t["p"], users), "q": _table(t["q"], items)}
    tables |= {"b_user": _table(t["b_u"], users), "b_item": _table(t["b_i"], items), "mu": t["mu"]}
    if "y" in t:
        tables["y"] = _table(t["y"], items)
    return {prefix + name: value for name, value in tables.items()}


def _predict(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """r̂ of the first user for the first item."""
    model = code(Table(SCHEMA, TWO_RATINGS), dim=2).double()
    batch = {name: column[:1] for name, column in TWO_RATINGS.items()}
    return torch.func.functional_call(model, _lent(t), (batch,)).squeeze(0)


def loss_of_one(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """The loss of a batch of one: the first user, the first item, r stars."""
    model = code(Table(SCHEMA, TWO_RATINGS), dim=2).double()
    for name in ("l2", "l2_y"):
        if name in t:
            setattr(model, name, t[name])
    batch = {name: column[:1] for name, column in TWO_RATINGS.items()} | {"label": t["r"].reshape(1)}
    return torch.func.functional_call(_Loss(model), _lent(t, "model."), (batch,))


def _gradient(code: Callable[..., nn.Module], t: dict[str, Tensor], *names: str) -> list[Tensor]:
    return list(torch.autograd.grad(loss_of_one(code, t), [t[name] for name in names], create_graph=True))


model = Derivation(
    id="mf",
    title="Matrix factorisation with biases",
    steps=(
        Step(
            "eq. 4",
            _prediction,
            "The mean of all ratings, what the item adds, what the user adds, and how well the two vectors fit: an inner "
            "product of $k$ numbers each.",
            lhs=r"\hat r_{ui}",
        ),
    ),
    inputs=_mf_inputs,
    symbols=_mf_symbols,
    final=_prediction,
    terms={"mean": mu[()], "item bias": b_i[()], "user bias": b_u[()], "inner product": _inner},
    sizes={k: 2},
    wire=_predict,
)

_slope_q = sp.Matrix([-2 * (_error * p[c] - l2[()] * q[c]) for c in (1, 2)])

gradient = Derivation(
    id="mf-gradient",
    title="What one rating says to the item's vector",
    steps=(
        Step(
            "derivative",
            sp.Matrix([sp.Derivative(_one, q[c]) for c in (1, 2)]),
            "The loss of one rating: the squared error, and the price of the four weights that it used. How does it move with "
            "the numbers of $q_i$?",
            lhs=r"\frac{\partial L_{ui}}{\partial q_i}",
        ),
        Step(
            "chain rule",
            sp.Matrix([2 * _error * (-p[c]) + 2 * l2[()] * q[c] for c in (1, 2)]),
            "The error is squared, so it comes down with a factor 2; inside it, $q_{if}$ is multiplied by $-p_{uf}$. The price "
            "gives $2\\lambda q_{if}$.",
        ),
        Step(
            "minus two times",
            _slope_q,
            "Common factor out. What stands in the brackets is the paper's update: error times the *other* vector, minus a share "
            "of the own one.",
        ),
    ),
    inputs=_loss_inputs,
    symbols=_loss_symbols,
    final=_slope_q,
    sizes={k: 2},
    wire=lambda code, t: _gradient(code, t, "q")[0],
    domain={"l2": PRICE},
)

_old = [q[1], q[2], p[1], p[2], b_u[()], b_i[()]]
_push = [_error * p[1], _error * p[2], _error * q[1], _error * q[2], _error, _error]
_new = sp.Matrix([w + gamma[()] * (e - l2[()] * w) for w, e in zip(_old, _push, strict=True)])


def _step(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """All weights of the pair after one step downhill of size γ/2."""
    names = ("q", "p", "b_u", "b_i")
    steps = zip(names, _gradient(code, t, *names), strict=True)
    return torch.cat([(t[name] - t["gamma"] / 2 * slope).reshape(-1) for name, slope in steps])


update = Derivation(
    id="mf-update",
    title="One step of SGD for all that a rating touches",
    steps=(
        Step(
            "downhill",
            sp.Matrix([w - gamma[()] / 2 * sp.Derivative(_one, w) for w in _old]),
            "Go against the gradient, by $\\gamma/2$: the factor 2 of the square is absorbed in the rate, as the paper does. "
            "From top to bottom: the numbers of $q_i$, of $p_u$, then $b_u$ and $b_i$.",
            lhs=r"\text{new }(q_i,\; p_u,\; b_u,\; b_i)",
        ),
        Step(
            "the paper's updates",
            _new,
            "Each weight moves by $\\gamma(e_{ui}\\cdot\\text{what it was multiplied with} - \\lambda\\cdot\\text{itself})$. A vector "
            "was multiplied with the other vector, a bias with 1.",
        ),
    ),
    inputs=_loss_inputs | {"gamma": ()},
    symbols=_loss_symbols | {"gamma": gamma},
    final=_new,
    sizes={k: 2},
    wire=_step,
    domain={"l2": PRICE, "gamma": (0.01, 0.5)},
)

# --- SVD++ -----------------------------------------------------------------------------------------------------------

_implied = Sum(y[j, f], (j, 1, N)) / sp.sqrt(N)
_plus = mu[()] + b_u[()] + b_i[()] + Sum(q[f] * (p[f] + _implied), (f, 1, k))
_plus_error = stars[()] - _plus
_plus_cost = _cost + l2_y[()] * Sum(y[j, f] ** 2, (f, 1, k), (j, 1, N))
_pp_inputs, _pp_symbols = _mf_inputs | {"y": (2, 2)}, _mf_symbols | {"y": symbol_array(y, (2, 2))}

svdpp = Derivation(
    id="svdpp",
    title="SVD++: the films themselves speak for the user",
    steps=(
        Step(
            "eq. 15",
            _plus,
            "Beside $p_u$, learned from the user's stars, stands the sum of a vector $y_j$ for each film that the user rated, "
            "whatever the stars, divided by the root of their number.",
            lhs=r"\hat r_{ui}",
        ),
        Step(
            "film by film",
            mu[()] + b_u[()] + b_i[()] + _inner + Sum(Sum(q[f] * y[j, f], (f, 1, k)), (j, 1, N)) / sp.sqrt(N),
            "The same, multiplied out: MF, and for each rated film $j$ how well it goes with film $i$. That is item-based "
            "filtering with a similarity $q_i^\\top y_j$ that is learned.",
        ),
    ),
    inputs=_pp_inputs,
    symbols=_pp_symbols,
    final=mu[()] + b_u[()] + b_i[()] + _inner + Sum(Sum(q[f] * y[j, f], (f, 1, k)), (j, 1, N)) / sp.sqrt(N),
    terms={
        "baseline": mu[()] + b_u[()] + b_i[()],
        "q·p": _inner,
        "q·y": Sum(Sum(q[f] * y[j, f], (f, 1, k)), (j, 1, N)) / sp.sqrt(N),
    },
    sizes={k: 2, N: 2},
    wire=_predict,
)

_slope_y = sp.Matrix([-2 * (_plus_error * q[c] / sp.sqrt(N) - l2_y[()] * y[1, c]) for c in (1, 2)])

svdpp_gradient = Derivation(
    id="svdpp-gradient",
    title="SVD++: one rating moves the vectors of all films of its user",
    steps=(
        Step(
            "derivative",
            sp.Matrix([sp.Derivative(_plus_error**2 + _plus_cost, y[1, c]) for c in (1, 2)]),
            "How does the loss of one rating move with $y_1$, the vector of any film that the user rated?",
            lhs=r"\frac{\partial L_{ui}}{\partial y_1}",
        ),
        Step(
            "chain rule",
            _slope_y,
            "Error times $q_i$, by the root of the number of films, minus its price. The film of the rating itself need not be "
            "film 1.",
        ),
    ),
    inputs=_pp_inputs | {"r": (), "l2": (), "l2_y": ()},
    symbols=_pp_symbols | {"r": stars, "l2": l2, "l2_y": l2_y},
    final=_slope_y,
    sizes={k: 2, N: 2},
    domain={"l2": PRICE, "l2_y": PRICE},
)

# --- least squares ---------------------------------------------------------------------------------------------------

_rows = Sum((r[i] - Sum(p[f] * Q[i, f], (f, 1, k))) ** 2, (i, 1, n)) + l2[()] * Sum(p[f] ** 2, (f, 1, k))
_gram = {(a, b): Sum(Q[i, a] * Q[i, b], (i, 1, n)) for a in (1, 2) for b in (1, 2)}
_right = {a: Sum(r[i] * Q[i, a], (i, 1, n)) for a in (1, 2)}
_als_inputs: dict[str, tuple[int, ...]] = {"Q": (3, 2), "r": (3,), "l2": ()}
_als_symbols = {"Q": symbol_array(Q, (3, 2)), "r": symbol_array(r, (3,)), "l2": l2}


def cramer(a11: sp.Expr, a12: sp.Expr, a22: sp.Expr, b1: sp.Expr, b2: sp.Expr) -> sp.Matrix:
    """The solution of two linear equations with a symmetric matrix."""
    return sp.Matrix([a22 * b1 - a12 * b2, a11 * b2 - a12 * b1]) / (a11 * a22 - a12**2)


_solved = cramer(_gram[1, 1] + l2[()], _gram[1, 2], _gram[2, 2] + l2[()], _right[1], _right[2])


def _equation(a: int, at: tuple[sp.Expr, sp.Expr]) -> sp.Expr:
    """Row a of 2[(QᵀQ + λI)p − Qᵀr]."""
    return 2 * (sum(_gram[a, b] * at[b - 1] for b in (1, 2)) + l2[()] * at[a - 1] - _right[a])


als = Derivation(
    id="als",
    title="ALS: the best user vector while the items are held still",
    steps=(
        Step(
            "derivative",
            sp.Matrix([sp.Derivative(_rows, p[a]) for a in (1, 2)]),
            "One user, the $n$ films rated, their vectors as rows of $Q$. With $Q$ held still the loss is a parabola in $p$. "
            "Where is its slope 0?",
            lhs=r"\frac{\partial}{\partial p}\Big[\sum_i (r_i - p\cdot q_i)^2 + \lambda\|p\|^2\Big]",
        ),
        Step(
            "normal equations",
            sp.Matrix([_equation(a, (p[1], p[2])) for a in (1, 2)]),
            "$2[(Q^\\top Q + \\lambda I)\\,p - Q^\\top r]$, written out for $k = 2$: a linear equation. Nothing iterates here.",
        ),
        Step(
            "solution",
            _solved,
            "Set it to 0 and solve: $p = (Q^\\top Q + \\lambda I)^{-1} Q^\\top r$, here by Cramer's rule.",
            lhs="p",
            starts=True,
        ),
        Step(
            "put back in",
            sp.Matrix([_equation(a, (_solved[0], _solved[1])) for a in (1, 2)]),
            "Is the slope 0 there?",
            lhs=r"2[(Q^\top Q + \lambda I)\,p - Q^\top r]",
            starts=True,
        ),
        Step("nothing is left", sp.zeros(2, 1), "Yes, for every $Q$, $r$ and $\\lambda > 0$."),
        Step("the code's formula", _solved, "So this is what the code has to compute.", lhs="p", starts=True),
    ),
    inputs=_als_inputs,
    symbols=_als_symbols,
    final=_solved,
    sizes={n: 3, k: 2},
    wire=lambda code, t: code(t["Q"], t["r"], t["l2"]),
    domain={"l2": PRICE},
)


def _weighted(a: int, b: int) -> sp.Expr:
    """Entry (a, b) of YᵀCY over all n items: c = 1 + αr for the m taken, 1 for the others."""
    taken = Sum((1 + alpha[()] * r[i]) * Y[i, a] * Y[i, b], (i, 1, m))
    return taken + Sum(Y[i, a] * Y[i, b], (i, m + 1, n))


def _split(a: int, b: int) -> sp.Expr:
    """The same entry of YᵀY + Yᵀ(C − I)Y."""
    return Sum(Y[i, a] * Y[i, b], (i, 1, n)) + Sum(alpha[()] * r[i] * Y[i, a] * Y[i, b], (i, 1, m))


_ENTRIES = ((1, 1), (1, 2), (2, 2))
_taken_once = {a: Sum((1 + alpha[()] * r[i]) * Y[i, a], (i, 1, m)) for a in (1, 2)}
_ials = cramer(_split(1, 1) + l2[()], _split(1, 2), _split(2, 2) + l2[()], _taken_once[1], _taken_once[2])


def _implicit(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    return code(t["Y"][:2], 1 + t["alpha"] * t["r"], t["Y"].T @ t["Y"], t["l2"])


ials = Derivation(
    id="ials",
    title="Implicit ALS: all the zeros at the price of one matrix",
    steps=(
        Step(
            "all n items",
            sp.Matrix([_weighted(a, b) for a, b in _ENTRIES]),
            "Now every item counts, with confidence $c_i = 1 + \\alpha r_i$ if the user took it ($m$ of them, first in the list) "
            "and 1 if not. The three entries of $Y^\\top C Y$ that differ, for $k = 2$. Each user's costs $O(k^2 n)$.",
            lhs=r"Y^\top C\, Y",
        ),
        Step(
            "one matrix for everybody, and a short sum",
            sp.Matrix([_split(a, b) for a, b in _ENTRIES]),
            "Give every item the weight 1, and the $m$ taken ones what is missing, $c_i - 1 = \\alpha r_i$. The first sum is "
            "$Y^\\top Y$, the same for all users and computed once; the second has $m$ terms.",
            lhs=r"Y^\top Y + Y^\top (C - I)\, Y",
        ),
        Step(
            "solution",
            _ials,
            "As in ALS, $x_u = (Y^\\top C Y + \\lambda I)^{-1} Y^\\top C\\, p$, where $p$ holds a 1 for each item that was "
            "taken and a 0 for the others: its zeros drop out. The whole costs $O(k^2 m + k^3)$.",
            lhs="x_u",
            starts=True,
        ),
    ),
    inputs={"Y": (4, 2), "r": (2,), "alpha": (), "l2": ()},
    symbols={"Y": symbol_array(Y, (4, 2)), "r": symbol_array(r, (2,)), "alpha": alpha, "l2": l2},
    final=_ials,
    sizes={n: 4, m: 2, k: 2},
    wire=_implicit,
    domain={"r": (0.5, 5.0), "alpha": (0.1, 3.0), "l2": PRICE},
)
