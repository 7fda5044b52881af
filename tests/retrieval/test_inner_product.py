"""Largest inner products by indexes of distances: exact where the index is, and never by the plain distance or the angle."""

import numpy as np
import pytest

from rec_lib.retrieval import LSH, ExactIndex, KDTree, recall_at_k
from rec_lib.retrieval.inner_product import InnerProductIndex

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(400, 6)) * RNG.lognormal(0, 0.7, (400, 1))
QUERIES = RNG.normal(size=(50, 6)) * RNG.lognormal(0, 3, (50, 1))


def largest(queries, vectors, k):
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("index", [ExactIndex(), KDTree()], ids=["exact", "kd-tree"])
def test_an_exact_index_finds_the_largest_products_in_order(index):
    ids, products = InnerProductIndex(index).build(VECTORS).query(QUERIES, 20)
    np.testing.assert_array_equal(ids, largest(QUERIES, VECTORS, 20))
    np.testing.assert_allclose(products, np.take_along_axis(QUERIES @ VECTORS.T, ids, axis=1))


def test_the_longer_vectors_are_equally_long_and_keep_the_differences():
    index = InnerProductIndex(ExactIndex()).build(VECTORS)
    longer = index.longer(VECTORS)
    np.testing.assert_allclose(np.linalg.norm(longer, axis=1), index.longest)
    np.testing.assert_allclose(longer[:, :-1].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.diff(longer[:, :-1], axis=0), np.diff(VECTORS, axis=0))


def test_the_plain_distance_and_the_angle_find_other_vectors():
    true = largest(QUERIES, VECTORS, 20)
    by_distance = ExactIndex().build(VECTORS).query(QUERIES, 20)[0]
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    by_angle = ExactIndex().build(unit).query(QUERIES / np.linalg.norm(QUERIES, axis=1, keepdims=True), 20)[0]
    assert recall_at_k(by_distance, true) < 0.5
    assert recall_at_k(by_angle, true) < 0.8


def test_unit_vectors_need_no_longer_ones():
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    queries = QUERIES / np.linalg.norm(QUERIES, axis=1, keepdims=True)
    np.testing.assert_array_equal(ExactIndex().build(unit).query(queries, 9)[0], largest(queries, unit, 9))


def test_a_hash_finds_most_and_is_told_apart_for_short_and_long_queries_alike():
    longest = np.linalg.norm(VECTORS, axis=1).max()
    index = InnerProductIndex(LSH(2 * longest, 4, 32, rng=np.random.default_rng(0))).build(VECTORS)
    true = largest(QUERIES, VECTORS, 10)
    assert recall_at_k(index.query(QUERIES, 10)[0], true) > 0.5
    np.testing.assert_array_equal(index.query(QUERIES, 10)[0], index.query(QUERIES * 1e-6, 10)[0])
    assert (index.examined < len(VECTORS)).any()


def test_more_than_there_is_ends_in_minus_one_and_minus_infinity():
    ids, products = InnerProductIndex(ExactIndex()).build(VECTORS[:3]).query(QUERIES[0], 5)
    assert ids[0, 3:].tolist() == [-1, -1]
    assert (products[0, 3:] == -np.inf).all()
    ids, products = InnerProductIndex(ExactIndex()).build(np.zeros((0, 6))).query(QUERIES, 2)
    assert (ids == -1).all()
    assert (products == -np.inf).all()


def test_a_vector_that_is_added_to_all_changes_no_answer_and_no_effort():
    """Without the mean taken off, a far common shift makes all distances alike."""
    far = VECTORS + 100.0
    longest = np.linalg.norm(VECTORS - VECTORS.mean(axis=0), axis=1).max()
    plain, moved = (
        InnerProductIndex(LSH(2 * longest, 4, 8, rng=np.random.default_rng(0))).build(vectors)
        for vectors in (VECTORS, far)
    )
    np.testing.assert_array_equal(plain.query(QUERIES, 10)[0], moved.query(QUERIES, 10)[0])
    np.testing.assert_array_equal(plain.examined, moved.examined)


def test_zeros_are_a_query_and_a_vector():
    index = InnerProductIndex(ExactIndex()).build(np.vstack([VECTORS[:5], np.zeros(6)]))
    ids, products = index.query(np.zeros(6), 6)
    assert sorted(ids[0].tolist()) == list(range(6))
    assert not products.any()
    assert index.query(VECTORS[0], 1)[0][0, 0] == 0 or VECTORS[0] @ VECTORS[1:5].max(0) > 0


def test_what_cannot_be_is_refused():
    index = InnerProductIndex(ExactIndex())
    with pytest.raises(RuntimeError, match="build"):
        index.query(QUERIES, 3)
    broken = VECTORS.copy()
    broken[7, 2] = np.nan
    with pytest.raises(ValueError, match=r"vectors\[7\] holds NaN"):
        index.build(broken)
    index.build(VECTORS)
    with pytest.raises(ValueError, match="queries have 5 columns"):
        index.query(QUERIES[:, :5], 3)
    with pytest.raises(ValueError, match="NaN"):
        index.query(np.full(6, np.nan), 3)
    with pytest.raises(ValueError, match="k is 0"):
        index.query(QUERIES, 0)
