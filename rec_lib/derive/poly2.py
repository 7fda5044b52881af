"""POLY2, step by step: where the weights of pairs come from, the whole model, and what one sample teaches a weight.

Source  Chang, Hsieh, Chang, Ringgaard, Lin, "Training and Testing Low-degree Polynomial Data Mappings via Linear SVM", JMLR 2010;
        Juan, Zhuang, Chin, Lin, "Field-aware Factorization Machines for CTR Prediction", RecSys 2016, sec. 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import F, i, indexed, j, n, one_id_a_field
from rec_lib.schema import FIRST

x, z, w, W = indexed("x", "z", "w", "W")
w0 = symbol_array("w_0", ())
y = symbol_array("y", ())

_inner = Sum(x[i] * z[i], (i, 1, n))
_mapped = (
    1
    + 2 * _inner
    + Sum(x[i] ** 2 * z[i] ** 2, (i, 1, n))
    + 2 * Sum(x[i] * x[j] * z[i] * z[j], (j, i + 1, n), (i, 1, n))
)

kernel = Derivation(
    id="poly2-kernel",
    title="A polynomial kernel is a linear model of pairs",
    steps=(
        Step(
            "kernel",
            (_inner + 1) ** 2,
            "A support vector machine with a polynomial kernel of degree 2 compares two samples $x$ and $z$ by this number.",
            lhs=r"K(x, z)",
        ),
        Step("square out", 1 + 2 * _inner + _inner**2, "$(a + 1)^2$, with the inner product as $a$."),
        Step(
            "pairs",
            _mapped,
            "The square of a sum: every feature with itself once, every pair twice. What stands here is the inner product of two "
            "longer samples whose features are 1, $\\sqrt 2\\,x_i$, $x_i^2$ and $\\sqrt 2\\,x_i x_j$. A *linear* model over those, "
            "with a weight for each, says all that the kernel machine can say, and is trained like any logistic regression.",
        ),
    ),
    inputs={"x": (3,), "z": (3,)},
    symbols={"x": symbol_array(x, (3,)), "z": symbol_array(z, (3,))},
    final=_mapped,
    sizes={n: 3},
)

_linear = w0[()] + Sum(w[i], (i, 1, F))
_pairs = Sum(W[i, j], (j, i + 1, F), (i, 1, F))


def _run(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """POLY2 without a hash, one real id in each of three fields: nine pairs of ids to a pair of fields, one of them real."""
    size = FIRST + 1
    blocks = []
    for left, right in ((0, 1), (0, 2), (1, 2)):  # in the order in which POLY2 numbers the pairs of fields
        real = torch.zeros(size, size, dtype=t["W"].dtype)
        real[FIRST, FIRST] = 1.0
        blocks.append((t["W"][left, right] * real).flatten())
    parameters = {"linear.w0": t["w0"], "linear.w.table": t["w"].unsqueeze(1), "w": torch.cat(blocks)}
    return one_id_a_field(code, parameters, n_fields=3, buckets=None)


model = Derivation(
    id="poly2",
    title="POLY2, one feature a field",
    steps=(
        Step(
            "all features",
            _linear + _pairs,
            "$F$ fields, and of each field one feature is there: a number for each of these, and a number $W_{ij}$ for each pair of them. The others have $x = 0$ and drop out.",
            lhs=r"y_{POLY2}",
        ),
    ),
    inputs={"w0": (), "w": (3,), "W": (3, 3)},
    symbols={"w0": w0, "w": symbol_array(w, (3,)), "W": symbol_array(W, (3, 3))},
    final=_linear + _pairs,
    terms={"linear": _linear, "pairs": _pairs},
    sizes={F: 3},
    wire=_run,
)

_logit = Sum(W[i, j] * x[i] * x[j], (j, i + 1, n), (i, 1, n))
_loss = sp.log(1 + sp.exp(_logit)) - y[()] * _logit
_slope = (1 / (1 + sp.exp(-_logit)) - y[()]) * x[1] * x[2]


def _gradient(code: Callable[..., Any], t: dict[str, Tensor]) -> Tensor:
    """∂ loss / ∂ W_12 by autograd."""
    return torch.autograd.grad(code(**t), t["W"], create_graph=True)[0][0, 1]


pair_gradient = Derivation(
    id="poly2-pair-gradient",
    title="What one sample teaches the weight of a pair",
    steps=(
        Step(
            "slope of the loss",
            sp.Derivative(_loss, W[1, 2]),
            "The log loss of one sample with label $y$, and how it moves with the weight of the pair (1, 2). The logit is that of the pairs.",
            lhs=r"\frac{\partial L}{\partial W_{1,2}}",
        ),
        Step(
            "error times pair",
            _slope,
            "The error $p - y$ times $x_1 x_2$. A sample in which the two do not stand together has $x_1 x_2 = 0$ and teaches nothing: "
            "a pair that never occurs keeps the weight it started with.",
        ),
    ),
    inputs={"x": (3,), "W": (3, 3), "y": ()},
    symbols={"x": symbol_array(x, (3,)), "W": symbol_array(W, (3, 3)), "y": y},
    final=_slope,
    sizes={n: 3},
    domain={"x": (-1.0, 1.0), "W": (-1.0, 1.0), "y": (0.0, 1.0)},
    wire=_gradient,
)
