"""Pairwise interactions of a chosen user and film, read from a trained model while its fields are switched on and off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rec_lib.data import movielens
from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.data.views import ctr
from rec_lib.figures.fm import Contributions, contributions_figure, summary
from rec_lib.layers import bi_interaction
from rec_lib.models import FM, NFM, DeepFM
from rec_lib.schema import PAD, Batch
from rec_lib.widgets.core import Panel, check_choice, choice, switch
from rec_lib.widgets.samples import USERS, Samples, briefly_trained, users_with


class Reader:
    """What a trained FM, DeepFM or NFM says about a user and a film of MovieLens, term by term.

    A field that is switched off gets the id PAD, which gives the model no vector and no weight. So the terms shown add
    up to the model's own output in every setting.

    Args:
        model: trained on ``table``'s schema.
        table: the rows of ``views.ctr(ml)``; users' and films' features are looked up in it.
        ml: for titles and raw ids.
        users: raw user ids to choose from.

    Raises:
        ValueError: the model belongs to another schema, or a user is not in the table.
    """

    def __init__(self, model: FM | DeepFM | NFM, table: Table, ml: MovieLens, users: Sequence[int] = USERS):
        if model.schema != table.schema:
            raise ValueError(
                "the model was built for another schema than the table's; build both from one views.ctr(ml)."
            )
        self.model = model.eval()
        self.fields = model.emb.field_names
        self.samples = Samples(table, ml, users)
        self.users, self.films = self.samples.users, self.samples.films
        self.scale = self._scale()

    @torch.no_grad()
    def _scale(self) -> float:
        """A colour scale that fits nearly all cells of the users and films to choose from."""
        users, films = list(self.users.values()), list(self.films.values())[::5]
        batch = self._batch([u for u in users for _ in films], films * len(users), (True,) * len(self.fields))
        v = self.model.emb(batch)  # (B, F, D)
        pairs = (v @ v.transpose(1, 2)).triu(1).abs().amax(dim=(1, 2))  # (B,)  the largest of each sample
        first = self.model.linear.w(batch).abs().amax(dim=(1, 2))  # (B,)
        return float(torch.quantile(torch.cat([pairs, first]), 0.95))

    def _batch(self, users: Sequence[int], films: Sequence[int], on: Sequence[bool]) -> Batch:
        """One row a user and film, with the user's and the film's features; PAD where a field is off."""
        given = self.samples.batch(users, films)
        batch = {name: given[name] for name in self.fields}
        return {n: t if here else torch.full_like(t, PAD) for (n, t), here in zip(batch.items(), on, strict=True)}

    @torch.no_grad()
    def _terms(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, float | None]:
        v = self.model.emb(batch)  # (1, F, D)
        first = self.model.linear.w(batch)[0, :, 0]  # (F,)
        pairs = (v[0] @ v[0].T).fill_diagonal_(0)  # (F, F)
        network = None
        if isinstance(self.model, DeepFM):
            network = self.model.mlp(self.model.emb.flat(v, batch)).item()
        elif isinstance(self.model, NFM):
            network = self.model.mlp(self.model.pool(bi_interaction(v))).item()
        return first.double().numpy(), pairs.double().numpy(), network

    @torch.no_grad()
    def compute(self, user: str, film: str, **on: bool) -> Contributions:
        """The terms of one sample.

        Args:
            user: one of ``users``.
            film: one of ``films``.
            **on: for each field, whether it is there.

        Raises:
            ValueError: a user or film that cannot be chosen, or fields other than the model's.
        """
        check_choice("user", user, self.users)
        check_choice("film", film, self.films)
        if set(on) != set(self.switches.values()):
            raise ValueError(f"switches got {sorted(on)}, expected one for each of {sorted(self.switches.values())}.")
        present = tuple(bool(on[self.switches[name]]) for name in self.fields)
        batch = self._batch([self.users[user]], [self.films[film]], present)
        first, pairs, network = self._terms(batch)
        return Contributions(
            title=f"{user} · {film}",
            fields=self.fields,
            present=present,
            first=first,
            pairs=pairs,
            bias=self.model.linear.w0.item(),
            network=network,
            logit=self.model(batch).item(),
            scale=self.scale,
            pairs_add=not isinstance(self.model, NFM),
            note=self.samples.note(self.users[user], self.films[film]),
        )

    @property
    def switches(self) -> dict[str, str]:
        """Field → name of its switch; "user" and "film" are the names of the lists."""
        return {name: f"{name}_on" for name in self.fields}


def interactions_panel(
    model: FM | DeepFM | NFM,
    table: Table,
    ml: MovieLens,
    film: str = "Sleepless in Seattle (1993)",
    user: int = USERS[0],
) -> Panel:
    """The panel: two lists and a switch a field; matrix of pairs, sums of the parts, predicted probability."""
    users = users_with(user)
    reader = Reader(model, table, ml, users)
    controls = {
        "user": choice("user 用户", reader.users.keys(), f"user {user}"),
        "film": choice("film 电影", reader.films.keys(), film if film in reader.films else next(iter(reader.films))),
    }
    for name, control in reader.switches.items():
        controls[control] = switch(f"{name} on", True)
        controls[control].layout = {"width": "132px"}
    return Panel(controls, reader.compute, contributions_figure, summary)


def demo() -> Panel:
    """The panel of a DeepFM trained for two epochs on MovieLens-100K."""
    ml = movielens.load("ml-100k")
    table = ctr(ml)
    return interactions_panel(briefly_trained(DeepFM, table), table, ml)
