"""Crosses made on purpose: products of ids by hand, and layers that multiply what they read by the input.

Source  Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016, arXiv:1606.07792: eq. 1 (cross-product);
        Wang et al., "Deep & Cross Network for Ad Click Predictions", ADKDD 2017, arXiv:1708.05123: eq. 3 (cross layer);
        Wang et al., "DCN V2", WWW 2021, arXiv:2008.13535: eq. 1 (cross layer with a matrix).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.schema import FIRST, PAD, Bag, Batch, Dense, Schema, Sparse

Crosses = tuple[tuple[str, str], ...]


class CrossProduct(nn.Module):
    """Σ_k w_k φ_k(x): a weight for each combination of two fields' ids; all weights start at 0.

    φ_k is 1 where both ids of combination k are there, else 0, so one weight a cross is looked up. A cross with a bag or a
    history gives the mean of its combinations' weights.

    Args:
        schema: the fields.
        crosses: pairs of field names; the first is Sparse, the second has ids of any kind.

    Raises:
        ValueError: no pair, what is no pair, a pair that stands twice, a first field that is not Sparse, a second one without ids, a field
            with itself.
        KeyError: a name that the schema does not have.
    """

    def __init__(self, schema: Schema, crosses: Crosses):
        super().__init__()
        if isinstance(crosses, str) or any(isinstance(pair, str) or len(pair) != 2 for pair in crosses):
            raise ValueError(f"crosses={crosses!r}: expected pairs of field names, such as (('user', 'genres'),).")
        crosses = tuple((a, b) for a, b in crosses)
        if not crosses or len({frozenset(pair) for pair in crosses}) < len(crosses):
            raise ValueError(
                f"crosses={crosses}: expected at least one pair, and each once: (a, b) and (b, a) are one."
            )
        fields: list[Sparse | Bag] = []
        for a, b in crosses:
            first, second = schema[a], schema[b]
            if a == b or not isinstance(first, Sparse) or isinstance(second, Dense):
                raise ValueError(f"{a}*{b}: expected a Sparse field and another field with ids, got {first}, {second}.")
            name, size = f"{a}*{b}", FIRST + (first.size - 1) * (schema.size(b) - 1)
            fields.append(Sparse(name, size) if isinstance(second, Sparse) else Bag(name, size, second.maxlen))
        self.crosses = crosses
        self.width = {b: schema.size(b) - 1 for _, b in crosses}  # ids of the second field that take part
        self.w = FieldEmbedding(Schema(tuple(fields)), dim=1, init_sd=0.0)

    def ids(self, batch: Batch) -> Batch:
        """Which combination each row shows, by the name "a*b": (B,), or (B, T) for a bag or history."""
        found = {}
        for a, b in self.crosses:
            x, y = batch[a], batch[b]
            x = x if y.dim() == 1 else x.unsqueeze(1)  # (B, 1) beside (B, T)
            number = FIRST + (x - 1) * self.width[b] + (y - 1)  # unknown values (1) take part
            found[f"{a}*{b}"] = torch.where((x == PAD) | (y == PAD), PAD, number)
        return found

    def forward(self, batch: Batch) -> Tensor:
        """Batch → (B,)."""
        return self.w(self.ids(batch)).sum(dim=(1, 2))  # (B,)


def cross_layer(x_0: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """x_0 (xᵀ w) + b + x: the input, scaled by one number for each sample, is added to what the layer reads.

    Args:
        x_0, x: (B, X) input of the network and of this layer.
        w, b: (X,) one weight and one bias a number.

    Returns:
        (B, X)
    """
    return x_0 * (x @ w).unsqueeze(1) + b + x  # (B, X)  x_0 x_lᵀ w_l + b_l + x_l


def matrix_cross_layer(x_0: Tensor, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """x_0 ⊙ (W x + b) + x: every number of the input is scaled by a sum of its own.

    Args:
        x_0, x: (B, X) input of the network and of this layer.
        w: (X, X) the matrix W; row a is the sum that scales number a.
        b: (X,)

    Returns:
        (B, X)
    """
    return x_0 * (x @ w.mT + b) + x  # (B, X)  x_0 ⊙ (W_l x_l + b_l) + x_l
