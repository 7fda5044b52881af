"""The class: neighbours and analogies against plain loops, texts of any language, texts with nothing to learn."""

import numpy as np
import pytest

from rec_lib.data.text import from_lines, read_text
from rec_lib.embeddings import Corpus, Word2vec
from rec_lib.embeddings.word2vec import unit


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    lines = [" ".join(f"w{w}" for w in rng.choice(8, 10)) for _ in range(60)]
    model = Word2vec(from_lines(lines, "toy"), dim=6, window=2)
    model.fit(np.random.default_rng(1))
    return model


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_neighbours_and_analogies_by_a_plain_loop(model):
    row = {w: model.vectors[model.text.number(w)] for w in model.text.words}
    by_hand = sorted(((cosine(row["w3"], row[w]), w) for w in row if w != "w3"), reverse=True)
    got = model.nearest("w3", 4)
    assert [w for w, _ in got] == [w for _, w in by_hand[:4]]
    np.testing.assert_allclose([c for _, c in got], [c for c, _ in by_hand[:4]], atol=1e-6)
    a, b, c = (row[w] / np.linalg.norm(row[w]) for w in ("w0", "w1", "w2"))
    target = b - a + c
    by_hand = sorted(((cosine(target, row[w]), w) for w in row if w not in ("w0", "w1", "w2")), reverse=True)
    assert [w for w, _ in model.analogy("w0", "w1", "w2", 3)] == [w for _, w in by_hand[:3]]


def test_unknown_words_are_named_with_words_like_them(model):
    with pytest.raises(KeyError, match="words like it"):
        model.nearest("w33")
    with pytest.raises(KeyError, match="no word 'queen'"):
        model.analogy("w0", "w1", "queen")


def test_a_row_of_zeros_has_no_length():
    np.testing.assert_array_equal(unit(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0.0, 0.0]])


def test_a_chinese_file_is_read_character_by_character(tmp_path):
    file = tmp_path / "chinese.txt"
    file.write_text("父母教子女，兄弟愛姐妹。\n" * 20, encoding="utf-8")
    model = Word2vec(read_text(file, by="characters"), dim=4, subsample=0)
    model.fit(np.random.default_rng(0))
    assert len(model.nearest("父", 3)) == 3


def test_a_text_of_one_word_is_refused():
    with pytest.raises(ValueError, match="two are needed"):
        Word2vec(from_lines(["amen amen amen"], "amen"))


def test_neighbours_and_analogies_before_fit_are_refused(model):
    unfitted = Word2vec(model.text, dim=6)
    for ask in (lambda: unfitted.nearest("w3"), lambda: unfitted.analogy("w0", "w1", "w2")):
        with pytest.raises(RuntimeError, match=r"Word2vec has no vectors yet: call fit\(rng\) first"):
            ask()


def test_a_corpus_in_place_of_a_text_is_refused():
    with pytest.raises(TypeError, match=r"text is a Corpus; expected a Text, .*read_text.*rec_lib\.embeddings\.train"):
        Word2vec(Corpus.from_sentences([[0, 1], [1, 2]], 3))


def test_forms_that_do_not_exist_are_refused(model):
    with pytest.raises(ValueError, match="skip-gram"):
        Word2vec(model.text, architecture="glove")
    with pytest.raises(ValueError, match="use share=1"):
        Word2vec(model.text, output="hierarchical", share=5)
