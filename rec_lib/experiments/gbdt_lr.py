"""2.6: what leaves give to LR, what LR gives to trees, on planted steps and on MovieLens; and what goes stale.

steps                   thresholds that cross, and an id of 300 values: LR, LR on bins, GBDT without the id, with its number, with
                        its click rate, GBDT+LR on leaves alone (the paper's) and with the raw features; expected AUC
ml100k_random, _time    LR on ids, LR on ids and statistics, GBDT on statistics, GBDT+LR both ways: test AUC, NE, log loss
leak                    GBDT on MovieLens whose click rates contain the row's own label: AUC on training and on test rows
days/DRIFT              a model of day 0 on days 1 to 8: kept, with LR trained on each day, with trees and LR of each day
ml100k_periods          the same on ten periods of MovieLens: NE of period k with what was known before it
Every choice is made on validation rows. `python -m rec_lib.experiments.gbdt_lr` prints the table for MovieLens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from rec_lib.data import piecewise
from rec_lib.data.bayes import expected_auc
from rec_lib.data.piecewise import Planted
from rec_lib.data.statistics import rates, with_dense
from rec_lib.data.table import Table
from rec_lib.evaluation.entropy import normalised_entropy
from rec_lib.evaluation.metrics import auc, auc_on, log_loss
from rec_lib.experiments.comparison import Parts, movielens_clicks, movielens_parts
from rec_lib.experiments.core import Experiment
from rec_lib.models.base import CTRModel
from rec_lib.models.gbdt_lr import GBDTLR
from rec_lib.models.lr import LR
from rec_lib.schema import FIRST, Schema, Sparse
from rec_lib.training import fit

# what the trees read of an id: how often it was seen and how often it was clicked
COUNTED = {
    "user": ("user",), "item": ("item",), "year": ("year",), "occupation": ("occupation",), "zip": ("zip",),
    "user_genres": ("user", "genres"), "age_genres": ("age", "genres"), "gender_item": ("gender", "item"),
    "age_item": ("age", "item"),
}  # fmt: skip
WAY = {"random": "out_of_fold", "time": "past"}  # how training rows get their rates

Recipe = dict[str, float]


def statistics(rows: Table, known: Table, way: str, seed: int) -> dict[str, np.ndarray]:
    """Dense columns of MovieLens rows: log counts and rates of COUNTED, age and year as numbers, a 0/1 for each genre."""
    columns: dict[str, np.ndarray] = {}
    rng = np.random.default_rng(seed)
    for name, fields in COUNTED.items():
        count, rate = rates(rows, known, fields, way, rng=rng)
        columns |= {f"seen_{name}": np.log1p(count), f"rate_{name}": rate}
    columns |= {f"{name}_number": rows[name].numpy().astype(float) for name in ("age", "year", "gender")}
    genres = rows["genres"].numpy()
    size = rows.schema.size("genres")
    return columns | {f"genre_{g}": (genres == g).any(axis=1).astype(float) for g in range(FIRST, size)}


def wide(parts: Parts, way: str, seed: int) -> Parts:
    """The rows of a split with statistics of the training rows, scaled by what the training rows' are like."""
    rows, valid, test = parts
    own = statistics(rows, rows, way, seed)
    mean, sd = _scale(own)
    a, b, c = (
        with_dense(part, {name: (values - mean[name]) / sd[name] for name, values in columns.items()})
        for part, columns in (
            (rows, own),
            (valid, statistics(valid, rows, "known", seed)),
            (test, statistics(test, rows, "known", seed)),
        )
    )
    return a, b, c


def _scale(columns: dict[str, np.ndarray]) -> tuple[dict[str, float], dict[str, float]]:
    mean = {name: float(values.mean()) for name, values in columns.items()}
    return mean, {name: float(values.std()) or 1.0 for name, values in columns.items()}


# On MovieLens: chosen by mean validation AUC over seeds 0 and 1 among the settings of `candidates`.
RECIPES: dict[str, dict[str, Recipe]] = {
    "random": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5},
        "lr_stats": {"lr": 1e-2, "weight_decay": 1e-5},
        "gbdt": {"trees": 200, "leaves": 16, "rate": 0.05},
        "gbdt_lr_leaves": {
            "trees": 100,
            "leaves": 8,
            "rate": 0.1,
            "leaf_lr": 3e-4,
            "start": 1.0,
            "lr": 1e-2,
            "weight_decay": 1e-5,
        },
        "gbdt_lr": {
            "trees": 50,
            "leaves": 8,
            "rate": 0.1,
            "leaf_lr": 3e-4,
            "start": 0.0,
            "lr": 1e-2,
            "weight_decay": 1e-5,
        },
    },
    "time": {
        "lr": {"lr": 1e-2, "weight_decay": 1e-5},
        "lr_stats": {"lr": 1e-2, "weight_decay": 1e-5},
        "gbdt": {"trees": 50, "leaves": 8, "rate": 0.1},
        "gbdt_lr_leaves": {
            "trees": 50,
            "leaves": 8,
            "rate": 0.1,
            "leaf_lr": 3e-4,
            "start": 1.0,
            "lr": 1e-2,
            "weight_decay": 1e-5,
        },
        "gbdt_lr": {
            "trees": 25,
            "leaves": 8,
            "rate": 0.1,
            "leaf_lr": 3e-4,
            "start": 1.0,
            "lr": 1e-2,
            "weight_decay": 1e-5,
        },
    },
}
BUDGET: dict[str, Any] = {"epochs": 20, "patience": 3, "batch_size": 1024}
PLANTED: dict[str, Any] = {
    "epochs": 30, "patience": 3, "batch_size": 512, "trees": [50, 150], "rates": [0.1, 0.2], "leaf_lr": [1e-3, 3e-3],
}  # fmt: skip
DAYS: dict[str, Any] = {"trees": 60, "rate": 0.15, "lr": 1e-2, "leaf_lr": 3e-3, "weight_decay": 1e-5, "epochs": 10}
PERIODS: dict[str, Any] = {"periods": 10, "first": 4}
DRIFTS = ("nothing", "ads", "crossing")


def train(
    model: CTRModel,
    rows: Table,
    valid: Table,
    seed: int,
    lr: float,
    weight_decay: float,
    leaf_lr: float,
    budget: dict[str, Any],
) -> float:
    """Adam, early stopping on validation AUC, and the best of these. Weights of leaves have a step size of their own."""
    leaves = [model.leaf] if isinstance(model, GBDTLR) else []
    others = [p for p in model.parameters() if not any(p is leaf for leaf in leaves)]
    groups: list[dict[str, Any]] = [{"params": others, "lr": lr}]
    groups += [{"params": leaves, "lr": leaf_lr}] if leaves else []
    history = fit(
        model, rows, optimizers=[torch.optim.Adam(groups, weight_decay=weight_decay, fused=True)], validate=auc_on(valid), seed=seed,
        progress=False, epochs=budget["epochs"], patience=budget["patience"], batch_size=budget["batch_size"],
    )  # fmt: skip
    return max(history.valid)


def grown(
    rows: Table, raw: bool, trees: int, leaves: int, rate: float, start: float = 1.0, min_leaf: int = 200
) -> GBDTLR:
    """Trees on these rows. start 1 leaves the weights at the trees' own values, 0 takes them away, as the paper's LR begins."""
    model = GBDTLR(rows.schema, trees, leaves, raw)
    model.fit_trees(rows, learning_rate=rate, min_leaf=min_leaf, l2=1.0)
    with torch.no_grad():
        model.leaf.mul_(start)
    return model


def on_movielens(
    name: str, parts: Parts, seed: int, recipe: Recipe, budget: dict[str, Any] = BUDGET
) -> tuple[CTRModel, float]:
    """One model on rows that have what it needs ("lr" takes any, the others `wide` ones), and its validation AUC.

    "lr", "lr_stats", "gbdt", "gbdt_lr_leaves" (the paper's: LR reads leaves alone) or "gbdt_lr".
    """
    rows, valid, _ = parts
    torch.manual_seed(seed)
    if name in ("lr", "lr_stats"):
        linear = LR(rows.schema)
        return linear, train(linear, rows, valid, seed, recipe["lr"], recipe["weight_decay"], 0.0, budget)
    model = grown(
        rows, name == "gbdt_lr", int(recipe["trees"]), int(recipe["leaves"]), recipe["rate"], recipe.get("start", 1.0)
    )
    if name == "gbdt":
        return model, auc_on(valid)(model)
    return model, train(model, rows, valid, seed, recipe["lr"], recipe["weight_decay"], recipe["leaf_lr"], budget)


def candidates(name: str) -> Iterator[Recipe]:
    """The settings among which a model's recipe is chosen."""
    linear = [{"lr": lr, "weight_decay": wd} for lr in (3e-3, 1e-2) for wd in (1e-5, 1e-4)]
    shapes = [
        {"trees": t, "leaves": n, "rate": r} for t, n, r in ((25, 8, 0.1), (50, 8, 0.1), (100, 8, 0.1), (100, 16, 0.1), (200, 16, 0.05))
    ]  # fmt: skip
    if name in ("lr", "lr_stats"):
        yield from linear
    elif name == "gbdt":
        yield from shapes
    else:
        for shape in shapes[:3]:
            for leaf_lr in (3e-4, 1e-3):
                for start in (0.0, 1.0):
                    yield shape | {"leaf_lr": leaf_lr, "start": start, "lr": 1e-2, "weight_decay": 1e-5}


def choices(split: str, seeds: Iterable[int] = (0, 1)) -> dict[str, list[tuple[float, Recipe]]]:
    """For each model its settings with their mean validation AUC, best first. Test rows are not looked at."""
    found: dict[str, list[tuple[float, Recipe]]] = {}
    seeds = tuple(seeds)
    narrow = {seed: movielens_parts(split, seed) for seed in seeds}
    broad = {seed: wide(narrow[seed], WAY[split], seed) for seed in seeds}
    for name in ("lr", "lr_stats", "gbdt", "gbdt_lr_leaves", "gbdt_lr"):
        parts = narrow if name == "lr" else broad
        means = [
            (sum(on_movielens(name, parts[seed], seed, recipe)[1] for seed in seeds) / len(seeds), recipe)
            for recipe in candidates(name)
        ]
        found[name] = sorted(means, key=lambda pair: -pair[0])
    return found


def movielens_scores(split: str, seed: int, recipes: dict[str, dict[str, Recipe]]) -> dict[str, float]:
    """ "ml100k_SPLIT/MODEL/auc", "/ne", "/log_loss" on test rows."""
    narrow = movielens_parts(split, seed)
    broad = wide(narrow, WAY[split], seed)
    background = float(narrow[0]["label"].mean())
    scores: dict[str, float] = {}
    for name, recipe in recipes[split].items():
        parts = narrow if name == "lr" else broad
        model, _ = on_movielens(name, parts, seed, recipe)
        y, p = parts[2]["label"], model.predict_proba(parts[2])
        scores |= {f"ml100k_{split}/{name}/{key}": value for key, value in _judged(y, p, background).items()}
    return scores


def _judged(y: Any, p: Any, background: float) -> dict[str, float]:
    return {"auc": auc(y, p), "ne": normalised_entropy(y, p, background), "log_loss": log_loss(y, p)}


def leak(seed: int, recipes: dict[str, dict[str, Recipe]]) -> dict[str, float]:
    """ "leak/WAY/train" and "/test": AUC of the GBDT on MovieLens, random split, by how training rows got their click rates."""
    narrow = movielens_parts("random", seed)
    scores: dict[str, float] = {}
    for way in ("own", "leave_one_out", "out_of_fold"):
        parts = wide(narrow, way, seed)
        model, _ = on_movielens("gbdt", parts, seed, recipes["random"]["gbdt"])
        scores |= {f"leak/{way}/{name}": auc_on(parts[at])(model) for name, at in (("train", 0), ("test", 2))}
    return scores


def binned(planted: Planted, bins: int = 10) -> Parts:
    """x1 … x4 as ids of bins that hold equally many training rows: what one does by hand for LR."""
    names = [f.name for f in planted.train.schema.dense]
    edges = {n: np.quantile(planted.train[n].numpy(), np.linspace(0, 1, bins + 1)[1:-1]) for n in names}
    ids = [f for f in planted.train.schema.sparse]
    schema = Schema((*ids, *(Sparse(n, bins + FIRST) for n in names)))

    def cut(rows: Table) -> Table:
        columns = {f.name: rows[f.name] for f in ids} | {"label": rows["label"]}
        columns |= {n: torch.from_numpy(np.searchsorted(edges[n], rows[n].numpy()) + FIRST) for n in names}
        return Table(schema, columns, rows.extra)

    return cut(planted.train), cut(planted.valid), cut(planted.test)


def with_ad(planted: Planted, kind: str, seed: int) -> Parts:
    """The ad as a Dense column as well: its "number", or its click "rate" (out of fold for the training rows)."""
    rows, valid, test = planted.train, planted.valid, planted.test

    def column(part: Table) -> np.ndarray:
        if kind == "number":
            return part["ad"].numpy().astype(float)
        way = "out_of_fold" if part is rows else "known"
        return rates(part, rows, ("ad",), way, rng=np.random.default_rng(seed))[1]

    return (
        with_dense(rows, {"ad_dense": column(rows)}), with_dense(valid, {"ad_dense": column(valid)}),
        with_dense(test, {"ad_dense": column(test)}),
    )  # fmt: skip


def steps_models(seed: int, planted_settings: dict[str, Any]) -> dict[str, tuple[CTRModel, Table]]:
    """All models of the world "steps", each the best of its settings on validation rows, with the test rows that it reads."""
    planted = piecewise.thresholds(seed)
    plain: Parts = (planted.train, planted.valid, planted.test)
    found: dict[str, tuple[CTRModel, Table]] = {}

    def best(name: str, parts: Parts, tried: Iterable[tuple[CTRModel, float]]) -> None:
        found[name] = max(tried, key=lambda pair: pair[1])[0], parts[2]

    def linear(parts: Parts) -> Iterator[tuple[CTRModel, float]]:
        for weight_decay in (0.0, 1e-5, 1e-4):
            model = LR(parts[0].schema)
            yield model, train(model, parts[0], parts[1], seed, 1e-2, weight_decay, 0.0, planted_settings)

    def trees(parts: Parts) -> Iterator[tuple[GBDTLR, float]]:
        for count in planted_settings["trees"]:
            for rate in planted_settings["rates"]:
                model = grown(parts[0], False, count, 8, rate, min_leaf=20)
                yield model, auc_on(parts[1])(model)

    def hybrids(raw: bool, start: float) -> Iterator[tuple[CTRModel, float]]:
        for count in planted_settings["trees"]:
            for leaf_lr in planted_settings["leaf_lr"]:
                model = grown(plain[0], raw, count, 8, 0.1, start, min_leaf=20)
                yield model, train(model, plain[0], plain[1], seed, 1e-2, 1e-5, leaf_lr, planted_settings)

    by_bins = binned(planted)
    best("lr", plain, linear(plain))
    best("lr_bins", by_bins, linear(by_bins))
    best("gbdt", plain, trees(plain))
    for kind in ("number", "rate"):
        parts = with_ad(planted, kind, seed)
        best(f"gbdt_ad_{kind}", parts, trees(parts))
    best("gbdt_lr_leaves", plain, hybrids(raw=False, start=0.0))
    best("gbdt_lr", plain, hybrids(raw=True, start=0.0))
    best("gbdt_lr_warm", plain, hybrids(raw=True, start=1.0))
    return found


def steps_scores(seed: int, planted_settings: dict[str, Any]) -> dict[str, float]:
    """ "steps/MODEL": expected AUC on test rows; "steps/bayes"."""
    models = steps_models(seed, planted_settings)
    scores = {f"steps/{name}": expected_auc(test["p"], m.predict_proba(test)) for name, (m, test) in models.items()}
    return scores | {"steps/bayes": piecewise.thresholds(seed).bayes["auc"]}


def day_scores(drift: str, seed: int, settings: dict[str, Any]) -> dict[str, float]:
    """ "days/DRIFT/POLICY/DAY": expected AUC on days 1 … 8 of a model that knows the days before.

    kept      trees and LR of day 0
    lr_daily  trees of day 0, LR trained on from yesterday's weights on each day's rows
    all_daily trees and LR of the day before
    lr_alone  no trees: LR trained on each day's rows
    """
    tables = piecewise.days(seed, drift)
    scores: dict[str, float] = {}
    budget = {"epochs": settings["epochs"], "patience": 2, "batch_size": 512}

    def refresh(model: CTRModel, day: int) -> None:
        n = len(tables[day])
        rows, valid = tables[day].rows(torch.arange(n) < n * 5 // 6), tables[day].rows(torch.arange(n) >= n * 5 // 6)
        train(model, rows, valid, seed, settings["lr"], settings["weight_decay"], settings["leaf_lr"], budget)

    def whole(day: int) -> GBDTLR:
        model = grown(tables[day], True, settings["trees"], 8, settings["rate"], min_leaf=20)
        refresh(model, day)
        return model

    kept, lr_daily, alone = whole(0), whole(0), LR(tables[0].schema)
    refresh(alone, 0)
    for day in range(1, len(tables)):
        models = {"kept": kept, "lr_daily": lr_daily, "all_daily": whole(day - 1), "lr_alone": alone}
        for policy, model in models.items():
            value = expected_auc(tables[day]["p"], model.predict_proba(tables[day]))
            scores[f"days/{drift}/{policy}/{day}"] = value
        refresh(lr_daily, day)
        refresh(alone, day)
    for policy in ("kept", "lr_daily", "all_daily", "lr_alone"):
        late = [scores[f"days/{drift}/{policy}/{day}"] for day in range(4, len(tables))]
        scores[f"days/{drift}/{policy}/late"] = float(np.mean(late))
    return scores


def period_scores(seed: int, periods: int, first: int, recipe: Recipe) -> dict[str, float]:
    """ "ml100k_periods/POLICY/PERIOD/ne" and "/auc" for the periods after the first ones, equal numbers of rows each.

    kept    trees and LR of the first periods       lr     those trees, LR trained on all rows before the period
    all     trees and LR of all rows before it      alone  LR without trees, of all rows before it
    The last tenth of the known rows says when to stop. Click rates are of the past alone, whoever reads them.
    """
    table = movielens_clicks()
    table = table.rows(torch.argsort(table["timestamp"], stable=True))
    columns = statistics(table, table, "past", seed)
    n = len(table)
    start = n * first // periods
    mean, sd = _scale({name: values[:start] for name, values in columns.items()})
    table = with_dense(table, {name: (values - mean[name]) / sd[name] for name, values in columns.items()})
    at = torch.arange(n)

    def model_of(policy: str, end: int) -> CTRModel:
        known = table.rows(at < end * 9 // 10), table.rows((at >= end * 9 // 10) & (at < end)), table
        if policy == "alone":
            return on_movielens("lr_stats", known, seed, recipe)[0]
        torch.manual_seed(seed)
        seen = known[0] if policy == "all" else table.rows(at < start * 9 // 10)
        model = grown(seen, True, int(recipe["trees"]), int(recipe["leaves"]), recipe["rate"], recipe["start"])
        train(model, *known[:2], seed, recipe["lr"], recipe["weight_decay"], recipe["leaf_lr"], BUDGET)
        return model

    kept = model_of("kept", start)
    scores: dict[str, float] = {}
    for period in range(first, periods):
        begin, end = n * period // periods, n * (period + 1) // periods
        now, background = table.rows((at >= begin) & (at < end)), float(table["label"][:begin].mean())
        models = {"kept": kept} | {policy: model_of(policy, begin) for policy in ("lr", "all", "alone")}
        for policy, model in models.items():
            found = _judged(now["label"], model.predict_proba(now), background)
            scores |= {f"ml100k_periods/{policy}/{period + 1}/{key}": found[key] for key in ("ne", "auc")}
    for policy in ("kept", "lr", "all", "alone"):
        for key in ("ne", "auc"):
            values = [scores[f"ml100k_periods/{policy}/{period + 1}/{key}"] for period in range(first, periods)]
            scores[f"ml100k_periods/{policy}/mean/{key}"] = float(np.mean(values))
    return scores


def run(
    seed: int,
    recipes: dict[str, dict[str, Recipe]],
    budget: dict[str, Any],
    planted: dict[str, Any],
    days: dict[str, Any],
    periods: dict[str, Any],
) -> dict[str, float]:
    """All results of one seed."""
    scores = steps_scores(seed, planted)
    for drift in DRIFTS:
        scores |= day_scores(drift, seed, days)
    scores |= movielens_scores("random", seed, recipes) | movielens_scores("time", seed, recipes) | leak(seed, recipes)
    return scores | period_scores(seed, **periods, recipe=recipes["time"]["gbdt_lr"])


EXPERIMENT = Experiment(
    "2.6", run, {"recipes": RECIPES, "budget": BUDGET, "planted": PLANTED, "days": DAYS, "periods": PERIODS}
)


if __name__ == "__main__":
    for which in WAY:
        for model_name, tried in choices(which).items():
            for mean_auc, settings_tried in tried:
                print(f"{which:7} {model_name:15} {mean_auc:.4f}  {settings_tried}", flush=True)
