"""DeepFM: a factorization machine and an MLP that share one embedding table.

Paper    Guo et al., "DeepFM", IJCAI 2017, arXiv:1703.04247: eq. 1 (sum of two), 2 (FM: two terms), 3-4 (deep).
Section  3.7.2 DeepFM——用FM代替Wide部分
Idea     y = w0 + Σ w_i x_i  +  Σ_{i<j} <v_i, v_j> x_i x_j  +  MLP([v_1 … v_F, dense])
Differs  w0 (the paper's FM part has none); dense features enter the linear term and the MLP, not the FM term; a bag or history is one field, the mean of its rows; logits, no sigmoid here.
Symbols  B batch · F fields · D embedding size · N dense features
"""

from __future__ import annotations

from torch import Tensor

from rec_lib.layers import FieldEmbedding, LinearTerm, fm_pairwise, mlp
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class DeepFM(CTRModel):
    """FM and MLP over the same field vectors, trained together."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        self.emb = FieldEmbedding(schema, dim, init_sd)  # shared by both parts: the paper's point
        self.linear = LinearTerm(schema)
        self.mlp = mlp(self.emb.flat_dim, hidden, dropout)

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        x = self.emb.flat(v, batch)  # (B, F·D + N)
        y_linear = self.linear(batch)  # (B,)  eq. 2, first order: w0 + Σ w_i x_i
        y_fm = fm_pairwise(v)  # (B,)  eq. 2, pairs
        y_deep = self.mlp(x).squeeze(-1)  # (B,)  eq. 3-4
        return y_linear + y_fm + y_deep  # (B,)  eq. 1, before σ
