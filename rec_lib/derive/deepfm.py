"""DeepFM, step by step: the sum of its parts, and what both parts say to one number of one vector.

Source  Guo et al., "DeepFM", IJCAI 2017, arXiv:1703.04247: eq. 1 (sum), 2 (FM), 3-4 (deep).
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.fm import half_of_square, pairs_of_fields, v, w, w0
from rec_lib.derive.tiny import F, f, i, indexed, j, k, one_id_a_field, relu, step

M, N = sp.symbols("M N", integer=True, positive=True)  # hidden units, dense features
m, q = sp.symbols("m q", integer=True, positive=True)

u, d, W, U, b, h = indexed("u", "d", "W", "U", "b", "h")
b0 = symbol_array("b_0", ())

# one hidden layer shows everything
_unit = b[m] + Sum(W[m, i, f] * v[i, f], (f, 1, k), (i, 1, F))
_linear = w0[()] + Sum(w[i], (i, 1, F))
_fm = Sum(half_of_square(f), (f, 1, k))
_deep = b0[()] + Sum(h[m] * relu(_unit), (m, 1, M))

_shapes: dict[str, tuple[int, ...]] = {"w0": (), "w": (3,), "v": (3, 2), "W": (2, 3, 2), "b": (2,), "h": (2,), "b0": ()}
_symbols = {
    "w0": w0, "w": symbol_array(w, (3,)), "v": symbol_array(v, (3, 2)),
    "W": symbol_array(W, (2, 3, 2)), "b": symbol_array(b, (2,)), "h": symbol_array(h, (2,)), "b0": b0,
}  # fmt: skip
_sizes = {F: 3, k: 2, M: 2, N: 1}


def _run(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    parameters = {
        "linear.w0": t["w0"],
        "linear.w.table": t["w"].unsqueeze(1),
        "emb.table": t["v"],
        "mlp.0.weight": t["W"].flatten(1),
        "mlp.0.bias": t["b"],
        "mlp.2.weight": t["h"].unsqueeze(0),
        "mlp.2.bias": t["b0"].reshape(1),
    }
    if "d" in t:  # dense features stand at the end of what the network reads
        parameters["linear.dense"] = t["u"]
        parameters["mlp.0.weight"] = torch.cat([parameters["mlp.0.weight"], t["U"]], dim=1)
    return one_id_a_field(code, parameters, n_fields=3, dense=t.get("d"), dim=2, hidden=(2,))


model = Derivation(
    id="deepfm",
    title="DeepFM: two parts over one table of vectors",
    steps=(
        Step(
            "eq. 1",
            _linear + pairs_of_fields() + _deep,
            "First-order weights; every pair of fields once; and a network that reads the same vectors, side by side. "
            "They are added before the sigmoid, so one loss trains them all.",
            lhs="y",
        ),
        Step(
            "eq. 2 in linear time",
            _linear + _fm + _deep,
            "The pairwise term by FM's identity. The network is not touched.",
        ),
    ),
    inputs=_shapes,
    symbols=_symbols,
    final=_linear + _fm + _deep,
    terms={"linear": _linear, "fm": _fm, "deep": _deep},
    sizes=_sizes,
    wire=_run,
)

_dense = Sum(u[q] * d[q], (q, 1, N))
_deep_dense = b0[()] + Sum(h[m] * relu(_unit + Sum(U[m, q] * d[q], (q, 1, N))), (m, 1, M))

with_dense = Derivation(
    id="deepfm-dense",
    title="DeepFM with dense features",
    steps=(
        Step(
            "dense features",
            _linear + _dense + _fm + _deep_dense,
            "A dense feature $d_q$ enters twice: with a weight $u_q$ in the linear term, and as one more number that the network reads. It is in no pair.",
            lhs="y",
        ),
    ),
    inputs=_shapes | {"u": (1,), "d": (1,), "U": (2, 1)},
    symbols=_symbols | {"u": symbol_array(u, (1,)), "d": symbol_array(d, (1,)), "U": symbol_array(U, (2, 1))},
    final=_linear + _dense + _fm + _deep_dense,
    terms={"linear": _linear + _dense, "fm": _fm, "deep": _deep_dense},
    sizes=_sizes,
    wire=_run,
)


def _slope(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    (gradient,) = torch.autograd.grad(_run(code, t), t["v"], create_graph=True)
    return gradient[0, 0]


_from_fm = Sum(v[j, 1], (j, 2, F))
_from_deep = Sum(h[m] * step(_unit) * W[m, 1, 1], (m, 1, M))

shared_gradient = Derivation(
    id="deepfm-shared-gradient",
    title="Two messages for one number",
    steps=(
        Step(
            "derivative",
            sp.Derivative(pairs_of_fields() + Sum(h[m] * relu(_unit), (m, 1, M)), v[1, 1]),
            "How does the logit move with the first number of field 1's vector? Only the pairs and the network contain it.",
            lhs=r"\frac{\partial y}{\partial v_{1,1}}",
        ),
        Step(
            "two messages",
            _from_fm + _from_deep,
            "From FM: the sum of the other fields' numbers in the same coordinate, so after a click $v_1$ moves towards the company it kept. "
            "From the network: for each unit that is switched on, its weight upwards times the weight by which it reads this number. "
            "Both arrive at the same row of the table and are added.",
        ),
    ),
    inputs=_shapes,
    symbols=_symbols,
    final=_from_fm + _from_deep,
    terms={"message of FM": _from_fm, "message of the network": _from_deep},
    sizes=_sizes,
    wire=_slope,
)
