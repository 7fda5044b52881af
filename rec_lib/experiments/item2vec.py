"""4.3: vectors from sets of films, users as their means, and two towers. Beside counting and factorising, on MovieLens-100K.

ml100k_loo99, ml100k_loo   HR@10 and NDCG@10 of each user's last film, among 99 others and among all, and HR@100 among all:
                           popularity, "itemcf_cosine" (3.4's), EASE, implicit ALS, "item2vec" (users as means), "two_tower"
part/WHAT/loo, …/loo99     the same of two towers with one thing changed: "uncorrected" (no log Q), "inner" (vectors of any
                           length, τ = 1), "tau_1" (cosines, τ = 1), "no_features", "masked" (what the user has is no
                           negative); "restored" is "uncorrected" with log Q added when films are ranked;
                           "/popularity": the mean share of users who took a film of its lists of 10
score/BY/…                 of the same item2vec vectors: "cosine", "context" ⟨mean v, u_j⟩, "corrected" (the same + log Q_j)
window/HOW/…               item2vec with the same window over histories in the order of time ("ordered"), or with all pairs of the
                           sets ("set"), as many pairs in all as item2vec itself meets through a window over new orders
pairs/HOW/heaviest         share of all pairs that the tenth of the users with most films brings: "set", "window"
cold/WHAT/auc, /hr10       films that training never saw, ranked among themselves for users who took some: two towers,
                           and "genres", the cosine with a user's mean genres; HR@10: one of them is in the list
planted/z/MODEL            probability that the next item is in the list of 10, in the world of data.basket_worlds of skew z;
                           "…/slope": of score − log P on log Q; planted/new/MODEL: of 3 among the new items, z = 0
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from rec_lib.data import basket_worlds, movielens
from rec_lib.data.basket_pairs import BasketPairs
from rec_lib.data.basket_worlds import baskets_of
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.data.views import AGES, encoders
from rec_lib.data.watch_days import days
from rec_lib.data.watches import Watches
from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.engine import noise_law, train
from rec_lib.embeddings.item2vec import Item2vec, basket_means
from rec_lib.evaluation.metrics import auc
from rec_lib.evaluation.ranking import Scorer, rank_held_out
from rec_lib.experiments.core import Experiment
from rec_lib.layers.in_batch import in_batch_softmax_loss
from rec_lib.models.ease import EASE
from rec_lib.models.ials import IALS
from rec_lib.models.itemcf import ItemCF
from rec_lib.models.popularity import Popularity
from rec_lib.models.topn import TopN
from rec_lib.models.two_tower import TwoTower
from rec_lib.schema import FIRST, Batch

Recipe = dict[str, Any]

# Item2vec's and the towers': chosen by mean validation NDCG@10 among all films, seeds 0 and 1, never on test films;
# `python -m rec_lib.experiments.item2vec` prints the tables. ItemCF, EASE and implicit ALS: as in 3.4.
RECIPES: dict[str, Recipe] = {
    "itemcf_cosine": {"k": 10, "similarity": "cosine", "shrinkage": 0.0},
    "ease": {"l2": 200.0},
    "ials": {"dim": 32, "alpha": 1.0, "l2": 10.0, "iterations": 10},
    "item2vec": {"dim": 32, "window": 20, "negatives": 5, "share": 5, "subsample": 1e-3, "lr": 0.05, "epochs": 40, "by": "cosine"},
    "two_tower": {"dim": 32, "hidden": (32,), "maxlen": 50, "temperature": 0.3, "id_dropout": 0.1, "per_user": 20, "epochs": 48,
                  "batch_size": 256, "lr": 0.005, "l2": 1e-5, "init_sd": 0.1},
}  # fmt: skip
PARTS: dict[str, Recipe] = {
    "uncorrected": {"correction": False},
    "inner": {"normalise": False, "temperature": 1.0},
    "tau_1": {"temperature": 1.0},
    "no_features": {},
    "masked": {},
}
PLANTED: Recipe = {"dim": 16, "hidden": (16,), "per_user": 12, "epochs": 30}
COLD = 0.1  # share of the films that are taken out of training
SKEWS = (0.0, 1.0)
SET_EPOCHS = 8  # after subsampling all pairs of the sets are five times those of the window: as many pairs in all
WAYS = ("cosine", "context", "corrected")


class BasketMean(TopN):
    """Item2vec as a recommender: a user is the mean of the vectors of what was taken.

    by  "cosine": of the mean of vectors of length 1 and the item's; "context": ⟨mean v, u_j⟩, what training predicts;
        "corrected": the same plus log Q_j of the law of the negatives, which training has taken off.
    """

    def __init__(self, dim: int = 32, window: int | None = None, negatives: int = 5, share: int = 1, subsample: float = 0.0,
                 lr: float = 0.05, epochs: int = 20, by: str = "cosine", rng: np.random.Generator | None = None):  # fmt: skip
        self.dim, self.window, self.negatives, self.share = dim, window, negatives, share
        self.subsample, self.lr, self.epochs, self.by = subsample, lr, epochs, by
        self.rng = np.random.default_rng(0) if rng is None else rng

    def _fit(self, seen: csr_matrix) -> None:
        corpus = Corpus(*baskets_of(seen))
        self.vectors = self.context = np.zeros((corpus.size, self.dim))  # what is left where no basket has a pair
        if np.diff(corpus.offsets).max(initial=0) > 1:
            self._learn(corpus)
        self.use(self.by)

    def _learn(self, corpus: Corpus) -> None:
        form = (self.window, self.negatives, self.share, self.subsample, self.lr, self.epochs)
        model = Item2vec(corpus, self.dim, *form)
        model.fit(self.rng)
        self.vectors, self.context = model.vectors, model.context

    def use(self, by: str) -> None:
        """Score in this way from now on."""
        corpus, v = Corpus(*baskets_of(self.seen)), self.vectors.astype(np.float64)
        if by == "cosine":
            v = v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12)
        self.u = basket_means(v, corpus)  # (users, d)
        self.v = v if by == "cosine" else self.context.astype(np.float64)  # (items, d)
        self.bias = np.zeros(len(v))
        if by == "corrected" and corpus.counts.any():
            self.bias = np.log(np.maximum(noise_law(corpus.counts), 1e-12))

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.u[users] @ self.v.T + self.bias

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"u": self.u, "v": self.v, "bias": self.bias}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.u, self.v, self.bias = arrays["u"], arrays["v"], arrays["bias"]


class Ordered(BasketMean):
    """Word2vec on histories: the same window over each user's films in the order of time."""

    def _learn(self, corpus: Corpus) -> None:
        in_time = Corpus(Watches(self.seen, moments(), 1, self.rng).item, corpus.offsets, corpus.size)
        found = train(in_time, self.dim, window=self.window or 1, dynamic_window=False, negatives=self.negatives,
                      share=self.share, subsample=self.subsample, lr=self.lr, epochs=self.epochs, rng=self.rng)  # fmt: skip
        self.vectors, self.context = found


class Masked(TwoTower):
    """What the user of a row has is no negative for that row."""

    def _loss(self, batch: Batch) -> Tensor:
        has = torch.from_numpy(self.seen[batch["user"].numpy()][:, batch["item"].numpy()].toarray() != 0)  # (B, B)
        scores = self.net(batch).masked_fill(has & ~torch.eye(len(has), dtype=torch.bool), -torch.inf)
        return in_batch_softmax_loss(scores, batch.get("log_q"))


# --- MovieLens -----------------------------------------------------------------------------------------------------------


@cache
def holdouts(seed: int) -> tuple[Interactions, Interactions]:
    """(validation, test): the last film but one and the last film of each user."""
    return leave_two_out(movielens.load("ml-100k"), seed=seed)


@cache
def moments() -> csr_matrix:
    """Days of all ratings."""
    return days(movielens.load("ml-100k"), holdouts(0)[0].train.shape)


@cache
def features() -> tuple[np.ndarray, np.ndarray]:
    """(users, F) gender, age bracket, occupation; (items, G) a film's genres, which add up to one, and its five years."""
    ml = movielens.load("ml-100k")
    found = encoders(ml)
    ages = np.searchsorted(AGES, ml.users["age"], side="right")
    one_hots = [np.eye(found[n].size)[found[n].encode(ml.users[n].to_numpy())] for n in ("gender", "occupation")]
    people = np.concatenate([*one_hots, np.eye(len(AGES) + 1)[ages]], axis=1)
    genres = np.zeros((len(ml.items), found["genres"].size))
    for row, names in enumerate(ml.items["genres"]):
        if names:
            genres[row, found["genres"].encode(list(names))] = 1 / len(names)
    years = ml.items["year"].to_numpy().astype(int)
    spans = np.where(years > 0, 1 + (years.clip(1920, 1999) - 1920) // 5, 0)
    films = np.concatenate([genres, np.eye(17)[spans]], axis=1)
    return np.pad(people, ((FIRST, 0), (0, 0))), np.pad(films, ((FIRST, 0), (0, 0)))


def build(name: str, seed: int, recipe: Recipe | None = None) -> TopN:
    """The unfitted model of that name, or the towers with that part changed, by its recipe or another one."""
    rng = np.random.default_rng(seed)
    if name == "popularity":
        return Popularity()
    given = recipe or RECIPES.get(name) or RECIPES["two_tower"] | PARTS[name]
    if name in ("itemcf_cosine", "ease"):
        return {"itemcf_cosine": ItemCF, "ease": EASE}[name](**given)
    kinds: dict[str, type[IALS | BasketMean | TwoTower]] = {"ials": IALS, "item2vec": BasketMean, "masked": Masked}
    return kinds.get(name, TwoTower)(**given, rng=rng)


def fitted(name: str, seed: int, data: Interactions, recipe: Recipe | None = None) -> TopN:
    """The model, fitted; towers get the features, but "no_features" does not."""
    model = build(name, seed, recipe)
    if isinstance(model, TwoTower) and name != "no_features":
        return model.fit(data, *features())
    return model.fit(data)


class Restored:
    """Towers trained without the correction, and log Q added to their scores when items are ranked."""

    def __init__(self, model: TopN, log_q: np.ndarray):
        self.model, self.log_q = model, log_q

    def score(self, users: np.ndarray) -> np.ndarray:
        return self.model.score(users) + self.log_q


def ranked(model: Scorer, data: Interactions) -> dict[str, float]:
    """ "loo99/hr10", "loo99/ndcg10", "loo/hr10", "loo/ndcg10", "loo/hr100"."""
    sampled, full = (rank_held_out(model, data, k=10, protocol=protocol) for protocol in ("sampled", "full"))
    return {
        "loo99/hr10": sampled.hit_rate, "loo99/ndcg10": sampled.ndcg, "loo/hr10": full.hit_rate, "loo/ndcg10": full.ndcg,
        "loo/hr100": rank_held_out(model, data, k=100, protocol="full").hit_rate,
    }  # fmt: skip


def popular(model: TopN, users: np.ndarray) -> float:
    """Mean share of users who took a film of the lists of ten."""
    return float(model.popularity[model.recommend(users, 10)[0]].mean())


def heaviest(train: csr_matrix, window: int) -> dict[str, float]:
    """Share of all pairs that the tenth of the users with most films brings, as sets and through a window over new orders."""
    sizes = np.sort(np.diff(train.indptr))[::-1]
    sizes = sizes[sizes > 0]
    tenth, c = len(sizes) // 10, np.minimum(window, sizes - 1)
    pairs = {"set": sizes * (sizes - 1), "window": c * (2 * sizes - c - 1)}
    found = {f"pairs/{how}/heaviest": float(n[:tenth].sum() / n.sum()) for how, n in pairs.items()}
    return found | {"pairs/films/heaviest": float(sizes[:tenth].sum() / sizes.sum())}


# --- films that nobody took ------------------------------------------------------------------------------------------------


def without(train: csr_matrix, share: float, rng: np.random.Generator) -> tuple[csr_matrix, np.ndarray]:
    """The matrix without any interaction of a random `share` of the films that somebody took, and the ids of these."""
    taken = np.flatnonzero(np.bincount(train.indices, minlength=train.shape[1]))
    cold = rng.choice(taken, round(share * len(taken)), replace=False)
    keep = np.ones(train.shape[1], dtype=np.float32)
    keep[cold] = 0
    rest = csr_matrix(train.multiply(keep[None, :]))
    rest.eliminate_zeros()
    rest.sort_indices()
    return rest, np.sort(cold)


def cold_scores(
    seed: int, share: float, recipe: Recipe | None = None, data: csr_matrix | None = None
) -> dict[str, float]:
    """AUC of a user's own among the new films, mean over users, and how often one of them is in a list of ten."""
    full = holdouts(seed)[1].train if data is None else data
    rest, cold = without(full, share, np.random.default_rng(seed))
    people, films = features()
    liked = full[:, cold].toarray() != 0  # (users, cold)
    users = np.flatnonzero(liked.any(axis=1) & ~liked.all(axis=1) & (np.diff(rest.indptr) > 0))
    towers = TwoTower(**recipe or RECIPES["two_tower"], rng=np.random.default_rng(seed)).fit(rest, people, films)
    said = {"two_tower": towers.u[users] @ towers.item_tower(films[cold]).T}
    genres = films[:, : encoders(movielens.load("ml-100k"))["genres"].size]
    mean = (rest[users] != 0) @ genres
    unit = [x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (mean, genres[cold])]
    said["genres"] = unit[0] @ unit[1].T
    scores = {}
    rng = np.random.default_rng(seed)
    for name, table in said.items():
        each = [auc(own, row) for own, row in zip(liked[users].astype(float), table, strict=True)]
        best = np.argsort(-(table + 1e-9 * rng.random(table.shape)), axis=1)[:, :10]
        scores[f"cold/{name}/auc"] = float(np.mean(each))
        scores[f"cold/{name}/hr10"] = float(np.take_along_axis(liked[users], best, axis=1).any(axis=1).mean())
    lists = rng.permuted(np.tile(np.arange(len(cold)), (len(users), 1)), axis=1)[:, :10]
    scores["cold/chance/hr10"] = float(np.take_along_axis(liked[users], lists, axis=1).any(axis=1).mean())
    return scores


# --- planted worlds --------------------------------------------------------------------------------------------------------


def planted_scores(seed: int, settings: Recipe, skews: Iterable[float]) -> dict[str, float]:
    """ "planted/z/NAME" and "planted/new/NAME": what each is worth where the law is known."""
    scores: dict[str, float] = {}
    for skew in skews:
        world = basket_worlds.kinds_and_hits(seed, skew=skew)
        q = BasketPairs(world.train, 1, np.random.default_rng(0)).q
        models: dict[str, TopN] = {"popularity": Popularity(), "itemcf": ItemCF(), "ials": IALS(16, 1.0, 1.0, 10)}
        changes: dict[str, Recipe] = {
            "two_tower": {},
            "uncorrected": {"correction": False},
            "tau_1": {"temperature": 1.0},
        }
        for name, change in changes.items():
            models[name] = TwoTower(**settings | change, rng=np.random.default_rng(seed))
        scores[f"planted/{skew:g}/bayes"] = world.hit_rate(world.p)
        for name, model in models.items():
            said = model.fit(world.train).score(world.test)
            scores[f"planted/{skew:g}/{name}"] = world.hit_rate(said)
            if isinstance(model, TwoTower):
                scores[f"planted/{skew:g}/{name}/slope"] = world.slope(said, q)
    world = basket_worlds.kinds_and_hits(seed, skew=0.0)
    scores["planted/new/bayes"] = world.new_hit_rate(world.p_new)
    for name, sides in {"two_tower": world.kinds, "ids": np.zeros((len(world.new), 0))}.items():
        towers = TwoTower(**settings, rng=np.random.default_rng(seed)).fit(world.train, item_features=sides)
        scores[f"planted/new/{name}"] = world.new_hit_rate(towers.u[world.test] @ towers.item_tower(sides).T)
    return scores


def run(seed: int, recipes: dict[str, Recipe], parts: dict[str, Recipe], planted: Recipe, cold: float, skews: list[float]) -> dict[str, float]:  # fmt: skip
    """All scores of one seed. Settings of this file are arguments so that they are recorded."""
    _, data = holdouts(seed)
    scores: dict[str, float] = heaviest(data.train, recipes["item2vec"]["window"])
    for name in ("popularity", *recipes):
        start = time.process_time()
        model = fitted(name, seed, data)
        spent = time.process_time() - start
        scores |= {f"ml100k_{key.replace('/', f'/{name}/')}": value for key, value in ranked(model, data).items()}
        scores[f"part/{name}/popularity"] = popular(model, data.users)
        if name in ("item2vec", "two_tower"):
            scores[f"ml100k_loo99/{name}/train_seconds"] = spent
        if isinstance(model, TwoTower):
            scores[f"ml100k_loo99/{name}/parameters"] = sum(p.numel() for p in model.net.parameters())
        if isinstance(model, BasketMean):
            scores[f"ml100k_loo99/{name}/parameters"] = model.vectors.size + model.context.size
            for by in WAYS:
                model.use(by)
                scores |= {f"score/{by}/{key}": value for key, value in ranked(model, data).items()}
    for name in parts:
        model = fitted(name, seed, data)
        scores |= {f"part/{name}/{key}": value for key, value in ranked(model, data).items()}
        scores[f"part/{name}/popularity"] = popular(model, data.users)
        if name == "uncorrected":
            q = BasketPairs(model.seen, 1, np.random.default_rng(0)).q
            restored = Restored(model, np.log(np.maximum(q, 1e-12)))
            scores |= {f"part/restored/{key}": value for key, value in ranked(restored, data).items()}
    ways: dict[str, Recipe] = {"ordered": {}, "set": {"window": None, "epochs": SET_EPOCHS}}
    for how, change in ways.items():
        recipe, rng = recipes["item2vec"] | change, np.random.default_rng(seed)
        mean = (Ordered if how == "ordered" else BasketMean)(**recipe, rng=rng).fit(data)
        scores |= {f"window/{how}/{key}": value for key, value in ranked(mean, data).items()}
    return scores | cold_scores(seed, cold) | planted_scores(seed, planted, skews)


EXPERIMENT = Experiment(
    "4.3",
    run,
    {"recipes": RECIPES, "parts": PARTS, "planted": PLANTED, "cold": COLD, "skews": list(SKEWS)},
)


# --- choosing --------------------------------------------------------------------------------------------------------------


def choices(name: str, changes: Iterable[Recipe], seeds: Iterable[int] = (0, 1), stops: Iterable[int] = (16, 32, 48, 64)) -> list[tuple[float, float, Any, Recipe]]:  # fmt: skip
    """Mean validation NDCG@10, full and sampled, of every change of the recipe; best full ranking first.

    Of the towers after each of these numbers of epochs, of item2vec by each way to score.
    """
    found: dict[tuple[int, Any], list[tuple[float, float]]] = {}
    changes, stops = list(changes), tuple(stops)

    def note(place: int, at: Any, model: TopN, valid: Interactions) -> None:
        scores = ranked(model, valid)
        found.setdefault((place, at), []).append((scores["loo/ndcg10"], scores["loo99/ndcg10"]))

    for place, change in enumerate(changes):
        for seed in seeds:
            valid, _ = holdouts(seed)
            model = build(name, seed, RECIPES[name] | change | ({"epochs": max(stops)} if name == "two_tower" else {}))
            if isinstance(model, TwoTower):

                def look(epoch: int, model: TwoTower = model, valid: Interactions = valid, place: int = place) -> None:
                    if epoch in stops:
                        note(place, epoch, model, valid)

                model.watch = look
                model.fit(valid, *features())
            elif isinstance(model, BasketMean):
                model.fit(valid)
                for by in WAYS:
                    model.use(by)
                    note(place, by, model, valid)
    table = [(*np.mean(values, axis=0).tolist(), at, changes[place]) for (place, at), values in found.items()]
    return sorted(table, key=lambda entry: -entry[0])


if __name__ == "__main__":
    import sys

    rows: dict[str, list[Recipe]] = {
        "item2vec": [{"window": w, "subsample": t, "epochs": n} for w in (5, 10, 20) for t in (0.0, 1e-3, 3e-4) for n in (20, 40)]
        + [{"window": None, "share": 1, "subsample": t, "epochs": 2} for t in (1e-3, 3e-4)]
        + [{"subsample": 3e-4, "epochs": 40, "dim": d} for d in (16, 64)],
        "two_tower": [{}, {"temperature": 0.2}, {"temperature": 0.5}, {"l2": 1e-4}, {"hidden": ()}, {"hidden": (64, 32)},
                      {"batch_size": 1024}, {"id_dropout": 0.3}, {"dim": 64, "hidden": (64,)}, {"lr": 0.005}],
    }  # fmt: skip
    for name in sys.argv[1:] or rows:
        for full, sampled, at, change in choices(name, rows[name]):
            print(f"{name} {full:.4f} {sampled:.4f}  {at}  {change}", flush=True)
