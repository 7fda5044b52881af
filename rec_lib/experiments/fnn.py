"""3.7.1: does FNN gain from starting at a trained FM: epochs to a given AUC, final AUC, and the bill for the FM's own training.

pure_fm                      nothing but pairs: FM, FNN from random numbers, FNN from the FM
ml100k_random, ml100k_time   the same on MovieLens-100K, and FNN from the FM's vectors without its first-order weights
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from rec_lib.data import worlds
from rec_lib.experiments.comparison import (
    MOVIELENS,
    PLANTED,
    RECIPES,
    Parts,
    movielens_parts,
    on_movielens,
    test_scores,
    train,
    world_auc,
)
from rec_lib.experiments.core import Experiment
from rec_lib.models import FM, FNN
from rec_lib.training import History

LEVELS = (80, 90, 100)  # per cent of the random start's best gain over 0.5, in validation AUC
# both starts choose on validation AUC; the random start also among two scales of initial numbers
GRID = {"lr": (3e-3, 1e-2), "weight_decay": (0.0, 1e-4), "init_sd": (0.05, 0.5)}


def run(seed: int, recipes: dict, movielens: dict, planted: dict, grid: dict) -> dict[str, float]:
    """All scores of one seed. The settings are those of this file and of comparison.py; they are recorded as arguments."""
    return planted_scores(seed) | movielens_fnn("random", seed) | movielens_fnn("time", seed)


def epochs_to(level: float, valid: Sequence[float], limit: int) -> int:
    """The first epoch, counted from 1, whose validation AUC reaches the level; limit + 1 if none does."""
    return next((epoch for epoch, value in enumerate(valid, start=1) if value >= level - 1e-12), limit + 1)


def from_fm(fm: FM, parts: tuple[str, ...] = ("w", "v"), init_sd: float = 0.05) -> FNN:
    """FNN.from_fm, or with first-order weights and constant drawn at random instead where "w" is not among the parts."""
    model = FNN.from_fm(fm, (64, 32))
    if "w" not in parts:
        with torch.no_grad():
            model.w0.zero_()
            model.emb.table[:, 0].normal_(0, init_sd)
    return model


def planted_scores(seed: int) -> dict[str, float]:
    """FM, FNN from random numbers and FNN from the FM in a world of pairs: AUC, epochs to the levels, first epoch."""
    world = worlds.pure_fm(seed)
    budget: dict[str, Any] = {name: PLANTED[name] for name in ("epochs", "patience", "batch_size")}
    rows: Parts = (world.train, world.valid, world.test)
    torch.manual_seed(seed)
    fm = FM(world.train.schema, int(PLANTED["dim"]), PLANTED["init_sd"])
    history_fm = train(fm, *rows[:2], lr=1e-2, weight_decay=0.0, seed=seed, **budget)
    starts: dict[str, tuple[FNN, History]] = {}
    for start, scales in {"random": GRID["init_sd"], "from_fm": (PLANTED["init_sd"],)}.items():
        for init_sd in scales:
            for lr in GRID["lr"]:
                for decay in GRID["weight_decay"]:
                    torch.manual_seed(seed)
                    if start == "from_fm":
                        model = from_fm(fm)
                    else:
                        model = FNN(world.train.schema, fm.emb.dim, (64, 32), init_sd=init_sd)
                    history = train(model, *rows[:2], lr=lr, weight_decay=decay, seed=seed, **budget)
                    if start not in starts or max(history.valid) > max(starts[start][1].valid):
                        starts[start] = model, history
    scores = {"pure_fm/bayes": world.bayes["auc"], "pure_fm/fm/auc": world_auc(fm, world.test)}
    best = max(starts["random"][1].valid)
    for start, (model, history) in starts.items():
        scores[f"pure_fm/{start}/auc"] = world_auc(model, world.test)
        scores[f"pure_fm/{start}/first_epoch"] = history.valid[0]
        for level in LEVELS:
            target = 0.5 + level / 100 * (best - 0.5)
            scores[f"pure_fm/{start}/epochs_to_{level}"] = epochs_to(target, history.valid, int(PLANTED["epochs"]))
    return scores | {"pure_fm/fm/epochs": history_fm.best_epoch}


def movielens_fnn(split: str, seed: int) -> dict[str, float]:
    """LR, FM and three FNNs on MovieLens-100K: test AUC and log loss, epochs to the random start's best validation AUC."""
    prefix, parts = f"ml100k_{split}", movielens_parts(split, seed)
    budget: dict[str, Any] = {name: MOVIELENS[name] for name in ("epochs", "patience", "batch_size")}
    linear, _ = on_movielens("lr", split, seed, parts=parts)
    fm, history_fm = on_movielens("fm", split, seed, parts=parts)
    assert isinstance(fm, FM)
    recipe = RECIPES[split]["fnn"]
    runs: dict[str, tuple[FNN, History]] = {}
    for start in ("random", "from_fm", "vectors_only"):
        torch.manual_seed(seed)
        if start == "random":
            model = FNN(fm.schema, fm.emb.dim, (64, 32), init_sd=MOVIELENS["init_sd"])
        else:
            model = from_fm(fm, ("w", "v") if start == "from_fm" else ("v",))
        history = train(model, *parts[:2], lr=recipe["lr"], weight_decay=recipe["weight_decay"], seed=seed, **budget)
        runs[start] = model, history
    best = max(runs["random"][1].valid)
    scores = test_scores(f"{prefix}/lr", linear, parts[2]) | test_scores(f"{prefix}/fm", fm, parts[2])
    scores[f"{prefix}/fm/epochs"] = history_fm.best_epoch
    for start, (model, history) in runs.items():
        scores |= test_scores(f"{prefix}/{start}", model, parts[2])
        scores[f"{prefix}/{start}/epochs_to_best"] = epochs_to(best, history.valid, int(MOVIELENS["epochs"]))
        scores[f"{prefix}/{start}/best_epoch"] = history.best_epoch
        scores[f"{prefix}/{start}/first_epoch"] = history.valid[0]
    if not all(math.isfinite(value) for value in scores.values()):
        raise ValueError(f"a score is not finite: {scores}")
    return scores


EXPERIMENT = Experiment("3.7.1", run, {"recipes": RECIPES, "movielens": MOVIELENS, "planted": PLANTED, "grid": GRID})
