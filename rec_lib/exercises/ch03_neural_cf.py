"""Exercises of 3.4, the part of chapter 3 on NeuralCF."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property, code_judge, numbers, numeric_judge, symbolic_judge
from rec_lib.exercises.model import Exercise, Wrong

Rng = np.random.Generator


def _symbols(expression: str) -> sympy.Expr:
    return sympy.sympify(expression, {name: sympy.Symbol(name) for name in ("p", "q", "h", "y", "gamma")})


# --- two towers ------------------------------------------------------------------------------------------------------


def _two_towers(rng: Rng, size: int) -> tuple[Tensor, ...]:
    """p_G, q_G (B, size), p_M, q_M (B, size + 1), W (3, 2·(size + 1)), b (3,), h (size + 3,)."""
    vectors = [numbers(rng, 2, width) for width in (size, size, size + 1, size + 1)]
    return (*vectors, numbers(rng, 3, 2 * (size + 1)), numbers(rng, 3), numbers(rng, size + 3))


def _neumf(p_G: Tensor, q_G: Tensor, p_M: Tensor, q_M: Tensor, W: Tensor, b: Tensor, h: Tensor) -> Tensor:
    phi_M = torch.relu(torch.cat([p_M, q_M], dim=1) @ W.T + b)
    return torch.cat([p_G * q_G, phi_M], dim=1) @ h


def _gmf_alone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    p_G, q_G, p_M, q_M, W, b, _ = args
    got = function(p_G, q_G, p_M, q_M, W, b, torch.cat([torch.ones(p_G.shape[1]), torch.zeros(3)]))
    expected = (p_G * q_G).sum(dim=1)
    if torch.allclose(got, expected, atol=1e-5):
        return None
    return f"with h = (1, …, 1, 0, 0, 0) only GMF is heard and p_G·q_G must come out, {show(expected)}; got {show(got)}"


def _mlp_alone(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    p_G, q_G, p_M, q_M, W, b, _ = args
    h = torch.cat([torch.zeros(p_G.shape[1]), torch.tensor([1.0, 0.0, 0.0])])
    got = function(p_G, q_G, p_M, q_M, W, b - 1000, h)
    if not got.any():
        return None
    return f"with biases of −1000 every ReLU is off and the MLP must say 0; got {show(got)}"


# --- negatives -------------------------------------------------------------------------------------------------------


def _catalogue(rng: Rng, size: int) -> tuple[np.ndarray, int, int, int]:
    """What a user has (size of them), of 2·size + 2 items, 8·size negatives, a seed."""
    n_items = 2 * size + 2
    return np.sort(rng.permutation(n_items)[:size]), n_items, 8 * size, int(rng.integers(1000))


def _draws(function: Callable[..., Any], taken: np.ndarray, n_items: int, k: int, seed: int) -> np.ndarray:
    return np.asarray(function(taken.copy(), n_items, k, seed))


def _as_many_as_asked(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    taken, n_items, k, seed = args
    got = _draws(function, taken, n_items, k, seed)
    if got.shape != (k,):
        return f"expected {k} items, an array of shape ({k},); got shape {got.shape}"
    if got.dtype.kind not in "iu" or got.min() < 0 or got.max() >= n_items:
        return f"expected items from 0 to {n_items - 1}; got {show(got)}"
    return None


def _never_what_is_taken(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    taken, n_items, k, _ = args
    hit = sum(np.isin(_draws(function, taken, n_items, k, seed), taken).sum() for seed in range(20))
    if not hit:
        return None
    return f"over 20 seeds, {int(hit)} of {20 * k} negatives are items that the user has: label 0 for what happened"


def _evenly(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    taken, n_items, k, _ = args
    free = np.setdiff1d(np.arange(n_items), taken)
    drawn = np.concatenate([_draws(function, taken, n_items, k, seed) for seed in range(200)])
    share = np.bincount(drawn, minlength=n_items)[free] / len(drawn)
    if np.abs(share - 1 / len(free)).max() < 0.05:
        return None
    return f"each of the {len(free)} free items should come {1 / len(free):.0%} of the time; the shares are {np.round(share, 2).tolist()}"


def _seed_matters(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    taken, n_items, k, _ = args
    lists = {tuple(_draws(function, taken, n_items, k, seed).tolist()) for seed in range(5)}
    return None if len(lists) > 1 else "five seeds gave the same negatives: every epoch must draw its own"


# --- ties ------------------------------------------------------------------------------------------------------------


def _ranked(rng: Rng, size: int) -> tuple[float, np.ndarray, int]:
    """The held-out film's score, those of 6·size others, k. Scores are few, so ties are many."""
    return float(rng.integers(0, 3)), rng.integers(0, 3, 6 * size).astype(float), int(rng.integers(1, 4))


def _hit(own: float, others: np.ndarray, k: int) -> float:
    above, equal = (others > own).sum(), (others == own).sum()
    return float(np.clip((k - above) / (equal + 1), 0, 1))


def _constant_is_chance(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    others, k = args[1], args[2]
    got, chance = float(function(0.0, np.zeros(len(others)), k)), min(1.0, k / (len(others) + 1))
    if abs(got - chance) < 1e-9:
        return None
    return f"a model that gives all {len(others) + 1} films the same score is worth chance, {chance:.3g}; this calls it {got:.3g}"


def _without_ties(function: Callable[..., Any], args: tuple[Any, ...], rng: Rng) -> str | None:
    k = args[2]
    others = np.arange(1.0, 2 * k + 3)
    for place in (1, k, k + 1):
        got = float(function(len(others) + 1.5 - place, others, k))
        if abs(got - float(place <= k)) > 1e-9:
            return f"no ties, place {place}, k = {k}: expected {float(place <= k):g}, got {got:.3g}"
    return None


NEURAL_CF = (
    Exercise(
        id="3.4-one-pair",
        kind="symbolic",
        title="What does one drawn pair do to the user?",
        stub="""
# GMF with vectors of one number: the logit is h p q. The loss of one pair is
#     L = -y log σ(h p q) - (1 - y) log(1 - σ(h p q))
# Give p after one step downhill of size gamma, written with p, q, h, y and gamma. (σ(s) is 1/(1 + sympy.exp(-s)).)
p, q, h, y, gamma = sympy.symbols("p q h y gamma")
new_p = NOT_YET
""",
        solution="""
p, q, h, y, gamma = sympy.symbols("p q h y gamma")
sigma = 1 / (1 + sympy.exp(-h * p * q))
new_p = p - gamma * (sigma - y) * h * q
""",
        hints=(
            "Chain rule: the slope of L in the logit first, then the slope of the logit in p.",
            "The first is σ(h p q) − y, whatever y is. The second is what p is multiplied with.",
            "p − gamma (σ(h p q) − y) h q. sympy.diff finds it too.",
        ),
        judge=symbolic_judge(
            lambda: _symbols("p - gamma*(1/(1 + exp(-h*p*q)) - y)*h*q"),
            {"p": (-2, 2), "q": (-2, 2), "h": (-2, 2), "y": (0, 1), "gamma": (0.05, 1)},
        ),
        wrong=(
            Wrong(
                'p, q, h, y, gamma = sympy.symbols("p q h y gamma")\nnew_p = p + gamma * (1 / (1 + sympy.exp(-h * p * q)) - y) * h * q',
                "expected",
            ),
            Wrong(
                'p, q, h, y, gamma = sympy.symbols("p q h y gamma")\nnew_p = p - gamma * (1 / (1 + sympy.exp(-h * p * q)) - y) * q',
                "expected",
            ),
            Wrong(
                'p, q, h, y, gamma = sympy.symbols("p q h y gamma")\nnew_p = p - gamma * (h * p * q - y) * h * q',
                "expected",
            ),
            Wrong(
                'p, q, h, y, gamma, s = sympy.symbols("p q h y gamma s")\nnew_p = p - gamma * (s - y) * h * q',
                "got s",
            ),
        ),
    ),
    Exercise(
        id="3.4-neumf",
        kind="code",
        title="NeuMF's logit from the rows of its four tables",
        stub='''
def neumf(p_G, q_G, p_M, q_M, W, b, h):
    """p_G, q_G: (B, K) and p_M, q_M: (B, D), the rows of B pairs      W: (L, 2·D), b: (L,) the MLP's one layer

    h: (K + L,) output weights, GMF's first      returns (B,), before the sigmoid
    """
    return NOT_YET
''',
        solution="""
def neumf(p_G, q_G, p_M, q_M, W, b, h):
    phi_G = p_G * q_G
    phi_M = torch.relu(torch.cat([p_M, q_M], dim=1) @ W.T + b)
    return torch.cat([phi_G, phi_M], dim=1) @ h
""",
        hints=(
            "Two towers: which of them multiplies the two vectors, which lays them side by side?",
            "torch.cat([p_M, q_M], dim=1) is (B, 2·D); times W.T it is (B, L); then the bias, then torch.relu.",
            "Both results side by side are (B, K + L), and @ h makes (B,) of them.",
        ),
        judge=code_judge(
            "neumf",
            _neumf,
            _two_towers,
            (Property("GMF alone", _gmf_alone), Property("ReLU", _mlp_alone)),
        ),
        wrong=(
            Wrong(
                "def neumf(p_G, q_G, p_M, q_M, W, b, h):\n    phi_M = torch.cat([p_M, q_M], dim=1) @ W.T + b\n"
                "    return torch.cat([p_G * q_G, phi_M], dim=1) @ h",
                "every ReLU is off",
            ),
            Wrong(
                "def neumf(p_G, q_G, p_M, q_M, W, b, h):\n    phi_M = torch.relu(torch.cat([p_M, q_M], dim=1) @ W.T + b)\n"
                "    return torch.cat([phi_M, p_G * q_G], dim=1) @ h",
                "only GMF is heard",
            ),
            Wrong(
                "def neumf(p_G, q_G, p_M, q_M, W, b, h):\n    phi_M = torch.relu(torch.cat([p_M, q_M], dim=1) @ W.T + b)\n"
                "    return torch.cat([p_G * q_G, phi_M], dim=1) * h",
                "shape",
            ),
            Wrong(
                "def neumf(p_G, q_G, p_M, q_M, W, b, h):\n    phi_M = torch.relu(torch.cat([p_M, q_M], dim=1) @ W.T + b)\n"
                "    return torch.sigmoid(torch.cat([p_G * q_G, phi_M], dim=1) @ h)",
                "only GMF is heard",
            ),
        ),
    ),
    Exercise(
        id="3.4-negatives",
        kind="bug",
        title="Find the silent bug: training runs, the loss stays a little too high",
        stub='''
def draw_negatives(taken, n_items, k, seed):
    """k items for a user to be trained on with label 0, drawn evenly; one may come twice.

    taken: items that the user has      n_items: items are 0 … n_items - 1      returns (k,) int
    """
    rng = np.random.default_rng(seed)
    return rng.integers(0, n_items, size=k)
''',
        solution="""
def draw_negatives(taken, n_items, k, seed):
    rng = np.random.default_rng(seed)
    free = np.setdiff1d(np.arange(n_items), taken)
    return rng.choice(free, size=k)
""",
        hints=(
            "What does training say about an item that the user has, if it is drawn?",
            "It gets label 1 once and label 0 at times. How many items of the user are among the n_items?",
            "Draw from np.setdiff1d(np.arange(n_items), taken), or draw again wherever np.isin(drawn, taken).",
        ),
        judge=code_judge(
            "draw_negatives",
            None,
            _catalogue,
            (
                Property("as many as asked for", _as_many_as_asked),
                Property("never what is taken", _never_what_is_taken),
                Property("seed", _seed_matters),
                Property("evenly", _evenly),
            ),
        ),
        wrong=(
            Wrong(
                "def draw_negatives(taken, n_items, k, seed):\n    rng = np.random.default_rng(seed)\n"
                "    drawn = rng.integers(0, n_items, size=k)\n    return drawn[~np.isin(drawn, taken)]",
                "as many as asked for",
            ),
            Wrong(
                "def draw_negatives(taken, n_items, k, seed):\n    rng = np.random.default_rng(seed)\n"
                "    drawn = rng.integers(0, n_items, size=k)\n    again = np.isin(drawn, taken)\n"
                "    drawn[again] = rng.integers(0, n_items, size=again.sum())\n    return drawn",
                "never what is taken",
            ),
            Wrong(
                "def draw_negatives(taken, n_items, k, seed):\n    rng = np.random.default_rng(0)\n"
                "    return rng.choice(np.setdiff1d(np.arange(n_items), taken), size=k)",
                "five seeds gave the same",
            ),
            Wrong(
                "def draw_negatives(taken, n_items, k, seed):\n    rng = np.random.default_rng(seed)\n"
                "    drawn = rng.integers(0, n_items, size=k)\n    free = np.setdiff1d(np.arange(n_items), taken)\n"
                "    return np.where(np.isin(drawn, taken), free[0], drawn)",
                "evenly",
            ),
        ),
    ),
    Exercise(
        id="3.4-ties",
        kind="bug",
        title="Find the silent bug: the best model of the table answers 0 to everything",
        stub='''
def hit(own, others, k):
    """Is the held-out film among the first k?

    own: its score      others: (n,) scores of the films it is ranked among      returns 1.0 or 0.0, between for ties
    """
    return float((others > own).sum() < k)
''',
        solution="""
def hit(own, others, k):
    above, equal = (others > own).sum(), (others == own).sum()
    return float(np.clip((k - above) / (equal + 1), 0, 1))
""",
        hints=(
            "Give it a model whose scores are all equal. How many films are above the held-out one?",
            "Films with the same score stand in no order. Let them stand in a random one: the held-out film is on each of the equal + 1 places alike.",
            "Of those places, k − above are among the first k (none if that is below 0, all if it is more than there are): that share is the hit.",
        ),
        judge=code_judge(
            "hit",
            _hit,
            _ranked,
            (Property("without ties", _without_ties), Property("a constant model", _constant_is_chance)),
        ),
        wrong=(
            Wrong("def hit(own, others, k):\n    return float((others >= own).sum() < k)", "is worth chance"),
            Wrong(
                "def hit(own, others, k):\n    above, equal = (others > own).sum(), (others == own).sum()\n"
                "    return float(above + equal / 2 < k)",
                "is worth chance",
            ),
            Wrong(
                "def hit(own, others, k):\n    above, equal = (others > own).sum(), (others == own).sum()\n"
                "    return float((k - above) / (equal + 1))",
                "no ties, place",
            ),
            Wrong("def hit(own, others, k):\n    return float((others > own).sum() <= k)", "no ties, place"),
        ),
    ),
    Exercise(
        id="3.4-base-rate",
        kind="numeric",
        title="Which logit says nothing?",
        stub="""
# A model is trained with 4 drawn negatives for each pair that happened, and it may answer one number only,
# the same logit for every pair. Which one minimises its log loss? (Try it, or derive it.)
logit = NOT_YET
""",
        solution="""
logit = -math.log(4)
""",
        hints=(
            "Which probability should it give, if one row in five has label 1?",
            "The best constant probability is the share of the label 1. Then turn it into a logit.",
            "log(p / (1 − p)) with p = 1/5.",
        ),
        judge=numeric_judge(
            -math.log(4),
            1e-3,
            "the log odds of label 1 among the rows that are trained on",
            traps=(
                (0.2, "This is the probability. A logit is log(p / (1 − p))."),
                (0.0, "A logit of 0 is a probability of one half, as if as many pairs were drawn as happened."),
                (math.log(4), "The sign: label 1 is the rarer one."),
                (math.log(0.2), "This is log p; the odds are p / (1 − p)."),
            ),
        ),
        wrong=(
            Wrong("logit = 0.2", "This is the probability"),
            Wrong("logit = 0.0", "one half"),
            Wrong("logit = math.log(4)", "rarer one"),
            Wrong("logit = math.log(0.2)", "the odds are"),
        ),
    ),
)
