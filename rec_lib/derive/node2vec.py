"""Node2vec, symbol by symbol: from distances to the law of the next step, and why two ways to draw from it are exact.

Source  Grover & Leskovec, "node2vec", KDD 2016: section 3.2.1-3.2.2 (α_pq, alias sampling);
        Walker, ACM TOMS 1977 (alias method).

One small row stands for all: v has three neighbours: t itself, a, which t knows too, and b, which it does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from rec_lib.derive.core import Derivation, Step

DISTANCES = (0, 1, 2)  # d_tx of the three neighbours of v

_w = np.array(sp.symbols("w_t w_a w_b", positive=True), dtype=object)
_p, _q = (np.array(sp.Symbol(name, positive=True), dtype=object) for name in "pq")
p, q = _p[()], _q[()]


def alpha(d: int) -> sp.Expr:
    """α_pq for a distance of 0, 1 or 2."""
    return {0: 1 / p, 1: sp.Integer(1), 2: 1 / q}[d]


def _law(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    return code(t["w"], torch.tensor(DISTANCES), t["p"], t["q"])


_pi = sp.Matrix([alpha(d) * w for d, w in zip(DISTANCES, _w, strict=True)])
_z = sum(_pi)
_total = sum(_w)
_inputs = {"w": (3,), "p": (), "q": ()}
_symbols = {"w": _w, "p": _p, "q": _q}
_cleared = sp.Matrix([q * _w[0], p * q * _w[1], p * _w[2]])

transition = Derivation(
    id="node2vec-transition",
    title="From distances to the law of the next step",
    steps=(
        Step(
            "first order",
            sp.Matrix(_w) / _total,
            "DeepWalk stands on v and looks at weights only. It has forgotten that it came from t.",
            lhs=r"P(x \mid v)",
        ),
        Step(
            "bias",
            _pi,
            "Node2vec remembers t and asks how far each neighbour x lies from it: 0 (x is t), 1 (t knows x) or 2. "
            "The weight is multiplied by 1/p, 1 or 1/q. These three numbers do not add up to one, so they are no probabilities yet.",
            lhs=r"\pi_{vx} = \alpha_{pq}(t,x)\,w_{vx}",
            starts=True,
        ),
        Step(
            "normalised",
            _pi / _z,
            "Dividing by their sum Z makes a law of them. Z depends on t and on v: this is what a table per pair of edges would store.",
            lhs=r"P(x \mid t, v) = \pi_{vx}/Z",
            starts=True,
        ),
        Step(
            "cleared",
            _cleared / sum(_cleared),
            "Multiply above and below by pq. For p = q = 1 DeepWalk is back; only the proportions 1/p : 1 : 1/q matter.",
        ),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=_pi / _z,
    wire=_law,
)

M, W = sp.symbols("M W", positive=True)  # a bound of α; the sum of the weights
_accepted = sp.Matrix([w / W * alpha(d) / M for d, w in zip(DISTANCES, _w, strict=True)])

rejection = Derivation(
    id="node2vec-rejection",
    title="Draw by weight, accept by α: the same law without a table per pair of edges",
    steps=(
        Step(
            "propose",
            sp.Matrix(_w) / W,
            "Draw x by weight alone (W is the sum of the weights). The table is one entry an edge and does not know t.",
            lhs="P(x)",
        ),
        Step(
            "accept",
            _accepted,
            "Keep x with probability α/M, where M is at least the largest α. So much of each proposal survives:",
            lhs=r"P(x \text{ and kept})",
            starts=True,
        ),
        Step(
            "given that it was kept",
            _accepted / sum(_accepted),
            "Whoever is refused draws again, so only the proportions among the kept count. M and W cancel.",
            lhs=r"P(x \mid \text{kept})",
            starts=True,
        ),
        Step("the same law", _pi / _z, "It is the second-order law. The price is time: M W / Z draws on average."),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=_pi / _z,
    wire=_law,
)

_small = np.array(sp.symbols("P_1 P_2", positive=True), dtype=object)
P1, P2 = _small
P3 = 1 - P1 - P2
U1, U2 = 3 * P1, 3 * P2
_spent = sp.Add(3 * P3, -(1 - U1), -(1 - U2), evaluate=False)


def third(height: sp.Expr) -> sp.Expr:
    """A third of a height, left as it stands so that the learner sees what was added up."""
    return sp.Mul(sp.Rational(1, 3), height, evaluate=False)


class _Linear(torch.autograd.Function):
    """A numpy function of a vector that is linear near the point: central differences give its gradient to rounding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> Tensor:
        steps = 1e-3 * np.eye(len(x))
        columns = [(function(x.numpy() + e) - function(x.numpy() - e)) / 2e-3 for e in steps]
        ctx.save_for_backward(torch.from_numpy(np.stack(columns, axis=1)))
        return torch.from_numpy(function(x.numpy()))

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        (jacobian,) = ctx.saved_tensors
        return grad[0] @ jacobian, None


def _table(code: Any, t: dict[str, Tensor]) -> Tensor:
    """The law that an alias table over (P_1, P_2, 1 − P_1 − P_2) draws from."""

    def law(p: np.ndarray) -> np.ndarray:
        return code(np.append(p, 1 - p.sum())).probabilities()

    return _Linear.apply(t["P"], law)


alias = Derivation(
    id="alias-exact",
    title="Alias sampling loses nothing: two small outcomes and one large",
    steps=(
        Step("law", sp.Matrix([P1, P2, P3]), "Three outcomes; the first two are rarer than 1/3.", lhs="P"),
        Step(
            "columns",
            sp.Matrix([U1, U2, _spent]),
            "Three columns of height 1/3. Column 1 holds outcome 1 up to U₁ = 3P₁ of its height, outcome 3 fills the rest; "
            "and so for column 2. Outcome 3 keeps what it has not lent. Add it up: 1, a full column.",
            lhs="U",
            starts=True,
        ),
        Step(
            "own and lent",
            sp.Matrix([third(U1), third(U2), third(sp.Add(1, 1 - U1, 1 - U2, evaluate=False))]),
            "A draw picks a column with probability 1/3, then its owner with probability U, else its alias. All the ways to each outcome:",
            lhs="P(\\text{draw})",
            starts=True,
        ),
        Step(
            "exact",
            sp.Matrix([P1, P2, P3]),
            "What was cut is only moved, never lost: the law is exact, whatever it is.",
        ),
    ),
    inputs={"P": (2,)},
    symbols={"P": _small},
    final=sp.Matrix([P1, P2, P3]),
    wire=_table,
    domain={"P": (0.02, 0.32)},
)
