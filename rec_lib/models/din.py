"""DIN: a user's history is summed with weights that the candidate sets.

Paper    Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018, arXiv:1706.06978: eq. 3 (interest), 4-7 (regularisation), 9 (Dice), figure 2.
Section  3.8.2 DIN——引入注意力机制的深度学习网络
Idea     v_U(A) = Σ_j a(e_j, v_A) e_j;  y = MLP([v_A, profile, context, v_U(A)])
Differs  a behaviour is one id and its vector (the paper joins goods, shop and category); the activation unit reads what the released code reads by default, the paper's and the book's choice are options; the candidate of a history is the field that it is a history of; logits of a click, no softmax over two classes and no sigmoid here.
Symbols  B batch · F fields that are no history · D embedding size · T length of a history · S histories · N dense features
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.layers.attention import ActivationUnit, history_rows
from rec_lib.layers.dice import dice_mlp
from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.layers.mini_batch_aware import mini_batch_aware_l2
from rec_lib.models.base import CTRModel
from rec_lib.schema import PAD, Batch, Schema, Sequence


class DIN(CTRModel):
    """Deep interest network.

    Args:
        schema: with at least one history (``Sequence``).
        dim: D.
        hidden: widths of the MLP.
        attention: width of the activation unit's hidden layer.
        interaction: what the unit reads beside q and k: "code" q − k and q ⊙ k, "paper" all products, "book" q − k.
        softmax: weights that add up to 1; the paper's do not.
        dice: Dice in unit and MLP; else PReLU.
        dropout: share of the MLP's hidden units that is switched off while training.
        mba: λ of the mini-batch aware regularisation of the vectors; call ``count`` before training.
        init_sd: standard deviation of the initial vectors.

    Raises:
        ValueError: a schema without a history.
    """

    occurrences: Tensor

    def __init__(
        self,
        schema: Schema,
        dim: int = 16,
        hidden: tuple[int, ...] = (64, 32),
        attention: int = 36,
        interaction: str = "code",
        softmax: bool = False,
        dice: bool = True,
        dropout: float = 0.0,
        mba: float = 0.0,
        init_sd: float = 0.05,
    ):
        super().__init__(schema)
        if not schema.sequences:
            raise ValueError(
                "the schema has no Sequence: DIN needs a history, as data.views.ctr(ml, history=20) gives."
            )
        rest = Schema(tuple(f for f in schema.fields if not isinstance(f, Sequence)))
        self.emb = FieldEmbedding(rest, dim, init_sd)
        self.units = nn.ModuleList(ActivationUnit(dim, attention, interaction, softmax, dice) for _ in schema.sequences)
        self.mlp = dice_mlp(self.emb.flat_dim + len(schema.sequences) * dim, hidden, dropout, dice)
        self.mba = mba
        self.register_buffer("occurrences", torch.ones(len(self.emb.table)))  # (V,)  n_j

    def forward(self, batch: Batch) -> Tensor:
        v = self.emb(batch)  # (B, F, D)  candidate, profile, context
        v_U = [(w.unsqueeze(1) @ e).squeeze(1) for w, e in self.activations(v, batch)]  # S × (B, D)  eq. 3: Σ_j w_j e_j
        x = torch.cat([self.emb.flat(v, batch), *v_U], dim=1)  # (B, F·D + N + S·D)
        return self.mlp(x).squeeze(-1)  # (B,)  figure 2, before σ

    def activations(self, v: Tensor, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """For each history the weights a(e_j, v_A) (B, T) and the items' vectors e (B, T, D)."""
        found = []
        for history, unit in zip(self.schema.sequences, self.units, strict=True):
            v_A = v[:, self.emb.field_names.index(history.of)]  # (B, D)  the candidate
            e, mask = history_rows(self.emb, history.of, batch[history.name])  # (B, T, D), (B, T)
            found.append((unit(v_A, e, mask), e))
        return found

    def loss(self, batch: Batch) -> Tensor:
        """Mean log loss, and with ``mba`` the regularisation of the vectors that the batch reads."""
        log_loss = super().loss(batch)
        if not self.mba:
            return log_loss
        return log_loss + self.mba * mini_batch_aware_l2(self.emb.table, self._rows(batch), self.occurrences)

    def count(self, train: Table) -> None:
        """Learn n_j, how often each id stands in the training rows; ids that do not stand there will not decay."""
        n = torch.bincount(self._rows(train.batch()), minlength=len(self.emb.table)).to(self.occurrences.dtype)
        self.occurrences = torch.where(n > 0, n, torch.inf)

    def _rows(self, batch: Batch) -> Tensor:
        """The rows of the table that a batch reads, one for each real id."""
        homes = {name: name for name in self.emb.field_names} | {s.name: s.of for s in self.schema.sequences}
        return torch.cat(
            [(batch[name][batch[name] != PAD] + self.emb.start[of]).flatten() for name, of in homes.items()]
        )
