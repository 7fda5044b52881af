"""MovieLens as models see it: clicks (`ctr`), stars (`ratings`), sets (`implicit`), sessions (`sequences`).

One film has one encoded id in all of them. Rows stand in the order of time. Half of a user's consecutive ratings share
a second, because MovieLens shows pages of films to rate: the order within such a tie says nothing, so it is drawn at
random from a seed that the caller chooses.
"""

import re
from functools import lru_cache

import numpy as np
import pandas as pd
import torch

from rec_lib.data.encoder import Encoder
from rec_lib.data.interactions import Interactions, leave_one_out
from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.schema import FIRST, PAD, Bag, Field, Schema, Sequence, Sparse

LIKED = 4  # stars; from here on a rating counts as a click
AGES = (1, 18, 25, 35, 45, 50, 56)  # lower ends of the brackets that ml-1m uses


@lru_cache(maxsize=4)
def encoders(ml: MovieLens) -> dict[str, Encoder]:
    """The vocabularies of a data set: user, item, year, genres, and gender, age, occupation, zip where it has them.

    Ages are brackets (named by their lower end, as in ml-1m), zip codes their first character: in the United States
    the first digit is a group of states. They are made from the user and item tables, not from the ratings, so a split
    never changes them. What a user left blank is OOV.
    """
    found = {
        "user": Encoder(ml.users.index),
        "item": Encoder(ml.items.index),
        "year": Encoder(year for year in ml.items["year"] if year) if ml.items["year"].any() else Encoder([0]),
        "genres": Encoder(genre for genres in ml.items["genres"] for genre in genres),
    }
    if "gender" in ml.users:
        found |= {name: Encoder(ml.users[name].dropna()) for name in ("gender", "occupation")}
        found |= {"age": Encoder(AGES), "zip": Encoder(ml.users["zip"].dropna().str[:1])}
    return found


def item_titles(ml: MovieLens) -> list[str]:
    """Titles as one reads them ("The Nutty Professor (1996)"), indexed by encoded item id."""
    titles = [re.sub(r"^(.*), (The|An|A)$", r"\2 \1", title) for title in ml.items["title"]]
    years = [f" ({year})" if year else "" for year in ml.items["year"]]
    return ["(padding)", "(unknown film)", *(title + year for title, year in zip(titles, years, strict=True))]


def ctr(ml: MovieLens, history: int = 0, seed: int = 0) -> Table:
    """Every rating as an impression: label 1 where it has 4 stars or more.

    Fields: user, item, gender, age, occupation, zip, year (Sparse; those that the data set has), genres (Bag). With
    `history=T` also a Sequence "history" of "item" `(N, T)`: the user's last T liked films, oldest first, rated
    strictly before the row's second; padding stands at the end. Extra columns: rating (stars), timestamp (seconds).

    history  T, 0 for none.    seed  of the order within ties.

    Raises ValueError for a negative history.
    """
    if history < 0:
        raise ValueError(f"history={history}: expected the number of liked films to keep, 0 for none.")
    code = encoders(ml)
    log = _log(ml, seed)
    item_row = log["item"].to_numpy() - FIRST  # the item table is sorted by raw id, as the vocabulary is
    columns = {"user": log["user"].to_numpy(), "item": log["item"].to_numpy()}
    if "gender" in code:
        user_row = log["user"].to_numpy() - FIRST
        raw = {
            "gender": ml.users["gender"],
            "age": np.array(AGES)[np.searchsorted(AGES, ml.users["age"], side="right").clip(min=1) - 1],
            "occupation": ml.users["occupation"],
            "zip": ml.users["zip"].str[:1],
        }
        columns |= {name: code[name].encode(values)[user_row] for name, values in raw.items()}
    columns["year"] = code["year"].encode(ml.items["year"])[item_row]
    fields: list[Field] = [Sparse(name, code[name].size) for name in columns]
    genres = _genres(ml, code["genres"])
    columns["genres"] = genres[item_row]
    fields.append(Bag("genres", code["genres"].size, genres.shape[1]))
    if history:
        columns["history"] = _history(log, history)
        fields.append(Sequence("history", "item", history))
    tensors = {name: torch.tensor(column) for name, column in columns.items()}
    tensors["label"] = torch.from_numpy((log["rating"].to_numpy() >= LIKED).astype(np.float32))
    return Table(Schema(tuple(fields)), tensors, extra=_extra(log))


def ratings(ml: MovieLens, seed: int = 0) -> Table:
    """Every rating as a number to predict: fields user and item, label = stars, extra column timestamp (seconds)."""
    code = encoders(ml)
    log = _log(ml, seed)
    schema = Schema((Sparse("user", code["user"].size), Sparse("item", code["item"].size)))
    extra = _extra(log)
    label = extra.pop("rating")
    return Table(
        schema, {name: torch.tensor(log[name].to_numpy()) for name in ("user", "item")} | {"label": label}, extra
    )


def implicit(ml: MovieLens, negatives: int = 99, rng: np.random.Generator | None = None) -> Interactions:
    """Every rating as "has watched"; each user's last film held out, with `negatives` films never watched beside it.

    The protocol of He et al., "Neural Collaborative Filtering", WWW 2017, arXiv:1708.05031, section 4.1. Sampled
    metrics order models differently from the full ranking (Krichene and Rendle, KDD 2020), so Interactions serves both.

    rng  draws the order within ties and the negatives; a generator with seed 0 by default.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    code = encoders(ml)
    log = _log(ml, int(rng.integers(2**31)))
    shape = (code["user"].size, code["item"].size)
    return leave_one_out(log["user"].to_numpy(), log["item"].to_numpy(), shape, negatives, rng)


def sequences(
    ml: MovieLens, gap_minutes: float = 30, rng: np.random.Generator | None = None, shortest: int = 2
) -> list[np.ndarray]:
    """Sessions: one user's liked films (encoded ids, int64) in the order of time, cut at gaps of `gap_minutes`.

    MovieLens has no sessions of its own, and many of the steps inside these join films of one and the same second: the
    order is worth little, which films stand together is worth more. Sessions of fewer than `shortest` films are left
    out.

    rng  draws the order within ties; a generator with seed 0 by default.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    log = _log(ml, int(rng.integers(2**31)))
    liked = log[log["rating"] >= LIKED].sort_values("user", kind="stable")
    user, time = liked["user"].to_numpy(), liked["timestamp"].to_numpy()
    cuts = np.flatnonzero((np.diff(user) != 0) | (np.diff(time) > gap_minutes * 60)) + 1
    return [session for session in np.split(liked["item"].to_numpy(), cuts) if len(session) >= shortest]


def _log(ml: MovieLens, seed: int) -> pd.DataFrame:
    """The ratings with encoded user and item, in the order of time, ties shuffled."""
    code = encoders(ml)
    shuffled = ml.ratings.iloc[np.random.default_rng(seed).permutation(len(ml.ratings))]
    log = shuffled.sort_values("timestamp", kind="stable").reset_index(drop=True)
    return log.assign(user=code["user"].encode(log["user"]), item=code["item"].encode(log["item"]))


def _extra(log: pd.DataFrame) -> dict[str, torch.Tensor]:
    return {
        "rating": torch.tensor(log["rating"].to_numpy(dtype=np.float32)),
        "timestamp": torch.tensor(log["timestamp"].to_numpy(dtype=np.int64)),
    }


def _genres(ml: MovieLens, code: Encoder) -> np.ndarray:
    """(items, most genres of a film) ids, padded with 0."""
    bags = np.full((len(ml.items), max(1, int(ml.items["genres"].map(len).max()))), PAD, dtype=np.int64)
    for row, genres in enumerate(ml.items["genres"]):
        bags[row, : len(genres)] = code.encode(list(genres)) if genres else PAD
    return bags


def _history(log: pd.DataFrame, length: int) -> np.ndarray:
    """(N, length) ids of the films that the row's user liked strictly before the row's second, oldest first."""
    user, time = log["user"].to_numpy(), log["timestamp"].to_numpy()
    span = int(time.max()) + 1
    key = user * span + time  # orders by user, then by time
    liked = np.flatnonzero(log["rating"].to_numpy() >= LIKED)
    liked = liked[np.argsort(key[liked], kind="stable")]
    end = np.searchsorted(key[liked], key, side="left")  # likes of this second are not before it
    begin = np.maximum(np.searchsorted(key[liked], user * span, side="left"), end - length)
    places = begin[:, None] + np.arange(length)
    films = np.append(
        log["item"].to_numpy()[liked], PAD
    )  # the last stands behind every history, also where nobody likes any
    return np.where(places < end[:, None], films[np.minimum(places, len(liked))], PAD)
