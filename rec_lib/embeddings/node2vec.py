"""Node2vec: DeepWalk whose walk remembers one step, so that two numbers steer it.

Paper    Grover & Leskovec, "node2vec: Scalable Feature Learning for Networks", KDD 2016, arXiv:1607.00653: section 3.2.
Section  4.4.2 Node2vec——同质性和结构性的权衡
Idea     P(x | t, v) = α_pq(t, x) w_vx / Σ_x' α_pq(t, x') w_vx',  α_pq = 1/p, 1, 1/q for d_tx = 0, 1, 2; then skip-gram on the walks
Differs  steps by rejection, O(edges) memory (the paper tabulates every pair of edges); d_tx along the arrows in directed graphs; d = 16, not 128, for graphs that fit a screen.
Symbols  p return parameter · q in-out parameter · t previous node · v current node · x next node · d_tx distance from t to x
"""

from __future__ import annotations

import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.engine import check_training, train
from rec_lib.embeddings.walks import Walker, check_edges, check_walks


class Node2vec:
    """Vectors for the nodes of a graph.

    graph: a `Graph`; p, q: 1e-9 … 1e9, 1 and 1 give DeepWalk's walk; dim: size of a vector; num_walks: walks from each node;
    length: nodes in a walk; window, negatives, lr, epochs: of the skip-gram (see `engine.train`).
    After `fit`: `walks` (num_walks · n, length) int32 and `vectors` (n, dim) float32.
    Raises ValueError for p or q outside 1e-9 … 1e9, for counts below 1 and for a graph without edges.
    """

    def __init__(
        self,
        graph: Graph,
        p: float = 1.0,
        q: float = 1.0,
        dim: int = 16,
        num_walks: int = 10,
        length: int = 80,
        window: int = 10,
        negatives: int = 5,
        lr: float = 0.05,
        epochs: int = 1,
    ) -> None:
        check_walks(p, q, num_walks, length)
        check_training(dim, window, negatives, lr, epochs)
        check_edges(graph)
        self.walker = Walker(graph)
        self.p, self.q = p, q
        self.num_walks, self.length = num_walks, length
        self.dim, self.window, self.negatives, self.lr, self.epochs = dim, window, negatives, lr, epochs

    def fit(self, rng: np.random.Generator) -> np.ndarray:
        """Walk, then train: vectors (n, dim) float32. The same generator state gives the same vectors."""
        self.walks = self.walker.walk(self.p, self.q, self.num_walks, self.length, rng=rng)  # (num_walks · n, length)
        corpus = Corpus.from_walks(self.walks, self.walker.n)
        trained = train(
            *(corpus, self.dim), window=self.window, negatives=self.negatives, lr=self.lr, epochs=self.epochs, rng=rng
        )
        self.vectors = trained.centre  # (n, dim)
        return self.vectors
