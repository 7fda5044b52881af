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
from rec_lib.embeddings.alias import build_alias
from rec_lib.embeddings.splitmix import GAMMA, fresh_state, mix, to_unit

END = -1
TRIES = 64  # after so many refusals the exact row is summed: bounds the time of a step for extreme p and q
LANES = 32  # walks that go side by side, so that one works while another waits for memory
BITS = 8  # of the filter for each edge; at most one absent edge in nine passes it


@njit(cache=True)
def _tabulate(indptr: np.ndarray, weights: np.ndarray, accept: np.ndarray, alias: np.ndarray, unit: np.ndarray) -> None:
    """The alias table of each row, and `unit`: the weight of one of its columns, Σ w / deg."""
    for v in range(len(indptr) - 1):
        a, b = indptr[v], indptr[v + 1]
        if a < b:
            unit[v] = weights[a:b].sum() / (b - a)
            build_alias(weights[a:b], accept[a:b], alias[a:b])


@njit(cache=True)
def _reverse(indptr: np.ndarray, indices: np.ndarray, back: np.ndarray) -> None:
    """For each edge t → v the position of v → t, or −1: O(edges), since both stand in order."""
    at = indptr[:-1].copy()  # how far each row has been read
    for t in range(len(at)):
        for e in range(indptr[t], indptr[t + 1]):
            v = indices[e]
            while at[v] < indptr[v + 1] and indices[at[v]] < t:
                at[v] += 1
            back[e] = at[v] if at[v] < indptr[v + 1] and indices[at[v]] == t else -1


@njit(cache=True, inline="always")
def _place(t: int, x: int, n: int, shift: np.uint64) -> np.uint64:
    """Where the filter keeps the edge t → x: the upper bits of a product (Knuth, vol. 3, 6.4)."""
    return ((np.uint64(t) * np.uint64(n) + np.uint64(x)) * GAMMA) >> shift


@njit(cache=True)
def _fill(indptr: np.ndarray, indices: np.ndarray, bits: np.ndarray, shift: np.uint64) -> None:
    n = len(indptr) - 1
    for t in range(n):
        for e in range(indptr[t], indptr[t + 1]):
            place = _place(t, indices[e], n, shift)
            bits[place >> np.uint64(3)] |= np.uint8(1) << np.uint8(place & np.uint64(7))


@njit(cache=True)
def _has_edge(indptr: np.ndarray, indices: np.ndarray, t: int, x: int) -> bool:
    """Whether t → x exists: O(log deg t)."""
    low, high = indptr[t], indptr[t + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if indices[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low < end and indices[low] == x


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
    u: float,
) -> int:
    """The edge v → x of the next node by summing the whole row, its rows merged in order: O(deg v + deg t). `sums` is room
    for deg v numbers, u uniform."""
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
    left = u * z
    k = 0
    while k < b - a - 1 and sums[k] <= left:
        k += 1
    return int(a + k)


@njit(cache=True)
def _walk(
    indptr: np.ndarray,
    indices: np.ndarray,
    weights: np.ndarray,
    accept: np.ndarray,
    alias: np.ndarray,
    unit: np.ndarray,
    back: np.ndarray,
    bits: np.ndarray,
    shift: np.uint64,
    inv_p: float,
    inv_q: float,
    starts: np.ndarray,
    key: np.uint64,
    sums: np.ndarray,
    out: np.ndarray,
) -> None:
    n = len(indptr) - 1
    rows, length = out.shape
    even = len(accept) == 0  # the edges of a row weigh alike: a column for each, and no more to ask
    ceiling = max(1.0, inv_q)  # the largest α of the nodes other than t
    floor = min(1.0, inv_q)  # the smallest
    sticks_out = max(inv_p - ceiling, 0.0) / ceiling
    state = np.empty(LANES, np.uint64)
    row = np.empty(LANES, np.int64)
    place = np.empty(LANES, np.int64)
    tries = np.empty(LANES, np.int64)
    came = np.empty(LANES, np.int64)
    start = np.empty(LANES, np.int64)
    degree = np.empty(LANES, np.int64)
    reverse = np.empty(LANES, np.int64)
    extra = np.empty(LANES, np.float64)
    lanes = 0
    r = 0
    while True:
        while lanes < LANES and r < rows:
            v = starts[r]
            out[r, 0] = v
            a = indptr[v]
            if length > 1 and indptr[v + 1] > a:
                state[lanes] = mix(key + np.uint64(r) * GAMMA)
                row[lanes] = r
                place[lanes] = 1
                tries[lanes] = 0
                came[lanes] = END
                start[lanes] = a
                degree[lanes] = indptr[v + 1] - a
                reverse[lanes] = -1
                extra[lanes] = 0.0
                lanes += 1
            r += 1
        if lanes == 0:
            break
        k = 0
        while k < lanes:
            s = state[k] + GAMMA
            y = to_unit(mix(s)) * (degree[k] + extra[k])
            column = int(y)
            a = start[k]
            if even:
                e = a + min(column, degree[k] - 1)
            else:
                e = a + min(column, degree[k] - 1)
                s += GAMMA
                if to_unit(mix(s)) >= accept[e]:
                    e = a + alias[e]
            if column >= degree[k] and reverse[k] >= 0:
                e = reverse[k]
            s += GAMMA
            state[k] = s
            u = to_unit(mix(s)) * ceiling
            x = int(indices[e])
            t = came[k]
            accepted = u < floor or t == END
            if x == t:
                accepted = u < inv_p
            elif floor < ceiling:
                h = _place(t, x, n, shift)
                maybe = (bits[h >> np.uint64(3)] >> np.uint8(h & np.uint64(7))) & np.uint8(1)
                if inv_q > 1.0:
                    accepted |= maybe == 0
                if maybe and not accepted:
                    accepted = _has_edge(indptr, indices, t, x) == (inv_q < 1.0)
            if not accepted:
                tries[k] += 1
                if tries[k] < TRIES:
                    k += 1
                    continue
                s += GAMMA
                state[k] = s
                v = out[row[k], place[k] - 1]
                e = _exact_step(indptr, indices, weights, t, v, inv_p, inv_q, sums, to_unit(mix(s)))
                x = int(indices[e])
            i = place[k]
            out[row[k], i] = x
            a2 = indptr[x]
            d2 = indptr[x + 1] - a2
            if i + 1 == length or d2 == 0:
                lanes -= 1
                state[k] = state[lanes]
                row[k] = row[lanes]
                place[k] = place[lanes]
                tries[k] = tries[lanes]
                came[k] = came[lanes]
                start[k] = start[lanes]
                degree[k] = degree[lanes]
                reverse[k] = reverse[lanes]
                extra[k] = extra[lanes]
                continue
            came[k] = out[row[k], i - 1]
            place[k] = i + 1
            tries[k] = 0
            start[k] = a2
            degree[k] = d2
            if sticks_out > 0.0:
                b = back[e]
                reverse[k] = b
                extra[k] = 0.0
                if b >= 0:
                    extra[k] = sticks_out if even else sticks_out * weights[b] / unit[x]
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


class Walker:
    """Walks on one graph; the first-order tables are built once, in O(edges).

    graph: a `Graph`, which guarantees at least one node, sorted rows, and weights that do not overflow.
    """

    def __init__(self, graph: Graph) -> None:
        self.n = len(graph)
        self.indptr = np.ascontiguousarray(graph.indptr, np.int64)
        self.indices = np.ascontiguousarray(graph.indices, np.int32)
        self.weights = np.ascontiguousarray(graph.weights, np.float64)
        even = (np.diff(self.weights)[np.diff(graph.rows) == 0] == 0).all()
        self.accept = np.ones(0 if even else len(self.indices))
        self.alias = np.zeros(0 if even else len(self.indices), np.int32)
        self.unit = np.zeros(0 if even else self.n)
        if not even:
            _tabulate(self.indptr, self.weights, self.accept, self.alias, self.unit)
        self.back = np.empty(len(self.indices), np.int32)
        _reverse(self.indptr, self.indices, self.back)
        size = max(3, int(BITS * len(self.indices)).bit_length())
        self.bits = np.zeros(2**size // 8, np.uint8)
        self.shift = np.uint64(64 - size)
        _fill(self.indptr, self.indices, self.bits, self.shift)

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
        tables = (self.indptr, self.indices, self.weights, self.accept, self.alias, self.unit, self.back, self.bits, self.shift)
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
