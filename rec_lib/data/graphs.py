"""Graphs in compressed rows (CSR), and the four that the course walks on.

What is allowed, and what it means:

    isolated node       allowed; its row is empty
    sink (directed)     allowed; its row is empty, so a walk ends there
    self-loop           allowed; one entry in its row, in an undirected graph too
    edge given twice    one edge; the weights are added (u, v and v, u are the same edge of an undirected graph)
    weight outside      refused: 0 is no edge, NaN no probability, and sums and products of weights must not overflow
    1e-100 … 1e100
    no node at all      refused: nothing can be drawn, walked or measured on it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix, csr_matrix, triu

WEIGHTS = (1e-100, 1e100)
ROLES = ("hub", "member", "leaf", "bridge")


@dataclass(frozen=True, eq=False, repr=False)
class Graph:
    """A weighted graph of n nodes; row i is indices[indptr[i]:indptr[i+1]], sorted, with the weights beside it.

    indptr     (n + 1,) int64
    indices    (entries,) int32 neighbours; an undirected edge stands in both rows
    weights    (entries,) float64, 1e-100 … 1e100
    names      n strings
    directed   False: the rows are symmetric
    community  (n,) int64 where the graph has known groups, else None
    role       (n,) int64, positions in ROLES, where roles were planted, else None
    item       (n,) int64 encoded item ids where nodes are items, else None

    Raises ValueError that names the first offending row, node or edge.
    """

    indptr: np.ndarray
    indices: np.ndarray
    weights: np.ndarray
    names: tuple[str, ...]
    directed: bool = False
    community: np.ndarray | None = None
    role: np.ndarray | None = None
    item: np.ndarray | None = None

    def __post_init__(self) -> None:
        n, entries = len(self.names), len(self.indices)
        if n == 0:
            raise ValueError("the graph has no nodes; expected at least one. Nodes without edges need names=.")
        if (
            len(self.indptr) != n + 1
            or self.indptr[0] != 0
            or self.indptr[-1] != entries
            or len(self.weights) != entries
        ):
            raise ValueError(
                f"{n} names, indptr of {len(self.indptr)} from {self.indptr[0]} to {self.indptr[-1]}, {entries} "
                f"indices, {len(self.weights)} weights; expected indptr of names + 1 numbers, from 0 to the number of "
                "indices and of weights."
            )
        if (np.diff(self.indptr) < 0).any():
            raise ValueError(
                f"indptr falls after row {int(np.argmax(np.diff(self.indptr) < 0))}; row ends must not fall."
            )
        outside = (self.indices < 0) | (self.indices >= n)
        if outside.any():
            raise ValueError(f"neighbour {self.indices[outside][0]} does not exist; nodes are 0 … {n - 1}.")
        _check_weights(self.weights)
        rows = self.rows
        unsorted = (np.diff(rows) == 0) & (np.diff(self.indices) <= 0)
        if unsorted.any():
            raise ValueError(
                f"row {rows[:-1][unsorted][0]} is not sorted or has a neighbour twice. Build it by from_edges."
            )
        if not self.directed:
            matrix = self.matrix()
            if abs(matrix - matrix.T).max() > 0:
                raise ValueError(
                    "an undirected graph needs each edge in both rows with one weight. Build it by from_edges."
                )
        for name in ("community", "role", "item"):
            labels = getattr(self, name)
            if labels is not None and len(labels) != n:
                raise ValueError(f"{name} has {len(labels)} labels for {n} nodes; expected one a node.")

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Graph({len(self)} nodes, {len(self.edges()[0])} {'directed ' if self.directed else ''}edges)"

    @property
    def degree(self) -> np.ndarray:
        """(n,) int64, the number of neighbours (successors where directed)."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> np.ndarray:
        """(entries,) int64, the node in whose row each entry stands."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.indptr))

    def neighbours(self, node: int) -> np.ndarray:
        """The neighbours of a node, ascending, int32. Raises IndexError for a node that does not exist."""
        if not 0 <= node < len(self):
            raise IndexError(f"node {node} does not exist; nodes are 0 … {len(self) - 1}.")
        return self.indices[self.indptr[node] : self.indptr[node + 1]]

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (E, 2) and weights (E,), each edge once: u → v where directed, u ≤ v where not."""
        rows = self.rows
        once = np.ones(len(rows), dtype=bool) if self.directed else rows <= self.indices
        return np.stack([rows[once], self.indices[once]], axis=1), self.weights[once]

    def matrix(self) -> csr_matrix:
        """The (n, n) weight matrix."""
        return csr_matrix((self.weights, self.indices, self.indptr), shape=(len(self), len(self)))

    def to_networkx(self) -> nx.Graph:
        """The same graph for networkx's layouts and measures; nodes are 0 … n − 1."""
        graph = nx.DiGraph() if self.directed else nx.Graph()
        graph.add_nodes_from(range(len(self)))
        pairs, weights = self.edges()
        graph.add_weighted_edges_from((int(u), int(v), float(w)) for (u, v), w in zip(pairs, weights, strict=True))
        return graph


def from_edges(
    pairs: ArrayLike,
    weights: ArrayLike | None = None,
    directed: bool = False,
    names: Sequence[str] | None = None,
    **labels: np.ndarray | None,
) -> Graph:
    """The graph with these edges; `labels` are Graph's community, role and item.

    pairs  (E, 2) node numbers    weights  (E,), ones by default    names  n strings; "0", "1", … up to the largest
    number in `pairs` by default

    Raises ValueError for numbers outside 0 … n − 1, another shape, weights outside 1e-100 … 1e100, or no node.
    """
    pairs = np.asarray(pairs) if np.size(pairs) else np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ValueError(f"pairs have shape {pairs.shape} and dtype {pairs.dtype}; expected (edges, 2) whole numbers.")
    names = [str(i) for i in range(int(pairs.max(initial=-1)) + 1)] if names is None else names
    weight = np.ones(len(pairs)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (len(pairs),):
        raise ValueError(f"{len(pairs)} edges and weights of shape {weight.shape}; expected one weight an edge.")
    n = len(names)
    outside = ((pairs < 0) | (pairs >= n)).any(axis=1)
    if outside.any():
        raise ValueError(f"edge {pairs[outside][0].tolist()} leaves the graph; nodes are 0 … {n - 1}.")
    _check_weights(weight, pairs)
    u, v = pairs[:, 0], pairs[:, 1]
    if not directed:
        # Adding the weights of (u, v) and (v, u) first, then mirroring, gives both rows the same float sum.
        u, v = np.minimum(u, v), np.maximum(u, v)
    matrix = coo_matrix((weight, (u, v)), shape=(n, n)).tocsr()
    if not directed:
        matrix = (matrix + triu(matrix, k=1).T).tocsr()  # the mirror image, loops not doubled
    matrix.sort_indices()
    return Graph(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        tuple(map(str, names)),
        directed,
        **labels,
    )


def from_networkx(graph: nx.Graph, weight: str = "weight", **labels: np.ndarray | None) -> Graph:
    """A networkx graph, nodes in its order, names by str(); an edge without the attribute `weight` weighs 1."""
    number = {node: i for i, node in enumerate(graph)}
    pairs = np.array([(number[u], number[v]) for u, v in graph.edges()], dtype=np.int64).reshape(-1, 2)
    weights = np.array([w for _, _, w in graph.edges(data=weight, default=1.0)], dtype=np.float64)
    return from_edges(pairs, weights, graph.is_directed(), [str(node) for node in graph], **labels)


def les_miserables() -> Graph:
    """Who shares a chapter with whom in the novel: 77 nodes, 254 edges, weight = number of chapters.

    Source  Knuth, The Stanford GraphBase, 1993; the graph of node2vec's figure 3 (Grover and Leskovec, KDD 2016).
    """
    return from_networkx(nx.les_miserables_graph())


def karate_club() -> Graph:
    """Friendships in a karate club that split in two: 34 nodes, 78 edges; community = the side taken.

    Source  Zachary, "An information flow model for conflict and fission in small groups", 1977; DeepWalk's figure 1.
    """
    graph = nx.karate_club_graph()
    side = np.array([int(club == "Officer") for _, club in graph.nodes(data="club")], dtype=np.int64)
    return from_networkx(graph, community=side)


def planted_roles(rng: np.random.Generator) -> Graph:
    """A graph whose communities and roles are known: 8 communities of 23 nodes, 184 nodes in all, about 518 edges.

    Each community has a hub joined to all its members; 14 members, two of them joined with probability 0.35; 6 leaves
    that hang on the hub; 2 bridges, each joined to 3 members and to a bridge elsewhere. 40 edges join members of
    different communities. `community` is 0 … 7, `role` a position in ROLES. Equal roles look the same from where they
    stand and are far apart: an embedding of structure would bring them together, one of closeness would not.
    """
    role = np.tile(np.repeat([0, 1, 2, 3], [1, 14, 6, 2]), 8)
    community = np.repeat(np.arange(8), 23)
    member = np.flatnonzero(role == 1).reshape(8, 14)
    bridge = np.flatnonzero(role == 3).reshape(8, 2)
    first, second = np.triu_indices(14, k=1)
    edges: list[tuple[int, int]] = []
    for c in range(8):
        hub = 23 * c
        edges += [(hub, int(other)) for other in range(hub + 1, hub + 21)]  # members and leaves
        joined = rng.random(len(first)) < 0.35
        edges += [(int(a), int(b)) for a, b in zip(member[c][first[joined]], member[c][second[joined]], strict=True)]
        for node in bridge[c]:
            edges += [(int(m), int(node)) for m in rng.choice(member[c], 3, replace=False)]
            edges.append((int(node), int(rng.choice(np.delete(bridge, c, axis=0).ravel()))))
    across: set[tuple[int, int]] = set()
    while len(across) < 40:
        a, b = (int(rng.choice(member[c])) for c in sorted(rng.choice(8, 2, replace=False)))
        across.add((a, b))
    unique = sorted({(min(edge), max(edge)) for edge in edges} | across)  # two bridges may choose each other
    names = [f"{ROLES[r]} {i % 23} of {c}" for i, (r, c) in enumerate(zip(role, community, strict=True))]
    return from_edges(unique, names=names, community=community.astype(np.int64), role=role.astype(np.int64))


def item_graph(sessions: Iterable[np.ndarray], titles: Sequence[str] | None = None) -> Graph:
    """The directed graph of transitions: u → v weighs as much as v followed u in a session; steps u → u are left out.

    sessions  arrays of encoded item ids    titles  names by encoded id; the id itself by default

    Nodes are the items that occur, ascending; `item` gives their ids. Raises ValueError where no session has two
    different items, and for an item without a title.
    Source  Wang et al., "Billion-scale Commodity Embedding", KDD 2018, arXiv:1803.02349, section 2.1.
    """
    long_enough = [np.asarray(session) for session in sessions if len(session) > 1]
    steps = np.concatenate([np.empty((0, 2), np.int64), *(np.stack([s[:-1], s[1:]], axis=1) for s in long_enough)])
    moves = steps[steps[:, 0] != steps[:, 1]]
    if not len(moves):
        raise ValueError(
            f"no session of the {len(long_enough)} with two items or more has two different ones, so there is no "
            "transition. Are the sessions cut at too small a gap?"
        )
    items = np.unique(steps)
    if titles is not None and not 0 <= items[0] <= items[-1] < len(titles):
        unknown = items[(items < 0) | (items >= len(titles))]
        raise ValueError(
            f"item {unknown[0]} has no title; expected items 0 … {len(titles) - 1}, one for each of the {len(titles)} titles. "
            "Are the sessions encoded as the titles are?"
        )
    pairs = np.searchsorted(items, moves)
    names = [titles[i] if titles is not None else str(i) for i in items]
    return from_edges(pairs, directed=True, names=names, item=items.astype(np.int64))


def _check_weights(weights: np.ndarray, pairs: np.ndarray | None = None) -> None:
    bad = ~((weights >= WEIGHTS[0]) & (weights <= WEIGHTS[1]))  # NaN too
    if bad.any():
        row = int(np.argmax(bad))
        where = f"entry {row}" if pairs is None else f"edge {pairs[row].tolist()}"
        raise ValueError(
            f"{where} has weight {weights[row]}; expected {WEIGHTS[0]:g} … {WEIGHTS[1]:g}. Leave the edge out, or scale all "
            "weights alike: that changes no walk."
        )
