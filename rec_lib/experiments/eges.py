"""4.4.3 EGES: what attributes are worth to an item's vector, with history and without, and what the learnt weights add.

driven    what matters differs by item: half of them follow their category, half their brand (one or three noise attributes)
shared    all items follow both in the same way
few       the same as shared, a quarter of the sessions
films     MovieLens-100K: genre, year, and director, writer, actor from the knowledge graph; a tenth of the films cold

Names: <world>/<model>/<warm or cold> · <world>/weight/<item kind>/<attribute> · films/weight/<attribute> ·
<world>/walks<n>/<model>, warm items after n walks from each node · films/<attributes>/cold: GES with these attributes
alone. All are AUCs of held-out pairs (`pair_auc`) but the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from rec_lib.data import movielens, views
from rec_lib.data.graphs import Graph, from_edges
from rec_lib.data.item_worlds import Shop, shop
from rec_lib.data.knowledge import knowledge
from rec_lib.data.sides import Sides
from rec_lib.embeddings.eges import EGES
from rec_lib.evaluation.pairs import pair_auc, window_pairs
from rec_lib.experiments.core import Experiment
from rec_lib.schema import FIRST

WINDOW = 2  # a true pair of a test session: at most so many places apart
PEOPLE = ("director", "writer", "actor")
ATTRIBUTES = ("genre", "year", *PEOPLE)
MODELS = ("bge", "ges", "eges")
# On films by mean validation AUC of warm pairs over seeds 10 and 11, the same grid for each model (`grid`); in the worlds one
# setting for all.
CHOICES: dict[str, dict[str, dict[str, Any]]] = {
    "worlds": {name: {"epochs": 1, "lr": 0.05} for name in MODELS},
    "films": {
        "bge": {"epochs": 1, "lr": 0.05},
        "ges": {"epochs": 3, "lr": 0.05},
        "eges": {"epochs": 3, "lr": 0.05, "weight_step": 1.0},
    },
}
SETTINGS: dict[str, Any] = {
    "worlds": {
        "driven": {"world": "driven", "noise": 1},
        "driven3": {"world": "driven", "noise": 3},
        "shared": {"world": "shared", "noise": 1},
        "few": {"world": "shared", "noise": 1, "sessions": 1000},
    },
    "choices": CHOICES,
    "num_walks": [5, 10, 20, 60],
}


@dataclass(frozen=True, eq=False)
class Films:
    """Films with attributes, some of them cold, and held-out sessions to judge by. Nodes are all films, by encoded id − 2."""

    graph: Graph
    sides: Sides
    cold: np.ndarray
    valid: list[np.ndarray]
    test: list[np.ndarray]


def run(
    seed: int, worlds: dict[str, dict[str, Any]], choices: dict[str, dict[str, dict[str, Any]]], num_walks: list[int]
) -> dict[str, float]:
    """One shop of each kind and one split of the films."""
    results: dict[str, float] = {}
    for name, settings in worlds.items():
        place = shop(np.random.default_rng(seed), **settings)
        pairs = split_pairs(place.test, place.cold)
        for kind, chosen in pairs.items():
            near = (place.law + place.law @ place.law) / place.share  # against u drawn by its share
            results[f"{name}/optimum/{kind}"] = pair_auc(near, chosen, np.random.default_rng(seed))
        for model in MODELS:
            fitted = fit(model, place.graph(), place.sides, choices["worlds"][model], seed)
            results |= {f"{name}/{model}/{kind}": value for kind, value in judge(fitted, pairs, seed).items()}
            if model == "eges":
                results |= {f"{name}/weight/{key}": value for key, value in shop_weights(fitted, place).items()}
    for name in ("driven", "shared"):
        place = shop(np.random.default_rng(seed), **worlds[name])
        warm = {"warm": split_pairs(place.test, place.cold)["warm"]}
        for walks, model in product(num_walks, ("ges", "eges")):
            choice = choices["worlds"][model] | {"num_walks": walks}
            fitted = fit(model, place.graph(), place.sides, choice, seed)
            results[f"{name}/walks{walks}/{model}"] = judge(fitted, warm, seed)["warm"]
    return results | film_results(seed, choices["films"])


def film_results(seed: int, choices: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The three models on films, GES with some of the attributes only, and EGES's mean weights."""
    films = film_split(seed)
    pairs = split_pairs(films.test, films.cold)
    results: dict[str, float] = {}
    for model in MODELS:
        fitted = fit(model, films.graph, films.sides, choices[model], seed)
        results |= {f"films/{model}/{kind}": value for kind, value in judge(fitted, pairs, seed).items()}
        if model == "eges":
            mean = fitted.weights[~fitted.cold].mean(0)
            vectors = np.where(films.cold[:, None], fitted.embed(films.sides, mean[1:]), fitted.vectors)
            weighted = pair_auc(vectors @ fitted.context.T, pairs["cold"], np.random.default_rng(seed))
            results["films/eges/cold_weighted"] = weighted
            results |= {f"films/weight/{a}": float(w) for a, w in zip(("film", *ATTRIBUTES), mean, strict=True)}
    for name, some in (("genre", ("genre",)), ("year", ("year",)), ("people", PEOPLE)):
        fitted = fit("ges", films.graph, film_sides(some), choices["ges"], seed)
        results[f"films/{name}/cold"] = judge(fitted, pairs, seed)["cold"]
    return results


def fit(model: str, graph: Graph, sides: Sides, choice: dict[str, Any], seed: int) -> EGES:
    """BGE, GES or EGES of equal size and start, trained on equal walks."""
    step = choice.get("weight_step", 1.0) if model == "eges" else 0.0
    plain = {key: value for key, value in choice.items() if key != "weight_step"}
    fitted = EGES(graph, None if model == "bge" else sides, step, **plain)
    fitted.fit(np.random.default_rng(seed))
    return fitted


def split_pairs(sessions: Any, cold: np.ndarray) -> dict[str, np.ndarray]:
    """Pairs (v, u) of held-out sessions by v: "warm" or "cold"; u is warm, because a cold u has no context vector."""
    pairs = window_pairs(sessions, WINDOW)
    pairs = pairs[~cold[pairs[:, 1]]]
    return {"warm": pairs[~cold[pairs[:, 0]]], "cold": pairs[cold[pairs[:, 0]]]}


def judge(model: EGES, pairs: dict[str, np.ndarray], seed: int) -> dict[str, float]:
    """AUC of ⟨H_v, Z_u⟩ for warm and for cold v."""
    scores = model.vectors @ model.context.T
    return {kind: pair_auc(scores, chosen, np.random.default_rng(seed)) for kind, chosen in pairs.items()}


def shop_weights(model: EGES, place: Shop) -> dict[str, float]:
    """Mean weight of item, category and brand, and the mean over the noise attributes, by what drives the item."""
    found: dict[str, float] = {}
    for kind, chosen in {
        "all": place.driven_by >= -1,
        "category": place.driven_by == 0,
        "brand": place.driven_by == 1,
    }.items():
        mean = model.weights[~place.cold & chosen].mean(0) if chosen.any() else np.full(model.weights.shape[1], np.nan)
        named = {"item": mean[0], "category": mean[1], "brand": mean[2], "noise": mean[3:].mean()}
        found |= {f"{kind}/{name}": float(value) for name, value in named.items() if chosen.any()}
    return found


@cache
def film_sides(attributes: tuple[str, ...] = ATTRIBUTES) -> Sides:
    """Attributes of the films, in the order of encoded ids; a year of 0 is unknown, and people of one film are left out."""
    ml, graph = movielens.load(), knowledge()
    columns: dict[str, Any] = {
        "genre": list(ml.items["genres"]),
        "year": [(int(year),) if year else () for year in ml.items["year"]],
    }
    for kind in PEOPLE:
        people = graph.of(kind)
        columns[kind] = [people.get(int(item), ()) for item in ml.items.index]
    return Sides.of({name: columns[name] for name in attributes}, least=2)


@cache
def film_split(seed: int) -> Films:
    """Sessions in four parts: 70 % train, 10 % validation, 20 % test; a tenth of the films liked 10 times or more is cold.

    A cold film is cut out of the training sessions, and the session with it: what stood before and after are two.
    """
    ml = movielens.load()
    rng = np.random.default_rng(seed)
    sessions = [s - FIRST for s in views.sequences(ml, rng=rng)]
    likes = np.bincount(np.concatenate(sessions), minlength=len(ml.items))
    cold = np.zeros(len(ml.items), bool)
    often = np.flatnonzero(likes >= 10)
    cold[rng.choice(often, len(often) // 10, replace=False)] = True
    order = rng.permutation(len(sessions))
    train, valid, test = (
        [sessions[k] for k in part] for part in np.split(order, [int(0.7 * len(order)), int(0.8 * len(order))])
    )
    steps = np.concatenate([np.stack([s[:-1], s[1:]], 1) for s in train])
    steps = steps[~cold[steps].any(1)]
    graph = from_edges(steps, directed=True, names=views.item_titles(ml)[FIRST:])
    return Films(graph, film_sides(), cold, valid, test)


def grid() -> dict[str, float]:
    """Validation AUC of warm pairs, mean over seeds 10 and 11, by model and setting."""
    table: dict[str, float] = {}
    for model, epochs, lr in product(MODELS, (1, 3), (0.05, 0.1)):
        for step in (1.0, 10.0) if model == "eges" else (1.0,):
            choice = {"epochs": epochs, "lr": lr, "weight_step": step}
            found = []
            for seed in (10, 11):
                films = film_split(seed)
                fitted = fit(model, films.graph, films.sides, choice, seed)
                found.append(judge(fitted, split_pairs(films.valid, films.cold), seed)["warm"])
            table[f"{model} {choice}"] = float(np.mean(found))
    return table


EXPERIMENT = Experiment(id="4.4.3", run=run, settings=SETTINGS)
