"""What every rating model shares: the mean, the scale, what is known of whom, the loss, predictions, a file.

A subclass gives `forward(batch) -> stars (B,)` and `penalty(batch) -> (B,)`, and reads its tables with `rows`, so that an
id without training ratings adds exactly nothing: the prediction falls back to what is left, down to the mean.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.models.files import load_weights, save_weights
from rec_lib.schema import PAD, Batch, Sparse


class RatingModel(nn.Module):
    """A model of the stars that a user gives an item.

    A user without training ratings (a new id, OOV, padding) counts as a user about whom nothing is known: the item's own
    part of the prediction is left, or the mean μ. The same holds for items. `knows(users)` and `knows_items(items)` say
    for whom that happens.

    Args:
        train: the ratings to learn from, with Sparse fields "user" and "item". Read once, for the mean, the scale and
            who has ratings; the rows themselves go to ``fit``.

    Raises:
        ValueError: no rows, or a schema without those fields.
    """

    mu: Tensor
    low: Tensor
    high: Tensor
    known_user: Tensor
    known_item: Tensor

    def __init__(self, train: Table):
        super().__init__()
        names = {f.name for f in train.schema.fields if isinstance(f, Sparse)}
        if not {"user", "item"} <= names:
            raise ValueError(
                f"the schema has the fields {sorted(names)}; a rating model needs Sparse 'user' and 'item'."
            )
        if len(train) == 0:
            raise ValueError("got no ratings, so there is no mean to start from; expected a table with rows.")
        self.schema = train.schema
        stars = train["label"]
        self.register_buffer("mu", stars.double().mean().to(stars.dtype))  # ()  the paper's μ
        self.register_buffer("low", stars.min().clone())
        self.register_buffer("high", stars.max().clone())
        for name in ("user", "item"):
            known = torch.bincount(train[name], minlength=self.schema.size(name)) > 0
            known[PAD] = False
            self.register_buffer(f"known_{name}", known)  # (ids,)

    def rows(self, table: Tensor, name: str, batch: Batch) -> Tensor:
        """Rows of a table (ids, …) for the batch's users or items: (B, …), zeros where the id has no training rating."""
        ids = batch[name]
        known = self.get_buffer(f"known_{name}")[ids].to(table.dtype)  # (B,)
        return table.index_select(0, ids) * known.view(-1, *[1] * (table.dim() - 1))

    def penalty(self, batch: Batch) -> Tensor:
        """What the weights of each row's user and item cost, λ included: (B,)."""
        raise NotImplementedError(f"{type(self).__name__} gives no penalty.")

    def loss(self, batch: Batch) -> Tensor:
        """Mean over the batch's ratings of the squared error and the penalty, a scalar: each rating pays for its weights."""
        e = batch["label"].to(self.mu.dtype) - self(batch)  # (B,)  e_ui = r_ui − r̂_ui
        return (e.square() + self.penalty(batch)).mean()

    @torch.no_grad()
    def predict(self, samples: Table | Batch, clip: bool = True) -> Tensor:
        """Predicted stars, (N,), in eval mode; clipped to the scale seen in training, or raw as in the papers."""
        was_training = self.training
        self.eval()
        try:
            stars = self(samples.batch() if isinstance(samples, Table) else samples)
        finally:
            self.train(was_training)
        return stars.clamp(self.low, self.high) if clip else stars

    def knows(self, users: Tensor) -> Tensor:
        """(U,) bool: has the user a training rating? Those who have not are predicted without a part of their own."""
        return self._known("user", users)

    def knows_items(self, items: Tensor) -> Tensor:
        """(N,) bool: has the item a training rating?"""
        return self._known("item", items)

    def _known(self, name: str, ids: Tensor) -> Tensor:
        known = self.get_buffer(f"known_{name}")
        inside = (ids >= 0) & (ids < len(known))
        return known[torch.where(inside, ids, PAD)]

    def save(self, path: str | Path) -> None:
        """Write weights, mean and scale to one ``.npz`` file, atomically."""
        save_weights(self, self.schema, path)

    def load(self, path: str | Path) -> None:
        """Read what :meth:`save` wrote into this model, which must be of the same class, schema and sizes.

        Raises:
            ModelFileError: the file is truncated, foreign, or of another model; this model's weights stay as they are.
        """
        load_weights(self, self.schema, path)
