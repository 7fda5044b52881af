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

from rec_lib.derive.core import Derivation, Step
from rec_lib.embeddings.mixture import weighted_mean


def _reals(*names: str) -> np.ndarray:
    return np.array([sp.Symbol(name, real=True) for name in names], dtype=object)


_W = np.stack([_reals(f"W^{{{j}}}_1", f"W^{{{j}}}_2") for j in (0, 1)])
_a, _Z, _s = _reals("a_0", "a_1"), _reals("Z_1", "Z_2"), _reals("s_0", "s_1")
_y = np.array(sp.Symbol("y", positive=True), dtype=object)
_eps = np.array(sp.Symbol("epsilon", real=True), dtype=object)
a0, a1 = _a
e0, e1 = sp.exp(a0), sp.exp(a1)

_mean = sp.Matrix([(_W[0, d] + _W[1, d]) / 2 for d in range(2)])
_H = sp.Matrix([(e0 * _W[0, d] + e1 * _W[1, d]) / (e0 + e1) for d in range(2)])
_w1 = 1 / (1 + sp.exp(a0 - a1))
_two = sp.Matrix([(1 - _w1) * _W[0, d] + _w1 * _W[1, d] for d in range(2)])


class _Hand(torch.autograd.Function):
    """Code that brings its own gradients, as compiled code does: they are what is held to the formula."""

    @staticmethod
    def forward(ctx: Any, W: Tensor, a: Tensor, Z: Tensor, y: Tensor, code: Callable[..., Any]) -> Tensor:
        loss, *gradients = code(W.numpy(), a.numpy(), Z.numpy(), float(y))
        z = float(a.softmax(0) @ W @ Z)
        by_y = torch.tensor(-z, dtype=torch.float64)
        ctx.save_for_backward(*(torch.from_numpy(np.asarray(g)) for g in gradients), by_y)
        return torch.tensor(loss, dtype=torch.float64)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        return (*(grad[0] * g for g in ctx.saved_tensors), None)


mixture = Derivation(
    id="eges-mixture",
    title="From one vector to a mean, and from a mean to weights",
    steps=(
        Step("bge", sp.Matrix(_W[0]), "BGE is DeepWalk: an item is its own vector.", lhs="H_v"),
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
            "EGES gives item v a number a for each. e to the a is positive whatever a is, and dividing by the sum makes "
            "weights that add up to 1. With all a equal GES is back.",
            lhs="H_v",
            starts=True,
        ),
        Step(
            "softmax",
            _two,
            "Divide above and below by the exponential of a₁: with two slots the weight is a sigmoid of the difference of "
            "the a, which is all that matters.",
        ),
    ),
    inputs={"W": (2, 2), "a": (2,)},
    symbols={"W": _W, "a": _a},
    final=_H,
    wire=lambda code, t: code(t["W"], t["a"]),
)

_h = _reals("H_1", "H_2")
_score = sum(h * c for h, c in zip(_h, _Z, strict=True))
_sigma = 1 / (1 + sp.exp(-_score))
y = _y[()]

loss = Derivation(
    id="eges-loss",
    title="The loss of a pair",
    steps=(
        Step("score", _score, "A pair (v, u) is scored by the item's vector and the context's.", lhs=r"H_v^\top Z_u"),
        Step("sigmoid", _sigma, "The sigmoid makes a probability of the score.", lhs=r"\sigma", starts=True),
        Step(
            "loss",
            -(y * sp.log(_sigma) + (1 - y) * sp.log(1 - _sigma)),
            "y is 1 where u stood near v on a walk and 0 where u was drawn. It is logistic regression on the score.",
            lhs="L",
            starts=True,
        ),
        Step("one line", sp.log(1 + sp.exp(_score)) - y * _score, "The same in one line: this is what code adds up."),
    ),
    inputs={"H": (2,), "Z": (2,), "y": ()},
    symbols={"H": _h, "Z": _Z, "y": _y},
    final=sp.log(1 + sp.exp(_score)) - y * _score,
    wire=lambda code, t: _Hand.apply(t["H"][None], torch.zeros(1, dtype=torch.float64), t["Z"], t["y"], code),
    domain={"y": (0.1, 0.9)},
)

_mixed = sum(h * c for h, c in zip(_H, _Z, strict=True))

pair = Derivation(
    id="eges-pair",
    title="The loss of a pair, by everything that it is made of",
    steps=(
        Step(
            "whole",
            sp.log(1 + sp.exp(_mixed)) - y * _mixed,
            "The loss with H written out: what W, a and Z feel of it are its derivatives.",
            lhs="L",
        ),
    ),
    inputs={"W": (2, 2), "a": (2,), "Z": (2,), "y": ()},
    symbols={"W": _W, "a": _a, "Z": _Z, "y": _y},
    final=sp.log(1 + sp.exp(_mixed)) - y * _mixed,
    wire=lambda code, t: _Hand.apply(t["W"], t["a"], t["Z"], t["y"], code),
    domain={"y": (0.1, 0.9)},
)

eps, s0, s1 = _eps[()], *_s
_sum = e0 * s0 + e1 * s1

weight = Derivation(
    id="eges-weight",
    title="What a weight feels: the paper's eq. 9, and what is left of it",
    steps=(
        Step(
            "paper",
            sp.Mul(eps, e1 * (s1 * (e0 + e1) - _sum) / (e0 + e1) ** 2, evaluate=False),
            "The paper's eq. 9 for a₁, with ε = σ(H·Z) − y and with s for what each slot alone would score, W·Z.",
            lhs=r"\frac{\partial L}{\partial a_1}",
        ),
        Step(
            "chain rule",
            eps * sp.diff(_sum / (e0 + e1), a1),
            "Is it the derivative? ε is the slope by the score H·Z, which is the weighted mean of the s. sympy "
            "differentiates it:",
        ),
        Step(
            "short",
            sp.Mul(eps, e1 / (e0 + e1), s1 - _sum / (e0 + e1), evaluate=False),
            "Three factors are left: the error, the weight, and how much better the attribute alone would score than the "
            "mixture does.",
        ),
    ),
    inputs={"s": (2,), "a": (2,), "e": ()},
    symbols={"s": _s, "a": _a, "e": _eps},
    final=eps * e1 / (e0 + e1) * (s1 - _sum / (e0 + e1)),
)


def slope(s: Tensor, a: Tensor, e: Tensor) -> Tensor:
    """ε ∂(H·Z)/∂a₁ by autograd from the library's mixture; s (2,): what each slot alone would score."""
    (gradient,) = torch.autograd.grad(e * weighted_mean(s[:, None], a)[0], a, create_graph=True)
    return gradient[1]
