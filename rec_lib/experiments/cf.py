"""2.2: UserCF, ItemCF and popularity on MovieLens-100K: ranking, ratings, the head, and what the similarities cost.

valid/PROTOCOL/FILTER/SIMILARITY/kK/sS/ndcg   the whole grid on the validation films (each user's last but one)
rank/PROTOCOL/FILTER/hr, /ndcg                 HR@10, NDCG@10 of the last films; k, similarity and shrinkage are those of
                                               the best validation NDCG of this protocol and seed
stars/FILTER/SIMILARITY/FORM/rmse              test RMSE, random 80/10/10; k and shrinkage by validation RMSE; FORM is
                                               "plain" or "centred"; stars/NAME/rmse for the means that need no neighbour
head/NAME/…                                    lists of ten, full ranking: share of their places that the 5 % most popular
                                               films take, coverage, HR@10 of held-out films in the head and outside
alpha/A/…                                      the same for similarities  co-takers / (d_h^(1-A) d_p^A)
near/NAME/…                                    the ten nearest films of each film: share of them in the head
cost/SIDE/mM/nN                                products that the sparse R Rᵀ (users) and Rᵀ R (items) take, M users, N films
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags

from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.data.movielens import MovieLens, load
from rec_lib.data.views import ratings
from rec_lib.evaluation.metrics import coverage, rmse
from rec_lib.evaluation.ranking import Protocol, rank_held_out
from rec_lib.evaluation.splits import random_split
from rec_lib.experiments.core import Experiment
from rec_lib.models.itemcf import ItemCF
from rec_lib.models.neighbours import NeighbourCF
from rec_lib.models.popularity import Popularity
from rec_lib.models.similarity import means, multiplications, ratio
from rec_lib.models.topn import TopN
from rec_lib.models.usercf import UserCF
from rec_lib.schema import FIRST

PROTOCOLS: tuple[Protocol, ...] = ("sampled", "full")
TOP = 10
HEAD = 0.05  # the share of the films that counts as the head


class FromTaken(ItemCF):
    """ItemCF by the book's steps: candidates are the k items nearest to each item that the user took."""

    def _score(self, users: np.ndarray) -> np.ndarray:
        return (self.seen[users] @ self.W).toarray()  # (U, items)  Σ_h w_hp R_uh


class CoTakers(TopN):
    """ItemCF whose similarity is  co-takers / (d_h^(1-α) d_p^α), d the number of users of an item; all neighbours.

    α = 0.5 is the cosine. α = 0 does not charge a candidate p for being popular, α = 1 charges it in full.
    """

    def __init__(self, alpha: float = 0.5):
        self.alpha = alpha

    def _fit(self, seen: csr_matrix) -> None:
        R = seen.astype(bool).astype(np.float64)
        degree = np.maximum(np.asarray(R.sum(axis=0)).ravel(), 1)
        self.W = (diags(degree ** (self.alpha - 1)) @ (R.T @ R) @ diags(degree**-self.alpha)).toarray()
        np.fill_diagonal(self.W, 0)

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.seen[users] @ self.W

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"W": self.W}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.W = arrays["W"]


FILTERS: dict[str, type[NeighbourCF]] = {"usercf": UserCF, "itemcf": ItemCF, "itemcf_taken": FromTaken}


@cache
def movielens() -> MovieLens:
    """MovieLens-100K, read once."""
    return load("ml-100k")


def star_matrices(seed: int) -> tuple[csr_matrix, csr_matrix, csr_matrix]:
    """(training, validation, test) stars, random 80/10/10, as (users, items) matrices."""
    table = ratings(movielens())
    user, item, stars = table["user"].numpy(), table["item"].numpy(), table["label"].numpy()
    shape = table.schema.size("user"), table.schema.size("item")
    a, b, c = (
        csr_matrix((stars[rows], (user[rows], item[rows])), shape=shape)
        for rows in (part.numpy() for part in random_split(len(table), seed))
    )
    return a, b, c


def grid(similarities: list[str], ks: list[int], shrinkages: list[float]) -> list[tuple[str, int, float]]:
    """All settings, each (similarity, k, shrinkage)."""
    return [(s, k, float(x)) for s in similarities for x in shrinkages for k in ks]


def name_of(setting: tuple[str, int, float]) -> str:
    """ "cosine/k50/s10"."""
    similarity, k, shrinkage = setting
    return f"{similarity}/k{k}/s{shrinkage:g}"


def ranking(valid: Interactions, test: Interactions, settings: list[tuple[str, int, float]]) -> dict[str, Any]:
    """Scores by name, and under "best" the setting of each filter and protocol."""
    scores: dict[str, float] = {}
    best: dict[tuple[str, Protocol], tuple[str, int, float]] = {}
    for name, cls in FILTERS.items():
        for setting in settings:
            similarity, k, shrinkage = setting
            model = cls(k, similarity, shrinkage).fit(valid)
            for protocol in PROTOCOLS:
                at = f"valid/{protocol}/{name}/{name_of(setting)}/ndcg"
                scores[at] = rank_held_out(model, valid, TOP, protocol).ndcg
        for protocol in PROTOCOLS:
            best[name, protocol] = max(settings, key=lambda s: scores[f"valid/{protocol}/{name}/{name_of(s)}/ndcg"])
    for protocol in PROTOCOLS:
        models: dict[str, TopN] = {"popularity": Popularity().fit(test)}
        for name, cls in FILTERS.items():
            similarity, k, shrinkage = best[name, protocol]
            models[name] = cls(k, similarity, shrinkage).fit(test)
            scores[f"rank/{protocol}/{name}/k"] = k
        for name, fitted in models.items():
            ranked = rank_held_out(fitted, test, TOP, protocol)
            scores |= {f"rank/{protocol}/{name}/hr": ranked.hit_rate, f"rank/{protocol}/{name}/ndcg": ranked.ndcg}
    return {"scores": scores, "best": best}


def pairs(matrix: csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users, items and stars of the entries, (entries,) each."""
    coo = matrix.tocoo()
    return coo.row.astype(np.int64), coo.col.astype(np.int64), coo.data.astype(np.float64)


def biases(train: csr_matrix, damping: float, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """(N,) μ + b_i + b_u: means of what is left, damped by `damping` ratings of 0 (Koren 2010, section 2.1)."""
    R = train.tocsr().astype(np.float64)
    mu = R.data.mean()
    rest = R.copy()
    rest.data = R.data - mu
    columns = rest.T.tocsr()
    b_i = np.asarray(columns.sum(axis=1)).ravel() / (np.diff(columns.indptr) + damping)
    rest.data = rest.data - b_i[rest.indices]
    b_u = np.asarray(rest.sum(axis=1)).ravel() / (np.diff(rest.indptr) + damping)
    return (mu + b_i[items] + b_u[users]).clip(1, 5)


def stars(seed: int, ks: list[int], shrinkages: list[float], dampings: list[float]) -> dict[str, float]:
    """Test RMSE of every filter, similarity and form, and of the means."""
    train, valid, test = star_matrices(seed)
    (vu, vi, vy), (tu, ti, ty) = pairs(valid), pairs(test)
    mu = float(train.data.mean())
    item_mean, known = means(train.T.tocsr()), np.diff(train.T.tocsr().indptr) > 0
    damping = min(dampings, key=lambda d: rmse(vy, biases(train, d, vu, vi)))
    scores = {
        "stars/global_mean/rmse": rmse(ty, np.full(len(ty), mu)),
        "stars/item_mean/rmse": rmse(ty, np.where(known[ti], item_mean[ti], mu)),
        "stars/biases/rmse": rmse(ty, biases(train, damping, tu, ti)),
    }
    sides: dict[str, type[NeighbourCF]] = {"usercf": UserCF, "itemcf": ItemCF}
    for name, cls in sides.items():
        for similarity in cls.SIMILARITIES:
            tried: dict[str, list[tuple[float, NeighbourCF]]] = {"plain": [], "centred": []}
            for _, k, shrinkage in grid([similarity], ks, shrinkages):
                model = cls(k, similarity, shrinkage).fit(train)
                for form, found in tried.items():
                    found.append((rmse(vy, model.predict(vu, vi, form == "centred")), model))
            for form, found in tried.items():
                _, model = min(found, key=lambda pair: pair[0])
                at = f"stars/{name}/{similarity}/{form}"
                scores[f"{at}/rmse"] = rmse(ty, model.predict(tu, ti, form == "centred"))
                scores[f"{at}/k"], scores[f"{at}/shrinkage"] = model.k, model.shrinkage
                if form == "centred":
                    scores[f"{at}/reached"] = float(model.rated_by_neighbours(tu, ti).mean())
    return scores


def head_items(popularity: np.ndarray, share: float = HEAD) -> np.ndarray:
    """(items,) bool: the `share` of the real items that most users took."""
    count = round(share * (len(popularity) - FIRST))
    head = np.zeros(len(popularity), dtype=bool)
    head[np.argsort(-popularity, kind="stable")[:count]] = True
    return head


def lists(model: TopN, data: Interactions) -> dict[str, float]:
    """What ten places a user are spent on, and whom they serve (full ranking)."""
    head = head_items(model.popularity)
    items, _ = model.recommend(data.users, TOP)
    ranked = rank_held_out(model, data, TOP, "full")
    own = head[data.held_out]
    return {
        "places": float(head[items].mean()),
        "coverage": coverage(np.where(items < 0, -1, items - FIRST), len(head) - FIRST),
        "hr": ranked.hit_rate,
        "hr_head": float(ranked.hits[own].mean()),
        "hr_rest": float(ranked.hits[~own].mean()),
    }


def near_the_head(W: np.ndarray, degree: np.ndarray, k: int = TOP) -> dict[str, float]:
    """Of the k nearest films of each film: share in the head, for films of the head and for those of at most 10 users.

    degree  (items,) number of users of each film
    """
    head = head_items(degree)
    best = np.argsort(-W, axis=1, kind="stable")[:, :k]
    inside, real = head[best], np.take_along_axis(W, best, axis=1) > 0
    share = ratio((inside & real).sum(axis=1), real.sum(axis=1))
    few = (degree > 0) & (degree <= 10)
    return {"few": float(share[few].mean()), "head": float(share[head].mean())}


def co_takers(train: csr_matrix) -> np.ndarray:
    """(items, items) number of users who took both; 0 on the diagonal."""
    R = train.astype(bool).astype(np.float64)
    counts = np.asarray((R.T @ R).toarray())
    np.fill_diagonal(counts, 0)
    return counts


def products(train: csr_matrix, m: int, n: int, rng: np.random.Generator) -> tuple[float, float]:
    """Products of the sparse R Rᵀ and of Rᵀ R for m random users and n random films."""
    rows = FIRST + rng.permutation(train.shape[0] - FIRST)[:m]
    columns = FIRST + rng.permutation(train.shape[1] - FIRST)[:n]
    part = train[rows][:, columns].tocsr()
    of_films, of_users = np.bincount(part.indices, minlength=n), np.diff(part.indptr)
    return float(multiplications(of_films)), float(multiplications(of_users))


def run(
    seed: int,
    ks: list[int],
    shrinkages: list[float],
    similarities: list[str],
    star_ks: list[int],
    star_shrinkages: list[float],
    dampings: list[float],
    alphas: list[float],
    sizes: list[list[int]],
) -> dict[str, float]:
    """All results of one seed."""
    valid, test = leave_two_out(movielens(), 99, seed)
    ranked = ranking(valid, test, grid(similarities, ks, shrinkages))
    scores: dict[str, float] = ranked["scores"] | stars(seed, star_ks, star_shrinkages, dampings)

    fitted: dict[str, TopN] = {"popularity": Popularity().fit(test)}
    for name, cls in FILTERS.items():
        similarity, k, shrinkage = ranked["best"][name, "full"]
        fitted[name] = cls(k, similarity, shrinkage).fit(test)
    for name, model in fitted.items():
        scores |= {f"head/{name}/{key}": value for key, value in lists(model, test).items()}
    head = head_items(fitted["popularity"].popularity)
    scores["head/taken"] = float(test.train[:, head].nnz / test.train.nnz)  # share of what was taken in training
    scores["head/held_out"] = float(head[test.held_out].mean())  # and of what users took next
    for alpha in alphas:
        at = lists(CoTakers(alpha).fit(test), test)
        scores |= {f"alpha/{alpha:g}/{key}": value for key, value in at.items()}

    degree, counts = np.asarray(test.train.sum(axis=0)).ravel(), co_takers(test.train)
    taken = degree > 0
    scores["near/pairs_without_a_user"] = float((counts[np.ix_(taken, taken)] == 0).mean())
    cosine = ratio(counts, np.sqrt(np.outer(degree, degree)))
    for name, W in (("counts", counts), ("cosine", cosine), ("shrunk", cosine * counts / (counts + 50))):
        scores |= {f"near/{name}/{key}": value for key, value in near_the_head(W, degree).items()}

    rng = np.random.default_rng(seed)
    for m, n in sizes:
        users, films = products(test.train, m, n, rng)
        scores |= {f"cost/users/m{m}/n{n}": users, f"cost/items/m{m}/n{n}": films}
    return scores


EXPERIMENT = Experiment(
    "2.2",
    run,
    {
        "ks": [5, 10, 20, 50, 100, 200, 500],
        "shrinkages": [0, 10, 50],
        "similarities": ["cosine", "jaccard"],
        "star_ks": [20, 50, 200, 1000],
        "star_shrinkages": [0, 10, 50],
        "dampings": [1, 2, 5, 10, 25],
        "alphas": [0, 0.25, 0.5, 0.75, 1],
        "sizes": [[118, 1682], [236, 1682], [472, 1682], [943, 1682], [943, 210], [943, 420], [943, 841]],
    },
)
