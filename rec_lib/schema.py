"""What a sample is: its fields, the meaning of the reserved ids, and the type of a batch.

A schema is a description. It holds no tensors and no weights, so two models built from one schema share nothing.

    >>> schema = Schema((Sparse("user", 945), Sparse("item", 1684), Bag("genres", 21, maxlen=6), Dense("age")))
    >>> schema.size("item"), [f.name for f in schema.embedded]
    (1684, ['user', 'item', 'genres'])
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from torch import Tensor

PAD = 0  # fills bags and histories up to their length; never a value
OOV = 1  # a value that was not seen when the vocabulary was made
FIRST = 2  # the first real id

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Sparse:
    """One id a row: ``(B,)`` int64. ``size`` counts the ids, PAD and OOV included, so ids run from 0 to size − 1."""

    name: str
    size: int


@dataclass(frozen=True)
class Bag:
    """An unordered set of ids a row (multi-hot): ``(B, maxlen)`` int64, padded with 0."""

    name: str
    size: int
    maxlen: int


@dataclass(frozen=True)
class Sequence:
    """An ordered history of ids a row: ``(B, maxlen)`` int64, padded with 0. Its ids are those of the field ``of``."""

    name: str
    of: str
    maxlen: int


@dataclass(frozen=True)
class Dense:
    """One real number a row: ``(B,)`` float."""

    name: str


Field = Sparse | Bag | Sequence | Dense
_KINDS = {kind.__name__: kind for kind in (Sparse, Bag, Sequence, Dense)}


@dataclass(frozen=True)
class Schema:
    """The fields of a sample, in order.

    Raises TypeError when it is no tuple of fields, a name no string, or a size or maxlen no int; ValueError when a name
    stands twice, a size has no room for a real id, or a history names a field that is not there.
    """

    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.fields, tuple) or not all(isinstance(f, Field) for f in self.fields):
            raise TypeError(f"fields are {self.fields!r}; expected a tuple of Sparse, Bag, Sequence and Dense.")
        for f in self.fields:
            for part, value in asdict(f).items():
                kind = int if part in ("size", "maxlen") else str
                if type(value) is not kind:  # True is no size, and numpy's numbers are not written to JSON
                    raise TypeError(f"{f!r}: {part} is a {type(value).__name__}; expected {kind.__name__}({part}).")
        names = [f.name for f in self.fields]
        twice = {n for n in names if names.count(n) > 1}
        if twice or "label" in names:
            raise ValueError(
                f"field names must differ and none may be 'label'; got {names}. Rename {twice or {'label'}}."
            )
        for f in self.fields:
            if isinstance(f, Sparse | Bag) and f.size <= FIRST:
                raise ValueError(
                    f"field {f.name!r} has size {f.size}; it must exceed {FIRST} (PAD, OOV and a real id)."
                )
            if isinstance(f, Bag | Sequence) and f.maxlen < 1:
                raise ValueError(f"field {f.name!r} has maxlen {f.maxlen}; it must be at least 1.")
            if isinstance(f, Sequence) and not any(isinstance(g, Sparse) and g.name == f.of for g in self.fields):
                raise ValueError(f"history {f.name!r} is of {f.of!r}, but the schema has no Sparse field of that name.")

    @property
    def sparse(self) -> tuple[Sparse, ...]:
        return tuple(f for f in self.fields if isinstance(f, Sparse))

    @property
    def bags(self) -> tuple[Bag, ...]:
        return tuple(f for f in self.fields if isinstance(f, Bag))

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        return tuple(f for f in self.fields if isinstance(f, Sequence))

    @property
    def dense(self) -> tuple[Dense, ...]:
        return tuple(f for f in self.fields if isinstance(f, Dense))

    @property
    def embedded(self) -> tuple[Sparse | Bag | Sequence, ...]:
        """The F fields that have an embedding: sparse ones first, then bags, then histories."""
        return self.sparse + self.bags + self.sequences

    def __getitem__(self, name: str) -> Field:
        for f in self.fields:
            if f.name == name:
                return f
        raise KeyError(f"no field {name!r}; the schema has {[f.name for f in self.fields]}")

    def size(self, name: str) -> int:
        """How many ids a field has, PAD and OOV included; a history has as many as the field that it is of."""
        field = self[name]
        if isinstance(field, Sequence):
            return self.size(field.of)
        if isinstance(field, Dense):
            raise ValueError(f"{name!r} is a Dense field: it has no ids and so no size.")
        return field.size

    def to_json(self) -> str:
        return json.dumps([{"kind": type(f).__name__, **asdict(f)} for f in self.fields])

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """The schema that :meth:`to_json` wrote. Raises ValueError when the text is something else."""
        try:
            rows = json.loads(text)
            if not isinstance(rows, list):
                raise TypeError(f"a {type(rows).__name__} instead of a list of fields")
            return cls(tuple(_KINDS[row["kind"]](**{k: v for k, v in row.items() if k != "kind"}) for row in rows))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"this is not a schema written by Schema.to_json ({error}): {text[:80]!r}") from error
