"""Faults injected into fetching: two processes at once, a process killed, files cut at every length."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from movielens_files import CSV, CSV_FILES, U, leftovers, write, zipped

from rec_lib.data import sources
from rec_lib.data.formats import DataError
from rec_lib.data.movielens import load
from rec_lib.data.sources import Unavailable
from rec_lib.paths import NoSuchHome

FETCH = """
import os, sys, time
from pathlib import Path
from rec_lib.data import movielens, sources
log = Path(sys.argv[1])
def slow(name):
    with log.open("a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(0.5)
    return {n: (Path(sys.argv[2]) / n).read_bytes() for n in ("ratings.csv", "movies.csv")}
sources.from_site = slow
if len(sys.argv) > 3:  # die while the files are being written
    write = Path.write_bytes
    Path.write_bytes = lambda path, content: os.kill(os.getpid(), 9) if path.name == "movies.csv" else write(path,
    content)
print(len(movielens.load("ml-latest-small").ratings))
"""


def run(home, log, source, *more):
    environment = {**os.environ, "REC_LIB_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(log), str(source), *more], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_at_once_fetch_once(home, tmp_path):
    source, log = write(tmp_path / "source", CSV), tmp_path / "log"
    both = [run(home, log, source) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [output.splitlines()[-1] for output in outputs] == ["3", "3"]
    assert len(log.read_text().split()) == 1
    assert sum("GroupLens" in output for output in outputs) == 1
    assert leftovers(home) == ["ml-latest-small"]


@pytest.mark.thorough
def test_a_process_killed_while_writing_does_not_stand_in_the_way(home, tmp_path):
    source, log = write(tmp_path / "source", CSV), tmp_path / "log"
    killed = run(home, log, source, "die")
    killed.communicate(timeout=60)
    assert killed.returncode != 0
    assert not (home / "data" / "ml-latest-small").exists()
    assert len(leftovers(home)) == 1, "the staging folder of the killed process is still there"
    after = run(home, log, source)
    assert after.communicate(timeout=60)[0].splitlines()[-1] == "3"
    assert leftovers(home) == ["ml-latest-small"]


def damaged(where, byte):
    content = bytearray(zipped(CSV_FILES))
    content[where(content)] = byte
    return bytes(content)


DAMAGED = {  # the archive's index stands at its end: b"PK\1\2", flags at 8, the method of packing at 10
    "packed bytes": lambda: damaged(lambda zip: zip.index(b".csv") + 8, 0xFF),
    "encrypted": lambda: damaged(lambda zip: zip.index(b"PK\1\2") + 8, 1),
    "bzip2": lambda: damaged(lambda zip: zip.index(b"PK\1\2") + 10, 12),
    "lzma": lambda: damaged(lambda zip: zip.index(b"PK\1\2") + 10, 14),
    "another packing": lambda: damaged(lambda zip: zip.index(b"PK\1\2") + 10, 99),
    "place before the start": lambda: damaged(lambda zip: zip.index(b"PK\5\6") + 19, 0x7F),
    "no archive": lambda: b"<html>not found</html>",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_one_clear_error(tmp_path, content):
    (tmp_path / "ml-latest-small.zip").write_bytes(content())
    with pytest.raises(Unavailable, match=r"ml-latest-small.zip is not a whole zip archive .*Fetch it again"):
        load("ml-latest-small", tmp_path)


@pytest.mark.thorough
def test_no_changed_byte_of_an_archive_gives_another_error():
    whole, rng = zipped(CSV_FILES), np.random.default_rng(0)
    for place in range(len(whole)):
        content = whole[:place] + rng.bytes(1) + whole[place + 1 :]
        try:
            sources.from_zip(content, "ml-latest-small", "here")
        except Unavailable:
            continue


@pytest.mark.parametrize("error", [PermissionError, IsADirectoryError])
@pytest.mark.parametrize("given", ["path", "variable", "cache"])
def test_files_that_cannot_be_read_are_one_clear_error(home, tmp_path, monkeypatch, error, given):
    folder = write(home / "data" / "ml-latest-small" if given == "cache" else tmp_path / "mine", CSV)
    if given == "variable":
        monkeypatch.setenv("REC_LIB_DATA", str(folder))

    def refuse(path):
        raise error(13, "no entry", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(Unavailable, match=r"ratings.csv cannot be read .*no entry.*Check who may read it"):
        load("ml-latest-small", folder if given == "path" else None)


@pytest.mark.parametrize("variable", ["REC_LIB_HOME", "REC_LIB_DATA"])
def test_a_home_of_nobody_is_named(home, monkeypatch, variable):
    monkeypatch.setenv(variable, "~nosuchuser/course")
    with pytest.raises(
        NoSuchHome, match=rf"{variable} is set to ~nosuchuser/course, and there is no such user.*full path"
    ):
        load("ml-latest-small")
    assert not Path("~nosuchuser").exists()


@pytest.mark.thorough
def test_every_truncation_of_the_archive_is_refused(home, monkeypatch):
    whole = zipped(CSV_FILES)
    for length in range(0, len(whole), 7):
        monkeypatch.setattr(sources, "from_site", lambda name, n=length: sources.from_zip(whole[:n], name, "site"))
        with pytest.raises(Unavailable, match="cannot be fetched"):
            load("ml-latest-small")
        assert leftovers(home) == []


@pytest.mark.thorough
def test_every_truncation_of_the_ratings_is_refused_or_reads_whole_rows(tmp_path):
    text = U["u.data"]
    for length in range(len(text)):
        folder = write(tmp_path / str(length), U, u_data=text[:length])
        try:
            read = load("ml-100k", folder).ratings
        except DataError:
            continue
        assert (read["item"].to_numpy() == [1, 3, 2][: len(read)]).all()
