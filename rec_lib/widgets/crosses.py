"""The weight of every pair of fields for a chosen user and film: POLY2's own numbers beside FM's inner products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from rec_lib.data import movielens
from rec_lib.data.movielens import MovieLens
from rec_lib.data.table import Table
from rec_lib.data.views import ctr
from rec_lib.evaluation import auc_on, random_split
from rec_lib.figures.crosses import Side, TwoViews, two_views_figure, two_views_summary
from rec_lib.models import FM, POLY2, CTRModel
from rec_lib.schema import PAD, Batch
from rec_lib.training import fit
from rec_lib.widgets.core import Panel, check_choice, choice, steps
from rec_lib.widgets.samples import ROMANTIC_COMEDIES, USERS, Samples

DIMS = (1, 2, 4, 8, 16)
LR, WEIGHT_DECAY = 3e-3, 1e-4  # the recipe of FM with 16 numbers in experiments/fm.py; for POLY2 a tie with its best


class Reader:
    """What POLY2 and FMs of several dimensions say about a user and a film of MovieLens, pair by pair.

    Args:
        poly2: without a hash, so that a pair that never occurred keeps its weight of 0 and does not borrow another's.
        fms: dimension → FM.
        train: the rows that all of them were trained on; pairs are counted in it.
        valid: rows to tell the models' AUC by.
        table: all rows of ``views.ctr(ml)``.
        ml: for titles and raw ids.

    Raises:
        ValueError: models of another schema, a hashed POLY2, or no FM.
    """

    def __init__(self, poly2: POLY2, fms: Mapping[int, FM], train: Table, valid: Table, table: Table, ml: MovieLens):
        if not fms or any(model.schema != table.schema for model in (poly2, *fms.values())):
            raise ValueError(
                "expected POLY2 and at least one FM, all built for the table's schema; build them from one views.ctr(ml)."
            )
        if poly2.buckets is not None:
            raise ValueError(f"got POLY2 with buckets={poly2.buckets}; expected buckets=None, a weight for every pair.")
        self.poly2, self.fms, self.train = poly2.eval(), {d: m.eval() for d, m in sorted(fms.items())}, train
        self.samples = Samples(table, ml, USERS)
        self.users, self.films = self.samples.users, self.samples.films
        self.fields = tuple(f.name for f in table.schema.embedded)
        auc = auc_on(valid)
        self.valid = {0: auc(poly2)} | {d: auc(model) for d, model in self.fms.items()}
        self.place_of = torch.tensor(
            [i for i, f in enumerate(table.schema.embedded) for _ in range(getattr(f, "maxlen", 1))]
        )
        self.scale = self._scale()

    @torch.no_grad()
    def _poly2(self, batch: Batch) -> Side:
        ids, x = self.poly2.features(batch)  # (1, K)
        left, right = self.poly2.left, self.poly2.right
        w = self.poly2.w[self.poly2.rows(ids)[0]] * x[0, left] * x[0, right]  # (P,)
        pairs = torch.zeros(len(self.fields), len(self.fields), dtype=torch.float64)
        pairs.index_put_((self.place_of[left], self.place_of[right]), w.double(), accumulate=True)
        return _side("POLY2", self.poly2, batch, pairs + pairs.T, self.valid[0])

    @torch.no_grad()
    def _fm(self, batch: Batch, dim: int) -> Side:
        v = self.fms[dim].emb(batch)[0].double()  # (F, D)
        return _side(f"FM, k = {dim}", self.fms[dim], batch, (v @ v.T).fill_diagonal_(0), self.valid[dim])

    def _together(self, batch: Batch) -> np.ndarray:
        """(F, F) training rows in which two fields have the sample's values; of a bag one value in common is enough."""
        has = []
        for name in self.fields:
            column, wanted = self.train[name], batch[name][0]
            if column.dim() == 1:
                has.append(column == wanted)
            else:
                real = wanted[wanted != PAD]
                has.append(
                    torch.stack([(column == value).any(1) for value in real]).any(0) if len(real) else column[:, 0] < 0
                )
        rows = torch.stack(has).float()  # (F, N)
        return (rows @ rows.T).round().long().numpy()

    def _scale(self) -> float:
        """A colour scale that fits nearly all cells."""
        batches = [self.samples.batch([u], [f]) for u in self.users.values() for f in list(self.films.values())[::12]]
        dim = max(self.fms)
        cells = [np.abs(s.pairs).max() for b in batches for s in (self._poly2(b), self._fm(b, dim))]
        return float(np.quantile(cells, 0.9))

    def compute(self, user: str, film: str, dim: int) -> TwoViews:
        """Both views of one sample.

        Args:
            user: one of ``users``.
            film: one of ``films``.
            dim: one of the FMs' dimensions.

        Raises:
            ValueError: a value that cannot be chosen.
        """
        check_choice("user", user, self.users)
        check_choice("film", film, self.films)
        check_choice("dim", dim, self.fms)
        batch = self.samples.batch([self.users[user]], [self.films[film]])
        return TwoViews(
            title=f"{user} · {film}",
            fields=self.fields,
            poly2=self._poly2(batch),
            fm=self._fm(batch, dim),
            together=self._together(batch),
            watched=(self.fields.index("user"), self.fields.index("item")),
            scale=self.scale,
            note=self.samples.note(self.users[user], self.films[film]),
        )


def _side(name: str, model: POLY2 | FM, batch: Batch, pairs: Tensor, valid: float) -> Side:
    first = model.linear.w(batch)[0, :, 0].double().numpy()  # (F,)
    return Side(name, first, pairs.numpy(), model.linear.w0.item(), valid)


def train_family(
    train: Table, valid: Table, dims: Sequence[int] = DIMS, epochs: int = 12, seed: int = 0, progress: bool = False
) -> tuple[POLY2, dict[int, FM]]:
    """POLY2 without a hash and an FM of each dimension, each from the same seed; the caller's random state is untouched."""

    def trained(model: CTRModel) -> None:
        fit(
            model,
            train,
            optimizers=[torch.optim.Adam(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)],
            epochs=epochs,
            validate=auc_on(valid),
            patience=2,
            seed=seed,
            progress=progress,
        )

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        poly2 = POLY2(train.schema, buckets=None)
        trained(poly2)
        fms = {}
        for dim in dims:
            torch.manual_seed(seed)
            fms[dim] = FM(train.schema, dim)
            trained(fms[dim])
    return poly2, fms


def crosses_panel(
    poly2: POLY2, fms: Mapping[int, FM], train: Table, valid: Table, table: Table, ml: MovieLens
) -> Panel:
    """The panel: two lists, the dimension as a slider; two squares of weights."""
    reader = Reader(poly2, fms, train, valid, table, ml)
    film = ROMANTIC_COMEDIES[0]
    controls = {
        "user": choice("user 用户", reader.users, f"user {USERS[0]}"),
        "film": choice("film 电影", reader.films, film if film in reader.films else next(iter(reader.films))),
        "dim": steps("FM's k (numbers a vector)", reader.fms, max(reader.fms)),
    }
    return Panel(controls, reader.compute, two_views_figure, two_views_summary)


def demo() -> Panel:
    """The panel of models trained for one epoch on MovieLens-100K."""
    ml = movielens.load("ml-100k")
    table = ctr(ml)
    train, valid, _ = (table.rows(index) for index in random_split(len(table), seed=0))
    return crosses_panel(*train_family(train, valid, (1, 4, 16), epochs=1), train, valid, table, ml)
