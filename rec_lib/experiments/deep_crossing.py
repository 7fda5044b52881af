"""3.3: what depth costs without the shortcut, what crossing by a network is worth, and Deep Crossing on MovieLens-100K.

third_order    a product of three fields: LR, FM, a network of 64-32, Deep Crossing, and the same layers without the shortcut
depth          the same law through 2, 5 and 10 units: with the shortcut, without it, and without it from He's start. Expected
               test AUC, and the gradient of the first unit over that of the last before the first step
ml100k_random, ml100k_time   LR, FM, the network, Deep Crossing, and Deep Crossing without the ReLU on the vectors
off            share of the numbers that this ReLU has set to 0, before training and after it (random split)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rec_lib.data import worlds
from rec_lib.data.table import Table
from rec_lib.data.worlds import World
from rec_lib.experiments.comparison import MOVIELENS, PLANTED, Recipe, grid, movielens_parts, train, world_auc
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.networks import HIDDEN, Make, choices, make_mlp, movielens_scores, on_movielens, world_scores
from rec_lib.models.base import CTRModel
from rec_lib.models.deep_crossing import DeepCrossing, ResidualUnit
from rec_lib.models.fm import FM
from rec_lib.models.lr import LR
from rec_lib.schema import Batch, Schema

DEPTH: dict[str, Any] = {
    "units": [2, 5, 10],
    "hidden": 32,
    "dim": 8,
    "init_sd": 0.05,
    "lr": [1e-3, 3e-3, 1e-2],
    "epochs": 10,
    "batch_size": 512,
}
WAYS = ("residual", "plain", "plain_he")


class PlainUnit(ResidualUnit):
    """The same two layers, and nothing added: what a residual unit is compared with."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.residual(x))


class Plain(DeepCrossing):
    """Deep Crossing without the shortcut: of the same size and, from the same seed, with the same start."""

    def __init__(
        self, schema: Schema, dim: int, hidden: tuple[int, ...] = HIDDEN, dropout: float = 0.0, init_sd: float = 0.05
    ):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        width = self.score.in_features
        units = nn.Sequential(*(PlainUnit(width, h, dropout) for h in hidden))
        units.load_state_dict(self.units.state_dict())  # the same start
        self.units = units


class LookUp(DeepCrossing):
    """Deep Crossing with vectors as they stand in the table, as most code has it: no bias and no ReLU on them."""

    def __init__(
        self, schema: Schema, dim: int, hidden: tuple[int, ...] = HIDDEN, dropout: float = 0.0, init_sd: float = 0.05
    ):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        del self.bias

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        stacked = torch.cat([self.emb.flat(v, batch), self.small(batch, v.dtype)], dim=1)  # (B, X)
        return self.score(self.units(stacked)).squeeze(-1)  # (B,)


MAKERS: dict[str, Make] = {
    "lr": lambda schema, dim, dropout, init_sd: LR(schema),
    "fm": lambda schema, dim, dropout, init_sd: FM(schema, dim, init_sd),
    "mlp": make_mlp,
    "deep_crossing": lambda schema, dim, dropout, init_sd: DeepCrossing(schema, dim, HIDDEN, dropout, init_sd),
    "plain": lambda schema, dim, dropout, init_sd: Plain(schema, dim, HIDDEN, dropout, init_sd),
    "look_up": lambda schema, dim, dropout, init_sd: LookUp(schema, dim, HIDDEN, dropout, init_sd),
}
ON_MOVIELENS = ("lr", "fm", "mlp", "deep_crossing", "look_up")
# On MovieLens: LR and FM as in 3.7; the others by mean validation AUC over seeds 0 and 1.
# `python -m rec_lib.experiments.deep_crossing` prints the table.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5, "dropout": 0.0},
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "mlp": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "deep_crossing": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.0},
        "look_up": {"lr": 3e-3, "weight_decay": 5e-4, "dropout": 0.0},
    },
    "time": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5, "dropout": 0.0},
        "fm": {"lr": 3e-3, "weight_decay": 1e-4, "dropout": 0.0},
        "mlp": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "deep_crossing": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
        "look_up": {"lr": 3e-3, "weight_decay": 1e-3, "dropout": 0.3},
    },
}


def start_as_he(units: nn.Module) -> None:
    """Weights from N(0, 2/inputs), biases 0: He et al., "Delving Deep into Rectifiers", ICCV 2015. A ReLU halves the
    variance that passes; this start doubles it first.
    """
    for layer in units.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


def deep(way: str, schema: Schema, units: int, seed: int, settings: dict[str, Any]) -> DeepCrossing:
    """An untrained network of so many units: "residual", "plain" or "plain_he"."""
    if way not in WAYS:
        raise ValueError(f"way={way!r}: expected one of {', '.join(WAYS)}.")
    torch.manual_seed(seed)
    kind = DeepCrossing if way == "residual" else Plain
    model = kind(schema, settings["dim"], (settings["hidden"],) * units, 0.0, settings["init_sd"])
    if way == "plain_he":
        start_as_he(model.units)
    return model


def gradient_norms(model: DeepCrossing, rows: Table) -> list[float]:
    """Root mean square of the loss's gradient in the weights of each unit's first layer, unit by unit."""
    model.zero_grad()
    model.loss(rows.batch()).backward()
    found = []
    for unit in model.units:
        assert isinstance(unit, ResidualUnit)
        assert unit.inner.weight.grad is not None
        found.append(float(unit.inner.weight.grad.square().mean().sqrt()))
    model.zero_grad()
    return found


def depth_scores(world: World, seed: int, settings: dict[str, Any]) -> dict[str, float]:
    """ "depth/WAY/UNITS/auc" at the learning rate with the best validation AUC, "/first_over_last" gradient at the start."""
    scores: dict[str, float] = {}
    budget = {"epochs": settings["epochs"], "patience": settings["epochs"], "batch_size": settings["batch_size"]}
    for units in settings["units"]:
        for way in WAYS:
            norms = gradient_norms(
                deep(way, world.train.schema, units, seed, settings), world.train.rows(torch.arange(2048))
            )
            best: tuple[float, CTRModel] | None = None
            for lr in settings["lr"]:
                model = deep(way, world.train.schema, units, seed, settings)
                history = train(model, world.train, world.valid, lr=lr, weight_decay=0.0, seed=seed, **budget)
                if best is None or max(history.valid) > best[0]:
                    best = max(history.valid), model
            assert best is not None
            prefix = f"depth/{way}/{units}"
            scores |= {
                f"{prefix}/auc": world_auc(best[1], world.test),
                f"{prefix}/first_over_last": norms[0] / norms[-1],
            }
    return scores


@torch.no_grad()
def switched_off(model: DeepCrossing, rows: Table) -> float:
    """Share of the numbers max(0, W_j x + b_j) that are 0, over the rows and the fields with a vector."""
    v = model.emb(rows.batch()) + model.bias
    return float((v <= 0).float().mean())


def off_scores(seed: int, recipe: Recipe) -> dict[str, float]:
    """ "off/start", "off/trained": share of the numbers of the vectors that the ReLU has switched off on test rows."""
    parts = movielens_parts("random", seed)
    make = MAKERS["deep_crossing"]
    torch.manual_seed(seed)
    fresh = make(parts[0].schema, int(MOVIELENS["dim"]), recipe["dropout"], MOVIELENS["init_sd"])
    trained, _ = on_movielens(make, "random", seed, recipe, parts)
    found = {}
    for name, model in {"start": fresh, "trained": trained}.items():
        assert isinstance(model, DeepCrossing)
        found[f"off/{name}"] = switched_off(model, parts[2])
    return found


def run(
    seed: int, recipes: dict[str, Any], movielens: dict[str, Any], planted: dict[str, Any], depth: dict[str, Any]
) -> dict[str, float]:
    """All results of one seed. The settings of comparison.py are arguments so that they are recorded."""
    world = worlds.third_order(seed)
    scores = world_scores("third_order", MAKERS, world, seed, grid())
    scores |= depth_scores(world, seed, depth)
    makers = {name: MAKERS[name] for name in ON_MOVIELENS}
    for split in ("random", "time"):
        scores |= movielens_scores(makers, split, seed, recipes[split])
    return scores | off_scores(seed, recipes["random"]["deep_crossing"])


EXPERIMENT = Experiment("3.3", run, {"recipes": RECIPES, "movielens": MOVIELENS, "planted": PLANTED, "depth": DEPTH})


if __name__ == "__main__":
    own = {name: MAKERS[name] for name in ON_MOVIELENS if name not in ("lr", "fm")}
    for which in ("random", "time"):
        for model_name, tried in choices(own, which).items():
            for mean, recipe_tried in tried:
                print(f"{which:7} {model_name:13} {mean:.4f}  {recipe_tried}", flush=True)
