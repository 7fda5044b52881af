"""The experiment of 4.3: its recommender of means keeps the contract of top-n models; its films without history are without."""

import numpy as np
import pytest
from contract.topn_checks import CHECKS, KNOWN, noisy_world

from rec_lib.experiments import item2vec
from rec_lib.models.two_tower import TwoTower
from rec_lib.schema import FIRST

OF_ITS_SETTINGS = ("finds_the_checkerboard", "every_option_does_something")  # those of the catalogue's systems


@pytest.mark.parametrize("name", [n for n in CHECKS if n not in OF_ITS_SETTINGS])
def test_means_of_items_keep_the_contract(name):
    CHECKS[name](item2vec.BasketMean)


def test_corrected_scores_are_the_others_plus_the_law_of_the_negatives():
    model = item2vec.BasketMean(dim=4, by="context").fit(noisy_world())
    plain = model.u[KNOWN] @ model.v.T
    model.use("corrected")
    counts = model.popularity**0.75
    seen = model.popularity > 0
    shift = (model.u[KNOWN] @ model.v.T + model.bias)[:, seen] - plain[:, seen]
    np.testing.assert_allclose(shift, np.broadcast_to(np.log(counts[seen] / counts.sum()), shift.shape))


def test_features_say_what_is_known():
    people, films = item2vec.features()
    assert not people[:FIRST].any()
    assert not films[:FIRST].any()
    np.testing.assert_allclose(people[FIRST:].sum(axis=1), 3)
    np.testing.assert_allclose(films[FIRST:].sum(axis=1), 2, atol=1.01)


def test_new_films_leave_no_trace_in_training():
    train = item2vec.holdouts(0)[1].train
    rest, cold = item2vec.without(train, 0.1, np.random.default_rng(0))
    assert not rest[:, cold].nnz
    assert rest.nnz + train[:, cold].nnz == train.nnz
    assert len(cold) == round(0.1 * (np.bincount(train.indices) > 0).sum())


def test_what_a_user_has_is_masked():
    model = item2vec.Masked(epochs=1, batch_size=32, rng=np.random.default_rng(0)).fit(noisy_world())
    plain = TwoTower(epochs=1, batch_size=32, rng=np.random.default_rng(0)).fit(noisy_world())
    assert not np.array_equal(model.score(KNOWN), plain.score(KNOWN))
    assert np.isfinite(model.score(KNOWN)).all()


def test_the_heaviest_bring_more_of_the_pairs_than_of_the_films():
    shares = item2vec.heaviest(item2vec.holdouts(0)[1].train, 10)
    assert shares["pairs/set/heaviest"] > 1.5 * shares["pairs/films/heaviest"]
    assert shares["pairs/window/heaviest"] == pytest.approx(shares["pairs/films/heaviest"], abs=0.05)
