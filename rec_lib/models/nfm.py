"""NFM: an MLP on top of the summed pairwise products of the field vectors.

Paper    He & Chua, "Neural Factorization Machines for Sparse Predictive Analytics", SIGIR 2017, arXiv:1708.05027: eq. 2 (model), 3 (pooling), sec. 3.1 (layers).
Section  3.7.3 NFM——FM的神经网络化尝试
Idea     y = w0 + Σ w_i x_i + h^T σ_L(W_L … σ_1(W_1 f_BI + b_1) … + b_L),  f_BI = Σ_{i<j} v_i x_i ⊙ v_j x_j
Differs  dense features enter the linear term only; a bag or history is one field, the mean of its rows; logits, no sigmoid here; ReLU throughout.
Symbols  B batch · F fields · D embedding size
"""

from __future__ import annotations

from torch import Tensor, nn

from rec_lib.layers import FieldEmbedding, LinearTerm, bi_interaction, mlp
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class NFM(CTRModel):
    """Bi-interaction pooling under hidden layers. With ``hidden=()``, no batch norm and h = 1 it is FM."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64,),
        dropout: float = 0.0,
        batch_norm: bool = True,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        self.linear = LinearTerm(schema)
        self.emb = FieldEmbedding(schema, dim, init_sd)
        # the products of small vectors are very small; the paper normalises them, then drops some out
        self.pool = nn.Sequential(nn.BatchNorm1d(dim) if batch_norm else nn.Identity(), nn.Dropout(dropout))
        self.mlp = mlp(dim, hidden, dropout, out_bias=False)  # w0 is the bias

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        f_bi = self.pool(bi_interaction(v))  # (B, D)  eq. 3
        y_linear = self.linear(batch)  # (B,)  w0 + Σ w_i x_i
        y_deep = self.mlp(f_bi).squeeze(-1)  # (B,)  f(x) = h^T σ(W f_BI + b)
        return y_linear + y_deep  # (B,)  eq. 2, before σ
