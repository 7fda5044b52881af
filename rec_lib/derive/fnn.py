"""FNN, step by step: the field-wise first layer, two tanh layers, and why a row of the table learns so rarely.

Source  Zhang, Du, Wang, "Deep Learning over Multi-field Categorical Data", ECIR 2016, arXiv:1601.02376: eq. 2-5.
"""

from __future__ import annotations

import sympy as sp
import torch
from sympy import Sum, tanh
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import F, f, i, indexed, k, n, one_id_a_field

M, R = sp.symbols("M R", integer=True, positive=True)  # units of the first and of the second hidden layer
m, r = sp.symbols("m r", integer=True, positive=True)

w, v = indexed("w", "v")
alpha, A, W, b, T, c, h = indexed("alpha", "A", "W", "b", "T", "c", "h")
w0, b0 = symbol_array("w_0", ()), symbol_array("b_0", ())

_field = A[m, i] * w[i] + Sum(W[m, i, f] * v[i, f], (f, 1, k))  # what unit m reads of field i
_l1 = tanh(b[m] + alpha[m] * w0[()] + Sum(_field, (i, 1, F)))
_flat = alpha[m] * w0[()] + Sum(A[m, i] * w[i], (i, 1, F)) + Sum(W[m, i, f] * v[i, f], (f, 1, k), (i, 1, F))
_final = b0[()] + Sum(h[r] * tanh(c[r] + Sum(T[r, m] * _l1, (m, 1, M))), (r, 1, R))


def _run(code: type[nn.Module], t: dict[str, Tensor]) -> Tensor:
    by_field = torch.cat([t["A"].unsqueeze(2), t["W"]], dim=2).flatten(
        1
    )  # (M, F·(1 + D)): z_i = (w_i, v_i), field by field
    parameters = {
        "w0": t["w0"].reshape(1),
        "emb.table": torch.cat([t["w"].unsqueeze(1), t["v"]], dim=1),
        "mlp.0.weight": torch.cat([t["alpha"].unsqueeze(1), by_field], dim=1),
        "mlp.0.bias": t["b"],
        "mlp.2.weight": t["T"],
        "mlp.2.bias": t["c"],
        "mlp.4.weight": t["h"].unsqueeze(0),
        "mlp.4.bias": t["b0"].reshape(1),
    }
    return one_id_a_field(code, parameters, n_fields=2, dim=2, hidden=(2, 2))


model = Derivation(
    id="fnn",
    title="FNN: (w_i, v_i) of each field, then two tanh layers",
    steps=(
        Step(
            "first hidden layer",
            tanh(b[m] + _flat),
            "Unit $m$ reads the constant $w_0$, all first-order weights and all vectors, each number through a weight of its own.",
            lhs=r"l_m",
        ),
        Step(
            "field by field",
            _l1,
            "Sorted by field: field $i$ brings $z_i = (w_i, v_i)$ and nothing else. These numbers come out of a trained FM; "
            "the weights that read them are random.",
        ),
        Step(
            "output",
            _final,
            "A second tanh layer over the $M$ units of the first, and a weighted sum. The sigmoid is left to the loss.",
            lhs="y",
            starts=True,
        ),
    ),
    inputs={
        "w0": (), "w": (2,), "v": (2, 2),
        "alpha": (2,), "A": (2, 2), "W": (2, 2, 2), "b": (2,), "T": (2, 2), "c": (2,), "h": (2,), "b0": (),
    },
    symbols={
        "w0": w0, "w": symbol_array(w, (2,)), "v": symbol_array(v, (2, 2)),
        "alpha": symbol_array(alpha, (2,)), "A": symbol_array(A, (2, 2)), "W": symbol_array(W, (2, 2, 2)),
        "b": symbol_array(b, (2,)), "T": symbol_array(T, (2, 2)), "c": symbol_array(c, (2,)), "h": symbol_array(h, (2,)), "b0": b0,
    },
    final=_final,
    sizes={F: 2, k: 2, M: 2, R: 2, m: 1},
    wire=_run,
)  # fmt: skip

# One field as a one-hot block: z_f = Σ_i x_i v_if is what the layers above see of it, g what they send back.
x, g = indexed("x", "g")

row_update = Derivation(
    id="fnn-row-update",
    title="A row of the table learns only when its feature is there",
    steps=(
        Step(
            "chain rule",
            sp.Derivative(Sum(g[f] * Sum(x[i] * v[i, f], (i, 1, n)), (f, 1, k)), v[1, 1]),
            "The network sees a field as $z = \\sum_i x_i v_i$. A change of $z$ moves the logit by $\\langle g, z\\rangle$, where $g$ is what comes down from the layers above. "
            "Differentiate in the first number of the first row.",
            lhs=r"\frac{\partial y}{\partial v_{1,1}}",
        ),
        Step(
            "the gate",
            x[1] * g[1],
            "$x_1$ stands in front. In every sample that has another value in this field $x_1$ is 0, and the row learns nothing, whatever $g$ says.",
        ),
    ),
    inputs={"x": (3,), "g": (2,)},
    symbols={"x": symbol_array(x, (3,)), "g": symbol_array(g, (2,))},
    final=x[1] * g[1],
    sizes={n: 3, k: 2},
    wire=lambda code, t: code(t["x"], t["g"]),
)


def row_gradient(x: Tensor, g: Tensor) -> Tensor:
    """By autograd: the slope of ⟨g, Σ_i x_i v_i⟩ in the first number of row 1. What :data:`row_update` is held to."""
    rows = torch.zeros(len(x), len(g), dtype=x.dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(((x @ rows) * g).sum(), rows, create_graph=True)
    return gradient[0, 0]
