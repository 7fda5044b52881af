"""A search for Simpson's paradox in MovieLens-100K: every comparison that was looked at, not only the one that is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rec_lib.data import views
from rec_lib.data.movielens import MovieLens
from rec_lib.evaluation.simpson import compare
from rec_lib.schema import FIRST

YOUNG = 25  # years; below it a user counts as young


@dataclass(frozen=True)
class Rows:
    """MovieLens ratings for comparisons: `liked (N,)` 0/1, what is compared (name → (N,) 0/1), and groups (name → (N,))."""

    liked: NDArray
    sides: dict[str, NDArray]
    groups: dict[str, NDArray]


def rows_of(ml: MovieLens) -> Rows:
    """Who and what may be compared, and within which groups."""
    table = views.ctr(ml)
    user, film = table["user"].numpy() - FIRST, table["item"].numpy() - FIRST
    year = ml.items["year"].to_numpy()[film]
    genres = {g: ml.items["genres"].map(lambda of, g=g: g in of).to_numpy()[film] for g in _genres(ml)}
    young = (ml.users["age"].to_numpy() < YOUNG)[user]
    women = (ml.users["gender"] == "F").to_numpy()[user]
    sides = {"young viewers": young, "women": women, "films before 1980": year < 1980} | genres
    bracket = {"fewer than 10": 10, "10 to 49": 50, "50 to 199": 200}
    shown, seen = (np.bincount(ids)[ids] for ids in (film, user))
    groups = {
        "film": film,
        "user": user,
        "decade": np.unique(year // 10, return_inverse=True)[1],
        "age": table["age"].numpy(),
        "occupation": table["occupation"].numpy(),
        "gender": table["gender"].numpy(),
        "film's ratings": np.searchsorted(list(bracket.values()), shown, side="right"),
        "user's ratings": np.searchsorted(list(bracket.values()), seen, side="right"),
    } | {name: side.astype(np.int64) for name, side in genres.items()}
    return Rows(
        table["label"].numpy().astype(float), {name: side.astype(float) for name, side in sides.items()}, groups
    )


def search(rows: Rows) -> pd.DataFrame:
    """Every side within every group where some group has both: pooled and within difference, and both in standard errors.

    The standard errors ("z_pooled", "z_within") are those of independent rows, which ratings are not.
    """
    found = []
    for side, x in rows.sides.items():
        for group, g in rows.groups.items():
            one = compare(rows.liked, x, g)
            if side == group or np.isnan(one.within):
                continue
            pooled_error, within_error = independent_errors(rows.liked, x, g)
            found.append((side, group, one.pooled, one.within, one.pooled / pooled_error, one.within / within_error))
    table = pd.DataFrame(found, columns=["compared", "within", "pooled", "inside", "z_pooled", "z_within"])
    return table.assign(reversed=table["pooled"] * table["inside"] < 0)


def independent_errors(y: NDArray, x: NDArray, group: NDArray) -> tuple[float, float]:
    """Standard errors of the pooled and of the within-group difference, if every row were a person of its own."""

    def variances(g: NDArray) -> tuple[NDArray, NDArray]:
        n = np.stack([np.bincount(g, 1 - x), np.bincount(g, x)])
        share = np.stack([np.bincount(g, (1 - x) * y), np.bincount(g, x * y)]) / np.maximum(n, 1)
        both = n.min(axis=0) > 0
        return (share * (1 - share) / np.maximum(n, 1)).sum(axis=0)[both], (n.prod(axis=0) / n.sum(axis=0).clip(1))[
            both
        ]

    pooled, _ = variances(np.zeros(len(y), np.int64))
    within, weight = variances(group)
    return float(np.sqrt(pooled[0])), float(np.sqrt((weight**2 * within).sum()) / weight.sum())


def _genres(ml: MovieLens) -> list[str]:
    return sorted({genre for genres in ml.items["genres"] for genre in genres} - {"unknown"})
