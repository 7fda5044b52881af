"""DeepWalk: jumps follow the law, memory grows with edges, planted communities come back, odd graphs are defined."""

import tracemalloc

import networkx as nx
import numpy as np
import pytest
from scipy.stats import chi2

from rec_lib.data.graphs import from_edges, from_networkx, karate_club, les_miserables, planted_roles
from rec_lib.embeddings import DeepWalk, Node2vec, Walker, warm_up
from rec_lib.embeddings.deepwalk import jump_probabilities
from rec_lib.evaluation.graph import purity

DIRECTED = from_edges(
    [(0, 1), (0, 2), (1, 2), (2, 0), (2, 2), (2, 3), (3, 0)], [5.0, 1.0, 2.0, 1.0, 3.0, 0.5, 1.0], directed=True
)


@pytest.mark.parametrize("graph", [DIRECTED, les_miserables()], ids=["directed, with a self-loop", "weighted"])
def test_every_jump_follows_the_law(graph):
    """χ² over all nodes: counts of i → j on the walks against M_ij / Σ_k M_ik from the full matrix, by a plain loop."""
    walks = Walker(graph).walk(num_walks=200, length=30, rng=np.random.default_rng(0))
    n = len(graph)
    seen = np.zeros((n, n))
    np.add.at(seen, (walks[:, :-1].ravel(), walks[:, 1:].ravel()), 1)
    weights = {(int(u), int(v)): 0.0 for u in range(n) for v in range(n)}
    for u in range(n):
        for k in range(graph.indptr[u], graph.indptr[u + 1]):
            weights[u, int(graph.indices[k])] += float(graph.weights[k])
    statistic, freedom = 0.0, 0
    for u in range(n):
        total = sum(weights[u, v] for v in range(n))
        law = np.array([weights[u, v] / total for v in range(n)])
        assert (seen[u][law == 0] == 0).all()
        expected = seen[u].sum() * law
        kept = expected >= 5
        statistic += float(((seen[u] - expected)[kept] ** 2 / expected[kept]).sum())
        freedom += int(kept.sum()) - 1
    assert chi2.sf(statistic, freedom) > 1e-4


def test_jump_probabilities_of_equal_weights_are_one_over_the_degree():
    np.testing.assert_allclose(jump_probabilities(np.ones(4)), 0.25)
    np.testing.assert_allclose(jump_probabilities(np.array([3.0, 1.0])), [0.75, 0.25])


def test_visits_of_a_long_walk_go_by_the_weight_of_the_edges():
    graph = les_miserables()
    walks = Walker(graph).walk(num_walks=40, length=400, rng=np.random.default_rng(1))
    share = np.bincount(walks[:, 50:].ravel(), minlength=77) / walks[:, 50:].size
    strength = np.bincount(graph.rows, graph.weights)
    np.testing.assert_allclose(share, strength / strength.sum(), atol=0.002)


def test_a_hundred_thousand_nodes_and_a_million_edges_are_walked_in_memory_that_grows_with_edges():
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 100_000, (1_000_000, 2))
    graph = from_edges(pairs, directed=True, names=[""] * 100_000)
    warm_up()
    tracemalloc.start()
    walks = Walker(graph).walk(num_walks=1, length=10, rng=np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert walks.shape == (100_000, 10)
    assert peak < 40 * len(graph.indices) + 2 * walks.nbytes + 100 * len(graph)  # a full matrix would be 80 GB
    assert (walks >= 0).mean() > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_planted_communities_come_back(seed):
    graph = planted_roles(np.random.default_rng(seed))
    assert purity(DeepWalk(graph).fit(np.random.default_rng(seed)), graph.community) > 0.9


def test_the_two_sides_of_the_karate_club_are_found():
    graph = karate_club()
    assert purity(DeepWalk(graph, epochs=3).fit(np.random.default_rng(0)), graph.community) > 0.8


def test_it_is_node2vec_with_p_and_q_of_one():
    graph, options = les_miserables(), {"num_walks": 3, "length": 20}
    one, other = DeepWalk(graph, **options), Node2vec(graph, 1.0, 1.0, **options)
    np.testing.assert_array_equal(one.fit(np.random.default_rng(0)), other.fit(np.random.default_rng(0)))


def test_isolated_nodes_sinks_parts_and_loops():
    apart = from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 4)], names="abcdef")
    model = DeepWalk(apart, dim=3)
    assert np.isfinite(model.fit(np.random.default_rng(0))).all()
    first = model.walks[:, 0]
    part = np.array([0, 0, 0, 1, 1, 2])
    assert all((part[w[w >= 0]] == part[f]).all() for w, f in zip(model.walks, first, strict=True))  # no walk leaves
    assert (model.walks[first == 5][:, 1:] == -1).all()
    sink = DeepWalk(from_edges([(0, 1)], directed=True), dim=2)
    assert np.isfinite(sink.fit(np.random.default_rng(0))).all()  # walks shorter than the window


def test_an_undirected_networkx_graph_without_weights_jumps_evenly():
    graph = from_networkx(nx.star_graph(4))
    walks = Walker(graph).walk(num_walks=4000, length=2, rng=np.random.default_rng(0), starts=np.array([0]))
    counts = np.bincount(walks[:, 1], minlength=5)
    assert counts[0] == 0
    assert np.abs(counts[1:] / 4000 - 0.25).max() < 0.03


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan])
def test_weights_that_are_no_share_never_reach_a_walk(weight):
    with pytest.raises(ValueError, match="has weight"):
        from_edges([(0, 1)], [weight])


@pytest.mark.parametrize("options", [{"dim": 0}, {"num_walks": 0}, {"length": 0}, {"window": 0}], ids=repr)
def test_bad_counts_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        DeepWalk(les_miserables(), **options)
