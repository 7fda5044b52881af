"""2.7: regions where the truth has regions, what more of them cost, which penalty throws features out, and MovieLens.

opposed, half, wide   two regimes with opposed slopes (6 features), half opposed, opposed with 20 features: LR, LS-PLM with
                      m = 1, 2, 3, 4, 12 regions, a network of one hidden layer, GBDT, GBDT+LR; expected AUC on test rows
starts                ten starts of m = 2 and 4 in "opposed" and "half": lowest, highest, chosen on validation rows; and whether
                      the gate found x0
noise                 30 features without a part: AUC, shares of noise and of true features that are exactly zero, by penalty,
                      with all rows in every step, and on mini-batches
ml100k_random, _time  LR and m = 1, 2, 4, 12: test AUC and log loss
Every choice (penalty, step size, size of network and trees) is made on validation rows; for MovieLens
`python -m rec_lib.experiments.ls_plm` prints the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from rec_lib.data import piecewise
from rec_lib.data.bayes import expected_auc
from rec_lib.data.piecewise import Planted
from rec_lib.data.table import Table
from rec_lib.evaluation.metrics import auc_on
from rec_lib.experiments.comparison import Parts, movielens_parts, test_scores
from rec_lib.experiments.comparison import on_movielens as train_by_name
from rec_lib.experiments.core import Experiment
from rec_lib.models.base import CTRModel
from rec_lib.models.fnn import FNN
from rec_lib.models.gbdt_lr import GBDTLR
from rec_lib.models.lr import LR
from rec_lib.models.ls_plm import LSPLM, ProximalAdagrad
from rec_lib.training import fit

WORLDS: dict[str, dict[str, float]] = {
    "opposed": {"d": 6, "opposed": 1.0},
    "half": {"d": 6, "opposed": 0.5},
    "wide": {"d": 20, "opposed": 1.0},
}
REGIONS = (1, 2, 3, 4, 12)
GRID: dict[str, Any] = {
    "lr": 0.2,
    "init_sd": 0.5,
    "penalties": [[0.0, 0.0], [1e-4, 0.0], [1e-3, 0.0], [3e-3, 0.0], [0.0, 1e-3]],  # (λ of L2,1, β of L1)
    "epochs": 40,
    "patience": 5,
    "batch_size": 512,
}
NOISE: dict[str, Any] = {
    "features": 30,
    "l21": [0.0, 1e-3, 3e-3, 6e-3, 1e-2, 2e-2, 5e-2],
    "l1": [0.0, 3e-4, 1e-3, 3e-3, 6e-3, 1e-2, 2e-2],
    "mini": 512,  # rows a step, where it is not all of them
    "steps": 400,
    "starts": 10,
}


def world(name: str, seed: int) -> Planted:
    """One of WORLDS."""
    return piecewise.two_regimes(seed, d=int(WORLDS[name]["d"]), opposed=WORLDS[name]["opposed"])


def trained(
    rows: Table,
    valid: Table,
    m: int,
    seed: int,
    penalties: tuple[float, float],
    lr: float,
    init_sd: float,
    epochs: int,
    patience: int,
    batch_size: int,
    progress: bool = False,
) -> tuple[LSPLM, float]:
    """LS-PLM by proximal steps, early stopping on validation AUC, and the best of these."""
    torch.manual_seed(seed)
    model = LSPLM(rows.schema, m, init_sd)
    optimizer = ProximalAdagrad(model, lr, *penalties)
    history = fit(
        model, rows, optimizers=[optimizer], validate=auc_on(valid), epochs=epochs, patience=patience,
        batch_size=batch_size, seed=seed, progress=progress,
    )  # fmt: skip
    return model, max(history.valid)


def best_penalty(planted: Planted, m: int, seed: int, grid: dict[str, Any]) -> LSPLM:
    """The model whose penalties have the best validation AUC."""
    budget = {name: grid[name] for name in ("lr", "init_sd", "epochs", "patience", "batch_size")}
    tried = [trained(planted.train, planted.valid, m, seed, tuple(p), **budget) for p in grid["penalties"]]
    return max(tried, key=lambda pair: pair[1])[0]


def with_adam(model: CTRModel, planted: Planted, lr: float, seed: int, grid: dict[str, Any]) -> float:
    """Train by Adam, early stopping on validation AUC; the best of these."""
    budget = {name: grid[name] for name in ("epochs", "patience", "batch_size")}
    optimizers = [torch.optim.Adam(model.parameters(), lr=lr, fused=True)]
    validate = auc_on(planted.valid)
    history = fit(model, planted.train, optimizers=optimizers, validate=validate, seed=seed, progress=False, **budget)
    return max(history.valid)


def competitors(planted: Planted, seed: int, grid: dict[str, Any]) -> dict[str, CTRModel]:
    """LR, a network, GBDT and GBDT+LR, each the best of its settings on validation rows."""
    schema, validate = planted.train.schema, auc_on(planted.valid)

    def best(models: Iterable[tuple[CTRModel, float]]) -> CTRModel:
        return max(models, key=lambda pair: pair[1])[0]

    def networks() -> Iterable[tuple[CTRModel, float]]:
        for hidden in ((16,), (64,)):
            for lr in (3e-3, 1e-2):
                torch.manual_seed(seed)
                model = FNN(schema, 2, hidden)
                yield model, with_adam(model, planted, lr, seed, grid)

    def trees(raw: bool) -> Iterable[tuple[GBDTLR, float]]:
        for count in (50, 150, 400):
            for leaves in (8, 16):
                model = GBDTLR(schema, count, leaves, raw=raw)
                model.fit_trees(planted.train, learning_rate=0.1)
                yield model, validate(model)

    linear = LR(schema)
    with_adam(linear, planted, 1e-2, seed, grid)
    gbdt = best(trees(raw=False))
    assert isinstance(gbdt, GBDTLR)
    count, leaves = gbdt.leaf.shape

    def refitted() -> Iterable[tuple[CTRModel, float]]:
        for lr in (3e-4, 1e-3):
            model = GBDTLR(schema, count, leaves)
            model.fit_trees(planted.train, learning_rate=0.1)
            yield model, with_adam(model, planted, lr, seed, grid)

    return {"lr": linear, "network": best(networks()), "gbdt": gbdt, "gbdt_lr": best(refitted())}


def in_world(name: str, seed: int, grid: dict[str, Any]) -> dict[str, float]:
    """ "NAME/bayes", "NAME/MODEL" and "NAME/mM": expected AUC on test rows."""
    planted = world(name, seed)
    models: dict[str, CTRModel] = competitors(planted, seed, grid)
    models |= {f"m{m}": best_penalty(planted, m, seed, grid) for m in REGIONS}
    scores = {
        f"{name}/{key}": expected_auc(planted.test["p"], m.predict_proba(planted.test)) for key, m in models.items()
    }
    budget = {key: grid[key] for key in ("lr", "init_sd", "epochs", "patience", "batch_size")}
    for m in (2, 12):  # the same without any penalty
        free, _ = trained(planted.train, planted.valid, m, seed, (0.0, 0.0), **budget)
        scores[f"{name}/m{m}_free"] = expected_auc(planted.test["p"], free.predict_proba(planted.test))
    return scores | {f"{name}/bayes": planted.bayes["auc"]}


def starts(name: str, seed: int, grid: dict[str, Any], count: int) -> dict[str, float]:
    """Several initial weights on one draw of a world of 6 features, m = 2 and 4: "starts/NAME/mM/lowest", "/highest", and
    "/chosen", the start with the best validation AUC. "/m2/gate_reads_x0": share of starts whose gate reads x0, and not the
    features that the slopes are of.
    """
    planted = world(name, seed)
    budget = {key: grid[key] for key in ("lr", "init_sd", "epochs", "patience", "batch_size")}
    scores: dict[str, float] = {}
    for m in (2, 4):
        runs = [
            trained(planted.train, planted.valid, m, 100 * seed + start, (1e-3, 0.0), **budget)
            for start in range(count)
        ]
        found = [expected_auc(planted.test["p"], model.predict_proba(planted.test)) for model, _ in runs]
        chosen = max(range(count), key=lambda start: runs[start][1])
        values = {"lowest": min(found), "highest": max(found), "chosen": found[chosen]}
        scores |= {f"starts/{name}/m{m}/{key}": value for key, value in values.items()}
        if m == 2:
            shares = [gate_on_x0(model) for model, _ in runs]
            scores[f"starts/{name}/m2/gate_reads_x0"] = sum(share > 0.5 for share in shares) / count
    return scores


def gate_on_x0(model: LSPLM) -> float:
    """Of the squared weights in the gate of two regions (their difference), the share that is x0's."""
    assert model.dense is not None
    gate = (model.dense[:, 0] - model.dense[:, 1]).detach().square()
    return float(gate[0] / gate.sum())


def zeros(model: LSPLM) -> dict[str, float]:
    """Shares of dense features without and with a part in the law whose 2m numbers are all exactly zero."""
    assert model.dense is not None
    gone = (model.dense == 0).all(dim=1)
    is_noise = torch.tensor([f.name.startswith("noise") for f in model.schema.dense])
    return {"noise_gone": float(gone[is_noise].float().mean()), "true_gone": float(gone[~is_noise].float().mean())}


def noise(
    seed: int, grid: dict[str, Any], features: int, l21: list[float], l1: list[float], mini: int, steps: int
) -> dict[str, float]:
    """ "noise/KIND/PRICE/auc", "/noise_gone", "/true_gone" for m = 2 under one penalty alone, all rows in every step;
    "noise/KIND/chosen/…" at the price with the best validation AUC; "noise/mini/PRICE/…" for L2,1 on mini-batches.
    """
    planted = piecewise.two_regimes(seed, noise=features)
    scores = {"noise/bayes": planted.bayes["auc"]}

    def one(kind: str, price: float) -> tuple[dict[str, float], float]:
        penalties = (0.0, price) if kind == "l1" else (price, 0.0)
        batch = mini if kind == "mini" else len(planted.train)
        epochs = max(1, steps * batch // len(planted.train))
        model, value = trained(
            planted.train, planted.valid, 2, seed, penalties, grid["lr"], grid["init_sd"], epochs, epochs, batch
        )
        return {"auc": expected_auc(planted.test["p"], model.predict_proba(planted.test))} | zeros(model), value

    for kind, prices in {"l21": l21, "l1": l1, "mini": l21}.items():
        tried = {price: one(kind, price) for price in prices}
        chosen = max(tried, key=lambda price: tried[price][1])
        labels = {f"{price:g}": price for price in prices} | {"chosen": chosen}
        for label, price in labels.items():
            scores |= {f"noise/{kind}/{label}/{key}": number for key, number in tried[price][0].items()}
    return scores


# On MovieLens: chosen by mean validation AUC over seeds 0 and 1 among `candidates`.
RECIPES: dict[str, dict[str, dict[str, float]]] = {
    "random": {
        "m1": {"lr": 0.1, "init_sd": 0.05, "l21": 1e-05, "l1": 0},
        "m2": {"lr": 0.2, "init_sd": 0.05, "l21": 1e-05, "l1": 0},
        "m4": {"lr": 0.2, "init_sd": 0.05, "l21": 1e-05, "l1": 0},
        "m12": {"lr": 0.1, "init_sd": 0.05, "l21": 1e-05, "l1": 0},
    },
    "time": {
        "m1": {"lr": 0.1, "init_sd": 0.05, "l21": 3e-06, "l1": 0},
        "m2": {"lr": 0.1, "init_sd": 0.05, "l21": 0, "l1": 1e-05},
        "m4": {"lr": 0.1, "init_sd": 0.05, "l21": 0, "l1": 3e-06},
        "m12": {"lr": 0.1, "init_sd": 0.05, "l21": 0, "l1": 1e-05},
    },
}
MOVIELENS: dict[str, Any] = {"epochs": 30, "patience": 3, "batch_size": 1024}
ON_MOVIELENS = (1, 2, 4, 12)


def on_movielens(
    parts: Parts, m: int, seed: int, recipe: dict[str, float], progress: bool = False
) -> tuple[LSPLM, float]:
    """LS-PLM of m regions on a split of MovieLens, and its best validation AUC."""
    penalties = (recipe["l21"], recipe["l1"])
    return trained(
        parts[0], parts[1], m, seed, penalties, recipe["lr"], recipe["init_sd"], progress=progress, **MOVIELENS
    )


def candidates() -> Iterator[dict[str, float]]:
    """Settings for every m."""
    for lr, init_sd in ((0.1, 0.05), (0.2, 0.05), (0.1, 0.3)):
        for l21, l1 in ((0.0, 0.0), (3e-6, 0.0), (1e-5, 0.0), (0.0, 3e-6), (0.0, 1e-5)):
            yield {"lr": lr, "init_sd": init_sd, "l21": l21, "l1": l1}


def choices(split: str, seeds: Iterable[int] = (0, 1)) -> dict[str, list[tuple[float, dict[str, float]]]]:
    """For each m its settings with their mean validation AUC, best first. Test rows are not looked at."""
    parts = {seed: movielens_parts(split, seed) for seed in seeds}
    found = {}
    for m in ON_MOVIELENS:
        tried = [(sum(on_movielens(p, m, s, r)[1] for s, p in parts.items()) / len(parts), r) for r in candidates()]
        found[f"m{m}"] = sorted(tried, key=lambda pair: -pair[0])
    return found


def movielens_scores(split: str, seed: int, recipes: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """ "ml100k_SPLIT/lr/…" and "ml100k_SPLIT/mM/auc", "/log_loss" on test rows, "/zero": share of features at zero."""
    parts = movielens_parts(split, seed)
    linear, _ = train_by_name("lr", split, seed, parts=parts)
    scores = test_scores(f"ml100k_{split}/lr", linear, parts[2])
    for m in ON_MOVIELENS:
        model, _ = on_movielens(parts, m, seed, recipes[split][f"m{m}"])
        scores |= test_scores(f"ml100k_{split}/m{m}", model, parts[2])
        scores[f"ml100k_{split}/m{m}/zero"] = float((model.theta.table == 0).all(dim=1).float().mean())
    return scores


def run(
    seed: int,
    worlds: dict[str, Any],
    grid: dict[str, Any],
    noisy: dict[str, Any],
    recipes: dict[str, Any],
    movielens: dict[str, Any],
) -> dict[str, float]:
    """All results of one seed."""
    scores: dict[str, float] = {}
    for name in worlds:
        scores |= in_world(name, seed, grid)
    for name in ("opposed", "half"):
        scores |= starts(name, seed, grid, noisy["starts"])
    scores |= noise(seed, grid, noisy["features"], noisy["l21"], noisy["l1"], noisy["mini"], noisy["steps"])
    return scores | movielens_scores("random", seed, recipes) | movielens_scores("time", seed, recipes)


EXPERIMENT = Experiment(
    "2.7", run, {"worlds": WORLDS, "grid": GRID, "noisy": NOISE, "recipes": RECIPES, "movielens": MOVIELENS}
)


if __name__ == "__main__":
    for which in ("random", "time"):
        for model_name, tried_settings in choices(which).items():
            for mean_auc, setting in tried_settings:
                print(f"{which:7} {model_name:4} {mean_auc:.4f}  {setting}", flush=True)
