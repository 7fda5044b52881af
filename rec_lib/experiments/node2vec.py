"""4.4.2 Node2vec: what p and q do to the walk, and what is left of it in the vectors.

Names: walk/<graph>/p<p>_q<q>/<statistic> · planted/L<length>/p<p>_q<q>/<measure> · lesmis/L<length>/q<q>/<measure> ·
planted/<features or random>/<measure> · items/<source>/precision.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import balanced_accuracy_score, normalized_mutual_info_score, r2_score
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from rec_lib.data import movielens, views
from rec_lib.data.graphs import Graph, item_graph, les_miserables, planted_roles
from rec_lib.embeddings import Corpus, Node2vec, Walker, train
from rec_lib.evaluation.graph import (
    louvain,
    modularity,
    nearest,
    purity,
    same_role_auc,
    structural_features,
    variance_explained,
    walk_statistics,
)
from rec_lib.experiments.core import Experiment

SETTINGS = {
    "walk_pq": [[1, 0.25], [1, 1], [1, 4], [0.25, 1], [4, 1]],
    "planted": [[L, 1, q] for L in (5, 20, 80) for q in (0.25, 1, 4)] + [[20, 0.25, 1], [20, 4, 1]],
    "lesmis": [[L, q] for L in (7, 80) for q in (0.5, 2)],
    "tokens": 800,
    "items": {"num_walks": 10, "length": 40, "window": 5},
}


def run(
    seed: int,
    walk_pq: list[list[float]],
    planted: list[list[float]],
    lesmis: list[list[float]],
    tokens: int,
    items: dict[str, int],
) -> dict[str, float]:
    """One planted graph, one set of walks and vectors on each graph."""
    graph, novel = planted_roles(np.random.default_rng(seed)), les_miserables()
    groups = {"planted": (graph, np.asarray(graph.community)), "lesmis": (novel, louvain(novel))}
    results: dict[str, float] = {}
    for p, q in walk_pq:
        for name, (g, community) in groups.items():
            walks = Walker(g).walk(p, q, 20, 80, rng=np.random.default_rng(seed))
            report(results, f"walk/{name}/p{p:g}_q{q:g}", walk_statistics(g, walks, community))
    for length, p, q in planted:
        vectors = embed(graph, p, q, int(length), tokens, seed)
        report(results, f"planted/L{length}/p{p:g}_q{q:g}", planted_measures(graph, vectors))
    noise = np.random.default_rng(seed).normal(size=(len(graph), 16))
    for name, features in (("features", structural_features(graph)), ("random", noise)):
        report(results, f"planted/{name}", planted_measures(graph, features))
    for length, q in lesmis:
        vectors = embed(novel, 1, q, int(length), tokens, seed)
        report(results, f"lesmis/L{length}/q{q:g}", novel_measures(novel, vectors, groups["lesmis"][1]))
    return results | {f"items/{name}": value for name, value in item_precisions(seed, **items).items()}


def report(results: dict[str, float], prefix: str, values: dict[str, float]) -> None:
    """Add values under a common prefix."""
    results.update({f"{prefix}/{name}": value for name, value in values.items()})


def embed(graph: Graph, p: float, q: float, length: int, tokens: int, seed: int) -> np.ndarray:
    """Vectors (n, 16) from about `tokens` walk nodes a node, whatever the length: otherwise long walks simply train more."""
    return Node2vec(graph, p, q, num_walks=tokens // length, length=length).fit(np.random.default_rng(seed))


def planted_measures(graph: Graph, vectors: np.ndarray) -> dict[str, float]:
    """Homophily (purity, nmi) and structure (same_role, role) of vectors of a planted graph."""
    community, role = np.asarray(graph.community), np.asarray(graph.role)
    clusters = KMeans(8, n_init=10, random_state=0).fit_predict(vectors)
    return {
        "purity": purity(vectors, community),
        "nmi": normalized_mutual_info_score(community, clusters),
        "same_role": same_role_auc(vectors, role, community),
        "role": role_accuracy(vectors, graph),
    }


def role_accuracy(features: np.ndarray, graph: Graph) -> float:
    """Balanced accuracy of a linear probe for the role, on communities that it has not seen; chance is 1/4."""
    probe = LogisticRegression(class_weight="balanced", max_iter=2000)
    scaled = (features - features.mean(0)) / features.std(0)
    guess = cross_val_predict(probe, scaled, graph.role, groups=graph.community, cv=GroupKFold(4))
    return float(balanced_accuracy_score(graph.role, guess))


def novel_measures(graph: Graph, vectors: np.ndarray, community: np.ndarray) -> dict[str, float]:
    """What the two pictures of the paper's figure 3 are read for: 6 clusters (communities) and 3 clusters (roles)."""
    six, three = (KMeans(k, n_init=10, random_state=0).fit_predict(vectors) for k in (6, 3))
    degree = np.log(graph.degree)
    ridge = RidgeCV(np.logspace(-3, 3, 13))
    guess = cross_val_predict(ridge, vectors, degree, cv=KFold(7, shuffle=True, random_state=0))
    return {
        "purity": purity(vectors, community),
        "modularity6": modularity(graph, six),
        "modularity3": modularity(graph, three),
        "degree_by_3": variance_explained(graph.degree.astype(float), three),
        "degree_r2": float(r2_score(degree, guess)),
    }


@cache
def genres(ml: movielens.MovieLens) -> np.ndarray:
    """(items + 2, genres) bool by encoded item id: the rows of padding and unknown are empty."""
    names = sorted({genre for row in ml.items["genres"] for genre in row})
    table = np.array([[genre in row for genre in names] for row in ml.items["genres"]])
    return np.vstack([np.zeros((2, len(names)), bool), table])


def genre_precision(vectors: np.ndarray, table: np.ndarray, chosen: np.ndarray, k: int = 10) -> float:
    """Share of the k nearest films that have a genre in common with the film, a mean over the `chosen` films."""
    near = nearest(vectors, k)[chosen]  # (chosen, k)
    return float((table[near] & table[chosen][:, None]).any(2).mean())


def random_precision(table: np.ndarray, chosen: np.ndarray) -> float:
    """The same share for films drawn at random: the exact expectation."""
    share = (table[chosen].astype(int) @ table.T.astype(int)) > 0
    return float(((share.sum(1) - share[np.arange(len(chosen)), chosen]) / (len(table) - 1)).mean())


def item_precisions(seed: int, num_walks: int, length: int, window: int) -> dict[str, float]:
    """Genre precision@10 of films liked at least 10 times: item graph with q, order destroyed, plain sessions, chance."""
    ml = movielens.load()
    rng = np.random.default_rng(seed)
    sessions = views.sequences(ml, rng=rng)
    graph = item_graph(sessions)
    item = np.asarray(graph.item)
    table = genres(ml)[item]
    likes = np.bincount(np.concatenate(sessions), minlength=len(genres(ml)))[item]
    chosen = np.flatnonzero(likes >= 10)

    def precision(g: Graph, q: float) -> float:
        model = Node2vec(g, q=q, num_walks=num_walks, length=length, window=window)
        vectors = model.fit(np.random.default_rng(seed))
        return genre_precision(vectors, table, chosen)

    shuffled = item_graph([rng.permutation(session) for session in sessions])
    corpus = Corpus.from_sentences([np.searchsorted(item, s) for s in sessions], len(graph))
    straight = train(corpus, window=window, epochs=10, rng=np.random.default_rng(seed)).centre
    return {
        **{f"q{q:g}": precision(graph, q) for q in (0.25, 1.0, 4.0)},
        "shuffled": precision(shuffled, 1.0),
        "sessions": genre_precision(straight, table, chosen),
        "random": random_precision(table, chosen),
    }


EXPERIMENT = Experiment(id="4.4.2", run=run, settings=SETTINGS)
