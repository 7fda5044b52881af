"""The compiled walk takes exactly the steps that the formula says, on graphs of every kind."""

import tracemalloc
from collections import Counter, defaultdict

import networkx as nx
import numpy as np
import pytest
from scipy.stats import chi2

from rec_lib.data.graphs import from_edges, from_networkx, les_miserables, planted_roles
from rec_lib.embeddings import DeepWalk, Node2vec, warm_up
from rec_lib.embeddings import walks as walks_module
from rec_lib.embeddings.walks import (
    END,
    EXACT,
    Walker,
    alpha,
    distances,
    tables,
    transition_probabilities,
    transition_row,
)


def directed():
    """Weights, a sink (4), one-way edges, a self-loop (0)."""
    pairs = [(0, 0), (0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 3), (3, 0), (3, 1), (2, 4), (1, 3), (5, 0)]
    return from_edges(pairs, np.array([1, 2, 1, 3, 1, 0.5, 2, 1, 4, 0.2, 1, 1.0]), directed=True)


GRAPHS = {
    "weighted": les_miserables(),
    "directed": directed(),
    "star": from_networkx(nx.star_graph(12)),
    "cycle": from_networkx(nx.cycle_graph(9)),
    "complete": from_networkx(nx.complete_graph(30)),
    "planted": planted_roles(np.random.default_rng(0)),
}
SETTINGS = [(1.0, 1.0), (0.25, 4.0), (4.0, 0.25), (0.5, 0.5), (0.01, 1.0), (100.0, 0.01), (1e6, 1e-6)]


def small_world(weighted):
    """Triangles in a graph so sparse that a bit for each pair of nodes would take too much room."""
    pairs, _ = from_networkx(nx.watts_strogatz_graph(900, 6, 0.1, seed=0)).edges()
    return from_edges(pairs, np.random.default_rng(0).uniform(0.2, 2.0, len(pairs)) if weighted else None)


GRAPHS |= {"sparse": small_world(False), "sparse and weighted": small_world(True)}


def goodness_of_fit(graph, walks, p, q):
    """χ² of all steps t → v → x against their exact rows, and its degrees of freedom."""
    after = defaultdict(Counter)
    for t, v, x in zip(walks[:, :-2].ravel(), walks[:, 1:-1].ravel(), walks[:, 2:].ravel(), strict=True):
        if x != END:
            after[int(t), int(v)][int(x)] += 1
    statistic, freedom = 0.0, 0
    for (t, v), counts in after.items():
        nodes, law = transition_row(graph, t, v, p, q)
        assert set(counts) <= set(nodes.tolist())
        seen = np.array([counts[int(x)] for x in nodes])
        expected = law * seen.sum()
        frequent = expected >= 5
        # rare cells together make one cell, so that the χ² law holds
        seen = np.append(seen[frequent], seen[~frequent].sum())
        expected = np.append(expected[frequent], expected[~frequent].sum())
        if expected[-1] < 5:
            seen, expected = seen[:-1], expected[:-1] * (seen[:-1].sum() / max(expected[:-1].sum(), 1e-300))
        if len(seen) > 1:
            statistic += ((seen - expected) ** 2 / expected).sum()
            freedom += len(seen) - 1
    return statistic, freedom


@pytest.mark.parametrize(("p", "q"), SETTINGS)
@pytest.mark.parametrize("name", GRAPHS)
def test_steps_follow_the_exact_row(name, p, q):
    graph = GRAPHS[name]
    num_walks = 60_000 // (50 * len(graph)) + 1
    walks = Walker(graph).walk(p, q, num_walks, 50, rng=np.random.default_rng(5))
    statistic, freedom = goodness_of_fit(graph, walks, p, q)
    assert freedom == 0 or chi2.sf(statistic, freedom) > 1e-4, (statistic, freedom)


def class_scores(graph, walks, p, q):
    """How many standard errors the number of steps with d_tx = 0, 1, 2 lies from its expectation, (3,)."""
    steps = Counter(zip(walks[:, :-2].ravel(), walks[:, 1:-1].ravel(), walks[:, 2:].ravel(), strict=True))
    seen, expected, variance = np.zeros(3), np.zeros(3), np.zeros(3)
    rows = {}
    for (t, v, x), count in steps.items():
        if (t, v) not in rows:
            nodes, law = transition_row(graph, int(t), int(v), p, q)
            d = distances(graph, int(t), int(v))
            rows[t, v] = dict(zip(nodes.tolist(), d.tolist(), strict=True)), np.bincount(d, law, 3)
        of, law = rows[t, v]
        seen[of[int(x)]] += count
        expected += count * law
        variance += count * law * (1 - law)
    return (seen - expected) / np.sqrt(variance)


@pytest.mark.parametrize(("p", "q"), SETTINGS[1:-1])
@pytest.mark.parametrize("name", ["weighted", "planted"])
def test_steps_of_each_distance_are_as_frequent_as_they_should_be(name, p, q):
    graph = GRAPHS[name]
    walks = Walker(graph).walk(p, q, 20, 80, rng=np.random.default_rng(6))
    assert (np.abs(class_scores(graph, walks, p, q)) < 4).all()


def test_the_tests_themselves_see_a_wrong_q():
    graph = GRAPHS["weighted"]
    walks = Walker(graph).walk(1.0, 0.5, 20, 80, rng=np.random.default_rng(6))
    assert (np.abs(class_scores(graph, walks, 1.0, 0.55))[1:] > 6).all()
    assert chi2.sf(*goodness_of_fit(graph, walks, 1.0, 1.0)) < 1e-6


@pytest.mark.parametrize("name", GRAPHS)
def test_first_steps_go_by_weight(name):
    graph = GRAPHS[name]
    start = int(np.argmax(graph.degree))
    walks = Walker(graph).walk(0.1, 10.0, 20_000, 2, rng=np.random.default_rng(0), starts=np.array([start]))
    nodes, law = transition_row(graph, None, start, 0.1, 10.0)
    seen = np.array([(walks[:, 1] == x).sum() for x in nodes])
    assert len(nodes) == 1 or chi2.sf(((seen - 20_000 * law) ** 2 / (20_000 * law)).sum(), len(nodes) - 1) > 1e-4


@pytest.mark.parametrize("name", GRAPHS)
def test_the_tables_know_each_edge_its_return_and_no_other(name):
    graph = GRAPHS[name]
    g, n = tables(graph), len(graph)
    assert (g.factor == EXACT) == ("sparse" not in name)
    position = {(int(t), int(x)): e for e, (t, x) in enumerate(zip(graph.rows, graph.indices, strict=True))}
    assert g.back.tolist() == [position.get((x, t), -1) for t, x in position]
    bits = np.unpackbits(g.bits, bitorder="little")
    places = [(t * n + x) * int(g.factor) % 2**64 >> int(g.shift) for t, x in position]
    assert bits[places].all()
    assert bits.sum() == len(set(places))
    even = all(len(set(graph.weights[a:b])) < 2 for a, b in zip(graph.indptr[:-1], graph.indptr[1:], strict=True))
    assert len(g.accept) == len(g.alias) == (0 if even else len(graph.indices))


@pytest.mark.parametrize("hashed", [1, 8])
@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize(("p", "q"), [(0.5, 2.0), (4.0, 0.25)])
def test_the_filter_changes_no_step(monkeypatch, name, p, q, hashed):
    """Edges that share a bit are told apart by their rows, so that the walks are those of a bit for each pair."""
    graph = GRAPHS[name]
    found = []
    for room in (10**6, 0):
        monkeypatch.setattr(walks_module, "BITS", room)
        monkeypatch.setattr(walks_module, "HASHED", hashed)
        walker = Walker(graph)
        assert (walker.tables.factor == EXACT) == (room > 0)
        found.append(walker.walk(p, q, 3, 40, rng=np.random.default_rng(2)))
    np.testing.assert_array_equal(*found)


def test_a_walk_is_the_same_alone_and_among_others():
    walker = Walker(GRAPHS["directed"])
    starts = np.arange(200) % 6
    crowd = walker.walk(0.5, 2.0, 1, 30, rng=np.random.default_rng(4), starts=starts)
    for few in (1, 7, 31, 32, 33):
        alone = walker.walk(0.5, 2.0, 1, 30, rng=np.random.default_rng(4), starts=starts[:few])
        np.testing.assert_array_equal(alone, crowd[:few])


@pytest.mark.parametrize("model", [DeepWalk, Node2vec])
def test_a_graph_without_edges_has_nothing_to_learn_from(model):
    with pytest.raises(ValueError, match="none of the 2 nodes has an edge.*expected one edge at least.*edges lost"):
        model(from_edges([], names="ab"))


def test_p_and_q_of_one_forget_where_the_walk_came_from():
    graph = les_miserables()
    for v in range(len(graph)):
        _, first = transition_row(graph, None, v, 1.0, 1.0)
        for t in graph.neighbours(v):
            np.testing.assert_allclose(transition_row(graph, int(t), v, 1.0, 1.0)[1], first, rtol=1e-12)


def test_alpha_and_law_by_hand():
    np.testing.assert_array_equal(alpha(np.array([0, 1, 2]), 4.0, 0.5), [0.25, 1.0, 2.0])
    law = transition_probabilities(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 2]), 4.0, 0.5)
    np.testing.assert_allclose(law, np.array([0.25, 2.0, 6.0]) / 8.25)


def test_distance_is_measured_along_the_arrows():
    # 0 → 1 → {0, 2, 3}; 0 → 2 exists, 3 → 0 exists but 0 → 3 does not.
    graph = from_edges([(0, 1), (1, 0), (1, 2), (1, 3), (0, 2), (3, 0)], directed=True)
    np.testing.assert_array_equal(graph.neighbours(1), [0, 2, 3])
    np.testing.assert_array_equal(distances(graph, 0, 1), [0, 1, 2])


def test_every_step_is_an_edge_and_stuck_walks_are_padded():
    graph = from_edges([(0, 1), (1, 2), (2, 1), (2, 3)], directed=True, names="abcde")  # d is a sink, e is alone
    walks = Walker(graph).walk(0.5, 2.0, 50, 12, rng=np.random.default_rng(0))
    assert walks.shape == (250, 12)
    np.testing.assert_array_equal(walks[:, 0], np.tile(np.arange(5), 50))
    matrix = graph.matrix().toarray() > 0
    for row in walks:
        real = row[row != END]
        assert (row[len(real) :] == END).all()
        assert all(matrix[a, b] for a, b in zip(real[:-1], real[1:], strict=True))
        assert len(real) == 12 or graph.degree[real[-1]] == 0
    assert (walks[4] == [4] + [END] * 11).all()


def test_same_generator_same_walks_and_more_only_adds():
    walker = Walker(les_miserables())
    walks = walker.walk(0.5, 2.0, 3, 20, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(walks, walker.walk(0.5, 2.0, 3, 20, rng=np.random.default_rng(7)))
    np.testing.assert_array_equal(walks, walker.walk(0.5, 2.0, 5, 40, rng=np.random.default_rng(7))[: len(walks), :20])
    assert (walks != walker.walk(0.5, 2.0, 3, 20, rng=np.random.default_rng(8))).any()


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, 1e-310, 0.9e-9, 1.1e9])
@pytest.mark.parametrize("name", ["p", "q"])
def test_p_and_q_out_of_range_are_refused(name, bad):
    graph = les_miserables()
    values = {"p": 1.0, "q": 1.0, name: bad}
    with pytest.raises(ValueError, match=f"{name} = .*expected 1e-9 … 1e9"):
        Walker(graph).walk(**values, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"{name} = "):
        transition_row(graph, 0, 1, **values)


@pytest.mark.parametrize("weight", [1e-100, 1e100])
@pytest.mark.parametrize("p", [1e-9, 1e9])
@pytest.mark.parametrize("q", [1e-9, 1e9])
def test_steps_follow_the_exact_row_at_the_ends_of_what_is_allowed(p, q, weight):
    """α reaches from 1e-9 to 1e9 there, and weights times α to 1e109, without a step that is more or less likely."""
    graph = from_edges(les_miserables().edges()[0], np.full(254, weight))
    walks = Walker(graph).walk(p, q, 20, 50, rng=np.random.default_rng(5))
    statistic, freedom = goodness_of_fit(graph, walks, p, q)
    assert freedom == 0 or chi2.sf(statistic, freedom) > 1e-4, (statistic, freedom)


@pytest.mark.parametrize(
    "options",
    [
        {"num_walks": 0},
        {"length": 0},
        {"starts": np.array([77])},
        {"starts": np.array([-1])},
        {"starts": np.array([0.5])},
        {"starts": np.zeros((2, 2), int)},
    ],
    ids=repr,
)
def test_counts_and_starts_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        Walker(les_miserables()).walk(**options, rng=np.random.default_rng(0))


def test_graphs_and_rows_without_a_next_node():
    graph = from_edges([(0, 1)], directed=True)
    with pytest.raises(ValueError, match="no out-edges"):
        transition_row(graph, 0, 1, 1.0, 1.0)
    with pytest.raises(IndexError, match="does not exist"):
        transition_row(graph, 0, 7, 1.0, 1.0)
    assert Walker(from_edges([], names="ab")).walk(rng=np.random.default_rng(0)).shape == (20, 80)


def test_memory_grows_with_edges_not_with_pairs_of_edges():
    graph = from_networkx(nx.barabasi_albert_graph(10_000, 5, seed=0))
    entries, pairs = len(graph.indices), int((graph.degree.astype(float) ** 2).sum())
    assert pairs > 25 * entries  # what a table for every pair of edges would hold
    warm_up()  # the compiler's own memory is not the walk's
    tracemalloc.start()
    walker = Walker(graph)
    walks = walker.walk(0.25, 4.0, 1, 10, rng=np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * entries + 2 * walks.nbytes + 100 * len(graph)
    assert peak < pairs * 8 / 4
    # around the largest hub rejection has most to do
    hub = int(np.argmax(graph.degree))
    friend = graph.neighbours(hub)[np.argmin(graph.degree[graph.neighbours(hub)])]
    walks = walker.walk(0.25, 4.0, 60_000, 3, rng=np.random.default_rng(1), starts=np.array([friend]))
    through = walks[walks[:, 1] == hub]
    assert len(through) > 5000
    assert chi2.sf(*goodness_of_fit(graph, through, 0.25, 4.0)) > 1e-4
