"""Second-order random walks in O(edges) memory, by rejection.

The walk stands on v and came from t. The law of the next node x is (Grover & Leskovec, KDD 2016, section 3.2)

    P(x | t, v) = α_pq(t, x) w_vx / Σ_x' α_pq(t, x') w_vx',   α_pq = 1/p, 1, 1/q  for  d_tx = 0, 1, 2.

A table for every pair (t, v) costs Σ_v deg(v)² numbers. Here only the first-order law w_vx / Σ w is tabulated, and a
candidate x drawn from it is accepted with probability α_pq(t, x) / max α: the same law, and memory in proportion to edges.

Directed rule: d_tx is measured from t to x along the arrows: 0 if x = t, 1 if the edge t → x exists, else 2. (The code
that the authors published tests x → t. On undirected graphs both are the same.) Walks end early at a node without out-edges.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rec_lib.data.graphs import Graph
from rec_lib.embeddings.alias import build_alias, draw_alias
from rec_lib.embeddings.splitmix import GAMMA, fresh_state, mix, uniform

END = -1
TRIES = 64  # after so many refusals the exact row is summed: bounds the time of a step for extreme p and q


@njit(cache=True)
def find_edge(indptr: np.ndarray, indices: np.ndarray, u: int, x: int) -> int:
    """Position of the edge u → x in `indices` (sorted in each row), or −1: O(log deg u)."""
    low, high = indptr[u], indptr[u + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if indices[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low if low < end and indices[low] == x else -1


@njit(cache=True)
def _tabulate(
    indptr: np.ndarray, weights: np.ndarray, accept: np.ndarray, alias: np.ndarray, total: np.ndarray
) -> None:
    for v in range(len(indptr) - 1):
        a, b = indptr[v], indptr[v + 1]
        if a < b:
            total[v] = weights[a:b].sum()
            build_alias(weights[a:b], accept[a:b], alias[a:b])


@njit(cache=True)
def _alpha(indptr: np.ndarray, indices: np.ndarray, t: int, x: int, inv_p: float, inv_q: float) -> float:
    if x == t:
        return inv_p
    return 1.0 if find_edge(indptr, indices, t, x) >= 0 else inv_q


@njit(cache=True)
def _exact_step(
    indptr: np.ndarray,
    indices: np.ndarray,
    weights: np.ndarray,
    t: int,
    v: int,
    inv_p: float,
    inv_q: float,
    sums: np.ndarray,
    state: np.ndarray,
) -> int:
    """The next node by summing the whole row, its rows merged in order: O(deg v + deg t). `sums` is room for deg v numbers."""
    a, b = indptr[v], indptr[v + 1]
    j, end = indptr[t], indptr[t + 1]
    z = 0.0
    for k in range(a, b):
        x = int(indices[k])
        while j < end and indices[j] < x:
            j += 1
        alpha = inv_p if x == t else (1.0 if j < end and indices[j] == x else inv_q)
        z += weights[k] * alpha
        sums[k - a] = z
    left = uniform(state) * z
    k = 0
    while k < b - a - 1 and sums[k] <= left:
        k += 1
    return int(indices[a + k])


@njit(cache=True)
def _step(
    indptr: np.ndarray,
    indices: np.ndarray,
    weights: np.ndarray,
    accept: np.ndarray,
    alias: np.ndarray,
    total: np.ndarray,
    t: int,
    v: int,
    inv_p: float,
    inv_q: float,
    sums: np.ndarray,
    state: np.ndarray,
) -> int:
    """The next node of a walk that went t → v; v has at least one out-edge."""
    a = indptr[v]
    degree = indptr[v + 1] - a
    ceiling = max(1.0, inv_q)  # the largest α of the nodes other than t
    floor = min(1.0, inv_q)  # the smallest
    chance_back = 0.0
    if inv_p > ceiling:
        # A small p would lift the ceiling of the whole row and refuse nearly every candidate. So the part of the return
        # edge that sticks out is drawn first, and the rest of the row under the lower ceiling.
        edge = find_edge(indptr, indices, v, t)
        if edge >= 0:
            back = weights[edge] * (inv_p - ceiling)
            chance_back = back / (back + ceiling * total[v])
    for _ in range(TRIES):
        if chance_back > 0.0 and uniform(state) < chance_back:
            return t
        x = int(indices[a + draw_alias(accept, alias, a, degree, state)])
        u = uniform(state) * ceiling
        if x == t:
            if u < inv_p:  # always true where 1/p is above the ceiling: the rest of it was drawn before
                return x
        elif u < floor or u < _alpha(indptr, indices, t, x, inv_p, inv_q):  # below both: no need to look for t → x
            return x
    return _exact_step(indptr, indices, weights, t, v, inv_p, inv_q, sums, state)


@njit(cache=True)
def _walk(
    indptr: np.ndarray,
    indices: np.ndarray,
    weights: np.ndarray,
    accept: np.ndarray,
    alias: np.ndarray,
    total: np.ndarray,
    inv_p: float,
    inv_q: float,
    starts: np.ndarray,
    key: np.uint64,
    sums: np.ndarray,
    out: np.ndarray,
) -> None:
    state = np.empty(1, np.uint64)
    first_order = inv_p == 1.0 and inv_q == 1.0
    for r in range(out.shape[0]):
        state[0] = mix(
            key + np.uint64(r) * GAMMA
        )  # a stream for each walk: more or longer walks leave the others as they are
        v = starts[r]
        t = int(END)
        out[r, 0] = v
        for i in range(1, out.shape[1]):
            a = indptr[v]
            degree = indptr[v + 1] - a
            if degree == 0:
                break
            if t == END or first_order:
                x = int(indices[a + draw_alias(accept, alias, a, degree, state)])
            else:
                x = _step(indptr, indices, weights, accept, alias, total, t, v, inv_p, inv_q, sums, state)
            out[r, i] = x
            t = v
            v = x


def check_pq(p: float, q: float) -> None:
    """Raise ValueError unless p and q are in 1e-9 … 1e9: with weights up to 1e100, no sum of a row overflows then."""
    for name, value in (("p", p), ("q", q)):
        if not 1e-9 <= value <= 1e9:
            raise ValueError(
                f"{name} = {value}; expected 1e-9 … 1e9 (1 leaves the walk unbiased, 1e9 is as good as never)"
            )


def check_walks(p: float, q: float, num_walks: int, length: int) -> None:
    """Raise ValueError unless p and q are in 1e-9 … 1e9 and there is at least one walk of one node."""
    check_pq(p, q)
    if num_walks < 1 or length < 1:
        raise ValueError(f"num_walks = {num_walks}, length = {length}; expected at least 1 of each")


class Walker:
    """Walks on one graph; the first-order tables are built once, in O(edges).

    graph: a `Graph`, which guarantees at least one node, sorted rows, and weights that do not overflow.
    """

    def __init__(self, graph: Graph) -> None:
        self.n = len(graph)
        self.indptr = np.ascontiguousarray(graph.indptr, np.int64)
        self.indices = np.ascontiguousarray(graph.indices, np.int32)
        self.weights = np.ascontiguousarray(graph.weights, np.float64)
        self.accept = np.ones(len(self.indices))
        self.alias = np.zeros(len(self.indices), np.int32)
        self.total = np.zeros(self.n)
        _tabulate(self.indptr, self.weights, self.accept, self.alias, self.total)

    def walk(
        self,
        p: float = 1.0,
        q: float = 1.0,
        num_walks: int = 10,
        length: int = 80,
        *,
        rng: np.random.Generator,
        starts: np.ndarray | None = None,
    ) -> np.ndarray:
        """Walks of `length` nodes, (num_walks · len(starts), length) int32, −1 after the end of a walk that got stuck.

        Row r starts at starts[r mod len(starts)]; by default every node starts `num_walks` walks. Each row has a random
        stream of its own: the same generator gives the same walks, and asking for more or longer ones only adds to them.
        Raises ValueError for p or q outside 1e-9 … 1e9, for num_walks < 1, length < 1 and unknown starts.
        """
        check_walks(p, q, num_walks, length)
        begin = np.arange(self.n, dtype=np.int32) if starts is None else np.asarray(starts)
        if begin.ndim != 1 or not np.issubdtype(begin.dtype, np.integer):
            raise ValueError(
                f"starts has shape {begin.shape} and type {begin.dtype}; expected a vector of node numbers"
            )
        if begin.size and (begin.min() < 0 or begin.max() >= self.n):
            raise ValueError(f"starts holds {begin.min()}..{begin.max()}; expected node numbers in 0..{self.n - 1}")
        out = np.full((num_walks * len(begin), length), END, np.int32)
        tables = (self.indptr, self.indices, self.weights, self.accept, self.alias, self.total)
        first = np.tile(begin, num_walks).astype(np.int64)
        room = np.empty(int(np.diff(self.indptr).max()))  # for the exact row of the node with most neighbours
        _walk(*tables, 1.0 / p, 1.0 / q, first, fresh_state(rng)[0], room, out)
        return out


def alpha(d: np.ndarray, p: float, q: float) -> np.ndarray:
    """α_pq for the distances d (0, 1 or 2), of the same shape; numpy arrays or torch tensors.

    Source: Grover & Leskovec 2016, section 3.2.2.
    """
    return (d == 0) / p + (d == 1) * 1.0 + (d == 2) / q


def transition_probabilities(weights: np.ndarray, d: np.ndarray, p: float, q: float) -> np.ndarray:
    """P(x | t, v) = α_pq w_vx / Σ_x' α_pq w_vx' for the neighbours x of v; all (deg v,), numpy or torch.

    Source: Grover & Leskovec 2016, section 3.2.1-3.2.2: there π_vx = α_pq w_vx is left unnormalised.
    """
    pi = alpha(d, p, q) * weights
    return pi / pi.sum()


def distances(graph: Graph, t: int, v: int) -> np.ndarray:
    """d_tx for every neighbour x of v, in the order of v's row, int64: 0 if x = t, 1 if t → x is an edge, else 2."""
    x = graph.neighbours(v)
    return np.where(x == t, 0, np.where(np.isin(x, graph.neighbours(t)), 1, 2))


def transition_row(graph: Graph, t: int | None, v: int, p: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    """The exact law of the next node after t → v: (neighbours of v, their probabilities), both (deg v,).

    With t = None it is the first step, by weight alone. It shares no line with the compiled walks, so that tests can hold
    one against the other. Raises ValueError for p or q outside 1e-9 … 1e9 and for a node v without out-edges,
    IndexError for a node that does not exist.
    """
    check_pq(p, q)
    x = graph.neighbours(v)
    if len(x) == 0:
        raise ValueError(f"node {v} has no out-edges, so there is no next node; a walk ends there")
    w = np.asarray(graph.weights[graph.indptr[v] : graph.indptr[v + 1]], np.float64)
    return x, w / w.sum() if t is None else transition_probabilities(w, distances(graph, t, v), p, q)
