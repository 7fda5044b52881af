"""Nearest-neighbour search behind one protocol: exact, kd-tree, locality-sensitive hashing (section 4.6).

    ids, distances = ExactIndex().build(vectors).query(queries, k=10)

Every index answers in the same form: `ids (m, k)` int64 and `distances (m, k)`, nearest first, equal distances by
lower id. An index that has fewer than k answers pads with id -1 and distance inf; nothing else has that id.
`index.examined (m,)` then says how many stored vectors the last query measured its distance to.
"""

import numpy as np

from rec_lib.retrieval.base import Index, recall_at_k
from rec_lib.retrieval.exact import ExactIndex
from rec_lib.retrieval.kdtree import KDTree
from rec_lib.retrieval.lsh import LSH, CosineLSH, OrAndLSH

__all__ = ["CosineLSH", "LSH", "ExactIndex", "Index", "KDTree", "OrAndLSH", "recall_at_k", "warm_up"]


def warm_up() -> None:
    """Compile everything that this package runs compiled, in both precisions, on four vectors; kept on disk."""
    for dtype in (np.float32, np.float64):
        vectors = np.eye(4, dtype=dtype)
        rng = np.random.default_rng(0)
        for index in (
            ExactIndex(),
            KDTree(leaf_size=1),
            LSH(1.0, 2, 2, rng=rng, probes=1),
            OrAndLSH(1.0, 2, 2, rng=rng),
        ):
            index.build(vectors).query(vectors, 2)
