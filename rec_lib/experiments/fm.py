"""2.5: POLY2, FM and FFM where a pair never occurs in training, where vectors depend on the partner, and on MovieLens-100K.

pairwise        user × item of low rank; a fifth of the pairs is kept out of training. "seen" and "unseen" rows: Bayes, LR,
                POLY2 with a weight for every pair, its first-order part alone, FM; what a hashed table of B rows costs
field_aware     another vector for each partner field: FFM against FMs of equal and larger size
pure_fm         one vector for all partners: what FFM pays for its freedom at an equal number of weights
ml100k_random, ml100k_time   LR, POLY2, FM, FFM: test AUC and log loss, at 16 and at 32 numbers an id
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from rec_lib.data import worlds
from rec_lib.data.bayes import expected_auc
from rec_lib.data.table import Table
from rec_lib.data.worlds import World
from rec_lib.experiments.comparison import movielens_parts, test_scores, train, world_auc
from rec_lib.experiments.core import Experiment
from rec_lib.models.base import CTRModel
from rec_lib.models.ffm import FFM
from rec_lib.models.fm import FM
from rec_lib.models.lr import LR
from rec_lib.models.poly2 import POLY2
from rec_lib.schema import Schema
from rec_lib.training import History

Recipe = dict[str, float]  # lr, weight_decay
Grid = dict[str, list[float]]  # the same names, what to try

# On MovieLens: chosen by mean validation AUC over seeds 0 and 1, test rows were not looked at.
# `python -m rec_lib.experiments.fm` prints the table. Recipes within 0.001 of each other are ties.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5},
        "poly2": {"lr": 3e-3, "weight_decay": 1e-5},
        "fm16": {"lr": 3e-3, "weight_decay": 1e-4},
        "ffm16": {"lr": 3e-3, "weight_decay": 1e-4},
        "fm32": {"lr": 3e-3, "weight_decay": 1e-4},
        "ffm32": {"lr": 1e-3, "weight_decay": 1e-4},
    },
    "time": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5},
        "poly2": {"lr": 1e-3, "weight_decay": 1e-5},
        "fm16": {"lr": 1e-3, "weight_decay": 3e-4},
        "ffm16": {"lr": 1e-3, "weight_decay": 3e-4},
        "fm32": {"lr": 1e-3, "weight_decay": 3e-4},
        "ffm32": {"lr": 1e-3, "weight_decay": 3e-4},
    },
}
MOVIELENS = {"buckets": 2**20, "init_sd": 0.05, "epochs": 60, "patience": 3, "batch_size": 1024}
# In the worlds the recipe is chosen by validation AUC within each seed.
PLANTED = {"init_sd": 0.2, "epochs": 80, "patience": 5, "batch_size": 512}
GRID: Grid = {"lr": [3e-3, 1e-2], "weight_decay": [0.0, 1e-5, 1e-4]}
BUCKETS = [2**10, 2**12, 2**14, 2**16, 2**18]


def build(name: str, schema: Schema, init_sd: float, buckets: int | None = None) -> CTRModel:
    """An untrained model: "lr", "poly2", or "fm16", "ffm16" and the like with that many numbers an id.

    An FFM shares its numbers out among the F partner fields: "ffm16" over 8 fields has vectors of 2, and as many
    weights as "fm16".

    Raises:
        ValueError: another name, or an FFM whose numbers cannot be shared out evenly.
    """
    if name == "lr":
        return LR(schema)
    if name == "poly2":
        return POLY2(schema, buckets)
    kind, size = name.rstrip("0123456789"), int("0" + name.lstrip("fm"))
    fields = len(schema.embedded)
    if kind == "fm" and size:
        return FM(schema, size, init_sd)
    if kind == "ffm" and size and size % fields == 0:
        return FFM(schema, size // fields, init_sd)
    raise ValueError(f"name={name!r}: expected lr, poly2, fmN, or ffmN with N a multiple of the {fields} fields.")


def movielens_model(
    name: str, split: str, seed: int, recipe: Recipe | None = None, progress: bool = False
) -> tuple[CTRModel, History, Table]:
    """One model trained by its recipe (or another one) on a split of MovieLens-100K, and the split's test rows."""
    given = recipe or RECIPES[split][name]
    rows, valid, test = movielens_parts(split, seed)
    torch.manual_seed(seed)
    model = build(name, rows.schema, MOVIELENS["init_sd"], int(MOVIELENS["buckets"]))
    lr, weight_decay = given["lr"], given["weight_decay"]
    history = train(
        model, rows, valid, lr=lr, weight_decay=weight_decay, **_budget(MOVIELENS), seed=seed, progress=progress
    )
    return model, history, test


def in_world(name: str, world: World, seed: int, grid: Grid, buckets: int | None = None) -> CTRModel:
    """The model of the recipe with the best validation AUC."""
    best: tuple[float, CTRModel] | None = None
    for lr in grid["lr"]:
        for weight_decay in grid["weight_decay"]:
            torch.manual_seed(seed)
            model = build(name, world.train.schema, PLANTED["init_sd"], buckets)
            history = train(
                model, world.train, world.valid, lr=lr, weight_decay=weight_decay, **_budget(PLANTED), seed=seed
            )
            if best is None or max(history.valid) > best[0]:
                best = max(history.valid), model
    if best is None:
        raise ValueError("the grid has no recipe; expected at least one learning rate and one weight decay.")
    return best[1]


@torch.no_grad()
def own_weight(model: POLY2, table: Table, pair: int = 0) -> torch.Tensor:
    """The weight that POLY2 gives to one pair of places in each row, (N,); pair 0 is that of the first two fields."""
    ids, _ = model.features(table.batch())
    return model.w[model.rows(ids)[:, pair]]


@torch.no_grad()
def first_order_auc(model: POLY2, table: Table) -> float:
    """Expected AUC of POLY2's first-order part alone."""
    return expected_auc(table["p"], model.linear(table.batch()))


def unseen_scores(seed: int, grid: Grid, buckets: list[int]) -> dict[str, float]:
    """ "pairwise/PART/MODEL" for PART seen and unseen; "pairwise/hash/B/…" for a table of B rows."""
    world = worlds.pairwise(seed)
    parts = world.tests
    models = {name: in_world(name, world, seed, grid) for name in ("lr", "poly2", "fm8")}
    poly2 = models["poly2"]
    assert isinstance(poly2, POLY2)
    scores = {f"pairwise/{part}/{name}": world_auc(m, t) for name, m in models.items() for part, t in parts.items()}
    scores |= {f"pairwise/{part}/bayes": world.bayes[f"{part}/auc"] for part in parts}
    scores |= {f"pairwise/{part}/poly2_first_order": first_order_auc(poly2, t) for part, t in parts.items()}
    scores["pairwise/unseen/poly2_silent"] = float((own_weight(poly2, parts["unseen"]) == 0).float().mean())
    for size in buckets:
        hashed = in_world("poly2", world, seed, grid, size)
        assert isinstance(hashed, POLY2)
        scores |= {f"pairwise/hash/{size}/{part}": world_auc(hashed, t) for part, t in parts.items()}
        scores[f"pairwise/hash/{size}/borrowed"] = float((own_weight(hashed, parts["unseen"]) != 0).float().mean())
    return scores


def field_scores(name: str, seed: int, grid: Grid, sizes: list[str]) -> dict[str, float]:
    """ "WORLD/bayes", "WORLD/MODEL" and "WORLD/MODEL/weights"."""
    world: World = {"field_aware": worlds.field_aware, "pure_fm": worlds.pure_fm}[name](seed)
    scores = {f"{name}/bayes": world.bayes["auc"]}
    for model_name in ("lr", "poly2", *sizes):
        model = in_world(model_name, world, seed, grid)
        scores[f"{name}/{model_name}"] = world_auc(model, world.test)
        scores[f"{name}/{model_name}/weights"] = sum(p.numel() for p in model.parameters())
    return scores


def movielens_scores(split: str, seed: int, recipes: dict[str, Recipe]) -> dict[str, float]:
    """ "ml100k_SPLIT/MODEL/auc", "/log_loss" on test rows, "/weights"."""
    scores: dict[str, float] = {}
    for name, recipe in recipes.items():
        model, _, test = movielens_model(name, split, seed, recipe)
        prefix = f"ml100k_{split}/{name}"
        scores |= test_scores(prefix, model, test)
        scores[f"{prefix}/weights"] = sum(p.numel() for p in model.parameters())
    return scores


def run(
    seed: int,
    recipes: dict[str, dict[str, Recipe]],
    grid: Grid,
    buckets: list[int],
    sizes: dict[str, list[str]],
    movielens: dict[str, Any],
    planted: dict[str, Any],
) -> dict[str, float]:
    """All scores of one seed. `movielens` and `planted` are this module's budgets; they are recorded with the results."""
    scores = unseen_scores(seed, grid, buckets)
    for world, names in sizes.items():
        scores |= field_scores(world, seed, grid, names)
    for split in recipes:
        scores |= movielens_scores(split, seed, recipes[split])
    return scores


def choices(
    split: str, tried: dict[str, Grid], seeds: tuple[int, ...] = (0, 1), report: Callable[[str], None] = print
) -> None:
    """Print, for each model, every recipe with its mean validation AUC."""
    for name, grid in tried.items():
        for lr in grid["lr"]:
            for weight_decay in grid["weight_decay"]:
                recipe = {"lr": lr, "weight_decay": weight_decay}
                values = [max(movielens_model(name, split, seed, recipe)[1].valid) for seed in seeds]
                report(f"{split:7} {name:6} {sum(values) / len(values):.4f}  {recipe}")


def _budget(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("epochs", "patience", "batch_size")}


EXPERIMENT = Experiment(
    "2.5",
    run,
    {
        "recipes": RECIPES,
        "grid": GRID,
        "buckets": BUCKETS,
        # fm8 has as many numbers at work as ffm10: of the five vectors of two numbers the one for its own field rests
        "sizes": {"field_aware": ["fm2", "fm8", "fm10", "fm20", "ffm10"], "pure_fm": ["fm4", "fm12", "ffm12"]},
        "movielens": MOVIELENS,
        "planted": PLANTED,
    },
)

if __name__ == "__main__":
    decays = [0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3]
    grids = {name: {"lr": [1e-3, 3e-3, 1e-2], "weight_decay": decays} for name in RECIPES["random"]}
    for which in RECIPES:
        choices(which, grids)
