"""Second-order random walks in O(edges) memory, by rejection.

The walk stands on v and came from t. The law of the next node x is (Grover & Leskovec, KDD 2016, section 3.2)

    P(x | t, v) = α_pq(t, x) w_vx / Σ_x' α_pq(t, x') w_vx',   α_pq = 1/p, 1, 1/q  for  d_tx = 0, 1, 2.

A table for every pair (t, v) costs Σ_v deg(v)² numbers. Here only the first-order law w_vx / Σ w is tabulated, and a
candidate x drawn from it is accepted with probability α_pq(t, x) / max α: the same law, and memory in proportion to edges.

Directed rule: d_tx is measured from t to x along the arrows: 0 if x = t, 1 if the edge t → x exists, else 2. (The code
that the authors published tests x → t. On undirected graphs both are the same.) Walks end early at a node without out-edges.

What makes a step quick: many walks go side by side; the edge back to t is known beforehand, and most questions whether
t → x exists are answered by one bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from rec_lib.data.graphs import Graph
from rec_lib.embeddings.alias import build_alias
from rec_lib.embeddings.splitmix import GAMMA, fresh_state, mix, to_unit

END = -1
TRIES = 64  # after so many refusals the exact row is summed: bounds the time of a step for extreme p and q
LANES = 32  # walks that go side by side: while one waits for memory, the others work
BITS = 64  # room an edge for a bit a pair of nodes, as much as the weights take; where that is too little, bits by hash
HASHED = 8  # at least so many bits an edge then: at most one absent edge in nine looks like a present one
EXACT = np.uint64(1)  # the factor where each pair has a bit of its own
ONE, THREE, SEVEN = np.uint8(1), np.uint64(3), np.uint64(7)

LANE = np.dtype(
    [
        ("state", np.uint64),  # of the random stream, each walk has its own
        ("row", np.int64),  # which walk
        ("place", np.int64),  # where its next node goes
        ("tries", np.int64),  # candidates refused so far
        ("t", np.int64),  # the node before, END at the first step
        ("first", np.int64),  # the first edge of v, the node the walk stands on
        ("degree", np.int64),  # the number of its edges
        ("back", np.int64),  # the edge v → t, −1 where there is none
        ("width", np.float64),  # one for each edge, and the part of v → t that sticks out
    ]
)


class Tables(NamedTuple):
    """What the compiled walks read: E edges in rows, e is the position of one.

    accept, alias (E,)  the alias table of each row; empty where the edges of each row weigh alike
    unit (n,)           Σ w / deg, the weight of a whole column of that table; empty as well
    back (E,)           for e = t → v the position of v → t, −1 where there is none
    bits                1 where there is an edge t → x, at n t + x where factor is EXACT; else at a hash of it, which others share
    """

    indptr: np.ndarray
    indices: np.ndarray
    weights: np.ndarray
    accept: np.ndarray
    alias: np.ndarray
    unit: np.ndarray
    back: np.ndarray
    bits: np.ndarray
    factor: np.uint64
    shift: np.uint64


def tables(graph: Graph) -> Tables:
    """The tables of a graph, built in O(edges)."""
    n, entries = len(graph), len(graph.indices)
    even = bool((np.diff(graph.weights)[np.diff(graph.rows) == 0] == 0).all())
    if n**2 <= BITS * entries:
        size, factor, shift = n**2, EXACT, np.uint64(0)
    else:
        log_size = max(1, HASHED * entries - 1).bit_length()
        size, factor, shift = 2**log_size, GAMMA, np.uint64(64 - log_size)
    made = Tables(
        np.ascontiguousarray(graph.indptr, np.int64),
        np.ascontiguousarray(graph.indices, np.int32),
        np.ascontiguousarray(graph.weights, np.float64),
        np.ones(0 if even else entries),
        np.zeros(0 if even else entries, np.int32),
        np.zeros(0 if even else n),
        np.empty(entries, np.int32),
        np.zeros(size // 8 + 1, np.uint8),
        factor,
        shift,
    )
    _fill(made)
    return made


@njit(cache=True)
def _fill(g: Tables) -> None:
    """Write all that follows from indptr, indices and weights."""
    n = len(g.indptr) - 1
    read = g.indptr[:-1].copy()  # how far each row has been read: it meets the edges that come to it in its own order
    for t in range(n):
        a, b = g.indptr[t], g.indptr[t + 1]
        if len(g.accept) > 0 and a < b:
            g.unit[t] = g.weights[a:b].sum() / (b - a)
            build_alias(g.weights[a:b], g.accept[a:b], g.alias[a:b])
        for e in range(a, b):
            v = int(g.indices[e])
            while read[v] < g.indptr[v + 1] and g.indices[read[v]] < t:
                read[v] += 1
            g.back[e] = read[v] if read[v] < g.indptr[v + 1] and g.indices[read[v]] == t else -1
            place = _place(n, g.factor, g.shift, t, v)
            g.bits[place >> THREE] |= ONE << np.uint8(place & SEVEN)


@njit(cache=True)
def _place(n: int, factor: np.uint64, shift: np.uint64, t: int, x: int) -> np.uint64:
    """Where the bit of t → x is: for a hash the upper bits of a product (Knuth, vol. 3, section 6.4)."""
    return ((np.uint64(t) * np.uint64(n) + np.uint64(x)) * factor) >> shift


@njit(cache=True)
def _in_row(indptr: np.ndarray, indices: np.ndarray, t: int, x: int) -> bool:
    """Whether t → x exists, by halving t's row: O(log deg t)."""
    low, high = indptr[t], indptr[t + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if indices[middle] < x:
            low = middle + 1
        else:
            high = middle
    return bool(low < end and indices[low] == x)


@njit(cache=True)
def _exact_step(g: Tables, t: int, a: int, b: int, inv_p: float, inv_q: float, sums: np.ndarray, u: float) -> int:
    """The next of v's edges a … b − 1 by summing them all, merged in order with t's: O(deg v + deg t).

    sums: room for deg v numbers; u: uniform in [0, 1).
    """
    j, end = g.indptr[t], g.indptr[t + 1]
    z = 0.0
    for e in range(a, b):
        x = int(g.indices[e])
        while j < end and g.indices[j] < x:
            j += 1
        alpha = inv_p if x == t else (1.0 if j < end and g.indices[j] == x else inv_q)
        z += g.weights[e] * alpha
        sums[e - a] = z
    k = 0
    while k < b - a - 1 and sums[k] <= u * z:
        k += 1
    return int(a + k)


@njit(cache=True)
def _walk(
    g: Tables, inv_p: float, inv_q: float, starts: np.ndarray, key: np.uint64, sums: np.ndarray, out: np.ndarray
) -> None:
    """Walks of out (R, L) from `starts` (R,), each lane a candidate a round; sums: room for the longest row."""
    rows, length = out.shape
    ceiling = max(1.0, inv_q)  # the largest α of the nodes other than t
    floor = min(1.0, inv_q)  # the smallest
    # A small p would lift the ceiling of the whole row and refuse nearly every candidate. So the part of the return
    # edge that sticks out has a place of its own behind the columns of the row, and the row stays under the lower ceiling.
    sticks_out = max(inv_p / ceiling - 1.0, 0.0)
    lanes = np.empty(LANES, LANE)
    live, r = 0, 0  # lanes in use, walks begun
    while live > 0 or r < rows:
        while live < LANES and r < rows:
            v = starts[r]
            out[r, 0] = v
            if length > 1 and g.indptr[v + 1] > g.indptr[v]:
                lane = lanes[live]
                # a stream for each walk: more or longer walks leave the others as they are
                lane.state = mix(key + np.uint64(r) * GAMMA)
                lane.row, lane.place, lane.tries, lane.t, lane.back = r, 1, 0, END, -1
                lane.first, lane.degree = g.indptr[v], g.indptr[v + 1] - g.indptr[v]
                lane.width = lane.degree
                live += 1
            r += 1
        k = 0
        while k < live:  # one candidate for each
            lane = lanes[k]
            t, state = lane.t, lane.state + GAMMA
            column = int(to_unit(mix(state)) * lane.width)
            e = lane.first + min(column, lane.degree - 1)
            if len(g.accept) > 0:
                state += GAMMA
                other = lane.first + g.alias[e]
                e = e if to_unit(mix(state)) < g.accept[e] else other
            if column >= lane.degree and lane.back >= 0:
                e = lane.back
            state += GAMMA
            u = to_unit(mix(state)) * ceiling
            x = int(g.indices[e])
            if t == END:
                alpha = ceiling
            elif x == t:
                alpha = inv_p  # no refusal where 1/p is above the ceiling: the rest of it has its own place
            elif u < floor:
                alpha = floor  # below both: no need to look for t → x
            else:
                place = _place(len(g.indptr) - 1, g.factor, g.shift, t, x)
                near = (g.bits[place >> THREE] >> np.uint8(place & SEVEN)) & ONE != 0
                if near and g.factor != EXACT:
                    near = _in_row(g.indptr, g.indices, t, x)
                alpha = 1.0 if near else inv_q
            lane.state = state
            if u >= alpha:
                lane.tries += 1
                if lane.tries < TRIES:
                    k += 1
                    continue
                lane.state += GAMMA
                e = _exact_step(
                    g, t, lane.first, lane.first + lane.degree, inv_p, inv_q, sums, to_unit(mix(lane.state))
                )
                x = int(g.indices[e])
            out[lane.row, lane.place] = x
            first, degree = g.indptr[x], g.indptr[x + 1] - g.indptr[x]
            if lane.place + 1 == length or degree == 0:
                live -= 1
                lanes[k] = lanes[live]  # another walk takes the lane
                continue
            lane.t = out[lane.row, lane.place - 1]
            lane.place += 1
            lane.tries = 0
            lane.first, lane.degree, lane.width = first, degree, degree
            if sticks_out > 0.0 and g.back[e] >= 0:
                lane.back = g.back[e]
                lane.width += sticks_out * (g.weights[lane.back] / g.unit[x] if len(g.accept) > 0 else 1.0)
            else:
                lane.back = -1
            k += 1


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


def check_edges(graph: Graph) -> None:
    """Raise ValueError for a graph without edges: its walks are single nodes, which say nothing about each other."""
    if len(graph.indices) == 0:
        raise ValueError(
            f"none of the {len(graph)} nodes has an edge, so there are no walks to learn from; expected one edge at least. "
            "Were the edges lost, or the sessions cut at too small a gap?"
        )


class Walker:
    """Walks on one graph; the first-order tables are built once, in O(edges).

    graph: a `Graph`, which guarantees at least one node, sorted rows, and weights that do not overflow.
    """

    def __init__(self, graph: Graph) -> None:
        self.n = len(graph)
        self.tables = tables(graph)

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
        first = np.tile(begin, num_walks).astype(np.int64)
        room = np.empty(int(np.diff(self.tables.indptr).max()))  # for the exact row of the node with most neighbours
        _walk(self.tables, 1.0 / p, 1.0 / q, first, fresh_state(rng)[0], room, out)
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
