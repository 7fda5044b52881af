"""The engine against plain loops whose slopes come from autograd; the tree; threads, streams and bad input."""

import itertools

import numpy as np
import pytest
from oracles.word2vec_naive import plain_word2vec

from rec_lib.embeddings import Corpus, HuffmanTree, Stream, Vectors, train
from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.engine import PIECE, keep_probability, noise_law
from rec_lib.embeddings.fullbatch import cooccurrences, expected_pairs, gradient

WORDS = 9
FORMS = [("skip-gram", "negative", 1), ("skip-gram", "negative", 3), ("skip-gram", "hierarchical", 1)]
FORMS += [("skip-gram", "softmax", 1), *(("cbow", output, 1) for output in ("negative", "hierarchical", "softmax"))]


@pytest.fixture
def sentences():
    rng = np.random.default_rng(0)
    return [rng.choice(WORDS, size=int(k), p=np.arange(WORDS, 0, -1) / 45) for k in rng.integers(1, 14, 12)]


@pytest.fixture
def corpus(sentences):
    return Corpus.from_sentences(sentences, WORDS)


def random_start(output="negative", d=4, seed=1):
    rng = np.random.default_rng(seed)
    return Vectors(rng.normal(0, 0.4, (WORDS, d)), rng.normal(0, 0.4, (WORDS - (output == "hierarchical"), d)))


@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize(("architecture", "output", "share"), FORMS)
def test_every_form_takes_the_step_of_its_loss(sentences, corpus, architecture, output, share, dynamic):
    start = random_start(output)
    options = {"window": 3, "lr": 0.2, "epochs": 2}
    fast = train(
        *(corpus, 4),
        **options,
        architecture=architecture,
        output=output,
        share=share,
        negatives=3,
        subsample=0.05,
        dynamic_window=dynamic,
        start=start,
        rng=np.random.default_rng(3),
    )
    plain = plain_word2vec(
        *(sentences, start),
        **options,
        cbow=architecture == "cbow",
        output=output,
        draws=3,
        share=share,
        dynamic=dynamic,
        noise=AliasTable(noise_law(corpus.counts)),
        tree=HuffmanTree(corpus.counts),
        keep=keep_probability(corpus.counts, 0.05),
        rng=np.random.default_rng(3),
    )
    assert np.abs(fast.centre - start.centre).max() > 0.01
    np.testing.assert_allclose(fast.centre, plain[0], rtol=0, atol=1e-11)
    np.testing.assert_allclose(fast.context, plain[1], rtol=0, atol=1e-11)


def test_shared_negatives_have_the_same_expectation(corpus):
    """Sharing changes how draws belong together, not how often a pair is met: the mean step is the same full gradient."""
    one = Corpus(corpus.tokens, np.array([0, len(corpus.tokens)]), WORDS)
    start, counts, tiny = random_start(d=3), cooccurrences(one, 3), 1e-7
    expected = -counts.sum() * np.stack(gradient(start, *expected_pairs(counts, noise_law(one.counts), 4)))
    moves = []
    for seed in range(400):
        end = train(one, 3, window=3, negatives=4, share=4, lr=tiny, start=start, rng=np.random.default_rng(seed))
        moves.append(np.stack([(b - a) / tiny for a, b in zip(start, end, strict=True)]))
    error = np.std(moves, axis=0) / np.sqrt(400)
    assert np.abs((np.mean(moves, axis=0) - expected) / error).max() < 4


def shortest_mean_code(counts):
    """The fewest bits a word, by trying every way to merge: for a handful of words."""
    if len(counts) == 1:
        return 0
    best = np.inf
    for a, b in itertools.combinations(range(len(counts)), 2):
        rest = [c for i, c in enumerate(counts) if i not in (a, b)]
        best = min(best, counts[a] + counts[b] + shortest_mean_code([*rest, counts[a] + counts[b]]))
    return best


@pytest.mark.parametrize("counts", [[1, 1], [5, 2, 1], [3, 3, 2, 2, 1], [8, 4, 2, 1, 1], [7, 0, 0, 2, 9]], ids=str)
def test_tree_is_the_shortest_and_a_code(counts):
    tree = HuffmanTree(np.array(counts))
    assert (tree.length * counts).sum() == shortest_mean_code(counts)
    codes = {"".join(map(str, tree.path(w)[1])) for w in range(len(counts))}
    assert len(codes) == len(counts)
    assert not any(b.startswith(a) for a in codes for b in codes if a != b)
    for w in range(len(counts)):
        nodes, _ = tree.path(w)
        assert nodes[0] == len(counts) - 2
        assert (np.diff(nodes) < 0).all()


def test_probabilities_of_the_tree_add_up_to_one():
    rng = np.random.default_rng(0)
    tree, h, u = HuffmanTree(rng.integers(1, 50, 30)), rng.normal(size=5), rng.normal(size=(29, 5))
    p = [np.prod(1 / (1 + np.exp(-(1 - 2 * b) * (u[n] @ h)))) for n, b in map(tree.path, range(30))]
    assert sum(p) == pytest.approx(1, abs=1e-12)


def test_a_tree_of_one_word_has_no_node_and_none_is_refused():
    assert HuffmanTree(np.array([3])).length.tolist() == [0]
    for counts in ([], [1, -1], [1, np.nan], [[1, 2]]):
        with pytest.raises(ValueError, match="expected"):
            HuffmanTree(np.array(counts))


@pytest.mark.parametrize(("architecture", "output", "share"), FORMS)
def test_one_thread_repeats_to_the_bit(corpus, architecture, output, share):
    form = {"architecture": architecture, "output": output, "share": share}
    a, b, c = (train(corpus, 4, **form, rng=np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(a.centre, b.centre)
    np.testing.assert_array_equal(a.context, b.context)
    assert (a.centre != c.centre).any()
    assert a.centre.dtype == np.float32


def two_topics(sentences=400, rng=None):
    rng = rng or np.random.default_rng(0)
    return Corpus.from_sentences([rng.choice(np.arange(10) + 10 * (k % 2), size=20) for k in range(sentences)], 20)


def within_minus_across(centre):
    u = centre / np.linalg.norm(centre, axis=1, keepdims=True)
    cosine, same = u @ u.T, np.arange(20)[:, None] // 10 == np.arange(20) // 10
    return cosine[same & ~np.eye(20, dtype=bool)].mean() - cosine[~same].mean()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("architecture", "output", "share"), FORMS)
def test_planted_topics_are_found_with_any_number_of_threads(architecture, output, share, threads, monkeypatch):
    monkeypatch.setattr("rec_lib.embeddings.engine.PIECE", 500)
    end = train(
        *(two_topics(), 8),
        architecture=architecture,
        output=output,
        share=share,
        threads=threads,
        window=3,
        epochs=5,
        lr=0.1,
        rng=np.random.default_rng(0),
    )
    assert within_minus_across(end.centre) > 0.7


def test_pieces_do_not_change_the_result(monkeypatch):
    corpus = two_topics()
    whole = train(corpus, 4, rng=np.random.default_rng(0))
    assert len(corpus.tokens) < PIECE
    monkeypatch.setattr("rec_lib.embeddings.engine.PIECE", 500)
    np.testing.assert_allclose(train(corpus, 4, rng=np.random.default_rng(0)).centre, whole.centre, atol=1e-5)


def test_a_stream_of_one_block_is_that_block_and_several_are_all_read(corpus):
    stream = Stream(lambda: iter([corpus]), WORDS)
    a, b = (train(c, 4, epochs=2, rng=np.random.default_rng(0)).centre for c in (corpus, stream))
    np.testing.assert_array_equal(a, b)
    calls = []

    def blocks():
        calls.append(0)
        return (two_topics(100, np.random.default_rng(k)) for k in range(4))

    end = train(Stream(blocks, 20), 8, window=3, epochs=5, lr=0.1, rng=np.random.default_rng(0))
    assert len(calls) == 6  # once for the counts, once an epoch
    assert within_minus_across(end.centre) > 0.7


def test_a_stream_that_cannot_start_anew_is_refused(corpus):
    once = iter([corpus])
    with pytest.raises(ValueError, match="start anew"):
        train(Stream(lambda: once, WORDS), 4, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected the same"):
        train_uneven()


def train_uneven():
    blocks = [Corpus.from_sentences([[0, 1]], 3)]
    calls = iter([blocks, [Corpus.from_sentences([[0, 1]], 2)]])
    train(Stream(lambda: next(calls), 3), 4, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("architecture", "output", "share"), FORMS)
def test_one_word_and_lonely_words_and_windows_beyond_the_sentence_stay_finite(architecture, output, share):
    form = {"architecture": architecture, "output": output, "share": share, "rng": np.random.default_rng(0)}
    for corpus in (
        Corpus.from_sentences([[0, 0, 0]], 1),
        Corpus.from_sentences([[0], [1], [2]], 6),
        Corpus.from_sentences([[0, 1], [], [2, 3, 2]], 6),
    ):
        end = train(corpus, 3, window=50, dynamic_window=False, **form)
        assert end.centre.shape == (corpus.size, 3)
        assert np.isfinite(end.centre).all()


@pytest.mark.parametrize(
    "options",
    [{"architecture": "glove"}, {"output": "tree"}, {"share": 0}, {"threads": 0}, {"share": 2, "output": "softmax"}]
    + [{"share": 2, "architecture": "cbow"}, {"lr": np.inf}, {"subsample": np.nan}, {"power": np.nan}, {"window": 0}],
    ids=str,
)
def test_settings_that_do_not_exist_are_refused(corpus, options):
    with pytest.raises(ValueError, match="expected|use share=1"):
        train(corpus, **{"dim": 4, **options}, rng=np.random.default_rng(0))


def test_nan_and_wrong_starts_and_overflow_are_refused(corpus):
    bad = random_start()
    bad.centre[2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        train(corpus, 4, start=bad, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="shapes"):
        train(corpus, 4, output="hierarchical", start=random_start(), rng=np.random.default_rng(0))
    mixed = Vectors(random_start().centre.astype(np.float32), random_start().context)
    with pytest.raises(ValueError, match="types"):
        train(corpus, 4, start=mixed, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="too large"):
        train(corpus, 4, lr=1e30, epochs=3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="no tokens"):
        train(Corpus.from_sentences([], 3), 4, rng=np.random.default_rng(0))


def test_the_bar_counts_every_token(corpus, capsys):
    train(corpus, 4, epochs=2, progress=True, rng=np.random.default_rng(0))
    assert "100%" in capsys.readouterr().err
