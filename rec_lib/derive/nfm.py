"""NFM, step by step: a network on the bi-interaction vector, and the network that is FM.

Source  He & Chua, "Neural Factorization Machines for Sparse Predictive Analytics", SIGIR 2017, arXiv:1708.05027: eq. 2-7.

Batch norm and dropout, which the paper puts between pooling and network, are left out here: once trained, the first is
a shift and a scale a coordinate, and the second does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.fm import half_of_square, pairs_of_fields, v, w, w0
from rec_lib.derive.tiny import F, f, i, indexed, j, k, one_id_a_field, relu

M = sp.symbols("M", integer=True, positive=True)  # hidden units
m = sp.symbols("m", integer=True, positive=True)

W, b, h = indexed("W", "b", "h")

_linear = w0[()] + Sum(w[i], (i, 1, F))
_pairs_of_numbers = Sum(v[i, f] * v[j, f], (j, i + 1, F), (i, 1, F))  # coordinate f of f_BI


def _network(f_bi: sp.Expr) -> sp.Expr:
    """hᵀ relu(W f_BI + b)."""
    return Sum(h[m] * relu(b[m] + Sum(W[m, f] * f_bi, (f, 1, k))), (m, 1, M))


def _run(
    code: Callable[..., nn.Module], t: dict[str, Tensor], hidden: tuple[int, ...], mlp: dict[str, Tensor]
) -> Tensor:
    parameters = {"linear.w0": t["w0"], "linear.w.table": t["w"].unsqueeze(1), "emb.table": t["v"]} | mlp
    return one_id_a_field(code, parameters, n_fields=3, dim=2, hidden=hidden, batch_norm=False)


def _without_hidden_layer(code: Callable[..., nn.Module], t: dict[str, Tensor], h: Tensor) -> Tensor:
    return _run(code, t, (), {"mlp.0.weight": h.unsqueeze(0)})


_table = {"w0": w0, "w": symbol_array(w, (3,)), "v": symbol_array(v, (3, 2))}
_table_shapes: dict[str, tuple[int, ...]] = {"w0": (), "w": (3,), "v": (3, 2)}

model = Derivation(
    id="nfm",
    title="NFM: a network reads the bi-interaction vector",
    steps=(
        Step(
            "eq. 2-4",
            _linear + _network(_pairs_of_numbers),
            "FM adds up the $k$ numbers of $f_{BI}$. NFM lets a network read them. The network's input has $k$ numbers, however many fields there are.",
            lhs="y",
        ),
        Step(
            "pooling in linear time", _linear + _network(half_of_square(f)), "FM's identity, coordinate by coordinate."
        ),
    ),
    inputs=_table_shapes | {"W": (2, 2), "b": (2,), "h": (2,)},
    symbols=_table | {"W": symbol_array(W, (2, 2)), "b": symbol_array(b, (2,)), "h": symbol_array(h, (2,))},
    final=_linear + _network(half_of_square(f)),
    terms={"linear": _linear, "network": _network(half_of_square(f))},
    sizes={F: 3, k: 2, M: 2},
    wire=lambda code, t: _run(
        code, t, (2,), {"mlp.0.weight": t["W"], "mlp.0.bias": t["b"], "mlp.2.weight": t["h"].unsqueeze(0)}
    ),
)

_weighted = Sum(h[f] * _pairs_of_numbers, (f, 1, k))

no_hidden_layer = Derivation(
    id="nfm-no-hidden-layer",
    title="Without a hidden layer: FM with a weight a coordinate",
    steps=(
        Step(
            "L = 0",
            _linear + Sum(h[f] * half_of_square(f), (f, 1, k)),
            "Take the hidden layers away. What is left of the network is $h$, one weight a coordinate.",
            lhs="y",
        ),
        Step(
            "by pairs",
            _linear + Sum(Sum(h[f] * v[i, f] * v[j, f], (f, 1, k)), (j, i + 1, F), (i, 1, F)),
            "Undo the identity and sort by pair. Each pair of fields adds an inner product in which coordinate $f$ counts $h_f$ times.",
        ),
    ),
    inputs=_table_shapes | {"h": (2,)},
    symbols=_table | {"h": symbol_array(h, (2,))},
    final=_linear + _weighted,
    sizes={F: 3, k: 2},
    wire=lambda code, t: _without_hidden_layer(code, t, t["h"]),
)

is_fm = Derivation(
    id="nfm-is-fm",
    title="… and with h = 1 it is FM",
    steps=(
        Step("h = 1", _linear + Sum(_pairs_of_numbers, (f, 1, k)), "Every coordinate counts once.", lhs="y"),
        Step("FM", _linear + pairs_of_fields(), "Sorted by pair instead of by coordinate. This is FM, term for term."),
    ),
    inputs=_table_shapes,
    symbols=_table,
    final=_linear + pairs_of_fields(),
    sizes={F: 3, k: 2},
    wire=lambda code, t: _without_hidden_layer(code, t, t["v"].new_ones(2)),
)
