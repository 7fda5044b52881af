"""The compiled skip-gram against a plain loop, its closed-form gradient, and its own expectation."""

import numpy as np
import pytest
from oracles.word2vec_naive import PlainSplitMix

from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.corpus import Corpus, Vectors
from rec_lib.embeddings.engine import keep_probability, noise_law, train
from rec_lib.embeddings.fullbatch import (
    LARGEST,
    cooccurrences,
    expected_pairs,
    gradient,
    objective,
    train_full_batch,
)


def plain_sgns(sentences, start, window, dynamic, negatives, subsample, lr, epochs, rng):
    """word2vec as the paper describes it: one pair after the other, numpy vectors, nothing compiled."""
    v, u = start.centre.copy(), start.context.copy()
    counts = np.bincount(np.concatenate(sentences), minlength=len(v))
    noise, keep = AliasTable(noise_law(counts)), keep_probability(counts, subsample)
    random = PlainSplitMix(rng.integers(0, 2**64, size=1, dtype=np.uint64)[0])
    for epoch in range(epochs):
        seen = 0
        for s in rng.permutation(len(sentences)):
            rate = lr * (1 - (epoch + seen / counts.sum()) / epochs)
            seen += len(sentences[s])
            kept = [w for w in sentences[s] if keep[w] >= 1 or random.uniform() < keep[w]]
            for i, c in enumerate(kept):
                reach = 1 + random.below(window) if dynamic else window
                for j in range(max(0, i - reach), min(len(kept), i + reach + 1)):
                    if j == i:
                        continue
                    o, yes, no = kept[j], {kept[j]: 1}, {}
                    for _ in range(negatives):
                        m = random.negative(noise)
                        if m != o:
                            no[m] = no.get(m, 0) + 1
                    before, move = v[c].copy(), np.zeros_like(v[c])
                    for w in {**yes, **no}:
                        sigma = 1 / (1 + np.exp(-before @ u[w]))
                        error = rate * (yes.get(w, 0) * (1 - sigma) - no.get(w, 0) * sigma)
                        move += error * u[w]
                        u[w] = u[w] + error * before
                    v[c] = before + move
    return Vectors(v, u)


def random_start(n, d, rng, scale=0.4, dtype=np.float64):
    return Vectors(rng.normal(0, scale, (n, d)).astype(dtype), rng.normal(0, scale, (n, d)).astype(dtype))


@pytest.fixture
def sentences():
    rng = np.random.default_rng(0)
    return [rng.choice(9, size=int(k), p=np.arange(9, 0, -1) / 45) for k in rng.integers(1, 14, 20)]


@pytest.mark.parametrize(("dynamic", "subsample"), [(True, 0.0), (False, 0.0), (True, 0.05)])
def test_compiled_loop_equals_the_plain_loop(sentences, dynamic, subsample):
    start = random_start(9, 4, np.random.default_rng(1))
    options = {"window": 3, "negatives": 2, "subsample": subsample, "lr": 0.2, "epochs": 2}
    fast = train(
        Corpus.from_sentences(sentences, 9),
        4,
        dynamic_window=dynamic,
        start=start,
        rng=np.random.default_rng(3),
        **options,
    )
    plain = plain_sgns(sentences, start, dynamic=dynamic, rng=np.random.default_rng(3), **options)
    np.testing.assert_allclose(fast.centre, plain.centre, rtol=0, atol=1e-11)
    np.testing.assert_allclose(fast.context, plain.context, rtol=0, atol=1e-11)


def test_expected_counts_are_the_mean_over_dynamic_windows(sentences):
    corpus = Corpus.from_sentences(sentences, 9)
    by_hand = np.zeros((9, 9))
    for reach in (1, 2, 3):  # each with probability 1/3
        for s in sentences:
            for i, j in ((i, j) for i in range(len(s)) for j in range(len(s)) if 0 < abs(i - j) <= reach):
                by_hand[s[i], s[j]] += 1 / 3
    np.testing.assert_allclose(cooccurrences(corpus, 3), by_hand, atol=1e-12)
    assert cooccurrences(corpus, 3, dynamic_window=False).sum() > by_hand.sum()


def test_gradient_of_the_expectation_is_right_by_finite_differences(sentences):
    corpus = Corpus.from_sentences(sentences, 9)
    pairs = expected_pairs(cooccurrences(corpus, 3), noise_law(corpus.counts), 4)
    at = random_start(9, 3, np.random.default_rng(2))
    slope = gradient(at, *pairs)
    for which in (0, 1):
        for position in np.ndindex(9, 3):
            step = np.zeros((9, 3))
            step[position] = 1e-6
            up, down = (Vectors(*(a + s * step * (k == which) for k, a in enumerate(at))) for s in (1, -1))
            numeric = (objective(up, *pairs) - objective(down, *pairs)) / 2e-6
            assert abs(numeric - slope[which][position]) < 1e-8


def test_sampling_moves_on_average_along_the_full_gradient(sentences):
    corpus = Corpus.from_sentences(
        [np.concatenate(sentences)], 9
    )  # one sentence: the step stays what it is at its start
    start = random_start(9, 3, np.random.default_rng(4))
    counts = cooccurrences(corpus, 3)
    expected = -counts.sum() * np.stack(gradient(start, *expected_pairs(counts, noise_law(corpus.counts), 4)))
    tiny = 1e-7  # so small that all steps are taken at the same point
    moves = []
    for seed in range(400):
        end = train(corpus, 3, window=3, negatives=4, lr=tiny, start=start, rng=np.random.default_rng(seed))
        moves.append(np.stack([(b - a) / tiny for a, b in zip(start, end, strict=True)]))
    error = np.std(moves, axis=0) / np.sqrt(400)  # (2, 9, 3)
    assert np.abs((np.mean(moves, axis=0) - expected) / error).max() < 4
    assert (error < 0.05 * np.abs(expected).max()).all()


def test_full_batch_reaches_shifted_pmi_where_the_dimension_allows():
    rng = np.random.default_rng(0)
    counts = rng.integers(5, 60, (6, 6)).astype(float)
    counts += counts.T
    tokens = counts.sum(1)
    start = random_start(6, 6, rng, scale=0.1)
    end = train_full_batch(counts, tokens, start, negatives=3, steps=4000, lr=0.01)
    positive, negative = expected_pairs(counts, noise_law(tokens), 3)
    np.testing.assert_allclose(end.centre @ end.context.T, np.log(positive / negative), atol=0.02)


def test_full_batch_and_sampling_meet():
    """Both minimise one objective: long sampling comes within a few percent of what the full batch reaches."""
    rng = np.random.default_rng(0)
    blocks = [rng.choice(np.arange(10) + 10 * (k % 2), size=20) for k in range(200)]
    corpus = Corpus.from_sentences(blocks, 20)
    counts = cooccurrences(corpus, 5)
    pairs = expected_pairs(counts, noise_law(corpus.counts))
    start = random_start(20, 4, rng, scale=0.1, dtype=np.float32)
    full = objective(train_full_batch(counts, corpus.counts, start, steps=400), *pairs)
    sampled = train(corpus, 4, window=5, lr=0.1, epochs=10, start=start, rng=rng)
    begin, end = objective(start, *pairs), objective(sampled, *pairs)
    assert full <= end
    assert (begin - end) > 0.97 * (begin - full)


def test_same_generator_same_vectors(sentences):
    corpus = Corpus.from_sentences(sentences, 9)
    a, b, c = (train(corpus, 4, rng=np.random.default_rng(s)).centre for s in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()
    assert a.dtype == np.float32


def test_start_is_not_written_to(sentences):
    start = random_start(9, 4, np.random.default_rng(0))
    before = start.centre.copy()
    train(Corpus.from_sentences(sentences, 9), 4, start=start, rng=np.random.default_rng(0))
    counts = cooccurrences(Corpus.from_sentences(sentences, 9))
    train_full_batch(counts, np.ones(9), start)
    np.testing.assert_array_equal(before, start.centre)


def test_laws_of_negatives_and_of_subsampling():
    counts = np.array([16, 1, 0, 81])
    np.testing.assert_allclose(noise_law(counts), np.array([8, 1, 0, 27]) / 36)
    np.testing.assert_array_equal(noise_law(counts, 0.0), np.array([1, 1, 0, 1]) / 3)  # absent is absent at any power
    np.testing.assert_array_equal(keep_probability(counts, 0.0), np.ones(4))
    kept, f = keep_probability(counts, 0.01), np.array([16, 81]) / 98
    np.testing.assert_allclose(kept[[0, 3]], np.sqrt(0.01 / f) + 0.01 / f)
    assert kept[1] == 1.0  # √0.98 + 0.98 is more than all: a rare token stays whole
    assert kept[2] == 1.0


def test_corpora_from_walks_and_sentences():
    walks = np.array([[0, 2, 1], [3, -1, -1], [1, 0, -1]], np.int32)
    corpus = Corpus.from_walks(walks, 4)
    np.testing.assert_array_equal(corpus.tokens, [0, 2, 1, 3, 1, 0])
    np.testing.assert_array_equal(corpus.offsets, [0, 3, 4, 6])
    same = Corpus.from_sentences([[0, 2, 1], [3], [1, 0]], 4)
    np.testing.assert_array_equal(same.tokens, corpus.tokens)
    np.testing.assert_array_equal(same.offsets, corpus.offsets)
    np.testing.assert_array_equal(corpus.counts, [2, 2, 1, 1])


@pytest.mark.parametrize(
    ("tokens", "offsets"),
    [([0, 4], [0, 2]), ([-1, 0], [0, 2]), ([0, 1], [0, 1]), ([0, 1], [1, 2]), ([0, 1], [0, 2, 1, 2])],
)
def test_corpora_that_do_not_fit_are_refused(tokens, offsets):
    with pytest.raises(ValueError, match="expected|must rise"):
        Corpus(np.array(tokens, np.int32), np.array(offsets, np.int64), 4)


@pytest.mark.parametrize("sentence", [[0.5, 1.0], ["a", "b"], [[0, 1]], [2**32]], ids=repr)
def test_tokens_that_are_no_whole_numbers_are_refused(sentence):
    with pytest.raises(ValueError, match="expected"):
        Corpus.from_sentences([sentence], 4)
    with pytest.raises(ValueError, match="expected"):
        Corpus(np.array(sentence), np.array([0, len(sentence)]), 4)


def test_empty_sentences_are_no_error():
    corpus = Corpus.from_sentences([[], [1, 2], []], 4)
    assert (corpus.tokens.tolist(), corpus.tokens.dtype, corpus.offsets.tolist()) == ([1, 2], np.int32, [0, 0, 2, 2])
    assert len(Corpus.from_sentences([], 4).tokens) == 0


@pytest.mark.parametrize(
    "options",
    [{"dim": 0}, {"window": 0}, {"negatives": -1}, {"epochs": 0}, {"lr": 0.0}, {"lr": np.nan}, {"subsample": -0.1}],
    ids=repr,
)
def test_numbers_out_of_range_are_refused(sentences, options):
    with pytest.raises(ValueError, match="expected"):
        train(Corpus.from_sentences(sentences, 9), **{"dim": 4, **options}, rng=np.random.default_rng(0))


def test_nothing_to_learn_from_and_wrong_starts(sentences):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no tokens"):
        train(Corpus.from_sentences([], 4), rng=rng)
    with pytest.raises(ValueError, match="start has shapes"):
        train(Corpus.from_sentences(sentences, 9), 4, start=random_start(9, 5, rng), rng=rng)
    with pytest.raises(ValueError, match="no contexts"):
        train_full_batch(np.zeros((3, 3)), np.ones(3), random_start(3, 2, rng))
    with pytest.raises(ValueError, match="window"):
        cooccurrences(Corpus.from_sentences(sentences, 9), 0)
    with pytest.raises(ValueError, match="use `train`"):
        cooccurrences(Corpus.from_sentences(sentences, LARGEST + 1))


def test_a_token_without_company_is_no_error():
    vectors = train(Corpus.from_sentences([[0], [1], [2, 3, 2]], 6), 4, rng=np.random.default_rng(0))
    assert np.isfinite(vectors.centre).all()
