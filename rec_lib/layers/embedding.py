"""All field vectors from one table: one look-up a batch, whatever the number of fields."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rec_lib.schema import PAD, Batch, Schema


class FieldEmbedding(nn.Module):
    """One vector a field: a sparse field's row, a bag's or history's mean row, the zero vector where there is none.

    The rows of all vocabularies stand below each other in one table; a field's ids are shifted by its offset. A history
    reads the rows of the field that it is a history of. ``index_select`` is used because its backward pass is about
    three times cheaper on a CPU than ``nn.Embedding``'s. PAD rows are read as zeros: they give nothing and learn nothing.

    Args:
        schema: the fields; dense ones have no vector.
        dim: D.
        init_sd: standard deviation of the initial vectors.

    Raises:
        ValueError: dim below 1, init_sd below 0 or not finite, or a schema without a sparse field, bag or history.
    """

    offset: Tensor
    pads: Tensor

    def __init__(self, schema: Schema, dim: int, init_sd: float = 0.05):
        super().__init__()
        if dim < 1 or not schema.embedded:
            raise ValueError(f"got dim={dim} and {len(schema.embedded)} fields with ids; expected at least 1 of each.")
        if not 0 <= init_sd < math.inf:
            raise ValueError(f"init_sd={init_sd}: expected a standard deviation, at least 0 and finite.")
        self.schema, self.dim = schema, dim
        self.field_names = tuple(f.name for f in schema.embedded)  # F of them, in the order of the output
        self.flat_dim = len(self.field_names) * dim + len(schema.dense)
        self.start: dict[str, int] = {}
        rows = 0
        for field in schema.sparse + schema.bags:
            self.start[field.name] = rows
            rows += field.size
        for history in schema.sequences:
            self.start[history.name] = self.start[history.of]
        offset = [self.start[f.name] for f in schema.sparse]
        pads = [self.start[f.name] + PAD for f in schema.sparse + schema.bags]
        self.register_buffer("offset", torch.tensor(offset, dtype=torch.int64), persistent=False)  # (S,)
        self.register_buffer("pads", torch.tensor(pads), persistent=False)  # (S + bags,)
        self.table = nn.Parameter(torch.randn(rows, dim) * init_sd)

    def forward(self, batch: Batch) -> Tensor:
        """Batch → (B, F, D)."""
        table = self.table.index_fill(0, self.pads, 0.0)  # (rows, D)
        v = []
        if self.schema.sparse:
            ids = torch.stack([batch[f.name] for f in self.schema.sparse], dim=1) + self.offset  # (B, S)
            v.append(table.index_select(0, ids.flatten()).view(*ids.shape, self.dim))  # (B, S, D)
        for field in self.schema.bags + self.schema.sequences:
            ids = batch[field.name]  # (B, T)
            part = table.index_select(0, (ids + self.start[field.name]).flatten()).view(
                *ids.shape, self.dim
            )  # (B, T, D)
            n_real = (
                (ids != PAD).sum(dim=1, keepdim=True).clamp(min=1)
            )  # (B, 1)  1 for an empty one: its mean is then 0
            v.append((part.sum(dim=1) / n_real).unsqueeze(1))  # (B, 1, D)
        return torch.cat(v, dim=1)  # (B, F, D)

    def flat(self, v: Tensor, batch: Batch) -> Tensor:
        """Field vectors side by side, then the dense features: (B, F, D) → (B, F·D + N)."""
        dense = [batch[f.name].to(v.dtype).unsqueeze(1) for f in self.schema.dense]
        return torch.cat([v.flatten(1), *dense], dim=1)  # (B, F·D + N)

    def rows(self, name: str) -> Tensor:
        """The vectors of one field's vocabulary by id, PAD and OOV rows included: (size, D)."""
        if name not in self.start:
            raise KeyError(f"no field with vectors is called {name!r}; there are {list(self.field_names)}")
        return self.table[self.start[name] : self.start[name] + self.schema.size(name)]


class LinearTerm(nn.Module):
    """w0 + Σ_i w_i x_i over all features, dense ones included: (B,). All weights start at 0."""

    def __init__(self, schema: Schema):
        super().__init__()
        self.w = FieldEmbedding(schema, dim=1, init_sd=0.0)
        self.w0 = nn.Parameter(torch.zeros(()))
        self.dense = nn.Parameter(torch.zeros(len(schema.dense))) if schema.dense else None

    def forward(self, batch: Batch) -> Tensor:
        y = self.w0 + self.w(batch).sum(dim=(1, 2))  # (B,)
        if self.dense is not None:
            x = torch.stack([batch[f.name].to(y.dtype) for f in self.w.schema.dense], dim=1)  # (B, N)
            y = y + x @ self.dense  # (B,)
        return y
