"""3.8.2: where a history weighed by the candidate beats a pooled one, what the softmax changes, and DIN on MovieLens-100K.

activation_count, _share, _any   what decides is the count of history items in the candidate's category, their share, or whether
                                 there is any: DIN, DIN with softmax, sum and mean pooling, and an inner product with the sum of four times the dimension
activation_count                 also the three things that an activation unit may read, and PReLU in place of Dice
ml100k_random, ml100k_time       no history, mean and sum of the last 20 liked films, DIN: AUC, log loss, and GAUC by user; on the random
                                 split also PReLU in place of Dice, and DIN whose vectors decay by MBA alone or not at all
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from time import process_time
from typing import Any

import torch
from torch import Tensor

from rec_lib.data import movielens, views, worlds
from rec_lib.data.table import Table
from rec_lib.data.worlds import World
from rec_lib.evaluation.metrics import auc, auc_on, gauc, log_loss
from rec_lib.evaluation.splits import random_split, time_split
from rec_lib.experiments.comparison import MOVIELENS, PLANTED, Parts, Recipe, grid
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.networks import HIDDEN, MLP, Make, on_movielens, weights, world_scores
from rec_lib.layers.attention import history_rows
from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.mlp import mlp
from rec_lib.models.base import CTRModel
from rec_lib.models.din import DIN
from rec_lib.schema import FIRST, PAD, Batch, Schema, Sequence
from rec_lib.training import History, fit

LENGTH = 20  # liked films that a history keeps
ATTENTION = 36


class SumPooling(MLP):
    """The paper's base model: the history is the sum of its vectors, whatever the candidate."""

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)  histories last, each the mean of its rows
        for place, history in enumerate(
            self.schema.sequences, start=len(self.schema.embedded) - len(self.schema.sequences)
        ):
            n = (batch[history.name] != PAD).sum(dim=1).to(v.dtype)  # (B,)
            at = torch.arange(v.shape[1], device=v.device) == place  # (F,)
            v = torch.where(at.unsqueeze(1), v * n.view(-1, 1, 1), v)
        return self.mlp(self.emb.flat(v, batch)).squeeze(-1)  # (B,)


class NoHistory(CTRModel):
    """The same network without the history."""

    def __init__(self, schema: Schema, dim: int, hidden: tuple[int, ...], dropout: float, init_sd: float):
        super().__init__(schema)
        rest = Schema(tuple(f for f in schema.fields if not isinstance(f, Sequence)))
        self.emb = FieldEmbedding(rest, dim, init_sd)
        self.mlp = mlp(self.emb.flat_dim, hidden, dropout)

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        return self.mlp(self.emb.flat(v, batch)).squeeze(-1)  # (B,)


class InnerProduct(CTRModel):
    """w₀ + b_item + ⟨Σ_j e_j, W e_a⟩: no attention and no network, and still the candidate meets the history."""

    def __init__(self, schema: Schema, dim: int, init_sd: float):
        super().__init__(schema)
        self.emb = FieldEmbedding(Schema(tuple(f for f in schema.fields if not isinstance(f, Sequence))), dim, init_sd)
        self.bias = FieldEmbedding(self.emb.schema, 1, 0.0)
        self.w0 = torch.nn.Parameter(torch.zeros(()))
        self.W = torch.nn.Parameter(torch.eye(dim))

    def forward(self, batch: Batch) -> Tensor:
        (history,) = self.schema.sequences
        e_a = self.emb(batch)[:, self.emb.field_names.index(history.of)]  # (B, D)
        e, _ = history_rows(self.emb, history.of, batch[history.name])  # (B, T, D)
        return self.w0 + self.bias(batch).sum(dim=(1, 2)) + (e.sum(dim=1) * (e_a @ self.W.mT)).sum(dim=1)  # (B,)


def din(**options: Any) -> Make:
    """Makes a DIN with these options."""
    return lambda schema, dim, dropout, init_sd: DIN(
        schema, dim, HIDDEN, ATTENTION, dropout=dropout, init_sd=init_sd, **options
    )


POOLED: dict[str, Make] = {
    "mean": lambda schema, dim, dropout, init_sd: MLP(schema, dim, HIDDEN, dropout, init_sd),
    "sum": lambda schema, dim, dropout, init_sd: SumPooling(schema, dim, HIDDEN, dropout, init_sd),
}
PLANTED_MAKERS: dict[str, Make] = POOLED | {
    "inner32": lambda schema, dim, dropout, init_sd: InnerProduct(schema, 4 * dim, init_sd),
    "din": din(),
    "din_softmax": din(softmax=True),
}
UNITS: dict[str, Make] = {
    "din_paper": din(interaction="paper"),
    "din_book": din(interaction="book"),
    "din_prelu": din(dice=False),
}
MAKERS: dict[str, Make] = {
    "none": lambda schema, dim, dropout, init_sd: NoHistory(schema, dim, HIDDEN, dropout, init_sd),
    **POOLED,
    "din": din(),
    "din_prelu": din(dice=False),
}
# On MovieLens: chosen by mean validation AUC over seeds 0 and 1. `python -m rec_lib.experiments.din` prints the table.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "none": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},  # the network of 3.3
        "mean": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "sum": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.0},
        "din": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.5},
        "din_prelu": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.3},
    },
    "time": {
        "none": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "mean": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.0},
        "sum": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.3},
        "din": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.0},
    },
}
MBA = 0.1  # λ, of 0, 0.001, 0.01 and 0.1, by mean validation AUC over seeds 0 and 1
TRIED = grid(lr=(3e-3,), weight_decay=(1e-4, 5e-4, 1e-3), dropout=(0.0, 0.3, 0.5))


@cache
def clicks() -> Table:
    """MovieLens-100K as clicks, with each user's last liked films before the row."""
    return views.ctr(movielens.load("ml-100k"), history=LENGTH)


def history_parts(split: str, seed: int) -> Parts:
    """The rows of ``comparison.movielens_parts``, with histories."""
    table = clicks()
    if split not in ("random", "time"):
        raise ValueError(f"split={split!r}: expected 'random' or 'time'.")
    index = random_split(len(table), seed) if split == "random" else time_split(table["timestamp"])
    a, b, c = (table.rows(rows) for rows in index)
    return a, b, c


def scores_of(prefix: str, model: CTRModel, test: Table) -> dict[str, float]:
    """AUC and log loss over all rows, and GAUC: the AUC within each user's rows."""
    p, y = model.predict_proba(test), test["label"]
    return {
        f"{prefix}/auc": auc(y, p),
        f"{prefix}/log_loss": log_loss(y, p),
        f"{prefix}/gauc": gauc(y, p, test["user"]),
    }


def planted_scores(form: str, seed: int) -> dict[str, float]:
    """ "activation_FORM/MODEL", and "/bayes": expected AUC on test rows."""
    world: World = worlds.activation(seed, form)
    makers = PLANTED_MAKERS | (UNITS if form == "count" else {"din_book": UNITS["din_book"]} if form == "any" else {})
    return world_scores(f"activation_{form}", makers, world, seed, grid(weight_decay=(1e-5,)))


def movielens_scores(split: str, seed: int, recipes: dict[str, Recipe]) -> dict[str, float]:
    """ "ml100k_SPLIT/MODEL/auc", "/log_loss", "/gauc", "/parameters", "/train_seconds", "/epochs"."""
    parts = history_parts(split, seed)
    scores: dict[str, float] = {}
    for name, recipe in recipes.items():
        start = process_time()
        model, history = on_movielens(MAKERS[name], split, seed, recipe, parts)
        prefix = f"ml100k_{split}/{name}"
        scores |= {f"{prefix}/train_seconds": process_time() - start, f"{prefix}/parameters": weights(model)}
        scores |= {f"{prefix}/epochs": len(history.loss)} | scores_of(prefix, model, parts[2])
    return scores


def without_decay(seed: int, recipe: Recipe, parts: Parts, mba: float = 0.0) -> tuple[DIN, History]:
    """DIN by its recipe, but the vectors decay by mini-batch aware regularisation alone, or not at all with ``mba`` = 0."""
    rows, valid, _ = parts
    torch.manual_seed(seed)
    model = DIN(
        rows.schema, int(MOVIELENS["dim"]), HIDDEN, ATTENTION, dropout=recipe["dropout"], mba=mba, init_sd=MOVIELENS["init_sd"]
    )  # fmt: skip
    model.count(rows)
    rest = [p for p in model.parameters() if p is not model.emb.table]
    groups: list[dict[str, Any]] = [{"params": [model.emb.table], "weight_decay": 0.0}, {"params": rest}]
    optimizer = torch.optim.Adam(groups, lr=recipe["lr"], weight_decay=recipe["weight_decay"], fused=True)
    budget = {name: int(MOVIELENS[name]) for name in ("epochs", "patience", "batch_size")}
    history = fit(model, rows, optimizers=[optimizer], validate=auc_on(valid), seed=seed, progress=False, **budget)
    return model, history


@torch.no_grad()
def mean_weights(model: DIN, rows: Table, per_category: int = 5) -> Tensor:
    """Mean weight of a history item in a world of ``worlds.activation``, by category of candidate and item: (C, C)."""
    batch = rows.batch()
    ((weights_, _),) = model.activations(model.emb(batch), batch)  # (B, T)
    real = batch["history"] != PAD
    item = ((batch["item"] - FIRST) // per_category).unsqueeze(1).expand_as(real)[real]
    other = ((batch["history"] - FIRST) // per_category)[real]
    n = model.schema.size("item") // per_category
    total = torch.zeros(n, n).index_put((item, other), weights_[real], accumulate=True)
    count = torch.zeros(n, n).index_put((item, other), torch.ones(len(item)), accumulate=True)
    return total / count.clamp(min=1)


def run(
    seed: int,
    recipes: dict[str, Any],
    movielens_budget: dict[str, Any],
    planted: dict[str, Any],
    length: int,
    mba: float,
) -> dict[str, float]:
    """All results of one seed. The settings of comparison.py are arguments so that they are recorded."""
    scores: dict[str, float] = {}
    for form in ("count", "share", "any"):
        scores |= planted_scores(form, seed)
    for split in ("random", "time"):
        scores |= movielens_scores(split, seed, recipes[split])
    parts = history_parts("random", seed)
    for name, strength in {"din_free": 0.0, "din_mba": mba}.items():
        model, _ = without_decay(seed, recipes["random"]["din"], parts, strength)
        scores |= scores_of(f"ml100k_random/{name}", model, parts[2])
    return scores


EXPERIMENT = Experiment(
    "3.8.2", run, {"recipes": RECIPES, "movielens_budget": MOVIELENS, "planted": PLANTED, "length": LENGTH, "mba": MBA}
)


def choices(split: str, names: Iterable[str], seeds: Iterable[int] = (0, 1)) -> dict[str, list[tuple[float, Recipe]]]:
    """For each model every recipe with its mean validation AUC, best first. Test rows are not looked at."""
    parts = {seed: history_parts(split, seed) for seed in seeds}
    found: dict[str, list[tuple[float, Recipe]]] = {}
    for name in names:
        tried = [
            (sum(max(on_movielens(MAKERS[name], split, s, r, p)[1].valid) for s, p in parts.items()) / len(parts), r)
            for r in TRIED
        ]
        found[name] = sorted(tried, key=lambda pair: -pair[0])
    return found


if __name__ == "__main__":
    for which in ("random", "time"):
        for model_name, tried in choices(which, ("mean", "sum", "din")).items():
            for mean, recipe_tried in tried:
                print(f"{which:7} {model_name:12} {mean:.4f}  {recipe_tried}", flush=True)
