"""Fields with few values as they are: no vectors, one number a value."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.schema import PAD, Batch, Schema, Sparse


class OneHot(nn.Module):
    """A sparse field as a one-hot block, a bag or history as shares that add up to 1, one block beside the other.

    A block has a number for each id but PAD: where a row has no value, its block is zero. All blocks are written by one
    scatter, whatever the number of fields. It has no weights.

    Args:
        schema: the fields; dense ones are passed over.
    """

    place: Tensor
    same_field: Tensor

    def __init__(self, schema: Schema):
        super().__init__()
        self.field_names = tuple(f.name for f in schema.embedded)
        self.sizes = [schema.size(name) - 1 for name in self.field_names]
        self.width = sum(self.sizes)  # S
        slots = [1 if isinstance(f, Sparse) else f.maxlen for f in schema.embedded]
        field = torch.repeat_interleave(torch.arange(len(slots)), torch.tensor(slots, dtype=torch.long))  # (K,)
        start = torch.tensor([sum(self.sizes[:i]) for i in range(len(slots))], dtype=torch.long)
        self.register_buffer("place", start[field], persistent=False)  # (K,)  where a slot's block begins
        self.register_buffer("same_field", (field[:, None] == field).float(), persistent=False)  # (K, K)

    def forward(self, batch: Batch, dtype: torch.dtype) -> Tensor:
        """Batch → (B, S) of the given dtype; S is 0 where no field is small."""
        if not self.field_names:
            return next(iter(batch.values())).new_zeros(len(next(iter(batch.values()))), 0, dtype=dtype)
        columns = [batch[name].unsqueeze(1) if batch[name].dim() == 1 else batch[name] for name in self.field_names]
        ids = torch.cat(columns, dim=1)  # (B, K)
        real = (ids != PAD).to(dtype)  # (B, K)
        n_real = real @ self.same_field.to(dtype)  # (B, K)  how many values the slot's field has in this row
        share = real / n_real.clamp(min=1)  # (B, K)
        x = share.new_zeros(len(ids), self.width)  # (B, S)
        return x.scatter_add_(1, (ids - 1).clamp(min=0) + self.place, share)  # (B, S)  PAD adds 0
