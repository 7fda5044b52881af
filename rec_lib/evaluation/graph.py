"""What a walk does on a graph, and what node vectors keep of it: closeness (communities) and structure (roles).

Node vectors are compared by cosine. `community` and `role` are (n,) whole numbers, one a node.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.evaluation.metrics import auc


def step_distances(graph: Graph, walks: np.ndarray) -> np.ndarray:
    """d_tx of every step t → v → x in `walks` (S, L): (S, L − 2) int64, −1 where the walk had ended."""
    n = len(graph)
    edges = graph.rows * n + graph.indices  # sorted, because rows are
    t, x = walks[:, :-2].astype(np.int64), walks[:, 2:].astype(np.int64)
    key = t * n + x
    place = np.minimum(np.searchsorted(edges, key), len(edges) - 1)
    return np.where(x < 0, -1, np.where(x == t, 0, np.where(edges[place] == key, 1, 2)))


def walk_statistics(graph: Graph, walks: np.ndarray, community: np.ndarray, far: int = 9) -> dict[str, float]:
    """What the walks (S, L), L > far, do: means over walks or over steps.

    "d0", "d1", "d2"     share of steps with d_tx = 0, 1, 2
    "nodes"              different nodes in a walk
    "communities"        different communities in a walk
    "next_same"          share of moves that stay in the community
    "far_same"           share of nodes whose community is that of the node `far` moves earlier

    Raises ValueError for walks that ended early: their means would compare walks of different lengths.
    """
    if walks.min() < 0:
        raise ValueError("some walks ended early; these means compare walks of one length, so leave out sinks")
    if walks.shape[1] <= far:
        raise ValueError(f"walks of {walks.shape[1]} nodes have no node {far} moves on; expected longer ones")
    d = step_distances(graph, walks)
    c = community[walks]
    return {f"d{k}": float((d == k).mean()) for k in range(3)} | {
        "nodes": float(_different(walks).mean()),
        "communities": float(_different(c).mean()),
        "next_same": float((c[:, 1:] == c[:, :-1]).mean()),
        "far_same": float((c[:, far:] == c[:, :-far]).mean()),
    }


def _different(rows: np.ndarray) -> np.ndarray:
    ordered = np.sort(rows, axis=1)
    return 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(1)


def cosines(vectors: np.ndarray) -> np.ndarray:
    """Cosine of every pair, (n, n); a zero vector has cosine 0 with all."""
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(norm > 0, norm, 1.0)
    return unit @ unit.T


def nearest(vectors: np.ndarray, k: int) -> np.ndarray:
    """The k nearest others of each node by cosine, (n, k) int64, nearest first. Raises ValueError unless 1 ≤ k < n."""
    if not 1 <= k < len(vectors):
        raise ValueError(f"k = {k}; expected 1..{len(vectors) - 1}, the number of other nodes")
    similarity = cosines(vectors)
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


def purity(vectors: np.ndarray, community: np.ndarray, k: int = 5) -> float:
    """Homophily: the share of each node's k nearest others that are of its community, a mean over nodes."""
    return float((community[nearest(vectors, k)] == community[:, None]).mean())


def same_role_auc(vectors: np.ndarray, role: np.ndarray, community: np.ndarray) -> float:
    """Structural equivalence: P(a same-role pair is closer than a different-role pair), both across communities.

    0.5 means that roles are not seen; 1 that every same-role pair is closer, however far apart on the graph.
    """
    i, j = np.triu_indices(len(vectors), k=1)
    across = community[i] != community[j]
    i, j = i[across], j[across]
    return auc((role[i] == role[j]).astype(int), cosines(vectors)[i, j])


def modularity(graph: Graph, label: np.ndarray) -> float:
    """Newman's Q of a partition of an undirected weighted graph: edges within groups, beyond what degrees alone give.

    Raises ValueError for a graph without edges.
    """
    total = graph.weights.sum()
    if total == 0:
        raise ValueError("the graph has no edges: no share of them lies within groups. Expected at least one edge.")
    strength = np.bincount(graph.rows, graph.weights, len(graph))
    within = graph.weights[label[graph.rows] == label[graph.indices]].sum() / total
    return float(within - (np.bincount(label, strength) ** 2).sum() / total**2)


def variance_explained(value: np.ndarray, label: np.ndarray) -> float:
    """η²: the share of the variance of `value` (n,) that lies between the groups of `label` (n,)."""
    size = np.bincount(label)
    mean = np.bincount(label, value) / np.maximum(size, 1)
    return float((size * (mean - value.mean()) ** 2).sum() / ((value - value.mean()) ** 2).sum())


def structural_features(graph: Graph) -> np.ndarray:
    """Four numbers that say how a node stands, not where, (n, 4): log degree, betweenness, clustering, mean degree around.

    Each is standardised over the nodes. Edges count alike, whatever their weight.
    """
    plain = nx.Graph(graph.to_networkx())
    nodes = range(len(graph))
    betweenness, clustering = nx.betweenness_centrality(plain), nx.clustering(plain)
    around = nx.average_neighbor_degree(plain)
    columns = [np.log1p(graph.degree), *(np.array([f[v] for v in nodes]) for f in (betweenness, clustering, around))]
    features = np.stack(columns, axis=1)
    spread = features.std(0)
    return (features - features.mean(0)) / np.where(spread > 0, spread, 1.0)


def louvain(graph: Graph) -> np.ndarray:
    """Communities of a graph that has none of its own, (n,) int64, the same in every run."""
    label = np.empty(len(graph), np.int64)
    for number, nodes in enumerate(nx.community.louvain_communities(graph.to_networkx(), seed=0)):
        label[list(nodes)] = number
    return label
