"""3.2: AutoRec beside MF and SVD++ on MovieLens-100K, what its input is worth, and worlds where its bend pays or does not.

ml100k_random   test error (root mean squared, stars) on the random 80/10/10 split of I-AutoRec ("autorec"), U-AutoRec, MF,
                SVD++; numbers to learn; CPU seconds of training up to the best epoch
input           I-AutoRec that is told only the stars (holes are average), or only who rated
hidden          I-AutoRec by size of its hidden layer; "linear": without the sigmoid
rare, often     test error of I-AutoRec and MF on films with few training ratings, and with many
arrive          films that training has not seen: error on their ratings after the 50th when the first n are put into a row, of
                I-AutoRec, of that with stars only, of the average of these n; "nothing" is the mean of all training ratings
yes_no, graded  planted worlds of three traits, yes-or-no and normal, rated around 0: MF, I-AutoRec, I-AutoRec without sigmoid
stars           the yes-or-no world with ratings around 3.5, so that a hole reads as the worst of all
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rec_lib.data.low_rank import RatingWorld
from rec_lib.data.table import Table
from rec_lib.data.traits import traits
from rec_lib.evaluation.metrics import rmse
from rec_lib.experiments import mf
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.mf import OFTEN, RARE, Parts, Recipe, error_on, parts, test_error, world_error
from rec_lib.models.autorec import IAutoRec, UAutoRec
from rec_lib.models.mf import MF
from rec_lib.models.rating import RatingModel
from rec_lib.training import History, fit


class Linear(IAutoRec):
    """Without the sigmoid: a rating is a linear function of the row."""

    def g(self, x: Tensor) -> Tensor:
        return x


class StarsOnly(IAutoRec):
    """A hole goes in as an average rating: who rated cannot be told from who gave an average rating."""

    def __init__(self, train: Table, dim: int, l2: float, init_sd: float):
        super().__init__(train, dim, l2, init_sd)
        self.ratings = torch.where(self.ratings > 0, self.ratings - self.mu, self.ratings)


class WhoOnly(IAutoRec):
    """Every rating goes in as a 1: the encoder knows who rated, not what."""

    def __init__(self, train: Table, dim: int, l2: float, init_sd: float):
        super().__init__(train, dim, l2, init_sd)
        self.ratings = (self.ratings > 0).to(self.ratings.dtype)


MODELS: dict[str, type[IAutoRec]] = {
    "autorec": IAutoRec,
    "u_autorec": UAutoRec,
    "linear": Linear,
    "stars_only": StarsOnly,
    "who_only": WhoOnly,
}
# Chosen by mean validation error over seeds 0 and 1, never on test rows; `python -m rec_lib.experiments.autorec` prints the
# table. Settings within 0.001 of each other are ties.
RECIPES: dict[str, Recipe] = {
    "autorec": {"dim": 200, "l2": 60.0, "init_sd": 0.01},
    "u_autorec": {"dim": 50, "l2": 60.0, "init_sd": 0.01},
    "linear": {"dim": 50, "l2": 1500.0, "init_sd": 0.01},
    "stars_only": {"dim": 200, "l2": 30.0, "init_sd": 0.01},
    "who_only": {"dim": 50, "l2": 40.0, "init_sd": 0.01},
}
DIM_L2 = {10: 30.0, 50: 60.0, 100: 60.0, 200: 60.0, 500: 100.0}  # λ for each size of the hidden layer
BUDGET = {"lr": 0.01, "epochs": 200, "patience": 10}  # Rprop on all ratings at once, as in the paper
ARRIVED = (1, 5, 20, 50)  # ratings of a new film that are put into its row
PLANTED = {"number": 3, "init_sd": 0.1, "lr": 0.01, "epochs": 300, "patience": 30}  # the same for MF and AutoRec
WORLDS: dict[str, dict[str, Any]] = {"yes_no": {}, "graded": {"graded": True}, "stars": {"mean": 3.5}}
PRICES = {"mf": [0.05, 0.1, 0.2, 0.4], "autorec": [1.0, 4.0, 16.0], "linear": [1.0, 4.0, 16.0]}


def whole(
    model: RatingModel, train: Table, valid: Table, seed: int, budget: dict[str, float], progress: bool = False
) -> History:
    """Rprop on all ratings at once, stopped by the validation error."""
    return fit(
        model,
        train,
        optimizers=[torch.optim.Rprop(model.parameters(), lr=budget["lr"])],
        epochs=int(budget["epochs"]),
        batch_size=len(train),
        validate=error_on(valid),
        patience=int(budget["patience"]),
        seed=seed,
        progress=progress,
    )


def trained(
    name: str, seed: int, rows: Parts, recipe: Recipe | None = None, progress: bool = False
) -> tuple[IAutoRec, History]:
    """One model of this file trained by its recipe, or another one."""
    torch.manual_seed(seed)
    model = MODELS[name](rows[0], **(recipe or RECIPES[name]))
    return model, whole(model, rows[0], rows[1], seed, BUDGET, progress)


def movielens_scores(seed: int) -> dict[str, float]:
    """ "ml100k_random/…", "input/…", "hidden/…", "rare/…" and "often/…" of one split."""
    rows = parts(seed)
    train, _, test = rows
    scores: dict[str, float] = {}
    models: dict[str, RatingModel] = {}
    for name in ("autorec", "u_autorec", "mf", "svdpp"):
        start = time.process_time()
        models[name], history = trained(name, seed, rows) if name in MODELS else mf.trained(name, seed, rows)
        seconds = (time.process_time() - start) * history.best_epoch / len(history.loss)
        scores[f"ml100k_random/{name}/rmse"] = test_error(models[name], rows)
        scores[f"ml100k_random/{name}/parameters"] = sum(p.numel() for p in models[name].parameters())
        scores[f"ml100k_random/{name}/train_seconds"] = seconds
    for name in ("stars_only", "who_only"):
        scores[f"input/{name}"] = test_error(trained(name, seed, rows)[0], rows)
    scores["hidden/linear"] = test_error(trained("linear", seed, rows)[0], rows)
    for dim, l2 in DIM_L2.items():
        recipe = RECIPES["autorec"] | {"dim": dim, "l2": l2}
        scores[f"hidden/{dim}"] = test_error(trained("autorec", seed, rows, recipe)[0], rows)
    count = torch.bincount(train["item"], minlength=train.schema.size("item"))[test["item"]]
    for name, (low, high) in {"rare": RARE, "often": OFTEN}.items():
        group = test.rows((count >= low) & (count < high))
        scores |= {f"{name}/{key}": rmse(group["label"], models[key].predict(group)) for key in ("autorec", "mf")}
    return scores


def arrivals(seed: int, films: int = 100) -> tuple[Parts, Tensor, Tensor]:
    """The split without some films, drawn among those with 60 ratings or more; and what these films' users gave.

    Returns the three parts, the place of each rating in a random order of its film's (from 1, 0 where there is none), and the
    stars: both (films, users).
    """
    table = mf.stars()
    rng = np.random.default_rng(seed)
    drawn = rng.choice(np.flatnonzero(np.bincount(table["item"].numpy()) >= 60), films, replace=False)
    train, valid, test = (t.rows(~torch.isin(t["item"], torch.from_numpy(drawn))) for t in parts(seed))
    rank, stars = (torch.zeros(films, table.schema.size("user")) for _ in range(2))
    for row, film in enumerate(drawn):
        of = table.rows(table["item"] == int(film))
        rank[row, of["user"]] = torch.from_numpy(1.0 + rng.permutation(len(of))).float()
        stars[row, of["user"]] = of["label"]
    return (train, valid, test), rank, stars


def read(model: IAutoRec, rows: Tensor) -> Tensor:
    """What the model says of films by rows of stars (films, users), 0 for holes, as it would have read them in training."""
    if isinstance(model, StarsOnly):
        rows = torch.where(rows > 0, rows - model.mu, rows)
    with torch.no_grad():
        return model.decode(model.encode(rows)).clamp(model.low, model.high)


def arrival_scores(seed: int) -> dict[str, float]:
    """ "arrive/MODEL/N" and "arrive/nothing"; "arrive/low/N" is how far I-AutoRec's mean prediction lies below the mean stars."""
    rows, rank, stars = arrivals(seed)
    models = {name: trained(name, seed, rows)[0] for name in ("autorec", "stars_only")}
    known = models["autorec"].known_user
    asked = (rank > ARRIVED[-1]) & known
    scores = {"arrive/nothing": rmse(stars[asked], models["autorec"].mu.expand(int(asked.sum())))}
    for n in ARRIVED:
        first = torch.where((rank > 0) & (rank <= n), stars, 0.0)
        said = {name: read(model, first) for name, model in models.items()}
        said["average"] = (first.sum(dim=1, keepdim=True) / n).expand_as(first)
        scores |= {f"arrive/{name}/{n}": rmse(stars[asked], given[asked]) for name, given in said.items()}
        scores[f"arrive/low/{n}"] = (stars - said["autorec"])[asked].mean().item()
    return scores


def in_world(name: str, world: RatingWorld, seed: int, prices: Iterable[float]) -> RatingModel:
    """The model of the λ with the least validation error: three numbers an item, all models from one scale and budget."""
    best: tuple[float, RatingModel] | None = None
    cls: type[MF] | type[IAutoRec] = MF if name == "mf" else MODELS[name]
    for l2 in prices:
        torch.manual_seed(seed)
        model = cls(world.train, dim=int(PLANTED["number"]), l2=l2, init_sd=PLANTED["init_sd"])
        history = whole(model, world.train, world.valid, seed, PLANTED)
        if best is None or max(history.valid) > best[0]:
            best = max(history.valid), model
    if best is None:
        raise ValueError("got no λ to try; expected at least one.")
    return best[1]


def planted_scores(seed: int, worlds: dict[str, dict[str, Any]], prices: dict[str, list[float]]) -> dict[str, float]:
    """ "WORLD/MODEL": test error."""
    scores: dict[str, float] = {}
    for name, law in worlds.items():
        world = traits(seed, number=int(PLANTED["number"]), **law)
        scores |= {f"{name}/{key}": world_error(in_world(key, world, seed, prices[key]), world) for key in prices}
    return scores


def run(
    seed: int,
    recipes: dict[str, Recipe],
    dims: dict[str, float],
    budget: dict[str, float],
    planted: dict[str, float],
    worlds: dict[str, dict[str, Any]],
    prices: dict[str, list[float]],
) -> dict[str, float]:
    """All scores of one seed. The first four settings are this file's; they are arguments so that they are recorded."""
    return movielens_scores(seed) | arrival_scores(seed) | planted_scores(seed, worlds, prices)


def choices(seeds: Iterable[int] = (0, 1)) -> list[tuple[str, float, Recipe]]:
    """Mean validation error of every recipe that was tried, by model and error. Test rows are not looked at."""
    grids: dict[str, tuple[tuple[int, ...], tuple[float, ...]]] = {
        "autorec": ((10, 50, 100, 200, 500), (30.0, 60.0, 100.0)),
        "u_autorec": ((20, 50), (30.0, 60.0, 100.0)),
        "linear": ((10, 50), (600.0, 1000.0, 1500.0)),
        "stars_only": ((50, 200), (30.0, 60.0)),
        "who_only": ((50, 200), (10.0, 20.0, 40.0)),
    }
    rows = {seed: parts(seed) for seed in seeds}
    found = []
    for name, grid in grids.items():
        for dim, l2 in product(*grid):
            recipe: Recipe = {"dim": dim, "l2": l2, "init_sd": 0.01}
            errors = [-max(trained(name, seed, rows[seed], recipe)[1].valid) for seed in rows]
            found.append((name, sum(errors) / len(errors), recipe))
    return sorted(found, key=lambda entry: entry[:2])


EXPERIMENT = Experiment(
    "3.2",
    run,
    {
        "recipes": RECIPES,
        "dims": {str(dim): l2 for dim, l2 in DIM_L2.items()},
        "budget": BUDGET,
        "planted": PLANTED,
        "worlds": WORLDS,
        "prices": PRICES,
    },
)

if __name__ == "__main__":
    for name, error, recipe in choices():
        print(f"{name:10} {error:.4f}  {recipe}", flush=True)
