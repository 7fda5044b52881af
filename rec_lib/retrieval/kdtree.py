"""kd-tree: halve the points along their widest dimension, search one half, look into the other only if it can help.

Paper    Bentley, "Multidimensional binary search trees used for associative searching", CACM 1975;
         widest dimension and backtracking as in Friedman, Bentley, Finkel, ACM TOMS 1977
Section  4.6.1 "快速"Embedding最近邻搜索
Idea     a subtree on the far side of a splitting plane is skipped when the plane is farther than the k-th best so far
Differs  leaves hold up to `leaf_size` points; the split is by position, so equal values may lie on both sides
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit

from rec_lib.retrieval._kernels import offer, squared_distance
from rec_lib.retrieval.base import checked_count, checked_queries, checked_vectors


class Tree(NamedTuple):
    """A kd-tree as arrays; node 0 is the root. A leaf has axis -1."""

    order: np.ndarray  # (n,) rows in tree order
    split: np.ndarray  # (nodes,) where the plane cuts its axis: the median
    axis: np.ndarray  # (nodes,) dimension that is cut
    left: np.ndarray  # (nodes,) child with values <= split
    right: np.ndarray  # (nodes,) child with values >= split
    start: np.ndarray  # (nodes,) the points of a node are order[start:stop]
    stop: np.ndarray  # (nodes,)


class KDTree:
    """Exact answers; how many points are measured depends on the dimension (`examined`)."""

    def __init__(self, leaf_size: int = 8) -> None:
        self.leaf_size = checked_count(leaf_size, "leaf_size")
        self.vectors: np.ndarray | None = None
        self.examined = np.zeros(0, np.int64)

    def build(self, vectors: Any) -> Self:
        """Split until no leaf holds more than `leaf_size` of `vectors (n, d)`. O(n log n)."""
        self.vectors = checked_vectors(vectors)
        n = len(self.vectors)
        order = np.arange(n)
        axis, split, left, right, start, stop = [-1], [0.0], [-1], [-1], [0], [n]
        todo = [0]
        while todo:
            node = todo.pop()
            low, high = start[node], stop[node]
            if high - low <= self.leaf_size:
                continue
            points = self.vectors[order[low:high]]
            widest = int(np.argmax(np.ptp(points, axis=0)))
            middle = (high - low) // 2
            halves = np.argpartition(points[:, widest], middle)
            order[low:high] = order[low:high][halves]
            axis[node], split[node] = widest, float(points[halves[middle], widest])  # the median
            left[node], right[node] = len(axis), len(axis) + 1
            for child_low, child_high in ((low, low + middle), (low + middle, high)):
                todo.append(len(axis))
                axis.append(-1)
                split.append(0.0)
                left.append(-1)
                right.append(-1)
                start.append(child_low)
                stop.append(child_high)
        integers = (np.array(a, np.int64) for a in (axis, left, right, start, stop))
        self.tree = Tree(order, np.array(split, self.vectors.dtype), *integers)
        return self

    def query(self, queries: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of all n: ids (m, k), distances (m, k); -1 and inf where k > n."""
        q, vectors = checked_queries(queries, self.vectors)
        k = checked_count(k, "k")
        ids = np.full((len(q), k), -1, np.int64)
        d2 = np.full((len(q), k), np.inf, q.dtype)
        self.examined = np.zeros(len(q), np.int64)
        for i in range(len(q)):
            self.examined[i] = _search(vectors, self.tree, q[i], ids[i], d2[i]).size
        return ids, np.sqrt(d2)

    def visited(self, query: Any, k: int) -> np.ndarray:
        """Rows whose distance to one `query (d,)` is measured, in the order in which the search meets them."""
        q, vectors = checked_queries(query, self.vectors)
        k = checked_count(k, "k")
        return _search(vectors, self.tree, q[0], np.full(k, -1, np.int64), np.full(k, np.inf, q.dtype))


@njit(cache=True)
def _search(vectors: np.ndarray, tree: Tree, q: np.ndarray, ids: np.ndarray, d2: np.ndarray) -> np.ndarray:
    """Fill `ids`, `d2` (k,) for one query; return the rows measured. Depth first, near side first."""
    seen = np.empty(tree.order.size, np.int64)
    count = 0
    nodes = np.empty(128, np.int64)  # a balanced tree of 2^63 points is 63 deep
    gaps = np.zeros(128, d2.dtype)  # squared distance from q to the plane that hides the node
    nodes[0], top = 0, 1
    while top > 0:
        top -= 1
        node = nodes[top]
        if gaps[top] > d2[-1]:
            continue  # nothing behind that plane is nearer than the k-th best
        while tree.axis[node] >= 0:
            offset = q[tree.axis[node]] - tree.split[node]
            near, far = (tree.left[node], tree.right[node]) if offset < 0 else (tree.right[node], tree.left[node])
            nodes[top], gaps[top] = far, offset * offset
            top += 1
            node = near
        for place in range(tree.start[node], tree.stop[node]):
            row = tree.order[place]
            seen[count] = row
            count += 1
            offer(ids, d2, row, squared_distance(vectors[row], q))
    return seen[:count]
