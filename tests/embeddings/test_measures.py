"""What the section measures on graphs, against networkx, scikit-learn and plain loops."""

import networkx as nx
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

from rec_lib.data.graphs import from_edges, les_miserables, planted_roles
from rec_lib.embeddings import Walker
from rec_lib.evaluation.graph import (
    cosines,
    louvain,
    modularity,
    nearest,
    purity,
    same_role_auc,
    structural_features,
    variance_explained,
    walk_statistics,
)

RNG = np.random.default_rng(0)


def test_modularity_equals_networkx():
    graph = les_miserables()
    label = louvain(graph)
    groups = [set(np.flatnonzero(label == c).tolist()) for c in range(label.max() + 1)]
    assert modularity(graph, label) == pytest.approx(nx.community.modularity(graph.to_networkx(), groups))
    assert modularity(graph, np.zeros(77, int)) == pytest.approx(0)
    np.testing.assert_array_equal(label, louvain(graph))


def test_modularity_needs_edges():
    with pytest.raises(ValueError, match="no edges"):
        modularity(from_edges([], names="ab"), np.array([0, 1]))


def test_cosine_neighbours_and_purity_by_hand():
    vectors, label = RNG.normal(size=(12, 4)), RNG.integers(0, 3, 12)
    similarity = cosine_similarity(vectors)
    np.testing.assert_allclose(cosines(vectors), similarity, atol=1e-12)
    shares = []
    for i in range(12):
        others = sorted((j for j in range(12) if j != i), key=lambda j: -similarity[i, j])[:3]
        np.testing.assert_array_equal(nearest(vectors, 3)[i], others)
        shares += [label[j] == label[i] for j in others]
    assert purity(vectors, label, 3) == pytest.approx(np.mean(shares))


def test_a_zero_vector_has_no_direction_and_is_nobody_s_neighbour_first():
    vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 0.0]])
    assert nearest(vectors, 1)[0, 0] == 1
    assert np.isfinite(cosines(vectors)).all()
    for k in (0, 3):
        with pytest.raises(ValueError, match="expected 1..2"):
            nearest(vectors, k)


def test_same_role_auc_equals_a_loop_over_pairs():
    vectors, role, community = RNG.normal(size=(20, 3)), RNG.integers(0, 3, 20), RNG.integers(0, 4, 20)
    similarity = cosine_similarity(vectors)
    pairs = [(i, j) for i in range(20) for j in range(i) if community[i] != community[j]]
    expected = roc_auc_score([role[i] == role[j] for i, j in pairs], [similarity[i, j] for i, j in pairs])
    assert same_role_auc(vectors, role, community) == pytest.approx(expected)
    assert same_role_auc(np.eye(3)[role], role, community) == 1.0


def test_variance_explained_is_one_between_and_zero_within():
    label = np.array([0, 0, 1, 1])
    assert variance_explained(np.array([1.0, 1.0, 5.0, 5.0]), label) == pytest.approx(1)
    assert variance_explained(np.array([1.0, 5.0, 1.0, 5.0]), label) == pytest.approx(0)


def test_structural_features_are_networkx_s_standardised():
    graph = planted_roles(np.random.default_rng(0))
    features = structural_features(graph)
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(features.std(0), 1)
    between = nx.betweenness_centrality(graph.to_networkx())
    assert np.corrcoef(features[:, 1], [between[v] for v in range(len(graph))])[0, 1] == pytest.approx(1)
    assert same_role_auc(features, graph.role, graph.community) > 0.85


def test_walk_statistics_by_loops():
    graph = planted_roles(np.random.default_rng(1))
    walks = Walker(graph).walk(0.5, 2.0, 1, 15, rng=np.random.default_rng(0))
    got = walk_statistics(graph, walks, graph.community, far=3)
    c = graph.community
    neighbours = [set(graph.neighbours(v).tolist()) for v in range(len(graph))]
    d = [0 if w[i] == w[i + 2] else 1 if w[i + 2] in neighbours[w[i]] else 2 for w in walks for i in range(13)]
    assert [got[f"d{k}"] for k in range(3)] == pytest.approx(np.bincount(d, minlength=3) / len(d))
    assert got["nodes"] == pytest.approx(np.mean([len(set(w.tolist())) for w in walks]))
    assert got["communities"] == pytest.approx(np.mean([len(set(c[w].tolist())) for w in walks]))
    assert got["next_same"] == pytest.approx(np.mean([c[w[i]] == c[w[i + 1]] for w in walks for i in range(14)]))
    assert got["far_same"] == pytest.approx(np.mean([c[w[i]] == c[w[i + 3]] for w in walks for i in range(12)]))


def test_walks_that_cannot_be_compared_are_refused():
    graph = from_edges([(0, 1), (1, 2)], directed=True)
    walks = Walker(graph).walk(rng=np.random.default_rng(0), num_walks=1, length=12)
    with pytest.raises(ValueError, match="ended early"):
        walk_statistics(graph, walks, np.zeros(3, int))
    short = Walker(les_miserables()).walk(rng=np.random.default_rng(0), num_walks=1, length=5)
    with pytest.raises(ValueError, match="5 nodes"):
        walk_statistics(les_miserables(), short, np.zeros(77, int))
