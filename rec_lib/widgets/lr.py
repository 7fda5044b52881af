"""Panels of section 2.4: when the sum contradicts its parts, and what FTRL's settings do to twelve weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, xlogy

from rec_lib.figures.lr import Pass, TwoVideos, ftrl_figure, two_videos_figure
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, slider, steps

MEN_A = 0.015  # click rate of video A among men
ROWS, STEP = 600, 20
L1 = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
L2 = (0.0, 1.0, 10.0, 100.0)
ALPHA = (0.03, 0.1, 0.3, 1.0)
BETA = (0.1, 1.0, 10.0)


def weighted_lr(x: NDArray, rate: NDArray, weight: NDArray) -> NDArray:
    """Maximum-likelihood weights of a logistic regression on cells, by Newton's method: (d,).

    Args:
        x: (cells, d) features, a column of ones among them.
        rate: (cells,) share of clicks, inside (0, 1).
        weight: (cells,) how many rows a cell has.
    """
    w = np.zeros(x.shape[1])
    for _ in range(30):
        p = expit(x @ w)
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x
        move = np.linalg.solve(bend, x.T @ (weight * (rate - p)))
        w += np.clip(move, -3, 3)  # from far away a full step may overshoot
        if np.abs(move).max() < 1e-12:
            break
    return w


def two_videos(women_a: int, women_b: int, women_more: float, b_men: float, b_women: float) -> TwoVideos:
    """Both videos were shown equally often.

    Args:
        women_a, women_b: per cent of women among those who saw A, B.
        women_more: by how much women click more on A, in log-odds.
        b_men, b_women: by how much B is better among men, among women, in log-odds.

    Raises:
        ValueError: a value outside the range of its control.
    """
    for name, per_cent in (("women_a", women_a), ("women_b", women_b)):
        check_whole(name, per_cent, 5, 95)
    check_range("women_more", women_more, 0, 3)
    for name, advantage in (("b_men", b_men), ("b_women", b_women)):
        check_range(name, advantage, -1.5, 1.5)
    base = logit(MEN_A)
    rate = expit(np.array([[base, base + women_more], [base + b_men, base + women_more + b_women]]))
    share = np.array([[100 - women_a, women_a], [100 - women_b, women_b]]) / 100
    pooled = (rate * share).sum(axis=1)
    one, is_b, woman = np.ones(4), np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 0, 1])
    x = np.stack([one, is_b, woman], axis=1)
    w = weighted_lr(x, rate.ravel(), share.ravel())
    fitted = expit(x @ w).reshape(2, 2)
    losses = [float((share / 2 * _cross_entropy(rate, q)).sum()) for q in (pooled[:, None], fitted, rate)]
    return TwoVideos(
        (women_a / 100, women_b / 100),
        rate,
        pooled,
        float(logit(pooled[1]) - logit(pooled[0])),
        float(w[1]),
        fitted,
        (losses[0], losses[1], losses[2]),
    )


def _cross_entropy(p: NDArray, q: NDArray) -> NDArray:
    return -(xlogy(p, q) + xlogy(1 - p, 1 - q))


def simpson_panel() -> Panel:
    """Return the panel. It starts where both groups contradict the sum."""
    controls = {
        "women_a": slider("women among A's viewers (%)", 5, 95, 80, 5),
        "women_b": slider("women among B's viewers (%)", 5, 95, 40, 5),
        "women_more": slider("women click more (log-odds)", 0.0, 3.0, 1.7, 0.1, "+.1f"),
        "b_men": slider("B's lead, men (log-odds)", -1.5, 1.5, 0.8, 0.1, "+.1f"),
        "b_women": slider("B's lead, women (log-odds)", -1.5, 1.5, 0.1, 0.1, "+.1f"),
    }
    return Panel(controls, two_videos, two_videos_figure, _what_is_seen)


def _what_is_seen(data: TwoVideos) -> str:
    a, b = data.pooled
    sum_ = f"In the sum A is clicked {a:.2%} of the time, B {b:.2%}."
    verdict = " Both groups say the opposite: Simpson's paradox." if data.is_reversed else ""
    miss = data.loss[1] - data.loss[2]
    add = (
        "adding up is enough"
        if miss < 1e-6
        else f"adding up is not enough, B's advantage differs (log loss {miss:.5f} above the best)"
    )
    return (
        f"{sum_}{verdict} LR that knows the video only gives B the weight {data.alone:+.2f}; with the feature “woman” beside it "
        f"{data.beside:+.2f}, and {add}."
    )


# --- FTRL ------------------------------------------------------------------------------------------------------------


def ftrl_stream(rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """Twelve features, there or not; four of them matter, one of these is rare. (ROWS, 12) bool, (ROWS,) labels, (12,) law."""
    truth = np.array([1.2, -1.0, 0.7, 1.5, *[0.0] * 8])
    often = np.array([0.4, 0.4, 0.4, 0.06, *[0.35] * 5, *[0.06] * 3])
    x = rng.random((ROWS, 12)) < often
    y = (rng.random(ROWS) < expit(x @ truth - 0.3)).astype(float)
    return x, y, truth


def ftrl_pass(
    x: NDArray, y: NDArray, alpha: float, beta: float, l1: float, l2: float
) -> tuple[NDArray, NDArray, NDArray]:
    """Algorithm 1 over rows of features that are there or not; the constant is known, −0.3, and not learned.

    Returns:
        the weights after each row (rows + 1, d), z at the end (d,), and what was said before each label (rows,).
    """
    d = x.shape[1]
    z, n = np.zeros(d), np.zeros(d)
    path, said = np.zeros((len(x) + 1, d)), np.empty(len(x))
    w = np.zeros(d)
    for t, there in enumerate(x):
        total = w[there].sum() - 0.3
        p = said[t] = 1 / (1 + np.exp(-total))
        g = p - y[t]
        root = np.sqrt(n[there])
        n[there] += g * g
        new = np.sqrt(n[there])
        z[there] += g - (new - root) / alpha * w[there]
        held = z[there]
        w[there] = -np.sign(held) * np.maximum(np.abs(held) - l1, 0) / ((beta + new) / alpha + l2)
        path[t + 1] = w
    return path, z, said


def ftrl_panel(rng: np.random.Generator) -> Panel:
    """Return the panel over a stream drawn by ``rng``."""
    x, y, truth = ftrl_stream(rng)
    law = expit(x @ truth - 0.3)

    def loss(p: NDArray, rows: int) -> float:
        return float(-(y[:rows] * np.log(p[:rows]) + (1 - y[:rows]) * np.log(1 - p[:rows])).mean())

    def compute(l1: float, alpha: float, beta: float, l2: float, rows: int) -> Pass:
        for name, value, options in (("l1", l1, L1), ("alpha", alpha, ALPHA), ("beta", beta, BETA), ("l2", l2, L2)):
            check_choice(name, value, options)
        check_whole("rows", rows, STEP, ROWS)
        path, z, said = ftrl_pass(x[:rows], y[:rows], alpha, beta, l1, l2)
        average = np.full(rows, y[:rows].mean().clip(1e-3, 1 - 1e-3))
        seen = x[:rows].sum(axis=0)
        return Pass(truth, path, z, seen, l1, loss(said, rows), loss(law, rows), loss(average, rows))

    controls = {
        "l1": steps("λ₁ (sum of gradients)", L1, 0.0),
        "alpha": steps("α (rate)", ALPHA, 0.3),
        "beta": steps("β (slows the first steps)", BETA, 1.0),
        "l2": steps("λ₂ (pull towards 0)", L2, 0.0),
        "rows": slider("rows read", STEP, ROWS, ROWS, STEP),
    }
    return Panel(controls, compute, ftrl_figure, _what_is_left)


def _what_is_left(data: Pass) -> str:
    matters = data.truth != 0
    return (
        f"After {len(data.path) - 1} rows {int(data.zero[~matters].sum())} of the {int((~matters).sum())} features that do not matter have "
        f"weight 0, and {int(data.zero[matters].sum())} of the {int(matters.sum())} that do. Log loss a row, each predicted before its label: "
        f"{data.loss:.3f}; the law itself {data.best:.3f}, a constant {data.base:.3f}."
    )


def simpson_demo() -> Panel:
    """Return the panel of two videos."""
    return simpson_panel()


def ftrl_demo() -> Panel:
    """Return the panel over the notebook's stream."""
    return ftrl_panel(np.random.default_rng(0))
