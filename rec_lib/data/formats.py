"""The MovieLens files as they are published, read into three tables.

Four formats, told apart by the names of their files (all are read from bytes, so that a folder, a zip and a wheel
are the same to this module):

    u        u.data · u.item · u.user                 ml-100k from GroupLens: tabs and bars, latin-1, genres as 19 flags
    dat      ratings.dat · movies.dat · users.dat      ml-1m: `::` between columns, latin-1, genres joined by bars
    csv      ratings.csv · movies.csv                  ml-latest-small: commas, quoted titles, half stars, no users
    atomic   ml-100k.inter · .item · .user             the RecBole copy of ml-100k: tabs, UTF-8, title and year apart

What they share afterwards: `ratings` (user, item, rating, timestamp in seconds), `users` (index: raw user id) and
`items` (index: raw item id; title, year, genres). The year is the last four-digit bracket of the title, 0 where there
is none; the title is what stands before it.
"""

import csv
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pandas as pd

GENRES_100K = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical "
    "Mystery Romance Sci-Fi Thriller War Western"
).split()
YEAR = re.compile(r"\((\d{4})\)")


class DataError(ValueError):
    """The files were found, but they are not what they should be."""


class Tables(NamedTuple):
    """The three tables of a MovieLens data set."""

    ratings: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame


TEXT = (
    "title",
    "genres",
    "year",
    "gender",
    "occupation",
    "zip",
)  # never numbers, so that the zip code 05201 keeps its zero


def read_columns(
    data: bytes, file: str, sep: str, names: list[str], header: bool, encoding: str, quotes: bool = False
) -> pd.DataFrame:
    """One file as a table of strings and numbers with exactly the columns `names`.

    Raises DataError for an empty file, another number of columns, a line that is cut short, or text in another
    encoding.
    """
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if not data.strip() or (header and lines < 2):
        raise DataError(
            f"{file} is empty ({len(data)} bytes); it should hold the columns {', '.join(names)}. Fetch the file again."
        )
    if len(sep) > 1:  # pandas reads one-character separators in C and others twenty times slower in Python
        data, sep = data.replace(sep.encode(), b"\t"), "\t"
    try:
        table = pd.read_csv(
            BytesIO(data),
            sep=sep,
            header=None,
            skiprows=int(header),
            encoding=encoding,
            quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
            keep_default_na=False,
            na_values=[""],
            dtype={names.index(name): str for name in TEXT if name in names},
            skip_blank_lines=False,
        )
    except ValueError as error:  # of another encoding, without columns, or with ragged lines
        raise DataError(
            f"{file} cannot be read: {error}. Expected the columns {', '.join(names)}. Fetch the file again."
        ) from error
    if table.shape[1] != len(names):
        raise DataError(
            f"{file} has {table.shape[1]} columns; expected {len(names)}: {', '.join(names)}. Is it of another "
            "data set?"
        )
    return table.set_axis(names, axis=1)


def whole_numbers(table: pd.DataFrame, column: str, file: str, header: bool) -> pd.Series:
    """The column as int64. Raises DataError with the line and value of the first cell that is no whole number."""
    return _numbers(table, column, file, header, whole=True).astype(np.int64)


def _numbers(table: pd.DataFrame, column: str, file: str, header: bool, whole: bool = False) -> pd.Series:
    values = pd.to_numeric(table[column], errors="coerce")
    floats = values.to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(floats)
    if whole:
        bad |= (np.where(bad, 0.0, floats) % 1 != 0) | (np.abs(floats) > 2**53)  # beyond, floats are not exact
    if bad.any():
        row = int(np.argmax(bad))
        got = "nothing (the line is cut short?)" if pd.isna(table[column].iloc[row]) else f"'{table[column].iloc[row]}'"
        kind = "a whole number" if whole else "a number"
        raise DataError(
            f"{file}, line {row + 1 + header}: column '{column}' holds {got}; expected {kind}. Fetch the file again."
        )
    return values


def _ratings(data: bytes, file: str, sep: str, header: bool) -> pd.DataFrame:
    table = read_columns(data, file, sep, ["user", "item", "rating", "timestamp"], header, "latin-1")
    return pd.DataFrame(
        {
            "user": whole_numbers(table, "user", file, header),
            "item": whole_numbers(table, "item", file, header),
            "rating": _numbers(table, "rating", file, header).astype(np.float64),
            "timestamp": whole_numbers(table, "timestamp", file, header),
        }
    )


def _users(data: bytes, file: str, sep: str, names: list[str], header: bool) -> pd.DataFrame:
    table = read_columns(data, file, sep, names, header, "latin-1")
    table["age"] = whole_numbers(table, "age", file, header)
    index = pd.Index(whole_numbers(table, "user", file, header), name="user")
    users = table[["gender", "age", "occupation", "zip"]].set_axis(index)
    return users.astype({"gender": str, "occupation": str, "zip": str})


def _items(ids: pd.Series, titles: pd.Series, genres: list[tuple[str, ...]]) -> pd.DataFrame:
    """The item table: title without its year, year (0 = unknown), genres."""
    names, years = [], []
    for full in titles.fillna("unknown").astype(str):
        brackets = list(YEAR.finditer(full))
        names.append(full[: brackets[-1].start()].strip() if brackets else full.strip())
        years.append(int(brackets[-1].group(1)) if brackets else 0)
    columns = {"title": names, "year": np.array(years, dtype=np.int64), "genres": genres}
    return pd.DataFrame(columns, index=pd.Index(ids, name="item"))


def _split(genres: pd.Series, sep: str) -> list[tuple[str, ...]]:
    return [
        tuple(sorted(text.split(sep))) if text != "(no genres listed)" else ()
        for text in genres.fillna("unknown").astype(str)
    ]


def _read_u(files: Mapping[str, bytes]) -> Tables:
    names = ["item", "title", "release", "video", "url", *GENRES_100K]
    films = read_columns(files["u.item"], "u.item", "|", names, False, "latin-1")
    flags = films[GENRES_100K].to_numpy()
    genres = [tuple(sorted(g for g, flag in zip(GENRES_100K, row, strict=True) if flag == 1)) for row in flags]
    users = _users(files["u.user"], "u.user", "|", ["user", "age", "gender", "occupation", "zip"], False)
    items = _items(whole_numbers(films, "item", "u.item", False), films["title"], genres)
    return Tables(_ratings(files["u.data"], "u.data", "\t", False), users, items)


def _read_dat(files: Mapping[str, bytes]) -> Tables:
    films = read_columns(files["movies.dat"], "movies.dat", "::", ["item", "title", "genres"], False, "latin-1")
    users = _users(files["users.dat"], "users.dat", "::", ["user", "gender", "age", "occupation", "zip"], False)
    items = _items(whole_numbers(films, "item", "movies.dat", False), films["title"], _split(films["genres"], "|"))
    return Tables(_ratings(files["ratings.dat"], "ratings.dat", "::", False), users, items)


def _read_csv(files: Mapping[str, bytes]) -> Tables:
    films = read_columns(
        files["movies.csv"], "movies.csv", ",", ["item", "title", "genres"], True, "utf-8", quotes=True
    )
    ratings = _ratings(files["ratings.csv"], "ratings.csv", ",", True)
    items = _items(whole_numbers(films, "item", "movies.csv", True), films["title"], _split(films["genres"], "|"))
    return Tables(ratings, pd.DataFrame(index=pd.Index(np.unique(ratings["user"]), name="user")), items)


def _read_atomic(files: Mapping[str, bytes]) -> Tables:
    films = read_columns(
        files["ml-100k.item"], "ml-100k.item", "\t", ["item", "title", "year", "genres"], True, "utf-8"
    )
    # This copy cut titles at their last bracket, so "(1995) (V)" left the year in, and spelt a missing one "unkonwn".
    titles = (films["title"].astype(str) + " (" + films["year"].astype(str) + ")").replace(
        "unkonwn (unkonwn)", "unknown"
    )
    users = _users(files["ml-100k.user"], "ml-100k.user", "\t", ["user", "age", "gender", "occupation", "zip"], True)
    items = _items(whole_numbers(films, "item", "ml-100k.item", True), titles, _split(films["genres"], " "))
    return Tables(_ratings(files["ml-100k.inter"], "ml-100k.inter", "\t", True), users, items)


READERS: dict[tuple[str, ...], Callable[[Mapping[str, bytes]], Tables]] = {
    ("u.data", "u.item", "u.user"): _read_u,
    ("ratings.dat", "movies.dat", "users.dat"): _read_dat,
    ("ratings.csv", "movies.csv"): _read_csv,
    ("ml-100k.inter", "ml-100k.item", "ml-100k.user"): _read_atomic,
}


def read(files: Mapping[str, bytes]) -> Tables:
    """The tables of the first format whose rating file is among `files` (name -> content).

    Raises DataError where no rating file is known, a companion file is missing, or a file is broken.
    """
    for names, reader in READERS.items():
        if names[0] in files:
            missing = [name for name in names if name not in files]
            if missing:
                raise DataError(
                    f"found {names[0]} without {', '.join(missing)}; the three belong together. Copy the whole folder."
                )
            ratings, users, items = reader(files)
            return Tables(ratings, users.sort_index(), items.sort_index())
    known = "; ".join(" + ".join(names) for names in READERS)
    raise DataError(f"no MovieLens files among {sorted(files) or 'no files at all'}; expected one of: {known}.")


def check(tables: Tables, scale: tuple[float, float, float]) -> None:
    """Ids that exist, ratings on the scale (lowest, highest, step), no pair twice; else DataError, naming the first."""
    ratings, users, items = tables
    low, high, step = scale
    for table, what in ((users, "user"), (items, "item")):
        ids = table.index.to_numpy()
        if (ids < 1).any() or table.index.has_duplicates:
            raise DataError(
                f"the {what} table has an id below 1 or twice; raw ids are 1, 2, … and occur once. Fetch it again."
            )
        unknown = ~np.isin(ratings[what].to_numpy(), ids)
        if unknown.any():
            row = int(np.argmax(unknown))
            raise DataError(
                f"rating {row + 1} names {what} {ratings[what].iloc[row]}, which the {what} table does not have "
                f"(its ids run from {ids.min()} to {ids.max()}). Do the files come from the same data set?"
            )
    values = ratings["rating"].to_numpy()
    off = (values < low) | (values > high) | ((values / step) % 1 != 0)
    if off.any():
        row = int(np.argmax(off))
        raise DataError(
            f"rating {row + 1} is {values[row]:g}; the scale runs from {low:g} to {high:g} in steps of {step:g}. "
            "Is the column order right?"
        )
    times = ratings["timestamp"].to_numpy()
    if (times <= 0).any():
        raise DataError(
            f"rating {int(np.argmax(times <= 0)) + 1} has timestamp {times.min()}; expected seconds since "
            "1970, above 0."
        )
    twice = ratings.duplicated(["user", "item"]).to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        pair = f"user {ratings['user'].iloc[row]} and item {ratings['item'].iloc[row]}"
        raise DataError(f"rating {row + 1} repeats the pair {pair}; each pair is rated once. Are two files joined?")
