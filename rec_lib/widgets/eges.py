"""EGES live: a film's weights over its attributes and its neighbours, with its history and without."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from rec_lib.data import movielens, views
from rec_lib.data.graphs import Graph, from_edges
from rec_lib.data.sides import Sides
from rec_lib.embeddings.eges import EGES
from rec_lib.evaluation.graph import cosines
from rec_lib.experiments.eges import film_sides
from rec_lib.figures.eges import Placed, placed_figure, summary
from rec_lib.schema import FIRST
from rec_lib.widgets.core import Panel, check_choice, choice

FILMS = (
    "Toy Story (1995)",
    "Star Wars (1977)",
    "The Godfather (1972)",
    "Aladdin (1992)",
    "Alien (1979)",
    "Casablanca (1942)",
    "Fargo (1996)",
    "Die Hard (1988)",
)
MODELS = {"BGE: history alone": (False, 0.0), "GES: equal weights": (True, 0.0), "EGES: learnt weights": (True, 1.0)}
HISTORY = {"kept": True, "removed": False}
NEAR, OFTEN = 8, 40  # neighbours shown, among films that were liked so often


@dataclass(frozen=True, eq=False)
class Trained:
    """One model, trained with or without the films to choose from."""

    model: EGES
    cosine: np.ndarray  # (n, n), after the mean vector is taken off
    often: np.ndarray  # (n,) bool: films that may be shown as neighbours


@cache
def films() -> tuple[Graph, Graph, Sides, tuple[str, ...]]:
    """The item graph with all films, the same without the edges of those to choose from, attributes, titles."""
    ml = movielens.load()
    titles = tuple(views.item_titles(ml)[FIRST:])
    sessions = [s - FIRST for s in views.sequences(ml)]
    steps = np.concatenate([np.stack([s[:-1], s[1:]], 1) for s in sessions])
    chosen = np.isin(steps, [titles.index(film) for film in FILMS]).any(1)
    graphs = [from_edges(part, directed=True, names=titles) for part in (steps, steps[~chosen])]
    return graphs[0], graphs[1], film_sides(), titles


@cache
def trained(model: str, history: bool) -> Trained:
    """The model of this name, fitted once."""
    whole, without, sides, _ = films()
    with_sides, step = MODELS[model]
    fitted = EGES(whole if history else without, sides if with_sides else None, step)
    fitted.fit(np.random.default_rng(0))
    liked = np.bincount(whole.indices, whole.weights, len(whole))
    middle = fitted.vectors[~fitted.cold].mean(0)  # what all films share says nothing about one of them
    return Trained(fitted, cosines(fitted.vectors - middle), (liked >= OFTEN) & ~fitted.cold)


def compute(film: str, model: str, history: str) -> Placed:
    """One film in one model.

    film: one of FILMS; model: one of MODELS; history: "kept" or "removed". Raises ValueError for another.
    """
    check_choice("film", film, FILMS)
    check_choice("model", model, MODELS)
    check_choice("history", history, HISTORY)
    _, _, sides, titles = films()
    v = titles.index(film)
    now, before = trained(model, HISTORY[history]), trained(model, True)
    near, known = (_nearest(t, v) for t in (now, before))
    slots = ("the film itself", *(sides.names if MODELS[model][0] else ()))
    weights = now.model.weights[v]
    if not HISTORY[history] and MODELS[model][0]:
        weights = np.concatenate([[0.0], sides.present[v] / sides.present[v].sum()])
    values = ["its own vector"]
    for s in range(len(slots) - 1):
        values.append(", ".join(str(sides.values[row][1]) for row in sides.cell(v, s)) or "none")
    return Placed(
        item=film,
        model=model,
        history=HISTORY[history],
        slots=slots,
        weights=weights,
        values=tuple(values),
        near=tuple(titles[u] for u in near),
        cosine=now.cosine[v, near],
        kept=np.isin(near, known),
    )


def _nearest(model: Trained, v: int) -> np.ndarray:
    similarity = np.where(model.often, model.cosine[v], -np.inf)
    similarity[v] = -np.inf
    return np.argsort(-similarity, kind="stable")[:NEAR]


def eges_panel() -> Panel:
    """The panel; building it trains the six models, a few seconds."""
    for model in MODELS:
        for history in HISTORY.values():
            trained(model, history)
    controls = {
        "film": choice("film", FILMS, FILMS[0]),
        "model": choice("model", MODELS, "EGES: learnt weights"),
        "history": choice("its history", HISTORY, "kept"),
    }
    return Panel(controls, compute, placed_figure, summary)
