"""Deep & Cross Network: layers that multiply by the input make the crosses, degree by degree, beside a deep network.

Paper    Wang, Fu, Fu, Wang, "Deep & Cross Network for Ad Click Predictions", ADKDD 2017, arXiv:1708.05123: eq. 2 (input), 3 (cross layer), 5 (deep), 6 (combination).
Section  3.6.3 Wide&Deep模型的进化——Deep&Cross模型
Idea     x_(l+1) = x_0 (x_lᵀ w_l) + b_l + x_l,  of degree l + 1 in x_0;  y = w · [x_L, h] + b,  h a network over x_0
Differs  one embedding size for all fields (the paper: 6 · size^¼); no batch norm; hidden=() is the cross network alone, h = x_0; a bag or history is one field, the mean of its rows; logits, no sigmoid here.
Symbols  B batch · F fields · D embedding size · N dense features · X = F·D + N stacked width · L cross layers · H last hidden width
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.cross import cross_layer
from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.mlp import mlp
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class DCN(CTRModel):
    """A cross network with two vectors a layer, and an MLP, over the same stacked vectors."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
        cross_layers: int = 2,
    ):
        super().__init__(schema)
        if cross_layers < 1:
            raise ValueError(f"cross_layers={cross_layers}: expected at least 1.")
        self.emb = FieldEmbedding(schema, dim, init_sd)
        width = self.emb.flat_dim
        self.w = nn.Parameter(torch.randn(cross_layers, width) * width**-0.5)  # (L, X)
        self.b = nn.Parameter(torch.zeros(cross_layers, width))  # (L, X)
        self.deep = mlp(width, hidden, dropout)[:-1]  # the last layer is the one below
        self.logits = nn.Linear(width + (width, *hidden)[-1], 1)

    def forward(self, batch: Batch) -> Tensor:
        x_0 = self.emb.flat(self.emb(batch), batch)  # (B, X)  eq. 2
        x_l = x_0
        for w_l, b_l in zip(self.w, self.b, strict=True):
            x_l = cross_layer(x_0, x_l, w_l, b_l)  # (B, X)  eq. 3
        h = self.deep(x_0)  # (B, H)  eq. 5
        return self.logits(torch.cat([x_l, h], dim=1)).squeeze(-1)  # (B,)  eq. 6, before σ
