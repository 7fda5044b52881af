"""Exercises of 3.10, DRN: the framework (3.10.1) and learning online (3.10.2)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong
from rec_lib.layers.interleaving import first_place
from rec_lib.layers.q_learning import double_target

Rng = np.random.Generator


def _s(expression: str) -> sympy.Expr:
    return sympy.sympify(
        expression, {name: sympy.Symbol(name) for name in ("S0", "lam", "T0", "eta", "alpha", "u", "n")}
    )


def _q_values(rng: Rng, size: int) -> tuple[Tensor, float, Tensor, Tensor]:
    q = torch.stack([torch.from_numpy(rng.permutation(size + 2).astype(np.float32)) for _ in range(size)])
    return numbers(rng, size), 0.5, q, numbers(rng, size, size + 2)


def _target(reward: Tensor, gamma: float, q_next: Tensor, q_next_target: Tensor) -> Tensor:
    return double_target(reward, gamma, q_next, q_next_target)


def _chosen_by_W(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    reward, gamma, q, q_target = args
    best = q.argmax(dim=1, keepdim=True)
    raised = q_target + 10 * (torch.arange(q.shape[1]) != best)  # all others look grand to W'
    if torch.allclose(
        torch.as_tensor(function(reward, gamma, q, raised)), _target(reward, gamma, q, q_target), atol=1e-4
    ):
        return None
    return "W chooses the action: what W' says of actions that W did not choose must not matter, and here it does"


def _rankings(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.permutation(size + 1), rng.permutation(size + 1)


def _adds_up(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    total = float(np.sum(np.asarray(function(*args), dtype=float)))
    return (
        None
        if abs(total - 1) < 1e-6
        else f"one of the candidates is put first: the chances add up to 1; yours to {total:.3g}"
    )


def _weights(rng: Rng, size: int) -> tuple[np.ndarray, float, int]:
    return rng.integers(1, 9, (size, 2)) / 2.0, 0.5, int(rng.integers(1000))


def _explorer(W: np.ndarray, alpha: float, seed: int) -> np.ndarray:
    r = np.random.default_rng(seed).uniform(-1, 1, W.shape)
    return W + alpha * r * W


def _can_reorder(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    W, alpha, seed = args
    ratio = np.asarray(function(W, alpha, seed)) / W
    if ratio.shape == W.shape and np.ptp(ratio) > 1e-9:
        return None
    return (
        f"every weight was multiplied by {float(ratio.ravel()[0]):.3f}: all scores are too, and the two rankings are the "
        "same. Each weight needs a draw of its own"
    )


FRAMEWORK = (
    Exercise(
        id="3.10.1-rise",
        kind="symbolic",
        title="How far must a return lift the curve?",
        stub="""
# A user comes every T0 hours. Activeness is S0 just after each return and falls as S0 exp(-lam t). Which rise S_a at a
# return brings it back to S0? Write it with S0, lam and T0.
S0, lam, T0 = sympy.symbols("S0 lam T0", positive=True)
rise = NOT_YET
""",
        solution="""
S0, lam, T0 = sympy.symbols("S0 lam T0", positive=True)
rise = S0 * (1 - sympy.exp(-lam * T0))
""",
        hints=(
            "What is left of S0 after T0 hours without a visit?",
            "What is left, plus the rise, must be S0 again.",
            "S0 exp(-lam T0) + rise = S0. Solve for the rise; the paper's numbers give 0.32.",
        ),
        judge=symbolic_judge(lambda: _s("S0*(1 - exp(-lam*T0))"), {"S0": (0.1, 1), "lam": (0.01, 0.2), "T0": (5, 40)}),
        wrong=(
            Wrong('S0, lam, T0 = sympy.symbols("S0 lam T0")\nrise = S0 * sympy.exp(-lam * T0)', "expected"),
            Wrong('S0, lam, T0 = sympy.symbols("S0 lam T0")\nrise = 1 - sympy.exp(-lam * T0)', "expected"),
            Wrong('S0, lam, T0 = sympy.symbols("S0 lam T0")\nrise = S0 * lam * T0', "expected"),
        ),
    ),
    Exercise(
        id="3.10.1-double",
        kind="code",
        title="Write the double target",
        stub='''
def target(reward, gamma, q_next, q_next_target):
    """y = r + γ Q(s', argmax_a Q(s', a; W); W').

    reward (B,) · gamma a number · q_next (B, N) by W · q_next_target (B, N) by W'. Returns (B,).
    """
    return NOT_YET
''',
        solution="""
def target(reward, gamma, q_next, q_next_target):
    chosen = q_next.argmax(dim=1)
    return reward + gamma * q_next_target[torch.arange(len(chosen)), chosen]
""",
        hints=(
            "Two networks have two jobs: one picks the next candidate, the other says what it is worth.",
            "argmax over q_next, one a row; then look those entries up in q_next_target.",
            "q_next_target[torch.arange(B), q_next.argmax(dim=1)], discounted, plus the reward.",
        ),
        judge=code_judge("target", _target, _q_values, (Property("W chooses", _chosen_by_W),)),
        wrong=(
            Wrong(
                "def target(reward, gamma, q_next, q_next_target):\n    return reward + gamma * q_next_target.max(dim=1).values",
                "W chooses",
            ),
            Wrong(
                "def target(reward, gamma, q_next, q_next_target):\n    return reward + gamma * q_next.max(dim=1).values",
                "value",
            ),
            Wrong(
                "def target(reward, gamma, q_next, q_next_target):\n    return reward + gamma * q_next_target", "shape"
            ),
        ),
    ),
    Exercise(
        id="3.10.1-single",
        kind="bug",
        title="Find the silent bug: it is called double, and it overestimates like the single one",
        stub='''
def future_value(q_next, q_next_target):
    """What the best next candidate is worth: W chooses it, W' judges it. Both (B, N); returns (B,)."""
    chosen = q_next_target.argmax(dim=1, keepdim=True)
    return q_next_target.gather(1, chosen).squeeze(1)
''',
        solution="""
def future_value(q_next, q_next_target):
    chosen = q_next.argmax(dim=1, keepdim=True)
    return q_next_target.gather(1, chosen).squeeze(1)
""",
        hints=(
            "Which arguments of the function does it read?",
            "Both lines ask one network. The one whose noise made a candidate look good also says how good it is.",
            "The argmax belongs to W, that is to q_next.",
        ),
        judge=code_judge(
            "future_value",
            lambda q_next, q_next_target: q_next_target.gather(1, q_next.argmax(dim=1, keepdim=True)).squeeze(1),
            lambda rng, size: _q_values(rng, size)[2:],
        ),
        wrong=(
            Wrong("def future_value(q_next, q_next_target):\n    return q_next.max(dim=1).values", "value"),
            Wrong(
                "def future_value(q_next, q_next_target):\n    return q_next.gather(1, q_next_target.argmax(dim=1, keepdim=True)).squeeze(1)",
                "value",
            ),
            Wrong(
                "def future_value(q_next, q_next_target):\n    return q_next_target.gather(1, q_next.argmax(dim=1, keepdim=True))",
                "shape",
            ),
        ),
    ),
    Exercise(
        id="3.10.1-activeness",
        kind="numeric",
        title="Follow one user's activeness",
        stub="""
# S starts at 0.5. The user returns after 6 hours, and again 30 hours later. The hazard is 0.0432 per hour, a return adds
# 0.32, and S is never above 1. What is S just after the second return?
S = NOT_YET
""",
        solution="""
S = 0.5
for hours in (6, 30):
    S = min(1.0, S * math.exp(-0.0432 * hours) + 0.32)
""",
        hints=(
            "Two things happen in turn: a fall over some hours, then a rise.",
            "After the first return S is 0.5 exp(-0.0432 · 6) + 0.32. The second fall begins there.",
            "min(1, S exp(-0.0432 · 30) + 0.32) with the S after the first return.",
        ),
        judge=numeric_judge(
            (0.5 * math.exp(-0.0432 * 6) + 0.32) * math.exp(-0.0432 * 30) + 0.32,
            2e-3,
            "fall, rise, fall, rise",
            traps=((0.5 * math.exp(-0.0432 * 36) + 0.64, "The first rise decays too, for 30 hours."),),
        ),
        wrong=(
            Wrong("S = 0.5 * math.exp(-0.0432 * 36) + 0.64", "decays too"),
            Wrong("S = (0.5 * math.exp(-0.0432 * 6) + 0.32) * math.exp(-0.0432 * 30)", "too small"),
            Wrong("S = 1.0", "too large"),
        ),
    ),
)

ONLINE = (
    Exercise(
        id="3.10.2-growth",
        kind="symbolic",
        title="What does the printed update do to the length of W?",
        stub="""
# As printed, a won comparison sets W to W + eta W~. Let alpha be 0, so that W~ = W. By which factor has W grown after n
# won comparisons? Write it with eta and n.
eta, n = sympy.symbols("eta n", positive=True)
growth = NOT_YET
""",
        solution="""
eta, n = sympy.symbols("eta n", positive=True)
growth = (1 + eta) ** n
""",
        hints=(
            "What is W + eta W, written as a multiple of W?",
            "The factor is the same at every won comparison.",
            "n factors of 1 + eta.",
        ),
        judge=symbolic_judge(lambda: _s("(1 + eta)**n"), {"eta": (0.01, 0.5), "n": (1, 20)}),
        wrong=(
            Wrong('eta, n = sympy.symbols("eta n")\ngrowth = 1 + n * eta', "expected"),
            Wrong('eta, n = sympy.symbols("eta n")\ngrowth = eta ** n', "expected"),
            Wrong("growth = sympy.Integer(1)", "expected"),
        ),
    ),
    Exercise(
        id="3.10.2-first-place",
        kind="code",
        title="How likely is each candidate to be put first?",
        stub='''
def first_chance(first, second):
    """first, second: (N,) two rankings of candidates 0 … N−1, best first. Returns (N,): P[candidate is shown at place 1].

    A fair coin chooses the ranking, then a candidate is drawn from it with weight 1/rank³, ranks from 1.
    """
    return NOT_YET
''',
        solution="""
def first_chance(first, second):
    weights = 1.0 / np.arange(1, len(first) + 1) ** 3
    chance = np.zeros(len(first))
    for ranking in (first, second):
        chance[ranking] += weights / weights.sum() / 2
    return chance
""",
        hints=(
            "A ranking lists candidates. Which weight belongs to candidate first[0], and which to first[1]?",
            "Weights by place, scaled to add up to 1; half of them go to the candidates of each ranking.",
            "chance[ranking] += weights / weights.sum() / 2, for both rankings.",
        ),
        judge=code_judge("first_chance", first_place, _rankings, (Property("total", _adds_up),)),
        wrong=(
            Wrong(
                "def first_chance(first, second):\n    w = 1.0 / np.arange(1, len(first) + 1) ** 3\n    return (w[first] + w[second]) / 2 / w.sum()",
                "value",
            ),
            Wrong(
                "def first_chance(first, second):\n    w = 1.0 / np.arange(1, len(first) + 1) ** 3\n    c = np.zeros(len(first))\n    c[first] += w\n    c[second] += w\n    return c",
                "add up to 1",
            ),
            Wrong(
                "def first_chance(first, second):\n    c = np.zeros(len(first))\n    c[first[0]] += 0.5\n    c[second[0]] += 0.5\n    return c",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.10.2-one-draw",
        kind="bug",
        title="Find the silent bug: the explorer never shows another list",
        stub='''
def explorer(W, alpha, seed):
    """W̃ = W + α·rand(−1, 1)·W. W is an array of any shape; the same seed gives the same W̃."""
    r = np.random.default_rng(seed).uniform(-1, 1)
    return W + alpha * r * W
''',
        solution="""
def explorer(W, alpha, seed):
    r = np.random.default_rng(seed).uniform(-1, 1, W.shape)
    return W + alpha * r * W
""",
        hints=(
            "Print W̃ / W for some W. What do you see?",
            "If all weights grow by one factor, so do all scores. What does that do to a ranking?",
            "uniform(-1, 1, W.shape) draws a number for each weight.",
        ),
        judge=code_judge("explorer", _explorer, _weights, (Property("its own draw", _can_reorder),)),
        wrong=(
            Wrong(
                "def explorer(W, alpha, seed):\n    r = np.random.default_rng(seed).uniform(-alpha, alpha)\n    return W * (1 + r)",
                "draw of its own",
            ),
            Wrong(
                "def explorer(W, alpha, seed):\n    r = np.random.default_rng(seed).uniform(-1, 1, W.shape)\n    return W + alpha * r",
                "value",
            ),
            Wrong(
                "def explorer(W, alpha, seed):\n    r = np.random.default_rng(seed).uniform(0, 1, W.shape)\n    return W + alpha * r * W",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.10.2-soft",
        kind="numeric",
        title="How often does the best item lose its place?",
        stub="""
# W and W~ agree: both rank the same item first among 20. How often is another item shown at place 1? Weights are 1/rank³.
share = NOT_YET
""",
        solution="""
weights = 1 / np.arange(1, 21) ** 3
share = 1 - weights[0] / weights.sum()
""",
        hints=(
            "Both rankings are the same, so the coin makes no difference.",
            "The best item has weight 1 of 1 + 1/8 + 1/27 + …",
            "One minus 1 over the sum of 1/rank³ for ranks 1 to 20.",
        ),
        judge=numeric_judge(
            lambda: float(1 - 1 / (1 / np.arange(1, 21) ** 3.0).sum()),
            5e-3,
            "1 − 1/Σ rank⁻³",
            traps=((float(1 / (1 / np.arange(1, 21) ** 3.0).sum()), "This is how often it keeps its place."),),
        ),
        wrong=(
            Wrong("share = 1 / (1 / np.arange(1, 21) ** 3.0).sum()", "keeps its place"),
            Wrong("share = 0.05", "too small"),
            Wrong("share = 0.95", "too large"),
        ),
    ),
)
