"""rec_lib's engine, skip-gram with negative sampling.

spec     dim, window, dynamic_window, negatives, subsample, lr, size (tokens that exist), share (pairs of one centre that share negatives)
arrays   tokens (T,), offsets (S + 1,): sentence s is tokens[offsets[s]:offsets[s + 1]]
turns    epoch: one pass, the vocabulary is counted beforehand; fit(seed, epochs) → vectors (size, dim), 0 for tokens that never occur
"""

import numpy as np
from turns import serve

from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.engine import train

TAKEN = ("dim", "window", "dynamic_window", "negatives", "subsample", "lr", "share")


def start(spec, arrays):
    corpus = Corpus(arrays["tokens"], arrays["offsets"], spec["size"])
    settings = {name: spec[name] for name in TAKEN}

    def fit(seed, epochs):
        vectors = train(corpus, epochs=epochs, rng=np.random.default_rng(seed), **settings).centre
        return {"vectors": np.where(corpus.counts[:, None] > 0, vectors, 0)}

    def epoch():
        train(corpus, epochs=1, rng=np.random.default_rng(0), **settings)

    return {"epoch": epoch, "fit": fit}


if __name__ == "__main__":
    serve(start)
