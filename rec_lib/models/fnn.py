"""FNN: an MLP whose embedding layer starts from a trained factorization machine.

Paper    Zhang, Du, Wang, "Deep Learning over Multi-field Categorical Data", ECIR 2016, arXiv:1601.02376: eq. 1 (output), 2-3 (hidden), 4-5 (z).
Section  3.7.1 FNN——用FM的隐向量完成Embedding层初始化
Idea     z = (w0, z_1 … z_F), z_i = (w_i, v_i);  y = W3 tanh(W2 tanh(W1 z + b1) + b2) + b3
Differs  dense features join z; a bag or history is one field, the mean of its rows; logits, no sigmoid here; no layer-wise RBM pretraining.
Symbols  B batch · F fields · D size of v_i · N dense features
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers import FieldEmbedding, mlp
from rec_lib.models.base import CTRModel
from rec_lib.models.fm import FM
from rec_lib.schema import Batch, Schema


class FNN(CTRModel):
    """Field-wise (w_i, v_i), then a tanh MLP. :meth:`from_fm` is the paper's initialisation."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        self.w0 = nn.Parameter(torch.zeros(1))
        self.emb = FieldEmbedding(schema, 1 + dim, init_sd)  # rows (w_i, v_i)
        self.mlp = mlp(1 + self.emb.flat_dim, hidden, dropout, nn.Tanh)

    @classmethod
    def from_fm(cls, fm: FM, hidden: tuple[int, ...] = (64, 32), dropout: float = 0.0) -> FNN:
        """A network whose w0, w_i and v_i are copies of the FM's; the layers above them are drawn at random."""
        model = cls(fm.schema, fm.emb.dim, hidden, dropout)
        with torch.no_grad():
            model.w0.copy_(fm.linear.w0)
            model.emb.table.copy_(torch.cat([fm.linear.w.table, fm.emb.table], dim=1))
        return model

    def forward(self, batch: Batch) -> Tensor:
        z_i = self.emb(batch)  # (B, F, 1 + D)  eq. 5, one row a field
        z = torch.cat([self.w0.expand(len(z_i), 1), self.emb.flat(z_i, batch)], dim=1)  # (B, 1 + F·(1 + D) + N)  eq. 4
        return self.mlp(z).squeeze(-1)  # (B,)  eq. 1-3, before σ
