"""The panel of section 4.5: choose what was watched, see the user's vector move, its films, and what an index finds of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rec_lib.data import watch_worlds
from rec_lib.figures.youtube_recall import PLACES, Recalled, recalled_figure
from rec_lib.models.youtube_recall import YouTubeRecall
from rec_lib.retrieval.base import recall_at_k
from rec_lib.retrieval.exact import ExactIndex
from rec_lib.retrieval.inner_product import InnerProductIndex
from rec_lib.retrieval.lsh import LSH
from rec_lib.schema import FIRST
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, choice, slider, steps

PLAYED = 6  # films of each set
WIDTHS, TABLES, HASHES = (2.0, 3.0, 4.0), (2, 4, 8, 16, 32), 8
USERS = 60  # over which recall is averaged
STEP = 0.1
BEST = 100

Sets = Sequence[tuple[str, Sequence[int]]]


class Journey:
    """A fitted model whose watches are chosen by hand, and hashes of every setting over its item vectors.

    Args:
        model: fitted.
        titles: of all ids.
        sets: (name, ids of PLAYED items) to choose from.

    Raises:
        ValueError: fewer than two sets or of other sizes, items that nobody took, fewer than 2·PLAYED + PLACES items taken.
    """

    def __init__(self, model: YouTubeRecall, titles: Sequence[str], sets: Sets, rng: np.random.Generator):
        self.model, self.titles, self.sets = model, list(titles), {name: np.array(ids) for name, ids in sets}
        known = FIRST + np.flatnonzero(model.popularity[FIRST:] > 0)
        if len(self.sets) < 2 or any(len(ids) != PLAYED or not np.isin(ids, known).all() for ids in self.sets.values()):
            raise ValueError(
                f"sets {list(self.sets)}: expected two or more of {PLAYED} items that somebody took, each."
            )
        if len(known) < 2 * PLAYED + PLACES:
            raise ValueError(f"{len(known)} items were taken; expected at least {2 * PLAYED + PLACES} to rank.")
        self.items = known
        self.vectors = model.item_vectors()[known]  # (n, N)
        centred = self.vectors - self.vectors.mean(axis=0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        signs = np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])
        self.axes = (axes[:2] * signs[:, None]).T  # (N, 2)  signs settled, or another machine mirrors the picture
        self.films = centred @ self.axes
        self.radius = float(np.quantile(np.linalg.norm(self.films, axis=1), 0.97))
        longest = float(np.linalg.norm(centred, axis=1).max())
        users = np.flatnonzero(np.diff(model.seen.indptr))
        queries = model.user_vectors(rng.choice(users, min(USERS, len(users)), replace=False))
        true = InnerProductIndex(ExactIndex()).build(self.vectors).query(queries, BEST)[0]
        self.index, self.effort = {}, {}
        for w in WIDTHS:
            measured = []
            for L in TABLES:
                index = InnerProductIndex(LSH(w * longest, HASHES, L, rng=rng)).build(self.vectors)
                found = index.query(queries, BEST)[0]
                measured.append((float(index.examined.mean()) / len(known), recall_at_k(found, true)))
                self.index[w, L] = index
            self.effort[w] = (np.array(measured)[:, 0], np.array(measured)[:, 1])
        self.exact = InnerProductIndex(ExactIndex()).build(self.vectors)

    def user(self, first: str, second: str, of_second: int, age: float) -> np.ndarray:
        """u (N,) of PLAYED − of_second items of the first set and of_second of the second."""
        history = np.concatenate([self.sets[first][of_second:], self.sets[second][:of_second]])
        batch = {"history": torch.from_numpy(history[None]), "age": torch.tensor([age])}
        with torch.no_grad():
            u: np.ndarray = self.model.net.user(batch).double().numpy()[0]
        return u

    def _place(self, u: np.ndarray) -> np.ndarray:
        """The direction of u in the plane, (2,)."""
        at = u @ self.axes
        length = float(np.linalg.norm(at))
        place: np.ndarray = at * (self.radius / length) if length > 0 else at
        return place

    def __call__(self, first: str, second: str, of_second: int, age: float, w: float, L: int) -> Recalled:
        """All that is drawn. Raises ValueError for a value that its control cannot take; the message names the control."""
        check_choice("first", first, self.sets)
        check_choice("second", second, self.sets)
        check_whole("of_second", of_second, 0, PLAYED)
        check_range("age", age, 0, 1)
        check_choice("w", w, WIDTHS)
        check_choice("L", L, TABLES)
        of_second = int(of_second)
        path = np.array([self._place(self.user(first, second, n, age)) for n in range(PLAYED + 1)])
        u = self.user(first, second, of_second, age)
        watched = np.concatenate([self.sets[first][of_second:], self.sets[second][:of_second]])
        rows = np.searchsorted(self.items, watched)
        scores = self.vectors @ u
        fresh = np.setdiff1d(np.arange(len(self.items)), rows)
        best = fresh[np.argsort(-scores[fresh], kind="stable")[:PLACES]]
        true = self.exact.query(u, BEST)[0]
        found = self.index[w, L].query(u, BEST)[0]
        return Recalled(
            first=first,
            second=second,
            of_second=of_second,
            played=PLAYED,
            age=float(age),
            films=self.films,
            watched=self.films[rows],
            path=path,
            listed=[self.titles[self.items[row]] for row in best],
            places=self.films[best],
            scores=scores[best],
            found=np.isin(best, found[0]),
            width=w,
            tables=L,
            effort=self.effort,
            now=(float(self.effort[w][0][TABLES.index(L)]), float(self.effort[w][1][TABLES.index(L)])),
            recall=recall_at_k(found, true),
        )


def summary(data: Recalled) -> str:
    """What is seen, in words."""
    return (
        f"Watched: {data.played - data.of_second} of “{data.first}”, {data.of_second} of “{data.second}”; example age {data.age:.1f}. First: "
        f"{', '.join(data.listed[:3])}. The index (w = {data.width:g} M, {data.tables} tables) returns {int(data.found.sum())} of these {len(data.listed)} "
        f"and {data.recall:.0%} of this user's best {BEST}; over {USERS} users {data.now[1]:.0%}, measuring {data.now[0]:.0%} of the films."
    )


def recall_panel(model: YouTubeRecall, titles: Sequence[str], sets: Sets, rng: np.random.Generator) -> Panel:
    """The panel over a fitted model; `Journey` says what the arguments are."""
    world = Journey(model, titles, sets, rng)
    names = list(world.sets)
    controls = {
        "first": choice("watched first", names, names[0]),
        "second": choice("watched then", names, names[1]),
        "of_second": slider(f"films of the second (of {PLAYED})", 0, PLAYED, 0, 1),
        "age": slider("example age (0 = now)", 0.0, 1.0, 0.0, STEP),
        "w": steps("bucket width w (M)", WIDTHS, 3.0),
        "L": steps("tables L", TABLES, 8),
    }
    return Panel(controls, world, recalled_figure, summary)


def demo() -> Panel:
    """The panel over the planted world of two tastes."""
    world = watch_worlds.two_tastes(0, users=200)
    model = YouTubeRecall(epochs=10, rng=np.random.default_rng(0)).fit(world.train, world.times)
    names = [f"{group}{n + 1}" for group in "ABCDXY" for n in range(watch_worlds.SIDE)]
    groups = [(f"group {g}", range(FIRST + 20 * k, FIRST + 20 * k + PLAYED)) for k, g in enumerate("ABCD")]
    return recall_panel(model, ["(padding)", "(unknown)", *names], groups, np.random.default_rng(0))
