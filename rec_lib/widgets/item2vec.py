"""The panel of section 4.3: a small world is learnt from batches that are their own negatives, with and without log Q."""

from __future__ import annotations

import numpy as np
from numba import njit

from rec_lib.figures.item2vec import Batched, batch_figure, leaders
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, choice, slider, steps, switch

ITEMS, TASTES, PULL = (
    10,
    ("A", "B", "C"),
    1.5,
)  # item i is of kind i mod 3; a taste takes its own kind e^1.5 times as often
BATCHES, STEP, MOST = (2, 4, 8), 0.05, 3000


def world(skew: float) -> tuple[np.ndarray, np.ndarray]:
    """P (tastes, items), the law of each taste, and Q (items,), how often an item stands in a batch: the mean over tastes."""
    weight = 1 / np.arange(1, ITEMS + 1) ** skew
    own = np.arange(ITEMS) % len(TASTES) == np.arange(len(TASTES))[:, None]
    p = weight * np.exp(PULL * own)
    p /= p.sum(axis=1, keepdims=True)
    return p, p.mean(axis=0)


@njit(cache=True)
def _learn(
    users: np.ndarray, items: np.ndarray, log_q: np.ndarray, scores: np.ndarray, mean: np.ndarray, rate: float
) -> None:
    """Adam on the in-batch softmax of a table of scores, one row of `users`, `items` (steps, B) a step; `mean` of the last half."""
    steps, size = users.shape
    first, second, slope = np.zeros_like(scores), np.zeros_like(scores), np.zeros_like(scores)
    p = np.empty(size)
    for t in range(steps):
        slope[:] = 0.0
        for a in range(size):
            top = -np.inf
            for b in range(size):
                p[b] = scores[users[t, a], items[t, b]] - log_q[items[t, b]]
                top = max(top, p[b])
            total = 0.0
            for b in range(size):
                p[b] = np.exp(p[b] - top)
                total += p[b]
            for b in range(size):
                slope[users[t, a], items[t, b]] += p[b] / total / size
            slope[users[t, a], items[t, a]] -= 1.0 / size
        for u in range(scores.shape[0]):
            for i in range(scores.shape[1]):
                first[u, i] += 0.1 * (slope[u, i] - first[u, i])
                second[u, i] += 0.001 * (slope[u, i] ** 2 - second[u, i])
                move = first[u, i] / (1 - 0.9 ** (t + 1))
                scores[u, i] -= rate * move / (np.sqrt(second[u, i] / (1 - 0.999 ** (t + 1))) + 1e-8)
                if t >= steps // 2:
                    mean[u, i] += scores[u, i] / (steps - steps // 2)


def train(skew: float, size: int, count: int, corrected: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (tastes, items) after `count` steps of batches of that size, averaged over their last half, and the last batch."""
    rng = np.random.default_rng(0)
    p, q = world(skew)
    count_drawn = max(count, 1)
    users = rng.integers(0, len(TASTES), (MOST, BATCHES[-1]))[:count_drawn, :size]
    where = rng.random((MOST, BATCHES[-1]))[:count_drawn, :size]
    items = (where[:, :, None] > p.cumsum(axis=1)[users]).sum(axis=2).clip(max=ITEMS - 1)
    scores, mean = np.zeros(p.shape), np.zeros(p.shape)
    if count:
        _learn(users, items, np.log(q) if corrected else np.zeros(ITEMS), scores, mean, STEP)
    return mean, users[-1], items[-1]


def compute(taste: str, skew: float, size: int, count: int, corrected: bool) -> Batched:
    """All that is drawn. Raises ValueError for a value that its control cannot take; the message names the control."""
    check_choice("taste", taste, TASTES)
    check_range("skew", skew, 0, 1.5)
    check_choice("size", size, BATCHES)
    check_whole("count", count, 0, MOST)
    check_choice("corrected", corrected, (False, True))
    scores, users, items = train(skew, size, int(count), corrected)
    p, q = world(skew)
    row = TASTES.index(taste)
    log_p, log_q = np.log(p[row]), np.log(q)
    logits = scores[users][:, items] - (log_q[items] if corrected else 0.0)
    own = [x - x.mean() for x in (log_p, log_q, scores[row])]
    spread = float((own[1] ** 2).sum())
    return Batched(
        taste=taste,
        skew=float(skew),
        corrected=bool(corrected),
        steps=int(count),
        users=users,
        items=items,
        logits=logits - logits.mean(),
        log_p=own[0],
        log_q=own[1],
        scores=own[2],
        slope=float(((own[2] - own[0]) * own[1]).sum()) / spread if spread > 0.5 else float("nan"),
    )


def summary(data: Batched) -> str:
    """What is seen, in words."""
    told = (
        "All items are about as popular"
        if np.isnan(data.slope)
        else f"Score − log P falls by {-data.slope:.2f} for each unit of log Q"
    )
    return (
        f"Taste {data.taste}, skew {data.skew:.2f}, batches of {len(data.items)}, {data.steps} steps, log Q {'taken off' if data.corrected else 'left in'}. "
        f"Highest score: {leaders(data.scores)}; by the law {leaders(data.log_p)}. Item 1, the most popular: learnt "
        f"{data.scores[0]:+.2f}, law {data.log_p[0]:+.2f}. Item {ITEMS}, the rarest: learnt {data.scores[-1]:+.2f}, law {data.log_p[-1]:+.2f}. {told}."
    )  # fmt: skip


def batch_panel() -> Panel:
    """The panel: three tastes, ten items."""
    controls = {
        "taste": choice("taste of the user", TASTES, "A"),
        "skew": slider("skew of popularity z", 0.0, 1.5, 1.0, 0.1),
        "size": steps("batch size B", BATCHES, 8),
        "count": slider("steps of training", 0, MOST, MOST, 250),
        "corrected": switch("take log Q off", False),
    }
    return Panel(controls, compute, batch_figure, summary)
