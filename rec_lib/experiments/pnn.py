"""3.5: what products are worth to a network, which form of them pays, and PNN on MovieLens-100K.

pure_fm        nothing but pairs of fields, all with weight 1: LR, FM, a network, IPNN, OPNN, PNN*, and the pairs of common code
signed_pairs   the same law with a sign for each pair of fields: what a sum over the fields can no longer tell apart
third_order    a product of three fields: products of two are not what is missing
ml100k_random, ml100k_time   the same models
"pairs" feeds the N(N−1)/2 raw inner products to the network, as most code does. "ipnn_small" is IPNN with θ drawn as a linear
layer's weights are, from ±1/√N.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rec_lib.data import worlds
from rec_lib.data.effects import Effect, Pairwise
from rec_lib.data.simulator import Law, simulate, uniform
from rec_lib.data.worlds import World
from rec_lib.experiments.comparison import MOVIELENS, PLANTED, Recipe, grid
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.networks import HIDDEN, MLP, Make, choices, make_mlp, movielens_scores, world_scores
from rec_lib.layers.mlp import mlp
from rec_lib.models.base import CTRModel
from rec_lib.models.fm import FM
from rec_lib.models.lr import LR
from rec_lib.models.pnn import IPNN, OPNN, PNN
from rec_lib.schema import Batch, Schema


class Pairs(MLP):
    """A network over the vectors and the raw inner products of the N(N−1)/2 pairs, whatever sign and weight it gives them."""

    first: Tensor
    second: Tensor

    def __init__(self, schema: Schema, dim: int, hidden: tuple[int, ...], dropout: float, init_sd: float):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        n = len(self.emb.field_names)
        first, second = torch.triu_indices(n, n, 1)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        self.mlp = mlp(self.emb.flat_dim + len(first), hidden, dropout)

    def forward(self, batch: Batch) -> Tensor:
        f = self.emb(batch)  # (B, N, M)
        p = (f @ f.mT)[:, self.first, self.second]  # (B, N(N−1)/2)
        return self.mlp(torch.cat([self.emb.flat(f, batch), p], dim=1)).squeeze(-1)  # (B,)


def ipnn_small(schema: Schema, dim: int, dropout: float, init_sd: float) -> CTRModel:
    """IPNN whose θ starts as small as the weights of a linear layer over N numbers."""
    model = IPNN(schema, dim, HIDDEN, dropout, init_sd)
    bound = len(model.emb.field_names) ** -0.5
    torch.nn.init.uniform_(model.theta, -bound, bound)
    return model


MAKERS: dict[str, Make] = {
    "lr": lambda schema, dim, dropout, init_sd: LR(schema),
    "fm": lambda schema, dim, dropout, init_sd: FM(schema, dim, init_sd),
    "mlp": make_mlp,
    "ipnn": lambda schema, dim, dropout, init_sd: IPNN(schema, dim, HIDDEN, dropout, init_sd),
    "opnn": lambda schema, dim, dropout, init_sd: OPNN(schema, dim, HIDDEN, dropout, init_sd),
    "pnn": lambda schema, dim, dropout, init_sd: PNN(schema, dim, HIDDEN, dropout, init_sd),
    "pairs": lambda schema, dim, dropout, init_sd: Pairs(schema, dim, HIDDEN, dropout, init_sd),
    "ipnn_small": ipnn_small,
}
ON_MOVIELENS = ("lr", "fm", "mlp", "ipnn", "opnn", "pnn", "pairs")
# On MovieLens: LR and FM as in 3.7, the network as in 3.3; the others by mean validation AUC over seeds 0 and 1.
# `python -m rec_lib.experiments.pnn` prints the table.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5, "dropout": 0.0},
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "mlp": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "ipnn": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "opnn": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.0},
        "pnn": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "pairs": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.0},
    },
    "time": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5, "dropout": 0.0},
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "mlp": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "ipnn": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "opnn": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.3},
        "pnn": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "pairs": {"lr": 3e-3, "weight_decay": 1e-5, "dropout": 0.0},
    },
}


def signed_pairs(seed: int, sizes: tuple[int, int, int] = worlds.SIZES) -> World:
    """Pairs of fields that attract and pairs that repel, 6 fields of 50 values.

    z = Σ_{i<j} s_ij ⟨v_i, v_j⟩ / √60;  v ~ N(0, I₄), s_ij = ±1 for each pair of fields: ``worlds.pure_fm`` with signs.
    """
    rng = np.random.default_rng(seed)
    fields = {f"f{i}": 50 for i in range(6)}
    v = {name: rng.normal(size=(50, 4)) for name in fields}
    effects: dict[str, Effect] = {
        f"{a} {b}": Pairwise({a: v[a], b: v[b]}, rng.choice([-1.0, 1.0]) / np.sqrt(60))
        for a, b in combinations(fields, 2)
    }
    law = Law(fields, effects, 0.0, uniform(fields))
    train, valid, test = (simulate(law, n, rng) for n in sizes)
    return World("signed_pairs", law, train, valid, test)


WORLDS = {"pure_fm": worlds.pure_fm, "signed_pairs": signed_pairs, "third_order": worlds.third_order}


def run(seed: int, recipes: dict[str, Any], movielens: dict[str, Any], planted: dict[str, Any]) -> dict[str, float]:
    """All results of one seed. The settings of comparison.py are arguments so that they are recorded."""
    scores: dict[str, float] = {}
    for name, world in WORLDS.items():
        scores |= world_scores(name, MAKERS, world(seed), seed, grid())
    makers = {name: MAKERS[name] for name in ON_MOVIELENS}
    return (
        scores
        | movielens_scores(makers, "random", seed, recipes["random"])
        | movielens_scores(makers, "time", seed, recipes["time"])
    )


EXPERIMENT = Experiment("3.5", run, {"recipes": RECIPES, "movielens": MOVIELENS, "planted": PLANTED})


if __name__ == "__main__":
    own = {name: MAKERS[name] for name in ON_MOVIELENS if name not in ("lr", "fm", "mlp")}
    for which in ("random", "time"):
        for model_name, tried in choices(own, which).items():
            for mean, recipe_tried in tried:
                print(f"{which:7} {model_name:7} {mean:.4f}  {recipe_tried}", flush=True)
