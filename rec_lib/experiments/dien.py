"""3.9: what the order of a history is worth, and what a loss without clicks teaches. Planted worlds and MovieLens-100K.

threads_2, threads_4    interests that move on, two or four of them interleaved: expected AUC of DIN, "din_places" (DIN with a vector for each place
                        of the history), "gru" (one GRU, its last state), AIGRU, AGRU, AUGRU, and "bayes", the best possible
recency_2000, _20000    recent behaviours count, with so many labelled rows: DIN, and GRU and AUGRU with α = 0, 0.5, 1, such as "augru_0.5" (the
                        GRU alone with many rows)
ml100k_random, _time    AUC, log loss, parameters, CPU seconds of DIN, GRU, "augru" (DIEN without auxiliary loss) and "dien"; on the random
                        split also "augru_shuffled", whose histories have lost their order, and "augru_clean" and "dien_clean", in whose
                        training histories no film of a validation or test row stands
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rec_lib.data import movielens, views, worlds
from rec_lib.data.negatives import with_negatives
from rec_lib.data.recency import recency
from rec_lib.data.table import Table
from rec_lib.data.worlds import World
from rec_lib.evaluation.metrics import auc, log_loss
from rec_lib.evaluation.splits import random_split, time_split
from rec_lib.experiments.comparison import Parts, Recipe, train, world_auc
from rec_lib.experiments.core import Experiment
from rec_lib.layers.attention import history_rows
from rec_lib.models.base import CTRModel
from rec_lib.models.dien import DIEN
from rec_lib.models.din import DIN
from rec_lib.schema import PAD, Batch, Schema
from rec_lib.training import History

# One size and one initial scale for all that are compared; a vector has as many numbers as a state.
PLANTED: Recipe = {"dim": 16, "init_sd": 0.5, "lr": 0.01, "epochs": 10, "patience": 3, "batch_size": 256}
FEW: Recipe = PLANTED | {"init_sd": 0.05, "epochs": 15, "patience": 15, "batch_size": 128}
MANY: Recipe = FEW | {"batch_size": 512}
MOVIELENS: Recipe = {"dim": 16, "init_sd": 0.05, "lr": 3e-3, "epochs": 30, "patience": 3, "batch_size": 1024}
LENGTH = 20  # liked films that a history keeps
# On MovieLens: chosen by mean validation AUC over seeds 0 and 1, DIN's in 3.8.2; `python -m rec_lib.experiments.dien` prints the tables.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "din": {"weight_decay": 1e-4, "dropout": 0.5},
        "gru": {"weight_decay": 5e-4, "dropout": 0.5},
        "augru": {"weight_decay": 1e-4, "dropout": 0.0},
        "dien": {"weight_decay": 1e-4, "dropout": 0.0, "auxiliary": 1.0},
    },
    "time": {
        "din": {"weight_decay": 1e-3, "dropout": 0.0},
        "dien": {"weight_decay": 1e-3, "dropout": 0.3, "auxiliary": 0.1},
    },
}
ALPHAS = (0.0, 0.5, 1.0)
VARIANTS = ("augru_shuffled", "augru_clean", "dien_clean")  # of a model's rows, on the random split


class LastState(DIEN):
    """One GRU and its last state, whatever the candidate."""

    def __init__(self, schema: Schema, dim: int, auxiliary: float = 0.0, dropout: float = 0.0, init_sd: float = 0.05):
        super().__init__(schema, dim, auxiliary=auxiliary, dropout=dropout, init_sd=init_sd)
        del self.evolver, self.W

    def answer(self, batch: Batch, h: Tensor, mask: Tensor) -> Tensor:
        x = torch.cat([self.emb.flat(self.emb(batch), batch), h[-1]], dim=1)  # (B, F·D + N + D)
        return self.mlp(x).squeeze(-1)  # (B,)


class WithPlaces(DIN):
    """DIN that is told where in the history a behaviour stands: a vector for each place, added to the item's."""

    def __init__(self, schema: Schema, dim: int, dropout: float = 0.0, init_sd: float = 0.05):
        super().__init__(schema, dim, dropout=dropout, init_sd=init_sd)
        self.place = nn.Parameter(torch.randn(schema.sequences[0].maxlen, dim) * init_sd)

    def activations(self, v: Tensor, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        (history,) = self.schema.sequences
        e, mask = history_rows(self.emb, history.of, batch[history.name])  # (B, T, D), (B, T)
        e = (e + self.place) * mask.unsqueeze(2)
        return [(self.units[0](v[:, self.emb.field_names.index(history.of)], e, mask), e)]


Make = Callable[..., CTRModel]
MAKERS: dict[str, Make] = {
    "din": DIN,
    "din_places": WithPlaces,
    "gru": LastState,
    "aigru": lambda schema, dim, **options: DIEN(schema, dim, evolution="aigru", **options),
    "agru": lambda schema, dim, **options: DIEN(schema, dim, evolution="agru", **options),
    "augru": DIEN,
    "dien": DIEN,
}


def fitted(
    name: str, parts: Parts, seed: int, budget: Recipe, options: Recipe | None = None, progress: bool = False
) -> tuple[CTRModel, History]:
    """A model trained on the first of (train, valid, test); `options` are weight_decay and what its constructor takes."""
    given = dict(options or {})
    weight_decay = given.pop("weight_decay", 0.0)
    torch.manual_seed(seed)
    model = MAKERS[name](parts[0].schema, int(budget["dim"]), init_sd=budget["init_sd"], **given)
    history = train(
        model,
        parts[0],
        parts[1],
        lr=budget["lr"],
        weight_decay=weight_decay,
        epochs=int(budget["epochs"]),
        patience=int(budget["patience"]),
        batch_size=int(budget["batch_size"]),
        seed=seed,
        progress=progress,
    )
    return model, history


def of(world: World) -> Parts:
    return world.train, world.valid, world.test


def threads_scores(interests: int, seed: int) -> dict[str, float]:
    """ "threads_K/MODEL" and "/bayes"."""
    world = worlds.threads(seed, interests)
    scores = {f"threads_{interests}/bayes": world.bayes["auc"]}
    for name in ("din", "din_places", "gru", "aigru", "agru", "augru"):
        model, _ = fitted(name, of(world), seed, PLANTED)
        scores[f"threads_{interests}/{name}"] = world_auc(model, world.test)
    return scores


def recency_scores(labels: int, seed: int, names: Iterable[str], alphas: Iterable[float]) -> dict[str, float]:
    """ "recency_LABELS/MODEL_ALPHA", "/din" and "/bayes"."""
    world = recency(seed, (labels, 2_000, 12_000))
    budget = FEW if labels < 10_000 else MANY
    key = f"recency_{labels}"
    scores = {f"{key}/bayes": world.bayes["auc"]}
    scores[f"{key}/din"] = world_auc(fitted("din", of(world), seed, budget)[0], world.test)
    parts = with_negatives(world.train, np.random.default_rng(seed + 1000)), world.valid, world.test
    for name in names:
        for alpha in alphas:
            model, _ = fitted(name, parts, seed, budget, {"auxiliary": alpha})
            scores[f"{key}/{name}_{alpha:g}"] = world_auc(model, world.test)
    return scores


@cache
def clicks() -> Table:
    """MovieLens-100K as clicks, with each user's last liked films before the row."""
    return views.ctr(movielens.load("ml-100k"), history=LENGTH)


def parts_of(split: str, seed: int) -> Parts:
    """80/10/10, "random" (another draw for each seed) or by "time"."""
    table = clicks()
    index = random_split(len(table), seed) if split == "random" else time_split(table["timestamp"])
    a, b, c = (table.rows(rows) for rows in index)
    return a, b, c


def shuffled(table: Table, rng: np.random.Generator) -> Table:
    """The same films in every history, in a random order; padding stays at the end."""
    history = table["history"].numpy()
    order = np.where(history == PAD, 2.0, rng.random(history.shape)).argsort(axis=1)
    mixed = torch.from_numpy(np.take_along_axis(history, order, axis=1))
    return Table(table.schema, table.columns | {"history": mixed}, table.extra)


def clean(parts: Parts) -> Parts:
    """The same, but films of a user's validation and test rows are taken out of the histories of the training rows.

    On a random split a later training row shows which of them the user liked: what is asked of the model.
    """
    train, *held = parts
    size = train.schema.size("item")
    asked = np.concatenate([(rows["user"] * size + rows["item"]).numpy() for rows in held])
    history = train["history"].numpy()
    gone = np.isin(train["user"].numpy()[:, None] * size + history, asked)
    left = np.where(gone, PAD, history)
    order = (left == PAD).argsort(axis=1, kind="stable")  # padding to the end, the others as they stood
    closed = torch.from_numpy(np.take_along_axis(left, order, axis=1))
    return Table(train.schema, train.columns | {"history": closed}, train.extra), parts[1], parts[2]


def ready(name: str, parts: Parts, seed: int) -> Parts:
    """What "MODEL" or "MODEL_shuffled" or "MODEL_clean" reads: DIEN's training rows have negatives."""
    rng = np.random.default_rng(seed + 1000)
    if name.endswith("_shuffled"):
        a, b, c = (shuffled(table, rng) for table in parts)
        parts = a, b, c
    if name.endswith("_clean"):
        parts = clean(parts)
    return (with_negatives(parts[0], rng), *parts[1:]) if name.startswith("dien") else parts


def movielens_scores(split: str, seed: int, recipes: dict[str, Recipe]) -> dict[str, float]:
    """ "ml100k_SPLIT/MODEL/auc", "/log_loss", "/parameters", "/train_seconds", "/epochs"."""
    scores: dict[str, float] = {}
    for name in [*recipes, *(VARIANTS if split == "random" else ())]:
        scores |= one_score(name, split, seed, recipes)
    return scores


def one_score(name: str, split: str, seed: int, recipes: dict[str, Recipe]) -> dict[str, float]:
    """The same of one model."""
    kind = name.split("_")[0]
    rows = ready(name, parts_of(split, seed), seed)
    start = process_time()
    model, history = fitted(kind, rows, seed, MOVIELENS, recipes[kind])
    prefix = f"ml100k_{split}/{name}"
    scores = {f"{prefix}/train_seconds": process_time() - start, f"{prefix}/epochs": float(len(history.loss))}
    scores[f"{prefix}/parameters"] = float(sum(p.numel() for p in model.parameters()))
    return scores | test_scores(prefix, model, rows[2])


def test_scores(prefix: str, model: CTRModel, test: Table) -> dict[str, float]:
    p, y = model.predict_proba(test), test["label"]
    return {f"{prefix}/auc": auc(y, p), f"{prefix}/log_loss": log_loss(y, p)}


def run(
    seed: int,
    recipes: dict[str, Any],
    planted: Recipe,
    few: Recipe,
    many: Recipe,
    movielens_budget: Recipe,
    length: int,
) -> dict[str, float]:
    """All results of one seed. The settings are this file's; they are arguments so that they are recorded."""
    scores = threads_scores(2, seed) | threads_scores(4, seed)
    scores |= recency_scores(2_000, seed, ("gru", "augru"), ALPHAS)
    scores |= recency_scores(20_000, seed, ("gru",), (0.0, 0.5))
    for split in ("random", "time"):
        scores |= movielens_scores(split, seed, recipes[split])
    return scores


EXPERIMENT = Experiment(
    "3.9",
    run,
    {
        "recipes": RECIPES, "planted": PLANTED, "few": FEW, "many": MANY, "movielens_budget": MOVIELENS, "length": LENGTH
    },
)  # fmt: skip


def choices(
    split: str, name: str, tried: Iterable[Recipe], seeds: Iterable[int] = (0, 1)
) -> list[tuple[float, Recipe]]:
    """Mean validation AUC of each recipe, best first. Test rows are not looked at."""
    found = []
    parts = {seed: ready(name, parts_of(split, seed), seed) for seed in seeds}
    for recipe in tried:
        values = [max(fitted(name, p, s, MOVIELENS, recipe)[1].valid) for s, p in parts.items()]
        found.append((float(np.mean(values)), recipe))
        print(f"{split:7} {name:6} {found[-1][0]:.4f}  {recipe}", flush=True)
    return sorted(found, key=lambda pair: -pair[0])


def tuned(split: str, name: str) -> None:
    """Weight decay and dropout first, for "dien" with the α's at the best of them."""
    decays = (1e-4, 5e-4) if split == "random" else (1e-3, 3e-3)
    base = [{"weight_decay": w, "dropout": p} for w in decays for p in (0.0, 0.3, 0.5)]
    best = choices(split, "augru" if name == "dien" else name, base)[0][1]
    if name == "dien":
        choices(split, name, [best | {"auxiliary": alpha} for alpha in (0.03, 0.1, 0.3, 1.0, 3.0)])


if __name__ == "__main__":
    for which, model_name in (("random", "gru"), ("random", "dien"), ("time", "dien")):
        tuned(which, model_name)
