"""Deep Crossing: field vectors and small fields stacked, then a cascade of residual units.

Paper    Shan et al., "Deep Crossing: Web-Scale Modeling without Manually Crafted Combinatorial Features", KDD 2016: eq. 2 (embedding), 3 (stacking), 4 (residual unit).
Section  3.3 Deep Crossing模型——经典的深度学习架构
Idea     X_j = max(0, W_j x_j + b_j);  X = [X_1 … X_K, dense, small fields];  X ← max(0, X + W1 max(0, W0 X + b0) + b1), unit by unit;  y = w X + b
Differs  a field skips its vector if it has no more values than a vector has numbers (the paper: both 256); a bag or history is one field, the mean of its rows; a history reads the rows of its field; dropout inside a unit; logits, no sigmoid here.
Symbols  B batch · F fields with a vector · D embedding size · S numbers of the small fields · N dense features · X stacked width
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.onehot import OneHot
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class ResidualUnit(nn.Module):
    """Two layers whose input is added before the last ReLU, so the unit only has to learn what to change.

    Args:
        width: X, of input and output.
        hidden: width between the two layers.
        dropout: share of the hidden units that is switched off while training.
    """

    def __init__(self, width: int, hidden: int, dropout: float = 0.0):
        super().__init__()
        self.inner = nn.Linear(width, hidden)  # W0, b0
        self.outer = nn.Linear(hidden, width)  # W1, b1
        self.dropout = nn.Dropout(dropout)

    def residual(self, x: Tensor) -> Tensor:
        """F(x) = W1 max(0, W0 x + b0) + b1: (B, X) → (B, X)."""
        return self.outer(self.dropout(torch.relu(self.inner(x))))

    def forward(self, x: Tensor) -> Tensor:
        """(B, X) → (B, X)."""
        return torch.relu(x + self.residual(x))  # eq. 4, and the ReLU after the sum of the paper's figure 2


class DeepCrossing(CTRModel):
    """``hidden`` has the inner width of each residual unit: (64, 32) are two units, four layers."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 8,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        if min(hidden, default=1) < 1 or not 0 <= dropout < 1:
            raise ValueError(f"got hidden={hidden}, dropout={dropout}; expected widths ≥ 1 and 0 ≤ dropout < 1.")
        large = tuple(f for f in schema.embedded if schema.size(f.name) > dim)
        if not large:
            raise ValueError(f"no field has more than dim={dim} ids, so none would get a vector; use a smaller dim.")
        self.emb = FieldEmbedding(Schema(large + schema.dense), dim, init_sd)  # W_j
        self.bias = nn.Parameter(torch.zeros(len(large), dim))  # b_j
        self.small = OneHot(Schema(tuple(f for f in schema.embedded if f not in large)))
        width = self.emb.flat_dim + self.small.width
        self.units = nn.Sequential(*(ResidualUnit(width, h, dropout) for h in hidden))
        self.score = nn.Linear(width, 1)

    def forward(self, batch: Batch) -> Tensor:
        v = torch.relu(self.emb(batch) + self.bias)  # (B, F, D)  eq. 2
        small = self.small(batch, v.dtype)  # (B, S)
        stacked = torch.cat([self.emb.flat(v, batch), small], dim=1)  # (B, X)  eq. 3, X = F·D + N + S
        x = self.units(stacked)  # (B, X)  eq. 4, one unit after the other
        return self.score(x).squeeze(-1)  # (B,)  the scoring layer, before σ
