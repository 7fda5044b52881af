"""Word2vec's three outputs and their slopes, held to the compiled step that trains.

Sources  Mikolov et al., NIPS 2013, arXiv:1310.4546: eq. 2 (softmax), 3 (tree), 4 (negative sampling);
         Rong, arXiv:1411.2738: eq. 56-61 (slopes of negative sampling).

Sizes that fit a line: vectors of two numbers, three rows. Row 1 is the word that was seen, rows 2 and 3 are other words;
for the tree they are the three inner nodes on the way to a word with the code 0, 1, 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.embeddings.losses import full_softmax_loss, negative_sampling_loss, tree_loss

CODE = (0, 1, 0)  # the branches on the way to the word

_h, _u = symbol_array("h", (2,)), symbol_array("u", (3, 2))
_z = [sp.Add(*(_u[r, i] * _h[i] for i in range(2))) for r in range(3)]
_inputs = {"h": (2,), "u": (3, 2)}
_symbols = {"h": _h, "u": _u}


def sigma(x: sp.Expr) -> sp.Expr:
    """The logistic function 1 / (1 + e^−x)."""
    return 1 / (1 + sp.exp(-x))


class _Stepped(torch.autograd.Function):
    """A loss whose slope is the compiled step's: with lr = 1 the step moves by exactly minus the gradient."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, u: Tensor, loss: Tensor, code: Any, yes: Any, no: Any, softmax: bool) -> Tensor:
        table, gain = u.detach().numpy().copy(), np.empty(len(h))
        code(
            h.detach().numpy()[None], 0, table, np.arange(len(u)), yes, no, len(u), 1.0, softmax, np.empty(len(u)), gain
        )
        ctx.save_for_backward(torch.from_numpy(-gain), u.detach() - torch.from_numpy(table))
        return loss.detach()

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        slope_h, slope_u = ctx.saved_tensors
        return grad[0] * slope_h, grad[0] * slope_u, None, None, None, None, None


def _wire(loss: Callable[[Tensor, Tensor], Tensor], yes: tuple[int, ...], softmax: bool = False) -> Any:
    def wire(code: Any, t: dict[str, Tensor]) -> Tensor:
        seen = np.array(yes, float)
        return _Stepped.apply(t["h"], t["u"], loss(t["h"], t["u"]), code, seen, 1 - seen, softmax)

    return wire


_p = sp.exp(_z[0]) / sp.Add(*(sp.exp(z) for z in _z))
_softmax = sp.log(sp.Add(*(sp.exp(z) for z in _z))) - _z[0]

softmax = Derivation(
    id="word2vec-softmax",
    title="Every word is asked: the full softmax",
    steps=(
        Step(
            "probability",
            _p,
            "The word that was seen, as a share of all words. The sum below runs over the whole vocabulary.",
            lhs=r"p(w_O \mid w_I)",
        ),
        Step("loss", -sp.log(_p), "Its surprise is what training lowers.", lhs="E", starts=True),
        Step("cleared", _softmax, "The logarithm of a quotient: pull the seen word up, and all words down together."),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=_softmax,
    wire=_wire(full_softmax_loss, (1, 0, 0), softmax=True),
)

_negative = -sp.log(sigma(_z[0])) - sp.log(sigma(-_z[1])) - sp.log(sigma(-_z[2]))

negative = Derivation(
    id="word2vec-negative",
    title="A handful is asked: negative sampling",
    steps=(
        Step(
            "loss",
            _negative,
            "One question for the word that was seen, yes, and one for each that was drawn, no. The sum stands outside the first "
            "logarithm.",
            lhs="E",
        ),
        Step(
            "cleared",
            sp.log(1 + sp.exp(-_z[0])) + sp.log(1 + sp.exp(_z[1])) + sp.log(1 + sp.exp(_z[2])),
            "The minus goes into the logarithm: three losses of logistic regression, added up.",
        ),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=_negative,
    wire=_wire(negative_sampling_loss, (1, 0, 0)),
)

_errors = [sigma(_z[0]) - 1, sigma(_z[1]), sigma(_z[2])]

slope = Derivation(
    id="word2vec-slope",
    title="The slope of negative sampling is an error times a vector",
    steps=(
        Step(
            "by sympy, for h",
            sp.Matrix([sp.diff(_negative, _h[i]) for i in range(2)]),
            "Differentiate the loss by the hidden vector.",
            lhs=r"\partial E / \partial h",
        ),
        Step(
            "by hand, for h",
            sp.Matrix([sp.Add(*(e * _u[r, i] for r, e in enumerate(_errors))) for i in range(2)]),
            "Each row pulls or pushes by its error, what was guessed minus what was true.",
        ),
        Step(
            "by sympy, for u",
            sp.Matrix([sp.diff(_negative, _u[0, i]) for i in range(2)]),
            "Now by the row of the word that was seen.",
            lhs=r"\partial E / \partial u_1",
            starts=True,
        ),
        Step(
            "by hand, for u",
            sp.Matrix([_errors[0] * _h[i] for i in range(2)]),
            "The same error, times the hidden vector. It is negative, so a step down moves the two towards each other.",
        ),
        Step("their loss", _negative, "This is the loss whose slopes they are.", lhs="E", starts=True),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=_negative,
    wire=_wire(negative_sampling_loss, (1, 0, 0)),
)

_branches = [sigma((1 - 2 * bit) * z) for bit, z in zip(CODE, _z, strict=True)]


def _code_loss(h: Tensor, u: Tensor) -> Tensor:
    return tree_loss(h, u, torch.tensor(CODE))


tree = Derivation(
    id="word2vec-tree",
    title="A path is asked: the hierarchical softmax",
    steps=(
        Step(
            "path",
            sp.Mul(*_branches),
            "From the root to the word, one yes or no at every inner node. The sign says which branch was right.",
            lhs=r"p(w \mid w_I)",
        ),
        Step(
            "loss",
            -sp.log(sp.Mul(*_branches)),
            "The surprise, as before.",
            lhs="E",
            starts=True,
        ),
        Step(
            "cleared",
            sp.Add(*(-sp.log(branch) for branch in _branches)),
            "The product becomes a sum, one logistic regression for each node on the path and none for the others.",
        ),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=sp.Add(*(-sp.log(branch) for branch in _branches)),
    wire=_wire(_code_loss, (1, 0, 1)),
)

_v = symbol_array("v", (2, 2))
_mean = [(_v[0, i] + _v[1, i]) / 2 for i in range(2)]
_cbow = sp.log(1 + sp.exp(-sp.Add(*(_u[0, i] * _mean[i] for i in range(2)))))

cbow = Derivation(
    id="word2vec-cbow",
    title="CBOW: what a word of the window gets of the slope",
    steps=(
        Step(
            "by sympy",
            sp.Matrix([sp.diff(_cbow, _v[0, i]) for i in range(2)]),
            "h is the mean of two words. Differentiate by the first of them.",
            lhs=r"\partial E / \partial v_1",
        ),
        Step(
            "by hand",
            sp.Matrix([(sigma(sp.Add(*(_u[0, j] * _mean[j] for j in range(2)))) - 1) * _u[0, i] / 2 for i in range(2)]),
            "The slope for h, halved: 1 / |C| for each word of the window. The word2vec program leaves the half out.",
        ),
        Step("its loss", _cbow, "This is the loss, for the word that was seen.", lhs="E", starts=True),
    ),
    inputs={"v": (2, 2), "u": (3, 2)},
    symbols={"v": _v, "u": _u},
    final=_cbow,
    wire=lambda code, t: _wire(lambda h, u: negative_sampling_loss(h, u[:1]), (1,))(
        code, {"h": t["v"].mean(0), "u": t["u"][:1]}
    ),
)
