"""Exercises of chapter 3, in the order of its sections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor
from torch.nn import functional

from rec_lib.data import worlds
from rec_lib.exercises.ch03_afm import AFM
from rec_lib.exercises.ch03_autorec import AUTOREC
from rec_lib.exercises.ch03_deep_crossing import DEEP_CROSSING
from rec_lib.exercises.ch03_dien import DIEN
from rec_lib.exercises.ch03_din import DIN
from rec_lib.exercises.ch03_drn import FRAMEWORK, ONLINE
from rec_lib.exercises.ch03_neural_cf import NEURAL_CF
from rec_lib.exercises.ch03_pnn import PNN
from rec_lib.exercises.ch03_wide_deep import WIDE_DEEP
from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import (
    Property,
    code_judge,
    numbers,
    numeric_judge,
    scales,
    symbolic_judge,
    symmetric,
    trial_judge,
)
from rec_lib.exercises.laws import differentiable, linear_cost, trains
from rec_lib.exercises.model import Exercise, Wrong
from rec_lib.layers import fm_pairwise
from rec_lib.models.deepfm import DeepFM
from rec_lib.training import fit

Rng = np.random.Generator


def _s(expression: str) -> sympy.Expr:
    return sympy.sympify(
        expression, {name: sympy.Symbol(name) for name in ("t", "h", "W1", "v2", "v3", "h1", "v21", "v31")}
    )


# --- 3.7.1 FNN ---------------------------------------------------------------------------------------------------


def _fm_numbers(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor]:
    return numbers(rng), numbers(rng, 2, size), numbers(rng, 2, size, size)


def _first_layer(w0: Tensor, w: Tensor, v: Tensor) -> Tensor:
    z = torch.cat([w.unsqueeze(2), v], dim=2).flatten(1)
    return torch.cat([w0.expand(len(z), 1), z], dim=1)


def _own_block(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    w0, w, v = args
    moved_w, moved_v = w.clone(), v.clone()
    moved_w[:, 0] += 1
    moved_v[:, 0] += 1
    moved = (function(w0, moved_w, moved_v) != function(w0, w, v)).any(dim=0).nonzero().flatten().tolist()
    wanted = list(range(1, 2 + v.shape[2]))
    if moved == wanted:
        return None
    return f"z_1 = (w_1, v_1) owns the entries {wanted} of z; new numbers for field 1 moved the entries {moved}"


def _step(fm_table: Tensor, gradient: Tensor, lr: float) -> Tensor:
    return fm_table - lr * gradient


FNN = (
    Exercise(
        id="3.7.1-first-layer",
        kind="code",
        title="Build FNN's first layer from the numbers of an FM",
        stub='''
def first_layer(w0, w, v):
    """z = (w0, w_1, v_1, …, w_F, v_F) for each sample.

    w0: one number, shape ()      w: (B, F) first-order weights      v: (B, F, D) vectors
    returns (B, 1 + F·(1 + D))
    """
    return NOT_YET
''',
        solution="""
def first_layer(w0, w, v):
    z = torch.cat([w.unsqueeze(2), v], dim=2).flatten(1)
    return torch.cat([w0.expand(len(z), 1), z], dim=1)
""",
        hints=(
            "What does one field bring? Write z_i for one field and one sample first: how many numbers is it?",
            "w needs one more axis to stand in front of v: (B, F) becomes (B, F, 1). Then torch.cat along the last axis.",
            "torch.cat([w.unsqueeze(2), v], dim=2) is (B, F, 1 + D); flatten(1) lays the fields side by side; w0.expand(B, 1) goes in front.",
        ),
        judge=code_judge(
            "first_layer",
            _first_layer,
            _fm_numbers,
            properties=(Property("blocks", _own_block), differentiable("v", 2, _first_layer)),
        ),
        wrong=(
            Wrong("def first_layer(w0, w, v):\n    return v.flatten(1)", "shape"),
            Wrong(
                "def first_layer(w0, w, v):\n    return torch.cat([w0.expand(len(v), 1), w, v.flatten(1)], dim=1)",
                "z_1 = (w_1, v_1) owns",
            ),
            Wrong(
                "def first_layer(w0, w, v):\n    z = torch.cat([v, w.unsqueeze(2)], dim=2).flatten(1)\n    return torch.cat([w0.expand(len(z), 1), z], dim=1)",
                "value",
            ),
            Wrong("def first_layer(w0, w, v):\n    return torch.cat([w.unsqueeze(2), v], dim=2).flatten(1)", "shape"),
            Wrong(
                "def first_layer(w0, w, v):\n    z = torch.cat([w.unsqueeze(2), v.detach()], dim=2).flatten(1)\n    return torch.cat([w0.expand(len(z), 1), z], dim=1)",
                "no gradient reaches v",
            ),
        ),
    ),
    Exercise(
        id="3.7.1-signal",
        kind="symbolic",
        title="What does a tanh unit let through to the embedding below it?",
        stub="""
# One unit: t = tanh(W1 z1 + W2 z2 + b), and it adds h t to the logit. Give ∂(h t)/∂z1, written with h, W1 and t.
h, W1, t = sympy.symbols("h W1 t")
signal = NOT_YET
""",
        solution="""
h, W1, t = sympy.symbols("h W1 t")
signal = h * (1 - t**2) * W1
""",
        hints=(
            "Chain rule, from the logit down: through h, through tanh, through W1.",
            "The slope of tanh can be written with its own value: what is it at t = 0, and what near t = 1?",
            "tanh'(a) = 1 − tanh(a)² = 1 − t².",
        ),
        judge=symbolic_judge(lambda: _s("h*(1 - t**2)*W1"), {"h": (-2, 2), "W1": (-2, 2), "t": (-0.9, 0.9)}),
        wrong=(
            Wrong('h, W1, t = sympy.symbols("h W1 t")\nsignal = h * W1', "expected"),
            Wrong('h, W1, t = sympy.symbols("h W1 t")\nsignal = h * (1 - t) * W1', "expected"),
            Wrong('h, W1, t = sympy.symbols("h W1 t")\nsignal = h * (1 - t**2)', "expected"),
            Wrong('h, W1, a = sympy.symbols("h W1 a")\nsignal = h * W1 / sympy.cosh(a) ** 2', "symbols: got a"),
        ),
    ),
    Exercise(
        id="3.7.1-borrowed-table",
        kind="bug",
        title="Find the silent bug: after FNN has trained, the FM it came from ranks worse than before",
        stub='''
def first_step(fm_table, gradient, lr):
    """Start FNN's table from the FM's and take one step of gradient descent. Return the new table, (rows, D)."""
    table = fm_table
    table -= lr * gradient
    return table
''',
        solution="""
def first_step(fm_table, gradient, lr):
    table = fm_table.clone()
    table -= lr * gradient
    return table
""",
        hints=(
            "The numbers that come back are right. What else has changed after the call?",
            "In Python, table = fm_table gives one object a second name. And what does -= do to a tensor?",
            "Work on fm_table.clone(), or write fm_table - lr * gradient, which builds a new tensor.",
        ),
        judge=code_judge(
            "first_step", _step, lambda rng, size: (numbers(rng, size + 1, size), numbers(rng, size + 1, size), 0.5)
        ),
        wrong=(
            Wrong(
                "def first_step(fm_table, gradient, lr):\n    table = fm_table.detach()\n    table -= lr * gradient\n    return table",
                "in place",
            ),
            Wrong(
                "def first_step(fm_table, gradient, lr):\n    table = fm_table.view_as(fm_table)\n    table -= lr * gradient\n    return table",
                "in place",
            ),
            Wrong(
                "def first_step(fm_table, gradient, lr):\n    table = fm_table.clone()\n    table += lr * gradient\n    return table",
                "value",
            ),
            Wrong(
                "def first_step(fm_table, gradient, lr):\n    table = fm_table.clone()\n    table - lr * gradient\n    return table",
                "value",
            ),
        ),
    ),
    Exercise(
        id="3.7.1-touched",
        kind="numeric",
        title="Experiment: how many batches touch the row of a film that stands in 1 of 1 000 training rows?",
        stub="""
rng = np.random.default_rng(0)
# Draw many batches of 1 024 rows. Each row is this film's with probability 1/1000. In which share of the batches is it there?
share = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
share = (rng.binomial(1024, 1 / 1000, size=100_000) > 0).mean()
""",
        hints=(
            "rng.binomial(1024, 1/1000, size=...) draws how often the film stands in each batch.",
            "A batch that holds the film twice is still one batch.",
            "(counts > 0).mean(); on paper it is 1 − P(none) = 1 − 0.999 ** 1024.",
        ),
        judge=numeric_judge(
            1 - 0.999**1024,
            0.02,
            "the share of batches with at least one row of the film, 1 − (1 − 1/1000)^1024",
            traps=(
                (
                    1.024,
                    "1.024 is how often the film stands in a batch on average. Some batches have it twice, others not at all.",
                ),
                (0.999**1024, "This is the share of batches without the film."),
                (0.001, "This is its share of rows; a batch has 1 024 of them."),
            ),
        ),
        wrong=(
            Wrong("share = np.random.default_rng(0).binomial(1024, 1 / 1000, size=100_000).mean()", "on average"),
            Wrong("share = 0.999**1024", "without the film"),
            Wrong("share = 1 / 1000", "share of rows"),
        ),
    ),
)

# --- 3.7.2 DeepFM ------------------------------------------------------------------------------------------------


def _fields(rng: Rng, size: int) -> tuple[Tensor]:
    return (numbers(rng, 2, size, size),)


def _no_pair(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    got = function(args[0][:, :1, :1])
    return (
        None if bool((got.abs() < 1e-5).all()) else f"one field alone has no pair, so the answer is 0; got {show(got)}"
    )


def _coordinates_apart(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    v = torch.zeros(1, 2, 2)
    v[0, 0, 0], v[0, 1, 1] = 1.0, 1.0  # (1, 0) and (0, 1)
    got = function(v)
    if bool((got.abs() < 1e-5).all()):
        return None
    return f"the vectors (1, 0) and (0, 1) have the inner product 0; got {show(got)}: different coordinates were multiplied"


def _clicks(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    return numbers(rng, size + 1), torch.tensor(rng.integers(0, 2, size + 1), dtype=torch.float32)


def _log_loss(logits: Tensor, label: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, label)


def _certainty_is_free(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    label = args[1]
    got = float(function(40 * (label - 0.5), label))
    if got < 0.01:
        return None
    return (
        f"logits of +20 for clicks and −20 for the rest are as right as a model can be and must cost almost nothing; got {got:.3f}. "
        "Something keeps the model from being sure"
    )


def _mean_not_sum(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    once, twice = function(*args), function(*(a.repeat(2) for a in args))
    if bool((once - twice).abs() < 1e-4):
        return None
    return f"the same rows twice must give the same loss; got {show(once)}, then {show(twice)}"


TARGET = 0.5  # log loss after the last epoch of first_losses


@cache
def _small_world() -> worlds.World:
    return worlds.third_order(5, (8_000, 10, 10))


def first_losses(lr: float) -> list[float]:
    """Train a fresh DeepFM for six epochs in the world of third order; the mean training loss of each epoch."""
    rows = _small_world().train
    torch.manual_seed(0)
    model = DeepFM(rows.schema, dim=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    return fit(model, rows, optimizers=[optimizer], epochs=6, batch_size=256, progress=False).loss


def _verdict(losses: Sequence[float]) -> str:
    """What these losses look like, and why; empty if they fell as far as they should."""
    start, end = math.log(2), losses[-1]
    if end < TARGET:
        return ""
    seen = f"the losses of the six epochs are {', '.join(f'{x:.4g}' for x in losses)}; below {TARGET} was wanted at the end."
    if max(losses) > start + 0.02:
        return (
            f"{seen}\nThey rise above {start:.2f} = ln 2, what it costs to say one half to everyone: the model got worse than "
            "knowing nothing. Each step overshoots. The learning rate is too large"
        )
    if start - end < 0.02:
        return (
            f"{seen}\nThey stay near {start:.2f} = ln 2, what it costs to say one half to everyone: the model has hardly moved "
            "from where it started. The learning rate is too small"
        )
    return f"{seen}\nThey fall, and are still on their way at the end: six epochs of steps this small do not suffice"


DEEPFM = (
    Exercise(
        id="3.7.2-fm-term",
        kind="code",
        title="Write the pairwise term without a loop over pairs",
        stub='''
def fm_term(v):
    """Σ_{i<j} ⟨v_i, v_j⟩ for each sample, in O(F·D).

    v: (B, F, D) field vectors      returns (B,)
    """
    return NOT_YET
''',
        solution="""
def fm_term(v):
    square_of_sum = v.sum(dim=1).square()
    sum_of_squares = v.square().sum(dim=1)
    return 0.5 * (square_of_sum - sum_of_squares).sum(dim=1)
""",
        hints=(
            "Take one coordinate and three fields: what is (a + b + c)², written out?",
            "It holds each pair twice and each square once. Two sums over the field axis give you all of it.",
            "½[(Σ_i v_i)² − Σ_i v_i²] has shape (B, D); the last step adds up the coordinates.",
        ),
        judge=code_judge(
            "fm_term",
            fm_pairwise,
            _fields,
            properties=(
                Property("one field", _no_pair),
                Property("coordinates", _coordinates_apart),
                symmetric("fields", axis=1),
                scales(2, name="v"),
                differentiable("v", 0, fm_pairwise),
                linear_cost("fields", lambda rng, n: (numbers(rng, 1, n, 4),), "O(F·D)"),
            ),
        ),
        wrong=(
            Wrong("def fm_term(v):\n    return (v.sum(dim=1).square() - v.square().sum(dim=1)).sum(dim=1)", "2.00 ×"),
            Wrong("def fm_term(v):\n    return 0.5 * (v.sum(dim=1).square() - v.square().sum(dim=1))", "shape"),
            Wrong("def fm_term(v):\n    return 0.5 * v.sum(dim=1).square().sum(dim=1)", "one field alone"),
            Wrong(
                "def fm_term(v):\n    a = v.flatten(1)\n    return 0.5 * (a.sum(dim=1).square() - a.square().sum(dim=1))",
                "different coordinates",
            ),
            Wrong(
                "def fm_term(v):\n    return sum((v[:, i] * v[:, i + 1]).sum(dim=1) for i in range(v.shape[1] - 1)) + v[:, 0, 0] * 0",
                "symmetry",
            ),
            Wrong(
                "def fm_term(v):\n"
                "    total = v[:, 0, 0] * 0\n"
                "    for i in range(v.shape[1]):\n"
                "        for j in range(i + 1, v.shape[1]):\n"
                "            total = total + (v[:, i] * v[:, j]).sum(dim=1)\n"
                "    return total",
                "every pair is visited",
            ),
            Wrong(
                "def fm_term(v):\n    return torch.triu(v @ v.transpose(1, 2), diagonal=1).sum(dim=(1, 2))",
                "a table of all pairs",
            ),
            Wrong(
                "def fm_term(v):\n"
                "    return torch.tensor([0.5 * (row.sum(0).square().sum() - row.square().sum()).item() for row in v])",
                "no gradient reaches v",
            ),
            Wrong(
                "def fm_term(v):\n    return 0.5 * (v.sum(dim=1).square() - v.detach().square().sum(dim=1)).sum(dim=1)",
                "part of the way back is cut",
            ),
        ),
    ),
    Exercise(
        id="3.7.2-gradient",
        kind="symbolic",
        title="Which two messages reach the vector of field 1?",
        stub="""
# Three fields with vectors of one number, one hidden unit that is switched on:
#     y = v1 v2 + v1 v3 + v2 v3  +  h (W1 v1 + W2 v2 + W3 v3 + b)
v1, v2, v3, h, W1, W2, W3 = sympy.symbols("v1 v2 v3 h W1 W2 W3")
gradient = NOT_YET  # ∂y/∂v1
""",
        solution="""
v1, v2, v3, h, W1, W2, W3 = sympy.symbols("v1 v2 v3 h W1 W2 W3")
gradient = (v2 + v3) + h * W1
""",
        hints=(
            "Strike out every product that does not contain v1.",
            "From the FM part two products are left, from the network one.",
            "Take the factor of v1 in each: v2, v3, and h W1.",
        ),
        judge=symbolic_judge(
            lambda: _s("v2 + v3 + h*W1"), {name: (-2.0, 2.0) for name in ("v1", "v2", "v3", "h", "W1", "W2", "W3")}
        ),
        wrong=(
            Wrong('v1, v2, v3, h, W1 = sympy.symbols("v1 v2 v3 h W1")\ngradient = v1 + v2 + v3 + h * W1', "expected"),
            Wrong('v2, v3 = sympy.symbols("v2 v3")\ngradient = v2 + v3', "expected"),
            Wrong('v2, v3, h = sympy.symbols("v2 v3 h")\ngradient = v2 + v3 + h', "expected"),
            Wrong('v2, v3, h, W1 = sympy.symbols("v2 v3 h W1")\ngradient = 2 * (v2 + v3 + h * W1)', "2.00 ×"),
        ),
    ),
    Exercise(
        id="3.7.2-stuck-loss",
        kind="bug",
        title="Find the silent bug: training runs, AUC is fair, but the loss stays near one half",
        stub='''
def loss(logits, label):
    """Mean log loss. logits: (B,), straight out of forward      label: (B,), 0 or 1      returns a scalar"""
    p = torch.sigmoid(logits)
    return F.binary_cross_entropy_with_logits(p, label)
''',
        solution="""
def loss(logits, label):
    return F.binary_cross_entropy_with_logits(logits, label)
""",
        hints=(
            "What is the loss of a model that is sure and right? Try logits of 20 with label 1.",
            "Read the end of the function's name: with_logits. What does it do to its input first?",
            "The sigmoid is applied twice. p lies between 0 and 1, so the second sigmoid says between 0.50 and 0.73: a click costs at least 0.31, no click at least 0.69.",
        ),
        judge=code_judge(
            "loss",
            _log_loss,
            _clicks,
            properties=(Property("mean", _mean_not_sum), Property("certainty", _certainty_is_free), trains()),
        ),
        wrong=(
            Wrong(
                "def loss(logits, label):\n    return F.binary_cross_entropy(torch.sigmoid(torch.sigmoid(logits)), label)",
                "keeps the model from being sure",
            ),
            Wrong(
                'def loss(logits, label):\n    return F.binary_cross_entropy_with_logits(logits, label, reduction="sum")',
                "same rows twice",
            ),
            Wrong("def loss(logits, label):\n    return F.mse_loss(torch.sigmoid(logits), label)", "value"),
            Wrong(
                "def loss(logits, label):\n    return F.binary_cross_entropy_with_logits(logits.detach(), label)",
                "stays at 0.69 = ln 2",
            ),
            Wrong(
                "def loss(logits, label):\n    return F.binary_cross_entropy_with_logits(logits, label) / 1000",
                "a learning rate that is too small",
            ),
            Wrong(
                "def loss(logits, label):\n    return F.binary_cross_entropy_with_logits(-logits, 1 - label) * -1",
                "It climbs",
            ),
            Wrong("def loss(logits, label):\n    return -(label * F.logsigmoid(logits)).mean()", "value"),
        ),
    ),
    Exercise(
        id="3.7.2-shadow",
        kind="numeric",
        title="Experiment: how much of a third-order product can a model of pairs see?",
        stub="""
rng = np.random.default_rng(0)
# Log-odds 1.5 · a0 · a1 · a2. Each a is +1 on 30 % of its values and −1 on the rest, drawn independently.
# A model of pairs sees a0 · a1 and must guess a2. Average the log-odds over many draws with a0 = a1 = +1.
shadow = NOT_YET
""",
        solution="""
rng = np.random.default_rng(0)
a2 = np.where(rng.random(1_000_000) < 0.3, 1, -1)
shadow = (1.5 * a2).mean()
""",
        hints=(
            "With a0 = a1 = +1 the log-odds are 1.5 · a2. Draw many a2.",
            "np.where(rng.random(n) < 0.3, 1, -1) draws a2; use a million, so that the average is steady.",
            "On paper: 1.5 · (0.3 · 1 + 0.7 · (−1)).",
        ),
        judge=numeric_judge(
            -0.6,
            0.03,
            "the mean of 1.5 · a2 when a2 = +1 with probability 0.3 and −1 otherwise, over so many draws that it is steady",
            traps=(
                (
                    -0.096,
                    "This averages over all a0 and a1. Keep the draws with a0 = a1 = +1: a model of pairs sees those two.",
                ),
                (0.0, "0 would be right if +1 and −1 were equally frequent: then pairs see nothing at all."),
                (0.45, "−1 counts too: it is what a2 is on 70 % of its values."),
                (-0.4, "This is the mean of a2; the product has the factor 1.5."),
            ),
        ),
        wrong=(
            Wrong("shadow = 0.0", "equally frequent"),
            Wrong("shadow = 1.5 * 0.3", "−1 counts too"),
            Wrong("shadow = 0.3 - 0.7", "factor 1.5"),
            Wrong("shadow = 0.6", "wrong sign"),
            Wrong(
                "a = np.where(np.random.default_rng(0).random((1_000_000, 3)) < 0.3, 1, -1)\nshadow = (1.5 * a.prod(axis=1)).mean()",
                "Keep the draws with a0 = a1 = +1",
            ),
        ),
    ),
    Exercise(
        id="3.7.2-learning-rate",
        kind="numeric",
        title="Experiment: find a learning rate with which DeepFM learns in six epochs",
        stub="""
# first_losses(lr) trains a fresh DeepFM for six epochs and returns the training loss of each. Try 1e-6, 1e-3 and 1.
# Then give a learning rate with which the sixth loss is below 0.5.
lr = NOT_YET
""",
        solution="""
lr = 0.01
""",
        hints=(
            "Look at the first and the last loss. A model that says one half to everyone pays ln 2 = 0.69.",
            "Losses that stay at 0.69: no step is large enough to matter. Losses far above it: each step overshoots.",
            "Go in factors of ten: 1e-4, 1e-3, 1e-2, 1e-1. One of them ends below 0.5.",
        ),
        judge=trial_judge(first_losses, _verdict, (0.0, 100.0), "a learning rate"),
        wrong=(
            Wrong("lr = 1e-6", "The learning rate is too small"),
            Wrong("lr = 1e-3", "still on their way"),
            Wrong("lr = 1", "The learning rate is too large"),
            Wrong("lr = -0.01", "expected a learning rate between 0 and 100"),
        ),
    ),
)

# --- 3.7.3 NFM ---------------------------------------------------------------------------------------------------


def _features(rng: Rng, size: int) -> tuple[Tensor, Tensor]:
    return numbers(rng, 2, size + 1), numbers(rng, size + 1, size)


def _pooling(x: Tensor, v: Tensor) -> Tensor:
    return 0.5 * ((x @ v).square() - x.square() @ v.square())


def _head_numbers(rng: Rng, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return numbers(rng, 2, size), numbers(rng, size + 1, size), numbers(rng, size + 1), numbers(rng, size + 1)


def _head(f_bi: Tensor, W: Tensor, b: Tensor, h: Tensor) -> Tensor:
    return torch.relu(f_bi @ W.T + b) @ h


def _odd_in_h(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    f_bi, W, b, h = args
    plus, minus = function(f_bi, W, b, h), function(f_bi, W, b, -h)
    if bool(((plus + minus).abs() < 1e-4).all()):
        return None
    return f"h only weighs and adds, so −h must give the opposite answer; got {show(plus)} with h and {show(minus)} with −h"


def _bends(function: Any, args: tuple[Any, ...], rng: Rng) -> str | None:
    f_bi, W, b, h = args
    got = function(f_bi, W, torch.full_like(b, -100.0), h)
    if bool((got.abs() < 1e-4).all()):
        return None
    return f"with b = −100 every unit is off and the answer is 0; got {show(got)}: the units do not bend"


NFM = (
    Exercise(
        id="3.7.3-pooling",
        kind="code",
        title="Pool the pairs of all features into one vector",
        stub='''
def pooling(x, v):
    """f_BI = Σ_{i<j} x_i v_i ⊙ x_j v_j for each sample, in O(n·D).

    x: (B, n) feature values      v: (n, D) one row a feature      returns (B, D)
    """
    return NOT_YET
''',
        solution="""
def pooling(x, v):
    square_of_sum = (x @ v).square()
    sum_of_squares = x.square() @ v.square()
    return 0.5 * (square_of_sum - sum_of_squares)
""",
        hints=(
            "It is FM's identity, stopped before the coordinates are added up.",
            "x @ v is Σ_i x_i v_i, shape (B, D). Which matrix product gives Σ_i (x_i v_i)²?",
            "(x_i v_i)² = x_i² v_i², so it is x.square() @ v.square().",
        ),
        judge=code_judge(
            "pooling",
            _pooling,
            _features,
            properties=(
                scales(2, argument=0, name="x"),
                scales(2, argument=1, name="v"),
                differentiable("v", 1, _pooling),
                linear_cost("features", lambda rng, n: (numbers(rng, 1, n), numbers(rng, n, 4)), "O(n·D)"),
            ),
        ),
        wrong=(
            Wrong(
                "def pooling(x, v):\n    return 0.5 * ((x @ v).square() - x @ v.square())",
                "twice x must give 4 times",
            ),
            Wrong("def pooling(x, v):\n    return (x @ v).square() - x.square() @ v.square()", "2.00 ×"),
            Wrong(
                "def pooling(x, v):\n    return 0.5 * ((x @ v).square() - x.square() @ v.square()).sum(dim=1)", "shape"
            ),
            Wrong("def pooling(x, v):\n    return 0.5 * (x @ v).square()", "value"),
            Wrong(
                "def pooling(x, v):\n"
                "    total = x @ v * 0\n"
                "    for i in range(len(v)):\n"
                "        for j in range(i + 1, len(v)):\n"
                "            total = total + (x[:, i] * x[:, j]).unsqueeze(1) * v[i] * v[j]\n"
                "    return total",
                "every pair is visited",
            ),
            Wrong(
                "def pooling(x, v):\n    v = v.detach()\n    return 0.5 * ((x @ v).square() - x.square() @ v.square())",
                "no gradient reaches v",
            ),
        ),
    ),
    Exercise(
        id="3.7.3-h",
        kind="symbolic",
        title="What does h do to the gradient of a vector?",
        stub="""
# NFM without a hidden layer: y = Σ_f h_f (v1f v2f + v1f v3f + v2f v3f) + first-order terms, f = 1, 2.
h1, h2, v11, v21, v31, v12, v22, v32 = sympy.symbols("h1 h2 v11 v21 v31 v12 v22 v32")
gradient = NOT_YET  # ∂y/∂v11
""",
        solution="""
h1, h2, v11, v21, v31, v12, v22, v32 = sympy.symbols("h1 h2 v11 v21 v31 v12 v22 v32")
gradient = h1 * (v21 + v31)
""",
        hints=(
            "Only coordinate f = 1 contains v11.",
            "Of its three products two contain v11.",
            "FM's answer would be v21 + v31; h1 stands in front of the whole coordinate.",
        ),
        judge=symbolic_judge(
            lambda: _s("h1*(v21 + v31)"),
            {name: (-2.0, 2.0) for name in ("h1", "h2", "v11", "v21", "v31", "v12", "v22", "v32")},
        ),
        wrong=(
            Wrong('v21, v31 = sympy.symbols("v21 v31")\ngradient = v21 + v31', "expected"),
            Wrong('h1, v11, v21, v31 = sympy.symbols("h1 v11 v21 v31")\ngradient = h1 * (v11 + v21 + v31)', "expected"),
            Wrong(
                'h1, h2, v21, v31, v22, v32 = sympy.symbols("h1 h2 v21 v31 v22 v32")\ngradient = h1 * (v21 + v31) + h2 * (v22 + v32)',
                "expected",
            ),
        ),
    ),
    Exercise(
        id="3.7.3-optimist",
        kind="bug",
        title="Find the silent bug: this NFM never predicts less than one half",
        stub='''
def network(f_bi, W, b, h):
    """hᵀ relu(W f_BI + b).

    f_bi: (B, D)      W: (M, D)      b, h: (M,)      returns (B,)
    """
    return torch.relu((f_bi @ W.T + b) @ h)
''',
        solution="""
def network(f_bi, W, b, h):
    return torch.relu(f_bi @ W.T + b) @ h
""",
        hints=(
            "Which logits give a probability below one half, and can this function return one?",
            "Compare with the formula: what is inside relu there, and what is inside it here?",
            "A bracket has moved. relu belongs around W f_BI + b, before h weighs the units.",
        ),
        judge=code_judge(
            "network",
            _head,
            _head_numbers,
            properties=(
                Property("sign of h", _odd_in_h),
                Property("relu", _bends),
                differentiable("W", 1, _head),
            ),
        ),
        wrong=(
            Wrong("def network(f_bi, W, b, h):\n    return (f_bi @ W.T + b) @ h", "do not bend"),
            Wrong(
                "def network(f_bi, W, b, h):\n    return torch.relu(torch.relu(f_bi @ W.T + b) @ h)", "opposite answer"
            ),
            Wrong("def network(f_bi, W, b, h):\n    return (torch.relu(f_bi) @ W.T + b) @ h", "do not bend"),
            Wrong("def network(f_bi, W, b, h):\n    return torch.relu(f_bi @ W + b) @ h", "raised"),
        ),
    ),
    Exercise(
        id="3.7.3-width",
        kind="numeric",
        title="How many weights does pooling save in the first layer?",
        stub="""
# 8 fields with vectors of 16 numbers, 64 units in the first hidden layer, biases not counted.
# How many more weights does this layer have in DeepFM than in NFM?
saved = NOT_YET
""",
        solution="""
saved = (8 * 16 - 16) * 64
""",
        hints=(
            "How many numbers does each of the two networks read?",
            "DeepFM's network reads the vectors side by side, NFM's reads f_BI.",
            "128 numbers against 16, and 64 units read each of them.",
        ),
        judge=numeric_judge(
            7168,
            1e-9,
            "64 weights for each number that only DeepFM's network reads",
            "weights",
            traps=(
                (8192, "This is DeepFM's first layer. NFM's has weights too."),
                (1024, "This is NFM's first layer."),
                (112, "So many numbers fewer are read; each of them has 64 weights."),
            ),
        ),
        wrong=(
            Wrong("saved = 8 * 16 * 64", "NFM's has weights too"),
            Wrong("saved = 16 * 64", "NFM's first layer"),
            Wrong("saved = 8 * 16 - 16", "each of them has 64 weights"),
        ),
    ),
)

EXERCISES = (
    AUTOREC + DEEP_CROSSING + NEURAL_CF + PNN + WIDE_DEEP + FNN + DEEPFM + NFM + AFM + DIN + DIEN + FRAMEWORK + ONLINE
)
