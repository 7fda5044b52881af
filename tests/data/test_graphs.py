"""Graphs: each kind of odd input has one meaning, and the planted graph is what it says."""

import networkx as nx
import numpy as np
import pytest

from rec_lib.data import views
from rec_lib.data.graphs import (
    ROLES,
    Graph,
    from_edges,
    from_networkx,
    item_graph,
    karate_club,
    les_miserables,
    planted_roles,
)
from rec_lib.data.movielens import load


def test_an_edge_stands_in_both_rows_sorted():
    graph = from_edges([(2, 0), (0, 1), (3, 0)], [0.5, 2.0, 1.0])
    assert graph.indptr.tolist() == [0, 3, 4, 5, 6]
    assert graph.neighbours(0).tolist() == [1, 2, 3]
    assert graph.weights.tolist() == [2.0, 0.5, 1.0, 2.0, 0.5, 1.0]
    assert (graph.indptr.dtype, graph.indices.dtype, graph.weights.dtype) == (np.int64, np.int32, np.float64)
    assert graph.degree.tolist() == [3, 1, 1, 1]
    assert repr(graph) == "Graph(4 nodes, 3 edges)"
    with pytest.raises(IndexError, match="node 4 does not exist; nodes are 0 … 3"):
        graph.neighbours(4)


def test_isolated_nodes_sinks_and_empty_graphs_have_empty_rows():
    assert from_edges([(0, 1)], names=["a", "b", "alone"]).degree.tolist() == [1, 1, 0]
    assert from_edges([(0, 1), (2, 1)], directed=True).degree.tolist() == [1, 0, 1]
    empty = from_edges([], names=["a"])
    assert (len(empty), empty.degree.tolist(), len(empty.edges()[0])) == (1, [0], 0)


def test_a_self_loop_is_one_entry():
    assert from_edges([(0, 0), (0, 1)], [3.0, 1.0]).matrix().toarray().tolist() == [[3, 1], [1, 0]]
    assert from_edges([(0, 0)], [3.0], directed=True).matrix().toarray().tolist() == [[3]]


def test_an_edge_given_twice_is_one_edge_of_the_sum():
    assert from_edges([(0, 1), (1, 0), (0, 1)], [1.0, 2.0, 4.0]).matrix().toarray().tolist() == [[0, 7], [7, 0]]
    directed = from_edges([(0, 1), (1, 0), (0, 1)], [1.0, 2.0, 4.0], directed=True)
    assert directed.matrix().toarray().tolist() == [[0, 5], [2, 0]]


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf, 0.9e-100, 1.1e100])
def test_a_weight_that_is_no_probability_or_overflows_is_refused(weight):
    with pytest.raises(ValueError, match=r"edge \[1, 2\] has weight .*; expected 1e-100 … 1e\+100"):
        from_edges([(0, 1), (1, 2)], [1.0, weight])


def test_a_sum_of_weights_that_overflows_is_refused():
    with pytest.raises(ValueError, match=r"entry 0 has weight 1.2e\+100"):
        from_edges([(0, 1), (1, 0)], [6e99, 6e99])


@pytest.mark.parametrize("directed", [False, True])
def test_a_graph_without_nodes_is_refused(directed):
    with pytest.raises(ValueError, match="no nodes; expected at least one"):
        from_edges([], directed=directed)


def test_edges_that_leave_the_graph_or_have_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"edge \[0, 2\] leaves the graph; nodes are 0 … 1"):
        from_edges([(0, 2)], names=["a", "b"])
    with pytest.raises(ValueError, match=r"edge \[-1, 0\] leaves"):
        from_edges([(-1, 0)])
    with pytest.raises(ValueError, match="whole numbers"):
        from_edges([(0.5, 1.0)])
    with pytest.raises(ValueError, match=r"expected \(edges, 2\)"):
        from_edges([(0, 1, 2)])
    with pytest.raises(ValueError, match="1 edges and weights of shape"):
        from_edges([(0, 1)], [1.0, 2.0])


def graph_of(**changed):
    good = {
        "indptr": np.array([0, 1, 3, 4]),
        "indices": np.array([1, 0, 2, 1], dtype=np.int32),
        "weights": np.ones(4),
        "names": ("a", "b", "c"),
    }
    return Graph(**good | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"indptr": np.array([0, 1, 3])}, "3 names, indptr of 3"),
        ({"weights": np.ones(3)}, "3 weights"),
        ({"indptr": np.array([0, 3, 1, 4])}, "falls after row 1"),
        ({"indices": np.array([1, 0, 3, 1])}, "neighbour 3 does not exist"),
        ({"indices": np.array([1, 2, 0, 1])}, "row 1 is not sorted"),
        ({"indices": np.array([1, 2, 2, 1])}, "row 1 is not sorted or has a neighbour twice"),
        ({"weights": np.array([1, 2, 1, 1.0])}, "both rows with one weight"),
        ({"weights": np.array([1, 0, 1, 1.0])}, "entry 1 has weight 0"),
        ({"community": np.zeros(2, dtype=int)}, "community has 2 labels for 3 nodes"),
    ],
)
def test_rows_that_are_not_a_graph_are_refused(changed, message):
    assert len(graph_of()) == 3
    with pytest.raises(ValueError, match=message):
        graph_of(**changed)


def test_networkx_and_back():
    for original in (nx.les_miserables_graph(), nx.gnp_random_graph(30, 0.1, seed=1, directed=True), nx.path_graph(4)):
        graph = from_networkx(original)
        numbered = nx.convert_node_labels_to_integers(original)
        back = graph.to_networkx()
        assert set(back.edges) == set(numbered.edges)
        assert all(data["weight"] == numbered.edges[u, v].get("weight", 1) for u, v, data in back.edges(data=True))


def test_the_named_graphs():
    graph = les_miserables()
    assert (len(graph), len(graph.edges()[0])) == (77, 254)
    assert graph.weights[graph.indptr[graph.names.index("Valjean")] :].max() == 31
    club = karate_club()
    assert (len(club), len(club.edges()[0]), np.bincount(club.community).tolist()) == (34, 78, [17, 17])


@pytest.mark.parametrize("seed", range(5))
def test_the_planted_graph_has_its_communities_and_roles(seed):
    graph = planted_roles(np.random.default_rng(seed))
    assert len(graph) == 184
    assert np.bincount(graph.community).tolist() == [23] * 8
    assert [int((graph.role == r).sum()) for r in range(4)] == [8, 112, 48, 16]
    pairs, weights = graph.edges()
    assert (weights == 1).all()
    kinds = {}
    for u, v in pairs:
        key = (*sorted((ROLES[graph.role[u]], ROLES[graph.role[v]])), bool(graph.community[u] == graph.community[v]))
        kinds[key] = kinds.get(key, 0) + 1
    assert kinds.pop(("hub", "member", True)) == 112
    assert kinds.pop(("hub", "leaf", True)) == 48
    assert kinds.pop(("bridge", "member", True)) == 48
    assert kinds.pop(("member", "member", False)) == 40
    assert 8 <= kinds.pop(("bridge", "bridge", False)) <= 16
    inside = kinds.pop(("member", "member", True))
    assert abs(inside - 8 * 91 * 0.35) < 4 * np.sqrt(8 * 91 * 0.35 * 0.65)
    assert not kinds
    again = planted_roles(np.random.default_rng(seed))
    assert np.array_equal(graph.indices, again.indices)
    assert nx.is_connected(graph.to_networkx())


def test_the_item_graph_counts_transitions():
    graph = item_graph([np.array([9, 4, 9, 4]), np.array([4, 4, 7]), np.array([5])])
    assert graph.item.tolist() == [4, 7, 9]
    assert graph.names == ("4", "7", "9")
    assert graph.matrix().toarray().tolist() == [[0, 1, 1], [0, 0, 0], [2, 0, 0]]
    assert graph.directed


@pytest.mark.parametrize("sessions", [[], [np.array([5])], [np.array([])], [np.array([3, 3, 3]), np.array([4, 4])]])
def test_sessions_without_a_transition_are_refused(sessions):
    with pytest.raises(ValueError, match="two different ones, so there is no transition"):
        item_graph(sessions)


@pytest.mark.parametrize("unknown", [3, 100, -1])
def test_an_item_without_a_title_is_named(unknown):
    with pytest.raises(ValueError, match=f"item {unknown} has no title; expected items 0 … 2"):
        item_graph([np.array([1, 2, unknown])], titles=["pad", "oov", "film"])


def test_the_item_graph_of_movielens_has_a_step_for_each_transition():
    ml = load()
    sessions = views.sequences(ml)
    graph = item_graph(sessions, views.item_titles(ml))
    assert graph.weights.sum() == sum(len(session) - 1 for session in sessions)
    assert graph.names[int(np.searchsorted(graph.item, 2))] == "Toy Story (1995)"
