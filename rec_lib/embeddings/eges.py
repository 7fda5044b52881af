"""EGES: DeepWalk on the item graph, where an item's vector is a weighted mean of its own and its attributes' vectors.

Paper    Wang et al., "Billion-scale Commodity Embedding for E-commerce Recommendation in Alibaba", KDD 2018, arXiv:1803.02349: eq. 3-10.
Section  4.4.3 EGES——阿里巴巴的综合性Graph Embedding方法
Idea     H_v = Σ_j e^{a_v^j} W_v^j / Σ_j e^{a_v^j};  L = −[y log σ(H_v·Z_u) + (1 − y) log(1 − σ(H_v·Z_u))] on the pairs of walks
Differs  an attribute may have several values (their mean) or none (no weight); a node without edges is cold and stays out of the walks and the negatives; `weight_step` makes the weights learn faster than the vectors; a window that each centre draws, as word2vec; d = 16, not 160.
Symbols  v centre · u context · j = 0 the item itself, 1 … n its attributes · W their vectors · a an item's weights before the softmax · Z context vectors · H the item's vector
"""

from __future__ import annotations

import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.data.sides import Sides
from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.engine import check_training, noise_law, start_vectors
from rec_lib.embeddings.mixture import gather, mix, slots, train_epoch
from rec_lib.embeddings.splitmix import fresh_state
from rec_lib.embeddings.walks import Walker, check_edges, check_walks


class EGES:
    """Vectors for items from their graph and their attributes; three systems in one, as in the paper.

    graph: from `item_graph`, a node an item; sides: attributes of the same n items, or None (that is BGE, which is DeepWalk);
    weight_step: step of a, in steps of the vectors; 0 keeps all weights equal (that is GES); dim … epochs: as Node2vec.
    After `fit`: `vectors` (n, dim) float32, H of every node; `weights` (n, S + 1), softmax of a, 0 where an attribute is
    missing; `context` (n, dim), Z; `cold` (n,) bool, nodes without an edge, whose H is the mean of their attributes.
    Raises ValueError for attributes of another number of items and for numbers out of range.
    """

    def __init__(
        self,
        graph: Graph,
        sides: Sides | None = None,
        weight_step: float = 1.0,
        dim: int = 16,
        num_walks: int = 20,
        length: int = 10,
        window: int = 5,
        negatives: int = 5,
        lr: float = 0.05,
        epochs: int = 1,
    ) -> None:
        check_walks(1.0, 1.0, num_walks, length)
        check_training(dim, window, negatives, lr, epochs)
        if sides is not None and len(sides) != len(graph):
            raise ValueError(f"attributes of {len(sides)} items for {len(graph)} nodes; expected one row a node")
        if not weight_step >= 0:
            raise ValueError(f"weight_step = {weight_step}; expected 0 (equal weights) or more")
        self.graph, self.sides, self.weight_step = graph, sides, weight_step
        self.num_walks, self.length = num_walks, length
        self.dim, self.window, self.negatives, self.lr, self.epochs = dim, window, negatives, lr, epochs

    def fit(self, rng: np.random.Generator) -> np.ndarray:
        """Walk, then train: vectors (n, dim) float32. The same generator state gives the same vectors.

        Raises ValueError where no node has an edge.
        """
        n = len(self.graph)
        self.cold = (self.graph.degree == 0) & (np.bincount(self.graph.indices, minlength=n) == 0)
        check_edges(self.graph)
        walker = Walker(self.graph)
        starts = np.flatnonzero(~self.cold)
        self.walks = walker.walk(1.0, 1.0, self.num_walks, self.length, rng=rng, starts=starts)
        corpus, self._cells = Corpus.from_walks(self.walks, n), slots(n, self.sides)
        start = start_vectors(n + (self.sides.size if self.sides else 0), self.dim, rng)
        self.W, self.context = start.centre, start.context[:n]  # (n + R, d), (n, d)
        self.a = np.zeros((n, len(self._cells[0]) // n))  # (n, S + 1): every weight the same at first
        noise, state = AliasTable(noise_law(corpus.counts)), fresh_state(rng)
        for epoch in range(self.epochs):
            order = rng.permutation(len(corpus.offsets) - 1)
            train_epoch(
                *(corpus.tokens, corpus.offsets, order, self.W, self.a, self.context, *self._cells, self.window),
                *(self.negatives, noise.accept, noise.alias, self.lr * (1 - epoch / self.epochs)),
                *(self.lr * (1 - (epoch + 1) / self.epochs), self.weight_step, state),
            )
        return self._finish()

    def embed(self, sides: Sides, weights: np.ndarray | None = None) -> np.ndarray:
        """Items from their attributes alone, (m, dim): Σ_j weights_j W^j over the attributes that training has met.

        sides: with the same attributes and values as those of `fit`; weights: (S,), equal by default as in the paper. An
        item of which nothing is known gets zeros. Raises ValueError for other attributes.
        """
        if self.sides is None or (sides.names, sides.values) != (self.sides.names, self.sides.values):
            raise ValueError(f"{sides.names} with {sides.size} values are not the attributes that fit was given")
        n, s = len(sides), len(sides.names)
        met = np.unique(
            np.concatenate([self.sides.cell(v, j) for v in np.flatnonzero(~self.cold).tolist() for j in range(s)])
        )
        known = np.isin(np.arange(sides.size), met)
        H = np.zeros((n, self.dim), self.W.dtype)
        for v in range(n):
            cells = [cell[known[cell]] for cell in (sides.cell(v, j) for j in range(s))]
            share = np.array([len(cell) > 0 for cell in cells]) * (1.0 if weights is None else weights)  # (S,)
            means = [self.W[len(self.graph) + cell].mean(0) if len(cell) else 0.0 * H[v] for cell in cells]
            H[v] = share @ np.stack(means) / max(share.sum(), 1e-12)
        return H

    def _finish(self) -> np.ndarray:
        slot, present = np.empty((self.a.shape[1], self.dim), self.W.dtype), np.empty(self.a.shape[1], np.bool_)
        self.weights, self.vectors = np.zeros_like(self.a), self.W[: len(self.graph)].copy()
        for v in np.flatnonzero(~self.cold).tolist():
            gather(self.W, *self._cells, v, slot, present)
            mix(slot, self.a[v], present, self.weights[v], self.vectors[v])
        if self.sides is not None and self.cold.any():
            alone = self.embed(self.sides)
            placed = self.cold & (alone != 0).any(1)
            self.vectors[placed] = alone[placed]  # of the others nothing is known: they keep their random start
        return self.vectors  # (n, dim)
