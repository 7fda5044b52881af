"""Node2vec end to end: planted communities come back, the same generator gives the same vectors."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from rec_lib.data.graphs import from_edges, les_miserables, planted_roles
from rec_lib.embeddings import Node2vec, warm_up


@pytest.mark.parametrize("q", [0.25, 1.0, 4.0])
def test_planted_communities_are_recovered(q):
    graph = planted_roles(np.random.default_rng(0))
    vectors = Node2vec(graph, q=q, length=40).fit(np.random.default_rng(0))
    labels = KMeans(8, n_init=10, random_state=0).fit_predict(vectors)
    assert normalized_mutual_info_score(graph.community, labels) > 0.95


def test_same_generator_same_vectors_and_the_knobs_do_something():
    graph = les_miserables()

    def fit(seed=0, **options):
        return Node2vec(graph, **{"num_walks": 2, "length": 20, **options}).fit(np.random.default_rng(seed))

    base = fit()
    assert base.shape == (77, 16)
    assert base.dtype == np.float32
    np.testing.assert_array_equal(base, fit())
    changes = [{"seed": 1}, {"p": 2.0}, {"q": 2.0}, {"num_walks": 3}, {"length": 30}, {"window": 3}]
    for change in [*changes, {"negatives": 2}, {"lr": 0.1}, {"epochs": 2}]:
        assert (base != fit(**change)).any(), change
    assert fit(dim=5).shape == (77, 5)


def test_construction_draws_nothing_and_reads_the_graph_only():
    rng = np.random.default_rng(3)
    before = rng.bit_generator.state
    model = Node2vec(les_miserables())
    assert rng.bit_generator.state == before
    assert not hasattr(model, "vectors")


def test_directed_graphs_with_sinks_and_isolated_nodes():
    graph = from_edges([(0, 1), (1, 2), (2, 0), (2, 3)], directed=True, names="abcde")
    vectors = Node2vec(graph, p=0.5, q=2.0, dim=3).fit(np.random.default_rng(0))
    assert vectors.shape == (5, 3)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("options", [{"p": 0.0}, {"q": -1.0}, {"p": np.nan}, {"q": np.inf}], ids=repr)
def test_bad_p_and_q_are_refused_when_built(options):
    with pytest.raises(ValueError, match="expected 1e-9 … 1e9"):
        Node2vec(les_miserables(), **options)


@pytest.mark.parametrize(
    "options", [{"dim": 0}, {"num_walks": 0}, {"length": 0}, {"window": 0}, {"lr": -1.0}], ids=repr
)
def test_bad_counts_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        Node2vec(les_miserables(), **options)


def test_warm_up_leaves_nothing_to_compile():
    warm_up()
