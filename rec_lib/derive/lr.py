"""Logistic regression from its likelihood, what a gradient says, why not squared loss, and FTRL's weight from its objective.

Source  Bernoulli likelihood and its gradient: Wang Zhe, sec. 2.4.2 and 2.4.3;
        FTRL-Proximal: McMahan et al., KDD 2013, sec. 3 and algorithm 1.

Symbols  x features · w weights · w_0 constant · z logit · y label, 0 or 1 · m rows · d features
         g gradient · u weight at which it was taken · H how strongly a weight is held · λ_1, λ_2 penalties
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import HALF, i, indexed, j, k, relu
from rec_lib.models.base import CTRModel
from rec_lib.schema import PAD, Batch, Dense, Schema, Sparse

m, d = sp.symbols("m d", integer=True, positive=True)
x, y, w, v = indexed("x", "y", "w", "v")
w0 = symbol_array("w_0", ())
t = sp.Symbol("z", real=True)
SIZES = {m: 3, d: 2}
ROWS: dict[str, tuple[int, ...]] = {"x": (3, 2), "y": (3,), "w": (2,), "w0": ()}
_symbols = {"x": symbol_array(x, (3, 2)), "y": symbol_array(y, (3,)), "w": symbol_array(w, (2,)), "w0": w0}


class sigma(sp.Function):
    """The sigmoid, kept as one symbol; its slope is σ(1 − σ)."""

    nargs = 1
    _imp_ = staticmethod(lambda z: 1 / (1 + np.exp(-z)))

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return self * (1 - self)

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        value = self.args[0].evalf(prec)
        return (1 / (1 + sp.exp(-value))).evalf(prec) if value.is_number else None

    def _latex(self, printer: object, exp: str | None = None) -> str:
        text = rf"\sigma\left({sp.latex(self.args[0])}\right)"
        return text if exp is None else rf"{text}^{{{exp}}}"


class z_of(sp.Function):
    """The logit of a row, w_0 + Σ_j w_j x_j, printed as z_i; of row 1, 2, … it is that sum, over two features."""

    nargs = 1

    @classmethod
    def eval(cls, row: sp.Expr) -> sp.Expr | None:
        return w0[()] + w[1] * x[row, 1] + w[2] * x[row, 2] if row.is_Integer else None

    def _latex(self, printer: object, exp: str | None = None) -> str:
        text = f"z_{{{sp.latex(self.args[0])}}}"
        return text if exp is None else rf"{text}^{{{exp}}}"


class _Loss(nn.Module):
    """A model whose output is its loss, so that the loss itself can be held to a formula."""

    def __init__(self, model: CTRModel):
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Tensor:
        return self.model.loss(batch)


def loss_of(code: Callable[[Schema], CTRModel], tensors: dict[str, Tensor]) -> Tensor:
    """The loss, a scalar, of a linear click model over dense features; its one id is padding and says nothing."""
    schema = Schema((Sparse("none", 3), Dense("x1"), Dense("x2")))
    batch = {"none": torch.full((len(tensors["x"]),), PAD), "label": tensors["y"]}
    batch |= {"x1": tensors["x"][:, 0], "x2": tensors["x"][:, 1]}
    parameters = {"model.linear.w0": tensors["w0"], "model.linear.dense": tensors["w"]}
    return run_module(_Loss(code(schema)), parameters, batch)


_z = z_of(i)
_log_loss = Sum(sp.log(1 + sp.exp(_z)) - y[i] * _z, (i, 1, m)) / m

likelihood = Derivation(
    id="lr-likelihood",
    title="From the likelihood to the log loss",
    steps=(
        Step(
            "likelihood",
            sp.Product(sigma(_z) ** y[i] * (1 - sigma(_z)) ** (1 - y[i]), (i, 1, m)),
            "How probable are these labels? Row i has the logit $z_i = w_0 + \\sum_j w_j x_{i,j}$. A click has the probability $\\sigma(z_i)$, its absence "
            "$1 - \\sigma(z_i)$; the exponents pick one of the two. "
            "Rows are independent once their features are known: multiply.",
            lhs="L(w)",
        ),
        Step(
            "log loss",
            -Sum(y[i] * sp.log(sigma(_z)) + (1 - y[i]) * sp.log(1 - sigma(_z)), (i, 1, m)) / m,
            "The largest likelihood is where its logarithm is largest, and a logarithm turns products into sums. "
            "Change the sign to have something to minimise, and divide by m: the log loss.",
            lhs=r"J(w) = -\tfrac{1}{m} \log L",
            starts=True,
        ),
        Step(
            "in exponentials",
            -Sum(y[i] * sp.log(1 / (1 + sp.exp(-_z))) + (1 - y[i]) * sp.log(1 / (1 + sp.exp(_z))), (i, 1, m)) / m,
            "Put in $\\sigma(z) = 1/(1 + e^{-z})$. The other one is $1 - \\sigma(z) = \\sigma(-z)$.",
        ),
        Step(
            "in logits",
            _log_loss,
            "$\\log(1 + e^{-z}) = \\log(1 + e^z) - z$, so the two logarithms become one. What is left needs no σ: a program computes it "
            "from the logit, and no probability can round to 0.",
        ),
    ),
    inputs=ROWS,
    symbols=_symbols,
    final=_log_loss,
    sizes=SIZES,
    wire=loss_of,
    domain={"y": (0.0, 1.0)},
)

minus_log_likelihood = Derivation(
    id="lr-log-of-likelihood",
    title="The log loss is −log L / m",
    steps=(
        Step("log of the product", -sp.log(likelihood.steps[0].expr) / m, "Take the logarithm of the likelihood as it stands."),
        Step("in logits", _log_loss, "It is the log loss: the step above that began a new line is an equality of its own."),
    ),
    inputs=ROWS,
    symbols=_symbols,
    final=_log_loss,
    sizes=SIZES,
    wire=loss_of,
    domain={"y": (0.0, 1.0)},
)  # fmt: skip


def slope_of(code: Callable[[Schema], CTRModel], tensors: dict[str, Tensor]) -> Tensor:
    """∂J/∂w of the code's own loss, by automatic differentiation: (2,)."""
    (slope,) = torch.autograd.grad(loss_of(code, tensors), tensors["w"], create_graph=True)
    return slope


def _each(expr: sp.Expr) -> sp.Matrix:
    """The vector of an expression in k, for k = 1, 2."""
    return sp.Matrix([expr.subs(k, number) for number in (1, 2)])


_row_slope = (sigma(_z) - y[i]) * x[i, k]

gradient = Derivation(
    id="lr-gradient",
    title="What a weight is told: error times feature",
    steps=(
        Step(
            "chain rule",
            _each(
                -Sum(
                    (y[i] / sigma(_z) - (1 - y[i]) / (1 - sigma(_z))) * sigma(_z) * (1 - sigma(_z)) * x[i, k], (i, 1, m)
                )
                / m
            ),
            "Three factors: how J changes with σ, how σ changes with z, which is σ(1 − σ), and how z changes with the weight, "
            "which is the feature.",
            lhs=r"\frac{\partial J}{\partial w_k}",
        ),
        Step(
            "cancelled",
            _each(-Sum((y[i] * (1 - sigma(_z)) - (1 - y[i]) * sigma(_z)) * x[i, k], (i, 1, m)) / m),
            "The slope of σ cancels against the denominators. That is the work of the logarithm.",
        ),
        Step(
            "error times feature",
            _each(Sum(_row_slope, (i, 1, m)) / m),
            "y(1 − σ) − (1 − y)σ = y − σ. A weight hears of a row by the error σ − y, times the feature; absent features hear nothing.",
        ),
    ),
    inputs=ROWS,
    symbols=_symbols,
    final=_each(Sum(_row_slope, (i, 1, m)) / m),
    sizes=SIZES,
    wire=slope_of,
    domain={"y": (0.0, 1.0)},
)


def bend_of(code: Callable[[Schema], CTRModel], tensors: dict[str, Tensor]) -> Tensor:
    """vᵀ H v, H the second derivatives of the code's loss in w."""
    (bend,) = torch.autograd.grad(slope_of(code, tensors) @ tensors["v"], tensors["w"], create_graph=True)
    return bend @ tensors["v"]


_along = Sum(v[j] * x[i, j], (j, 1, d))
_squares = Sum(sigma(_z) * (1 - sigma(_z)) * _along**2, (i, 1, m)) / m

convexity = Derivation(
    id="lr-convexity",
    title="No valley but one: the log loss bends upwards in every direction",
    steps=(
        Step(
            "second derivatives",
            sum(v[a] * v[b] * Sum(sigma(_z) * (1 - sigma(_z)) * x[i, a] * x[i, b], (i, 1, m)) / m for a in (1, 2) for b in (1, 2)),
            "Differentiate the gradient once more: σ gives σ(1 − σ) and another feature. v is the direction one looks in.",
            lhs=r"v^\top H v",
        ),
        Step(
            "a sum of squares",
            _squares,
            "The products of features are the square of the change of z along v. σ(1 − σ) > 0, a square is never negative: the sum is "
            "at least 0 for every v. So every valley is the lowest one: how low gradient descent gets does not depend on where it starts.",
        ),
    ),
    inputs=ROWS | {"v": (2,)},
    symbols=_symbols | {"v": symbol_array(v, (2,))},
    final=_squares,
    sizes=SIZES,
    wire=bend_of,
    domain={"y": (0.0, 1.0)},
)  # fmt: skip

_label = sp.Symbol("y", real=True)

squared = Derivation(
    id="lr-squared-loss",
    title="Squared error on a sigmoid: the slope dies where the error is largest",
    steps=(
        Step(
            "derivative",
            sp.Derivative((1 / (1 + sp.exp(-t)) - _label) ** 2, t),
            "Take (σ(z) − y)² in place of the log loss, and ask how it changes with the logit.",
            lhs=r"\frac{\partial}{\partial z} (\sigma - y)^2",
        ),
        Step(
            "two factors",
            2 * (sigma(t) - _label) * sigma(t) * (1 - sigma(t)),
            "The error again, but times σ(1 − σ), which nothing cancels. Be sure and wrong, z = −10 and y = 1: the error is 1, the slope "
            "of σ is 0.00005, and nothing is learned.",
        ),
    ),
    inputs={"z": (), "y": ()},
    symbols={"z": np.array(t, dtype=object), "y": np.array(_label, dtype=object)},
    final=2 * (sigma(t) - _label) * sigma(t) * (1 - sigma(t)),
    wire=lambda code, tensors: torch.autograd.grad(code(tensors["z"], tensors["y"]), tensors["z"], create_graph=True)[
        0
    ],
)


def squared_error(z: Tensor, label: Tensor) -> Tensor:
    """(σ(z) − y)², the loss that the course does not use."""
    return (torch.sigmoid(z) - label).square()


# --- FTRL-Proximal, one coordinate -----------------------------------------------------------------------------------

g, u, s = indexed("g", "u", "s")
W = sp.Symbol("w", real=True)
l1, l2, alpha, beta = sp.symbols("lambda_1 lambda_2 alpha beta", positive=True)
T = sp.Symbol("t", integer=True, positive=True)
z_t, H = sp.Symbol("z", real=True), sp.Symbol("H", positive=True)
_three = {"g": symbol_array(g, (3,)), "u": symbol_array(u, (3,)), "s": symbol_array(s, (3,))}
_z_sum = Sum(g[i] - s[i] * u[i], (i, 1, T))
_H_sum = Sum(s[i], (i, 1, T))
_rest = HALF * Sum(s[i] * u[i] ** 2, (i, 1, T))
_penalty = l1 * sp.Abs(W) + HALF * l2 * W**2


def _scalars(**named: sp.Symbol) -> dict[str, np.ndarray]:
    return {name: np.array(symbol, dtype=object) for name, symbol in named.items()}


objective = Derivation(
    id="ftrl-objective",
    title="All the past in two numbers",
    steps=(
        Step(
            "objective",
            Sum(g[i] * W, (i, 1, T)) + HALF * Sum(s[i] * (W - u[i]) ** 2, (i, 1, T)) + _penalty,
            "The weight that would have been best for all gradients so far, held near each weight $u_i$ at which one was taken, with strength "
            "$s_i$ (the paper's $\\sigma_i$), and pulled towards 0 by the penalties.",
            lhs="f(w)",
        ),
        Step(
            "collected",
            _z_sum * W + HALF * (_H_sum + l2) * W**2 + l1 * sp.Abs(W) + _rest,
            "Multiply the squares out and sort by powers of w. The past stands in two sums, z before w and H before w²/2. The last term "
            "does not contain w.",
        ),
    ),
    inputs={"g": (3,), "u": (3,), "s": (3,), "w": (), "l1": (), "l2": ()},
    symbols=_three | _scalars(w=W, l1=l1, l2=l2),
    final=_z_sum * W + HALF * (_H_sum + l2) * W**2 + l1 * sp.Abs(W) + _rest,
    sizes={T: 3},
    wire=lambda code, tensors: code(tensors["g"], tensors["u"], tensors["s"], tensors["w"], tensors["l1"], tensors["l2"]),
)  # fmt: skip


def whole_objective(g: Tensor, u: Tensor, s: Tensor, w: Tensor, l1: Tensor, l2: Tensor) -> Tensor:
    """FTRL's objective of one coordinate, term by term, as the paper prints it."""
    proximal = sum((s[i] * (w - u[i]).square() for i in range(len(s))), torch.zeros_like(w))
    return (g * w).sum() + proximal / 2 + l1 * w.abs() + l2 / 2 * w.square()


_a = sp.Symbol("a", positive=True)  # by how much |z| exceeds λ_1

stationary = Derivation(
    id="ftrl-stationary",
    title="At the closed form the slope of the objective is 0",
    steps=(
        Step(
            "slope",
            sp.Add(l1, _a, sp.Mul(H, -_a / H, evaluate=False), -l1, evaluate=False),
            "Let $z = \\lambda_1 + a$ with $a > 0$. The closed form says $w = -a/H$, which is negative, so $|w|$ has slope −1 there. Put both into $z + H w + \\lambda_1 \\mathrm{sgn}(w)$, "
            "the slope of $z w + \\frac12 H w^2 + \\lambda_1 |w|$. ($H$ holds $\\lambda_2$ too.)",
            lhs="f'(w)",
        ),
        Step(
            "nothing left",
            sp.Integer(0),
            "It is 0, and the objective bends upwards: there is no better weight. With $z = -\\lambda_1 - a$ all signs turn. And where $|z| \\le \\lambda_1$ the slope "
            "is $z + \\lambda_1 \\ge 0$ to the right of 0 and $z - \\lambda_1 \\le 0$ to its left: 0 is the bottom.",
        ),
    ),
    inputs={"a": (), "H": (), "l1": ()},
    symbols=_scalars(a=_a, H=H, l1=l1),
    final=sp.Integer(0),
    wire=lambda code, tensors: _slope_at(code, tensors),
)


def _slope_at(code: Callable[..., Tensor], tensors: dict[str, Tensor]) -> Tensor:
    """The objective's slope at the weight that the code gives for z = λ_1 + a."""
    z = tensors["l1"] + tensors["a"]
    n = torch.zeros_like(z)
    weight = code(z, n, torch.ones_like(z), tensors["H"], tensors["l1"], torch.zeros_like(z))  # α = 1, so H = β
    return z + tensors["H"] * weight + tensors["l1"] * weight.sign()


_n = sp.Symbol("n", positive=True)
_held = (beta + sp.sqrt(_n)) / alpha + l2
_closed = (relu(-z_t - l1) - relu(z_t - l1)) / _held

weight = Derivation(
    id="ftrl-weight",
    title="The weight in closed form",
    steps=(
        Step(
            "two branches",
            sp.Piecewise((0, sp.Abs(z_t) <= l1), (-(z_t - sp.sign(z_t) * l1) / _held, True)),
            "With the rates that the paper chooses, the strengths add up to $(\\beta + \\sqrt{n})/\\alpha$, $n$ being the sum of the squared gradients. "
            "The weight is 0 while $|z| \\le \\lambda_1$; beyond, it goes against $z$, less $\\lambda_1$.",
            lhs="w",
        ),
        Step(
            "soft threshold",
            _closed,
            "The same without cases: two ramps that begin at $-\\lambda_1$ and at $\\lambda_1$, and nothing between them.",
        ),
    ),
    inputs={"z": (), "n": (), "alpha": (), "beta": (), "l1": (), "l2": ()},
    symbols=_scalars(z=z_t, n=_n, alpha=alpha, beta=beta, l1=l1, l2=l2),
    final=_closed,
    wire=lambda code, tensors: code(*(tensors[name] for name in ("z", "n", "alpha", "beta", "l1", "l2"))),
    domain={"z": (-4.0, 4.0), "l1": (0.25, 1.5)},  # most draws lie beyond the threshold, on both sides
)

_q = symbol_array("g", (3,))
_roots = [sp.sqrt(sum((_q[a] ** 2 for a in range(b)), sp.Integer(0))) for b in range(4)]

telescope = Derivation(
    id="ftrl-telescope",
    title="The strengths telescope",
    steps=(
        Step(
            "differences",
            sum((_roots[a + 1] - _roots[a]) / alpha for a in range(3)),
            "Each gradient adds to the strength by how much the root of the sum of squares grows: here after three of them.",
            lhs=r"\sigma_1 + \sigma_2 + \sigma_3",
        ),
        Step("ends", _roots[3] / alpha, "Everything between the ends cancels: √n/α is left. With β/α at the start, $H = (\\beta + \\sqrt{n})/\\alpha$, and $\\lambda_2$ on top."),
    ),
    inputs={"g": (3,), "alpha": ()},
    symbols={"g": _q, "alpha": np.array(alpha, dtype=object)},
    final=_roots[3] / alpha,
    wire=lambda code, tensors: _strength(code, tensors),
)  # fmt: skip


def _strength(code: Callable[..., tuple[Tensor, Tensor]], tensors: dict[str, Tensor]) -> Tensor:
    """−∂z/∂w after three gradients at one and the same w: Σ σ, as the code adds it up."""
    at = torch.ones_like(tensors["alpha"], requires_grad=True)
    z = n = torch.zeros_like(at)
    for number in range(3):
        z, n = code(at, z, n, tensors["g"][number], tensors["alpha"])
    (slope,) = torch.autograd.grad(z, at, create_graph=True)
    return -slope


_before = sp.Symbol("w_t", real=True)
_g = sp.Symbol("g", real=True)
_root, _new = sp.sqrt(_n), sp.sqrt(_n + _g**2)

one_step = Derivation(
    id="ftrl-is-gradient-descent",
    title="Without penalties FTRL is gradient descent",
    steps=(
        Step(
            "closed form",
            -(-(beta + _root) / alpha * _before + _g - (_new - _root) / alpha * _before) / ((beta + _new) / alpha),
            "$\\lambda_1 = \\lambda_2 = 0$. Before the step $z = -\\frac{\\beta + \\sqrt{n}}{\\alpha} w_t$, which is the closed form read backwards. Add "
            "$g - \\sigma w_t$ to z and $g^2$ to n.",
            lhs="w_{t+1}",
        ),
        Step(
            "a step",
            _before - alpha / (beta + _new) * _g,
            "The strength that was added with σ is the one that is divided by. What is left is a step against the gradient, with the rate "
            "α/(β + √n) of this coordinate alone.",
        ),
    ),
    inputs={"w": (), "n": (), "g": (), "alpha": (), "beta": ()},
    symbols=_scalars(w=_before, n=_n, g=_g, alpha=alpha, beta=beta),
    final=_before - alpha / (beta + _new) * _g,
    wire=lambda code, tensors: code(*(tensors[name] for name in ("w", "n", "g", "alpha", "beta"))),
)  # fmt: skip
