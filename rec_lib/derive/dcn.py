"""Cross networks, step by step: a layer, its degree, what V1 can and cannot say, and the matrix of V2.

Source  Wang, Fu, Fu, Wang, "Deep & Cross Network for Ad Click Predictions", ADKDD 2017, arXiv:1708.05123: eq. 3, theorem 3.1;
        Wang et al., "DCN V2", WWW 2021, arXiv:2008.13535: eq. 1;
        Lian et al., "xDeepFM", KDD 2018, arXiv:1803.05170: theorem 2.1 (the output of V1 is a multiple of its input).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import one_id_a_field, relu

Layer = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def cross(x_0: sp.Matrix, x: sp.Matrix, w: sp.Matrix, b: sp.Matrix, version: int = 1) -> sp.Matrix:
    """One cross layer on sympy columns: w is a column for version 1, a square matrix for version 2.

    Raises:
        ValueError: a version that is not 1 or 2.
    """
    if version not in (1, 2):
        raise ValueError(f"version={version!r}: expected 1 (a vector a layer) or 2 (a matrix a layer).")
    return x_0 * (x.T * w) + b + x if version == 1 else x_0.multiply_elementwise(w * x + b) + x


def network(layers: int, width: int = 2, version: int = 1, bias: bool = True) -> sp.Matrix:
    """x_L of a cross network, its weights as symbols, multiplied out: (width, 1)."""
    x_0, w, b = _column("x", (width,)), _symbols(layers, width, version), symbol_array("b", (layers, width))
    x = x_0
    for layer in range(layers):
        weight = sp.Matrix(w[layer]) if version == 2 else sp.Matrix(list(w[layer]))
        x = cross(x_0, x, weight, sp.Matrix(list(b[layer])) * int(bias), version).applyfunc(sp.expand)
    return x


def polynomial(layers: int, width: int = 2, version: int = 1, bias: bool = True) -> sp.Poly:
    """The first number of x_L as a polynomial in x_1 … x_width."""
    return sp.Poly(network(layers, width, version, bias)[0], *_column("x", (width,)))


def _symbols(layers: int, width: int, version: int) -> np.ndarray:
    return symbol_array("w", (layers, width) if version == 1 else (layers, width, width))


def _column(name: str, shape: tuple[int, ...]) -> sp.Matrix:
    return sp.Matrix(list(symbol_array(name, shape)))


_x0, _x, _w, _b = (symbol_array(name, (3,)) for name in ("x^{0}", "x", "w", "b"))
_scale = sum(a * c for a, c in zip(_x, _w, strict=True))
_x0_column, _x_column = sp.Matrix(list(_x0)), sp.Matrix(list(_x))
_layer = sp.Matrix([_x0[k] * _scale + _b[k] + _x[k] for k in range(3)])


def _one_row(code: Layer, given: dict[str, Tensor]) -> Tensor:
    return code(given["x0"].unsqueeze(0), given["x"].unsqueeze(0), given["w"], given["b"]).squeeze(0)


layer = Derivation(
    id="cross-layer",
    title="A cross layer: every product with the input, and one number a sample",
    steps=(
        Step(
            "eq. 3",
            _x0_column * _x_column.T * sp.Matrix(list(_w)) + sp.Matrix(list(_b)) + _x_column,
            r"$x^0 x^\top$ is the table of all products of a number of the input with a number that the layer reads; $w$ weighs its columns. Written from left to right the table has $X^2$ numbers.",
            lhs=r"x^{(l+1)}",
        ),
        Step(
            "a number first",
            _layer,
            r"From right to left: $x^\top w$ is *one number*, and the input is scaled by it. $X$ multiplications, no table. The last term carries on what the layer read, like the shortcut of 3.3.",
        ),
    ),
    inputs={"x0": (3,), "x": (3,), "w": (3,), "b": (3,)},
    symbols={"x0": _x0, "x": _x, "w": _w, "b": _b},
    final=_layer,
    wire=_one_row,
)

# Two layers over two numbers, multiplied out
_in, _ws, _bs = symbol_array("x", (2,)), symbol_array("w", (2, 2)), symbol_array("b", (2, 2))
_input = sp.Matrix(list(_in))
_first = cross(_input, _input, sp.Matrix(list(_ws[0])), sp.Matrix(list(_bs[0])))
_second = cross(_input, _first, sp.Matrix(list(_ws[1])), sp.Matrix(list(_bs[1])))
_by_degree = sp.Matrix([sp.Poly(sp.expand(number), *_in).as_expr() for number in _second])


def _recursion(code: Layer, given: dict[str, Tensor]) -> Tensor:
    x_0 = given["x"].unsqueeze(0)
    x = x_0
    for w_l, b_l in zip(given["w"], given["b"], strict=True):
        x = code(x_0, x, w_l, b_l)
    return x.squeeze(0)


_y = symbol_array("y", (2,))  # what the first layer passes on
_in_terms_of_y = cross(_input, sp.Matrix(list(_y)), sp.Matrix(list(_ws[1])), sp.Matrix(list(_bs[1])))

degree = Derivation(
    id="cross-degree",
    title="Two layers, multiplied out: degree 3",
    steps=(
        Step("one layer", _first, "Two numbers, one layer: no product has more than two of them.", lhs="x^{(1)}"),
        Step(
            "two layers",
            _in_terms_of_y,
            r"Call them $y = x^{(1)}$. The second layer multiplies $y$ by the input. If $x^{(l)}$ has degree $l+1$, then the input times $w^\top x^{(l)}$ has degree $l+2$, and $+\,x^{(l)}$ keeps all lower ones. The input has degree 1; so $x^{(l)}$ has degree $l+1$.",
            lhs="x^{(2)}",
            starts=True,
        ),
        Step("put in", _second, "The first layer put in place of $y$.", lhs="x^{(2)}", starts=True),
        Step("multiplied out", _by_degree, "Every monomial of the input, and its weight."),
    ),
    inputs={"x": (2,), "w": (2, 2), "b": (2, 2)},
    symbols={"x": _in, "w": _ws, "b": _bs},
    final=_second,
    wire=_recursion,
)

_p = [_in[0] * _ws[k, 0] + _in[1] * _ws[k, 1] for k in range(2)]
_one = cross(_input, _input, sp.Matrix(list(_ws[0])), sp.zeros(2, 1))
_pulled_out = _input * (1 + _p[0])
_two = _input * ((1 + _p[0]) * _p[1]) + _pulled_out
_product = _input * ((1 + _p[0]) * (1 + _p[1]))


def _without_bias(code: Layer, given: dict[str, Tensor]) -> Tensor:
    return _recursion(code, given | {"b": torch.zeros_like(given["w"])})


multiple = Derivation(
    id="cross-multiple",
    title="What V1 can say: the input, times one number",
    steps=(
        Step("one layer", _one, "One layer without its bias.", lhs="x^{(1)}"),
        Step("pulled out", _pulled_out, "Both numbers of the input get the same factor."),
        Step(
            "two layers",
            _two,
            "The next layer adds the input, times what its weights make of that: the factor comes along.",
            lhs="x^{(2)}",
            starts=True,
        ),
        Step(
            "product",
            _product,
            r"Every layer multiplies by a factor of its own, 1 plus a sum. All monomials of degree 3 are there, but their weights are those of *one product of sums*: $2X$ numbers decide about all of them. What leaves the network is the input, made longer or shorter.",
        ),
    ),
    inputs={"x": (2,), "w": (2, 2)},
    symbols={"x": _in, "w": _ws},
    final=_product,
    wire=_without_bias,
)

_W, _b2 = symbol_array("W", (2, 2)), symbol_array("b", (2,))
_a0, _a = symbol_array("x^{0}", (2,)), symbol_array("x", (2,))
_matrix_layer = sp.Matrix([_a0[k] * (_W[k, 0] * _a[0] + _W[k, 1] * _a[1] + _b2[k]) + _a[k] for k in range(2)])

matrix_layer = Derivation(
    id="matrix-cross-layer",
    title="V2: a sum of its own for every number",
    steps=(
        Step(
            "eq. 1 of V2",
            cross(sp.Matrix(list(_a0)), sp.Matrix(list(_a)), sp.Matrix(_W), sp.Matrix(list(_b2)), 2),
            r"A matrix where V1 has a vector, and the bias inside. $\odot$ multiplies number by number.",
            lhs=r"x^{(l+1)}",
        ),
        Step(
            "number by number",
            _matrix_layer,
            r"Number $a$ of the input is scaled by row $a$ of $W$. With all rows equal and no bias this is V1. $X^2$ weights a layer for $X$.",
        ),
    ),
    inputs={"x0": (2,), "x": (2,), "w": (2, 2), "b": (2,)},
    symbols={"x0": _a0, "x": _a, "w": _W, "b": _b2},
    final=_matrix_layer,
    wire=_one_row,
)

# The whole model: two fields of one number, two cross layers, two hidden units
_v, _u, _h = symbol_array("U", (2, 2)), symbol_array("u", (4,)), symbol_array("c", (2,))
_bias = symbol_array("u_0", ())
_hidden = [relu(_h[k] + _v[k, 0] * _in[0] + _v[k, 1] * _in[1]) for k in range(2)]
_cross_part = _bias[()] + _u[0] * _second[0] + _u[1] * _second[1]
_deep_part = _u[2] * _hidden[0] + _u[3] * _hidden[1]


def _call_model(code: Callable[..., nn.Module], given: dict[str, Tensor]) -> Tensor:
    lent = {
        "emb.table": given["x"].unsqueeze(1), "w": given["w"], "b": given["b"], "deep.0.weight": given["U"], "deep.0.bias": given["c"],
        "logits.weight": given["u"].unsqueeze(0), "logits.bias": given["u0"].reshape(1),
    }  # fmt: skip
    return one_id_a_field(code, lent, n_fields=2, dim=1, hidden=(2,))


model = Derivation(
    id="dcn",
    title="Deep & Cross: two readers of one stacked vector",
    steps=(
        Step(
            "eq. 6",
            _cross_part + _deep_part,
            r"Two fields with vectors of one number, two cross layers, and two hidden units with weights $U$ and biases $c$. What leaves the cross network and what leaves the deep one are laid side by side, and $u$ weighs them.",
            lhs="y",
        ),
    ),
    inputs={"x": (2,), "w": (2, 2), "b": (2, 2), "U": (2, 2), "c": (2,), "u": (4,), "u0": ()},
    symbols={"x": _in, "w": _ws, "b": _bs, "U": _v, "c": _h, "u": _u, "u0": _bias},
    final=_cross_part + _deep_part,
    terms={"cross": _cross_part, "deep": _deep_part},
    wire=_call_model,
)
