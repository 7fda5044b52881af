"""Skip-gram with negative sampling 负采样 (SGNS), the form of the engine that walks and sessions use.

Sources: Mikolov et al., "Distributed representations of words and phrases", NIPS 2013, eq. 4 (loss), section 2.3
(subsampling); Rong, arXiv:1411.2738, eq. 59-61 (gradients). For a centre c, a context o and negatives o_1 … o_k:

    E = −log σ(⟨v_c, u_o⟩) − Σ_m log σ(−⟨v_c, u_{o_m}⟩),   o_m ~ counts^0.75

    ∂E/∂u_j = (σ(⟨v_c, u_j⟩) − label_j) v_c        ∂E/∂v_c = Σ_j (σ(⟨v_c, u_j⟩) − label_j) u_j

A negative that happens to be o is skipped, as in the word2vec program.
"""

from __future__ import annotations

import numpy as np

from rec_lib.embeddings.corpus import Corpus, Stream, Vectors
from rec_lib.embeddings.engine import check_training, keep_probability, noise_law, start_vectors, train

__all__ = [
    "Corpus",
    "Stream",
    "Vectors",
    "check_training",
    "keep_probability",
    "noise_law",
    "start_vectors",
    "train_sgns",
]


def train_sgns(
    corpus: Corpus | Stream,
    dim: int = 16,
    *,
    window: int = 10,
    dynamic_window: bool = True,
    negatives: int = 5,
    subsample: float = 0.0,
    lr: float = 0.05,
    epochs: int = 1,
    rng: np.random.Generator,
    start: Vectors | None = None,
) -> Vectors:
    """Skip-gram with negative sampling by the engine, on one thread: `train` with its other settings at their defaults."""
    return train(
        corpus,
        dim,
        window=window,
        dynamic_window=dynamic_window,
        negatives=negatives,
        subsample=subsample,
        lr=lr,
        epochs=epochs,
        rng=rng,
        start=start,
    )
