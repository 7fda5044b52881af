"""FFM: a factorization machine in which a feature has another vector for each partner field.

Paper    Juan, Zhuang, Chin, Lin, "Field-aware Factorization Machines for CTR Prediction", RecSys 2016: sec. 3 (model).
Section  2.5.3 FFM模型——引入特征域的概念
Idea     y = w0 + Σ w_i x_i + Σ_{i<j} <v_{i,f_j}, v_{j,f_i}> x_i x_j,  f_i the field of feature i
Differs  w0 and Σ w_i x_i, which the paper leaves out; dense features enter the linear term only; a bag or history is one feature, the mean of its rows, so no pair inside a field; vectors from N(0, init_sd²) and no instance-wise normalisation; logits, no sigmoid here.
Symbols  B batch · F fields · P = F(F−1)/2 pairs of fields · D size of a vector (the paper's k)
"""

from __future__ import annotations

import torch
from torch import Tensor

from rec_lib.layers import FieldEmbedding, LinearTerm
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class FFM(CTRModel):
    """Field-aware factorization machine. A row of ``emb.table`` holds F vectors, the g-th for partners in field g.

    The paper's n·F·k numbers are all stored. The vector for a value's own field rests, except where a history reads the
    rows of its field: the two are partners then.
    """

    left: Tensor
    right: Tensor

    def __init__(self, schema: Schema, dim: int = 4, init_sd: float = 0.05):
        super().__init__(schema)
        self.linear = LinearTerm(schema)
        self.emb = FieldEmbedding(schema, len(schema.embedded) * dim, init_sd)
        f, g = torch.triu_indices(len(schema.embedded), len(schema.embedded), offset=1)  # (P,), (P,)  f < g
        self.register_buffer("left", f * len(schema.embedded) + g, persistent=False)  # (P,)  where v_{f,g} stands
        self.register_buffer("right", g * len(schema.embedded) + f, persistent=False)  # (P,)  where v_{g,f} stands

    def forward(self, batch: Batch) -> Tensor:
        n_fields = len(self.emb.field_names)
        v = self.emb(batch)  # (B, F, F·D)
        v = v.reshape(len(v), n_fields * n_fields, -1)  # (B, F·F, D)  row f·F + g: field f's vector for field g
        v_fg, v_gf = v.index_select(1, self.left), v.index_select(1, self.right)  # (B, P, D) each
        y_linear = self.linear(batch)  # (B,)  w0 + Σ w_i x_i
        y_ffm = (v_fg * v_gf).sum(dim=(1, 2))  # (B,)  Σ_{f<g} <v_{f,g}, v_{g,f}>
        return y_linear + y_ffm  # (B,)  sec. 3, with a linear part
