"""Two towers, step by step: the score, what a batch's own items do to it, what taking log Q off does, and how sharp a cosine can be.

Source  Huang et al., CIKM 2013 (DSSM): eq. 4-6; Yi et al., RecSys 2019: eq. 2-4.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed
from rec_lib.models.tower_network import TwoTowerNetwork
from rec_lib.schema import FIRST

D, N, B = sp.symbols("D N B", integer=True, positive=True)
j, f = sp.symbols("j f", integer=True, positive=True)
TAU = sp.Rational(1, 2)
A, C, e, q, a, g = indexed("A", "C", "e", "q", "a", "g")


# --- the score -----------------------------------------------------------------------------------------------------------

_u = Sum(A[j, f] * ((e[1, f] + e[2, f]) / 2 + a[f]), (f, 1, D))
_v = Sum(C[j, f] * (q[f] + g[f]), (f, 1, D))
_cosine = Sum(_u * _v, (j, 1, N)) / (sp.sqrt(Sum(_u**2, (j, 1, N))) * sp.sqrt(Sum(_v**2, (j, 1, N)))) / TAU


def _network(code: Callable[..., TwoTowerNetwork], t: dict[str, Tensor]) -> Tensor:
    """Somebody who took the first two items and has one feature, and the third item, which has one feature."""
    net = code(FIRST + 3, 1, 1, 2, (2,), float(TAU), True, 1.0)
    taken = torch.cat([t["e"].new_zeros(FIRST, 2), t["e"], t["e"].new_zeros(1, 2)])
    ids = torch.cat([t["q"].new_zeros(FIRST + 2, 2), t["q"].unsqueeze(0)])
    zeros = torch.zeros(2, dtype=torch.float64)
    lent = {"e": taken, "q": ids, "f.feature": t["a"].unsqueeze(0), "g.feature": t["g"].unsqueeze(0)}
    lent |= {
        "f.layers.0.weight": t["A"],
        "g.layers.0.weight": t["C"],
        "f.layers.0.bias": zeros,
        "g.layers.0.bias": zeros,
    }
    one = torch.ones(1, 1, dtype=torch.float64)
    batch = {"history": torch.tensor([[FIRST, FIRST + 1]]), "item": torch.tensor([FIRST + 2])}
    return run_module(net, lent, batch | {"user_features": one, "item_features": one})[0, 0]


score = Derivation(
    id="two-tower-score",
    title="Two towers and where they meet",
    steps=(
        Step(
            "user tower",
            _u,
            "The user took items 1 and 2 and has one feature, such as an age bracket. The vectors of what was taken are averaged, the "
            "feature's vector $a$ is added, a layer $A$ follows. This is number $j$ of $u = f(x_u)$. (Biases are left out here.)",
            lhs="u_j",
        ),
        Step(
            "item tower",
            _v,
            "The item has a vector $q$ of its id, and a feature's vector $g$. Its layer is its own. Nothing of the user enters, so $v = g(x_i)$ can "
            "be computed beforehand and stored.",
            lhs="v_j",
            starts=True,
        ),
        Step(
            "cosine over temperature",
            _cosine,
            "They meet once, in a cosine. Divided by a temperature τ = 1/2, it lies between −2 and 2.",
            lhs="s(u, i)",
            starts=True,
        ),
    ),
    inputs={"e": (2, 2), "q": (2,), "a": (2,), "g": (2,), "A": (2, 2), "C": (2, 2)},
    symbols={"e": symbol_array(e, (2, 2)), "q": symbol_array(q, (2,)), "a": symbol_array(a, (2,)), "g": symbol_array(g, (2,)),
             "A": symbol_array(A, (2, 2)), "C": symbol_array(C, (2, 2))},
    final=_cosine,
    sizes={D: 2, N: 2, j: 1},
    wire=_network,
)  # fmt: skip


# --- what a batch does -----------------------------------------------------------------------------------------------------

_s, _p, _q = symbol_array("s", (2,)), symbol_array("p", ()), symbol_array("q", ())
s1, s2 = _s
p, Q = _p[()], _q[()]
_inputs: dict[str, tuple[int, ...]] = {"s": (2,), "p": (), "q": ()}
_share: dict[Any, tuple[float, float]] = {"p": (0.1, 0.9), "q": (0.1, 0.9)}


def _expected(corrected: bool) -> Callable[..., Tensor]:
    """dE/ds₁ by autograd of the code's loss, averaged over the four batches: the user took a, the other row brings b."""

    def wire(code: Callable[[Tensor, Tensor | None], Tensor], t: dict[str, Tensor]) -> Tensor:
        own, drawn = (torch.stack([t[n], 1 - t[n]]) for n in ("p", "q"))
        log_q, total = drawn.log(), torch.zeros((), dtype=torch.float64)
        for x, y in product(range(2), repeat=2):
            columns = log_q[[x, y]]
            other_row = columns.detach() if corrected else torch.zeros(2, dtype=torch.float64)
            scores = torch.stack([t["s"][[x, y]], other_row])  # the other row is undecided: it adds log 2 and no slope
            total = total + own[x] * drawn[y] * 2 * code(scores, columns if corrected else None)
        return torch.autograd.grad(total, t["s"], create_graph=True)[0][0]

    return wire


def _loss(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return p * (1 - Q) * sp.log(1 + sp.exp(b - a)) + (1 - p) * Q * sp.log(1 + sp.exp(a - b))


def _flat(ratio: sp.Expr, weight: sp.Expr) -> sp.Expr:
    """The slope where e^(s₁ − s₂) is `ratio`, and e^(c₁ − c₂) is `weight` times that."""
    return ((1 - p) * Q * weight * ratio - p * (1 - Q)) / (1 + weight * ratio)


def _slope(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return ((1 - p) * Q * sp.exp(a - b) - p * (1 - Q)) / (1 + sp.exp(a - b))


_c1, _c2 = s1 - sp.log(Q), s2 - sp.log(1 - Q)

uncorrected = Derivation(
    id="in-batch-uncorrected",
    title="What scores settle at when the batch is its own negative",
    steps=(
        Step(
            "expected slope",
            sp.Derivative(_loss(s1, s2), s1),
            "Two items. This user takes item 1 with probability $p$. The other row of the batch belongs to somebody else and brings item 1 with "
            "probability $q$, its popularity. If both bring the same item there is nothing to learn, a constant, left out here; the other two batches have the chances "
            "$p(1-q)$ and $(1-p)q$.",
            lhs=r"\frac{\partial E}{\partial s_1}",
        ),
        Step("chain rule", _slope(s1, s2), "Both terms depend on the difference of the scores alone."),
        Step(
            "where it is flat",
            _flat((1 / Q - 1) / (1 / p - 1), sp.Integer(1)),
            "Put in $s_1 - s_2 = \\log\\frac{p}{1-p} - \\log\\frac{q}{1-q}$; the odds $\\frac{p}{1-p}$ are written $1 / (\\frac1p - 1)$.",
            lhs=r"\left.\frac{\partial E}{\partial s_1}\right|_*",
            starts=True,
        ),
        Step(
            "zero",
            sp.Integer(0),
            "Flat. So training settles where scores are $\\log P - \\log Q$: what is popular is a negative more often, and pays for it.",
        ),
        Step("the slope again", _slope(s1, s2), "This is the slope that the code has.", lhs=r"\frac{\partial E}{\partial s_1}", starts=True),
    ),
    inputs=_inputs,
    symbols={"s": _s, "p": _p, "q": _q},
    final=_slope(s1, s2),
    domain=_share,
    wire=_expected(corrected=False),
)  # fmt: skip

corrected = Derivation(
    id="in-batch-corrected",
    title="The same with log Q taken off",
    steps=(
        Step(
            "expected slope",
            sp.Derivative(_loss(_c1, _c2), s1),
            "The same expected loss. Every column loses the logarithm of how often its item stands in a batch, before the softmax, the diagonal too.",
            lhs=r"\frac{\partial E}{\partial s_1}",
        ),
        Step("chain rule", _slope(_c1, _c2), "As before, with $s - \\log Q$ in place of $s$."),
        Step(
            "where it is flat",
            _flat(1 / (1 / p - 1), (1 - Q) / Q),
            "Put in $s_1 - s_2 = \\log\\frac{p}{1-p}$: what this user wants, whatever others take.",
            lhs=r"\left.\frac{\partial E}{\partial s_1}\right|_*",
            starts=True,
        ),
        Step("zero", sp.Integer(0), "Flat. The scores settle at $\\log P$; $Q$ has served its purpose and is gone when items are ranked."),
        Step("the slope again", _slope(_c1, _c2), "This is the slope that the code has.", lhs=r"\frac{\partial E}{\partial s_1}", starts=True),
    ),
    inputs=_inputs,
    symbols={"s": _s, "p": _p, "q": _q},
    final=_slope(_c1, _c2),
    domain=_share,
    wire=_expected(corrected=True),
)  # fmt: skip


# --- how sharp a cosine can be -----------------------------------------------------------------------------------------------

_tau = symbol_array("tau", ())
t_ = _tau[()]
_best = sp.exp(1 / t_) / (sp.exp(1 / t_) + Sum(sp.exp(-1 / t_), (j, 2, B)))
ROWS = 4


def _sharpest(code: Callable[[Tensor, Tensor | None], Tensor], t: dict[str, Tensor]) -> Tensor:
    cosines = 2 * torch.eye(ROWS, dtype=torch.float64) - 1
    return torch.exp(-code(cosines / t["tau"], None))


ceiling = Derivation(
    id="cosine-ceiling",
    title="The most that a softmax of cosines can say",
    steps=(
        Step(
            "best case",
            _best,
            "The item of the row points where the user points, cosine 1. All others of the batch point away, cosine −1. Nothing can be clearer.",
            lhs=r"P_{\max}",
        ),
        Step(
            "cleared",
            1 / (1 + (B - 1) * sp.exp(-2 / t_)),
            "With τ = 1 and a batch of 512 this is 1.4 %: the loss can hardly fall. A temperature below 1 gives the cosines room.",
        ),
    ),
    inputs={"tau": ()},
    symbols={"tau": _tau},
    final=1 / (1 + (B - 1) * sp.exp(-2 / t_)),
    sizes={B: ROWS},
    domain={"tau": (0.2, 2.0)},
    wire=_sharpest,
)
