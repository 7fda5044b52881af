"""3.8.1: where attention over the pairs pays, where a weight for each pair of fields does it better, and AFM on MovieLens-100K.

noise_fields   one pair of 28 matters: FM can shorten the vectors of the other fields
ring           eight pairs of 28 matter, each field in two of them: one vector must count with some partners and not with others
ml100k_random, ml100k_time   FM, AFM, and FwFM, which has one learnt number for each pair of fields
All models have dimension 8 in the worlds; "fm16" and "fm32" are FMs of two and four times as many numbers.
"""

from __future__ import annotations

from itertools import combinations
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rec_lib.data.effects import Effect, Pairwise
from rec_lib.data.simulator import Law, simulate, uniform
from rec_lib.data.table import Table
from rec_lib.data.worlds import SIZES, World
from rec_lib.experiments.comparison import MOVIELENS, PLANTED, Recipe, grid, movielens_parts, test_scores
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.networks import Make, choices, on_movielens, weights, world_scores
from rec_lib.layers.embedding import FieldEmbedding, LinearTerm
from rec_lib.models.afm import AFM
from rec_lib.models.base import CTRModel
from rec_lib.models.fm import FM
from rec_lib.schema import Batch, Schema


class FwFM(CTRModel):
    """FM with one learnt weight for each pair of fields (Pan et al., WWW 2018): the weights do not look at the sample."""

    def __init__(self, schema: Schema, dim: int, init_sd: float):
        super().__init__(schema)
        self.linear = LinearTerm(schema)
        self.emb = FieldEmbedding(schema, dim, init_sd)
        n = len(schema.embedded)
        self.r = nn.Parameter(torch.ones(n * (n - 1) // 2))  # (P,)  1: it starts as an FM
        first, second = torch.triu_indices(n, n, 1)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)

    first: Tensor
    second: Tensor

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        products = (v @ v.mT)[:, self.first, self.second]  # (B, P)  ⟨v_i, v_j⟩
        return self.linear(batch) + products @ self.r  # (B,)


MAKERS: dict[str, Make] = {
    "fm": lambda schema, dim, dropout, init_sd: FM(schema, dim, init_sd),
    "afm": lambda schema, dim, dropout, init_sd: AFM(schema, dim, dim, dropout, init_sd),
    "fwfm": lambda schema, dim, dropout, init_sd: FwFM(schema, dim, init_sd),
}
WIDER: dict[str, Make] = {
    "fm16": lambda schema, dim, dropout, init_sd: FM(schema, 2 * dim, init_sd),
    "fm32": lambda schema, dim, dropout, init_sd: FM(schema, 4 * dim, init_sd),
}
# On MovieLens: FM as in 3.7; the others by mean validation AUC over seeds 0 and 1.
# `python -m rec_lib.experiments.afm` prints the table.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "afm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.3},
        "fwfm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
    },
    "time": {
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "afm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.3},
        "fwfm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
    },
}


def pairs_world(name: str, pairs: list[tuple[int, int]], seed: int, sizes: tuple[int, int, int]) -> World:
    """z = 2 Σ ⟨v_i, v_j⟩ / √m over m pairs of fields; 8 fields of 40 values, v ~ N(0, I₄ / 2): every product has variance 1."""
    rng = np.random.default_rng(seed)
    fields = {f"f{i}": 40 for i in range(8)}
    v = {field: rng.normal(size=(40, 4)) / 4**0.25 for field in fields}
    effects: dict[str, Effect] = {
        f"f{i} f{j}": Pairwise({f"f{i}": v[f"f{i}"], f"f{j}": v[f"f{j}"]}, 2 / np.sqrt(len(pairs))) for i, j in pairs
    }
    law = Law(fields, effects, 0.0, uniform(fields))
    train, valid, test = (simulate(law, n, rng) for n in sizes)
    return World(name, law, train, valid, test)


def noise_fields(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """Fields 0 and 1 decide, six fields are noise."""
    return pairs_world("noise_fields", [(0, 1)], seed, sizes)


def ring(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """Each field counts with its two neighbours on a ring and with nobody else."""
    return pairs_world("ring", [(i, (i + 1) % 8) for i in range(8)], seed, sizes)


WORLDS = {"noise_fields": noise_fields, "ring": ring}


@torch.no_grad()
def mean_attention(model: AFM, rows: Table) -> dict[tuple[str, str], float]:
    """How much each pair of fields counts on average, as a multiple of an even share."""
    batch = rows.batch()
    a = model.attention(model.pairs(model.emb(batch)), batch).mean(dim=0)  # (P,)
    return dict(zip(combinations(model.emb.field_names, 2), (a * len(a)).tolist(), strict=True))


def spread_within_pairs(model: AFM, rows: Table) -> float:
    """Standard deviation over samples of a pair's weight, in even shares, mean over the pairs."""
    batch = rows.batch()
    with torch.no_grad():
        a = model.attention(model.pairs(model.emb(batch)), batch)  # (B, P)
    return float((a * a.shape[1]).std(dim=0).mean())


def run(seed: int, recipes: dict[str, Any], movielens: dict[str, Any], planted: dict[str, Any]) -> dict[str, float]:
    """All results of one seed. The settings of comparison.py are arguments so that they are recorded."""
    scores: dict[str, float] = {}
    for name, world in WORLDS.items():
        makers = MAKERS | (WIDER if name == "ring" else {})
        scores |= world_scores(name, makers, world(seed), seed, grid(weight_decay=(1e-5,)))
    for split in ("random", "time"):
        parts = movielens_parts(split, seed)
        for name, make in MAKERS.items():
            start = process_time()
            model, history = on_movielens(make, split, seed, recipes[split][name], parts)
            prefix = f"ml100k_{split}/{name}"
            scores |= {f"{prefix}/train_seconds": process_time() - start, f"{prefix}/parameters": weights(model)}
            scores |= {f"{prefix}/epochs": len(history.loss)} | test_scores(prefix, model, parts[2])
            if isinstance(model, AFM):
                scores[f"spread/{split}"] = spread_within_pairs(model, parts[2])
    return scores


EXPERIMENT = Experiment("3.8.1", run, {"recipes": RECIPES, "movielens": MOVIELENS, "planted": PLANTED})


if __name__ == "__main__":
    own = {name: make for name, make in MAKERS.items() if name != "fm"}
    for which in ("random", "time"):
        for model_name, tried in choices(own, which).items():
            for mean, recipe_tried in tried:
                print(f"{which:7} {model_name:5} {mean:.4f}  {recipe_tried}", flush=True)
