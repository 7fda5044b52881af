"""The parts of the experiment of 2.2: each number is what its name says, against counting by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rec_lib.data.interactions import Interactions
from rec_lib.experiments import cf
from rec_lib.models import ItemCF, Popularity
from rec_lib.models.similarity import similarity
from rec_lib.schema import FIRST


def world(seed=0, users=30, items=40):
    rng = np.random.default_rng(seed)
    dense = np.zeros((FIRST + users, FIRST + items), dtype=np.float32)
    dense[FIRST:, FIRST:] = rng.random((users, items)) < np.linspace(0.6, 0.05, items)
    dense[FIRST:, -1] = 0
    held = np.full(users, FIRST + items - 1)
    return Interactions(csr_matrix(dense), np.arange(FIRST, FIRST + users), held, np.zeros((users, 0), dtype=np.int64))


def test_co_takers_at_one_half_is_the_cosine():
    train = world().train
    model = cf.CoTakers(0.5).fit(train)
    expected = similarity(train.T.tocsr().astype(float), "cosine")
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.W, expected, atol=1e-12)
    everybody = np.arange(FIRST, train.shape[0])
    np.testing.assert_allclose(model.score(everybody), ItemCF(10**6).fit(train).score(everybody), atol=1e-12)


@pytest.mark.parametrize("alpha", [0, 0.3, 1])
def test_co_takers_charges_the_candidate_by_alpha(alpha):
    train = world(1).train
    model = cf.CoTakers(alpha).fit(train)
    degree = np.asarray(train.sum(axis=0)).ravel()
    h, p = np.argsort(-degree)[[0, 20]]
    both = float((train[:, [h]].toarray() * train[:, [p]].toarray()).sum())
    assert both > 0
    assert model.W[h, p] == pytest.approx(both / (degree[h] ** (1 - alpha) * degree[p] ** alpha))


def test_the_books_steps_collect_candidates_from_what_was_taken():
    train = world(2).train.astype(float)
    model = cf.FromTaken(k=3).fit(train)
    near = similarity(train.T.tocsr(), "cosine")
    np.fill_diagonal(near, 0)
    kept = np.zeros_like(near)
    for h, row in enumerate(near):
        best = np.argsort(-row, kind="stable")[:3]
        kept[h, best] = row[best]
    users = np.arange(FIRST, FIRST + 5)
    items = np.asarray(train.sum(axis=0)).ravel() > 0
    np.testing.assert_allclose(model.score(users)[:, items], (train[users] @ kept)[:, items], atol=1e-12)


def test_head_items_are_the_most_popular_share():
    popularity = np.array([0, 0, 5, 1, 9, 2, 2, 0, 3, 1, 1, 1]) / 10
    assert np.flatnonzero(cf.head_items(popularity, 0.2)).tolist() == [2, 4]


def test_lists_count_places_of_the_head_by_hand():
    data = world(3)
    data.held_out[0] = FIRST
    model = Popularity().fit(data)
    got = cf.lists(model, data)
    head = set(np.flatnonzero(cf.head_items(model.popularity)).tolist())
    items, _ = model.recommend(data.users, 10)
    assert len(head) == 2
    assert got["places"] == pytest.approx(np.mean([i in head for row in items for i in row]))
    assert got["coverage"] == pytest.approx(len(set(items.ravel().tolist())) / 40)


def test_lists_split_hits_by_head():
    data = world(4)
    best = int(np.argmax(np.asarray(data.train.sum(axis=0)).ravel()))
    without = np.flatnonzero(data.train[data.users, best].toarray().ravel() == 0)
    data.held_out[without] = best  # popularity puts it first for those who have not seen it
    got = cf.lists(Popularity().fit(data), data)
    assert got["hr_head"] == 1
    assert got["hr_rest"] == 0
    assert got["hr"] == pytest.approx(len(without) / 30)


def test_near_the_head_counts_neighbours_that_exist():
    degree = np.array([0, 0, 50, 3, 2, 40, *range(20, 34)])
    W = np.zeros((20, 20))
    W[3, [2, 4]], W[4, [2, 5]], W[2, 5] = 0.5, 0.5, 0.9
    got = cf.near_the_head(W, degree)
    assert cf.head_items(degree).sum() == 1  # item 2
    assert got["few"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert got["head"] == 0


def test_biases_without_damping_are_means_of_what_is_left():
    train = csr_matrix(np.pad([[5.0, 3, 0], [4, 0, 2]], ((FIRST, 0), (FIRST, 0))))
    got = cf.biases(train, 1e-9, np.array([2, 2, 3]), np.array([2, 3, 4]))
    mu, b_i = 3.5, {2: 1.0, 3: -0.5, 4: -1.5}
    b_u = {2: ((5 - mu - 1) + (3 - mu + 0.5)) / 2, 3: ((4 - mu - 1) + (2 - mu + 1.5)) / 2}
    np.testing.assert_allclose(got, [mu + b_i[2] + b_u[2], mu + b_i[3] + b_u[2], mu + b_i[4] + b_u[3]], atol=1e-6)


def test_products_of_the_whole_matrix_are_sums_of_squared_degrees():
    train = world(5).train
    users, films = cf.products(train, 30, 40, np.random.default_rng(0))
    dense = train.toarray() > 0
    assert users == (dense.sum(axis=0) ** 2).sum()
    assert films == (dense.sum(axis=1) ** 2).sum()
    half, _ = cf.products(train, 15, 40, np.random.default_rng(0))
    assert half < users / 2


def test_stars_are_split_without_overlap():
    parts = cf.star_matrices(3)
    assert [p.nnz for p in parts] == [80_000, 10_000, 10_000]
    assert sum(parts).nnz == 100_000


def test_settings_have_names():
    assert cf.grid(["cosine"], [5, 10], [0, 2.5]) == [
        ("cosine", 5, 0.0),
        ("cosine", 10, 0.0),
        ("cosine", 5, 2.5),
        ("cosine", 10, 2.5),
    ]
    assert cf.name_of(("cosine", 5, 2.5)) == "cosine/k5/s2.5"
