"""4.2 Word2vec: architectures, outputs and the two tricks on the King James Bible, judged by pairs fixed beforehand.

Names: <variant>/pairs (median rank of a gold pair's mate) · <variant>/top10 (share of mates among the ten nearest) ·
<variant>/analogies (share solved at rank 1) · counts|ppmi/… (the same for vectors of counts, without training).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.data.text import Text, king_james
from rec_lib.data.word_pairs import analogies, gold_pairs
from rec_lib.embeddings.word2vec import Word2vec
from rec_lib.evaluation.words import analogy_ranks, pair_ranks
from rec_lib.experiments.core import Experiment

# Step sizes were chosen on the validation pairs, from the values in `tried`, with another seed.
SETTINGS: dict[str, Any] = {
    "base": {"dim": 100, "window": 5, "negatives": 5, "subsample": 1e-3, "epochs": 10, "lr": 0.1},
    "variants": {
        "skip-gram": {},
        "shared negatives": {"share": 5, "lr": 0.05},
        "tree": {"output": "hierarchical", "lr": 0.05},
        "cbow": {"architecture": "cbow", "lr": 0.4},
        "no subsampling": {"subsample": 0.0},
        "window 2": {"window": 2},
        "one negative": {"negatives": 1},
    },
    "tried": {
        "skip-gram": [0.025, 0.05, 0.1],
        "shared negatives": [0.025, 0.05],
        "tree": [0.025, 0.05, 0.1],
        "cbow": [0.1, 0.2, 0.4],
    },
}


@cache
def bible() -> Text:
    """The King James Bible, words that occur five times or more."""
    return king_james()


def cooccurrence(text: Text, window: int) -> csr_matrix:
    """How often two words stand within `window` of each other in a verse, weighted as skip-gram visits them, (V, V)."""
    sentence = np.repeat(np.arange(len(text)), np.diff(text.offsets))
    parts = []
    for gap in range(1, window + 1):
        near = sentence[gap:] == sentence[:-gap]
        a, b = text.tokens[:-gap][near], text.tokens[gap:][near]
        parts.append((a, b, np.full(len(a), (window - gap + 1) / window)))
    row, column, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    half = csr_matrix((weight, (row, column)), shape=(len(text.words),) * 2)
    return (half + half.T).tocsr()


def ppmi(counts: csr_matrix) -> csr_matrix:
    """Positive pointwise mutual information max(0, log #(c,o)·# / (#(c) #(o))), sparse, (V, V)."""
    out = counts.tocoo()
    total = np.asarray(counts.sum(1)).ravel()
    value = np.log(out.data * total.sum() / (total[out.row] * total[out.col]))
    keep = value > 0
    return csr_matrix((value[keep], (out.row[keep], out.col[keep])), shape=counts.shape)


def measures(text: Text, vectors: np.ndarray, part: Any = "test") -> dict[str, float]:
    """Median rank and share of ten nearest of the gold pairs, share of analogies solved."""
    ranks = pair_ranks(vectors, gold_pairs(text, part))
    return {
        "pairs": float(np.median(ranks)),
        "top10": float((ranks <= 10).mean()),
        "analogies": float((analogy_ranks(vectors, analogies(text, part)) == 1).mean()),
    }


@cache
def untrained() -> dict[str, float]:
    """What rows of counts, and of PPMI, do without any training."""
    counts = cooccurrence(bible(), SETTINGS["base"]["window"])
    found = {"counts": measures(bible(), counts.toarray()), "ppmi": measures(bible(), ppmi(counts).toarray())}
    return {f"{name}/{key}": value for name, values in found.items() for key, value in values.items()}


def run(
    seed: int, base: dict[str, Any], variants: dict[str, dict[str, Any]], tried: dict[str, Any]
) -> dict[str, float]:
    """Every variant once."""
    results = dict(untrained())
    for name, change in variants.items():
        vectors = Word2vec(bible(), **(base | change)).fit(np.random.default_rng(seed))
        results |= {f"{name}/{key}": value for key, value in measures(bible(), vectors).items()}
    return results


EXPERIMENT = Experiment(id="4.2", run=run, settings=SETTINGS)
