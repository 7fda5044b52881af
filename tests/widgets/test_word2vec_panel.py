"""The word2vec panel shows the library's own pairs and vectors, and its two lessons hold."""

import functools

import numpy as np
import pytest

from rec_lib.embeddings import HuffmanTree
from rec_lib.figures.word2vec import apart, scene_figure, summary, tree_figure
from rec_lib.widgets.word2vec import SENTENCES, STEPS, Explorer


@functools.cache
def explorer():
    return Explorer()


def compute(sentence=SENTENCES[0], window=2, negatives=5, step=STEPS, word="king"):
    return explorer().compute(sentence, window, negatives, step, word)


@pytest.mark.parametrize("window", [1, 2, 4])
def test_shares_are_those_of_random_reaches(window):
    rng = np.random.default_rng(0)
    met = np.zeros((5, 5))
    for _ in range(4000):
        for i in range(5):
            reach = rng.integers(1, window + 1)
            for j in range(max(0, i - reach), min(5, i + reach + 1)):
                met[i, j] += i != j
    np.testing.assert_allclose(compute(window=window).share, met / 4000, atol=0.04)


def test_without_negatives_everything_falls_together():
    assert compute(negatives=0, window=4).across > 0.95
    assert compute(negatives=5, window=4).across < 0.5


def test_a_wide_window_gathers_topics_a_narrow_one_words_that_can_take_each_others_place():
    narrow, wide = compute(window=1), compute(window=4)
    assert wide.within - wide.across > narrow.within - narrow.across + 0.2
    for data in (narrow, wide):
        assert {name for name, _ in data.near[:2]} == {"queen", "prince"}


def test_the_trail_grows_and_keeps_its_beginning():
    short, long = compute(step=3), compute(step=9)
    np.testing.assert_array_equal(short.trail, long.trail[:4])
    assert short.epoch == 6


def test_words_say_what_the_picture_shows():
    data = compute(negatives=2)
    assert "14 pairs" in summary(data)
    assert "prince" in scene_figure(data).layout.meta["alt"]
    assert "every answer is yes" in summary(compute(negatives=0))


def test_a_drawn_word_is_never_the_context_itself():
    for centre, context, drawn in compute(negatives=10).drawn:
        assert context not in drawn
        assert centre in SENTENCES[0]


def test_tree_figure_names_the_codes():
    tree = HuffmanTree(np.array([5, 2, 1]))
    figure = tree_figure(("a", "b", "c"), tree.start, tree.nodes, tree.ones, np.array([5, 2, 1]))
    codes = {"".join(map(str, tree.path(w)[1])) for w in range(3)}
    assert all(code in figure.layout.meta["alt"] for code in codes)


def test_names_are_written_where_there_is_room_and_the_asked_one_always():
    points = np.array([[0.0, 0.0], [0.01, 0.0], [1.0, 1.0]])
    assert apart(points, 1).tolist() == [False, True, True]
    assert apart(np.zeros((3, 2)), 2).tolist() == [False, False, True]
