"""More features for a table of clicks: the moment of a row, and products of two fields made by hand (手工特征组合).

What section 2.4 feeds to logistic regression, which adds features up and forms no products of its own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rec_lib.data.table import Table
from rec_lib.schema import FIRST, PAD, Bag, Field, Schema, Sparse

DAY = 86_400  # seconds


def only(table: Table, names: tuple[str, ...]) -> Table:
    """The table with these fields and no others; labels and extra columns stay.

    Raises:
        KeyError: a field that the table does not have.
    """
    fields = tuple(table.schema[name] for name in names)
    columns = {name: table[name] for name in (*names, "label")}
    return Table(Schema(fields), columns, table.extra)


def with_moment(table: Table) -> Table:
    """Adds what is known of the moment: hour (0–23, UTC), weekday, and how many rows user and item had before it.

    The counts are rows of any label that stand earlier in the table, in powers of two: "user_rows" and "item_rows". The
    table must be in the order of time and have the extra column "timestamp" (seconds).

    Raises:
        ValueError: rows that are not in the order of time.
    """
    time = table["timestamp"]
    if bool((time[1:] < time[:-1]).any()):
        raise ValueError("the rows are not in the order of time; counts of earlier rows need it. Sort them first.")
    columns: dict[str, Tensor] = {"hour": time // 3600 % 24, "weekday": time // DAY % 7}
    for name in ("user", "item"):
        before = pd.Series(table[name].numpy()).groupby(table[name].numpy()).cumcount().to_numpy()
        columns[f"{name}_rows"] = torch.from_numpy(np.floor(np.log2(before + 1)).astype(np.int64))  # 0, 1–2, 3–6, …
    return _extended(table, {name: (Sparse(name, int(c.max()) + 1 + FIRST), c + FIRST) for name, c in columns.items()})


def crossed(table: Table, *pairs: tuple[str, str]) -> Table:
    """Adds one field for each pair (a, b): a value for each combination, called "a*b". b may be a bag, the result is then one.

    Raises:
        ValueError: a first field that is not Sparse, or a second that has no ids or is a history.
    """
    new: dict[str, tuple[Field, Tensor]] = {}
    for a, b in pairs:
        first, second = table.schema[a], table.schema[b]
        if not isinstance(first, Sparse) or not isinstance(second, Sparse | Bag):
            raise ValueError(f"{a}*{b}: expected a Sparse field and a Sparse or Bag, got {first} and {second}.")
        x, y = table[a], table[b]
        x = x if y.dim() == 1 else x.unsqueeze(1)
        ids = FIRST + (x - 1) * (second.size - 1) + (y - 1)  # unknown values (1) take part, padding (0) does not
        ids = torch.where((x == PAD) | (y == PAD), PAD, ids)
        size, name = FIRST + (first.size - 1) * (second.size - 1), f"{a}*{b}"
        field: Field = Sparse(name, size) if isinstance(second, Sparse) else Bag(name, size, second.maxlen)
        new[name] = (field, ids)
    return _extended(table, new)


def _extended(table: Table, new: dict[str, tuple[Field, Tensor]]) -> Table:
    fields = (*table.schema.fields, *(field for field, _ in new.values()))
    columns = {f.name: table[f.name] for f in table.schema.fields} | {name: ids for name, (_, ids) in new.items()}
    return Table(Schema(fields), columns | {"label": table["label"]}, table.extra)
