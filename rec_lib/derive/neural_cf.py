"""NeuralCF, step by step: GMF with h = 1 is MF, what h adds, two towers in one sum, what sampled negatives teach.

Source  He et al., "Neural Collaborative Filtering", WWW 2017, arXiv:1708.05031: eq. 7 (loss), 8-9 (GMF), 10 (MLP),
        12 (NeuMF), 13 (pretraining).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor

from rec_lib.data.table import Table
from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed, relu
from rec_lib.models.mf import MF
from rec_lib.models.neural_cf import GMF, MLP, NeuMF, Tower
from rec_lib.schema import FIRST, Schema, Sparse

K, D, L = sp.symbols("K D L", integer=True, positive=True)  # numbers of φ^G, of an MLP vector, of φ^M
k, d, n = sp.symbols("k d n", integer=True, positive=True)

p, q, h, W, b = indexed("p", "q", "h", "W", "b")
pG, qG, hG, pM, qM, hM = indexed("p^G", "q^G", "h^G", "p^M", "q^M", "h^M")
alpha, y, taken, chance = (symbol_array(name, ()) for name in ("alpha", "y", "rho", "kappa"))

PAIR = {"user": torch.tensor([FIRST]), "item": torch.tensor([FIRST])}
IDS = FIRST + 1


def _table(row: Tensor) -> Tensor:
    """PAD, OOV, and the one real row."""
    return torch.cat([row.new_zeros(FIRST, len(row)), row.unsqueeze(0)])


def _gmf(code: Callable[..., NeuMF], t: dict[str, Tensor]) -> Tensor:
    """The logit of `code` over one GMF tower."""
    net = code([GMF(IDS, IDS, len(t["p"]), 1.0)], [len(t["p"])])
    lent = {"towers.0.p": _table(t["p"]), "towers.0.q": _table(t["q"]), "h": t["h"]}
    return run_module(net, lent, PAIR).squeeze(0)


def _inner_product(code: Callable[..., Any], t: dict[str, Tensor]) -> Tensor:
    """MF without biases, or `code` over a GMF tower with h = 1."""
    if code is not MF:
        return _gmf(code, t | {"h": torch.ones_like(t["p"])})
    schema = Schema((Sparse("user", IDS), Sparse("item", IDS)))
    model = code(Table(schema, PAIR | {"label": torch.ones(1)}), dim=len(t["p"]), bias=False)
    return run_module(model, {"p": _table(t["p"]), "q": _table(t["q"])}, PAIR).squeeze(0)


def _both(code: Callable[..., NeuMF], t: dict[str, Tensor], h: Tensor) -> Tensor:
    """The logit of `code` over both towers, the MLP with one hidden layer."""
    towers: list[Tower] = [GMF(IDS, IDS, 2, 1.0), MLP(IDS, IDS, (2,), 1.0)]
    lent = {"towers.0.p": _table(t["p^G"]), "towers.0.q": _table(t["q^G"]), "h": h}
    lent |= {"towers.1.p": _table(t["p^M"]), "towers.1.q": _table(t["q^M"])}
    lent |= {"towers.1.layers.0.weight": t["W"], "towers.1.layers.0.bias": t["b"]}
    return run_module(code(towers, [2, 2]), lent, PAIR).squeeze(0)


_vectors: dict[str, tuple[int, ...]] = {"p": (3,), "q": (3,)}
_vector_symbols = {"p": symbol_array(p, (3,)), "q": symbol_array(q, (3,))}
_gmf_inputs = _vectors | {"h": (3,)}
_gmf_symbols = _vector_symbols | {"h": symbol_array(h, (3,))}
_product = Sum(p[k] * q[k], (k, 1, K))
_weighted = Sum(h[k] * p[k] * q[k], (k, 1, K))

gmf_is_mf = Derivation(
    id="gmf-is-mf",
    title="GMF with h = 1 is matrix factorisation",
    steps=(
        Step(
            "eq. 9",
            _weighted,
            "Multiply the two vectors coordinate by coordinate, weigh each product, add up: $h^\\top (p_u \\odot q_i)$. This is "
            "what goes into $a_{out}$.",
            lhs=r"\hat y_{ui}",
        ),
        Step(
            "every h is 1",
            Sum(_weighted.function.subs(h[k], 1), (k, 1, K)),
            "Let $a_{out}$ be the identity, and let sympy put 1 for every $h_k$.",
            lhs=r"\hat y_{ui}\,\big|_{h = \mathbf{1}}",
            starts=True,
        ),
        Step("inner product", _product, "What is left is $p_u^\\top q_i$, matrix factorisation to the letter."),
    ),
    inputs=_vectors,
    symbols=_vector_symbols,
    final=_product,
    sizes={K: 3},
    wire=_inner_product,
)

absorbed = Derivation(
    id="gmf-absorbs-h",
    title="What h adds to MF",
    steps=(
        Step("eq. 9", _weighted, "GMF, with weights $h$ that are learnt.", lhs=r"\hat y_{ui}"),
        Step(
            "the weights move into the user's vector",
            Sum((h[k] * p[k]) * q[k], (k, 1, K)),
            "Put the brackets elsewhere. This is the inner product of $h \\odot p_u$ and $q_i$: whatever GMF says, an MF with "
            "other vectors says too.",
        ),
    ),
    inputs=_gmf_inputs,
    symbols=_gmf_symbols,
    final=_weighted,
    sizes={K: 3},
    wire=_gmf,
)

_logit = _weighted
_log_loss = -(y[()] * sp.log(1 / (1 + sp.exp(-_logit))) + (1 - y[()]) * sp.log(1 - 1 / (1 + sp.exp(-_logit))))
_slope = (1 / (1 + sp.exp(-_logit)) - y[()]) * h[1] * q[1]


class _Loss(torch.nn.Module):
    """``loss`` where ``functional_call`` looks: in forward."""

    def __init__(self, net: NeuMF):
        super().__init__()
        self.net = net

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.net.loss(batch)


def _gradient(code: Callable[..., NeuMF], t: dict[str, Tensor]) -> Tensor:
    """By autograd: how the loss of one pair moves with the first number of the user's vector."""
    net = _Loss(code([GMF(IDS, IDS, 3, 1.0)], [3]))
    lent = {"net.towers.0.p": _table(t["p"]), "net.towers.0.q": _table(t["q"]), "net.h": t["h"]}
    loss = run_module(net, lent, PAIR | {"label": t["y"].reshape(1)})
    return torch.autograd.grad(loss, t["p"], create_graph=True)[0][0]


gradient = Derivation(
    id="gmf-gradient",
    title="What one pair teaches the user's vector",
    steps=(
        Step(
            "derivative",
            sp.Derivative(_log_loss, p[1]),
            "The log loss of one pair, $y = 1$ if it happened and 0 if it was drawn, differentiated in the "
            "user's first number.",
            lhs=r"\frac{\partial L_{ui}}{\partial p_{u1}}",
        ),
        Step(
            "chain rule",
            _slope,
            "$(\\sigma(\\hat y_{ui}) - y)$ is how wrong the probability is, and the vector moves along $h \\odot q_i$. A pair that happened "
            "pulls the user's vector towards the item, a drawn one pushes it away, harder the more the model was mistaken.",
        ),
    ),
    inputs=_gmf_inputs | {"y": ()},
    symbols=_gmf_symbols | {"y": y},
    final=_slope,
    sizes={K: 3},
    domain={"y": (0.0, 1.0)},
    wire=_gradient,
)

_phi_gmf = pG[k] * qG[k]
_phi_mlp = relu(b[n] + Sum(W[n, d] * pM[d] + W[n, D + d] * qM[d], (d, 1, D)))
_gmf_term = Sum(hG[k] * _phi_gmf, (k, 1, K))
_mlp_term = Sum(hM[n] * _phi_mlp, (n, 1, L))
_tower_inputs: dict[str, tuple[int, ...]] = {
    "p^G": (2,), "q^G": (2,), "h^G": (2,), "p^M": (2,), "q^M": (2,), "W": (2, 4), "b": (2,), "h^M": (2,),
}  # fmt: skip
_tower_symbols = {
    name: symbol_array(base, _tower_inputs[name])
    for name, base in {"p^G": pG, "q^G": qG, "h^G": hG, "p^M": pM, "q^M": qM, "W": W, "b": b, "h^M": hM}.items()
}
_tower_sizes = {K: 2, D: 2, L: 2}

model = Derivation(
    id="neumf",
    title="NeuMF: two towers, one sum",
    steps=(
        Step(
            "GMF's tower",
            _phi_gmf,
            "Number $k$ of $\\varphi^G$: a product of two numbers.",
            lhs=r"\varphi^G_k",
        ),
        Step(
            "MLP's tower",
            _phi_mlp,
            "Number $n$ of $\\varphi^M$: the two vectors side by side through a dense layer and a ReLU. (Here one layer; a tower has "
            "several, each reading the one before.) Nothing is multiplied with anything but weights.",
            lhs=r"\varphi^M_n",
            starts=True,
        ),
        Step(
            "eq. 12",
            _gmf_term + _mlp_term,
            "Put the numbers of both towers side by side and weigh them. Each tower has vectors of its own: $p^G$ and $p^M$ may "
            "even differ in length.",
            lhs=r"\hat y_{ui}",
            starts=True,
        ),
    ),
    inputs=_tower_inputs,
    symbols=_tower_symbols,
    final=_gmf_term + _mlp_term,
    terms={"GMF": _gmf_term, "MLP": _mlp_term},
    sizes=_tower_sizes | {k: 1, n: 1},
    wire=lambda code, t: _both(code, t, torch.cat([t["h^G"], t["h^M"]])),
)

_mixed = Sum(alpha[()] * hG[k] * _phi_gmf, (k, 1, K)) + Sum((1 - alpha[()]) * hM[n] * _phi_mlp, (n, 1, L))

start = Derivation(
    id="neumf-pretrained",
    title="Where a pretrained NeuMF starts",
    steps=(
        Step(
            "eq. 13",
            _mixed,
            "Train a GMF and an MLP each by itself. Take over both towers, and as output weights $[\\alpha h^G; (1 - \\alpha) h^M]$.",
            lhs=r"\hat y_{ui}",
        ),
        Step(
            "a mixture of two answers",
            alpha[()] * _gmf_term + (1 - alpha[()]) * _mlp_term,
            "$\\alpha$ comes out of the sum. Before its first step, a pretrained NeuMF says $\\alpha \\hat y^G + (1 - \\alpha)\\hat y^M$.",
        ),
    ),
    inputs=_tower_inputs | {"alpha": ()},
    symbols=_tower_symbols | {"alpha": alpha},
    final=_mixed,
    sizes=_tower_sizes,
    domain={"alpha": (0.0, 1.0)},
    wire=lambda code, t: _both(code, t, torch.cat([t["alpha"] * t["h^G"], (1 - t["alpha"]) * t["h^M"]])),
)

_s = sp.Symbol("s", real=True)
_rho, _kappa = taken[()], chance[()]


def _pull(s: sp.Expr) -> sp.Expr:
    """Slope of −ρ log σ(s) − (1 − ρ) κ log(1 − σ(s))."""
    return (1 - _rho) * _kappa / (1 + sp.exp(-s)) - _rho / (1 + sp.exp(s))


_best = sp.log(_rho / ((1 - _rho) * _kappa))

sampled = Derivation(
    id="sampled-negatives",
    title="What a score trained on sampled negatives means",
    steps=(
        Step(
            "slope",
            _pull(_s),
            "A group of pairs that the model cannot tell apart: a share $\\rho$ of them happened. Each of the others is drawn "
            "$\\kappa$ times an epoch. Slope of the group's log loss in their common score $s$:",
            lhs=r"\frac{\partial}{\partial s}\big[-\rho\log\sigma(s) - (1-\rho)\kappa\log(1-\sigma(s))\big]",
        ),
        Step(
            "put the best score in",
            _pull(_best),
            "Try $s = \\log\\frac{\\rho}{(1 - \\rho)\\,\\kappa}$.",
            lhs=r"\text{slope at } s^*",
            starts=True,
        ),
        Step("nothing is left", sp.Integer(0), "The slope is 0 there: this is the score that training heads for."),
        Step(
            "the best score",
            _best,
            "Odds of the group, by how often chance brings a pair up. With $k$ negatives a pair and a user who has $n$ of $N$ items, "
            "$\\kappa = k\\,n/(N - n)$: the score is the group's log odds, less the user's own, less $\\log k$.",
            lhs="s^*",
            starts=True,
        ),
    ),
    inputs={"rho": (), "kappa": ()},
    symbols={"rho": taken, "kappa": chance},
    final=_best,
    domain={"rho": (0.05, 0.95), "kappa": (0.1, 4.0)},
    wire=lambda code, t: code(t["rho"], t["kappa"]),
)


def best_score(rho: Tensor, kappa: Tensor) -> Tensor:
    """The common score of a group that training on sampled negatives heads for; :data:`sampled` is held to it.

    By ten steps of Newton on the slope of the loss: nothing here knows the closed form.
    """
    s = torch.zeros_like(rho)
    for _ in range(10):
        up, down = (1 - rho) * kappa * torch.sigmoid(s), rho * torch.sigmoid(-s)
        s = s - (up - down) / (up * torch.sigmoid(-s) + down * torch.sigmoid(s))
    return s
