"""Wide & Deep: a linear part with crosses made by hand remembers, a network generalises, and both are trained as one sum.

Paper    Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016, arXiv:1606.07792: eq. 1 (cross-product), 2 (deep), 3 (sum).
Section  3.6 Wide&Deep模型——记忆能力和泛化能力的综合
Idea     y = w0 + w_wide · [x, φ(x)]  +  w_deep · a^(last);  φ_k(x) = Π_i x_i^c_ki;  a^(l+1) = max(0, W a^(l) + b)
Differs  both parts read all fields; crosses of two fields, looked up by their ids; a bag or history is one field, the mean of its rows; the optimizers (FTRL with L1 for wide, AdaGrad for deep) are fit's affair; logits, no sigmoid here.
Symbols  B batch · F fields · D embedding size · N dense features
"""

from __future__ import annotations

from torch import Tensor, nn

from rec_lib.layers.cross import Crosses, CrossProduct
from rec_lib.layers.embedding import FieldEmbedding, LinearTerm
from rec_lib.layers.mlp import mlp
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class Wide(nn.Module):
    """w0 + w · [x, φ(x)]: a weight for each feature, and one for each combination that ``crosses`` names."""

    def __init__(self, schema: Schema, crosses: Crosses):
        super().__init__()
        self.linear = LinearTerm(schema)
        self.cross = CrossProduct(schema, crosses) if crosses else None

    def forward(self, batch: Batch) -> Tensor:
        """Batch → (B,)."""
        y = self.linear(batch)  # (B,)
        return y if self.cross is None else y + self.cross(batch)  # (B,)


class Deep(nn.Module):
    """Field vectors side by side, dense ReLU layers, one number. It has no bias at the end: the sum has one, in Wide."""

    def __init__(self, schema: Schema, dim: int, hidden: tuple[int, ...], dropout: float, init_sd: float):
        super().__init__()
        self.emb = FieldEmbedding(schema, dim, init_sd)
        self.mlp = mlp(self.emb.flat_dim, hidden, dropout, out_bias=False)

    def forward(self, batch: Batch) -> Tensor:
        """Batch → (B,)."""
        a = self.emb.flat(self.emb(batch), batch)  # (B, F·D + N)
        return self.mlp(a).squeeze(-1)  # (B,)  eq. 2


class WideDeep(CTRModel):
    """``crosses`` names the pairs of fields whose combinations get a weight each, such as ``(("user", "genres"),)``.

    The parts are modules of their own, so that each can have its optimizer:
    ``fit(model, …, optimizers=[FTRL(model.wide.parameters()), Adagrad(model.deep.parameters())])``.
    """

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
        crosses: Crosses = (),
    ):
        super().__init__(schema)
        self.wide = Wide(schema, crosses)
        self.deep = Deep(schema, dim, hidden, dropout, init_sd)

    def forward(self, batch: Batch) -> Tensor:
        y_wide = self.wide(batch)  # (B,)  w0 + w_wide · [x, φ(x)]
        y_deep = self.deep(batch)  # (B,)  w_deep · a^(last)
        return y_wide + y_deep  # (B,)  eq. 3, before σ
