"""DIEN, step by step: the GRU's step, what attention does to it, the whole head on two states, and the auxiliary loss.

Source  Zhou et al., "Deep Interest Evolution Network for Click-Through Rate Prediction", AAAI 2019, arXiv:1809.03672: eq. 2-6 and the section on the interest evolving layer.

States have one number here: every product in the formulas is a product of numbers, and the layer's vectors are many of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.special import expit
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed
from rec_lib.schema import FIRST, Schema, Sequence, Sparse


class sigma(sp.Function):
    """1 / (1 + e^(−z)), kept as one symbol so that a gate stays readable."""

    nargs = 1
    _imp_ = staticmethod(expit)

    @classmethod
    def eval(cls, z: sp.Expr) -> sp.Expr | None:
        return 1 / (1 + sp.exp(-z)) if z.is_number else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        z = self.args[0]
        return sigma(z) * (1 - sigma(z))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return rf"\sigma\left({printer.doprint(self.args[0])}\right)"


def _scalar(name: str) -> np.ndarray:
    return symbol_array(name, ())


# --- one step ----------------------------------------------------------------------------------------------------------

_names = {
    "i": "i_t", "h": "h_{t-1}", "Wu": "W^u", "Wr": "W^r", "Wh": "W^h", "Uu": "U^u", "Ur": "U^r", "Uh": "U^h",
    "bu": "b^u", "br": "b^r", "bh": "b^h", "a": "a_t",
}  # fmt: skip
_s = {key: _scalar(name) for key, name in _names.items()}
_i, _h, _Wu, _Wr, _Wh, _Uu, _Ur, _Uh, _bu, _br, _bh, _a = (array[()] for array in _s.values())

_u = sigma(_Wu * _i + _Uu * _h + _bu)
_r = sigma(_Wr * _i + _Ur * _h + _br)
_new = sp.tanh(_Wh * _i + _r * _Uh * _h + _bh)
_update, _reset, _candidate, _z = sp.symbols(r"u_t r_t \tilde{h}_t z_t", real=True)

_gates = [key for key in _names if key != "a"]
_without_u = [key for key in _names if not key.endswith("u")]


def _inputs(keys: list[str]) -> dict[str, tuple[int, ...]]:
    return {key: () for key in keys}


def _symbols(keys: list[str]) -> dict[str, np.ndarray]:
    return {key: _s[key] for key in keys}


def _step(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    """One row, one number. Without an attention it is 1; without weights of u the attention stands in its place."""
    gates = ["u", "r"] if "Wu" in t else ["r"]
    x = torch.stack([t[f"W{g}"] * t["i"] + t[f"b{g}"] for g in gates]).unsqueeze(0)
    U = torch.stack([t[f"U{g}"] for g in gates]).unsqueeze(0)
    a = t["a"] if "a" in t else torch.ones_like(t["i"])
    one = (x, (t["Wh"] * t["i"] + t["bh"]).view(1, 1), t["h"].view(1, 1), U, t["Uh"].view(1, 1), a.view(1, 1))
    return code(*one).view(())


gru = Derivation(
    id="gru-step",
    title="The GRU: how much of the past to keep",
    steps=(
        Step(
            "eq. 2",
            _u,
            "The update gate, a number from 0 to 1, read off the behaviour $i_t$ and the state before.",
            lhs="u_t",
        ),
        Step("eq. 3", _r, "The reset gate, the same with weights of its own.", lhs="r_t", starts=True),
        Step(
            "eq. 4",
            sp.tanh(_Wh * _i + _reset * _Uh * _h + _bh),
            "The proposal for a new state. The reset gate decides how much of the old one it may see; the bias stands outside.",
            lhs=r"\tilde h_t",
            starts=True,
        ),
        Step(
            "eq. 5",
            (1 - _update) * _h + _update * _candidate,
            "The new state: a mixture of old and proposed. At $u_t = 0$ nothing happened, at $u_t = 1$ only the proposal is left.",
            lhs="h_t",
            starts=True,
        ),
        Step(
            "a step towards the proposal",
            _h + _update * (_candidate - _h),
            "Sorted, it is a step from the old state towards the proposed one, $u_t$ of the way.",
        ),
        Step(
            "with the gates put in",
            _h + _u * (_new - _h),
            "The same with the gates written out. This is what the code has to compute.",
            lhs="h_t",
            starts=True,
        ),
    ),
    inputs=_inputs(_gates),
    symbols=_symbols(_gates),
    final=_h + _u * (_new - _h),
    wire=_step,
)

_libraries = _scalar("z_t")
_pair = {"h": _s["h"], "new": _scalar(r"\tilde{h}_t"), "p": _scalar("p")}
_p, _n = _pair["p"][()], _pair["new"][()]

convention = Derivation(
    id="gru-convention",
    title="The same gate under two names",
    steps=(
        Step(
            "this paper",
            (1 - sigma(_p)) * _h + sigma(_p) * _n,
            r"The paper: $u = \sigma(p)$ lets the new in.",
            lhs="h_t",
        ),
        Step(
            "PyTorch and most libraries",
            sigma(-_p) * _h + (1 - sigma(-_p)) * _n,
            r"Libraries: $z = 1 - u$ keeps the old. Since $1 - \sigma(p) = \sigma(-p)$, the weights of that gate change their sign, and nothing else does.",
        ),
    ),
    inputs={key: () for key in _pair},
    symbols=_pair,
    final=sigma(-_p) * _h + (1 - sigma(-_p)) * _n,
    wire=lambda code, t: code(
        torch.stack([t["p"], 0 * t["p"]]).view(1, 2), torch.atanh(t["new"]).view(1, 1), t["h"].view(1, 1),
        torch.zeros(1, 2, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64),
    ).view(()),
    domain={"new": (-0.9, 0.9)},
)  # fmt: skip

augru = Derivation(
    id="augru-step",
    title="AUGRU: attention scales the update gate",
    steps=(
        Step(
            "paper",
            (1 - _a * _update) * _h + _a * _update * _candidate,
            r"The gate becomes $\tilde u'_t = a_t u'_t$. Every number of the state keeps a gate of its own; all are turned down by the same factor.",
            lhs="h'_t",
        ),
        Step(
            "sorted",
            _h + _a * _update * (_candidate - _h),
            r"A step towards the proposal, shortened by $a_t$. At $a_t = 0$ the state passes untouched, however loud the behaviour; at $a_t = 1$ this is the GRU.",
        ),
        Step(
            "with the gates put in",
            _h + _a * _u * (_new - _h),
            "What the code has to compute.",
            lhs="h'_t",
            starts=True,
        ),
    ),
    inputs=_inputs([*_gates, "a"]),
    symbols=_symbols([*_gates, "a"]),
    final=_h + _a * _u * (_new - _h),
    domain={"a": (0.0, 1.0)},
    wire=_step,
)

agru = Derivation(
    id="agru-step",
    title="AGRU: attention in place of the update gate",
    steps=(
        Step(
            "paper",
            (1 - _a) * _h + _a * _candidate,
            "One number for the whole state: what each of its numbers wanted is thrown away, and so are the weights that knew it.",
            lhs="h'_t",
        ),
        Step("with the gate put in", _h + _a * (_new - _h), "What the code has to compute.", lhs="h'_t", starts=True),
    ),
    inputs=_inputs(_without_u),
    symbols=_symbols(_without_u),
    final=_h + _a * (_new - _h),
    domain={"a": (0.0, 1.0)},
    wire=_step,
)


def _slope(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    """By autograd: how the new state moves with the old one, where the old one is not read by any gate."""
    closed = {key: torch.zeros_like(t["u"]) for key in ("Uu", "Ur", "Uh", "Wr", "br", "Wh", "Wu")}
    opened = {"i": t["u"], "bu": torch.logit(t["u"]), "bh": t["u"], "h": t["h"], "a": t["a"]}
    return torch.autograd.grad(_step(code, closed | opened), t["h"], create_graph=True)[0]


_gate = _scalar("u_t")
_ways = {"h": _s["h"], "u": _gate, "a": _s["a"]}
memory = Derivation(
    id="augru-memory",
    title="How far back a state remembers",
    steps=(
        Step(
            "one step",
            sp.Derivative((1 - _a * _gate[()]) * _h + _a * _gate[()] * _candidate, _h),
            "Ask how much of the old state is left in the new one, on the direct road past the gates.",
            lhs=r"\frac{\partial h'_t}{\partial h'_{t-1}}",
        ),
        Step(
            "a factor a step",
            1 - _a * _gate[()],
            "So over many steps it is a product of such factors. A behaviour that the candidate does not care for, $a_t = 0$, multiplies by "
            "1: it costs no memory. In a plain GRU every behaviour costs $1 - u_t$.",
        ),
    ),
    inputs={key: () for key in _ways},
    symbols=_ways,
    final=1 - _a * _gate[()],
    domain={"u": (0.05, 0.95), "a": (0.0, 1.0)},
    wire=_slope,
)

# --- attention and answer, on two given states ----------------------------------------------------------------------------

hh = indexed("h")[0]
j = sp.symbols("j", integer=True, positive=True)
_model_names = {
    "e": "e_a", "W": "W", "Wu": "W^u", "bu": "b^u", "Wh": "W^h", "bh": "b^h", "g": "g", "g2": "g'", "y0": "y_0",
}  # fmt: skip
_m = {key: _scalar(name) for key, name in _model_names.items()}
_e, _W, _wu, _cu, _wh, _ch, _g, _g2, _y0 = (array[()] for array in _m.values())
_states = {"h": symbol_array(hh, (2,))}
_SCHEMA = Schema((Sparse("item", FIRST + 2), Sequence("history", of="item", maxlen=3)))


def _attention(t: int) -> sp.Expr:
    return sp.exp(hh[t] * _W * _e) / Sum(sp.exp(hh[j] * _W * _e), (j, 1, 2))


def _proposal(t: int) -> sp.Expr:
    return sp.tanh(_wh * hh[t] + _ch)


def _opened(t: int) -> sp.Expr:
    return sigma(_wu * hh[t] + _cu)


_a1, _a2, _u1, _u2 = sp.symbols("a_1 a_2 u'_1 u'_2", real=True)
_n1, _n2, _last = sp.symbols(r"\tilde{h}'_1 \tilde{h}'_2 h'_2", real=True)
_evolved = (1 - _a2 * _u2) * _a1 * _u1 * _n1 + _a2 * _u2 * _n2
_whole = (_y0 + _g * _e + _g2 * _last).subs(_last, _evolved)
_whole = _whole.subs({_u1: _opened(1), _u2: _opened(2), _n1: _proposal(1), _n2: _proposal(2)})
_whole = _whole.subs({_a1: _attention(1), _a2: _attention(2)})


class _Answer(nn.Module):
    """``answer`` where ``functional_call`` looks: in forward."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor], h: Tensor, mask: Tensor) -> Tensor:
        return self.model.answer(batch, h, mask)


def _head(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """Two states and one place of padding, whose state must not count; the second GRU's gates do not read its own state."""
    zero = torch.zeros(1, dtype=torch.float64)
    lent = {
        "model.emb.table": torch.cat([zero.expand(FIRST + 1), t["e"].view(1)]).unsqueeze(1),
        "model.W": t["W"].view(1, 1),
        "model.evolver.W": torch.stack([t["Wu"], zero[0], t["Wh"]]).unsqueeze(0),
        "model.evolver.U": zero.expand(1, 3),
        "model.evolver.b": torch.stack([t["bu"], zero[0], t["bh"]]),
        "model.mlp.0.weight": torch.stack([t["g"], t["g2"]]).unsqueeze(0),
        "model.mlp.0.bias": t["y0"].view(1),
    }
    batch = {"item": torch.tensor([FIRST + 1])}
    h = torch.cat([t["h"], zero + 5.0]).view(3, 1, 1)
    mask = torch.tensor([[True], [True], [False]])
    return run_module(_Answer(code(_SCHEMA, dim=1, hidden=())), lent, batch, h, mask).squeeze(0)


head = Derivation(
    id="dien",
    title="From the extractor's states to a logit",
    steps=(
        Step(
            "attention",
            _attention(1),
            "How well each state fits the candidate $e_a$: a product through the matrix $W$, then a softmax over the history. No network, and no "
            "DIN: weights that add up to 1. Here for the first of two states.",
            lhs="a_1",
        ),
        Step(
            "two steps of AUGRU",
            _evolved,
            "Two steps, from $h'_0 = 0$. The first proposal's share is what the second step left of it, $1 - a_2 u'_2$.",
            lhs="h'_2",
            starts=True,
        ),
        Step(
            "answer",
            _y0 + _g * _e + _g2 * _last,
            "The last state joins the candidate, profile and context in a network; here a network without a hidden layer.",
            lhs="y",
            starts=True,
        ),
        Step(
            "with everything put in",
            _whole,
            "What the class has to compute. To keep it short, the second GRU's gates read their input alone.",
            lhs="y",
            starts=True,
        ),
    ),
    inputs={"h": (2,)} | {key: () for key in _m},
    symbols=_states | _m,
    final=_whole,
    wire=_head,
)

# --- the auxiliary loss -------------------------------------------------------------------------------------------------

D = sp.symbols("D", integer=True, positive=True)
d = sp.symbols("d", integer=True, positive=True)
H, E, N = (sp.IndexedBase(name, real=True) for name in ("h", "e", r"\hat{e}"))


def _dot(t: int, vectors: sp.IndexedBase) -> sp.Expr:
    return Sum(H[t, d] * vectors[t + 1, d], (d, 1, D))


t, T = sp.symbols("t T", integer=True, positive=True)


def _dot_at(vectors: sp.IndexedBase) -> sp.Expr:
    return Sum(H[t, d] * vectors[t + 1, d], (d, 1, D))


_eq6 = -Sum(sp.log(sigma(_dot_at(E))) + sp.log(1 - sigma(_dot_at(N))), (t, 1, T - 1)) / (T - 1)
_soft = Sum(sp.log(1 + sp.exp(-_dot_at(E))) + sp.log(1 + sp.exp(_dot_at(N))), (t, 1, T - 1)) / (T - 1)
_three: dict[str, tuple[int, ...]] = {"h": (3, 2), "e": (3, 2), "e_hat": (3, 2)}
_three_symbols = {"h": symbol_array(H, (3, 2)), "e": symbol_array(E, (3, 2)), "e_hat": symbol_array(N, (3, 2))}


def _loss(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    """One row of three behaviours, and two places of padding that hold numbers."""
    padded = [torch.cat([t[name], t[name].new_full((2, 2), 3.0)]).unsqueeze(1) for name in ("h", "e", "e_hat")]
    return code(*padded, (torch.arange(5) < 3).unsqueeze(1))


auxiliary = Derivation(
    id="dien-auxiliary",
    title="The auxiliary loss: guess what comes next",
    steps=(
        Step(
            "eq. 6",
            _eq6,
            r"A history of $T$ behaviours has $T - 1$ steps. At each, the state $h_t$ should fit the behaviour that came next, $e_{t+1}$, and not one that was drawn "
            r"instead, $\hat e_{t+1}$. Two log losses a step, and no click in them.",
            lhs="L_{aux}",
        ),
        Step(
            "as code has it",
            _soft,
            r"$-\log\sigma(x) = \log(1 + e^{-x})$, which is what a softplus computes without overflow. The state after the last behaviour is asked nothing: "
            "what came after it is the click itself.",
        ),
    ),
    inputs=_three,
    symbols=_three_symbols,
    final=_soft,
    sizes={D: 2, T: 3},
    wire=_loss,
)

_first = sp.Rational(1, 2) * (-(1 - sigma(_dot(1, E))) * E[2, 1] + sigma(_dot(1, N)) * N[2, 1])


def _first_slope(code: Callable[..., Tensor], t: dict[str, Tensor]) -> Tensor:
    """By autograd: how the loss moves with the first number of the first state."""
    return torch.autograd.grad(_loss(code, t), t["h"], create_graph=True)[0][0, 0]


teaches = Derivation(
    id="dien-auxiliary-gradient",
    title="What the auxiliary loss teaches a state",
    steps=(
        Step(
            "slope",
            sp.Derivative((sp.log(1 + sp.exp(-_dot(1, E))) + sp.log(1 + sp.exp(_dot(1, N)))) / 2, H[1, 1]),
            "The slope in the first number of the first of three states.",
            lhs=r"\frac{\partial L_{aux}}{\partial h_{1,1}}",
        ),
        Step(
            "pull and push",
            _first,
            "Downhill is towards what came next, as far as it was doubted, and away from what was drawn, as far as it was believed. Every step of every history has such a "
            "gradient; the click gives one a row, and it arrives at the first state through all the gates.",
        ),
    ),
    inputs=_three,
    symbols=_three_symbols,
    final=_first,
    sizes={D: 2},
    wire=_first_slope,
)
