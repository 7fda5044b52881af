"""Faults injected into fetching: two processes at once, a process killed, files cut at every length."""

import os
import subprocess
import sys

import pytest
from movielens_files import CSV, CSV_FILES, U, leftovers, write, zipped

from rec_lib.data import sources
from rec_lib.data.formats import DataError
from rec_lib.data.movielens import load
from rec_lib.data.sources import Unavailable

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
