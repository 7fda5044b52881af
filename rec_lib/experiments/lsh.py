"""4.6: what kd-trees and hashes save, on film vectors and on planted clusters.

kdtree/d            share of 10 000 Gaussian points that a kd-tree measures for 10 neighbours, by dimension
films, easy, hard   recall@10 against the share of vectors measured: films of an FM (queries are the films themselves,
                    which do not count as their own neighbours), tight clusters (spread 0.35) and loose ones (1.0) of 20 000 × 32
                    w is given in multiples of c10, the median distance to the 10th neighbour
ivf                 the same two numbers for k-means cells, about √n of them, the P nearest of which are read
collision           how often two points collide with b and without, at distance w/2, by the place of the pair
speed               CPU time of exact search over that of LSH, and LSH's recall: easy clusters of growing n; the films
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from rec_lib.experiments.core import Experiment
from rec_lib.experiments.film_vectors import SETTINGS, train_film_vectors
from rec_lib.retrieval import LSH, ExactIndex, Index, KDTree, recall_at_k

SPREADS = {"easy": 0.35, "hard": 1.0}
PLACES = {"astride": -0.25, "origin": 0.0, "near": 0.1, "far": 50.0}  # of the nearer point, in units of w


def clustered(n: int, d: int, spread: float, rng: np.random.Generator, clusters: int = 200) -> np.ndarray:
    """(n, d) float32: Gaussian centres of sd 1, and points around them with sd `spread`."""
    centres = rng.normal(size=(clusters, d))
    return (centres[rng.integers(clusters, size=n)] + spread * rng.normal(size=(n, d))).astype(np.float32)


def neighbours(index: Index, vectors: np.ndarray, k: int) -> np.ndarray:
    """(n, k) ids: for each stored vector its neighbours without itself; -1 where the index finds fewer."""
    ids, _ = index.query(vectors, k + 1)
    own = ids == np.arange(len(vectors))[:, None]
    own[~own.any(axis=1), -1] = True  # more than k duplicates before it: drop the last instead
    return ids[~own].reshape(len(vectors), k)


def visited_share(d: int, n: int, rng: np.random.Generator, k: int = 10, queries: int = 200) -> float:
    """Share of n Gaussian points in d dimensions that the kd-tree measures for a query."""
    tree = KDTree().build(rng.normal(size=(n, d)))
    tree.query(rng.normal(size=(queries, d)), k)
    return float(tree.examined.mean()) / n


def sweep(
    name: str,
    vectors: np.ndarray,
    queries: np.ndarray | None,
    widths: dict[str, float],
    settings: dict[str, list[int]],
    rng: np.random.Generator,
) -> dict[str, float]:
    """ "name/SETTING/wM/recall" and "/examined" (share of n) for every setting [K, L, min_hits] and width.

    Without queries every vector asks for its neighbours, itself left out.
    """

    def search(index: Index) -> np.ndarray:
        return neighbours(index, vectors, 10) if queries is None else index.query(queries, 10)[0]

    true = search(ExactIndex().build(vectors))
    scores = {}
    for label, (K, L, min_hits) in settings.items():
        for multiple, w in widths.items():
            index = LSH(w, K, L, rng=rng, min_hits=min_hits).build(vectors)
            found = search(index)
            scores[f"{name}/{label}/w{multiple}/recall"] = recall_at_k(found, true)
            scores[f"{name}/{label}/w{multiple}/examined"] = float(index.examined.mean()) / len(vectors)
    return scores


def cells(
    vectors: np.ndarray, queries: np.ndarray | None, probes: list[int], centres: int, rng: np.random.Generator
) -> dict[str, float]:
    """ "ivf/pP/recall" and "/examined": k-means cells (an inverted file), of which a query reads the P nearest.

    The buckets are learned from the data here, not drawn: what practice uses instead of hashes.
    """
    means = KMeans(centres, n_init=1, max_iter=15, random_state=int(rng.integers(2**31))).fit(vectors)
    own = np.arange(len(vectors)) if queries is None else np.full(len(queries), -1)
    asked = vectors if queries is None else queries
    true = ExactIndex().build(vectors)
    wanted = neighbours(true, vectors, 10) if queries is None else true.query(queries, 10)[0]
    nearest = np.argsort(means.transform(asked), axis=1)
    scores = {}
    for count in probes:
        # a neighbour is found when its cell is read: its distance is then measured exactly
        read = np.zeros((len(asked), centres), bool)
        np.put_along_axis(read, nearest[:, :count], True, axis=1)
        found = np.take_along_axis(read, means.labels_[wanted], axis=1)
        sizes = np.bincount(means.labels_, minlength=centres)
        scores[f"ivf/p{count}/recall"] = float(found.mean())
        scores[f"ivf/p{count}/examined"] = float((read @ sizes - (own >= 0)).mean()) / len(vectors)
    return scores


def tenth_neighbour(vectors: np.ndarray, sample: int = 500) -> float:
    """Median distance to the 10th neighbour, over about `sample` of the vectors. The unit in which w is chosen."""
    _, distances = ExactIndex().build(vectors).query(vectors[:: max(1, len(vectors) // sample)], 11)
    return float(np.median(distances[:, 10]))


def offset_rates(rng: np.random.Generator, draws: int = 200_000) -> dict[str, float]:
    """Share of hashes of width 1 under which two points on a line, 1/2 apart, collide: with b and without."""
    x, b = rng.standard_normal(draws), rng.uniform(0, 1, draws)
    rates = {}
    for name, a in PLACES.items():
        for kind, offset in (("with_b", b), ("without_b", 0.0)):
            same = np.floor(x * a + offset) == np.floor(x * (a + 0.5) + offset)
            rates[f"collision/{kind}/{name}"] = float(same.mean())
    return rates


def seconds(index: Index, queries: np.ndarray) -> float:
    """CPU seconds a query, the best of three runs."""
    index.query(queries[:2], 10)
    runs = []
    for _ in range(3):
        start = time.process_time()
        index.query(queries, 10)
        runs.append(time.process_time() - start)
    return min(runs) / len(queries)


def speedup(vectors: np.ndarray, queries: np.ndarray, lsh: LSH) -> dict[str, float]:
    """ "speedup": exact time over LSH time; "recall": recall@10 of LSH. The queries count as strangers."""
    exact, lsh = ExactIndex().build(vectors), lsh.build(vectors)
    true, found = exact.query(queries, 10)[0], lsh.query(queries, 10)[0]
    return {"speedup": seconds(exact, queries) / seconds(lsh, queries), "recall": recall_at_k(found, true)}


def run(
    seed: int,
    film: dict[str, Any],
    settings: dict[str, list[int]],
    widths: list[float],
    probes: list[int],
    dimensions: list[int],
    sizes: list[int],
    pays: dict[str, Any],
) -> dict[str, float]:
    """All results of one seed."""
    rng = np.random.default_rng(seed)
    scores = {f"kdtree/{d}": visited_share(d, 10_000, rng) for d in dimensions}
    scores |= offset_rates(rng)

    films = train_film_vectors(seed, **film).vectors
    unit = tenth_neighbour(films)
    scaled = {f"{m:g}": m * unit for m in widths}
    scores |= sweep("films", films, None, scaled, settings, rng)
    scores |= {f"films/{key}": value for key, value in cells(films, None, probes, 40, rng).items()}
    lsh = LSH(pays["films_w"] * unit, pays["K"], pays["L"], rng=rng)
    scores |= {f"speed/films/{key}": value for key, value in speedup(films, films[::5], lsh).items()}
    tree = KDTree().build(films)
    neighbours(tree, films, 10)
    scores["films/kdtree/examined"] = float(tree.examined.mean()) / len(films)

    for name, spread in SPREADS.items():
        points = clustered(20_300, 32, spread, rng)
        vectors, queries = points[:20_000], points[20_000:]
        unit = tenth_neighbour(vectors)
        scaled = {f"{m:g}": m * unit for m in widths}
        scores |= sweep(name, vectors, queries, scaled, settings, rng)
        scores |= {f"{name}/{key}": value for key, value in cells(vectors, queries, probes, 140, rng).items()}
    for n in sizes:
        points = clustered(n + 300, 16, SPREADS["easy"], rng, clusters=n // 100)
        lsh = LSH(pays["w"], pays["K"], pays["L"], rng=rng)
        scores |= {f"speed/{n}/{key}": value for key, value in speedup(points[:n], points[n:], lsh).items()}
    return scores


EXPERIMENT = Experiment(
    "4.6",
    run,
    {
        "film": SETTINGS,
        "settings": {"K1_L1": [1, 1, 1], "K8_L1": [8, 1, 1], "K8_L16": [8, 16, 1], "K8_L16_hits2": [8, 16, 2]},
        "widths": [1.5, 2, 3, 4, 6, 8],
        "probes": [1, 2, 4, 8, 16],
        "dimensions": [2, 4, 6, 8, 10, 12, 16, 24, 32],
        "sizes": [256, 1024, 4096, 16384, 65536],
        "pays": {"w": 8.0, "K": 12, "L": 16, "films_w": 6.0},
    },
)
