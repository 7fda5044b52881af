"""gensim's skip-gram with negative sampling; the job is described in words_rec_lib.py."""

import numpy as np
from gensim.models import Word2Vec
from turns import serve


def start(spec, arrays):
    names = [str(token) for token in arrays["tokens"].tolist()]
    ends = arrays["offsets"].tolist()
    sentences = [names[a:b] for a, b in zip(ends, ends[1:], strict=False)]
    model = None

    def build(seed):
        made = Word2Vec(
            sg=1,
            hs=0,
            vector_size=spec["dim"],
            window=spec["window"],
            negative=spec["negatives"],
            sample=spec["subsample"],
            alpha=spec["lr"],
            min_alpha=1e-9,  # rec_lib's step falls to 0; gensim takes 0 for "not given"
            shrink_windows=spec["dynamic_window"],
            min_count=1,
            max_final_vocab=None,
            workers=1,
            seed=seed,
        )
        made.build_vocab(sentences)
        return made

    def train(made, epochs):
        made.train(sentences, total_examples=made.corpus_count, epochs=epochs)

    def ready():
        nonlocal model
        model = build(0)

    def fit(seed, epochs):
        made = build(seed)
        train(made, epochs)
        vectors = np.zeros((spec["size"], spec["dim"]), np.float32)
        known = made.wv.index_to_key
        vectors[[int(name) for name in known]] = made.wv[known]
        return {"vectors": vectors}

    ready()
    return {"epoch": lambda: train(model, 1), "fit": fit}


if __name__ == "__main__":
    serve(start, "gensim", "numpy")
