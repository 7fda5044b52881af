"""AFM, step by step: the model, the FM that it is when attention is even, and what the softmax sends back to the scores.

Source  Xiao et al., "Attentional Factorization Machines", IJCAI 2017, arXiv:1708.04617: eq. 3-6.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum, exp
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.fm import pairs_of_fields, v, w, w0
from rec_lib.derive.tiny import F, f, i, indexed, j, k, one_id_a_field, relu

t, m = sp.symbols("t m", integer=True, positive=True)  # attention size, its counter
i2, j2 = sp.symbols("i' j'", integer=True, positive=True)  # the pairs of a denominator
W, b, h, p = indexed("W", "b", "h", "p")
P = F * (F - 1) / 2  # pairs of fields

_linear = w0[()] + Sum(w[i], (i, 1, F))


def score(first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """a'_ij = hᵀ relu(W (v_i ⊙ v_j) + b)."""
    return Sum(h[m] * relu(b[m] + Sum(W[m, f] * v[first, f] * v[second, f], (f, 1, k))), (m, 1, t))


_everyone = Sum(exp(score(i2, j2)), (j2, i2 + 1, F), (i2, 1, F))
_share = exp(score(i, j)) / _everyone  # a_ij
_weighed = Sum(_share * Sum(p[f] * v[i, f] * v[j, f], (f, 1, k)), (j, i + 1, F), (i, 1, F))


def _run(code: Callable[..., nn.Module], tensors: dict[str, Tensor], **own: Tensor) -> Tensor:
    parameters = {"linear.w0": tensors["w0"], "linear.w.table": tensors["w"].unsqueeze(1), "emb.table": tensors["v"]}
    return one_id_a_field(code, parameters | own, n_fields=3, dim=2, attention=2)


_table = {"w0": w0, "w": symbol_array(w, (3,)), "v": symbol_array(v, (3, 2))}
_shapes: dict[str, tuple[int, ...]] = {"w0": (), "w": (3,), "v": (3, 2)}
_attention = {
    "W": symbol_array(W, (2, 2)),
    "b": symbol_array(b, (2,)),
    "h": symbol_array(h, (2,)),
    "p": symbol_array(p, (2,)),
}

model = Derivation(
    id="afm",
    title="AFM: each pair's product counts as much as its share of attention",
    steps=(
        Step(
            "a score for each pair",
            score(i, j),
            "A small network with one hidden layer reads the product of two vectors and gives one number, the pair's score.",
            lhs="a'_{ij}",
        ),
        Step(
            "eq. 5",
            _share,
            "The softmax over all pairs of the sample makes shares of the scores: positive, and 1 together.",
            lhs="a_{ij}",
            starts=True,
        ),
        Step(
            "eq. 6",
            _linear + Sum(p[f] * Sum(_share * v[i, f] * v[j, f], (j, i + 1, F), (i, 1, F)), (f, 1, k)),
            "The products are added up with these shares, coordinate by coordinate, and $p$ weighs the coordinates.",
            lhs="y",
            starts=True,
        ),
        Step(
            "by pairs",
            _linear + _weighed,
            "The same sum sorted by pair. Each pair adds its share times an inner product in which coordinate $f$ counts $p_f$ times.",
        ),
    ),
    inputs=_shapes | {"W": (2, 2), "b": (2,), "h": (2,), "p": (2,)},
    symbols=_table | _attention,
    final=_linear + _weighed,
    terms={"linear": _linear, "pairs": _weighed},
    sizes={F: 3, k: 2, t: 2},
    wire=lambda code, x: _run(code, x, **{"score.weight": x["W"], "score.bias": x["b"], "h": x["h"], "p": x["p"]}),
)


def _even(code: Callable[..., nn.Module], x: dict[str, Tensor]) -> Tensor:
    """No attention network (h = 0), and p at the number of pairs."""
    return _run(code, x, h=torch.zeros(2, dtype=torch.float64), p=torch.full((2,), 3.0, dtype=torch.float64))


is_fm = Derivation(
    id="afm-even-is-fm",
    title="Even attention: AFM is FM",
    steps=(
        Step(
            "h = 0",
            _linear + Sum(P * Sum(v[i, f] * v[j, f] / P, (j, i + 1, F), (i, 1, F)), (f, 1, k)),
            "With $h = 0$ every score is 0, so each of the $P = F(F-1)/2$ pairs has the share $1/P$. Let every $p_f$ be $P$.",
            lhs="y",
        ),
        Step("P cancels", _linear + pairs_of_fields(), "What is left is FM, every pair with weight 1."),
    ),
    inputs=_shapes,
    symbols=_table,
    final=_linear + pairs_of_fields(),
    sizes={F: 3, k: 2},
    wire=_even,
)

_scores = symbol_array("s", (3,))  # the scores a' of three pairs
_values = symbol_array("g", (3,))  # what each pair would add, p·(v_i ⊙ v_j)
_total = sum(exp(s) for s in _scores)
_shares = [exp(s) / _total for s in _scores]
_output = sum(a * g for a, g in zip(_shares, _values, strict=True))


def slope_of_first_score(s: Tensor, g: Tensor) -> Tensor:
    """∂/∂s_1 of Σ softmax(s)·g by autograd."""
    s = s if s.requires_grad else s.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(torch.softmax(s, dim=0) @ g, s, create_graph=True)
    return gradient[0]


score_gradient = Derivation(
    id="afm-score-gradient",
    title="What the softmax sends back to a score",
    steps=(
        Step(
            "slope",
            sp.diff(_output, _scores[0]),
            "Three pairs with scores $s$ that would add $g$ each. Differentiate $\\sum_k a_k g_k$ by the first score.",
            lhs=r"\frac{\partial}{\partial s_1}\sum_k a_k g_k",
        ),
        Step(
            "share times advantage",
            _shares[0] * (_values[0] - _output),
            "Sorted: the pair's share, times by how much its value exceeds the weighed mean of all. A number that is added to every "
            "score changes nothing, so these slopes add up to 0: a bias after $h$ could never learn.",
        ),
    ),
    inputs={"s": (3,), "g": (3,)},
    symbols={"s": _scores, "g": _values},
    final=_shares[0] * (_values[0] - _output),
)
