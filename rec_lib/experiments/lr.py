"""2.4: logistic regression with more and more features, in one pass over a stream, and on planted data.

ml100k_random, ml100k_time   LR on five sets of fields: test AUC, log loss, ECE, the ECE that luck alone gives, Σp / Σy
online                       the same rows in the order of time, the last tenth judged: LR in batches, FTRL that stops learning
                             before them, FTRL and SGD that go on learning; log loss by how often the user was seen before
sparsity                     non-zero weights and log loss by λ₁: FTRL, and AdaGrad with a soft threshold after each step (FOBOS)
noise                        two fields that matter, six that do not: which weights are exactly 0
drift                        items whose appeal turns: expected log loss above the best possible, in ten slices of time
simpson                      young viewers like everything a little more, and watch what is liked less
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, overload

import numpy as np
import torch

from rec_lib.data import movielens, views
from rec_lib.data.bayes import bayes_log_loss, expected_log_loss
from rec_lib.data.effects import Columns, Main
from rec_lib.data.features import crossed, only, with_moment
from rec_lib.data.simulator import Law, simulate, uniform
from rec_lib.data.table import Table
from rec_lib.evaluation.calibration import calibration_ratio, ece, ece_by_luck
from rec_lib.evaluation.metrics import auc, log_loss
from rec_lib.evaluation.simpson import compare
from rec_lib.evaluation.splits import random_split, time_split
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.online import progressive
from rec_lib.layers.proximal import soft_threshold
from rec_lib.models.ftrl import FTRL
from rec_lib.models.lr import LR
from rec_lib.schema import FIRST
from rec_lib.training import History, fit

CROSSES = (("gender", "genres"), ("age", "genres"), ("occupation", "genres"), ("user", "genres"))
BATCH = {"epochs": 30, "patience": 3, "batch_size": 1024}
GRID = {"lr": [3e-3, 1e-2], "weight_decay": [1e-6, 1e-5, 1e-4]}  # chosen on validation log loss, in each seed
# Chosen by progressive log loss on rows 80 000 to 90 000, seeds 0 and 1; `python -m rec_lib.experiments.lr` prints the table.
ONLINE: dict[str, Any] = {"alpha": 0.4, "beta": 1.0, "batch_size": 16, "sgd": {"view": 0.03, "crosses": 0.01}}
SPARSITY = {"ftrl": [0.0, 0.3, 1.0, 3.0, 10.0], "fobos": [0.003, 0.01, 0.03, 0.1, 0.3]}
NOISE = {"rows": 20_000, "l1": [0.0, 1.0, 3.0, 10.0, 30.0]}
DRIFT = {"rows": 60_000, "angle": 3.0, "alpha": [0.1, 0.2, 0.4, 0.8, 1.6], "sgd": [0.02, 0.05, 0.1, 0.2, 0.4]}
SIMPSON = {"rows": 40_000, "truth": 0.4}
SEEN = (0, 1, 10, 50)  # lower ends: how many rows of the user came before

Optimizers = list[torch.optim.Optimizer]
Make = Callable[[LR], Optimizers]


@cache
def sets(seed: int = 0) -> dict[str, Table]:
    """MovieLens-100K with five sets of fields, rows in the order of time, ties in an order of their own for each seed."""
    view = views.ctr(movielens.load("ml-100k"), seed=seed)
    moment = with_moment(view)
    return {
        "item": only(view, ("item",)),
        "user_item": only(view, ("user", "item")),
        "view": view,
        "moment": moment,
        "crosses": crossed(moment, *CROSSES),
    }


def minus_log_loss(table: Table) -> Callable[[LR], float]:
    """``validate`` for ``fit``: higher is better."""
    y = table["label"].numpy()
    return lambda model: -log_loss(y, model.predict_proba(table).numpy())


def batch_lr(
    rows: Table, valid: Table, seed: int, grid: dict[str, list[float]], budget: dict[str, int]
) -> tuple[LR, History, dict[str, float]]:
    """LR by Adam with the recipe of the best validation log loss, its history, and that recipe."""
    best: tuple[LR, History, dict[str, float]] | None = None
    for lr in grid["lr"]:
        for weight_decay in grid["weight_decay"]:
            model = LR(rows.schema)
            adam = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
            history = fit(
                model,
                rows,
                optimizers=[adam],
                validate=minus_log_loss(valid),
                seed=seed,
                progress=False,
                epochs=budget["epochs"],
                patience=budget["patience"],
                batch_size=budget["batch_size"],
            )
            if best is None or max(history.valid) > max(best[1].valid):
                best = model, history, {"lr": lr, "weight_decay": weight_decay}
    assert best is not None, "the grid is empty"
    return best


def retrained(rows: Table, like: History, recipe: dict[str, float], seed: int, budget: dict[str, int]) -> LR:
    """LR once more with a recipe that was chosen, on more rows, for as many epochs as were best before."""
    model = LR(rows.schema)
    adam = torch.optim.Adam(model.parameters(), lr=recipe["lr"], weight_decay=recipe["weight_decay"], fused=True)
    fit(
        model,
        rows,
        optimizers=[adam],
        epochs=like.best_epoch,
        batch_size=budget["batch_size"],
        seed=seed,
        progress=False,
    )
    return model


def judged(prefix: str, y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """ "PREFIX/auc", "/log_loss", "/ece", "/luck" (the ECE that luck alone gives), "/ratio" (Σp / Σy)."""
    measures = {"auc": auc(y, p), "log_loss": log_loss(y, p), "ece": ece(y, p), "luck": ece_by_luck(p)}
    return {f"{prefix}/{name}": value for name, value in (measures | {"ratio": calibration_ratio(y, p)}).items()}


def ladder(seed: int, grid: dict[str, list[float]], budget: dict[str, int]) -> dict[str, float]:
    """LR on each set of fields, both splits, test rows."""
    scores: dict[str, float] = {}
    for name, table in sets().items():
        for split in ("random", "time"):
            index = random_split(len(table), seed) if split == "random" else time_split(table["timestamp"])
            rows, valid, test = (table.rows(part) for part in index)
            model, _, _ = batch_lr(rows, valid, seed, grid, budget)
            scores |= judged(f"ml100k_{split}/{name}", test["label"].numpy(), model.predict_proba(test).numpy())
    return scores


def ftrl(alpha: float, beta: float = 1.0, l1: float = 0.0) -> Make:
    return lambda model: [FTRL(model.parameters(), alpha=alpha, beta=beta, l1=l1)]


def sgd(lr: float) -> Make:
    return lambda model: [torch.optim.SGD(model.parameters(), lr=lr)]


class Fobos(torch.optim.Optimizer):
    """AdaGrad, then a soft threshold of λ times the coordinate's rate on what was touched (Duchi & Singer, JMLR 2009)."""

    def __init__(self, params: Iterable[torch.Tensor], alpha: float, beta: float, l1: float):
        super().__init__(params, {"alpha": alpha, "beta": beta, "l1": l1})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    state["n"] = state.get("n", torch.zeros_like(p)) + p.grad.square()
                    rate = group["alpha"] / (state["n"].sqrt() + group["beta"])
                    stepped = soft_threshold(p - rate * p.grad, group["l1"] * rate)
                    p.copy_(torch.where(p.grad != 0, stepped, p))
        return loss


def fobos(alpha: float, beta: float, l1: float) -> Make:
    return lambda model: [Fobos(model.parameters(), alpha, beta, l1)]


def nonzero(model: LR) -> int:
    """Weights that are not exactly 0."""
    return int((model.linear.w.table != 0).sum())


def streamed(table: Table, make: Make, batch_size: int, stop: int) -> tuple[LR, np.ndarray, np.ndarray]:
    """One pass. The model, what it said of the rows from `stop` on while learning, and what it would have said had it
    stopped learning there."""
    model = LR(table.schema)
    optimizers = make(model)
    progressive(model, table.rows(torch.arange(stop)), optimizers, batch_size)
    rest = table.rows(torch.arange(stop, len(table)))
    frozen = model.predict_proba(rest).numpy()
    return model, progressive(model, rest, optimizers, batch_size), frozen


def on_stream(seed: int, online: dict, grid: dict[str, list[float]], budget: dict[str, int]) -> dict[str, float]:
    """ "online/SET/MODEL/…" on the last tenth of the rows, and "…/seen_N/log_loss" for rows whose user has N or more before."""
    scores: dict[str, float] = {}
    for name in ("view", "crosses"):
        table = sets(seed)[name]
        a, b, c = time_split(table["timestamp"])
        stop = len(table) - len(c)
        y = table["label"].numpy()[stop:]
        _, history, recipe = batch_lr(table.rows(a), table.rows(b), seed, grid, budget)
        batch = retrained(table.rows(torch.arange(stop)), history, recipe, seed, budget)
        said = {"batch": batch.predict_proba(table.rows(c)).numpy()}
        make = ftrl(online["alpha"], online["beta"])
        _, said["ftrl"], said["frozen"] = streamed(table, make, online["batch_size"], stop)
        _, said["sgd"], _ = streamed(table, sgd(online["sgd"][name]), online["batch_size"], stop)
        before = seen_before(table["user"].numpy())[stop:]
        for model, p in said.items():
            scores |= judged(f"online/{name}/{model}", y, p)
            for low, high in zip(SEEN, (*SEEN[1:], 10**9), strict=True):
                rows = (before >= low) & (before < high)
                scores[f"online/{name}/{model}/seen_{low}/log_loss"] = log_loss(y[rows], p[rows])
    return scores


def seen_before(ids: np.ndarray) -> np.ndarray:
    """(N,) for each row, how many earlier rows have the same id."""
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    count = np.arange(len(ids)) - np.repeat(starts, np.diff([*starts, len(ids)]))
    result = np.empty(len(ids), dtype=np.int64)
    result[order] = count
    return result


def sparse(seed: int, online: dict, strengths: dict[str, list[float]]) -> dict[str, float]:
    """ "sparsity/METHOD/STRENGTH/nonzero" and "/log_loss" on the last tenth, predicted while learning."""
    table = sets(seed)["crosses"]
    stop = len(table) - len(time_split(table["timestamp"])[2])
    y = table["label"].numpy()[stop:]
    scores: dict[str, float] = {}
    for method, values in strengths.items():
        for l1 in values:
            make = (ftrl if method == "ftrl" else fobos)(online["alpha"], online["beta"], l1)
            model, p, _ = streamed(table, make, online["batch_size"], stop)
            scores[f"sparsity/{method}/{l1:g}/nonzero"] = nonzero(model)
            scores[f"sparsity/{method}/{l1:g}/log_loss"] = log_loss(y, p)
    return scores


def noisy_law(rng: np.random.Generator) -> Law:
    """Two fields of 30 values that matter, six of 200 that do not."""
    sizes = {"a": 30, "b": 30} | {f"noise{number}": 200 for number in range(6)}
    effects = {"main": Main({name: rng.normal(0, 0.7, 30) for name in ("a", "b")})}
    return Law(sizes, effects, -0.5, uniform(sizes))


def noise(seed: int, rows: int, l1: list[float]) -> dict[str, float]:
    """ "noise/L/zero_noise", "/zero_real": share of weights that are exactly 0; "/excess": log loss above the optimum."""
    rng = np.random.default_rng(seed)
    law = noisy_law(rng)
    stream, test = simulate(law, rows, rng), simulate(law, rows, rng)
    scores: dict[str, float] = {}
    for strength in l1:
        model = LR(stream.schema)
        progressive(model, stream, ftrl(0.1, 1.0, strength)(model))
        zero = {name: (model.linear.w.rows(name)[FIRST:] == 0).float() for name in law.sizes}
        prefix = f"noise/{strength:g}"
        scores[f"{prefix}/zero_real"] = float(torch.cat([zero["a"], zero["b"]]).mean())
        scores[f"{prefix}/zero_noise"] = float(torch.cat([z for name, z in zero.items() if name > "c"]).mean())
        q = model.predict_proba(test).numpy()
        scores[f"{prefix}/excess"] = expected_log_loss(test["p"], q) - bayes_log_loss(test["p"])
    return scores


def turning_law(rng: np.random.Generator, angle: float) -> Law:
    """Users and items count for themselves; the items' numbers turn by `angle` radians from the first row to the last."""
    users, start, end = rng.normal(0, 0.5, 40), rng.normal(0, 1.0, 60), rng.normal(0, 1.0, 60)

    def appeal(x: Columns) -> np.ndarray:
        turn = angle * x["time"]
        return np.cos(turn) * start[x["item"]] + np.sin(turn) * end[x["item"]]

    def draw(n: int, rng: np.random.Generator) -> Columns:
        return {"user": rng.integers(40, size=n), "item": rng.integers(60, size=n), "time": np.sort(rng.random(n))}

    return Law({"user": 40, "item": 60}, {"user": Main({"user": users}), "appeal": appeal}, -0.5, draw)


def drift(
    seed: int, rows: int, angle: float, alpha: list[float], sgd_rates: list[float], budget: dict[str, int]
) -> dict[str, float]:
    """ "drift/MODEL/I": expected log loss above the optimum in the I-th tenth of the second half; rates chosen before it.

    batch: Adam on the first half. frozen: FTRL on the first half. ftrl, sgd: go on learning.
    """
    rng = np.random.default_rng(seed)
    stream = simulate(turning_law(rng, angle), rows, rng)
    half, y = rows // 2, stream["label"].numpy()
    chosen = slice(int(0.4 * rows), half)  # the rows that rates are chosen by
    first = stream.rows(torch.arange(half))

    def loss_of(make: Make) -> float:
        model = LR(stream.schema)
        return log_loss(y[chosen], progressive(model, first, make(model))[chosen])

    def best(makes: list[Make]) -> Make:
        return min(makes, key=loss_of)

    _, ftrl_said, frozen = streamed(stream, best([ftrl(a) for a in alpha]), 16, half)
    _, sgd_said, _ = streamed(stream, best([sgd(rate) for rate in sgd_rates]), 16, half)
    fresh = stream.rows(torch.arange(chosen.start)), stream.rows(torch.arange(chosen.start, half))
    _, history, recipe = batch_lr(*fresh, seed, GRID, budget)
    batch = retrained(first, history, recipe, seed, budget)
    later = stream.rows(torch.arange(half, rows))
    said = {"batch": batch.predict_proba(later).numpy(), "frozen": frozen, "ftrl": ftrl_said, "sgd": sgd_said}
    p = later["p"].numpy()
    return {
        f"drift/{name}/{slice_number}": expected_log_loss(p[part], q[part]) - bayes_log_loss(p[part])
        for name, q in said.items()
        for slice_number, part in enumerate(np.array_split(np.arange(len(p)), 10))
    }


def age_law(rng: np.random.Generator, truth: float) -> Law:
    """Young viewers like every film more by `truth` in the logit, and choose films that are liked less."""
    appeal = rng.normal(0, 1.0, 100)

    def draw(n: int, rng: np.random.Generator) -> Columns:
        young = rng.integers(2, size=n)
        film = np.empty(n, dtype=np.int64)
        for side, sign in ((0, 1.0), (1, -1.0)):
            weight = np.exp(0.5 * sign * appeal)
            film[young == side] = rng.choice(100, int((young == side).sum()), p=weight / weight.sum())
        return {"young": young, "film": film}

    effects = {"main": Main({"young": np.array([0.0, truth]), "film": appeal})}
    return Law({"young": 2, "film": 100}, effects, 0.0, draw)


def gap(model: LR) -> float:
    """The weight of the second value of "young" less that of the first."""
    rows = model.linear.w.rows("young")[:, 0].detach()
    return float(rows[FIRST + 1] - rows[FIRST])


def planted_simpson(seed: int, rows: int, truth: float, budget: dict[str, int]) -> dict[str, float]:
    """ "simpson/pooled", "/within": differences of shares; "/alone", "/with_film": LR's weight of young, film left out or in."""
    rng = np.random.default_rng(seed)
    table = simulate(age_law(rng, truth), rows, rng)
    young, film = table["young"].numpy() - FIRST, table["film"].numpy() - FIRST
    found = compare(table["label"].numpy(), young, film)
    scores = {"simpson/pooled": found.pooled, "simpson/within": found.within}
    a, b, _ = random_split(rows, seed)
    for name, fields in {"alone": ("young",), "with_film": ("young", "film")}.items():
        shown = only(table, fields)
        model, _, _ = batch_lr(shown.rows(a), shown.rows(b), seed, GRID, budget)
        scores[f"simpson/{name}"] = gap(model)
    return scores


def run(
    seed: int, grid: dict, budget: dict, online: dict, sparsity: dict, noisy: dict, turning: dict, simpson: dict
) -> dict[str, float]:
    """All scores of one seed. The settings are those of this file; they are arguments so that they are recorded."""
    return (
        ladder(seed, grid, budget)
        | on_stream(seed, online, grid, budget)
        | sparse(seed, online, sparsity)
        | noise(seed, noisy["rows"], noisy["l1"])
        | drift(seed, turning["rows"], turning["angle"], turning["alpha"], turning["sgd"], budget)
        | planted_simpson(seed, simpson["rows"], simpson["truth"], budget)
    )


EXPERIMENT = Experiment(
    "2.4",
    run,
    {
        "grid": GRID,
        "budget": BATCH,
        "online": ONLINE,
        "sparsity": SPARSITY,
        "noisy": NOISE,
        "turning": DRIFT,
        "simpson": SIMPSON,
    },
)


def choices(seed: int) -> dict[str, float]:
    """Progressive log loss on rows 80 000 to 90 000, for each rate: what ONLINE was chosen by. Test rows are not looked at."""
    found: dict[str, float] = {}
    for name in ("view", "crosses"):
        table = sets(seed)[name].rows(torch.arange(90_000))
        y = table["label"].numpy()[80_000:]
        tried = {f"ftrl {a:g}": ftrl(a) for a in (0.1, 0.2, 0.4, 0.8, 1.6)}
        tried |= {f"sgd {rate:g}": sgd(rate) for rate in (0.003, 0.01, 0.02, 0.03, 0.05)}
        for text, make in tried.items():
            found[f"{name} {text}"] = log_loss(y, streamed(table, make, ONLINE["batch_size"], 80_000)[1])
    return found


if __name__ == "__main__":
    both = [choices(seed) for seed in (0, 1)]
    for text in both[0]:
        print(f"{text:20} {sum(one[text] for one in both) / 2:.4f}", flush=True)
