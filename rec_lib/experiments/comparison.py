"""What the experiments of 3.7 share: models by name, one budget for all, scores by name.

Compared models have the same dimension, hidden layers, initial standard deviation, batch size, number of epochs at most and patience.
Learning rate, weight decay and dropout are a model's own: they were chosen on validation rows, never on test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch

from rec_lib.data import movielens, views
from rec_lib.data.bayes import expected_auc
from rec_lib.data.table import Table
from rec_lib.data.worlds import World
from rec_lib.evaluation import auc, auc_on, log_loss, random_split, time_split
from rec_lib.models import FM, FNN, LR, NFM, CTRModel, DeepFM
from rec_lib.schema import Schema
from rec_lib.training import History, fit

Recipe = dict[str, float]  # lr, weight_decay, dropout
Parts = tuple[Table, Table, Table]  # training, validation, test rows

# On MovieLens: chosen by mean validation AUC over seeds 0 and 1, weight decay from 1e-5 to 1e-3, dropout 0 or 0.3.
# Recipes within 0.001 of each other are ties. `python -m rec_lib.experiments.comparison` prints the table.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5, "dropout": 0.0},
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "fnn": {"lr": 3e-3, "weight_decay": 1e-5, "dropout": 0.0},
        "deepfm": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.3},
        "nfm": {"lr": 3e-3, "weight_decay": 3e-4, "dropout": 0.3},
        "nfm_bn": {"lr": 3e-3, "weight_decay": 3e-4, "dropout": 0.3},
    },
    "time": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5, "dropout": 0.0},
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "fnn": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "deepfm": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.0},
        "nfm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.3},
        "nfm_bn": {"lr": 3e-3, "weight_decay": 3e-4, "dropout": 0.3},
    },
}
MOVIELENS = {"dim": 16, "init_sd": 0.05, "epochs": 30, "patience": 3, "batch_size": 1024}
PLANTED = {"dim": 8, "init_sd": 0.05, "epochs": 20, "patience": 4, "batch_size": 512}


def build(name: str, schema: Schema, dim: int, init_sd: float, dropout: float = 0.0) -> CTRModel:
    """An untrained model: "lr", "fm", "fnn", "deepfm", "nfm" or "nfm_bn" (NFM with its paper's batch norm).

    Hidden layers are 64-32, and one of 64 for NFM, whose paper found one layer best.
    """
    makers: dict[str, Callable[[], CTRModel]] = {
        "lr": lambda: LR(schema),
        "fm": lambda: FM(schema, dim, init_sd),
        "fnn": lambda: FNN(schema, dim, (64, 32), dropout, init_sd),
        "deepfm": lambda: DeepFM(schema, dim, (64, 32), dropout, init_sd),
        "nfm": lambda: NFM(schema, dim, (64,), dropout, batch_norm=False, init_sd=init_sd),
        "nfm_bn": lambda: NFM(schema, dim, (64,), dropout, init_sd=init_sd),
    }
    if name not in makers:
        raise ValueError(f"name={name!r}: expected one of {', '.join(makers)}.")
    return makers[name]()


def train(
    model: CTRModel,
    rows: Table,
    valid: Table,
    *,
    lr: float,
    weight_decay: float,
    epochs: int,
    patience: int,
    batch_size: int,
    seed: int,
    progress: bool = False,
) -> History:
    """Adam on the log loss, early stopping on validation AUC, best weights restored."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
    return fit(
        model,
        rows,
        optimizers=[optimizer],
        epochs=epochs,
        batch_size=batch_size,
        validate=auc_on(valid),
        patience=patience,
        seed=seed,
        progress=progress,
    )


@cache
def movielens_clicks() -> Table:
    """MovieLens-100K as clicks (4 stars or more), read once."""
    return views.ctr(movielens.load("ml-100k"))


def movielens_parts(split: str, seed: int) -> Parts:
    """80/10/10, "random" (another draw for each seed) or by "time" (the same rows for all seeds)."""
    table = movielens_clicks()
    if split not in ("random", "time"):
        raise ValueError(f"split={split!r}: expected 'random' or 'time'.")
    index = random_split(len(table), seed) if split == "random" else time_split(table["timestamp"])
    a, b, c = (table.rows(rows) for rows in index)
    return a, b, c


def on_movielens(
    name: str, split: str, seed: int, recipe: Recipe | None = None, parts: Parts | None = None, progress: bool = False
) -> tuple[CTRModel, History]:
    """One model trained by its recipe (or another one) on a split of MovieLens-100K."""
    given = recipe or RECIPES[split][name]
    rows, valid, _ = parts or movielens_parts(split, seed)
    torch.manual_seed(seed)
    model = build(name, rows.schema, int(MOVIELENS["dim"]), MOVIELENS["init_sd"], given["dropout"])
    history = train(
        model,
        rows,
        valid,
        lr=given["lr"],
        weight_decay=given["weight_decay"],
        seed=seed,
        progress=progress,
        **_budget(MOVIELENS),
    )
    return model, history


def movielens_scores(names: Iterable[str], split: str, seed: int) -> dict[str, float]:
    """ "ml100k_SPLIT/NAME/auc", "/log_loss" on test rows, "/epochs" trained."""
    scores: dict[str, float] = {}
    parts = movielens_parts(split, seed)
    for name in names:
        model, history = on_movielens(name, split, seed, parts=parts)
        scores |= test_scores(f"ml100k_{split}/{name}", model, parts[2]) | {
            f"ml100k_{split}/{name}/epochs": len(history.loss)
        }
    return scores


def test_scores(prefix: str, model: CTRModel, test: Table) -> dict[str, float]:
    p, y = model.predict_proba(test), test["label"]
    return {f"{prefix}/auc": auc(y, p), f"{prefix}/log_loss": log_loss(y, p)}


def in_world(
    name: str, world: World, seed: int, grid: Iterable[Recipe], dim: int = 8, init_sd: float = 0.05
) -> tuple[CTRModel, History]:
    """The model of the recipe with the best validation AUC, trained on a planted world."""
    best: tuple[CTRModel, History] | None = None
    for recipe in grid:
        torch.manual_seed(seed)
        model = build(name, world.train.schema, dim, init_sd, recipe["dropout"])
        history = train(
            model,
            world.train,
            world.valid,
            lr=recipe["lr"],
            weight_decay=recipe["weight_decay"],
            seed=seed,
            **_budget(PLANTED),
        )
        if best is None or max(history.valid) > max(best[1].valid):
            best = model, history
    if best is None:
        raise ValueError("the grid has no recipe; expected at least one.")
    return best


def grid(
    lr: Iterable[float] = (1e-2,), weight_decay: Iterable[float] = (0.0, 1e-5), dropout: Iterable[float] = (0.0,)
) -> list[Recipe]:
    """All combinations."""
    return [{"lr": a, "weight_decay": b, "dropout": c} for a in lr for b in weight_decay for c in dropout]


def world_auc(model: CTRModel, test: Table) -> float:
    """AUC over all labels that the true probabilities of the test rows could draw: no luck of labels in it."""
    return expected_auc(test["p"], model.predict_proba(test))


def choices(split: str, seeds: Iterable[int] = (0, 1)) -> dict[str, list[tuple[float, Recipe]]]:
    """For each model every recipe of the grid with its mean validation AUC, best first. Test rows are not looked at."""
    found: dict[str, list[tuple[float, Recipe]]] = {}
    for name in RECIPES[split]:
        recipes = grid(
            (3e-3, 1e-2) if name == "lr" else (3e-3,),
            (1e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3),
            (0.0,) if name in ("lr", "fm") else (0.0, 0.3),
        )
        means = [
            sum(max(on_movielens(name, split, s, recipe)[1].valid) for s in seeds) / len(tuple(seeds))
            for recipe in recipes
        ]
        found[name] = sorted(zip(means, recipes, strict=True), key=lambda pair: -pair[0])
    return found


def _budget(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("epochs", "patience", "batch_size")}


if __name__ == "__main__":
    for which in RECIPES:
        for model_name, tried in choices(which).items():
            for mean, recipe_tried in tried:
                print(f"{which:7} {model_name:7} {mean:.4f}  {recipe_tried}", flush=True)
