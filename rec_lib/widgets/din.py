"""The history of a user of MovieLens as a candidate film sees it, read from a trained DIN."""

from __future__ import annotations

from collections.abc import Sequence as Several

import numpy as np
import torch
from torch import Tensor

from rec_lib.data import movielens
from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.data.views import ctr, item_titles
from rec_lib.figures.din import Weights, summary, weights_figure
from rec_lib.models.din import DIN
from rec_lib.schema import PAD
from rec_lib.widgets.core import Panel, check_choice, choice
from rec_lib.widgets.samples import USERS, Samples, briefly_trained, users_with


class HistoryReader:
    """The weights of a user's last liked films, for any candidate to choose from.

    Args:
        model: trained on ``table``'s schema, which has one history.
        table: the rows of ``views.ctr(ml, history=T)``, oldest first.
        ml: for titles and raw ids.
        users: raw user ids to choose from; each with the history before the last of the user's rows.

    Raises:
        ValueError: the model belongs to another schema, or a user is not in the table.
    """

    def __init__(self, model: DIN, table: Table, ml: MovieLens, users: Several[int] = USERS):
        if model.schema != table.schema:
            raise ValueError(
                "the model was built for another schema than the table's; build both from one views.ctr(ml, history=T)."
            )
        self.model = model.eval()
        newest_first = table.rows(torch.arange(len(table) - 1, -1, -1))
        self.samples = Samples(newest_first, ml, users)
        self.users, self.films = self.samples.users, self.samples.films
        self.titles = item_titles(ml)
        (self.history,) = (s.name for s in model.schema.sequences)
        every = torch.cat([self._weights(u, list(self.films.values()))[0].abs().flatten() for u in self.users.values()])
        self.scale = 1.15 * float(every.max())

    @torch.no_grad()
    def _weights(self, user: int, films: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Weights (films, T), ids of the history (T,), probabilities (films,)."""
        batch = self.samples.batch([user] * len(films), films)
        ((weights, _),) = self.model.activations(self.model.emb(batch), batch)
        return weights, batch[self.history][0], self.model.predict_proba(batch)

    def compute(self, user: str, film: str, other: str) -> Weights:
        """Weights of two candidates over one history, newest film first.

        Raises:
            ValueError: a value that cannot be chosen; the message names the control.
        """
        check_choice("user", user, self.users)
        check_choice("film", film, self.films)
        check_choice("other", other, self.films)
        weights, ids, p = self._weights(self.users[user], [self.films[film], self.films[other]])
        real = ids != PAD
        order = torch.cat([real.nonzero().flatten().flip(0), (~real).nonzero().flatten()])
        shown = torch.where(real, weights, torch.nan)[:, order].double().numpy()
        return Weights(
            user=user,
            candidate=film,
            compared=other,
            history=tuple(self.titles[i] if i != PAD else "" for i in ids[order].tolist()),
            weights=np.asarray(shown[0]),
            other=np.asarray(shown[1]),
            p=(float(p[0]), float(p[1])),
            scale=self.scale,
            note=self.samples.note(self.users[user], self.films[film]),
        )


def history_panel(
    model: DIN,
    table: Table,
    ml: MovieLens,
    film: str = "Star Wars (1977)",
    other: str = "Sleepless in Seattle (1993)",
    user: int = USERS[0],
) -> Panel:
    """The panel: a user, a candidate film, and another candidate beside it."""
    reader = HistoryReader(model, table, ml, users_with(user))
    first = next(iter(reader.films))
    controls = {
        "user": choice("user 用户", reader.users.keys(), f"user {user}"),
        "film": choice("candidate 候选影片", reader.films.keys(), film if film in reader.films else first),
        "other": choice("another candidate (◇)", reader.films.keys(), other if other in reader.films else first),
    }
    return Panel(controls, reader.compute, weights_figure, summary)


def demo() -> Panel:
    """The panel of a DIN trained for two epochs on MovieLens-100K."""
    ml = movielens.load("ml-100k")
    table = ctr(ml, history=20)
    return history_panel(briefly_trained(DIN, table), table, ml)
