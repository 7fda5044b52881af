"""AFM: attention decides how much each pair of an FM counts.

Paper    Xiao et al., "Attentional Factorization Machines", IJCAI 2017, arXiv:1708.04617: eq. 3 (pairs), 5 (attention), 6 (model), sec. 3.3 (dropout).
Section  3.8.1 AFM——引入注意力机制的FM
Idea     y = w0 + Σ w_i x_i + p^T Σ_{i<j} a_ij (v_i ⊙ v_j) x_i x_j;  a = softmax over the pairs of h^T ReLU(W (v_i ⊙ v_j) x_i x_j + b)
Differs  p starts at the number of pairs, so that with even attention the model starts as an FM (the paper names no start); a field without a value has no pairs; dense features enter the linear term only; a bag or history is one field, the mean of its rows; log loss on logits, where the paper has squared error.
Symbols  B batch · F fields · D embedding size (the paper's k) · P pairs of fields · t attention size
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.attention import masked_softmax
from rec_lib.layers.embedding import FieldEmbedding, LinearTerm
from rec_lib.models.base import CTRModel
from rec_lib.schema import PAD, Batch, Schema


class AFM(CTRModel):
    """Attentional factorization machine.

    Args:
        schema: with at least two fields that have ids.
        dim: D.
        attention: t, width of the attention network.
        dropout: share of the numbers of the pair products that is switched off while training.
        init_sd: standard deviation of the initial vectors.

    Raises:
        ValueError: fewer than two fields with ids, or an attention width below 1.
    """

    first: Tensor
    second: Tensor

    def __init__(self, schema: Schema, dim: int = 16, attention: int = 16, dropout: float = 0.0, init_sd: float = 0.05):
        super().__init__(schema)
        fields = len(schema.embedded)
        if fields < 2 or attention < 1:
            raise ValueError(f"got {fields} fields with ids and attention={attention}; expected at least 2 and 1.")
        self.linear = LinearTerm(schema)
        self.emb = FieldEmbedding(schema, dim, init_sd)
        self.score = nn.Linear(dim, attention)  # W, b
        self.h = nn.Parameter(torch.randn(attention) / attention**0.5)
        first, second = torch.triu_indices(fields, fields, 1)  # (P,)  i < j
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        self.p = nn.Parameter(torch.full((dim,), float(len(first))))
        self.drop = nn.Dropout(dropout)

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)
        pairs = self.pairs(v)  # (B, P, D)
        a = self.attention(pairs, batch)  # (B, P)  eq. 5
        y_linear = self.linear(batch)  # (B,)  w0 + Σ w_i x_i
        pooled = (a.unsqueeze(1) @ pairs).squeeze(1)  # (B, D)  Σ a_ij (v_i ⊙ v_j)
        return y_linear + pooled @ self.p  # (B,)  eq. 6, before σ

    def pairs(self, v: Tensor) -> Tensor:
        """v_i ⊙ v_j for i < j: (B, F, D) → (B, P, D), eq. 3."""
        return self.drop(v.index_select(1, self.first) * v.index_select(1, self.second))

    def attention(self, pairs: Tensor, batch: Batch) -> Tensor:
        """How much each pair counts, over the pairs whose two fields have a value: (B, P), adds up to 1."""
        scores = torch.relu(self.score(pairs)) @ self.h  # (B, P)
        ids = (batch[name].view(len(pairs), -1) for name in self.emb.field_names)  # (B, 1) or (B, T)
        has = torch.stack([(of_field != PAD).any(dim=1) for of_field in ids], dim=1)  # (B, F)
        return masked_softmax(scores, has[:, self.first] & has[:, self.second])  # (B, P)
