"""DIEN: one GRU reads the history, a second one lets through what leads to the candidate.

Paper    Zhou et al., "Deep Interest Evolution Network for Click-Through Rate Prediction", AAAI 2019, arXiv:1809.03672: eq. 2-5 (GRU), 6 (auxiliary loss), and the section on the interest evolving layer.
Section  3.9 DIEN——序列模型与推荐系统的结合
Idea     h = GRU(e);  a_t = softmax_t(h_t W e_a);  h'_T = AUGRU(h, a);  y = MLP([e_a, profile, context, h'_T]);  L = L_target + α L_aux
Differs  one history, and a behaviour is one id and its vector; states are as wide as vectors; L_aux is a mean over the real steps, not a sum, so α does not depend on the length; logits of a click.
Symbols  B batch · T length of the history · D embedding size and width of the states · F fields that are no history · N dense features · α auxiliary
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from rec_lib.data.negatives import NEGATIVES
from rec_lib.layers.attention import history_rows, masked_softmax
from rec_lib.layers.dice import dice_mlp
from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.gru import GRU
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema, Sequence

EVOLUTIONS = ("augru", "agru", "aigru")


class DIEN(CTRModel):
    """Deep interest evolution network.

    Args:
        schema: with one history (``Sequence``), and for an auxiliary loss its negatives (``data.negatives``).
        dim: D.
        hidden: widths of the MLP.
        evolution: how attention steers the second GRU: "augru" scales its update gate, "agru" replaces it, "aigru" scales
            its input.
        auxiliary: α, weight of the loss that has each state predict the next behaviour; 0 for none.
        dropout: share of the MLP's hidden units that is switched off while training.
        init_sd: standard deviation of the initial vectors.

    Raises:
        ValueError: no history or several, another evolution, an auxiliary weight below 0 or not finite.
    """

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        evolution: str = "augru",
        auxiliary: float = 0.0,
        dropout: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        histories = [s for s in schema.sequences if s.name != NEGATIVES]
        if len(histories) != 1 or evolution not in EVOLUTIONS or not 0 <= auxiliary < math.inf:
            raise ValueError(
                f"got {len(histories)} histories, {evolution=}, {auxiliary=}; expected one history, as data.views.ctr(ml, "
                f"history=20) gives, one of {EVOLUTIONS}, and a finite weight from 0."
            )
        self.history, self.evolution, self.auxiliary = histories[0], evolution, auxiliary
        self.emb = FieldEmbedding(Schema(tuple(f for f in schema.fields if not isinstance(f, Sequence))), dim, init_sd)
        self.extractor = GRU(dim, dim)
        self.W = nn.Parameter(torch.randn(dim, dim) * dim**-0.5)
        self.evolver = GRU(dim, dim, "gru" if evolution == "aigru" else evolution)
        self.mlp = dice_mlp(self.emb.flat_dim + dim, hidden, dropout)

    def forward(self, batch: Batch) -> Tensor:
        e, mask = self.behaviours(batch[self.history.name])  # (T, B, D), (T, B)
        h = self.extractor(e, mask)  # (T, B, D)  eq. 2-5
        return self.answer(batch, h, mask)  # (B,)  before σ

    def answer(self, batch: Batch, h: Tensor, mask: Tensor) -> Tensor:
        """Logits (B,) from the extractor's states (T, B, D)."""
        v = self.emb(batch)  # (B, F, D)  candidate, profile, context
        e_a = v[:, self.emb.field_names.index(self.history.of)]  # (B, D)
        a = self.attention(h, mask, e_a)  # (T, B)
        i, scale = (a.unsqueeze(2) * h, None) if self.evolution == "aigru" else (h, a)  # i'_t = a_t h_t or h_t
        h_T = self.evolver(i, mask, scale)[-1]  # (B, D)
        x = torch.cat([self.emb.flat(v, batch), h_T], dim=1)  # (B, F·D + N + D)
        return self.mlp(x).squeeze(-1)  # (B,)

    def behaviours(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (T, B, D) and mask (T, B) of ids (B, T), T ≥ 1."""
        if ids.ndim != 2 or not ids.shape[1]:
            raise ValueError(f"a history of shape {tuple(ids.shape)}; expected (rows, places), PAD for no item.")
        return history_rows(self.emb, self.history.of, ids.mT.contiguous())

    def attention(self, h: Tensor, mask: Tensor, e_a: Tensor) -> Tensor:
        """a_t of each step: states (T, B, D), mask (T, B), candidates (B, D) → (T, B), 0 at padding."""
        scores = (h * (e_a @ self.W.mT)).sum(dim=2)  # (T, B)  h_t W e_a
        return masked_softmax(scores.mT, mask.mT).mT

    def loss(self, batch: Batch) -> Tensor:
        """Mean log loss, plus ``auxiliary`` times the loss of predicting the next behaviour."""
        if not self.auxiliary:
            return super().loss(batch)
        ids, drawn = batch[self.history.name], batch.get(NEGATIVES)
        if drawn is None or ids.shape != drawn.shape:
            got = "none" if drawn is None else f"{tuple(drawn.shape)} beside a history of {tuple(ids.shape)}"
            raise ValueError(
                f"column {NEGATIVES!r}: {got}; expected one negative a place: data.negatives.with_negatives."
            )
        e, mask = self.behaviours(ids)
        h = self.extractor(e, mask)
        y = self.answer(batch, h, mask)
        target = binary_cross_entropy_with_logits(y, batch["label"].to(y.dtype))
        return target + self.auxiliary * next_behaviour_loss(h, e, self.behaviours(drawn)[0], mask)


def next_behaviour_loss(h: Tensor, e: Tensor, e_hat: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real steps of −log σ(h_t · e[t+1]) − log(1 − σ(h_t · ê[t+1])), eq. 6; 0 if there is none.

    h, e, e_hat: (T, B, D) states, behaviours and negatives      mask: (T, B), True = real
    """
    clicked, drawn = ((h[:-1] * after[1:]).sum(dim=2) for after in (e, e_hat))  # (T − 1, B) each
    real = mask[1:].to(h.dtype)
    return ((softplus(-clicked) + softplus(drawn)) * real).sum() / real.sum().clamp(min=1)
