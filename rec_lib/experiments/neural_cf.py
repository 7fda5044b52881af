"""3.4: does a network rank better than an inner product? On MovieLens-100K, and in worlds where one or the other is the law.

ml100k_loo99, ml100k_loo   HR@10 and NDCG@10 of each user's last film, among 99 others and among all: popularity,
                           "itemcf_cosine" (one recipe for both, unlike 2.2's), EASE,
                           implicit ALS, "mf_sampled" (MF with biases, trained as NeuralCF is), GMF, MLP, "neuralcf" (NeuMF,
                           pretrained), "neumf_scratch" (from random weights), "blend" (the pretrained start, no step further)
alpha/A/loo99, …/loo       NDCG@10 of the mixture A · GMF + (1 − A) · MLP of two trained towers
source/WHAT/…              NDCG@10 of GMF with negatives that are "fixed" in the first epoch, or "dirty", drawn from all items; beside
                           them stand those of GMF itself, which are drawn anew in every epoch from what the user does not have
negatives/K/…              the same with K negatives a pair in place of 4
ring, inner                expected AUC in the two worlds of data.pair_worlds: MF, MLP, NeuMF, each at the size and the initial
                           scale of its best validation AUC, and "bayes", the best possible
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from rec_lib.data import movielens, pair_worlds
from rec_lib.data.bayes import bayes_auc, expected_auc
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.data.pointwise import Pointwise
from rec_lib.evaluation.metrics import auc
from rec_lib.evaluation.ranking import Protocol, Scorer, rank_held_out
from rec_lib.experiments.core import Experiment
from rec_lib.models.ease import EASE
from rec_lib.models.ials import IALS
from rec_lib.models.itemcf import ItemCF
from rec_lib.models.neural_cf import GMF, MLP, NeuMF, NeuralCF
from rec_lib.models.pair_network import PairNetwork, PairScorer
from rec_lib.models.popularity import Popularity
from rec_lib.schema import Batch
from rec_lib.training import fit

Recipe = dict[str, Any]

# Chosen by mean validation NDCG@10 of both protocols, seeds 0 and 1, never on test films;
# `python -m rec_lib.experiments.neural_cf` prints the tables.
RECIPES: dict[str, Recipe] = {
    "itemcf_cosine": {"k": 10, "similarity": "cosine", "shrinkage": 0.0},
    "ease": {"l2": 200.0},
    "ials": {"dim": 32, "alpha": 1.0, "l2": 10.0, "iterations": 10},  # as in 2.3
    "mf_sampled": {"dim": 16, "epochs": 24, "lr": 3e-3, "l2": 1e-6},
    "gmf": {"dim": 16, "epochs": 40, "lr": 3e-3, "l2": 1e-6},
    "mlp": {"hidden": (32, 16, 8), "epochs": 16, "lr": 3e-3, "l2": 1e-5},
    "neumf_scratch": {"dim": 16, "hidden": (32, 16, 8), "epochs": 16, "lr": 3e-3, "l2": 1e-6},
    "neuralcf": {"dim": 16, "hidden": (32, 16, 8), "epochs": 16, "lr": 3e-3, "l2": 1e-6, "alpha": 0.5, "sgd_lr": 0.1},
}
SHARED: Recipe = {"negatives": 4, "batch_size": 1024, "init_sd": 0.1}  # of all networks over pairs
PROTOCOLS: dict[str, Protocol] = {"loo99": "sampled", "loo": "full"}
ALPHAS = [round(0.1 * step, 1) for step in range(11)]
PLANTED = {"lr": 0.01, "weight_decay": 1e-5, "batch_size": 256, "epochs": 14, "patience": 3}
SCALES, SIZES = (0.1, 0.3), (4, 16)


class InnerProduct(PairScorer):
    """b + b_u + b_i + p_uᵀ q_i: the MF that NeuralCF has to beat, with the loss and the negatives that NeuralCF has."""

    def __init__(self, users: int, items: int, dim: int, init_sd: float):
        super().__init__()
        self.gmf = GMF(users, items, dim, init_sd)
        self.b, self.b_u, self.b_i = (nn.Parameter(torch.zeros(n)) for n in (1, users, items))

    def forward(self, batch: Batch) -> Tensor:
        return self.b + self.b_u[batch["user"]] + self.b_i[batch["item"]] + self.gmf(batch).sum(dim=1)  # (B,)


class SampledMF(PairNetwork):
    """MF with biases as a top-n model, trained on sampled negatives (Rendle, Krichene, Zhang, Anderson, RecSys 2020)."""

    def __init__(self, dim: int, epochs: int, lr: float, l2: float, negatives: int, batch_size: int, init_sd: float,
                 rng: np.random.Generator):  # fmt: skip
        super().__init__(negatives, epochs, batch_size, lr, l2, rng)
        self.dim, self.init_sd = dim, init_sd

    def _network(self, users: int, items: int) -> InnerProduct:
        return InnerProduct(users, items, self.dim, self.init_sd)


class Blend:
    """α times the scores of one model and 1 − α times those of another."""

    def __init__(self, a: Scorer, b: Scorer, users: np.ndarray):
        self.row = np.zeros(users.max() + 1, dtype=np.int64)
        self.row[users] = np.arange(len(users))
        self.a, self.b, self.alpha = a.score(users), b.score(users), 0.5

    def score(self, users: np.ndarray) -> np.ndarray:
        rows = self.row[users]
        return self.alpha * self.a[rows] + (1 - self.alpha) * self.b[rows]


class Fixed(Pointwise):
    """The negatives of the first epoch, in a new order, for all epochs."""

    first: Batch | None = None

    def epoch(self) -> Batch:
        if self.first is None:
            self.first = super().epoch()
        order = torch.from_numpy(self.rng.permutation(len(self.first["label"])))
        return {name: column[order] for name, column in self.first.items()}


class Dirty(Pointwise):
    """Negatives from all items: those that the user has are drawn too."""

    def epoch(self) -> Batch:
        rows = super().epoch()
        drawn = rows["label"] == 0
        low, high = 2, self.data.train.shape[1]
        rows["item"][drawn] = torch.from_numpy(self.rng.integers(low, high, int(drawn.sum())))
        return rows


class WithSource(NeuralCF):
    """NeuralCF over another source of negatives."""

    source: type[Pointwise] = Pointwise

    def _rows(self, seen: csr_matrix) -> Pointwise:
        return self.source(seen, self.negatives, self.rng)


@cache
def holdouts(seed: int) -> tuple[Interactions, Interactions]:
    """(validation, test): the last film but one and the last film of each user."""
    return leave_two_out(movielens.load("ml-100k"), seed=seed)


def build(name: str, seed: int, recipe: Recipe | None = None) -> Any:
    """The unfitted model of that name with its recipe (or another one)."""
    given = RECIPES.get(name, {}) if recipe is None else recipe
    rng = np.random.default_rng(seed)
    if name == "popularity":
        return Popularity()
    if name in ("itemcf_cosine", "ease"):
        return {"itemcf_cosine": ItemCF, "ease": EASE}[name](**given)
    if name == "ials":
        return IALS(**given, rng=rng)
    if name == "mf_sampled":
        return SampledMF(**SHARED | given, rng=rng)
    start: Recipe = {"network": name if name in ("gmf", "mlp") else "neumf", "alpha": None}
    return NeuralCF(**start | SHARED | given, rng=rng)


def ranked(model: Scorer, data: Interactions) -> dict[str, float]:
    """ "loo99/hr10", "loo99/ndcg10", "loo/hr10", "loo/ndcg10"."""
    scores: dict[str, float] = {}
    for split, protocol in PROTOCOLS.items():
        found = rank_held_out(model, data, k=10, protocol=protocol)
        scores |= {f"{split}/hr10": found.hit_rate, f"{split}/ndcg10": found.ndcg}
    return scores


# --- planted worlds --------------------------------------------------------------------------------------------------


def pair_network(name: str, users: int, items: int, dim: int, init_sd: float) -> PairScorer:
    """An untrained "mf", "mlp" (2·dim, dim, dim/2) or "neumf" for a planted world; MF has biases."""
    if name == "mf":
        return InnerProduct(users, items, dim, init_sd)
    hidden = (2 * dim, dim, max(2, dim // 2))
    towers = [] if name == "mlp" else [GMF(users, items, dim, init_sd)]
    widths = [] if name == "mlp" else [dim]
    return NeuMF([*towers, MLP(users, items, hidden, init_sd)], [*widths, hidden[-1]])


def in_world(name: str, parts: pair_worlds.Parts, seed: int, scales: Iterable[float] = SCALES, sizes: Iterable[int] = SIZES) -> PairScorer:  # fmt: skip
    """The network of the size and initial scale with the best validation AUC."""
    train, valid, _ = parts
    best: tuple[float, PairScorer] | None = None
    for dim, init_sd in product(sizes, scales):
        torch.manual_seed(seed)
        net = pair_network(name, train.schema.size("user"), train.schema.size("item"), dim, init_sd)
        history = fit(
            net,
            train,
            optimizers=[
                torch.optim.Adam(net.parameters(), lr=PLANTED["lr"], weight_decay=PLANTED["weight_decay"], fused=True)
            ],
            epochs=int(PLANTED["epochs"]),
            batch_size=int(PLANTED["batch_size"]),
            validate=lambda model: auc(valid["label"], answers(model, valid)),
            patience=int(PLANTED["patience"]),
            seed=seed,
            progress=False,
        )
        if best is None or max(history.valid) > best[0]:
            best = max(history.valid), net
    if best is None:
        raise ValueError("no size or no scale to try; expected at least one of each.")
    return best[1]


@torch.no_grad()
def answers(net: nn.Module, table: Any) -> Tensor:
    """Logits of all rows, (N,)."""
    logits: Tensor = net.eval()(table.batch())
    return logits


def planted_scores(seed: int) -> dict[str, float]:
    """ "WORLD/MODEL" and "WORLD/bayes": expected AUC over the test pairs."""
    scores = {}
    for world, make in {"inner": pair_worlds.inner_product, "ring": pair_worlds.ring}.items():
        parts = make(seed)
        p = parts[2]["p"].numpy()
        scores[f"{world}/bayes"] = bayes_auc(p)
        for name in ("mf", "mlp", "neumf"):
            scores[f"{world}/{name}"] = expected_auc(p, answers(in_world(name, parts, seed), parts[2]).numpy())
    return scores


# --- MovieLens -------------------------------------------------------------------------------------------------------


def movielens_scores(seed: int, alphas: list[float], negatives: list[int]) -> dict[str, float]:
    """All scores on MovieLens-100K: fitted on all but the last film, ranked on it."""
    _, data = holdouts(seed)
    found: dict[str, dict[str, float]] = {}
    fitted: dict[str, Scorer] = {}
    for name in ("popularity", *RECIPES):
        fitted[name] = build(name, seed).fit(data)
        found[name] = ranked(fitted[name], data)
    towers = {k: v for k, v in RECIPES["neuralcf"].items() if k not in ("alpha", "sgd_lr")}
    gmf = build("gmf", seed, {k: v for k, v in towers.items() if k != "hidden"}).fit(data)
    mlp = build("mlp", seed, {k: v for k, v in towers.items() if k != "dim"}).fit(data)
    blend = Blend(gmf, mlp, data.users)
    scores: dict[str, float] = {}
    for blend.alpha in alphas:
        at = ranked(blend, data)
        scores |= {f"alpha/{blend.alpha:g}/{split}": at[f"{split}/ndcg10"] for split in PROTOCOLS}
        if blend.alpha == RECIPES["neuralcf"]["alpha"]:
            found["blend"] = at
    for what, source in {"fixed": Fixed, "dirty": Dirty}.items():
        model = WithSource("gmf", **SHARED | RECIPES["gmf"], rng=np.random.default_rng(seed))
        model.source = source
        at = ranked(model.fit(data), data)
        scores |= {f"source/{what}/{split}": at[f"{split}/ndcg10"] for split in PROTOCOLS}
    for count in negatives:
        at = ranked(build("gmf", seed, RECIPES["gmf"] | {"negatives": count}).fit(data), data)
        scores |= {f"negatives/{count}/{split}": at[f"{split}/ndcg10"] for split in PROTOCOLS}
    for name, at in found.items():
        scores |= {f"ml100k_{key.replace('/', f'/{name}/')}": value for key, value in at.items()}
    return scores


def run(seed: int, recipes: dict[str, Recipe], shared: Recipe, planted: dict[str, float], alphas: list[float], negatives: list[int]) -> dict[str, float]:  # fmt: skip
    """All scores of one seed. The first three settings are this file's; they are arguments so that they are recorded."""
    return movielens_scores(seed, alphas, negatives) | planted_scores(seed)


EXPERIMENT = Experiment(
    "3.4",
    run,
    {"recipes": RECIPES, "shared": SHARED, "planted": PLANTED, "alphas": ALPHAS, "negatives": [1, 8]},
)


# --- choosing --------------------------------------------------------------------------------------------------------


def along(name: str, recipe: Recipe, seed: int, stops: Iterable[int]) -> dict[int, dict[str, float]]:
    """Validation scores of one run after each of these numbers of epochs: what training with so many would give."""
    valid, _ = holdouts(seed)
    stops = tuple(stops)
    model = build(name, seed, recipe | {"epochs": max(stops)})
    found: dict[int, dict[str, float]] = {}

    def look(epoch: int) -> None:
        if epoch in stops:
            found[epoch] = ranked(model, valid)

    model.watch = look
    model.fit(valid)
    return found


def candidates() -> dict[str, list[Recipe]]:
    """What is tried for each model; the epochs of networks are found along the way."""
    tried: dict[str, list[Recipe]] = {
        "itemcf_cosine": [
            {"k": k, "similarity": "cosine", "shrinkage": x} for k in (5, 10, 20, 50, 100) for x in (0.0, 10.0, 50.0)
        ],
        "ease": [{"l2": float(l2)} for l2 in (30, 100, 200, 300, 500, 1000)],
    }
    prices = (0.0, 1e-6, 1e-5, 3e-5)
    tried["gmf"] = [{"dim": d, "lr": 3e-3, "l2": l2} for d in (16, 32) for l2 in prices]
    tried["mf_sampled"] = tried["gmf"]
    tried["mlp"] = [{"hidden": (4 * d, 2 * d, d), "lr": 3e-3, "l2": l2} for d in (8, 16) for l2 in prices[1:]]
    tried["neumf_scratch"] = [r | {"dim": 16} for r in tried["mlp"]]
    tried["neuralcf"] = [
        {"dim": 16, "hidden": (32, 16, 8), "lr": 3e-3, "l2": l2, "alpha": 0.5, "epochs": epochs, "sgd_lr": sgd_lr}
        for l2, epochs, sgd_lr in product((1e-6, 1e-5), (16, 24), (0.1, 1.0))
    ]
    return tried


def stops_of(recipe: Recipe) -> tuple[int, ...]:
    """Numbers of epochs to look at: a given one, or several; products alone were still rising after 24."""
    if "epochs" in recipe:
        return (recipe["epochs"],)
    return (12, 16, 20, 24) if "hidden" in recipe else (12, 16, 20, 24, 32, 40)


def choices(names: Iterable[str], seeds: Iterable[int] = (0, 1)) -> list[tuple[float, str, Recipe]]:
    """Mean validation NDCG@10, full plus sampled, of every recipe and number of epochs; best first. No test film is looked at."""
    seeds, found = tuple(seeds), []
    for name in names:
        for recipe in candidates()[name]:
            if name in ("itemcf_cosine", "ease"):
                runs = [{0: ranked(build(name, s, recipe).fit(holdouts(s)[0]), holdouts(s)[0])} for s in seeds]
            else:
                runs = [along(name, recipe, s, stops_of(recipe)) for s in seeds]
            for stop in runs[0]:
                mean = float(np.mean([run[stop]["loo99/ndcg10"] + run[stop]["loo/ndcg10"] for run in runs]))
                found.append((mean, name, recipe | ({"epochs": stop} if stop else {})))
    return sorted(found, key=lambda entry: (entry[1], -entry[0]))


if __name__ == "__main__":
    for score, name, recipe in choices(candidates()):
        print(f"{name:14} {score:.4f}  {recipe}", flush=True)
