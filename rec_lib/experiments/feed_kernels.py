"""The linear policies of 3.10, compiled: thousands of visits in milliseconds, list for list what the classes do.

`play` draws from a numpy generator in the same order as `Greedy`, `EpsilonGreedy` and `DBGD`, so a test can ask for equal
lists. Use the classes to read and to build on; use this to repeat worlds and settings by the hundred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from rec_lib.data.news import Feed
from rec_lib.layers.interleaving import STEEP

NEVER = 1 << 40  # visits
GREEDY, EPSILON, DUEL = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Game:
    """What happened: lists `shown (T, k)`, `clicks (T, k)`, `by_tilde (T, k)` True where W̃ gave the item, and W and W̃
    when they chose each list, (T, S, A) if they were kept, else (0, S, A)."""

    shown: np.ndarray
    clicks: np.ndarray
    by_tilde: np.ndarray
    W: np.ndarray
    W_tilde: np.ndarray

    def regret(self, feed: Feed) -> np.ndarray:
        """(T,) expected clicks of the best list less those of the one that was shown."""
        got = np.take_along_axis(feed.p, self.shown, axis=1).sum(axis=1)
        return feed.best(self.shown.shape[1]) - got


def play(
    feed: Feed,
    lr: float,
    k: int = 5,
    warm: int = 500,
    stop: int = NEVER,
    major: int = 50,
    epsilon: float = 0.0,
    duel: tuple[float, float, int] | None = None,
    rng: np.random.Generator | None = None,
    keep: bool = False,
) -> Game:
    """Serve the whole feed with one linear policy.

    Args:
        feed: the visits.
        lr, k, major: of Greedy.
        warm: so many first visits get random lists, from which the policy learns.
        stop: no training after so many visits (a static model has stop = warm); comparisons go on.
        epsilon: above 0 it is EpsilonGreedy.
        duel: (alpha, eta, minor) make it a DBGD; minor may be NEVER.
        rng: needed by the last two.
        keep: store W and W̃ for every visit.

    Raises:
        ValueError: both kinds of exploration at once, or one without a generator.
    """
    if (epsilon > 0 and duel is not None) or ((epsilon > 0 or duel is not None) and rng is None):
        raise ValueError("expected one kind of exploration, and a generator for it: rng=np.random.default_rng(0)")
    kind = DUEL if duel is not None else EPSILON if epsilon > 0 else GREEDY
    alpha, eta, minor = duel if duel is not None else (0.0, 0.0, NEVER)
    rng = rng if rng is not None else np.random.default_rng(0)
    out = _play(
        feed.states, feed.news, feed.p, feed.noise, feed.random, k, warm, min(stop, len(feed)), lr, major, kind,
        epsilon, alpha, eta, minor, rng, keep,
    )  # fmt: skip
    return Game(*out)


@njit(cache=True)
def _rank(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, kind="mergesort")


@njit(cache=True)
def _scores(W: np.ndarray, s: np.ndarray, news: np.ndarray) -> np.ndarray:
    out = np.zeros(len(news))
    weights = s @ W
    for n in range(len(news)):
        for a in range(news.shape[1]):
            out[n] += weights[a] * news[n, a]
    return out


@njit(cache=True)
def _perturb(W: np.ndarray, alpha: float, rng: np.random.Generator) -> np.ndarray:
    W_tilde = np.empty_like(W)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            r = -1.0 + 2.0 * rng.random()
            W_tilde[i, j] = W[i, j] + alpha * r * W[i, j]
    return W_tilde


@njit(cache=True)
def _interleave(
    first: np.ndarray, second: np.ndarray, k: int, rng: np.random.Generator, shown: np.ndarray, by_tilde: np.ndarray
) -> None:
    free = np.ones(len(first), np.bool_)
    for place in range(k):
        by_tilde[place] = rng.random() < 0.5
        ranking = second if by_tilde[place] else first
        total = 0.0
        for rank in range(len(ranking)):
            if free[ranking[rank]]:
                total += 1.0 / (rank + 1.0) ** STEEP
        u, at = rng.random() * total, -1
        passed = 0.0
        for rank in range(len(ranking)):
            if free[ranking[rank]]:
                passed += 1.0 / (rank + 1.0) ** STEEP
                at = ranking[rank]
                if passed > u:
                    break
        shown[place] = at
        free[at] = False


@njit(cache=True)
def _mix(ranking: np.ndarray, k: int, epsilon: float, rng: np.random.Generator, shown: np.ndarray) -> None:
    left = ranking.copy()
    for place in range(k):
        n = len(left) - place
        at = int(rng.random() * n) if rng.random() < epsilon else 0
        shown[place] = left[at]
        for i in range(at, n - 1):
            left[i] = left[i + 1]


@njit(cache=True)
def _play(
    states: np.ndarray,
    news: np.ndarray,
    p: np.ndarray,
    noise: np.ndarray,
    random: np.ndarray,
    k: int,
    warm: int,
    stop: int,
    lr: float,
    major: int,
    kind: int,
    epsilon: float,
    alpha: float,
    eta: float,
    minor: int,
    rng: np.random.Generator,
    keep: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    T, S, A = len(states), states.shape[1], news.shape[2]
    W = np.zeros((S, A))
    W_tilde = _perturb(W, alpha, rng) if kind == DUEL else W.copy()
    shown, clicks = np.zeros((T, k), np.int64), np.zeros((T, k), np.bool_)
    by_tilde = np.zeros((T, k), np.bool_)
    kept = np.zeros((T if keep else 0, S, A))
    kept_tilde = np.zeros((T if keep else 0, S, A))
    won, since = 0, 0
    for t in range(T):
        if keep:
            kept[t] = W
            kept_tilde[t] = W_tilde
        if t < warm:
            shown[t] = random[t, :k]
        else:
            ranking = _rank(_scores(W, states[t], news[t]))
            if kind == DUEL:
                _interleave(ranking, _rank(_scores(W_tilde, states[t], news[t])), k, rng, shown[t], by_tilde[t])
            elif kind == EPSILON:
                _mix(ranking, k, epsilon, rng, shown[t])
            else:
                shown[t] = ranking[:k]
        for place in range(k):
            clicks[t, place] = noise[t, shown[t, place]] < p[t, shown[t, place]]
            if t >= warm and clicks[t, place]:
                won += 1 if by_tilde[t, place] else -1
        settle = kind == DUEL and (t + 1) % minor == 0
        if settle and won > 0:
            W = W + eta * (W_tilde - W)
        if t < stop and (t + 1) % major == 0:
            for v in range(since, t + 1):
                for place in range(k):
                    a = news[v, shown[v, place]]
                    g = lr * (clicks[v, place] - 1.0 / (1.0 + np.exp(-(states[v] @ W @ a))))
                    for i in range(S):
                        if states[v, i] != 0.0:
                            for j in range(A):
                                W[i, j] += g * states[v, i] * a[j]
            since = t + 1
        if settle:
            W_tilde = _perturb(W, alpha, rng)
            won = 0
    return shown, clicks, by_tilde, kept, kept_tilde
