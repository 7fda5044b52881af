"""Huffman tree 哈夫曼树: words as leaves, the frequent ones near the root.

Take the two rarest trees, hang them under a new node, put that back; repeat until one is left. No other binary code needs
fewer bits for the mean word, so a prediction by the tree (hierarchical softmax) asks the fewest yes-or-no questions.

Sources: Huffman, "A method for the construction of minimum-redundancy codes", Proc. IRE 1952; Mikolov et al., NIPS 2013, 2.1.
"""

from __future__ import annotations

import heapq

import numpy as np


class HuffmanTree:
    """The tree over n words with `counts` (n,) >= 0; equal counts are settled by number, so the tree is always the same.

    Word w's way from the root is `path(w)`. Its inner nodes are 0..n−2, the root n−2. In one array for all words:
    `start` (n + 1,) int64, `nodes` and `ones` int64: word w's are [start[w]:start[w + 1]], root first; ones is 1 where the way
    goes to the second child.
    Raises ValueError for no words and for negative or non-finite counts.
    """

    def __init__(self, counts: np.ndarray) -> None:
        counts = np.asarray(counts, np.float64)
        if counts.ndim != 1 or counts.size == 0 or not np.isfinite(counts).all() or (counts < 0).any():
            raise ValueError(f"counts has shape {counts.shape}; expected a non-empty vector of finite numbers >= 0")
        n = self.n = counts.size
        parent, bit = np.full(2 * n - 1, -1), np.zeros(2 * n - 1, np.int64)
        heap = [(count, w) for w, count in enumerate(counts)]
        heapq.heapify(heap)
        for inner in range(n, 2 * n - 1):
            (first, a), (second, b) = heapq.heappop(heap), heapq.heappop(heap)
            parent[a] = parent[b] = inner
            bit[b] = 1
            heapq.heappush(heap, (first + second, inner))
        nodes: list[list[int]] = [[] for _ in range(2 * n - 1)]
        ones: list[list[int]] = [[] for _ in range(2 * n - 1)]
        for node in range(2 * n - 3, -1, -1):  # parents before children
            above = parent[node]
            nodes[node] = [*nodes[above], above - n]
            ones[node] = [*ones[above], bit[node]]
        self.length = np.array([len(way) for way in nodes[:n]])  # (n,) bits of each word's code
        self.start = np.concatenate(([0], self.length.cumsum())).astype(np.int64)
        self.nodes = np.array([i for way in nodes[:n] for i in way], np.int64)
        self.ones = np.array([i for way in ones[:n] for i in way], np.int64)

    def path(self, word: int) -> tuple[np.ndarray, np.ndarray]:
        """The inner nodes from the root to `word` and the branch taken at each, 0 or 1; both (length[word],)."""
        here = slice(self.start[word], self.start[word + 1])
        return self.nodes[here], self.ones[here]
