"""The attention of one sample of MovieLens over its pairs of fields, read from a trained AFM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rec_lib.data import movielens
from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.data.views import ctr
from rec_lib.figures.afm import Attention, attention_figure, summary
from rec_lib.layers.attention import masked_softmax
from rec_lib.models.afm import AFM
from rec_lib.schema import Batch
from rec_lib.widgets.core import Panel, check_choice, check_range, choice, slider
from rec_lib.widgets.samples import USERS, Samples, briefly_trained, users_with

SHARPEST = 8.0


class AttentionReader:
    """Attention over the pairs for any user and film to choose from.

    Args:
        model: trained on ``table``'s schema.
        table: the rows of ``views.ctr(ml)``.
        ml: for titles and raw ids.
        users: raw user ids to choose from.

    Raises:
        ValueError: the model belongs to another schema, or a user is not in the table.
    """

    def __init__(self, model: AFM, table: Table, ml: MovieLens, users: Sequence[int] = USERS):
        if model.schema != table.schema:
            raise ValueError(
                "the model was built for another schema than the table's; build both from one views.ctr(ml)."
            )
        self.model = model.eval()
        self.fields = model.emb.field_names
        self.samples = Samples(table, ml, users)
        self.users, self.films = self.samples.users, self.samples.films
        every = [(u, i) for u in self.users.values() for i in list(self.films.values())[::5]]
        batch = self.samples.batch([u for u, _ in every], [i for _, i in every])
        share, added = self._read(batch, 1.0)
        self.scales = max(2.0, float(share.quantile(0.99))), float(added.abs().quantile(0.99))

    @torch.no_grad()
    def _read(self, batch: Batch, sharpness: float) -> tuple[Tensor, Tensor]:
        """Attention in even shares (B, P), and what the pairs add to the logit (B, P)."""
        pairs = self.model.pairs(self.model.emb(batch))  # (B, P, D)
        learnt = self.model.attention(pairs, batch)  # (B, P)
        there = learnt > 0
        a = masked_softmax(sharpness * learnt.clamp(min=1e-30).log(), there)  # scores, up to a constant
        return a * there.sum(dim=1, keepdim=True), a * (pairs @ self.model.p)

    @torch.no_grad()
    def compute(self, user: str, film: str, sharpness: float) -> Attention:
        """Shares and contributions of all pairs, the scores multiplied by ``sharpness`` before the softmax.

        Raises:
            ValueError: a value that cannot be chosen; the message names the control.
        """
        check_choice("user", user, self.users)
        check_choice("film", film, self.films)
        check_range("sharpness", sharpness, 0, SHARPEST)
        batch = self.samples.batch([self.users[user]], [self.films[film]])
        share, added = self._read(batch, sharpness)
        _, even = self._read(batch, 0.0)
        linear = float(self.model.linear(batch))
        return Attention(
            title=f"{user} · {film}",
            fields=self.fields,
            share=self._table(share[0]),
            added=self._table(added[0]),
            scales=self.scales,
            logit=linear + float(added.sum()),
            even_logit=linear + float(even.sum()),
            sharpness=float(sharpness),
            note=self.samples.note(self.users[user], self.films[film]),
        )

    def _table(self, values: Tensor) -> np.ndarray:
        table = np.full((len(self.fields),) * 2, np.nan)
        i, j = self.model.first.numpy(), self.model.second.numpy()
        table[i, j] = table[j, i] = values.numpy()
        return table


def attention_panel(
    model: AFM, table: Table, ml: MovieLens, film: str = "Sleepless in Seattle (1993)", user: int = USERS[0]
) -> Panel:
    """The panel: a user, a film, and how sharply the scores are turned into shares."""
    reader = AttentionReader(model, table, ml, users_with(user))
    controls = {
        "user": choice("user 用户", reader.users.keys(), f"user {user}"),
        "film": choice("film 电影", reader.films.keys(), film if film in reader.films else next(iter(reader.films))),
        "sharpness": slider("scores × (0 = even, 1 = as learnt)", 0.0, SHARPEST, 1.0, 0.5),
    }
    return Panel(controls, reader.compute, attention_figure, summary)


def demo() -> Panel:
    """The panel of an AFM trained for two epochs on MovieLens-100K."""
    ml = movielens.load("ml-100k")
    table = ctr(ml)
    return attention_panel(briefly_trained(AFM, table), table, ml)
