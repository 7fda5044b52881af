"""PNN: products of all pairs of field vectors join the vectors in the first hidden layer.

Paper    Qu et al., "Product-based Neural Networks for User Response Prediction", ICDM 2016, arXiv:1611.00144: eq. 1-3 (layers), 4-7 (l_z, l_p), 8-10 (IPNN), 11-14 (OPNN).
Section  3.5 PNN模型——加强特征交叉能力
Idea     y = W3 relu(W2 relu(l_z + l_p + b1) + b2) + b3,  l_z = W_z z;  l_p = ‖Σ_i θ_i f_i‖² (IPNN), (Σ f)ᵀ W_p (Σ f) (OPNN), their sum (PNN*)
Differs  the paper's constant 1 among the signals is b1; dense features join z, not the products; θ starts from N(0, 1), where the paper names no scale; a bag or history is one field, the mean of its rows; logits, no sigmoid here.
Symbols  B batch · N fields · M embedding size · D1 units of the first hidden layer
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.mlp import mlp
from rec_lib.layers.products import inner_signal, outer_signal
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class _ProductNetwork(CTRModel):
    """The network of all three; a subclass owns the weights of its products and gives ``quadratic(f) -> l_p``."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        if min(hidden, default=0) < 1:
            raise ValueError(f"got hidden={hidden}: the products enter the first hidden layer; expected widths ≥ 1.")
        self.emb = FieldEmbedding(schema, dim, init_sd)
        self.linear = nn.Linear(self.emb.flat_dim, hidden[0])  # W_z, b1
        self.drop = nn.Dropout(dropout)
        self.mlp = mlp(hidden[0], hidden[1:], dropout)

    def quadratic(self, f: Tensor) -> Tensor:
        """(B, N, M) → l_p (B, D1)."""
        raise NotImplementedError

    def forward(self, batch: Batch) -> Tensor:
        f = self.emb(batch)  # (B, N, M)
        z = self.emb.flat(f, batch)  # (B, N·M + dense)
        l_z = self.linear(z)  # (B, D1)  eq. 4 and b1
        l_p = self.quadratic(f)  # (B, D1)  eq. 5
        l_1 = self.drop(torch.relu(l_z + l_p))  # (B, D1)  eq. 3
        return self.mlp(l_1).squeeze(-1)  # (B,)  eq. 1-2, before σ


class IPNN(_ProductNetwork):
    """Inner products ⟨f_i, f_j⟩; unit n weighs them with θ_n θ_nᵀ."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.theta = nn.Parameter(
            torch.randn(hidden[0], len(self.emb.field_names))
        )  # (D1, N)  δ_i starts as long as f_i

    def quadratic(self, f: Tensor) -> Tensor:
        return inner_signal(f, self.theta)  # (B, D1)  eq. 8-10


class OPNN(_ProductNetwork):
    """Outer products f_i f_jᵀ, summed over all pairs before unit n weighs them with W_n."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.w_p = nn.Parameter(_outer_weights(hidden[0], dim))

    def quadratic(self, f: Tensor) -> Tensor:
        return outer_signal(f, self.w_p)  # (B, D1)  eq. 12-14


class PNN(IPNN):
    """PNN*: inner and outer products side by side."""

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.w_p = nn.Parameter(_outer_weights(hidden[0], dim))

    def quadratic(self, f: Tensor) -> Tensor:
        return inner_signal(f, self.theta) + outer_signal(f, self.w_p)  # (B, D1)


def _outer_weights(units: int, dim: int) -> Tensor:
    """(D1, M, M), drawn as a linear layer over M² numbers is: evenly from ±1/M."""
    return (2 * torch.rand(units, dim, dim) - 1) / dim
