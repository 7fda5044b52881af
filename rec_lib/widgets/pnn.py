"""The products of one sample of MovieLens, read from a trained model: inner products beside the outer product of a pair."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rec_lib.data import movielens
from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.data.views import ctr
from rec_lib.figures.pnn import Products, products_figure, summary
from rec_lib.models.pnn import IPNN, OPNN
from rec_lib.widgets.core import Panel, check_choice, choice, switch
from rec_lib.widgets.samples import USERS, Samples, briefly_trained, users_with


class ProductReader:
    """Products of the field vectors of any user and film to choose from.

    Args:
        model: trained on ``table``'s schema.
        table: the rows of ``views.ctr(ml)``.
        ml: for titles and raw ids.
        users: raw user ids to choose from.

    Raises:
        ValueError: the model belongs to another schema, or a user is not in the table.
    """

    def __init__(self, model: IPNN | OPNN, table: Table, ml: MovieLens, users: Sequence[int] = USERS):
        if model.schema != table.schema:
            raise ValueError(
                "the model was built for another schema than the table's; build both from one views.ctr(ml)."
            )
        self.model = model.eval()
        self.fields = model.emb.field_names
        self.samples = Samples(table, ml, users)
        self.users, self.films = self.samples.users, self.samples.films
        self._scales = self._find_scales()

    @torch.no_grad()
    def _find_scales(self) -> tuple[float, float, float]:
        """Colour scales that fit nearly all cells: of inner products, of one pair's outer product, of the sum over pairs."""
        users, films = list(self.users.values()), list(self.films.values())[::5]
        f = self.model.emb(self.samples.batch([u for u in users for _ in films], films * len(users)))  # (B, N, M)
        s = f.sum(dim=1)  # (B, M)
        return _end(f @ f.mT), _end(f[:, 0].unsqueeze(2) * f[:, 1].unsqueeze(1)), _end(s.unsqueeze(2) * s.unsqueeze(1))

    @torch.no_grad()
    def compute(self, user: str, film: str, first: str, second: str, summed: bool) -> Products:
        """Inner products of all fields; the outer product of two of them, or summed over all pairs.

        Raises:
            ValueError: a value that cannot be chosen; the message names the control.
        """
        for name, value, options in (
            ("user", user, self.users), ("film", film, self.films), ("first", first, self.fields), ("second", second, self.fields),
        ):  # fmt: skip
            check_choice(name, value, options)
        f = self.model.emb(self.samples.batch([self.users[user]], [self.films[film]]))[0].double()  # (N, M)
        pair = self.fields.index(first), self.fields.index(second)
        left, right = (f.sum(dim=0), f.sum(dim=0)) if summed else (f[pair[0]], f[pair[1]])
        return Products(
            title=f"{user} · {film}",
            fields=self.fields,
            inner=(f @ f.T).numpy(),
            outer=torch.outer(left, right).numpy(),
            pair=pair,
            summed=bool(summed),
            scales=(self._scales[0], self._scales[2] if summed else self._scales[1]),
            note=self.samples.note(self.users[user], self.films[film]),
        )


def _end(values: torch.Tensor) -> float:
    return float(torch.quantile(values.abs().flatten()[:100_000], 0.98))


def products_panel(
    model: IPNN | OPNN, table: Table, ml: MovieLens, film: str = "Sleepless in Seattle (1993)", user: int = USERS[0]
) -> Panel:
    """The panel: a user, a film, two fields, and a switch between their outer product and the sum over all pairs."""
    reader = ProductReader(model, table, ml, users_with(user))
    controls = {
        "user": choice("user 用户", reader.users.keys(), f"user {user}"),
        "film": choice("film 电影", reader.films.keys(), film if film in reader.films else next(iter(reader.films))),
        "first": choice("field i 特征域", reader.fields, reader.fields[0]),
        "second": choice("field j 特征域", reader.fields, reader.fields[1]),
        "summed": switch("add up all pairs (OPNN)", False),
    }
    return Panel(controls, reader.compute, products_figure, summary)


def demo() -> Panel:
    """The panel of an IPNN trained for two epochs on MovieLens-100K."""
    ml = movielens.load("ml-100k")
    table = ctr(ml)
    return products_panel(briefly_trained(IPNN, table), table, ml)
