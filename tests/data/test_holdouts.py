"""The last two films of a user are held out, in the order of time, and neither leaks into training."""

import numpy as np
import pytest

from rec_lib.data import views
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.movielens import load


@pytest.fixture(scope="module")
def log():
    ml = load()
    code = views.encoders(ml)
    return ml.ratings.assign(user=code["user"].encode(ml.ratings["user"]), item=code["item"].encode(ml.ratings["item"]))


@pytest.fixture(scope="module")
def parts():
    return leave_two_out(load(), negatives=20, seed=3)


def test_the_last_film_is_for_the_test_and_the_one_before_for_the_choice(log, parts):
    valid, test = parts
    np.testing.assert_array_equal(valid.users, test.users)
    time = log.set_index(["user", "item"])["timestamp"]
    last = time.loc[list(zip(test.users, test.held_out, strict=True))].to_numpy()
    before = time.loc[list(zip(valid.users, valid.held_out, strict=True))].to_numpy()
    ordered = log.sort_values("timestamp").groupby("user")["timestamp"]
    np.testing.assert_array_equal(last, ordered.nth(-1).sort_index().to_numpy()[np.argsort(_users(log, -1))])
    np.testing.assert_array_equal(before, ordered.nth(-2).sort_index().to_numpy()[np.argsort(_users(log, -2))])


def _users(log, n):
    return log.sort_values("timestamp").groupby("user")["user"].nth(n).sort_index().to_numpy()


def test_nothing_held_out_is_trained_on(log, parts):
    valid, test = parts
    assert len(log) == test.train.nnz + 943 == valid.train.nnz + 2 * 943
    for data, held in ((valid, valid.held_out), (valid, test.held_out), (test, test.held_out)):
        assert data.train[data.users, held].sum() == 0
    assert test.train[test.users, valid.held_out].sum() == 943, "the test trains on what the choice was made by"


def test_the_test_part_is_that_of_the_implicit_view(parts):
    """The same protocol: only the draws differ."""
    other = views.implicit(load(), negatives=20, rng=np.random.default_rng(3))
    _, test = parts
    np.testing.assert_array_equal(other.users, test.users)
    assert other.train.shape == test.train.shape
    assert (other.held_out == test.held_out).mean() > 0.25  # half of the steps share a second, and its order is drawn


def test_the_seed_decides_everything():
    a, b, c = (leave_two_out(load(), negatives=5, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.negatives, b.negatives)
    np.testing.assert_array_equal(a.held_out, b.held_out)
    assert (a.held_out != c.held_out).any()
