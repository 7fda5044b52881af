"""4.4.1 DeepWalk: what walks on the item graph add to the sessions that it was made from, by data and by length of walk.

shop<N>   N sessions of a shop with a known law (600 items, none cold); 80 % make the graph, 20 % judge
films     MovieLens-100K: 80 % of the sessions make the graph, 20 % judge
karate, planted   graphs whose groups are known: share of the 5 nearest that are of one's own group

Names: <data>/<method>/auc · shop<N>/optimum/auc · shop4000/length<t>/auc · karate/purity, planted/purity, planted/random.
Methods: "sessions" skip-gram on the sessions as they are; "walks" DeepWalk on their graph; "shuffled" DeepWalk on the graph of
the same sessions in random order. All are trained on as many pairs, about `budget` for each item.
AUC: of pairs at most 2 places apart in the held-out sessions against the same items re-paired (`pair_auc`), by ⟨v, u⟩.
"""

from __future__ import annotations

import numpy as np

from rec_lib.data import movielens, views
from rec_lib.data.graphs import Graph, from_edges, karate_club, planted_roles
from rec_lib.data.item_worlds import shop
from rec_lib.embeddings.corpus import Corpus, Vectors
from rec_lib.embeddings.deepwalk import DeepWalk
from rec_lib.embeddings.engine import train
from rec_lib.embeddings.walks import Walker
from rec_lib.evaluation.graph import purity
from rec_lib.evaluation.pairs import pair_auc, window_pairs
from rec_lib.experiments.core import Experiment
from rec_lib.schema import FIRST

WINDOW = 5
PAIRS = 2
SETTINGS = {"sizes": [250, 1000, 4000, 16000], "lengths": [2, 3, 5, 10, 40], "budget": 1000}


def run(seed: int, sizes: list[int], lengths: list[int], budget: int) -> dict[str, float]:
    """One shop of each size, one split of the films, one planted graph."""
    results: dict[str, float] = {}
    for size in sizes:
        place = shop(np.random.default_rng(seed), "shared", sessions=size, cold_share=0.0)
        pairs = window_pairs(place.test, PAIRS)
        results |= {f"shop{size}/{k}/auc": v for k, v in compare(list(place.train), 600, pairs, budget, seed).items()}
        law = (place.law + place.law @ place.law) / place.share
        results[f"shop{size}/optimum/auc"] = pair_auc(law, pairs, np.random.default_rng(seed))
        if size == 4000:
            graph = transitions(list(place.train), 600)
            for length in lengths:
                vectors = walked(graph, length, 600 * budget, seed)
                results[f"shop4000/length{length}/auc"] = judge(vectors, pairs, seed)
    ml = movielens.load()
    rng = np.random.default_rng(seed)
    sessions = [s - FIRST for s in views.sequences(ml, rng=rng)]
    order = rng.permutation(len(sessions))
    cut = int(0.8 * len(order))
    train, test = [sessions[k] for k in order[:cut]], [sessions[k] for k in order[cut:]]
    pairs = window_pairs(test, PAIRS)
    results |= {f"films/{k}/auc": v for k, v in compare(train, len(ml.items), pairs, budget, seed).items()}
    club, planted = karate_club(), planted_roles(np.random.default_rng(seed))
    for name, graph in (("karate", club), ("planted", planted)):
        learnt = DeepWalk(graph).fit(np.random.default_rng(seed))
        noise = np.random.default_rng(seed).normal(size=learnt.shape)
        results[f"{name}/purity"] = purity(learnt, np.asarray(graph.community))
        results[f"{name}/random"] = purity(noise, np.asarray(graph.community))
    return results


def compare(sessions: list[np.ndarray], n: int, pairs: np.ndarray, budget: int, seed: int) -> dict[str, float]:
    """Held-out AUC of the three methods, all trained on as many pairs."""
    rng = np.random.default_rng(seed)
    corpus = Corpus.from_sentences(sessions, n)
    once = float(expected_pairs(np.diff(corpus.offsets)).sum())
    epochs = max(1, round(budget * n / once))
    straight = train(corpus, window=WINDOW, epochs=epochs, rng=np.random.default_rng(seed))
    shuffled = transitions([rng.permutation(s) for s in sessions], n)
    return {
        "sessions": judge(straight, pairs, seed),
        "walks": judge(walked(transitions(sessions, n), 10, epochs * once, seed), pairs, seed),
        "shuffled": judge(walked(shuffled, 10, epochs * once, seed), pairs, seed),
    }


def transitions(sessions: list[np.ndarray], n: int) -> Graph:
    """The item graph on all n items, so that numbers stay what they are; u → u is left out."""
    steps = np.concatenate([np.stack([s[:-1], s[1:]], 1) for s in sessions])
    return from_edges(steps[steps[:, 0] != steps[:, 1]], directed=True, names=[""] * n)


def walked(graph: Graph, length: int, budget: float, seed: int) -> Vectors:
    """DeepWalk's centre and context vectors from as many walks as make `budget` pairs, each walk read once."""
    rng = np.random.default_rng(seed)
    starts = np.flatnonzero(graph.degree)
    rounds = int(1.5 * budget / (len(starts) * expected_pairs(np.array([length]))[0])) + 1  # sinks cut some short
    walks = Walker(graph).walk(num_walks=rounds, length=length, rng=rng, starts=starts)
    enough = np.searchsorted(expected_pairs((walks >= 0).sum(1)).cumsum(), budget) + 1
    return train(Corpus.from_walks(walks[:enough], len(graph)), window=WINDOW, rng=rng)


def expected_pairs(lengths: np.ndarray) -> np.ndarray:
    """Expected pairs of sentences of these lengths: the window of each centre is drawn from 1..WINDOW."""
    far = np.arange(1, WINDOW + 1)
    return (2 * np.maximum(0, lengths[:, None] - far) * (WINDOW - far + 1) / WINDOW).sum(1)


def judge(vectors: Vectors, pairs: np.ndarray, seed: int) -> float:
    """AUC of ⟨v, u⟩, centre of the one and context of the other."""
    return pair_auc(vectors.centre @ vectors.context.T, pairs, np.random.default_rng(seed))


EXPERIMENT = Experiment(id="4.4.1", run=run, settings=SETTINGS)
