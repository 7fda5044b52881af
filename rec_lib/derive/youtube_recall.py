"""Section 4.5, step by step: a one-hot times a matrix, its gradient, the softmax over items, why draws are corrected, a longer vector.

Source  Covington, Adams, Sargin, RecSys 2016: section 3.1; Bengio and Senécal, IEEE TNN 2008 (draws); Bachrach et al.,
        RecSys 2014 (longer vectors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed, relu
from rec_lib.models.watch_network import WatchNetwork
from rec_lib.schema import FIRST

m, D, N, V, S = sp.symbols("m D N V S", integer=True, positive=True)  # ids, sizes of e and of u, items, draws
i, j, f, c = sp.symbols("i j f c", integer=True, positive=True)
W, g, x, u, v, s, q, p, e, A, b = indexed("W", "g", "x", "u", "v", "s", "q", "p", "e", "A", "b")
age, h, M, mean = (symbol_array(name, ()) for name in ("a", "h", "M", "mu"))

IDS = (2, 1, 2)  # of a batch of three, counted from 1: id 2 comes twice, id 3 never


def look_up(table: Tensor, ids: Tensor) -> Tensor:
    """Rows of a table (m, D) by number (B,): (B, D). What an embedding layer does."""
    return table.index_select(0, ids)


_ids = torch.tensor(IDS) - 1
_W = symbol_array(W, (3, 2))

layer = Derivation(
    id="embedding-look-up",
    title="An embedding layer is a one-hot times a matrix",
    steps=(
        Step(
            "product",
            Sum(sp.KroneckerDelta(i, 2) * W[i, f], (i, 1, m)),
            "The one-hot $x$ of id 2 has a 1 at place 2 and 0 everywhere else. Number $f$ of $x^\\top W$ is a sum over all $m$ ids.",
            lhs="y_f",
        ),
        Step(
            "look-up",
            W[2, f],
            "All products but one are products with 0. What is left is number $f$ of row 2: the sum need never be formed.",
        ),
    ),
    inputs={"W": (3, 2)},
    symbols={"W": _W},
    final=W[2, f],
    sizes={m: 3, f: 1},
    wire=lambda code, t: code(t["W"], _ids)[0, 0],
)


def _scatter(code: Callable[[Tensor, Tensor], Tensor], t: dict[str, Tensor]) -> Tensor:
    """By autograd: the slope of Σ_b ⟨g_b, y_b⟩ in every number of the table."""
    table = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad((t["g"] * code(table, _ids)).sum(), table, create_graph=True)[0]


_g = symbol_array(g, (3, 2))
_loss = sum(g[row, k] * W[id, k] for row, id in enumerate(IDS, start=1) for k in (1, 2))

scatter = Derivation(
    id="embedding-scatter-add",
    title="The gradient of a look-up is a scatter-add",
    steps=(
        Step(
            "chain rule",
            sp.Matrix(3, 2, lambda a, k: sp.Derivative(_loss, W[a + 1, k + 1])),
            "A batch looked up ids 2, 1, 2. The layers above send $g_b$ down to row $b$ of the batch, so the table moves the loss "
            "by $\\sum_b \\langle g_b, W_{\\mathrm{id}(b)}\\rangle$.",
            lhs=r"\frac{\partial L}{\partial W}",
        ),
        Step(
            "scatter-add",
            sp.Matrix([[g[2, k] for k in (1, 2)], [g[1, k] + g[3, k] for k in (1, 2)], [0, 0]]),
            "Row 2 was looked up twice and gets the sum of both. Row 3 was not looked up and gets exactly 0.",
        ),
    ),
    inputs={"g": (3, 2)},
    symbols={"g": _g},
    final=sp.Matrix([[g[2, k] for k in (1, 2)], [g[1, k] + g[3, k] for k in (1, 2)], [0, 0]]),
    wire=_scatter,
)


# --- the network -------------------------------------------------------------------------------------------------------

_hidden = relu(b[j] + A[j, D + 1] * age[()] + Sum(A[j, f] * (e[1, f] + e[2, f]) / 2, (f, 1, D)))
_score = Sum(v[j] * _hidden, (j, 1, N))
_net_inputs: dict[str, tuple[int, ...]] = {"e": (2, 2), "a": (), "A": (3, 3), "b": (3,), "v": (3,)}


def _network(code: Callable[..., WatchNetwork], t: dict[str, Tensor]) -> Tensor:
    """The logit of the second real item for somebody who watched the first and the second, one hidden layer."""
    net = code(FIRST + 2, 2, (3,), 1.0)
    table = torch.cat([t["e"].new_zeros(FIRST, 2), t["e"]])
    vectors = torch.cat([t["v"].new_zeros(FIRST + 1, 3), t["v"].unsqueeze(0)])
    batch = {"history": torch.tensor([[FIRST, FIRST + 1, 0]]), "age": t["a"].reshape(1)}
    lent = {"e": table, "v": vectors, "layers.0.weight": t["A"], "layers.0.bias": t["b"]}
    return run_module(net, lent, batch)[0, FIRST + 1]


network = Derivation(
    id="youtube-score",
    title="From watches to the score of an item",
    steps=(
        Step(
            "user vector",
            relu(b[j] + A[j, D + 1] * age[()] + Sum(A[j, f] * e[1, f], (f, 1, D)) / 2 + Sum(A[j, f] * e[2, f], (f, 1, D)) / 2),
            "Two watches, $e_1$ and $e_2$, and the age $a$ of the example. Unit $j$ of the last layer is number $j$ of the user's vector.",
            lhs="u_j",
        ),
        Step("average first", _hidden, "A linear layer of an average is the average of the linear layer: one product, however many watches."),
        Step(
            "inner product",
            _score,
            "The weights of the softmax for item $i$ are a vector $v_i$. The score is the inner product with $u$: a video enters only here, "
            "so its vector can be stored, and the user's is computed once.",
            lhs=r"v_i^\top u",
            starts=True,
        ),
    ),
    inputs=_net_inputs,
    symbols={"e": symbol_array(e, (2, 2)), "a": age, "A": symbol_array(A, (3, 3)), "b": symbol_array(b, (3,)), "v": symbol_array(v, (3,))},
    final=_score,
    sizes={D: 2, N: 3, j: 1},
    wire=_network,
)  # fmt: skip


# --- softmax over items -------------------------------------------------------------------------------------------------

_z = Sum(v[j, f] * u[f], (f, 1, N))
_own = Sum(v[1, f] * u[f], (f, 1, N))
_minus_log = sp.log(Sum(sp.exp(_z), (j, 1, V))) - _own
_share = sp.exp(_own) / Sum(sp.exp(_z), (j, 1, V))


class _Loss(torch.nn.Module):
    """The loss where ``functional_call`` looks: in forward; u comes from one watch through an identity."""

    def __init__(self, net: WatchNetwork):
        super().__init__()
        self.net = net

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.net.loss(batch)


def _slope(code: Callable[..., WatchNetwork], t: dict[str, Tensor]) -> Tensor:
    """By autograd: how the loss over three items, the first watched, moves with the first number of its vector."""
    net = _Loss(code(FIRST + 3, 2, (2,), 1.0))
    user = torch.cat([t["u"].new_zeros(FIRST + 2, 2), t["u"].unsqueeze(0)])
    vectors = torch.cat([t["v"].new_zeros(FIRST, 2), t["v"]])
    weight = torch.cat([torch.eye(2, dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)], dim=1)
    batch = {"history": torch.tensor([[FIRST + 2]]), "age": torch.zeros(1), "item": torch.tensor([FIRST])}
    lent = {"net.e": user, "net.v": vectors, "net.layers.0.weight": weight}
    loss = run_module(net, lent | {"net.layers.0.bias": torch.zeros(2, dtype=torch.float64)}, batch)
    return torch.autograd.grad(loss, t["v"], create_graph=True)[0][0, 0]


softmax = Derivation(
    id="item-softmax-gradient",
    title="What one watch teaches an item's vector",
    steps=(
        Step(
            "derivative",
            sp.Derivative(_minus_log, v[1, 1]),
            "The loss is $-\\log P(\\text{item } 1 \\mid u)$ over $V$ items. Differentiate in the first number of that item's vector.",
            lhs=r"\frac{\partial L}{\partial v_{1,1}}",
        ),
        Step(
            "chain rule",
            (_share - 1) * u[1],
            "The item that was watched moves towards $u$, by what its probability lacks to 1. With every other item the 1 is missing, "
            "and it moves away from $u$ by its probability. Each of the $V$ items moves: that is what sampling avoids.",
        ),
    ),
    inputs={"v": (3, 2), "u": (2,)},
    symbols={"v": symbol_array(v, (3, 2)), "u": symbol_array(u, (2,))},
    final=(_share - 1) * u[1],
    sizes={N: 2, V: 3},
    domain={"u": (0.2, 2.0)},
    wire=_slope,
)


# --- draws -------------------------------------------------------------------------------------------------------------

_joint = p[1] * q[2] * q[3]
_all = p[1] * q[2] * q[3] + p[2] * q[1] * q[3] + p[3] * q[1] * q[2]
_ratio = (p[1] / q[1]) / Sum(p[c] / q[c], (c, 1, S))
_pq: dict[str, tuple[int, ...]] = {"p": (3,), "q": (3,)}


def _posterior(code: Callable[[Tensor, Tensor, Tensor], Tensor], t: dict[str, Tensor]) -> Tensor:
    """exp(−loss) with log p as the scores: the probability that `code` gives to the first candidate."""
    return torch.exp(-code(t["p"].log().unsqueeze(0), t["q"].log(), torch.tensor([0])))


draws = Derivation(
    id="sampled-softmax-posterior",
    title="Which of three candidates is the real one?",
    steps=(
        Step(
            "Bayes",
            _joint / _all,
            "One candidate is real, drawn from $P(\\cdot \\mid u)$, two are drawn from $Q$, all independently. If the first is the real one, what "
            "is on the table has the probability $p_1 q_2 q_3$ (times the chance of that order, which is the same for all).",
            lhs=r"P(\text{1 is real})",
        ),
        Step(
            "divide by all q",
            _ratio,
            "Divide numerator and denominator by $q_1 q_2 q_3$. Only the ratio $p/q$ of each candidate is left.",
        ),
        Step(
            "softmax",
            sp.exp(sp.log(p[1]) - sp.log(q[1])) / Sum(sp.exp(sp.log(p[c]) - sp.log(q[c])), (c, 1, S)),
            "Written as a softmax: its logits are $\\log p - \\log q$. A model whose scores are to be $\\log p$ must have $\\log q$ "
            "taken off, from the real candidate too. Without that its scores become $\\log p - \\log q$: what is popular is held against an item.",
        ),
    ),
    inputs=_pq,
    symbols={"p": symbol_array(p, (3,)), "q": symbol_array(q, (3,))},
    final=_ratio,
    sizes={S: 3},
    domain={"p": (0.05, 1.0), "q": (0.05, 1.0)},
    wire=_posterior,
)


# --- inner product and distance ------------------------------------------------------------------------------------------

_short = Sum((v[f] - x[f]) ** 2, (f, 1, N))  # x is the mean of all items
_distance = Sum((v[f] - x[f] - q[f]) ** 2, (f, 1, N)) + sp.sqrt(M[()] ** 2 - _short) ** 2
_near = M[()] ** 2 + Sum(q[f] ** 2, (f, 1, N)) - 2 * Sum(q[f] * v[f], (f, 1, N)) + 2 * Sum(q[f] * x[f], (f, 1, N))


def squared_distance(vector: Tensor, mean: Tensor, query: Tensor, longest: Tensor) -> Tensor:
    """‖ṽ − q̃‖² of the longer vectors that `InnerProductIndex` stores: (N,), (N,), (N,), () → ()."""
    short = vector - mean
    longer = torch.cat([short, torch.sqrt(longest**2 - short @ short).reshape(1)])
    return (longer - torch.cat([query, query.new_zeros(1)])).square().sum()


def _squared(code: Callable[..., Any], t: dict[str, Tensor]) -> Tensor:
    value: Tensor = code(t["v"], t["x"], t["q"], t["M"])
    return value


nearest = Derivation(
    id="inner-product-distance",
    title="The largest inner product as the nearest vector",
    steps=(
        Step(
            "distance of the longer vectors",
            _distance,
            "Every item's vector loses the mean $x$ of all and gets one more coordinate, $\\sqrt{M^2 - \\|v - x\\|^2}$; the user's gets a 0 there.",
            lhs=r"\|\tilde v - \tilde q\|^2",
        ),
        Step(
            "expand",
            _near,
            "The square of the new coordinate cancels $\\|v - x\\|^2$. Of what is left only $-2\\,q^\\top v$ depends on the item: the nearest vector "
            "has the largest inner product.",
        ),
    ),
    inputs={"v": (2,), "x": (2,), "q": (2,), "M": ()},
    symbols={"v": symbol_array(v, (2,)), "x": symbol_array(x, (2,)), "q": symbol_array(q, (2,)), "M": M},
    final=_near,
    sizes={N: 2},
    domain={"v": (-1.0, 1.0), "x": (-1.0, 1.0), "M": (3.0, 5.0)},
    wire=_squared,
)
