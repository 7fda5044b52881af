"""A negative for each behaviour of a history, drawn where the samples are made: a loss that draws is another function each time.

Source  Zhou et al., "Deep Interest Evolution Network for Click-Through Rate Prediction", AAAI 2019, arXiv:1809.03672: below eq. 6.
"""

from __future__ import annotations

import numpy as np
import torch

from rec_lib.data.table import Table
from rec_lib.schema import FIRST, PAD, Schema, Sequence

NEGATIVES = "negatives"  # name of the column


def with_negatives(table: Table, rng: np.random.Generator, history: str = "history") -> Table:
    """The table with one more Sequence, "negatives" (N, T): beside each id of the history another one, drawn evenly.

    A negative may be any real id of the vocabulary but the one that it stands beside; padding stays padding.

    Raises:
        ValueError: `history` is no Sequence, its vocabulary has only one real id, or the table has negatives already.
    """
    field = next((s for s in table.schema.sequences if s.name == history), None)
    if field is None or table.schema.size(field.of) < FIRST + 2 or NEGATIVES in table.columns:
        raise ValueError(
            f"got history={history!r} of {table!r}; expected a Sequence over two real ids or more, and no {NEGATIVES!r} yet."
        )
    clicked = table[history].numpy()
    known = clicked >= FIRST
    drawn = rng.integers(FIRST, table.schema.size(field.of) - known)  # one place short beside a known id …
    drawn += known & (drawn >= clicked)  # … because that one is stepped over
    schema = Schema((*table.schema.fields, Sequence(NEGATIVES, field.of, field.maxlen)))
    return Table(
        schema, table.columns | {NEGATIVES: torch.from_numpy(np.where(clicked == PAD, PAD, drawn))}, table.extra
    )
