"""Factorization machine: the weight of a pair of features is the inner product of their vectors.

Paper    Rendle, "Factorization Machines", ICDM 2010: eq. 1 (model), lemma 3.1 (linear time).
Section  2.5.2 FM模型——隐向量特征交叉
Idea     y = w0 + Σ w_i x_i + Σ_{i<j} <v_i, v_j> x_i x_j
Differs  dense features enter the linear term only; a bag or history is one feature, the mean of its rows; logits, no sigmoid here.
Symbols  B batch · F fields · D size of a vector (the paper's k)
"""

from __future__ import annotations

from torch import Tensor

from rec_lib.layers import FieldEmbedding, LinearTerm, fm_pairwise
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class FM(CTRModel):
    """Second-order factorization machine."""

    def __init__(self, schema: Schema, dim: int = 16, init_sd: float = 0.05):
        super().__init__(schema)
        self.linear = LinearTerm(schema)
        self.emb = FieldEmbedding(schema, dim, init_sd)

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        y_linear = self.linear(batch)  # (B,)  w0 + Σ w_i x_i
        y_fm = fm_pairwise(v)  # (B,)  lemma 3.1
        return y_linear + y_fm  # (B,)  eq. 1
