"""The panel of section 3.4: the numbers inside GMF and MLP for a user and a film, α between them, the list that follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rec_lib.data.interactions import Interactions, leave_one_out
from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.figures.neural_cf import PLACES, Inside, inside_figure
from rec_lib.models.neural_cf import NeuMF, NeuralCF
from rec_lib.models.pair_network import pair_scores
from rec_lib.schema import FIRST
from rec_lib.widgets.core import Panel, check_choice, check_range, choice, slider, steps

STEP = 0.05
ALPHAS = np.linspace(0, 1, 21)
FILMS = [("the film watched next", 0), *((f"place {n}", n) for n in range(1, PLACES + 1))]


class Mixture:
    """Two trained towers over the users of a test set, and the quality of every mixture.

    Args:
        gmf, mlp: trained networks, each over one tower.
        data: what they were trained on, with a held-out film for each user.
        titles: of all ids.
        users: (label, id) of the users to choose from, each with a held-out film.

    Raises:
        ValueError: networks of another kind, fewer than PLACES + 1 films to rank, a user without a held-out film.
    """

    def __init__(
        self,
        gmf: NeuMF,
        mlp: NeuMF,
        data: Interactions,
        titles: Sequence[str],
        users: Sequence[tuple[str, int]],
    ):
        kinds = [[type(tower).__name__ for tower in net.towers] for net in (gmf, mlp)]
        if kinds != [["GMF"], ["MLP"]]:
            raise ValueError(f"got networks over {kinds}; expected one over a GMF and one over an MLP.")
        self.titles, self.users = list(titles), list(users)
        ids = np.array([id for _, id in self.users])
        known = dict(zip(data.users.tolist(), data.held_out.tolist(), strict=True))
        allowed = data.rankable(ids)
        if strange := [id for id in ids.tolist() if id not in known] or allowed.sum(axis=1).min() <= PLACES:
            raise ValueError(f"users {strange}: expected users with a held-out film and more than {PLACES} to rank.")
        self.last = [known[id] for id in ids.tolist()]
        self.free = [np.flatnonzero(row) for row in allowed]  # what is ranked for each user
        self.parts_gmf, self.parts_mlp = (
            _parts(net, ids, data.train.shape[1]) for net in (gmf, mlp)
        )  # (users, items, …)
        nobodys = np.bincount(data.train.indices, minlength=data.train.shape[1]) == 0
        both = [pair_scores(net, data.users, data.train.shape[1]) for net in (gmf, mlp)]
        for scores in both:  # as every top-n model does: a film that nobody took comes last
            scores[:, nobodys] = scores[:, ~nobodys].min(axis=1, keepdims=True)
        self.scores = np.stack(
            [scores[np.searchsorted(data.users, ids)] for scores in both], axis=2
        )  # (users, items, 2)
        self.curve = np.array([(a, rank_held_out(_Mixed(a * both[0] + (1 - a) * both[1], data.users), data).ndcg) for a in ALPHAS])  # fmt: skip

    def __call__(self, user: int, film: int, alpha: float) -> Inside:
        """All that is drawn. Raises ValueError for a value that its control cannot take; the message names the control."""
        check_choice("user", user, [id for _, id in self.users])
        check_choice("film", film, [n for _, n in FILMS])
        check_range("alpha", alpha, 0, 1)
        row = [id for _, id in self.users].index(user)
        weights = np.array([alpha, 1 - alpha])
        parts, last, free = self.scores[row] * weights, self.last[row], self.free[row]
        mixed = parts.sum(axis=1)
        best = free[np.argsort(-mixed[free], kind="stable")[:PLACES]]
        shown = last if film == 0 else int(best[film - 1])
        by_gmf, by_mlp, by_both = (1 + int((s[free] > s[last]).sum()) for s in (*self.scores[row].T, mixed))
        at = np.flatnonzero(best == last)
        return Inside(
            user=self.users[row][0],
            film=self.titles[shown],
            alpha=float(alpha),
            gmf=self.parts_gmf[row, shown],
            mlp=self.parts_mlp[row, shown],
            listed=[self.titles[i] for i in best],
            parts=parts[best],
            place=(by_gmf, by_mlp, by_both),
            last=self.titles[last],
            at=int(at[0]) if len(at) else -1,
            curve=self.curve,
        )


class _Mixed:
    """Scores that were mixed beforehand."""

    def __init__(self, scores: np.ndarray, users: np.ndarray):
        self.scores, self.users = scores, users

    def score(self, users: np.ndarray) -> np.ndarray:
        return self.scores[np.searchsorted(self.users, users)]


@torch.no_grad()
def _parts(net: NeuMF, users: np.ndarray, items: int) -> np.ndarray:
    """What each number of the one tower adds to the logit, (users, items, numbers)."""
    columns, ids = torch.arange(items), torch.from_numpy(users)
    parts: torch.Tensor = (
        net.towers[0]({"user": ids.repeat_interleave(items), "item": columns.repeat(len(ids))}) * net.h
    )
    return parts.view(len(ids), items, -1).double().numpy()


def summary(data: Inside) -> str:
    """What is seen, in words."""
    gmf, mlp = float(data.gmf.sum()), float(data.mlp.sum())
    off = int((data.mlp == 0).sum())
    return (
        f"{data.user}, α = {data.alpha:.2f}. {data.film}: GMF says {gmf:+.2f} ({len(data.gmf)} products), the MLP {mlp:+.2f} "
        f"({off} of {len(data.mlp)} hidden units are off); mixed {data.alpha * gmf + (1 - data.alpha) * mlp:+.2f}. "
        f"Watched next: {data.last}, at place {data.place[2]} of this mixture, {data.place[0]} by GMF alone, {data.place[1]} by the MLP alone."
    )


def inside_panel(
    gmf: NeuMF, mlp: NeuMF, data: Interactions, titles: Sequence[str], users: Sequence[tuple[str, int]]
) -> Panel:
    """The panel over two fitted towers; `Mixture` says what the arguments are."""
    world = Mixture(gmf, mlp, data, titles, users)
    controls = {
        "user": choice("user", world.users, world.users[0][1]),
        "film": steps("film looked at", FILMS, 1),
        "alpha": slider("α, GMF's share", 0.0, 1.0, 0.5, STEP),
    }
    return Panel(controls, world, inside_figure, summary)


def world_of_two_tastes() -> tuple[NeuMF, NeuMF, Interactions, list[str], list[tuple[str, int]]]:
    """What `Mixture` takes, made up: 40 users and 30 films of two tastes, towers trained for a moment."""
    rng = np.random.default_rng(0)
    users, films = 40, 30
    taste = (np.arange(users)[:, None] + np.arange(films)) % 2 == 0
    log = np.argwhere(rng.random((users, films)) < np.where(taste, 0.5, 0.1))
    log = log[rng.permutation(len(log))] + FIRST
    data = leave_one_out(log[:, 0], log[:, 1], (FIRST + users, FIRST + films), 5, rng)
    small: dict[str, Any] = {"dim": 6, "hidden": (12, 6), "epochs": 10}
    gmf, mlp = (NeuralCF(network, **small).fit(data).net for network in ("gmf", "mlp"))
    titles = ["(padding)", "(unknown)", *(f"film {n + 1} ({'black' if n % 2 else 'red'})" for n in range(films))]
    return gmf, mlp, data, titles, [(f"user {id - FIRST + 1}", int(id)) for id in data.users[:4]]


def demo() -> Panel:
    """The panel over a made-up world."""
    return inside_panel(*world_of_two_tastes())
