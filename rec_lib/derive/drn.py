"""DRN, step by step: returns and targets, who judges the best next action, value and advantage, activeness, the duel.

Source  Zheng et al., "DRN", WWW 2018, sections 4.3 to 4.5; van Hasselt et al., AAAI 2016; Wang et al., ICML 2016.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import relu, step

_r = symbol_array("r", (3,))
_gamma = sp.Symbol("gamma", positive=True)
_one = np.array(_gamma, dtype=object)

bellman = Derivation(
    id="drn-bellman",
    title="What a list is worth: its own clicks, and γ times what the next visit is worth",
    steps=(
        Step("sum", _r[0] + _gamma * _r[1] + _gamma**2 * _r[2], "Clicks now, at the next visit and the one after, each visit discounted once more.", lhs="G_1"),
        Step("nested", _r[0] + _gamma * (_r[1] + _gamma * _r[2]), "Take γ out of all that lies ahead: the bracket is the same sum, begun one visit later."),
    ),
    inputs={"r": (3,), "gamma": ()},
    symbols={"r": _r, "gamma": _one},
    final=_r[0] + _gamma * _r[1] + _gamma**2 * _r[2],
    domain={"gamma": (0.0, 0.95)},
)  # fmt: skip

_q, _p = symbol_array("q", (2,)), symbol_array("q'", (2,))
_r1 = sp.Symbol("r", real=True)
_first = step(_q[0] - _q[1])  # 1 where W likes the first better

double_target = Derivation(
    id="drn-double-target",
    title="The double target for two candidates: W chooses, W' judges",
    steps=(
        Step("choice", _r1 + _gamma * (_first * _p[0] + (1 - _first) * _p[1]), "The bold 1 is 1 where W scores the first candidate higher. W' says what the chosen one is worth.", lhs="y"),
        Step("apart", _r1 + _gamma * _p[1] + _gamma * _first * (_p[0] - _p[1]), "As the second's worth and a change: what W says decides which, and never enters as a number."),
    ),
    inputs={"reward": (), "gamma": (), "q": (2,), "q_target": (2,)},
    symbols={"reward": np.array(_r1, dtype=object), "gamma": _one, "q": _q, "q_target": _p},
    final=_r1 + _gamma * (_first * _p[0] + (1 - _first) * _p[1]),
    wire=lambda code, t: code(t["reward"].reshape(1, 1), t["gamma"], t["q"].unsqueeze(0), t["q_target"].unsqueeze(0)).reshape(()),
    domain={"gamma": (0.0, 0.95)},
)  # fmt: skip

_Q, _d = sp.Symbol("Q", real=True), sp.Symbol("d", positive=True)
overestimate = Derivation(
    id="drn-overestimate",
    title="Why the largest of noisy values is too large",
    steps=(
        Step("cases", sp.Mul(sp.Rational(1, 4), sp.Add(3 * (_Q + _d), _Q - _d, evaluate=False), evaluate=False), "Two candidates are both worth Q; each is estimated d too high or d too low by the toss of a coin. In three of four cases one is too high.", lhs=r"E\max"),
        Step("bias", _Q + _d / 2, "The largest estimate is d/2 too large on average, though each is right on average. A second estimate with its own noise, asked about the winner, is Q on average."),
    ),
    inputs={"Q": (), "d": ()},
    symbols={"Q": np.array(_Q, dtype=object), "d": np.array(_d, dtype=object)},
    final=_Q + _d / 2,
)  # fmt: skip

_s, _a, _v, _w = symbol_array("s", (2,)), symbol_array("a", (2,)), symbol_array("v", (2,)), symbol_array("w", (4,))
_V = relu(_v[0] * _s[0] + _v[1] * _s[1])
_A = relu(_w[0] * _s[0] + _w[1] * _s[1] + _w[2] * _a[0] + _w[3] * _a[1])
_e, _f = sp.symbols("e f", real=True)


def _dueling(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """DuelingQ with one hidden unit a head, its biases 0."""
    zero = torch.zeros(1, dtype=torch.float64)
    lent = {"value.0.weight": t["v"].reshape(1, 2), "value.2.weight": t["e"].reshape(1, 1)}
    lent |= {"advantage.0.weight": t["w"].reshape(1, 4), "advantage.2.weight": t["f"].reshape(1, 1)}
    lent |= {f"{head}.{layer}.bias": zero for head in ("value", "advantage") for layer in (0, 2)}
    return run_module(code(2, 2, (1,)), lent, t["s"].reshape(1, 2), t["a"].reshape(1, 1, 2)).reshape(())


q_network = Derivation(
    id="drn-q-network",
    title="Q = V + A with one hidden unit in each head",
    steps=(
        Step("value", _e * _V, "The value sees the state s alone.", lhs="V(s)"),
        Step("advantage", _f * _A, "The advantage sees state and candidate a.", lhs="A(s,a)", starts=True),
        Step("sum", _e * _V + _f * _A, "Their sum is Q. Between two candidates of one visit only A differs.", lhs="Q(s,a)", starts=True),
    ),
    inputs={"s": (2,), "a": (2,), "v": (2,), "w": (4,), "e": (), "f": ()},
    symbols={"s": _s, "a": _a, "v": _v, "w": _w, "e": np.array(_e, dtype=object), "f": np.array(_f, dtype=object)},
    final=_e * _V + _f * _A,
    terms={"value": _e * _V, "advantage": _f * _A},
    wire=_dueling,
)  # fmt: skip

_value, _adv, _c = sp.Symbol("V", real=True), symbol_array("A", (2,)), sp.Symbol("c", real=True)
_mean = (_adv[0] + _adv[1]) / 2
identify = Derivation(
    id="drn-identify",
    title="V and A are not what their names say until A is centred",
    steps=(
        Step("shifted", (_value + _c) + (_adv[0] - _c), "Add c to V and take it off every A: Q is what it was. No data can tell the two apart.", lhs="Q_1"),
        Step("plain", _value + _adv[0], "So V need not be the value of the state."),
        Step("centred", (_value + _c) + ((_adv[0] - _c) - (_adv[0] - _c + _adv[1] - _c) / 2), "Wang et al. take off the mean of A. The c in A is gone, so that in V cannot be made good any more.", lhs="Q_1", starts=True),
        Step("pinned", _value + _c + (_adv[0] - _adv[1]) / 2, "Now the mean of Q over the candidates is V, and V means something."),
    ),
    inputs={"V": (), "A": (2,), "c": ()},
    symbols={"V": np.array(_value, dtype=object), "A": _adv, "c": np.array(_c, dtype=object)},
    final=_value + _c + (_adv[0] - _adv[1]) / 2,
)  # fmt: skip

_S0, _rate, _t, _x = (sp.Symbol(name, positive=True) for name in ("S_0", "lambda_0", "t", "x"))
activeness = Derivation(
    id="drn-activeness",
    title="A constant hazard gives an exponential survival curve",
    steps=(
        Step("hazard", _S0 * sp.exp(-sp.Integral(_rate, (_x, 0, _t))), "In every short time dx a share λ dx of those who are left leaves. Paper: S(t) = exp(−∫ λ).", lhs="S(t)"),
        Step("constant", _S0 * sp.exp(-_rate * _t), "DRN takes λ constant."),
    ),
    inputs={"start": (), "hazard": (), "hours": ()},
    symbols={"start": np.array(_S0, dtype=object), "hazard": np.array(_rate, dtype=object), "hours": np.array(_t, dtype=object)},
    final=_S0 * sp.exp(-_rate * _t),
)  # fmt: skip

lifetime = Derivation(
    id="drn-lifetime",
    title="The area under the curve",
    steps=(
        Step("area", sp.Integral(_S0 * sp.exp(-_rate * _t), (_t, 0, sp.oo)), "Expected life is the area under S.", lhs=r"\int S"),
        Step("ratio", _S0 / _rate, "With S(0) = 1 and the paper's hazard it is 23.1 hours; the paper's T0 = 24 h is a constant of its own."),
    ),
    inputs={"S_0": (), "hazard": ()},
    symbols={"S_0": np.array(_S0, dtype=object), "hazard": np.array(_rate, dtype=object)},
    final=_S0 / _rate,
)  # fmt: skip

_W, _u, _al, _eta = (sp.Symbol(name, real=True) for name in ("W", "u", "alpha", "eta"))
duel = Derivation(
    id="drn-duel",
    title="One won comparison moves a weight by a share of itself",
    steps=(
        Step("step", _W + _eta * ((_W + _al * _u * _W) - _W), "The explorer is W + α u W, with u drawn from (−1, 1) for this weight. A step of η towards it.", lhs="W'"),
        Step("share", _W * (1 + _eta * _al * _u), "The weight changes by at most the share ηα of itself, keeps its sign, and stays 0 if it is 0."),
    ),
    inputs={"W": (), "u": (), "alpha": (), "eta": ()},
    symbols={name: np.array(x, dtype=object) for name, x in (("W", _W), ("u", _u), ("alpha", _al), ("eta", _eta))},
    final=_W * (1 + _eta * _al * _u),
    wire=lambda code, t: code(t["W"], t["W"] + t["alpha"] * t["u"] * t["W"], t["eta"]),
)  # fmt: skip

printed = Derivation(
    id="drn-printed-update",
    title="The update as it is printed grows every weight, whoever wins",
    steps=(
        Step("printed", _W + _eta * (_W + _al * _u * _W), "W' = W + η W̃, as printed.", lhs="W'"),
        Step("growth", _W * (1 + _eta + _eta * _al * _u), "The factor is 1 + η on average: after n won comparisons the weights are (1 + η)ⁿ times as large."),
    ),
    inputs={"W": (), "u": (), "alpha": (), "eta": ()},
    symbols={name: np.array(x, dtype=object) for name, x in (("W", _W), ("u", _u), ("alpha", _al), ("eta", _eta))},
    final=_W * (1 + _eta + _eta * _al * _u),
)  # fmt: skip
