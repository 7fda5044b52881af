"""4.5: what candidates by a network are worth, what its parts add, how fast an index finds them, and what pretraining saves.

ml100k_loo99, ml100k_loo   HR@10 and NDCG@10 of each user's last film, among 99 others and among all, and HR@100 among all:
                           popularity, "itemcf_cosine", implicit ALS, "youtube_recall"
part/WHAT/loo, …/loo99     HR@10 and HR@100 of the same network with one thing changed: "draws" (200 draws with the correction),
                           "uncorrected" (the same draws without it), "held_out" (any watch from the others, no order, no
                           age), "no_age", "scattered" (recommends from as many of the user's watches, any in place of the
                           last); by settings of their own "long" (the last 50 watches, as in the paper) and "average" (no
                           layers: the mean of the watched vectors is u); "/popularity" is the mean share of users who took a
                           film of its lists of 10
index/NAME                 over the films: recall@100 of the largest inner products of all users, seconds a query, share
                           examined; the whole way, from watches to the first 100 of 400 that are new to the user: HR@100 and
                           "served_seconds" a user. "index/SIZE/NAME": recall, seconds, share over SIZE times as many;
                           "user_seconds": from watches to a user's vector
wrong/WHAT/recall          recall@100 of the nearest vectors, by distance or by angle, without the longer vectors
tastes, fashion            probability that the next watch is in the list of 10, in the worlds of data.watch_worlds;
                           "fashion/NAME/age": mean age of an item, by the model's own probabilities; "fashion/NAME/part/N": the
                           probability that it gives the Nth part of the items by birth
pretrained/WORLD           AUC, validation AUC by epoch, best epoch, seconds an epoch, from random numbers ("scratch"), from the
                           vectors of an FM ("tuned"), from the same vectors held still ("frozen")
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data import movielens, watch_worlds, worlds
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.data.watch_days import days
from rec_lib.data.watches import Watches
from rec_lib.evaluation.metrics import auc
from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.fnn import from_fm
from rec_lib.models.fm import FM
from rec_lib.models.fnn import FNN
from rec_lib.models.ials import IALS
from rec_lib.models.itemcf import ItemCF
from rec_lib.models.popularity import Popularity
from rec_lib.models.topn import TopN
from rec_lib.models.watch_network import WatchNetwork
from rec_lib.models.youtube_recall import YouTubeRecall
from rec_lib.retrieval.base import Index, recall_at_k
from rec_lib.retrieval.exact import ExactIndex
from rec_lib.retrieval.inner_product import InnerProductIndex
from rec_lib.retrieval.kdtree import KDTree
from rec_lib.retrieval.lsh import LSH
from rec_lib.schema import FIRST, Batch
from rec_lib.training import fit

Recipe = dict[str, Any]

# Chosen by the last film but one: NDCG@10 of both protocols added up, mean of seeds 0 and 1 (`choices`; never by test films).
# The best over l2 (1e-5, 1e-4; for five watches a step beyond, too) and over 12 to 60 or 80 epochs:
#   last watches                 2      3      5      10     20     50
#   hidden (64, 32)            0.519  0.518  0.519  0.495  0.479  0.462
#   hidden (32,)                 –    0.527  0.538    –      –    0.481
#   "average", no layers       0.539  0.553  0.565  0.554    –      –
# Of the network's other settings dim and lr were compared at 50 watches only.
# "itemcf_cosine" and implicit ALS are those of 3.4, the best of theirs.
RECIPES: dict[str, Recipe] = {
    "itemcf_cosine": {"k": 10, "similarity": "cosine", "shrinkage": 0.0},
    "ials": {"dim": 32, "alpha": 1.0, "l2": 10.0, "iterations": 10},
    "youtube_recall": {"dim": 32, "hidden": (32,), "maxlen": 5, "negatives": None, "per_user": 20, "epochs": 60,
                       "batch_size": 256, "lr": 0.003, "l2": 1e-4, "init_sd": 0.1},
}  # fmt: skip
PARTS: dict[str, Recipe] = {
    "draws": {"negatives": 200, "lr": 0.006},
    "uncorrected": {"negatives": 200, "lr": 0.006},
    "held_out": {},
    "no_age": {},
    "long": {"maxlen": 50, "epochs": 60, "l2": 1e-5},  # the best of 50 watches
    "scattered": {},
    "average": {"maxlen": 5, "epochs": 24, "l2": 1e-5},
}
PLANTED: Recipe = {"dim": 16, "hidden": (32, 16), "maxlen": 50, "negatives": None, "per_user": 20, "epochs": 20,
                   "batch_size": 256, "lr": 0.01, "l2": 0.0, "init_sd": 0.1}  # fmt: skip
INDEXES: dict[str, Recipe] = {  # w in units of M, the longest film vector once the mean is taken off
    "lsh/8": {"w": 3.0, "K": 8, "L": 8},
    "lsh/16": {"w": 3.0, "K": 8, "L": 16},
    "lsh/32": {"w": 3.0, "K": 8, "L": 32},
    "lsh/64": {"w": 3.0, "K": 8, "L": 64},
}
BIRTHS = 10  # parts of the items by birth


class AverageNetwork(WatchNetwork):
    """No layers: the mean of the watched vectors is the user's vector."""

    def user(self, batch: Batch) -> torch.Tensor:
        real = (batch["history"] != 0).to(self.e.dtype)  # (B, T)
        watched = self.e.index_select(0, batch["history"].flatten()).view(*real.shape, self.e.shape[1])  # (B, T, N)
        return (watched * real.unsqueeze(2)).sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)  # (B, N)


class Average(YouTubeRecall):
    """Candidates from the mean of the watched vectors; their size is that of u elsewhere."""

    def _network(self, items: int) -> WatchNetwork:
        return AverageNetwork(items, self.hidden[-1], self.hidden, self.init_sd)


class Ageless(Watches):
    """Examples whose age is not told."""

    def examples(self, per_user: int) -> Batch:
        batch = super().examples(per_user)
        return batch | {"age": torch.zeros_like(batch["age"])}


class NoAge(YouTubeRecall):
    """The network without the example's age."""

    def _rows(self, seen: csr_matrix) -> Watches:
        return Ageless(seen, self._times, self.maxlen, self.rng)


class Scattered(YouTubeRecall):
    """Learns from the last watches; recommends from any, as many."""

    def _fit(self, seen: csr_matrix) -> None:
        super()._fit(seen)
        self.history = Watches(seen, None, self.maxlen, self.rng).histories(np.arange(seen.shape[0]))


class Uncorrected(YouTubeRecall):
    """Draws by popularity, as if they were even."""

    def _with_draws(self, batch: Batch) -> Batch:
        drawn = super()._with_draws(batch)
        return drawn | {"log_q": torch.zeros_like(drawn["log_q"])}


KINDS: dict[str, type[YouTubeRecall]] = {
    "no_age": NoAge,
    "scattered": Scattered,
    "average": Average,
    "uncorrected": Uncorrected,
}


@cache
def holdouts(seed: int) -> tuple[Interactions, Interactions]:
    """(validation, test): the last film but one and the last film of each user."""
    return leave_two_out(movielens.load("ml-100k"), seed=seed)


@cache
def moments() -> csr_matrix:
    """Days of all ratings."""
    valid, _ = holdouts(0)
    return days(movielens.load("ml-100k"), valid.train.shape)


def build(name: str, seed: int, recipe: Recipe | None = None) -> TopN:
    """The unfitted model of that name, or the network with that part changed, by its recipe or another one."""
    rng = np.random.default_rng(seed)
    if name == "popularity":
        return Popularity()
    own = RECIPES["youtube_recall"] | PARTS.get(name, {})
    given = RECIPES.get(name, own) if recipe is None else recipe
    if name in ("itemcf", "itemcf_cosine"):
        return ItemCF(**given)
    if name == "ials":
        return IALS(**given, rng=rng)
    return KINDS.get(name, YouTubeRecall)(**given, rng=rng)


def fitted(name: str, seed: int, data: Interactions | csr_matrix, times: csr_matrix, recipe: Recipe | None = None) -> TopN:  # fmt: skip
    """The model, fitted; the network gets the times, but "held_out" does not."""
    model = build(name, seed, recipe)
    if isinstance(model, YouTubeRecall) and name != "held_out":
        return model.fit(data, times)
    return model.fit(data)


def ranked(model: TopN, data: Interactions) -> dict[str, float]:
    """ "loo99/hr10", "loo99/ndcg10", "loo/hr10", "loo/ndcg10", "loo/hr100"."""
    sampled, full = (rank_held_out(model, data, k=10, protocol=protocol) for protocol in ("sampled", "full"))
    return {
        "loo99/hr10": sampled.hit_rate, "loo99/ndcg10": sampled.ndcg, "loo/hr10": full.hit_rate, "loo/ndcg10": full.ndcg,
        "loo/hr100": rank_held_out(model, data, k=100, protocol="full").hit_rate,
    }  # fmt: skip


# --- search ------------------------------------------------------------------------------------------------------------


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds, the least of three runs after one that is not counted."""
    work()
    runs = []
    for _ in range(3):
        start = time.process_time()
        work()
        runs.append(time.process_time() - start)
    return min(runs)


def indexes(longest: float, rng: np.random.Generator) -> dict[str, Index]:
    """Exact, kd-tree and the hashes, each over the longer vectors."""
    found: dict[str, Index] = {"exact": InnerProductIndex(ExactIndex()), "kd_tree": InnerProductIndex(KDTree())}
    for name, at in INDEXES.items():
        found[name] = InnerProductIndex(LSH(at["w"] * longest, at["K"], at["L"], rng=rng))
    return found


def searched(prefix: str, vectors: np.ndarray, queries: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """ "PREFIX/NAME/recall100", "/examined" (share), "/seconds" of every index."""
    longest = float(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max())
    true = InnerProductIndex(ExactIndex()).build(vectors).query(queries, 100)[0]
    scores = {}
    for name, index in indexes(longest, rng).items():
        index.build(vectors)
        scores[f"{prefix}/{name}/seconds"] = seconds(partial(index.query, queries, 100)) / len(queries)
        scores[f"{prefix}/{name}/recall100"] = recall_at_k(index.query(queries, 100)[0], true)
        scores[f"{prefix}/{name}/examined"] = float(index.examined.mean()) / len(vectors)
    return scores


def candidates(index: Index, queries: np.ndarray, seen: csr_matrix, fetch: int = 400, k: int = 100) -> np.ndarray:
    """(m, k) rows of the index: of the `fetch` that it returns the first k that are not in row i of `seen`; −1 pads."""
    ids, _ = index.query(queries, fetch)
    known = seen.toarray() != 0
    fresh = (ids >= 0) & ~np.take_along_axis(known, np.maximum(ids, 0), axis=1)
    order = np.argsort(~fresh, axis=1, kind="stable")[:, :k]
    return np.where(np.take_along_axis(fresh, order, axis=1), np.take_along_axis(ids, order, axis=1), -1)


def served(model: YouTubeRecall, data: Interactions, sizes: Iterable[int], seed: int) -> dict[str, float]:
    """From watches to films: every index over the vectors of `model`, and over a catalogue of copies that differ a little."""
    rng = np.random.default_rng(seed)
    items = FIRST + np.flatnonzero(model.popularity[FIRST:] > 0)
    vectors, queries = model.item_vectors()[items], model.user_vectors(data.users)
    scores = searched("index", vectors, queries, rng)
    seen, row = data.train[data.users][:, items], np.full(len(model.popularity), -2)
    row[items] = np.arange(len(items))
    scores["user_seconds"] = seconds(partial(model.user_vectors, data.users)) / len(data.users)

    def serve(index: Index) -> np.ndarray:
        return candidates(index, model.user_vectors(data.users), seen)

    for name, index in indexes(float(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max()), rng).items():
        found = serve(index.build(vectors))
        scores[f"index/{name}/served_seconds"] = seconds(partial(serve, index)) / len(data.users)
        scores[f"index/{name}/hr100"] = float((found == row[data.held_out][:, None]).any(axis=1).mean())
    true = InnerProductIndex(ExactIndex()).build(vectors).query(queries, 100)[0]
    scores["wrong/distance/recall"] = recall_at_k(ExactIndex().build(vectors).query(queries, 100)[0], true)
    unit = [x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (vectors, queries)]
    scores["wrong/angle/recall"] = recall_at_k(ExactIndex().build(unit[0]).query(unit[1], 100)[0], true)
    spread = 0.3 * vectors.std(axis=0)
    for size in sizes:
        copies = np.concatenate(
            [vectors] + [vectors + spread * rng.normal(size=vectors.shape) for _ in range(size - 1)]
        )
        scores |= searched(f"index/{size}", copies, queries[:100], rng)
    return scores


# --- planted worlds ----------------------------------------------------------------------------------------------------


def planted_scores(seed: int) -> dict[str, float]:
    """Hit rates in both worlds; in the world of fashion also how old the items are that a model expects."""
    scores: dict[str, float] = {}
    recipes: dict[str, Recipe] = {"itemcf": {}, "ials": {"dim": 16, "alpha": 1.0, "l2": 1.0}}
    for world_name, world in {"tastes": watch_worlds.two_tastes(seed), "fashion": watch_worlds.fashion(seed)}.items():
        scores[f"{world_name}/bayes"] = world.hit_rate(world.p)
        said = {"bayes": world.p}
        for name in ("popularity", "itemcf", "ials", "youtube_recall", "average", "no_age"):
            model = fitted(name, seed, world.train, world.times, recipes.get(name, PLANTED))
            found = model.score(world.test)
            scores[f"{world_name}/{name}"] = world.hit_rate(found)
            if name in ("youtube_recall", "no_age"):
                said[name] = world.shares(found)
        if world_name == "fashion":
            part = np.argsort(np.argsort(world.born[FIRST:])) * BIRTHS // len(world.born[FIRST:])
            for name, share in said.items():
                scores[f"fashion/{name}/age"] = float((share @ (1 - world.born)).mean())
                mass = share.mean(axis=0)[FIRST:]
                scores |= {f"fashion/{name}/part/{n}": float(mass[part == n].sum()) for n in range(BIRTHS)}
    return scores


# --- pretraining -------------------------------------------------------------------------------------------------------


def pretrained_scores(seed: int, settings: Recipe) -> dict[str, float]:
    """A network over the vectors of an FM that saw all rows; the network itself sees all ("full") or few of them ("few")."""
    world = worlds.pure_fm(seed)
    torch.manual_seed(seed)
    fm = FM(world.train.schema, settings["dim"], settings["init_sd"])
    _learn(fm, world.train, world.valid, 1e-2, seed, settings)
    scores = {
        "pretrained/bayes": world.bayes["auc"],
        "pretrained/fm/auc": auc(world.test["label"], fm.predict_proba(world.test)),
    }
    for rows_name, count in {"full": len(world.train), "few": settings["few"]}.items():
        rows = world.train.rows(torch.arange(count))
        for start in ("scratch", "tuned", "frozen"):
            best: tuple[float, FNN, Any] | None = None
            scales = settings["scales"] if start == "scratch" else [settings["init_sd"]]
            for lr, init_sd in product(settings["rates"], scales):
                torch.manual_seed(seed)
                model = FNN(fm.schema, fm.emb.dim, (64, 32), init_sd=init_sd) if start == "scratch" else from_fm(fm)
                if start == "frozen":
                    model.emb.requires_grad_(False)
                history = _learn(model, rows, world.valid, lr, seed, settings)
                if best is None or max(history.valid) > best[0]:
                    best = max(history.valid), model, history
            if best is None:
                raise ValueError("no rate or no scale to try; expected at least one of each.")
            _, model, history = best
            at = f"pretrained/{rows_name}/{start}"
            scores[f"{at}/auc"] = auc(world.test["label"], model.predict_proba(world.test))
            scores[f"{at}/best_epoch"] = history.best_epoch
            scores[f"{at}/epoch_seconds"] = float(np.median(history.seconds))
            for epoch in range(settings["epochs"]):  # after it stopped, the best weights stand
                stopped = epoch >= len(history.valid)
                scores[f"{at}/valid/{epoch + 1}"] = max(history.valid) if stopped else history.valid[epoch]
    return scores


def _learn(model: Any, rows: Any, valid: Any, lr: float, seed: int, settings: Recipe) -> Any:
    moving = [p for p in model.parameters() if p.requires_grad]
    return fit(
        model,
        rows,
        optimizers=[torch.optim.Adam(moving, lr=lr, fused=True)],
        epochs=settings["epochs"],
        batch_size=512,
        validate=lambda m: auc(valid["label"], m.predict_proba(valid)),
        patience=4,
        seed=seed,
        progress=False,
    )


PRETRAINING: Recipe = {
    "dim": 8,
    "init_sd": 0.05,
    "scales": [0.05, 0.5],
    "rates": [0.003, 0.01],
    "epochs": 20,
    "few": 4000,
}


def run(seed: int, recipes: dict[str, Recipe], parts: dict[str, Recipe], planted: Recipe, lsh: dict[str, Recipe],
        pretraining: Recipe, sizes: list[int]) -> dict[str, float]:  # fmt: skip
    """All scores of one seed. Settings of this file are arguments so that they are recorded."""
    _, data = holdouts(seed)
    scores: dict[str, float] = {}
    for name in ("popularity", *recipes):
        start = time.process_time()
        model = fitted(name, seed, data, moments())
        spent = time.process_time() - start
        scores |= {f"ml100k_{key.replace('/', f'/{name}/')}": value for key, value in ranked(model, data).items()}
        if isinstance(model, YouTubeRecall):
            scores[f"ml100k_loo99/{name}/train_seconds"] = spent
            scores[f"ml100k_loo99/{name}/parameters"] = sum(p.numel() for p in model.net.parameters())
            scores |= served(model, data, sizes, seed)
    for name in parts:
        start = time.process_time()
        model = fitted(name, seed, data, moments())
        scores[f"part/{name}/seconds"] = time.process_time() - start
        scores |= {f"part/{name}/{key}": value for key, value in ranked(model, data).items() if "hr" in key}
        scores[f"part/{name}/popularity"] = float(model.popularity[model.recommend(data.users, 10)[0]].mean())
    return scores | planted_scores(seed) | pretrained_scores(seed, pretraining)


EXPERIMENT = Experiment(
    "4.5",
    run,
    {
        "recipes": RECIPES,
        "parts": PARTS,
        "planted": PLANTED,
        "lsh": INDEXES,
        "pretraining": PRETRAINING,
        "sizes": [8, 32],
    },
)


# --- choosing ----------------------------------------------------------------------------------------------------------


def choices(name: str, changes: Iterable[Recipe], seeds: Iterable[int] = (0, 1), stops: Iterable[int] = (12, 24, 36, 48, 60, 80)) -> list[tuple[float, int, Recipe]]:  # fmt: skip
    """Mean validation NDCG@10, full plus sampled, after each of these numbers of epochs, of a kind changed; best first."""
    found = []
    stops = tuple(stops)
    for change in changes:
        runs: dict[int, list[float]] = {stop: [] for stop in stops}
        for seed in seeds:
            valid, _ = holdouts(seed)
            model = build(name, seed, RECIPES["youtube_recall"] | change | {"epochs": max(stops)})
            if not isinstance(model, YouTubeRecall):
                raise ValueError(f"got {name=}; expected a network, one of {sorted(KINDS)} or youtube_recall.")

            def look(epoch: int, model: YouTubeRecall = model, valid: Interactions = valid, into: dict = runs) -> None:
                if epoch in into:
                    at = ranked(model, valid)
                    into[epoch].append(at["loo99/ndcg10"] + at["loo/ndcg10"])

            model.watch = look
            model.fit(valid, moments())
        found += [(float(np.mean(values)), stop, change) for stop, values in runs.items()]
    return sorted(found, key=lambda entry: -entry[0])


if __name__ == "__main__":
    grid: list[Recipe] = [{"maxlen": T, "l2": l2} for T in (2, 3, 5, 10, 20, 50) for l2 in (1e-5, 1e-4)]
    deeper = [change | {"hidden": (64, 32)} for change in grid]
    for kind, changes in {"youtube_recall": grid + deeper, "average": grid}.items():
        for score, stop, change in choices(kind, changes):
            print(f"{kind}  {score:.4f}  {stop} epochs  {change}", flush=True)
