"""What every click model shares: the loss, probabilities, and a file format without pickle."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rec_lib.data.table import Table
from rec_lib.models.files import load_weights, save_weights
from rec_lib.schema import Batch, Schema


class CTRModel(nn.Module):
    """A model of P(click | sample). Subclasses give ``forward(batch) -> logits (B,)``; the sigmoid stands here only."""

    schema: Schema

    def __init__(self, schema: Schema):
        super().__init__()
        self.schema = schema

    def loss(self, batch: Batch) -> Tensor:
        """Mean log loss of a batch, a scalar."""
        logits = self(batch)  # (B,)
        return binary_cross_entropy_with_logits(logits, batch["label"].to(logits.dtype))

    @torch.no_grad()
    def predict_proba(self, samples: Table | Batch, chunk: int = 2048) -> Tensor:
        """P(label = 1) of each row, (N,), computed in eval mode and in chunks of rows: a chunk's numbers stay in the processor's cache."""
        if chunk < 1:
            raise ValueError(f"chunk={chunk}: expected at least 1 row.")
        batch = samples.batch() if isinstance(samples, Table) else samples
        n = len(next(iter(batch.values())))
        was_training = self.training
        self.eval()
        try:
            parts = [torch.sigmoid(self({k: v[i : i + chunk] for k, v in batch.items()})) for i in range(0, n, chunk)]
        finally:
            self.train(was_training)
        return torch.cat(parts) if parts else torch.empty(0)

    def save(self, path: str | Path) -> None:
        """Write weights and schema to one ``.npz`` file, atomically."""
        save_weights(self, self.schema, path)

    def load(self, path: str | Path) -> None:
        """Read the weights that :meth:`save` wrote into this model, which must be of the same class, schema and sizes.

        Raises:
            ModelFileError: the file is truncated, foreign, or of another model; this model's weights stay as they are.
        """
        load_weights(self, self.schema, path)
