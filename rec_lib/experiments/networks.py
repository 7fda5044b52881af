"""What the experiments of 3.3 and 3.5 share: a plain network over field vectors, and one way to train and choose for all.

Compared models have the same dimension, initial standard deviation, batch size, number of epochs at most and patience: those
of ``comparison.MOVIELENS`` and ``comparison.PLANTED``. The recipe (learning rate, weight decay, dropout) is a model's own,
chosen on validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from rec_lib.data.worlds import World
from rec_lib.experiments.comparison import (
    MOVIELENS,
    PLANTED,
    Parts,
    Recipe,
    grid,
    movielens_parts,
    test_scores,
    train,
    world_auc,
)
from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.mlp import mlp
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema
from rec_lib.training import History

HIDDEN = (64, 32)
Make = Callable[[Schema, int, float, float], CTRModel]  # schema, dim, dropout, init_sd → an untrained model
# decay of all weights by dropout of the hidden units; the learning rate is 3e-3 throughout
TRIED = grid(lr=(3e-3,), weight_decay=(1e-5, 1e-4, 5e-4, 1e-3), dropout=(0.0, 0.3))


class MLP(CTRModel):
    """Field vectors side by side, then dense ReLU layers: what both sections compare with."""

    def __init__(self, schema: Schema, dim: int, hidden: tuple[int, ...], dropout: float, init_sd: float):
        super().__init__(schema)
        self.emb = FieldEmbedding(schema, dim, init_sd)
        self.mlp = mlp(self.emb.flat_dim, hidden, dropout)

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        return self.mlp(self.emb.flat(v, batch)).squeeze(-1)  # (B,)


def make_mlp(schema: Schema, dim: int, dropout: float, init_sd: float) -> CTRModel:
    """The plain network of 64-32."""
    return MLP(schema, dim, HIDDEN, dropout, init_sd)


def in_world(
    make: Make, world: World, seed: int, recipes: Iterable[Recipe], dim: int = 8, init_sd: float = 0.05
) -> tuple[CTRModel, History]:
    """The model of the recipe with the best validation AUC, trained on a planted world."""
    tried = [fitted(make, world, seed, recipe, dim, init_sd) for recipe in recipes]
    if not tried:
        raise ValueError("no recipe was given; expected at least one.")
    return max(tried, key=lambda pair: max(pair[1].valid))


def fitted(
    make: Make, world: World, seed: int, recipe: Recipe, dim: int, init_sd: float, progress: bool = False
) -> tuple[CTRModel, History]:
    """One model trained by one recipe on a planted world."""
    torch.manual_seed(seed)
    model = make(world.train.schema, dim, recipe["dropout"], init_sd)
    lr, weight_decay = recipe["lr"], recipe["weight_decay"]
    history = train(
        model, world.train, world.valid, lr=lr, weight_decay=weight_decay, seed=seed, progress=progress, **_budget(PLANTED)
    )  # fmt: skip
    return model, history


def on_movielens(
    make: Make, split: str, seed: int, recipe: Recipe, parts: Parts | None = None, progress: bool = False
) -> tuple[CTRModel, History]:
    """One model trained by a recipe on a split of MovieLens-100K."""
    rows, valid, _ = parts or movielens_parts(split, seed)
    torch.manual_seed(seed)
    model = make(rows.schema, int(MOVIELENS["dim"]), recipe["dropout"], MOVIELENS["init_sd"])
    lr, weight_decay = recipe["lr"], recipe["weight_decay"]
    history = train(
        model, rows, valid, lr=lr, weight_decay=weight_decay, seed=seed, progress=progress, **_budget(MOVIELENS)
    )
    return model, history


def movielens_scores(makers: dict[str, Make], split: str, seed: int, recipes: dict[str, Recipe]) -> dict[str, float]:
    """ "ml100k_SPLIT/NAME/auc", "/log_loss" on test rows, "/epochs" trained, "/weights" in number."""
    scores: dict[str, float] = {}
    parts = movielens_parts(split, seed)
    for name, make in makers.items():
        model, history = on_movielens(make, split, seed, recipes[name], parts)
        prefix = f"ml100k_{split}/{name}"
        scores |= test_scores(prefix, model, parts[2])
        scores |= {f"{prefix}/epochs": len(history.loss), f"{prefix}/weights": weights(model)}
    return scores


def world_scores(
    name: str, makers: dict[str, Make], world: World, seed: int, recipes: list[Recipe], **sizes: Any
) -> dict[str, float]:
    """ "NAME/MODEL" expected AUC on test rows, "NAME/MODEL/weights", and "NAME/bayes"."""
    scores = {f"{name}/bayes": world.bayes["auc"]}
    for key, make in makers.items():
        model, _ = in_world(make, world, seed, recipes, **sizes)
        scores |= {f"{name}/{key}": world_auc(model, world.test), f"{name}/{key}/weights": weights(model)}
    return scores


def weights(model: CTRModel) -> int:
    """How many numbers the model learns."""
    return sum(p.numel() for p in model.parameters())


def choices(
    makers: dict[str, Make], split: str, seeds: Iterable[int] = (0, 1)
) -> dict[str, list[tuple[float, Recipe]]]:
    """For each model every recipe with its mean validation AUC, best first. Test rows are not looked at."""
    parts = {seed: movielens_parts(split, seed) for seed in seeds}
    found: dict[str, list[tuple[float, Recipe]]] = {}
    for name, make in makers.items():
        tried = [
            (sum(max(on_movielens(make, split, s, recipe, p)[1].valid) for s, p in parts.items()) / len(parts), recipe)
            for recipe in TRIED
        ]
        found[name] = sorted(tried, key=lambda pair: -pair[0])
    return found


def _budget(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("epochs", "patience", "batch_size")}
