"""Side information 补充信息: what is known of an item beside who took it, in the form that EGES reads.

An attribute may have no value for an item (a film without a director in the knowledge graph), one (its year) or several
(its genres). Values become rows of one table, attribute after attribute, as the fields of a sample do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Sides:
    """The attributes of n items.

    names    S attributes, such as "genre"
    values   (R,) what each row stands for, as (attribute, value)
    indptr   (n · S + 1,) int64; the rows of attribute s of item v are rows[indptr[v·S + s]:indptr[v·S + s + 1]]
    rows     (entries,) int32, each in 0..R−1

    Raises ValueError where the parts do not fit each other.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, Hashable], ...] = field(repr=False)
    indptr: np.ndarray = field(repr=False)
    rows: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        cells, s = len(self.indptr) - 1, len(self.names)
        if (
            (s and cells % s)
            or self.indptr[0] != 0
            or self.indptr[-1] != len(self.rows)
            or (np.diff(self.indptr) < 0).any()
        ):
            raise ValueError(
                f"{s} attributes, indptr of {len(self.indptr)} and {len(self.rows)} rows do not fit; use Sides.of"
            )
        if len(self.rows) and not 0 <= self.rows.min() <= self.rows.max() < len(self.values):
            raise ValueError(f"rows run over {self.rows.min()}..{self.rows.max()}; expected 0..{len(self.values) - 1}")

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Sequence[Hashable]]], least: int = 1) -> Sides:
        """From one column an attribute: for each item the values that it has, none, one or several.

        least  values of fewer items than this are left out: with one item, a value is that item's name once more.

        Raises ValueError for columns of different lengths and for none.
        """
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"the columns have {lengths} items; expected at least one column, all of one length")
        number: dict[tuple[str, Hashable], int] = {}
        for name, column in columns.items():
            counts = Counter(value for cell in column for value in set(cell))
            for value in sorted((v for v, n in counts.items() if n >= least), key=lambda v: (str(type(v)), v)):
                number[name, value] = len(number)
        cells = [
            [number[name, value] for value in column[v] if (name, value) in number]
            for v in range(len(next(iter(columns.values()))))
            for name, column in columns.items()
        ]
        indptr = np.concatenate(([0], np.cumsum([len(cell) for cell in cells]))).astype(np.int64)
        return cls(tuple(columns), tuple(number), indptr, np.array([r for cell in cells for r in cell], np.int32))

    def __len__(self) -> int:
        """The number of items; 0 without attributes."""
        return (len(self.indptr) - 1) // len(self.names) if self.names else 0

    @property
    def size(self) -> int:
        """R, the number of different values of all attributes."""
        return len(self.values)

    @property
    def present(self) -> np.ndarray:
        """(n, S) bool: does the item have a value of the attribute?"""
        return (np.diff(self.indptr) > 0).reshape(len(self), len(self.names))

    def cell(self, item: int, side: int) -> np.ndarray:
        """The rows of one attribute of one item, int32."""
        place = item * len(self.names) + side
        return self.rows[self.indptr[place] : self.indptr[place + 1]]
