"""What panels over MovieLens share: users and films to choose from, with their features, and a model for a demo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.data.views import encoders, item_titles
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema
from rec_lib.training import fit

# raw ids: 354 is the user of 3.7.2, the others are among those with the most ratings
USERS = (354, 13, 92, 130, 222, 276, 279, 293, 405, 416, 450, 655)
ROMANTIC_COMEDIES = (
    "Sleepless in Seattle (1993)",
    "While You Were Sleeping (1995)",
    "My Best Friend's Wedding (1997)",
    "Muriel's Wedding (1994)",
    "Strictly Ballroom (1992)",
)  # user 354 gave the first three 2 stars, the last two 5
N_FILMS = 60  # to choose from: those with the most ratings
OF_FILM = ("item", "year", "genres")
M = TypeVar("M", bound=CTRModel)


def users_with(user: int) -> tuple[int, ...]:
    """USERS, led by this one (a raw id) if it is not among them."""
    return USERS if user in USERS else (user, *USERS)


def briefly_trained(make: Callable[[Schema], M], table: Table) -> M:
    """A model of the table's schema after two epochs, for a demo; the caller's random state is untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = make(table.schema)
        fit(
            model,
            table,
            optimizers=[torch.optim.Adam(model.parameters(), lr=3e-3, fused=True)],
            epochs=2,
            progress=False,
        )
    return model


class Samples:
    """Any pair of a user and a film as a sample, whether the user rated the film or not.

    Args:
        table: the rows of ``views.ctr(ml)``; users' and films' features are looked up in it.
        ml: for titles and raw ids.
        users: raw user ids to choose from.

    Attributes:
        users, films: label → encoded id.

    Raises:
        ValueError: a user who is not in the table.
    """

    def __init__(self, table: Table, ml: MovieLens, users: Sequence[int] = USERS):
        self.table = table
        user_code = encoders(ml)["user"]
        self.users = {f"user {raw}": int(user_code.encode(raw)) for raw in users}
        ids, counts = table["item"].unique(return_counts=True)
        titles = item_titles(ml)
        popular = ids[counts.argsort(descending=True, stable=True)[:N_FILMS]].tolist()
        known = [i for i, title in enumerate(titles) if title in ROMANTIC_COMEDIES and bool((ids == i).any())]
        self.films = dict(sorted((titles[i], i) for i in {*popular, *known}))
        self._user_row = {i: self._first("user", i) for i in self.users.values()}
        self._film_row = {i: self._first("item", i) for i in self.films.values()}
        self._stars = self._ratings()

    def _first(self, name: str, i: int) -> int:
        rows = (self.table[name] == i).nonzero()
        if not len(rows):
            raise ValueError(f"{name} with id {i} has no row in the table; choose one that has.")
        return int(rows[0])

    def _ratings(self) -> dict[tuple[int, int], int]:
        """(user, film) → stars, for the pairs that can be chosen."""
        if "rating" not in self.table.extra:
            return {}
        user, film = self.table["user"], self.table["item"]
        chosen = torch.isin(user, torch.tensor(list(self._user_row))) & torch.isin(
            film, torch.tensor(list(self._film_row))
        )
        stars = self.table["rating"][chosen].int().tolist()
        return dict(zip(zip(user[chosen].tolist(), film[chosen].tolist(), strict=True), stars, strict=True))

    def batch(self, users: Sequence[int], films: Sequence[int]) -> Batch:
        """One row a user and film (encoded ids), with the user's and the film's features."""
        of_user = self.table.batch(torch.tensor([self._user_row[i] for i in users]))
        of_film = self.table.batch(torch.tensor([self._film_row[i] for i in films]))
        return {f.name: (of_film if f.name in OF_FILM else of_user)[f.name] for f in self.table.schema.fields}

    def note(self, user: int, film: int) -> str:
        """What the data says of the pair."""
        stars = self._stars.get((user, film))
        return f"In the data: {stars} of 5 stars." if stars else "In the data: not rated."
