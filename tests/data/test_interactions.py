"""Leave-one-out: the last film of each user is held out, and negatives are films that the user never rated."""

import numpy as np
import pytest
from scipy.stats import chisquare

from rec_lib.data import views
from rec_lib.data.interactions import leave_one_out
from rec_lib.data.movielens import load
from rec_lib.schema import FIRST


@pytest.fixture(scope="module")
def real():
    ml = load()
    code = views.encoders(ml)
    ratings = ml.ratings.assign(
        user=code["user"].encode(ml.ratings["user"]), item=code["item"].encode(ml.ratings["item"])
    )
    return ratings, views.implicit(ml, rng=np.random.default_rng(0))


def test_each_users_last_film_is_held_out(real):
    ratings, data = real
    assert data.users.tolist() == sorted(ratings["user"].unique())
    last = ratings.groupby("user")["timestamp"].max()
    held = ratings.set_index(["user", "item"])["timestamp"].loc[list(zip(data.users, data.held_out, strict=True))]
    assert (held.to_numpy() == last.loc[data.users].to_numpy()).all()
    assert data.train.nnz == len(ratings) - len(data.users)
    assert data.train[data.users, data.held_out].sum() == 0


def test_negatives_are_distinct_and_never_rated(real):
    ratings, data = real
    rated = set(zip(ratings["user"], ratings["item"], strict=True))
    assert data.negatives.shape == (943, 99)
    for user, row in zip(data.users, data.negatives, strict=True):
        assert len(set(row)) == 99
        assert row.min() >= FIRST
        assert not {(user, item) for item in row} & rated
    assert (data.candidates()[:, 0] == data.held_out).all()
    assert data.candidates().shape == (943, 100)


def test_the_full_ranking_ranks_all_but_the_training_films(real):
    _, data = real
    users = data.users[[0, 5, 900]]
    allowed = data.rankable(users)
    for row, user in zip(allowed, users, strict=True):
        assert set(np.flatnonzero(~row)) == {0, 1} | set(data.train[user].indices)
        assert row[data.held_out[data.users == user]].all()


def test_training_negatives_are_even_over_what_is_not_in_training(real):
    _, data = real
    user = data.users[7]
    drawn = data.sample(np.full(4000, user), 25, np.random.default_rng(0)).ravel()
    counts = np.bincount(drawn, minlength=data.train.shape[1])
    allowed = data.rankable(np.array([user]))[0]
    assert counts[~allowed].sum() == 0
    assert chisquare(counts[allowed]).pvalue > 1e-4
    assert counts[data.held_out[7]] > 0, "training must not know which film is held out"


def test_pairs_are_the_matrix(real):
    _, data = real
    users, items = data.pairs()
    assert len(users) == data.train.nnz
    assert data.train[users, items].sum() == len(users)
    assert users.dtype == items.dtype == np.int64


def test_small_logs_by_hand():
    users, items = np.array([2, 2, 3, 2, 4, 4]), np.array([2, 3, 2, 4, 5, 2])
    data = leave_one_out(users, items, (5, 7), 2, np.random.default_rng(0))
    assert data.users.tolist() == [2, 4]
    assert data.held_out.tolist() == [4, 2]
    assert sorted(data.negatives[0].tolist()) == [5, 6]
    assert data.train.toarray()[2].tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert data.train.toarray()[3, 2] == 1, "a user with one film keeps it in training"
    with pytest.raises(ValueError, match="user 2 has 2 unseen items, 3 negatives were asked for"):
        leave_one_out(users, items, (5, 7), 3, np.random.default_rng(0))
    full = leave_one_out(np.array([2, 2, 2]), np.array([2, 3, 2]), (3, 4), 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="user 2 has every item"):
        full.sample(np.array([2]), 1, np.random.default_rng(0))
    assert full.negatives.shape == (1, 0)


def test_where_nothing_was_taken_everything_can_be_drawn():
    nothing = leave_one_out(np.array([], int), np.array([], int), (4, 5), 0, np.random.default_rng(0))
    assert set(nothing.sample(np.array([2, 3]), 50, np.random.default_rng(0)).ravel()) == {2, 3, 4}
