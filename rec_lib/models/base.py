"""What every click model shares: the loss, probabilities, and a file format without pickle."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rec_lib.data.table import Table
from rec_lib.schema import Batch, Schema


class ModelFileError(ValueError):
    """The file does not hold the weights of this model."""


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
    def predict_proba(self, samples: Table | Batch, chunk: int = 8192) -> Tensor:
        """P(label = 1) of each row, (N,), computed in eval mode and in chunks of rows to bound the memory."""
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
        path = Path(path)
        arrays = {f"weight:{name}": value.cpu().numpy() for name, value in self.state_dict().items()}
        arrays["model"] = np.array(type(self).__name__)
        arrays["schema"] = np.array(self.schema.to_json())
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def load(self, path: str | Path) -> None:
        """Read the weights that :meth:`save` wrote into this model, which must be of the same class, schema and sizes.

        Raises:
            ModelFileError: the file is truncated, foreign, or of another model; this model's weights stay as they are.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            model, schema = str(arrays.pop("model")), Schema.from_json(str(arrays.pop("schema")))
        except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ModelFileError(
                f"{path} is no complete file written by save ({error}). Save the model again."
            ) from error
        if model != type(self).__name__ or schema != self.schema:
            what = (
                f"a {model}, not a {type(self).__name__}"
                if model != type(self).__name__
                else "a model of another schema"
            )
            raise ModelFileError(f"{path} holds the weights of {what}. Build the model that was saved, then load.")
        own = {name: tuple(value.shape) for name, value in self.state_dict().items()}
        got = {name.removeprefix("weight:"): value.shape for name, value in arrays.items()}
        if own != got:
            differ = sorted(n for n in own.keys() | got.keys() if own.get(n) != got.get(n))
            first = differ[0]
            raise ModelFileError(
                f"{path} does not fit: {first!r} has shape {got.get(first)} in the file and {own.get(first)} here "
                f"({len(differ)} differ). Build the model with the settings it was saved with."
            )
        self.load_state_dict({n.removeprefix("weight:"): torch.from_numpy(a) for n, a in arrays.items()})
