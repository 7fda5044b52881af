"""The panels of section 3.10: how activeness falls and rises, and two lists that are interleaved while W moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rec_lib.data.news import Feed, topic_feed
from rec_lib.experiments.feed_kernels import Game, play
from rec_lib.figures.drn import PLACES, Alive, Duel, alive_figure, duel_figure
from rec_lib.layers.interleaving import best
from rec_lib.layers.survival import HAZARD, RISE, START, survival
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, slider, steps

DAYS, COMING = 10, 6  # of the picture, and of these the days with returns
ALPHAS = (0.0, 0.1, 0.3, 1.0, 3.0)
MINORS = (5, 10, 25, 50)  # they divide the period of training, so that W̃ is never older than W
WARM, VISITS, LR, ETA, WINDOW = 100, 1500, 0.3, 0.3, 150


def alive(gap: int, hazard: float, rise: float) -> Alive:
    """A user comes every `gap` hours for six days, then stays away for four.

    Args:
        gap: hours between visits, 2 to 72. hazard: per hour, 0.01 to 0.2. rise: S_a, 0 to 0.6.

    Raises:
        ValueError: a value outside its control.
    """
    check_whole("gap", gap, 2, 72)
    check_range("hazard", hazard, 0.01, 0.2)
    check_range("rise", rise, 0.0, 0.6)
    returns = np.arange(gap, 24 * COMING + 1, gap, dtype=float)
    hours, curve, S, last, before = [0.0], [START], START, 0.0, START
    for time in [*returns, 24.0 * DAYS]:
        piece = np.linspace(last, time, 40)[1:]
        hours += piece.tolist()
        curve += (S * np.exp(-hazard * (piece - last))).tolist()
        before = float(survival(S, hazard, time - last))
        if time in returns:
            S = min(1.0, before + rise)
            settled = before
            hours.append(time)
            curve.append(S)
        last = time
    return Alive(np.array(hours), np.array(curve), returns, gap, hazard, rise, settled, before)


def alive_summary(data: Alive) -> str:
    return (
        f"{len(data.returns)} returns in {COMING} days. Just before the last of them S is {data.settled:.2f}; after "
        f"{DAYS} days it is {data.last:.2f}. Without a return S halves every {np.log(2) / data.hazard:.0f} hours."
    )


def activeness_panel() -> Panel:
    """Gap, hazard and rise of a survival curve."""
    controls = {
        "gap": slider("a visit every (hours)", 2, 72, 24, 2),
        "hazard": slider("hazard λ₀ (per hour)", 0.01, 0.2, round(HAZARD, 2), 0.01),
        "rise": slider("rise at a return Sₐ", 0.0, 0.6, RISE, 0.02),
    }
    return Panel(controls, alive, alive_figure, alive_summary)


@dataclass(frozen=True, eq=False)
class DuelWorld:
    """A drifting feed, and dueling bandits of any α and period in it."""

    seed: int = 3

    @cached_property
    def feed(self) -> Feed:
        return topic_feed(self.seed, visits=VISITS, drift=400.0)

    @cached_property
    def greedy(self) -> np.ndarray:
        return play(self.feed, LR, PLACES, WARM).regret(self.feed)

    def play(self, alpha: float, minor: int) -> Game:
        rng = np.random.default_rng(self.seed)
        return play(self.feed, LR, PLACES, WARM, duel=(alpha, ETA, minor), rng=rng, keep=True)

    def __call__(self, alpha: float, minor: int, visit: int) -> Duel:
        """All that is drawn for one setting.

        Raises:
            ValueError: a value that its control does not have; the message names the control.
        """
        check_choice("alpha", alpha, ALPHAS)
        check_choice("minor", minor, MINORS)
        check_whole("visit", visit, WARM + 1, VISITS)
        feed, game, t = self.feed, self.play(alpha, minor), visit - 1
        topics = feed.news[t].argmax(axis=1)
        L, L_tilde = (topics[best(feed.states[t] @ W[t] @ feed.news[t].T, PLACES)] for W in (game.W, game.W_tilde))
        since = max(WARM, visit - 1 - (visit - 1) % minor)
        clicks, by_tilde = game.clicks[since:visit], game.by_tilde[since:visit]
        ends = np.arange(minor, visit, minor)
        wins = sum(_won(game, max(WARM, int(end) - minor), int(end)) for end in ends)
        at = np.arange(WARM + WINDOW, VISITS + 1, 10)
        regrets = {"DBGD": game.regret(feed), "greedy": self.greedy}
        curves = {name: _window(regret, at) for name, regret in regrets.items()}
        return Duel(
            W=game.W[t],
            who=int(feed.users[t]),
            L=L,
            shown=topics[game.shown[t]],
            L_tilde=L_tilde,
            by_tilde=game.by_tilde[t],
            clicks=game.clicks[t],
            visits=at,
            regret=curves,
            visit=visit,
            alpha=alpha,
            minor=minor,
            score=(int((clicks & ~by_tilde).sum()), int((clicks & by_tilde).sum())),
            moved=int(wins),
            settled=int((ends > WARM).sum()),
            mean={name: float(regret[WARM:].mean()) for name, regret in regrets.items()},
        )


def _won(game: Game, start: int, end: int) -> bool:
    clicks, by_tilde = game.clicks[start:end], game.by_tilde[start:end]
    return bool((clicks & by_tilde).sum() > (clicks & ~by_tilde).sum())


def _window(regret: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Mean of the last WINDOW visits."""
    total = np.concatenate([[0.0], regret.cumsum()])
    return (total[at] - total[at - WINDOW]) / WINDOW


def duel_summary(data: Duel) -> str:
    W, tilde = data.score
    return (
        f"Visit {data.visit}, user {data.who + 1}: {int(data.clicks.sum())} of 5 clicked, {int(data.by_tilde.sum())} drawn "
        f"from W̃. In this comparison W has {W} clicks, W̃ {tilde}. W̃ has won {data.moved} of {data.settled} comparisons. "
        "Mean regret a visit: " + ", ".join(f"{name} {value:.2f}" for name, value in data.mean.items()) + "."
    )


def duel_panel() -> Panel:
    """α, the update period, and the visit that is looked at."""
    controls = {
        "alpha": steps("perturbation α", ALPHAS, 0.3),
        "minor": steps("visits between comparisons", MINORS, 25),
        "visit": slider("visit", WARM + 1, VISITS, 400, 1),
    }
    return Panel(controls, DuelWorld(), duel_figure, duel_summary)
