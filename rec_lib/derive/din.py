"""DIN, step by step: the activation unit and its cheaper form, what the book's difference can and cannot say, the interest
vector in the whole model, Dice, and the decay of mini-batch aware regularisation.

Source  Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018, arXiv:1706.06978: eq. 3, 5-9, figure 2.

PReLU, Dice's simpler relative, stands for the activation in the formulas of the unit and of the model; Dice has a derivation
of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import HALF, indexed, relu
from rec_lib.schema import FIRST, Schema, Sequence, Sparse

D, H, N, B = sp.symbols("D H N B", integer=True, positive=True)  # numbers in a vector, hidden units, behaviours, rows
d, m, j, r = sp.symbols("d m j r", integer=True, positive=True)  # their counters
q, key, Wq, Wk, Wd, Wp, b, u = indexed("q", "k", "W^q", "W^k", "W^d", "W^p", "b", "u")
alpha = symbol_array("alpha", ())
o = symbol_array("o", ())


def prelu(z: sp.Expr, slope: sp.Expr) -> sp.Expr:
    """z where z > 0, slope·z elsewhere."""
    return relu(z) - slope * relu(-z)


def _weight(hidden: sp.Expr) -> sp.Expr:
    """One number from the hidden units, all with one PReLU slope."""
    return o[()] + Sum(u[m] * prelu(hidden, alpha[()]), (m, 1, H))


_concatenated = b[m] + Sum(
    Wq[m, d] * q[d] + Wk[m, d] * key[d] + Wd[m, d] * (q[d] - key[d]) + Wp[m, d] * q[d] * key[d], (d, 1, D)
)
_split = (
    b[m]
    + Sum((Wq[m, d] + Wd[m, d]) * q[d], (d, 1, D))
    + Sum((Wk[m, d] - Wd[m, d] + Wp[m, d] * q[d]) * key[d], (d, 1, D))
)


def _unit(code: Callable[..., nn.Module], t: dict[str, Tensor], interaction: str) -> Tensor:
    """One candidate, one behaviour."""
    module = code(2, 2, interaction, dice=False)
    parts = [t[name] for name in ("Wq", "Wk", "Wd", "Wp") if name in t]
    parameters = {
        "hidden.weight": torch.cat(parts, dim=1),
        "hidden.bias": t["b"],
        "activation.alpha": t["alpha"].expand(2),
        "out.weight": t["u"].unsqueeze(0),
        "out.bias": t["o"].unsqueeze(0),
    }
    there = torch.ones(1, 1, dtype=torch.bool)
    return run_module(module, parameters, t["q"].unsqueeze(0), t["k"].view(1, 1, 2), there).view(())


_pair = {"q": symbol_array(q, (2,)), "k": symbol_array(key, (2,))}
_unit_symbols = {
    "Wq": symbol_array(Wq, (2, 2)),
    "Wk": symbol_array(Wk, (2, 2)),
    "Wd": symbol_array(Wd, (2, 2)),
    "b": symbol_array(b, (2,)),
    "u": symbol_array(u, (2,)),
    "alpha": alpha,
    "o": o,
}
_unit_shapes: dict[str, tuple[int, ...]] = {
    "Wq": (2, 2),
    "Wk": (2, 2),
    "Wd": (2, 2),
    "b": (2,),
    "u": (2,),
    "alpha": (),
    "o": (),
}

unit = Derivation(
    id="din-unit",
    title="The activation unit: one candidate, one film of the history, one weight",
    steps=(
        Step(
            "concatenate",
            _weight(_concatenated),
            "The hidden layer reads candidate $q$, film $k$, their difference and their product, side by side. PReLU bends its "
            "units; $u$ and $o$ make one number of them. There is no softmax.",
            lhs="a(k, q)",
        ),
        Step(
            "sort by what depends on k",
            _weight(_split),
            "The same hidden layer, sorted. The first sum needs the candidate alone, and so does the bracket before $k_d$: both are "
            "computed once a row, not once for each film of the history.",
        ),
    ),
    inputs={"q": (2,), "k": (2,)} | _unit_shapes | {"Wp": (2, 2)},
    symbols=_pair | _unit_symbols | {"Wp": symbol_array(Wp, (2, 2))},
    final=_weight(_split),
    sizes={D: 2, H: 2},
    wire=lambda code, t: _unit(code, t, "code"),
)

_additive = b[m] + Sum((Wq[m, d] + Wd[m, d]) * q[d], (d, 1, D)) + Sum((Wk[m, d] - Wd[m, d]) * key[d], (d, 1, D))

difference = Derivation(
    id="din-difference",
    title="A difference before a linear layer adds nothing",
    steps=(
        Step(
            "the book's unit",
            _weight(b[m] + Sum(Wq[m, d] * q[d] + Wk[m, d] * key[d] + Wd[m, d] * (q[d] - key[d]), (d, 1, D))),
            "The book draws $q$, $k$ and their difference (元素减) into the hidden layer.",
            lhs="a(k, q)",
        ),
        Step(
            "collect",
            _weight(_additive),
            "Collect what stands before $q_d$ and before $k_d$: $W^d$ goes into the two other matrices. A layer over $[q, k]$ can say "
            "all that this one can. Only the bend of its units lets candidate and film meet.",
        ),
    ),
    inputs={"q": (2,), "k": (2,)} | _unit_shapes,
    symbols=_pair | _unit_symbols,
    final=_weight(_additive),
    sizes={D: 2, H: 2},
    wire=lambda code, t: _unit(code, t, "book"),
)

# --- the whole model: one candidate, two behaviours ----------------------------------------------------------------------

e, a, U, V, c, g = indexed("e", "a", "U", "V", "c", "g")
_y0 = symbol_array("y_0", ())
_SCHEMA = Schema((Sparse("item", FIRST + 3), Sequence("history", of="item", maxlen=3)))
_T = 2  # films in the history; the third place is padding


def _unit_on(place: sp.Expr) -> sp.Expr:
    """a(e_j, v_A) with v_A = q and e_j row j of e, the unit's weights as in ``unit``."""
    hidden = (
        b[m]
        + Sum((Wq[m, d] + Wd[m, d]) * q[d], (d, 1, D))
        + Sum((Wk[m, d] - Wd[m, d] + Wp[m, d] * q[d]) * e[place, d], (d, 1, D))
    )
    return _weight(hidden)


_d2 = sp.Symbol("d'", integer=True, positive=True)
_m2 = sp.Symbol("m'", integer=True, positive=True)
_interest = Sum(_unit_on(j) * e[j, _d2], (j, 1, N))  # coordinate d' of v_U(A)


def _network(coordinate_of_interest: sp.Expr) -> sp.Expr:
    """y_0 + gᵀ PReLU(c + U q + V v_U)."""
    inner = c[_m2] + Sum(U[_m2, _d2] * q[_d2] + V[_m2, _d2] * coordinate_of_interest, (_d2, 1, D))
    return _y0[()] + Sum(g[_m2] * prelu(inner, alpha[()]), (_m2, 1, H))


_named = sp.IndexedBase("v^U", real=True)


def _model(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    module = code(_SCHEMA, dim=2, hidden=(2,), attention=2, dice=False)
    empty = t["q"].new_zeros(FIRST, 2)
    two = t["alpha"].expand(2)
    parameters = {
        "emb.table": torch.cat([empty, t["q"].unsqueeze(0), t["e"]]),
        "units.0.hidden.weight": torch.cat([t["Wq"], t["Wk"], t["Wd"], t["Wp"]], dim=1),
        "units.0.hidden.bias": t["b"],
        "units.0.activation.alpha": two,
        "units.0.out.weight": t["u"].unsqueeze(0),
        "units.0.out.bias": t["o"].unsqueeze(0),
        "mlp.0.weight": torch.cat([t["U"], t["V"]], dim=1),
        "mlp.0.bias": t["c"],
        "mlp.1.alpha": two,
        "mlp.2.weight": t["g"].unsqueeze(0),
        "mlp.2.bias": t["y0"].unsqueeze(0),
    }
    batch = {"item": torch.tensor([FIRST]), "history": torch.tensor([[FIRST + 1, FIRST + 2, 0]])}
    return run_module(module, parameters, batch).squeeze(0)


model = Derivation(
    id="din",
    title="DIN: the history as the candidate sees it",
    steps=(
        Step(
            "eq. 3",
            Sum(a[j] * e[j, _d2], (j, 1, N)),
            "The interest vector: each film's vector times the weight that the candidate gives it, added up. Another candidate, another "
            "vector.",
            lhs=r"v^U_{d'}",
        ),
        Step(
            "figure 2",
            _network(_named[_d2]),
            "A network reads the candidate $q$ and the interest $v^U$ side by side.",
            lhs="y",
            starts=True,
        ),
        Step(
            "with the weights put in",
            _network(_interest),
            "The whole model, with the activation unit written out. This is what the class has to compute.",
            lhs="y",
            starts=True,
        ),
    ),
    inputs={"q": (2,), "e": (_T, 2)}
    | _unit_shapes
    | {"Wp": (2, 2), "U": (2, 2), "V": (2, 2), "c": (2,), "g": (2,), "y0": ()},
    symbols={"q": _pair["q"], "e": symbol_array(e, (_T, 2))}
    | _unit_symbols
    | {
        "Wp": symbol_array(Wp, (2, 2)),
        "U": symbol_array(U, (2, 2)),
        "V": symbol_array(V, (2, 2)),
        "c": symbol_array(c, (2,)),
        "g": symbol_array(g, (2,)),
        "y0": _y0,
    },
    final=_network(_interest),
    sizes={D: 2, H: 2, N: _T},
    wire=_model,
)

# --- Dice ------------------------------------------------------------------------------------------------------------

s = sp.IndexedBase("s", real=True)
_r2 = sp.Symbol("r'", integer=True, positive=True)
_EPS = sp.Rational(1, 10**8)
_mean = Sum(s[_r2], (_r2, 1, B)) / B
_var = Sum((s[_r2] - _mean.subs(_r2, r)) ** 2, (_r2, 1, B)) / B
_gate = 1 / (1 + sp.exp(-(s[1] - _mean) / sp.sqrt(_var + _EPS)))


def _first_of_batch(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """The first row of a batch of four in training mode: the last is padding and must not count."""
    rows = torch.cat([t["s"], t["s"].new_tensor([7.0])]).view(1, 4, 1)
    mask = torch.tensor([[True, True, True, False]])
    return run_module(code(1).train(), {"alpha": t["alpha"].unsqueeze(0)}, rows, mask)[0, 0, 0]


dice = Derivation(
    id="dice",
    title="Dice: a bend that stands where the data is",
    steps=(
        Step(
            "eq. 9",
            _gate * s[1] + (1 - _gate) * alpha[()] * s[1],
            "The first of $B$ rows, one unit. The gate $p$ is a sigmoid of how far $s_1$ lies above the mean of the batch, in standard "
            "deviations. Open gate: $s$ passes. Closed gate: $\\alpha s$ does.",
            lhs="f(s_1)",
        ),
        Step(
            "one product",
            s[1] * (alpha[()] + (1 - alpha[()]) * _gate),
            "The same, sorted: $s$ times a number between $\\alpha$ and 1. A step at 0 in place of the gate gives PReLU.",
        ),
    ),
    inputs={"s": (3,), "alpha": ()},
    symbols={"s": symbol_array(s, (3,)), "alpha": alpha},
    final=s[1] * (alpha[()] + (1 - alpha[()]) * _gate),
    sizes={B: 3},
    wire=_first_of_batch,
)

# --- mini-batch aware regularisation ---------------------------------------------------------------------------------

W, n = indexed("w", "n")
_rows = {"w": symbol_array(W, (3, 2)), "n": symbol_array(n, (3,))}
_penalty = HALF * sum(Sum(W[row, d] ** 2, (d, 1, D)) / n[row] for row in (1, 3))


def decay_of_first_row(code: Callable[[Tensor, Tensor, Tensor], Tensor], t: dict[str, Tensor]) -> Tensor:
    """∂/∂w_11 by autograd, in a batch that reads row 1 twice, row 3 once, and row 2 not at all."""
    w = t["w"] if t["w"].requires_grad else t["w"].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(code(w, torch.tensor([0, 2, 0]), t["n"]), w, create_graph=True)
    return gradient[0, 0]


decay = Derivation(
    id="din-mba",
    title="Only what the batch reads decays",
    steps=(
        Step(
            "eq. 6",
            _penalty,
            "Three rows of the table; the batch reads rows 1 and 3. Each counts once, divided by how often it stands in the whole data.",
            lhs="R",
        ),
        Step(
            "slope",
            sp.diff(HALF * (W[1, 1] ** 2 + W[1, 2] ** 2) / n[1], W[1, 1]),
            "What a step takes off row 1: a part of it, the smaller the more often the row will be read again. Row 2 stays as it is.",
            lhs=r"\frac{\partial R}{\partial w_{1,1}}",
            starts=True,
        ),
    ),
    inputs={"w": (3, 2), "n": (3,)},
    symbols=_rows,
    final=W[1, 1] / n[1],
    sizes={D: 2},
    domain={"n": (1.0, 9.0)},
    wire=decay_of_first_row,
)
