"""Logistic regression: one weight a feature, added up.

Paper    Richardson, Dominowska, Ragno, "Predicting Clicks: Estimating the Click-Through Rate for New Ads", WWW 2007: sec. 4.
Section  2.4 逻辑回归——融合多种特征的推荐模型
Idea     y = w0 + Σ w_i x_i
Differs  a bag or history is one feature, the mean of its weights; logits, no sigmoid here.
Symbols  B batch
"""

from __future__ import annotations

from torch import Tensor

from rec_lib.layers import LinearTerm
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class LR(CTRModel):
    """Logistic regression over all features of the schema."""

    def __init__(self, schema: Schema):
        super().__init__(schema)
        self.linear = LinearTerm(schema)

    def forward(self, batch: Batch) -> Tensor:
        return self.linear(batch)  # (B,)  w0 + Σ w_i x_i
