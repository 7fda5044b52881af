"""Deep Crossing, step by step: stacked vectors, a residual unit, and what the shortcut does to the gradient.

Source  Shan et al., "Deep Crossing", KDD 2016: eq. 2 (embedding), 3 (stacking), 4 (residual unit);
        Veit, Wilber, Belongie, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks", NIPS 2016 (paths).
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed, one_id_a_field, relu, step

X, M = sp.symbols("X M", integer=True, positive=True)  # numbers in the stacked vector, units of the inner layer
a, c, m = sp.symbols("a c m", integer=True, positive=True)  # of the stacked vector (twice), of the inner layer

x, U, p, V, q, w = indexed("x", "U", "p", "V", "q", "w")  # the paper's W0 b0 and W1 b1 are U p and V q here
b = symbol_array("b", ())

_inner = p[m] + Sum(U[m, c] * x[c], (c, 1, X))  # before the first ReLU
_residual = q[a] + Sum(V[a, m] * relu(_inner), (m, 1, M))  # F(x)_a
_unit = relu(x[a] + _residual)
_shapes: dict[str, tuple[int, ...]] = {"x": (4,), "U": (2, 4), "p": (2,), "V": (4, 2), "q": (4,)}
_symbols = {
    "x": symbol_array(x, (4,)), "U": symbol_array(U, (2, 4)), "p": symbol_array(p, (2,)),
    "V": symbol_array(V, (4, 2)), "q": symbol_array(q, (4,)),
}  # fmt: skip
_sizes = {X: 4, M: 2}


def _call_unit(code: Callable[[int, int], nn.Module], t: dict[str, Tensor]) -> Tensor:
    lent = {"inner.weight": t["U"], "inner.bias": t["p"], "outer.weight": t["V"], "outer.bias": t["q"]}
    return run_module(code(4, 2), lent, t["x"])


unit = Derivation(
    id="residual-unit",
    title="A residual unit: two layers say what to change",
    steps=(
        Step(
            "change",
            sp.Matrix([_residual.subs(a, number) for number in range(1, 5)]),
            r"Two layers with a ReLU between them. $U, p$ are the paper's $W_0, b_0$ and $V, q$ its $W_1, b_1$; here the vector has four numbers and the inner layer two. "
            "Their output has as many numbers as their input.",
            lhs=r"\mathcal F(x)",
        ),
        Step(
            "eq. 4",
            sp.Matrix([_unit.subs(a, number) for number in range(1, 5)]),
            "Add the input, then apply the last ReLU. A unit whose weights are all 0 passes on every number that is not negative: doing nothing is easy to learn.",
            lhs=r"x'",
            starts=True,
        ),
    ),
    inputs=_shapes,
    symbols=_symbols,
    final=sp.Matrix([_unit.subs(a, number) for number in range(1, 5)]),
    sizes=_sizes,
    wire=_call_unit,
)

# The whole model: two fields of two numbers, one unit
e, beta = indexed("e", r"\beta")
_stacked = [relu(e[i, f] + beta[i, f]) for i in (1, 2) for f in (1, 2)]


class stacked_of(sp.Function):
    """A number of the stacked vector, printed as x_c; of place 1, 2, … it is what eq. 2 puts there."""

    nargs = 1

    @classmethod
    def eval(cls, place: sp.Expr) -> sp.Expr | None:
        return _stacked[int(place) - 1] if place.is_Integer else None

    def _latex(self, printer: object, exp: str | None = None) -> str:
        return f"x_{{{sp.latex(self.args[0])}}}"


_reads = p[m] + Sum(U[m, c] * stacked_of(c), (c, 1, X))
_y = b[()] + Sum(w[a] * relu(stacked_of(a) + q[a] + Sum(V[a, m] * relu(_reads), (m, 1, M))), (a, 1, X))


def _call_model(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    lent = {
        "emb.table": t["e"], "bias": t["beta"],
        "units.0.inner.weight": t["U"], "units.0.inner.bias": t["p"], "units.0.outer.weight": t["V"], "units.0.outer.bias": t["q"],
        "score.weight": t["w"].unsqueeze(0), "score.bias": t["b"].reshape(1),
    }  # fmt: skip
    return one_id_a_field(code, lent, n_fields=2, dim=2, hidden=(2,))


model = Derivation(
    id="deep-crossing",
    title="Deep Crossing: embed, stack, change, score",
    steps=(
        Step(
            "eq. 2-3",
            sp.Matrix(_stacked),
            r"A field's value picks row $e_i$ of $W_i$; a bias $\beta_i$ is added, and a ReLU follows. The vectors are stacked: two fields of two numbers give four.",
            lhs="x",
        ),
        Step(
            "scoring",
            _y,
            "One residual unit reads the stack, and the scoring layer weighs what leaves it. All fields meet in the first sum of the unit: nobody chose which ones to cross.",
            lhs="y",
            starts=True,
        ),
    ),
    inputs={"e": (2, 2), "beta": (2, 2)}
    | {name: _shapes[name] for name in ("U", "p", "V", "q")}
    | {"w": (4,), "b": ()},
    symbols={"e": symbol_array(e, (2, 2)), "beta": symbol_array(beta, (2, 2))}
    | {name: _symbols[name] for name in ("U", "p", "V", "q")}
    | {"w": symbol_array(w, (4,)), "b": b},
    final=_y,
    sizes=_sizes,
    wire=_call_model,
)


class inner_of(sp.Function):
    """A unit of the inner layer, printed as h_m; of unit 1, 2, … it is relu(p_m + Σ_c U_mc x_c), over four numbers."""

    nargs = 1

    @classmethod
    def eval(cls, number: sp.Expr) -> sp.Expr | None:
        return (
            relu(p[number] + sum(U[number, place] * x[place] for place in range(1, 5))) if number.is_Integer else None
        )

    def _latex(self, printer: object, exp: str | None = None) -> str:
        return f"h_{{{sp.latex(self.args[0])}}}"


_open = step(x[a] + q[a] + Sum(V[a, m] * inner_of(m), (m, 1, M)))
_through = Sum(V[a, m] * step(inner_of(m)) * U[m, 1], (m, 1, M))


def _slope(code: Callable[[int, int], nn.Module], t: dict[str, Tensor]) -> Tensor:
    (gradient,) = torch.autograd.grad(t["w"] @ _call_unit(code, t), t["x"], create_graph=True)
    return gradient[0]


_direct = w[1] * _open.subs(a, 1)
_by_layers = Sum(w[a] * _open * _through, (a, 1, X))

shortcut = Derivation(
    id="residual-gradient",
    title="What a unit sends back: the message itself, and a message through its layers",
    steps=(
        Step(
            "chain rule",
            sp.Derivative(Sum(w[a] * _unit, (a, 1, X)), x[1]),
            r"The layers above send $w_a$ to output $a$ of the unit. How much of it reaches the first number of the input?",
            lhs=r"\frac{\partial}{\partial x_1}\sum_a w_a x'_a",
        ),
        Step(
            "two messages",
            _direct + _by_layers,
            r"Let $h_m$ be number $m$ of the inner layer, and $\mathbf 1[z>0]$ the slope of the ReLU: 1 where it is open, else 0. First term: $w_1$ as it came, whole, as long as output 1 is above 0. No weight of the unit touches it. "
            r"Second term: everything else, scaled by $V$ and $U$. A plain layer has the second term alone.",
        ),
    ),
    inputs=_shapes | {"w": (4,)},
    symbols=_symbols | {"w": symbol_array(w, (4,))},
    final=_direct + _by_layers,
    terms={"message itself": _direct, "message through the layers": _by_layers},
    sizes=_sizes,
    wire=_slope,
)

# A cascade of three units of one number each, every ReLU open: r_l is the slope of F_l
_r = symbol_array("r", (3,))
r1, r2, r3 = _r
_expanded = 1 + r1 + r2 + r3 + r1 * r2 + r1 * r3 + r2 * r3 + r1 * r2 * r3

paths = Derivation(
    id="residual-paths",
    title="Three units in a row: all paths at once",
    steps=(
        Step(
            "product",
            (1 + r1) * (1 + r2) * (1 + r3),
            r"One number, three units, all ReLUs open; $r_l$ is the slope of $\mathcal F_l$. The slopes of a chain multiply.",
            lhs=r"\frac{\partial x'''}{\partial x}",
        ),
        Step(
            "paths",
            _expanded,
            "Multiplied out: one term for each choice of units to go through or around. The 1 goes around all of them. "
            "Without the shortcut only the last term is left, and with slopes of 0.4 it is 0.06.",
        ),
    ),
    inputs={"r": (3,)},
    symbols={"r": _r},
    final=_expanded,
    wire=lambda code, t: code(t["r"]),
)


def slope_of_cascade(r: Tensor) -> Tensor:
    """By autograd: the slope of x → x + r_l x, applied for every l. What :data:`paths` is held to."""
    start = torch.ones((), dtype=r.dtype, requires_grad=True)
    value = start
    for slope in r:
        value = value + slope * value
    return torch.autograd.grad(value, start, create_graph=True)[0]
