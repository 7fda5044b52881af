"""What every index promises: exact ones equal a plain loop, all of them the same answer form and the same refusals."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rec_lib.retrieval import LSH, CosineLSH, ExactIndex, KDTree, OrAndLSH, recall_at_k, warm_up
from rec_lib.retrieval.kdtree import _search

EXACT = {"exact": ExactIndex, "kdtree": KDTree, "kdtree, one point a leaf": lambda: KDTree(leaf_size=1)}
EVERY = EXACT | {
    "p-stable": lambda: LSH(2.0, 2, 3, rng=np.random.default_rng(0)),
    "p-stable, probes": lambda: LSH(2.0, 2, 3, rng=np.random.default_rng(0), min_hits=2, probes=3),
    "sign": lambda: CosineLSH(2, 3, rng=np.random.default_rng(0)),
    "or-and": lambda: OrAndLSH(2.0, 2, 3, rng=np.random.default_rng(0)),
}
exact = pytest.mark.parametrize("make", EXACT.values(), ids=EXACT)
every = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


def plain_search(vectors, queries, k):
    """The oracle: sort all distances of each query, ties by row."""
    ids = np.full((len(queries), k), -1)
    distances = np.full((len(queries), k), np.inf)
    for i, q in enumerate(queries):
        ranked = sorted((sum((a - b) ** 2 for a, b in zip(v, q, strict=True)), row) for row, v in enumerate(vectors))
        for place, (d2, row) in enumerate(ranked[:k]):
            ids[i, place], distances[i, place] = row, np.sqrt(d2)
    return ids, distances


@exact
@pytest.mark.parametrize("seed", range(25))
def test_exact_indexes_equal_the_plain_loop_on_points_with_many_ties(make, seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(1, 120), rng.integers(1, 5), rng.integers(1, 15)
    vectors = rng.integers(-3, 4, (n, d)).astype(rng.choice([np.float32, np.float64]))  # a lattice: duplicates, ties
    queries = rng.integers(-4, 5, (6, d)) / 2
    ids, distances = make().build(vectors).query(queries, k)
    wanted_ids, wanted = plain_search(vectors.astype(float), queries, k)
    np.testing.assert_array_equal(ids, wanted_ids)
    np.testing.assert_allclose(distances, wanted, rtol=1e-6)


@exact
@pytest.mark.parametrize("d", [2, 7, 20])
def test_exact_indexes_equal_scipy(make, d):
    rng = np.random.default_rng(d)
    vectors, queries = rng.normal(size=(2000, d)), rng.normal(size=(50, d))
    ids, distances = make().build(vectors).query(queries, 10)
    wanted, wanted_ids = cKDTree(vectors).query(queries, 10)
    np.testing.assert_array_equal(ids, wanted_ids)
    np.testing.assert_allclose(distances, wanted)


@exact
def test_exact_search_survives_vectors_far_from_the_origin(make):
    """||x||² - 2x·q + ||q||² loses every digit here in float32; the answer must not."""
    rng = np.random.default_rng(0)
    vectors = (1000 + rng.normal(size=(500, 8))).astype(np.float32)
    ids, distances = make().build(vectors).query(vectors[:40], 5)
    wanted, wanted_ids = cKDTree(vectors.astype(float)).query(vectors[:40].astype(float), 5)
    np.testing.assert_array_equal(ids, wanted_ids)
    np.testing.assert_allclose(distances, wanted, rtol=1e-5)
    assert (distances[:, 0] == 0).all()


@every
def test_k_above_n_pads_with_minus_one_and_infinity(make):
    vectors = np.ones((3, 4)) + np.arange(3)[:, None] * 1e-9
    ids, distances = make().build(vectors).query(vectors, 7)
    assert ids.shape == distances.shape == (3, 7)
    assert ids.dtype == np.int64
    assert (np.sort(ids[:, :3], axis=1) == [0, 1, 2]).all()
    assert (ids[:, 3:] == -1).all()
    assert np.isinf(distances[:, 3:]).all()


@every
def test_duplicates_are_all_found_in_order_of_their_rows(make):
    vectors = np.repeat([[1.0, 2.0], [30.0, -4.0]], 40, axis=0)
    ids, distances = make().build(vectors).query([1.0, 2.0], 10)
    assert ids.tolist() == [list(range(10))]
    assert (distances == 0).all()


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stored_vector_finds_itself_alone_or_in_a_batch(make, dtype):
    vectors = np.random.default_rng(3).normal(size=(300, 9)).astype(dtype)
    index = make().build(vectors)
    ids, distances = index.query(vectors, 1)
    assert (ids[:, 0] == np.arange(300)).all()
    assert distances.dtype == dtype
    assert all(index.query(v, 1)[0][0, 0] == row for row, v in enumerate(vectors[:50]))
    assert index.examined.shape == (1,)


@every
def test_batch_equals_single_and_order_does_not_matter(make):
    rng = np.random.default_rng(4)
    vectors, queries = rng.normal(size=(400, 3)), rng.normal(size=(12, 3))
    index = make().build(vectors)
    ids, distances = index.query(queries, 6)
    examined = index.examined
    for i, q in enumerate(queries):
        one_ids, one = index.query(q, 6)
        np.testing.assert_array_equal(one_ids[0], ids[i])
        np.testing.assert_array_equal(one[0], distances[i])
        assert index.examined[0] == examined[i]
    np.testing.assert_array_equal(index.query(queries[::-1], 6)[0][::-1], ids)


@every
def test_distances_are_true_sorted_and_within_the_candidates_examined(make):
    rng = np.random.default_rng(5)
    vectors, queries = rng.normal(size=(500, 4)), rng.normal(size=(20, 4))
    index = make().build(vectors)
    ids, distances = index.query(queries, 9)
    found = ids >= 0
    if isinstance(index, CosineLSH):
        vectors, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (vectors, queries))
    true = np.linalg.norm(vectors[ids] - queries[:, None], axis=2)
    np.testing.assert_allclose(distances[found], true[found])
    assert (distances[:, 1:] >= distances[:, :-1])[found[:, 1:]].all()
    np.testing.assert_array_equal(found.sum(1), np.minimum(index.examined, 9))
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in ids)


@every
def test_an_empty_index_answers_with_padding(make):
    index = make().build(np.zeros((0, 3)))
    ids, distances = index.query(np.ones((2, 3)), 4)
    assert (ids == -1).all()
    assert np.isinf(distances).all()
    assert index.examined.tolist() == [0, 0]


@every
def test_no_queries_give_no_answers(make):
    ids, distances = make().build(np.ones((5, 3))).query(np.zeros((0, 3)), 4)
    assert ids.shape == distances.shape == (0, 4)


@every
def test_the_index_keeps_its_own_copy(make):
    vectors = np.random.default_rng(0).normal(size=(50, 3))
    index = make().build(vectors)
    before = index.query(vectors[:5], 3)[1].copy()
    query = vectors[:5].copy()
    vectors[:] = 7
    np.testing.assert_array_equal(index.query(query, 3)[1], before)


@every
def test_integers_are_accepted_as_vectors(make):
    ids, distances = make().build([[1, 2], [3, 4]]).query([1, 2], 1)
    assert ids.tolist() == [[0]]
    assert distances.dtype == np.float64


@every
@pytest.mark.parametrize(
    ("vectors", "error", "says"),
    [
        ([[1.0, np.nan], [0.0, 1.0]], ValueError, r"vectors\[0\] holds NaN"),
        ([[1.0, 2.0], [np.inf, 1.0]], ValueError, r"vectors\[1\]"),
        ([[0.0, 0.0], [1e154, 1e154]], ValueError, r"vectors\[1\].* expected at most .* in float64"),
        (np.float32([[1e19, 1e19]]), ValueError, r"squared length is 2e\+38, expected at most 4.3e\+37 in float32"),
        ([1.0, 2.0], ValueError, r"shape \(2,\)"),
        (np.zeros((2, 0)), ValueError, "d >= 1"),
        (np.zeros((2, 2, 2)), ValueError, "one vector a row"),
        ([["a", "b"]], TypeError, "real numbers"),
        ([[1j, 2.0]], TypeError, "real numbers"),
    ],
)
def test_bad_vectors_are_refused(make, vectors, error, says):
    with pytest.raises(error, match=says):
        make().build(vectors)


@every
@pytest.mark.parametrize(
    ("queries", "k", "error", "says"),
    [
        (np.ones((2, 3)), 1, ValueError, "queries have 3 columns, the stored vectors 2"),
        (np.ones(3), 1, ValueError, "same embedding"),
        ([[np.nan, 1.0]], 1, ValueError, r"queries\[0\] holds NaN"),
        (np.ones((1, 2)), 0, ValueError, "k is 0"),
        (np.ones((1, 2)), 2.0, TypeError, "k is 2.0"),
        (np.ones((1, 2)), True, TypeError, "k is True"),
        (np.ones((1, 1, 2)), 1, ValueError, "shape"),
    ],
)
def test_bad_queries_are_refused(make, queries, k, error, says):
    index = make().build(np.ones((4, 2)))
    with pytest.raises(error, match=says):
        index.query(queries, k)


@every
def test_queries_that_overflow_in_the_type_of_the_stored_vectors_are_refused(make):
    index = make().build(np.ones((4, 2), np.float32))
    with pytest.raises(ValueError, match=r"queries\[1\] holds .* too large a number \(1 such rows\).* in float32"):
        index.query([[1.0, 2.0], [1e60, 0.0]], 1)


@exact
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_longest_vectors_that_are_allowed_have_distances(make, dtype):
    most = float(np.sqrt(np.finfo(dtype).max / 8) * 0.999)
    vectors = np.array([[most, 0], [-most, 0], [0, most]], dtype)
    ids, distances = make().build(vectors).query(vectors[0], 3)
    assert ids.tolist() == [[0, 2, 1]]
    np.testing.assert_allclose(distances[0], [0, 2**0.5 * most, 2 * most], rtol=1e-5)


@every
def test_a_query_before_build_says_so(make):
    with pytest.raises(RuntimeError, match="call index.build"):
        make().query(np.ones((1, 2)), 1)


@pytest.mark.parametrize("leaf_size", [0, 1.5, None])
def test_kdtree_refuses_a_bad_leaf_size(leaf_size):
    with pytest.raises((TypeError, ValueError), match="leaf_size"):
        KDTree(leaf_size=leaf_size)


def test_kdtree_visits_few_points_in_the_plane_and_nearly_all_in_32_dimensions():
    fractions = {}
    for d in (2, 32):
        rng = np.random.default_rng(d)
        tree = KDTree().build(rng.normal(size=(5000, d)))
        tree.query(rng.normal(size=(40, d)), 10)
        fractions[d] = tree.examined.mean() / 5000
    assert fractions[2] < 0.02
    assert fractions[32] > 0.8


def test_kdtree_visited_rows_are_the_rows_it_counts():
    rng = np.random.default_rng(0)
    tree = KDTree().build(rng.normal(size=(300, 2)))
    seen = tree.visited([0.2, 0.1], 5)
    ids, _ = tree.query([0.2, 0.1], 5)
    assert len(seen) == tree.examined[0] == len(set(seen))
    assert set(ids[0]) <= set(seen)


def test_kdtree_splits_at_the_median_of_the_widest_dimension():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(101, 3)) * [1.0, 9.0, 2.0]
    tree = KDTree().build(vectors).tree
    assert tree.axis[0] == 1
    assert tree.split[0] == np.median(vectors[:, 1])
    assert (vectors[tree.order[tree.start[1] : tree.stop[1]], 1] <= tree.split[0]).all()


def test_recall_counts_neighbours_not_padding():
    assert recall_at_k(np.array([[1, 2, -1]]), np.array([[2, 3, -1]])) == 0.5
    assert recall_at_k(np.array([[-1, -1]]), np.array([[-1, -1]])) == 1.0
    with pytest.raises(ValueError, match="expected"):
        recall_at_k(np.zeros((2, 3)), np.zeros((1, 3)))


def test_warm_up_compiles_both_precisions():
    warm_up()
    assert {str(signature[0].dtype) for signature in _search.signatures} >= {"float32", "float64"}
