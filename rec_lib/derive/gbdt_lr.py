"""GBDT+LR, step by step: normalised entropy, the value of a leaf, the worth of a split, and the sum over leaves.

Source  He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD 2014: eq. 1 (NE), sec. 3.1;
        Friedman, "Greedy Function Approximation", Annals of Statistics 29(5), 2001;
        Chen & Guestrin, "XGBoost", KDD 2016, arXiv:1603.02754: eq. 2-7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import HALF, indexed, step
from rec_lib.schema import FIRST, Dense, Schema, Sparse

N = sp.Symbol("N", integer=True, positive=True)  # rows
i = sp.Symbol("i", integer=True, positive=True)
y, p, g, h = indexed(r"\tilde{y}", "p", "g", "h")
b = symbol_array("b", ())  # click rate of the background
l2 = symbol_array(r"\lambda", ())

_entropy = -(b[()] * sp.log(b[()]) + (1 - b[()]) * sp.log(1 - b[()]))
_log_odds = sp.log(p[i] / (1 - p[i]))

normalised_entropy = Derivation(
    id="gbdt-lr-ne",
    title="Normalised entropy",
    steps=(
        Step(
            "eq. 1",
            -Sum((1 + y[i]) / 2 * sp.log(p[i]) + (1 - y[i]) / 2 * sp.log(1 - p[i]), (i, 1, N)) / N / _entropy,
            "The paper's labels $\\tilde y$ are −1 and +1, so that one of the two halves is 1 and the other 0. Above: the log loss "
            "of the predictions. Below: the entropy of the click rate $b$, which is the log loss of a forecast that says $b$ "
            "every time.",
            lhs=r"\mathrm{NE}",
        ),
        Step(
            "by log-odds",
            -Sum((1 + y[i]) / 2 * _log_odds + sp.log(1 - p[i]), (i, 1, N)) / N / _entropy,
            "The label stands once: $(1 + \\tilde y)/2$, which is the 0 or 1 of all our tables. The code takes that one.",
        ),
    ),
    inputs={"y": (3,), "p": (3,), "b": ()},
    symbols={"y": symbol_array(y, (3,)), "p": symbol_array(p, (3,)), "b": b},
    final=-Sum((1 + y[i]) / 2 * _log_odds + sp.log(1 - p[i]), (i, 1, N)) / N / _entropy,
    sizes={N: 3},
    domain={"y": (-1.0, 1.0), "p": (0.1, 0.9), "b": (0.1, 0.9)},
    wire=lambda code, t: code((1 + t["y"]) / 2, t["p"], t["b"], torch.log),
)

z, label = sp.symbols("z y", real=True)
_log_loss = sp.log(1 + sp.exp(z)) - label * z
_sigma = 1 / (1 + sp.exp(-z))

slopes = Derivation(
    id="gbdt-lr-slopes",
    title="Slope and curvature of the log loss in the logit",
    steps=(
        Step(
            "differentiate",
            sp.Matrix([sp.Derivative(_log_loss, z), sp.Derivative(_log_loss, z, z)]),
            "The log loss of one sample with logit $z$ is $\\log(1 + e^z) - y z$. A tree adds something to $z$, so these two "
            "are all that it is told about the sample.",
            lhs=r"\begin{pmatrix}g\\ h\end{pmatrix}",
        ),
        Step(
            "in p",
            sp.Matrix([_sigma - label, _sigma * (1 - _sigma)]),
            "With $p = \\sigma(z)$: the slope is $p - y$, how far off the prediction is, and the curvature is $p(1 - p)$, how "
            "undecided it is.",
        ),
    ),
    inputs={"z": (), "y": ()},
    symbols={"z": sp.Array(z), "y": sp.Array(label)},
    final=sp.Matrix([_sigma - label, _sigma * (1 - _sigma)]),
)

value = sp.Symbol("v", real=True)
_G, _H = Sum(g[i], (i, 1, N)), Sum(h[i], (i, 1, N))
_shapes: dict[str, tuple[int, ...]] = {"g": (3,), "h": (3,), "l2": ()}
_symbols = {"g": symbol_array(g, (3,)), "h": symbol_array(h, (3,)), "l2": l2}
_positive = {"h": (0.25, 2.0), "l2": (0.25, 2.0)}

leaf = Derivation(
    id="gbdt-lr-leaf",
    title="The best value for a leaf",
    steps=(
        Step(
            "to second order",
            Sum(g[i] * value + HALF * h[i] * value**2, (i, 1, N)) + HALF * l2[()] * value**2,
            "All samples of a leaf get the same $v$ added to their logits. To second order each one's loss then changes by "
            "$g v + \\tfrac12 h v^2$; $\\lambda$ keeps $v$ small where a leaf has few samples.",
            lhs="Q(v)",
        ),
        Step(
            "two sums",
            _G * value + HALF * (_H + l2[()]) * value**2,
            "Nothing of the samples is left but the sums of their slopes and curvatures, G and H.",
        ),
        Step(
            "where its slope is zero",
            -_G / (_H + l2[()]),
            "$G + (H + \\lambda) v = 0$. This is one step of Newton's method, for one number.",
            lhs="v^*",
            starts=True,
        ),
    ),
    inputs=_shapes,
    symbols=_symbols,
    final=-_G / (_H + l2[()]),
    sizes={N: 3},
    domain=_positive,
    wire=lambda code, t: code(t["g"].sum(), t["h"].sum(), t["l2"]),
)

GL, GR = sp.symbols("G_L G_R", real=True)
HL, HR = sp.symbols("H_L H_R", positive=True)
lam = sp.Symbol("lambda", positive=True)


def _lowest(G: sp.Expr, H: sp.Expr) -> sp.Expr:
    """Q at its lowest point."""
    best = -G / (H + lam)
    return G * best + HALF * (H + lam) * best**2


def _won(G: sp.Expr, H: sp.Expr) -> sp.Expr:
    return HALF * G**2 / (H + lam)


_gain = _won(GL, HL) + _won(GR, HR) - _won(GL + GR, HL + HR)

gain = Derivation(
    id="gbdt-lr-gain",
    title="What a split is worth",
    steps=(
        Step(
            "one leaf at its best",
            _lowest(GL, HL),
            "Put the best value $v^* = -G/(H + \\lambda)$ into $Q(v) = G v + \\tfrac12 (H + \\lambda) v^2$, here for a left leaf.",
            lhs="Q_L(v^*)",
        ),
        Step(
            "how low", -_won(GL, HL), "The more its slopes agree, the lower: they are added up before they are squared."
        ),
        Step(
            "one leaf or two",
            _gain,
            "What a node has at its best, less what left and right have when each has its own value; the node's G and H are "
            "the sums of the two sides. A split is worth much when both sides have large slopes of opposite signs, which cancel "
            "in the node. A tree tries every threshold of every feature and takes the largest.",
            lhs=r"\mathrm{gain}",
            starts=True,
        ),
    ),
    inputs={"GL": (), "HL": (), "GR": (), "HR": (), "l2": ()},
    symbols={name: sp.Array(s) for name, s in {"GL": GL, "HL": HL, "GR": GR, "HR": HR, "l2": lam}.items()},
    final=_gain,
    wire=lambda code, t: code(t["GL"], t["HL"], t["GR"], t["HR"], t["l2"]),
)

W, x, a, w, c = indexed("W", "x", "a", "w", "c")
w0 = symbol_array("w_0", ())
_first, _second = step(a[1] - x[1]), step(a[2] - x[2])  # 1 where the sample goes left
_raw = w[1] + c[1] * x[1] + c[2] * x[2]
_leaves = W[1] * _first * _second + W[2] * _first * (1 - _second) + W[3] * (1 - _first)


def _run(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """One tree of three leaves: x1 ≤ a1 at the root, x2 ≤ a2 below it on the left."""
    schema = Schema((Sparse("ad", FIRST + 1), Dense("x1"), Dense("x2")))
    net: Any = code(schema, trees=1, leaves=3)
    net.feature.copy_(torch.tensor([[0, 1]]))
    net.path.copy_(torch.tensor([[[1.0, 1.0, -1.0], [1.0, -1.0, 0.0]]]))
    net.length.copy_(torch.tensor([[2.0, 2.0, 1.0]]))
    net.double().threshold.copy_(t["a"].detach().unsqueeze(0))
    lent = {
        "w0": t["w0"],
        "leaf": t["W"].unsqueeze(0),
        "dense": t["c"],
        "w.table": torch.cat([t["w"].new_zeros(FIRST), t["w"]])[:, None],
    }
    batch = {"ad": torch.tensor([FIRST]), "x1": t["x"][:1], "x2": t["x"][1:]}
    return run_module(net, lent, batch).squeeze(0)


model = Derivation(
    id="gbdt-lr",
    title="GBDT+LR: one tree of three leaves",
    steps=(
        Step(
            "walk",
            w0[()] + _first * (_second * W[1] + (1 - _second) * W[2]) + (1 - _first) * W[3] + _raw,
            "Walk down: at the root left if $x_1 \\le a_1$, below it left if $x_2 \\le a_2$, and take the weight of the leaf you "
            "land in. Beside it LR's own terms: the weight of the sample's id, and a weight for each dense feature.",
            lhs="y",
        ),
        Step(
            "a product for each leaf",
            w0[()] + _leaves + _raw,
            "Multiply out: a leaf's entry in the code is the product of the conditions on its way. So a leaf is a crossing of "
            "features, of an order as high as the leaf is deep, and LR gives it one weight.",
        ),
    ),
    inputs={"W": (3,), "x": (2,), "a": (2,), "w0": (), "w": (1,), "c": (2,)},
    symbols={
        "W": symbol_array(W, (3,)), "x": symbol_array(x, (2,)), "a": symbol_array(a, (2,)),
        "w0": w0, "w": symbol_array(w, (1,)), "c": symbol_array(c, (2,)),
    },
    final=w0[()] + _leaves + _raw,
    terms={"constant": w0[()], "leaves": _leaves, "raw features": _raw},
    wire=_run,
)  # fmt: skip
