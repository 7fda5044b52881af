"""EGES, symbol by symbol: the weighted mean of an item's vectors, the loss of a pair, and the gradient of the weights.

Source  Wang et al., KDD 2018, arXiv:1803.02349: eq. 5 (GES), 6 (EGES), 7-10 (loss and gradients).

One item with two slots, its own vector (j = 0) and one attribute (j = 1), in two dimensions, against one context Z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.embeddings.mixture import weighted_mean

W = symbol_array("W", (2, 2))
_a = symbol_array("a", (2,))
_Z = symbol_array("Z", (2,))
_y = np.array(sp.Symbol("y", positive=True), dtype=object)
a0, a1, y = _a[0], _a[1], _y[()]
e0, e1 = sp.exp(a0), sp.exp(a1)

_mean = sp.Matrix([(W[0, d] + W[1, d]) / 2 for d in range(2)])
_H = sp.Matrix([(e0 * W[0, d] + e1 * W[1, d]) / (e0 + e1) for d in range(2)])
_w1 = 1 / (1 + sp.exp(a0 - a1))
_two = sp.Matrix([(1 - _w1) * W[0, d] + _w1 * W[1, d] for d in range(2)])


class _Hand(torch.autograd.Function):
    """Code that brings its own gradients, as compiled code does: they are what is held to the formula."""

    @staticmethod
    def forward(ctx: Any, W: Tensor, a: Tensor, Z: Tensor, y: Tensor, code: Callable[..., Any]) -> Tensor:
        loss, *gradients = code(W.numpy(), a.numpy(), Z.numpy(), float(y))
        z = float(a.softmax(0) @ W @ Z)
        ctx.save_for_backward(
            *(torch.from_numpy(np.asarray(g)) for g in gradients), torch.tensor(-z, dtype=torch.float64)
        )
        return torch.tensor(loss, dtype=torch.float64)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        return (*(grad[0] * g for g in ctx.saved_tensors), None)


def _pair(code: Callable[..., Any], t: dict[str, Tensor]) -> Tensor:
    return _Hand.apply(t["W"], t["a"], t["Z"], t["y"], code)


def _mixed(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    return code(t["W"], t["a"])


mixture = Derivation(
    id="eges-mixture",
    title="From one vector to a mean, and from a mean to weights",
    steps=(
        Step("bge", sp.Matrix(W[0]), "BGE is DeepWalk: an item is its own vector.", lhs="H_v"),
        Step(
            "ges",
            _mean,
            "GES takes the mean of the item's vector and those of its n attributes, n + 1 in all. Each counts alike.",
            lhs="H_v",
            starts=True,
        ),
        Step(
            "eges",
            _H,
            "EGES gives item v a number a for each. e^a is positive whatever a is, and dividing by the sum makes weights "
            "that add up to 1. With all a equal GES is back.",
            lhs="H_v",
            starts=True,
        ),
        Step(
            "softmax",
            _two,
            "Divide above and below by e^{a₁}: with two slots the weight is a sigmoid of the difference of the a, which is "
            "all that matters.",
        ),
    ),
    inputs={"W": (2, 2), "a": (2,)},
    symbols={"W": W, "a": _a},
    final=_H,
    wire=_mixed,
)

_z = sum(h * c for h, c in zip(_H, _Z, strict=True))
_sigma = 1 / (1 + sp.exp(-_z))
_loss = -(y * sp.log(_sigma) + (1 - y) * sp.log(1 - _sigma))

loss = Derivation(
    id="eges-loss",
    title="The loss of a pair, and what each number feels of it",
    steps=(
        Step("score", _z, "A pair (v, u) is scored by the item's vector and the context's.", lhs=r"H_v^\top Z_u"),
        Step(
            "loss",
            _loss,
            "y is 1 where u stood near v on a walk and 0 where u was drawn. It is logistic regression on the score.",
            lhs="L",
            starts=True,
        ),
        Step("one line", sp.log(1 + sp.exp(_z)) - y * _z, "The same without a quotient: this is what code adds up."),
    ),
    inputs={"W": (2, 2), "a": (2,), "Z": (2,), "y": ()},
    symbols={"W": W, "a": _a, "Z": _Z, "y": _y},
    final=sp.log(1 + sp.exp(_z)) - y * _z,
    wire=_pair,
    domain={"y": (0.1, 0.9)},
)

_error = sp.Symbol("\\epsilon", real=True)  # σ(H·Z) − y
_numerator = sum(_Z[d] * (W[1, d] * (e0 + e1) - (e0 * W[0, d] + e1 * W[1, d])) for d in range(2))

weight = Derivation(
    id="eges-weight",
    title="What a weight feels: the paper's eq. 9, and what is left of it",
    steps=(
        Step(
            "paper",
            _error * e1 * _numerator / (e0 + e1) ** 2,
            "The paper's eq. 9 for the attribute's a₁, with ε = σ(H·Z) − y: a quotient of sums of exponentials.",
            lhs=r"\frac{\partial L}{\partial a_1}",
        ),
        Step(
            "chain rule",
            _error * sum(_Z[d] * sp.diff(_H[d], a1) for d in range(2)),
            "Is it the derivative? ε is ∂L/∂(H·Z), and H depends on a₁. sympy differentiates H:",
        ),
        Step(
            "short",
            _error * _w1 * sum(_Z[d] * (W[1, d] - _H[d]) for d in range(2)),
            "The quotient is w₁ (W¹ − H): an attribute gains weight where its own vector would have served the pair better "
            "than the mixture does.",
        ),
    ),
    inputs={"W": (2, 2), "a": (2,), "Z": (2,), "e": ()},
    symbols={"W": W, "a": _a, "Z": _Z, "e": np.array(_error, dtype=object)},
    final=_error * _w1 * sum(_Z[d] * (W[1, d] - _H[d]) for d in range(2)),
)


def slope(W: Tensor, a: Tensor, Z: Tensor, e: Tensor) -> Tensor:
    """ε ∂(H·Z)/∂a₁ by autograd from the library's mixture."""
    (gradient,) = torch.autograd.grad(e * (weighted_mean(W, a) @ Z), a, create_graph=True)
    return gradient[1]
