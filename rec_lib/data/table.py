"""The in-memory batch source: whole columns as tensors, a batch is a slice of them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from rec_lib.schema import OOV, Bag, Batch, Dense, Schema, Sequence, Sparse


class Table:
    """Samples in memory. Everything is checked here, once; models trust what a Table gives them.

    Args:
        schema: the fields; each needs a column, and so does the label.
        columns: ``{field: (N,) or (N, T) tensor}`` and ``label (N,)`` float.
        extra: more columns of N rows that travel along (time stamps, true probabilities) and are not part of a batch.
        unknown: what an id outside its field becomes: ``"error"`` refuses it, ``"oov"`` replaces it by OOV.

    Raises:
        TypeError: a column that is no tensor.
        ValueError: a missing or surplus column, a wrong shape or dtype, an id outside its field, a NaN in a number.
    """

    def __init__(
        self,
        schema: Schema,
        columns: dict[str, Tensor],
        extra: dict[str, Tensor] | None = None,
        unknown: str = "error",
    ):
        if unknown not in ("error", "oov"):
            raise ValueError(f"unknown={unknown!r}: expected 'error' or 'oov'.")
        wanted = [f.name for f in schema.fields] + ["label"]
        if set(columns) != set(wanted):
            raise ValueError(
                f"columns do not fit the schema: missing {sorted(set(wanted) - set(columns))}, "
                f"surplus {sorted(set(columns) - set(wanted))}. Pass surplus ones as extra=."
            )
        for name, column in {**columns, **(extra or {})}.items():
            if not isinstance(column, Tensor):
                raise TypeError(f"column {name!r} is a {type(column).__name__}; expected a tensor. Use torch.tensor().")
            if column.dim() == 0:
                raise ValueError(
                    f"column {name!r} is a single number; expected one value, or one row of ids, a sample."
                )
        self.schema = schema
        n = len(columns["label"])
        self.columns = {f.name: _checked(schema, f, columns[f.name], n, unknown) for f in schema.fields}
        self.columns["label"] = _numbers("label", columns["label"], n)
        self.extra = dict(extra or {})
        for name, column in self.extra.items():
            if len(column) != n or name in self.columns:
                raise ValueError(
                    f"extra column {name!r}: got {len(column)} rows; expected {n}, under a name of its own."
                )

    def __len__(self) -> int:
        return len(self.columns["label"])

    def __repr__(self) -> str:
        return f"Table({len(self):,} rows: {', '.join(f.name for f in self.schema.fields)})"

    def __getitem__(self, name: str) -> Tensor:
        """A whole column, extras included."""
        if name in self.columns:
            return self.columns[name]
        if name in self.extra:
            return self.extra[name]
        raise KeyError(f"no column {name!r}; there are {[*self.columns, *self.extra]}")

    def rows(self, index: Tensor) -> Table:
        """The table of these rows (int64 positions or a boolean mask)."""
        return self._with({k: v[index] for k, v in self.columns.items()}, {k: v[index] for k, v in self.extra.items()})

    def batch(self, index: slice | Tensor = slice(None)) -> Batch:
        """The rows of a slice (no copy) or of an index, as a batch."""
        return {name: column[index] for name, column in self.columns.items()}

    def batches(self, batch_size: int, generator: torch.Generator | None = None) -> Iterator[Batch]:
        """All rows once, in order, or shuffled when a generator is given. The last batch may be smaller."""
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected at least 1.")
        if generator is None:
            for start in range(0, len(self), batch_size):
                yield self.batch(slice(start, start + batch_size))
        else:
            for index in torch.randperm(len(self), generator=generator).split(batch_size):
                yield {name: column.index_select(0, index) for name, column in self.columns.items()}

    def _with(self, columns: dict[str, Tensor], extra: dict[str, Tensor]) -> Table:
        table = object.__new__(Table)  # rows of a checked table need no second check
        table.schema, table.columns, table.extra = self.schema, columns, extra
        return table


def _checked(schema: Schema, field: Sparse | Bag | Sequence | Dense, column: Tensor, n: int, unknown: str) -> Tensor:
    if isinstance(field, Dense):
        return _numbers(field.name, column, n)
    shape = (n,) if isinstance(field, Sparse) else (n, field.maxlen)
    if tuple(column.shape) != shape:
        raise ValueError(f"column {field.name!r}: got shape {tuple(column.shape)}, expected {shape} beside {n} labels.")
    if column.dtype != torch.int64:
        raise ValueError(f"column {field.name!r}: got {column.dtype}; ids are int64 from end to end. Use .long().")
    size = schema.size(field.name)
    bad = (column < 0) | (column >= size)
    if bad.any():
        if unknown == "error":
            got = column[bad].unique()[:5].tolist()
            raise ValueError(
                f"column {field.name!r}: ids {got} lie outside 0 … {size - 1}. "
                "Encode with the field's vocabulary, or pass unknown='oov' to count them as unknown."
            )
        column = torch.where(bad, OOV, column)
    return column


def _numbers(name: str, column: Tensor, n: int) -> Tensor:
    if tuple(column.shape) != (n,):
        raise ValueError(f"column {name!r}: got shape {tuple(column.shape)}, expected {(n,)}.")
    if not column.dtype.is_floating_point:
        raise ValueError(f"column {name!r}: got {column.dtype}, expected a float dtype. Use .float().")
    if not torch.isfinite(column).all():
        raise ValueError(f"column {name!r}: {int((~torch.isfinite(column)).sum())} values are NaN or infinite.")
    return column
