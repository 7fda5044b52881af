"""2.3: what short vectors add to averages, and what a zero is worth, on MovieLens-100K and in planted worlds.

ml100k_random   test error (root mean squared, stars) on the random 80/10/10 split of MF and SVD++
ratings         the same of the mean, biases alone, MF without biases, MF by size of the vectors, alternating least squares
rare, often     the same of biases, MF and SVD++ on films with few training ratings, and with many
filled          the same of a truncated SVD of the filled-in matrix, by what the holes are filled with and the rank k; "best"
                is the rank with the smallest validation error
planted         a world of rank 3: error of MF by size of the vectors; the noise alone is 0.5
choice          worlds in which users rate at random, or what they like: MF beside SVD++
ml100k_loo99    HR@10 and NDCG@10 of each user's last film among 99 others: implicit ALS, popularity; MF by predicted stars
ml100k_loo      the same among all films that the user has not rated before
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Any, Literal

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from rec_lib.data import movielens, views
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.data.low_rank import RatingWorld, low_rank
from rec_lib.data.ragged import padded_rows
from rec_lib.data.table import Table
from rec_lib.evaluation.metrics import rmse
from rec_lib.evaluation.ranking import Scorer, rank_held_out
from rec_lib.evaluation.splits import random_split
from rec_lib.experiments.core import Experiment
from rec_lib.layers.ridge import ridge
from rec_lib.models.ials import IALS
from rec_lib.models.mf import MF
from rec_lib.models.popularity import Popularity
from rec_lib.models.rating import RatingModel
from rec_lib.models.svdpp import SVDpp
from rec_lib.training import History, fit

Parts = tuple[Table, Table, Table]  # training, validation, test rows
Recipe = dict[str, Any]  # the model's settings, and lr and batch_size of its training

# Chosen by mean validation error over seeds 0 and 1, never on test rows; `python -m rec_lib.experiments.mf` prints the
# tables. Settings within 0.001 of each other are ties. MF's batch size and rate have the least error of those that train within
# a CPU second; batches of 1024 at 3e-3 take three times as long for an error that is 0.0006 smaller.
RECIPES: dict[str, Recipe] = {
    "bias": {"dim": 0, "l2": 0.05, "lr": 3e-3, "batch_size": 1024},
    "plain": {"dim": 64, "l2": 0.1, "lr": 3e-3, "batch_size": 1024, "bias": False},
    "mf": {"dim": 64, "l2": 0.12, "lr": 1.5e-2, "batch_size": 4096},
    "svdpp": {"dim": 64, "l2": 0.12, "l2_y": 0.01, "lr": 6e-3, "batch_size": 4096},
}
DIM_L2 = {2: 0.08, 4: 0.1, 8: 0.12, 16: 0.12, 32: 0.12, 64: 0.12, 128: 0.1}  # λ for each size of the vectors
BUDGET = {"init_sd": 0.1, "epochs": 100, "patience": 5}
FILLS = ("zero", "item_mean", "biases")
RARE, OFTEN = (0, 10), (150, 10_000)  # training ratings of a film: from, and below
RANKS = (1, 2, 4, 8, 16, 32, 64)
# by mean validation NDCG@10 of both protocols, seeds 0 and 1
IMPLICIT: dict[str, Any] = {"dim": 32, "alpha": 1.0, "l2": 10.0, "iterations": 10}
PROTOCOLS: dict[str, Literal["sampled", "full"]] = {"ml100k_loo99": "sampled", "ml100k_loo": "full"}
PLANTED = {"lr": 1e-2, "batch_size": 256, "epochs": 60, "patience": 5}


@cache
def stars() -> Table:
    """MovieLens-100K as ratings, read once."""
    return views.ratings(movielens.load("ml-100k"))


def parts(seed: int) -> Parts:
    """Training, validation and test rows, 80/10/10 at random."""
    table = stars()
    a, b, c = (table.rows(rows) for rows in random_split(len(table), seed))
    return a, b, c


def build(name: str, train: Table, recipe: Recipe | None = None) -> RatingModel:
    """An untrained "bias", "plain", "mf" or "svdpp" with its recipe (or another one)."""
    given = {k: v for k, v in (recipe or RECIPES[name]).items() if k not in ("lr", "batch_size")}
    return (SVDpp if name == "svdpp" else MF)(train, init_sd=BUDGET["init_sd"], **given)


def error_on(table: Table) -> Any:
    """``validate`` for ``fit``: minus the root mean squared error, since higher is better there."""
    return lambda model: -rmse(table["label"], model.predict(table))


def trained(
    name: str, seed: int, rows: Parts, recipe: Recipe | None = None, progress: bool = False
) -> tuple[RatingModel, History]:
    """One model trained by its recipe, stopped by its validation error."""
    given = recipe or RECIPES[name]
    torch.manual_seed(seed)
    model = build(name, rows[0], given)
    history = fit(
        model,
        rows[0],
        optimizers=[torch.optim.Adam(model.parameters(), lr=given["lr"], fused=True)],
        epochs=int(BUDGET["epochs"]),
        batch_size=given["batch_size"],
        validate=error_on(rows[1]),
        patience=int(BUDGET["patience"]),
        seed=seed,
        progress=progress,
    )
    return model, history


def test_error(model: RatingModel, rows: Parts) -> float:
    return rmse(rows[2]["label"], model.predict(rows[2]))


# --- a matrix without holes ------------------------------------------------------------------------------------------


def observed(train: Table, values: Tensor | None = None) -> csr_matrix:
    """Training ratings (or other values of the rows) as a matrix, users × items; a 0 that is stored is a value."""
    data = (train["label"] if values is None else values).double().numpy()
    shape = train.schema.size("user"), train.schema.size("item")
    return csr_matrix((data, (train["user"].numpy(), train["item"].numpy())), shape=shape)


def every_pair(model: RatingModel) -> np.ndarray:
    """Raw predictions of all pairs: (users, items)."""
    users, items = model.schema.size("user"), model.schema.size("item")
    pairs = torch.cartesian_prod(torch.arange(users), torch.arange(items))
    return model.predict({"user": pairs[:, 0], "item": pairs[:, 1]}, clip=False).view(users, items).double().numpy()


def fill(train: Table, how: str, biases: RatingModel) -> tuple[np.ndarray, np.ndarray]:
    """The rating matrix with its holes filled, and what was filled in: both (users, items).

    how  "zero", "item_mean" (the mean of all where an item has no rating), "biases" (μ + b_u + b_i)
    """
    matrix = observed(train)
    if how == "biases":
        base = every_pair(biases)
    elif how == "item_mean":
        count = np.bincount(matrix.indices, minlength=matrix.shape[1])
        total = np.bincount(matrix.indices, matrix.data, minlength=matrix.shape[1])
        means = np.where(count > 0, total / np.maximum(count, 1), matrix.data.mean())
        base = np.broadcast_to(means, matrix.shape).copy()
    elif how == "zero":
        base = np.zeros(matrix.shape)
    else:
        raise ValueError(f"how={how!r}: expected one of {FILLS}.")
    whole = base.copy()
    users = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    whole[users, matrix.indices] = matrix.data
    return whole, base


def svd_errors(train: Table, how: str, biases: RatingModel, tables: Iterable[Table]) -> np.ndarray:
    """Error of the rank-k copies on the rows of each table, clipped to the scale: (len(RANKS), tables).

    The base is taken off before the SVD and added again, except for zeros, where there is nothing to take off.
    """
    whole, base = fill(train, how, biases)
    u, s, vt = np.linalg.svd(whole - base, full_matrices=False)
    low, high = float(biases.low), float(biases.high)
    errors = []
    for k in RANKS:
        copy = base + (u[:, :k] * s[:k]) @ vt[:k]
        errors.append([rmse(t["label"], copy[t["user"], t["item"]].clip(low, high)) for t in tables])
    return np.array(errors)


# --- alternating least squares ---------------------------------------------------------------------------------------


def als_step(matrix: csr_matrix, y: Tensor, l2: float) -> Tensor:
    """The best vectors of the rows with the columns' vectors held still: ridge with λ times the row's number of ratings."""
    counts = np.diff(matrix.indptr)
    x = y.new_zeros(matrix.shape[0], y.shape[1])
    for rows, columns, values in padded_rows(matrix):
        price = l2 * torch.from_numpy(counts[rows]).to(y.dtype)  # each rating pays, as in MF's loss
        x[torch.from_numpy(rows)] = ridge(y[torch.from_numpy(columns)], torch.from_numpy(values), price)
    return x


def als(train: Table, biases: RatingModel, dim: int, l2: float, iterations: int, seed: int) -> tuple[Tensor, Tensor]:
    """Vectors of users and items for what the biases leave: (users, dim), (items, dim)."""
    left = observed(train, train["label"] - biases.predict(train, clip=False))
    y = torch.from_numpy(np.random.default_rng(seed).normal(0, BUDGET["init_sd"], (left.shape[1], dim)))
    y[np.bincount(left.indices, minlength=left.shape[1]) == 0] = 0  # padding must be a row of zeros
    x = als_step(left, y, l2)
    for _ in range(iterations):
        y = als_step(left.T.tocsr(), x, l2)
        x = als_step(left, y, l2)
    return x, y


def als_error(x: Tensor, y: Tensor, biases: RatingModel, table: Table) -> float:
    said = biases.predict(table, clip=False) + (x[table["user"]] * y[table["item"]]).sum(dim=1).float()
    return rmse(table["label"], said.clamp(biases.low, biases.high))


# --- planted worlds --------------------------------------------------------------------------------------------------


def in_world(cls: type[MF], world: RatingWorld, seed: int, grid: Iterable[Recipe]) -> RatingModel:
    """The model of the settings with the least validation error, trained on a planted world."""
    best: tuple[float, RatingModel] | None = None
    for settings in grid:
        torch.manual_seed(seed)
        model = cls(world.train, init_sd=BUDGET["init_sd"], **settings)
        history = fit(
            model,
            world.train,
            optimizers=[torch.optim.Adam(model.parameters(), lr=PLANTED["lr"], fused=True)],
            epochs=int(PLANTED["epochs"]),
            batch_size=int(PLANTED["batch_size"]),
            validate=error_on(world.valid),
            patience=int(PLANTED["patience"]),
            seed=seed,
            progress=False,
        )
        if best is None or max(history.valid) > best[0]:
            best = max(history.valid), model
    if best is None:
        raise ValueError("the grid has no settings; expected at least one.")
    return best[1]


def world_error(model: RatingModel, world: RatingWorld) -> float:
    return rmse(world.test["label"], model.predict(world.test))


def planted_scores(seed: int, dims: list[int]) -> dict[str, float]:
    """ "planted/D" and "planted/bias": test error of MF by size of its vectors, λ chosen on validation rows."""
    world = low_rank(seed)
    scores = {"planted/bias": world_error(in_world(MF, world, seed, [{"dim": 0, "l2": 0.03}]), world)}
    for dim in dims:
        grid = [{"dim": dim, "l2": l2} for l2 in (0.03, 0.06, 0.1)]
        scores[f"planted/{dim}"] = world_error(in_world(MF, world, seed, grid), world)
    return scores


def choice_scores(seed: int, choices: list[float]) -> dict[str, float]:
    """ "choice/C/mf" and "/svdpp": test errors where a liked item is rated exp(C · taste) times as often."""
    scores = {}
    for choice in choices:
        world = low_rank(seed, users=600, rank=3, per_user=20, choice=choice)
        prices = (0.1, 0.2, 0.4)
        mf = in_world(MF, world, seed, [{"dim": 8, "l2": l2} for l2 in prices])
        plus = [{"dim": 8, "l2": l2, "l2_y": l2_y} for l2, l2_y in product(prices, (0.003, 0.01, 0.03))]
        scores[f"choice/{choice:g}/mf"] = world_error(mf, world)
        scores[f"choice/{choice:g}/svdpp"] = world_error(in_world(SVDpp, world, seed, plus), world)
    return scores


# --- ranking ---------------------------------------------------------------------------------------------------------


class ByStars:
    """Ranks items by predicted stars."""

    def __init__(self, model: RatingModel):
        self.scores = every_pair(model)

    def score(self, users: np.ndarray) -> np.ndarray:
        return self.scores[users]


def stars_of(data: Interactions, seed: int) -> Parts:
    """The stars of the training pairs, 90 % to learn from and 10 % to stop by (the third part is the second again)."""
    table = stars()
    users, items = data.pairs()
    n = data.train.shape[1]
    wanted = torch.isin(table["user"] * n + table["item"], torch.from_numpy(users * n + items))
    table = table.rows(wanted)
    rows, rest = (table.rows(index) for index in random_split(len(table), seed, (0.9, 0.1)))
    return rows, rest, rest


def implicit_scores(seed: int, settings: dict[str, Any]) -> dict[str, float]:
    """ "ml100k_loo99/MODEL/hr10" and "/ndcg10", and "ml100k_loo/…", for popularity, MF by predicted stars and implicit ALS."""
    _, data = leave_two_out(movielens.load("ml-100k"), seed=seed)
    models: dict[str, Scorer] = {
        "popularity": Popularity().fit(data),
        "mf_stars": ByStars(trained("mf", seed, stars_of(data, seed))[0]),
        "ials": IALS(**settings, rng=np.random.default_rng(seed)).fit(data),
    }
    scores: dict[str, float] = {}
    for name, model in models.items():
        for split, protocol in PROTOCOLS.items():
            ranked = rank_held_out(model, data, k=10, protocol=protocol)
            scores |= {f"{split}/{name}/hr10": ranked.hit_rate, f"{split}/{name}/ndcg10": ranked.ndcg}
    return scores


# --- all of it -------------------------------------------------------------------------------------------------------


def rating_scores(seed: int) -> dict[str, float]:
    """ "ml100k_random/…", "ratings/…", "rare/…", "often/…" and "filled/…" of one split."""
    rows = parts(seed)
    train, valid, test = rows
    scores = {"ratings/mean": rmse(test["label"], torch.full((len(test),), float(train["label"].mean())))}
    models = {name: trained(name, seed, rows)[0] for name in ("bias", "plain", "mf", "svdpp")}
    scores |= {f"ratings/{name}": test_error(models[name], rows) for name in ("bias", "plain")}
    for name in ("mf", "svdpp"):
        scores[f"ml100k_random/{name}/rmse"] = test_error(models[name], rows)
        scores[f"ml100k_random/{name}/parameters"] = sum(p.numel() for p in models[name].parameters())
    count = torch.bincount(train["item"], minlength=train.schema.size("item"))[test["item"]]
    for name, (low, high) in {"rare": RARE, "often": OFTEN}.items():
        group = test.rows((count >= low) & (count < high))
        scores |= {f"{name}/{key}": rmse(group["label"], models[key].predict(group)) for key in ("bias", "mf", "svdpp")}
    for dim, l2 in DIM_L2.items():
        recipe = RECIPES["mf"] | {"dim": dim, "l2": l2}
        scores[f"ratings/mf/{dim}"] = test_error(trained("mf", seed, rows, recipe)[0], rows)
    x, y = als(train, models["bias"], dim=64, l2=0.1, iterations=10, seed=seed)
    scores["ratings/als"] = als_error(x, y, models["bias"], test)
    for how in FILLS:
        errors = svd_errors(train, how, models["bias"], (valid, test))
        scores |= {f"filled/{how}/{k}": float(error) for k, error in zip(RANKS, errors[:, 1], strict=True)}
        scores[f"filled/{how}/best"] = float(errors[errors[:, 0].argmin(), 1])
    return scores


def run(
    seed: int,
    recipes: dict[str, Recipe],
    budget: dict[str, float],
    dims: dict[str, float],
    implicit: dict[str, Any],
    planted: dict[str, float],
    planted_dims: list[int],
    choices: list[float],
) -> dict[str, float]:
    """All scores of one seed. The first five settings are this file's; they are arguments so that they are recorded."""
    return (
        rating_scores(seed)
        | planted_scores(seed, planted_dims)
        | choice_scores(seed, choices)
        | implicit_scores(seed, implicit)
    )


def rating_choices(seeds: Iterable[int] = (0, 1)) -> list[tuple[float, str, Recipe]]:
    """Mean validation error of every recipe that was tried, by model and error. Test rows are not looked at."""
    tried: list[tuple[str, Recipe]] = [("bias", RECIPES["bias"] | {"l2": l2}) for l2 in (0.01, 0.02, 0.05, 0.1)]
    tried += [("plain", RECIPES["plain"] | {"dim": d, "l2": l2}) for d in (64, 128) for l2 in (0.06, 0.08, 0.1, 0.12)]
    tried += [("mf", RECIPES["mf"] | {"dim": d, "l2": l2}) for d in DIM_L2 for l2 in (0.06, 0.08, 0.1, 0.12)]
    rates = {
        1024: (3e-3,),
        2048: (4e-3, 6e-3),
        4096: (6e-3, 1e-2, 1.2e-2, 1.5e-2, 2e-2),
        8192: (1e-2, 1.5e-2, 2e-2, 3e-2),
    }
    tried += [("mf", RECIPES["mf"] | {"batch_size": size, "lr": lr}) for size in rates for lr in rates[size]]
    plus = product((64, 128), (0.1, 0.12, 0.14), (0.003, 0.01, 0.03))
    tried += [("svdpp", RECIPES["svdpp"] | {"dim": d, "l2": a, "l2_y": b}) for d, a, b in plus]
    seeds = tuple(seeds)
    rows = {seed: parts(seed) for seed in seeds}
    found = []
    for name, recipe in tried:
        errors = [-max(trained(name, seed, rows[seed], recipe)[1].valid) for seed in seeds]
        found.append((float(np.mean(errors)), name, recipe))
    return sorted(found, key=lambda entry: (entry[1], entry[0]))


def implicit_choices(seeds: Iterable[int] = (0, 1)) -> list[tuple[float, float, dict[str, Any]]]:
    """Mean validation NDCG@10 of implicit ALS, full and sampled, for every setting tried; the best sum of both first."""
    grid = product((16, 32, 64), (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0), (3.0, 10.0, 30.0, 100.0, 300.0))
    valid = {seed: leave_two_out(movielens.load("ml-100k"), seed=seed)[0] for seed in seeds}
    found = []
    for dim, alpha, l2 in grid:
        settings: dict[str, Any] = {"dim": dim, "alpha": alpha, "l2": l2, "iterations": int(IMPLICIT["iterations"])}
        full, sampled = [], []
        for seed, data in valid.items():
            model = IALS(**settings, rng=np.random.default_rng(seed)).fit(data)
            full.append(rank_held_out(model, data, protocol="full").ndcg)
            sampled.append(rank_held_out(model, data, protocol="sampled").ndcg)
        found.append((float(np.mean(full)), float(np.mean(sampled)), settings))
    return sorted(found, key=lambda entry: -entry[0] - entry[1])


EXPERIMENT = Experiment(
    "2.3",
    run,
    {
        "recipes": RECIPES,
        "budget": BUDGET,
        "dims": {str(dim): l2 for dim, l2 in DIM_L2.items()},
        "implicit": IMPLICIT,
        "planted": PLANTED,
        "planted_dims": [1, 2, 3, 4, 8, 16],
        "choices": [0.0, 2.0],
    },
)

if __name__ == "__main__":
    for error, name, recipe in rating_choices():
        print(f"{name:6} {error:.4f}  {recipe}", flush=True)
    for full, sampled, settings in implicit_choices():
        print(f"ials   full {full:.4f}  sampled {sampled:.4f}  {settings}", flush=True)
