"""Similarities, UserCF and ItemCF against plain loops; the bad input that each of them has to survive."""

import itertools

import numpy as np
import pytest
from oracles import cf_naive as naive
from scipy.sparse import csr_matrix

from rec_lib.models import ItemCF, UserCF
from rec_lib.models.similarity import KINDS, multiplications, similarity, top_neighbours
from rec_lib.schema import FIRST, OOV

FILTERS = (UserCF, ItemCF)
ALL = [(cls, name) for cls in FILTERS for name in cls.SIMILARITIES]


def stars(seed, users=7, items=9, density=0.55):
    """A small matrix of stars with an empty row, an empty column, a row and a column of equal ratings."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((FIRST + users, FIRST + items))
    dense[FIRST:, FIRST:] = rng.integers(1, 6, (users, items)) * (rng.random((users, items)) < density)
    dense[FIRST + 1, FIRST:] = 3.0 * (dense[FIRST + 1, FIRST:] > 0)
    dense[FIRST:, FIRST + 2] = 4.0 * (dense[FIRST:, FIRST + 2] > 0)
    dense[FIRST + 3], dense[:, FIRST + 4] = 0, 0
    return csr_matrix(dense)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shrinkage", [0.0, 2.5])
@pytest.mark.parametrize("kind", KINDS)
def test_similarity_equals_the_loops(kind, shrinkage, seed):
    R = stars(seed)
    rows = naive.rows_of(R)
    expected = [[naive.similarity(rows, i, j, kind, shrinkage) for j in range(len(rows))] for i in range(len(rows))]
    got = similarity(R, kind, shrinkage)
    np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_array_equal(similarity(R, kind, shrinkage, slice(2, 5)), got[2:5])


@pytest.mark.parametrize("kind", KINDS)
def test_similarity_is_symmetric_and_between_minus_one_and_one(kind):
    s = similarity(stars(4, 20, 12), kind)
    np.testing.assert_allclose(s, s.T, atol=1e-12)
    assert np.abs(s).max() <= 1 + 1e-12


@pytest.mark.parametrize("kind", ["pearson", "columns"])
def test_equal_ratings_have_no_variance_whatever_the_rounding(kind):
    """The mean of seven times 4.1 is not 4.1 in floating point; the rest must not pass for a correlation of 1."""
    for value in (4.1, 0.1, 1 / 3, 1e6 / 7):
        R = csr_matrix(np.pad(np.full((7, 7), value), ((FIRST, 0), (FIRST, 0))))
        assert not similarity(R, kind).any()


def test_pearson_of_a_single_common_film_is_one_or_minus_one_and_shrinkage_tames_it():
    R = csr_matrix([[5.0, 1, 0], [2, 0, 1], [1, 0, 5]])
    assert similarity(R, "pearson")[0, 1] == pytest.approx(1)
    assert similarity(R, "pearson")[0, 2] == pytest.approx(-1)
    assert similarity(R, "pearson", 9)[0, 1] == pytest.approx(0.1)


@pytest.mark.parametrize("block", [1, 4, 100])
def test_neighbours_equal_the_loops_in_blocks_of_any_size(block):
    R = stars(5, 12, 8)
    rows = naive.rows_of(R)
    for kind, k in itertools.product(KINDS, (1, 3, 50)):
        W = top_neighbours(R, kind, k, 1.0, block)
        for i in range(R.shape[0]):
            expected = {j: w for w, j in naive.neighbours(rows, i, kind, k, 1.0)}
            got = dict(zip(W[[i]].indices.tolist(), W[[i]].data.tolist(), strict=True))
            assert got == pytest.approx(expected)


@pytest.mark.parametrize(("cls", "name"), ALL)
@pytest.mark.parametrize("k", [2, 50])
def test_scores_equal_the_loops(cls, name, k):
    R = stars(6)
    model = cls(k, name, shrinkage=0.5).fit(R)
    kind, rows = cls.SIMILARITIES[name], naive.rows_of(R)
    oracle = naive.usercf_score if cls is UserCF else naive.itemcf_score
    users = [u for u in range(FIRST, R.shape[0]) if model.knows([u])[0]]
    items = [i for i in range(FIRST, R.shape[1]) if model.knows_items([i])[0]]
    assert len(users) > 3
    got = model.score(users)
    for row, user in enumerate(users):
        np.testing.assert_allclose(got[row, items], [oracle(rows, user, i, kind, k, 0.5) for i in items], atol=1e-12)


@pytest.mark.parametrize(("cls", "name"), ALL)
@pytest.mark.parametrize("centred", [True, False])
def test_predicted_ratings_equal_the_loops(cls, name, centred):
    R = stars(7)
    model = cls(3, name, shrinkage=1.0).fit(R)
    rows = naive.rows_of(R)
    side = rows if cls is UserCF else naive.transposed(rows)
    users, items = (a.ravel() for a in np.mgrid[FIRST : R.shape[0], FIRST : R.shape[1]])
    got = model.predict(users, items, centred)
    for u, p, value in zip(users, items, got, strict=True):
        at = (u, p) if cls is UserCF else (p, u)
        assert value == pytest.approx(naive.predicted(side, *at, cls.SIMILARITIES[name], 3, 1.0, centred))
    assert got.min() >= 1
    assert got.max() <= 5
    assert 0 < model.rated_by_neighbours(users, items).mean() < 1


@pytest.mark.parametrize(("cls", "name"), ALL)
def test_contributions_add_up_to_the_score(cls, name):
    R = stars(8, 10, 12)
    model = cls(4, name).fit(R)
    for user in range(R.shape[0] + 1):
        scores = model.score([user])[0]
        for item in range(FIRST, R.shape[1]):
            ids, amounts = model.contributions(user, item)
            if not model.knows([user])[0]:
                assert not len(ids)
                continue
            if model.knows_items([item])[0]:
                assert amounts.sum() == pytest.approx(scores[item])
            assert (np.diff(amounts) <= 0).all()
            assert (amounts > 0).all()
            reason = R[ids, item] if cls is UserCF else R[user, ids]
            assert (np.asarray(reason.todense() if hasattr(reason, "todense") else reason) > 0).all()
    assert not len(model.contributions(FIRST, R.shape[1] + 3)[0])


@pytest.mark.parametrize("cls", FILTERS)
def test_neighbours_of_a_row_come_best_first(cls):
    model = cls(5).fit(stars(9, 12, 12))
    ids, w = model.neighbours(FIRST)
    assert 0 < len(ids) <= 5
    assert (np.diff(w) <= 0).all()
    assert FIRST not in ids
    np.testing.assert_array_equal(np.asarray(model.W[FIRST, ids].todense()).ravel(), w)
    for unknown in (OOV, 10**6):
        assert not len(model.neighbours(unknown)[0])


@pytest.mark.parametrize(("cls", "name"), ALL)
@pytest.mark.parametrize("value", [1.0, 3.0, 4.1])
def test_all_ratings_equal(cls, name, value):
    """No variance: a centred similarity knows nobody, says so, and the list is the popular one. No NaN anywhere."""
    R = stars(10)
    R.data[:] = value
    model = cls(5, name).fit(R)
    users = np.arange(FIRST, R.shape[0])
    items, scores = model.recommend(users, 4)
    assert not np.isnan(scores).any()
    assert np.isfinite(model.score(users)).all()
    if cls.SIMILARITIES[name] in ("pearson", "columns"):
        assert not model.knows(users).any()
        count = np.bincount(R.indices, minlength=R.shape[1])
        free = [i for i in range(FIRST, R.shape[1]) if R[FIRST, i] == 0]
        assert items[0].tolist() == sorted(free, key=lambda i: (-count[i], i))[:4]
    else:
        assert model.knows(users).sum() == len(users) - 1  # all but the empty row
    np.testing.assert_allclose(model.predict(users, np.full(len(users), FIRST)), value)


@pytest.mark.parametrize(("cls", "name"), ALL)
def test_more_neighbours_than_there_are(cls, name):
    R = stars(11)
    most, some = cls(10**6, name).fit(R), cls(R.shape[1] + R.shape[0], name).fit(R)
    users = np.arange(FIRST, R.shape[0])
    np.testing.assert_array_equal(most.score(users), some.score(users))
    assert most.W.shape[0] * 10**6 > most.W.nnz > 0


@pytest.mark.parametrize("cls", FILTERS)
def test_ratings_of_strangers_fall_back_step_by_step(cls):
    R = csr_matrix(np.pad([[5.0, 3, 0, 0], [4, 2, 0, 0], [0, 0, 1, 0]], ((FIRST, 1), (FIRST, 0))))
    model = cls(5, "cosine").fit(R)
    user, lonely, empty = FIRST, FIRST + 2, FIRST + 3
    film, odd, nobodys = FIRST, FIRST + 2, FIRST + 3
    users = [empty, 99, user, empty, lonely, user]
    items = [film, film, nobodys, nobodys, film, odd]
    row_first = [4.5, 4.5, 4.0, 3.0, 1.0, 4.0]  # the user's mean, else the item's
    column_first = [4.5, 4.5, 4.0, 3.0, 4.5, 1.0]  # the item's mean, else the user's
    np.testing.assert_allclose(model.predict(users, items), row_first if cls is UserCF else column_first)
    assert not model.rated_by_neighbours(users, items).any()
    assert cls().fit(csr_matrix((4, 4))).predict([2, 3], [2, 3]).tolist() == [0, 0]
    assert model.predict([], []).shape == (0,)
    for question in (model.predict, model.rated_by_neighbours):
        with pytest.raises(ValueError, match="pairs"):
            question([2], [2, 3])


@pytest.mark.parametrize("cls", FILTERS)
def test_settings_that_cannot_be_are_refused(cls):
    for k in (0, -3, 2.5, True, "ten"):
        with pytest.raises(ValueError, match="k is"):
            cls(k)
    other = "adjusted_cosine" if cls is UserCF else "item_mean"
    for name in (other, "cosin", None, ["cosine"]):
        with pytest.raises(ValueError, match="similarity is"):
            cls(5, name)
    for shrinkage in (-1, np.nan, np.inf, "much"):
        with pytest.raises(ValueError, match="shrinkage is"):
            cls(5, "cosine", shrinkage)
    assert cls(np.int32(5), "cosine", np.float32(2)).settings() == {"k": 5, "similarity": "cosine", "shrinkage": 2.0}
    with pytest.raises(ValueError, match="kind 'dice'"):
        similarity(stars(0), "dice")
    with pytest.raises(ValueError, match="shrinkage is -1"):
        similarity(stars(0), "cosine", -1)


def test_many_rows_are_compared_a_few_at_a_time(monkeypatch):
    """With 100 000 users, 512 rows against all would be 0.4 GB for each matrix that a similarity needs."""
    sizes = []
    monkeypatch.setattr(
        "rec_lib.models.similarity.keep_nearest", lambda near, own, k: sizes.append(near.size) or csr_matrix(near.shape)
    )
    top_neighbours(csr_matrix((30_000, 3)), "jaccard", 5)
    assert max(sizes) <= 2**23 + 30_000
    assert sum(sizes) == 30_000**2


def test_multiplications_are_those_that_a_loop_over_pairs_would_make():
    R = stars(12, 10, 14)
    rows = naive.rows_of(R)
    pairs = itertools.product(range(len(rows)), repeat=2)
    made = sum(a is not None and b is not None for i, j in pairs for a, b in zip(rows[i], rows[j], strict=True))
    assert multiplications(np.bincount(R.indices, minlength=R.shape[1])) == made
