"""LS-PLM, step by step: the mixture on the log scale, who learns from a click, one region, and why features vanish.

Source  Gai et al., "Learning Piece-wise Linear Models from Large Scale Data for Ad Click Prediction",
        arXiv:1704.05194, 2017: eq. 2 (model), sec. 2 (loss with both penalties).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn
from torch.nn.functional import softplus

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import F, f, indexed, one_id_a_field

m = sp.Symbol("m", integer=True, positive=True)  # regions
i, j = sp.symbols("i j", integer=True, positive=True)  # of regions
u, w, theta, b = indexed("u", "w", "theta", "b")
x, c = indexed("x", "c")  # dense features and their numbers


def sigmoid(z: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-z))


def _p(score: Callable[[Any], sp.Expr], log_odds: Callable[[Any], sp.Expr], sign: int = 1) -> sp.Expr:
    """Σ_i softmax(score)_i σ(± log_odds_i)."""
    gate = sp.exp(score(i)) / Sum(sp.exp(score(j)), (j, 1, m))
    return Sum(gate * sigmoid(sign * log_odds(i)), (i, 1, m))


def _on_the_log_scale(score: Callable[[Any], sp.Expr], log_odds: Callable[[Any], sp.Expr]) -> sp.Expr:
    yes, no = (Sum(sp.exp(score(i)) * sigmoid(sign * log_odds(i)), (i, 1, m)) for sign in (1, -1))
    return sp.log(yes) - sp.log(no)


def _of_u(k: Any) -> sp.Expr:
    return u[k]


def _of_w(k: Any) -> sp.Expr:
    return w[k]


_three = {"u": symbol_array(u, (3,)), "w": symbol_array(w, (3,))}

mixture = Derivation(
    id="ls-plm-mixture",
    title="The log-odds of a mixture",
    steps=(
        Step(
            "eq. 2",
            sp.log(_p(_of_u, _of_w) / (1 - _p(_of_u, _of_w))),
            "The paper's $p$: the gate's softmax says how much each region counts for this sample, and in each region a "
            "logistic regression speaks. A model of this library gives the log-odds of $p$; the sigmoid comes later.",
            lhs=r"\log\frac{p}{1-p}",
        ),
        Step(
            "no click is a mixture too",
            sp.log(_p(_of_u, _of_w)) - sp.log(_p(_of_u, _of_w, -1)),
            "The gate's shares add up to 1, and $1 - \\sigma(w_i) = \\sigma(-w_i)$: so $1 - p$ is the same sum with the signs turned.",
        ),
        Step(
            "the denominator cancels",
            _on_the_log_scale(_of_u, _of_w),
            "Both sums are divided by the same softmax denominator, which leaves the difference of the logarithms. What remains "
            "are two logarithms of sums of exponentials, for $e^u \\sigma(w)$ is $e^{u + \\log\\sigma(w)}$.",
        ),
    ),
    inputs={"u": (3,), "w": (3,)},
    symbols=_three,
    final=_on_the_log_scale(_of_u, _of_w),
    sizes={m: 3},
)


def _run(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    lent = {"theta.table": t["theta"], "bias": t["b"], "dense": t["c"]}
    return one_id_a_field(code, lent, n_fields=2, dense=t["x"], m=t["b"].numel() // 2)


def _score(k: Any) -> sp.Expr:
    return b[k] + Sum(theta[f, k], (f, 1, F)) + x[1] * c[1, k]


def _log_odds(k: Any) -> sp.Expr:
    return _score(m + k)


_shapes: dict[str, tuple[int, ...]] = {"theta": (2, 4), "b": (4,), "x": (1,), "c": (1, 4)}

model = Derivation(
    id="ls-plm",
    title="LS-PLM: two regions, two ids and a dense feature",
    steps=(
        Step(
            "scores of gate and regions",
            sp.log(_p(_score, _log_odds) / (1 - _p(_score, _log_odds))),
            "Each feature brings $2m$ numbers, a row of $\\Theta$: the first $m$ go into the gate's scores, the others into the "
            "log-odds of the regions. A dense feature multiplies its row.",
            lhs=r"\log\frac{p}{1-p}",
        ),
        Step(
            "on the log scale", _on_the_log_scale(_score, _log_odds), "The three lines above, for these scores."
        ),
    ),
    inputs=_shapes,
    symbols={
        "theta": symbol_array(theta, (2, 4)), "b": symbol_array(b, (4,)),
        "x": symbol_array(x, (1,)), "c": symbol_array(c, (1, 4)),
    },
    final=_on_the_log_scale(_score, _log_odds),
    sizes={m: 2, F: 2},
    wire=_run,
)  # fmt: skip


def _lesson(code: Callable[[Tensor, Tensor], Tensor], t: dict[str, Tensor]) -> Tensor:
    """Slopes of a click's loss in the first region's log-odds and in its gate score."""
    loss = softplus(-code(t["u"], t["w"]))
    by_w, by_u = torch.autograd.grad(loss, (t["w"], t["u"]), create_graph=True)
    return torch.stack([by_w[0], by_u[0]])


_loss = -sp.log(_p(_of_u, _of_w))
_share = sp.exp(u[1]) / Sum(sp.exp(u[j]), (j, 1, m))
_credit = _share * sigmoid(w[1]) / _p(_of_u, _of_w)

lesson = Derivation(
    id="ls-plm-lesson",
    title="What a click teaches region 1 and its gate",
    steps=(
        Step(
            "slopes of the loss",
            sp.Matrix([sp.Derivative(_loss, w[1]), sp.Derivative(_loss, u[1])]),
            "A click costs $-\\log p$. How does that move with the region's log-odds, and how with its score in the gate?",
            lhs=r"\begin{pmatrix}\partial/\partial w_1\\ \partial/\partial u_1\end{pmatrix}(-\log p)",
        ),
        Step(
            "credit",
            sp.Matrix([_credit * (sigmoid(w[1]) - 1), _share - _credit]),
            "Let $r_1$ be region 1's credit, its share of $p$: the chance, by Bayes' rule, that the click came from there. "
            "The region learns $p_1 - y$ as a logistic regression does, times $r_1$. The gate learns the difference between "
            "the share it gave beforehand and the credit: it moves towards regions that did better than their share.",
        ),
    ),
    inputs={"u": (3,), "w": (3,)},
    symbols=_three,
    final=sp.Matrix([_credit * (sigmoid(w[1]) - 1), _share - _credit]),
    sizes={m: 3},
    wire=_lesson,
)

_one_shapes: dict[str, tuple[int, ...]] = {"theta": (2, 2), "b": (2,), "x": (1,), "c": (1, 2)}
_one_symbols = {
    "theta": symbol_array(theta, (2, 2)), "b": symbol_array(b, (2,)),
    "x": symbol_array(x, (1,)), "c": symbol_array(c, (1, 2)),
}  # fmt: skip
_one_steps = (
    Step(
        "one region",
        sp.log(sigmoid(w[1]) / (1 - sigmoid(w[1]))),
        "With $m = 1$ the softmax has one member and its share is $e^{u_1}/e^{u_1} = 1$, whatever the score. One sigmoid is left.",
        lhs=r"\log\frac{p}{1-p}",
    ),
    Step("its log-odds", w[1], "The log-odds of a sigmoid are its argument."),
    Step(
        "linear",
        _score(2),
        "Each feature has two numbers, column 1 for the gate and column 2 for the region. For two ids ($\\theta$), a dense "
        "feature ($c$) and a constant ($b$) only column 2 is left: a weight a feature, as in LR. The gate's column is gone, and so "
        "are its gradients.",
        lhs="w_1",
        starts=True,
    ),
)

one_region = Derivation(
    id="ls-plm-one-region",
    title="One region is logistic regression",
    steps=_one_steps,
    inputs=_one_shapes,
    symbols=_one_symbols,
    final=_score(2),
    sizes={m: 1, F: 2},
    wire=_run,
)


def _run_lr(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    lent = {"linear.w.table": t["theta"][:, 1:], "linear.w0": t["b"][1], "linear.dense": t["c"][0, 1:]}
    return one_id_a_field(code, lent, n_fields=2, dense=t["x"])


as_lr = Derivation(
    id="ls-plm-as-lr",
    title="The same line, held to LR",
    steps=_one_steps[-1:],
    inputs=_one_shapes,
    symbols=_one_symbols,
    final=_score(2),
    sizes={m: 1, F: 2},
    wire=_run_lr,
)

v = symbol_array("v", (2,))
t = sp.Symbol("t", positive=True)
s = sp.Symbol("s", positive=True)
_length = sp.sqrt(v[0] ** 2 + v[1] ** 2)
_shrunk = sp.Matrix([a * (1 - t / _length) for a in v])

group = Derivation(
    id="ls-plm-group",
    title="A step for the length of a row",
    steps=(
        Step(
            "what is minimised",
            ((s * v[0] / _length - v[0]) ** 2 + (s * v[1] / _length - v[1]) ** 2) / 2 + t * s,
            "The gradient step has brought the row to $v$. Stay near it, and pay $t$ for length. Of all rows of length $s$ the "
            "nearest one points as $v$ does, so only the length is to be chosen.",
            lhs=r"\tfrac12\lVert\theta - v\rVert^2 + t\lVert\theta\rVert",
        ),
        Step("in the length alone", (s - _length) ** 2 / 2 + t * s, "A parabola in $s$ and a straight line."),
        Step(
            "shrink",
            _shrunk,
            "Its slope $s - \\lVert v\\rVert + t$ is zero at $s = \\lVert v\\rVert - t$: the row keeps its direction and loses $t$ of "
            "its length. If it has less than $t$, the lowest point is $s = 0$: all $2m$ numbers of the feature are zero at once.",
            lhs=r"\theta",
            starts=True,
        ),
    ),
    inputs={"v": (2,), "t": ()},
    symbols={"v": v, "t": sp.Array(t)},
    final=_shrunk,
    domain={"v": (1.0, 2.0), "t": (0.1, 0.9)},
    wire=lambda code, tensors: code(tensors["v"].unsqueeze(0), tensors["t"], dim=1).squeeze(0),
)
