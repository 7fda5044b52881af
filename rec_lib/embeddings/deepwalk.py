"""DeepWalk: walk on a graph at random, by edge weight alone, and read the walks as sentences.

Paper    Perozzi, Al-Rfou & Skiena, "DeepWalk: Online Learning of Social Representations", KDD 2014, arXiv:1403.6652: algorithms 1 and 2.
Section  4.4.1 DeepWalk——基础的Graph Embedding方法
Idea     P(v_j | v_i) = M_ij / Σ_{k ∈ N₊(v_i)} M_ik for v_j ∈ N₊(v_i), else 0; then skip-gram on the walks
Differs  weighted, directed graphs (the paper's have neither weights nor arrows); negative sampling, not hierarchical softmax; a walk ends at a node without out-edges; d = 16, 10 walks of 40, not 128 and 80 of 40.
Symbols  M weights of the edges · N₊(v) the nodes that v has an edge to · γ walks from each node · t length of a walk · w window · d size of a vector
"""

from __future__ import annotations

import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.engine import check_training, train
from rec_lib.embeddings.walks import Walker, check_edges, check_walks


class DeepWalk:
    """Vectors for the nodes of a graph.

    graph: a `Graph`, from `item_graph` for sessions; dim: d; num_walks: γ; length: nodes in a walk, t; window: w; negatives,
    lr, epochs: of the skip-gram (see `engine.train`). Memory grows with the edges and the walks.
    After `fit`: `walks` (num_walks · n, length) int32, −1 behind an end, and `vectors` (n, dim) float32.
    Raises ValueError for counts below 1 and for a graph without edges.
    """

    def __init__(
        self,
        graph: Graph,
        dim: int = 16,
        num_walks: int = 10,
        length: int = 40,
        window: int = 10,
        negatives: int = 5,
        lr: float = 0.05,
        epochs: int = 1,
    ) -> None:
        check_walks(1.0, 1.0, num_walks, length)
        check_training(dim, window, negatives, lr, epochs)
        check_edges(graph)
        self.walker = Walker(graph)
        self.num_walks, self.length = num_walks, length
        self.dim, self.window, self.negatives, self.lr, self.epochs = dim, window, negatives, lr, epochs

    def fit(self, rng: np.random.Generator) -> np.ndarray:
        """Walk, then train: vectors (n, dim) float32. The same generator state gives the same vectors."""
        self.walks = self.walker.walk(num_walks=self.num_walks, length=self.length, rng=rng)  # (γ · n, t)
        corpus = Corpus.from_walks(self.walks, self.walker.n)
        trained = train(
            *(corpus, self.dim), window=self.window, negatives=self.negatives, lr=self.lr, epochs=self.epochs, rng=rng
        )
        self.vectors = trained.centre  # (n, dim)
        return self.vectors


def jump_probabilities(weights: np.ndarray) -> np.ndarray:
    """P(v_j | v_i) = M_ij / Σ_k M_ik for the out-edges of one node, (deg,); numpy arrays or torch tensors.

    Source: Wang et al., KDD 2018, arXiv:1803.02349, eq. 1, for weighted directed graphs; 1 / deg where all weights are 1.
    """
    return weights / weights.sum()
