"""4.1's experiment: films and series are what they are said to be, recipes are those of the sections, results are stored."""

import numpy as np
import pytest

from rec_lib.catalogue import SECTIONS
from rec_lib.experiments.core import load_experiment, measured
from rec_lib.experiments.vectors import (
    FILM_WAYS,
    LEAST,
    SERIES,
    SETTINGS,
    film_quads,
    films,
    judged,
    likes,
    often,
    train_set,
)


def test_films_are_those_liked_often_enough():
    counts = np.asarray(likes().sum(0)).ravel()
    np.testing.assert_array_equal(often(), np.flatnonzero(counts >= LEAST))
    np.testing.assert_array_equal(films().counts, counts[often()])
    assert len(films().names) == len(films().year) == len(films().genres) == len(often())


def test_every_series_has_a_film_and_a_later_one_and_no_film_twice():
    row = {name: i for i, name in enumerate(films().names)}
    assert len({name for pair in SERIES for name in pair}) == 2 * len(SERIES)
    for first, second in SERIES:
        assert films().year[row[first]] <= films().year[row[second]]
    quads = film_quads()
    assert len(quads) == len(SERIES) * (len(SERIES) - 1)
    assert all(len(set(quad)) == 4 for quad in quads.tolist())


def test_every_way_has_settings_and_a_section():
    assert FILM_WAYS.keys() == SETTINGS["ways"].keys()
    assert {section for _, section, _, _ in FILM_WAYS.values()} <= {s.id for s in SECTIONS}


@pytest.mark.parametrize("id", ["ials", "node2vec"])
def test_a_seed_makes_the_same_vectors_again(id):
    one, other = (train_set(id, 3, SETTINGS["ways"][id]).vectors for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == (len(often()), 16)


def test_another_set_is_refused():
    with pytest.raises(ValueError, match="no set 'glove'"):
        train_set("glove", 0, {})


def test_rows_of_every_way_stand_for_the_same_films():
    """Likes without training: the row of a film has as many ones as the film has likes."""
    np.testing.assert_array_equal(train_set("likes", 0, {}).vectors.sum(1), films().counts)


def test_stored_results_are_those_of_this_code():
    stored = measured("4.1")
    vectors = train_set("ials", 0, SETTINGS["ways"]["ials"]).vectors
    for name, value in judged(vectors, film_quads()).items():
        assert stored.values(f"films/ials/{name}")[0] == pytest.approx(value, abs=0.01)


def test_words_solve_as_many_analogies_as_in_4_2():
    assert measured("4.1").values("words/analogies").tolist() == measured("4.2").values("skip-gram/analogies").tolist()


def test_it_is_the_experiment_of_4_1():
    assert load_experiment("4.1").id == "4.1"
