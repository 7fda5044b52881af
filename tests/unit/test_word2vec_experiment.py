"""Ranks by hand, gold words that exist, counts of pairs by a plain loop."""

import numpy as np
import pytest

from rec_lib.data.text import from_lines
from rec_lib.data.word_pairs import ANALOGIES, FAMILIES, gold_pairs
from rec_lib.embeddings import Corpus, cooccurrences
from rec_lib.evaluation.words import analogy_ranks, pair_ranks
from rec_lib.experiments.word2vec import cooccurrence, ppmi


def test_ranks_by_hand():
    vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_array_equal(pair_ranks(vectors, np.array([[0, 1], [0, 3]])), [1, 3, 1, 3])
    np.testing.assert_array_equal(analogy_ranks(vectors, np.array([[0, 2, 1, 3]])), [1])


def test_one_vector_for_all_ranks_in_the_middle():
    assert pair_ranks(np.ones((5, 3)), np.array([[0, 1]])).tolist() == [2.5, 2.5]


def test_an_analogy_of_exact_differences_is_solved():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 200))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[3] = vectors[1] - vectors[0] + vectors[2]
    assert analogy_ranks(vectors, np.array([[0, 1, 2, 3]])).tolist() == [1]


def test_vectors_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        pair_ranks(np.full((3, 2), np.nan), np.array([[0, 1]]))


def test_families_hold_each_pair_once_and_the_parts_are_apart():
    words = sorted({w for pairs in FAMILIES.values() for pair in pairs for w in pair})
    text = from_lines([" ".join(words)], "all of them")
    test, validation = (set(map(tuple, gold_pairs(text, part).tolist())) for part in ("test", "validation"))
    assert not test & validation
    assert len(test) + len(validation) == sum(map(len, FAMILIES.values()))
    assert set(ANALOGIES) < set(FAMILIES)
    with pytest.raises(ValueError, match="expected"):
        gold_pairs(text, "train")
    with pytest.raises(KeyError):
        gold_pairs(from_lines(["king queen"], "short"))


def test_sparse_counts_are_the_panel_s_dense_ones_and_ppmi_is_its_formula():
    rng = np.random.default_rng(0)
    text = from_lines([" ".join(f"w{k}" for k in rng.choice(7, n)) for n in rng.integers(1, 9, 20)], "toy")
    counts = cooccurrence(text, 3)
    dense = cooccurrences(Corpus(text.tokens, text.offsets, len(text.words)), 3)
    np.testing.assert_allclose(counts.toarray(), dense)
    with np.errstate(divide="ignore"):
        expected = np.maximum(0, np.log(dense * dense.sum() / np.outer(dense.sum(1), dense.sum(1))))
    np.testing.assert_allclose(ppmi(counts).toarray(), expected, atol=1e-12)
