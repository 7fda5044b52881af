"""Attention over a history: the softmax that respects padding, and DIN's activation unit.

Source  Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018, arXiv:1706.06978: eq. 3, figure 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers.dice import Dice, PReLU
from rec_lib.layers.embedding import FieldEmbedding
from rec_lib.schema import PAD

INTERACTIONS = ("code", "paper", "book")


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax along the last axis over the real places: the others get 0, and so do all where none is real.

    Args:
        scores: (..., T)
        mask: (..., T) bool, True = real.
    """
    lowest = torch.finfo(scores.dtype).min  # −∞ would make a row without a real place NaN
    return torch.softmax(scores.masked_fill(~mask, lowest), dim=-1) * mask


def history_rows(emb: FieldEmbedding, name: str, ids: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors of a history's ids and which of them are real: (B, T) → (B, T, D), (B, T) bool. Padding gives zeros."""
    table = emb.table.index_fill(0, emb.pads, 0.0)  # (rows, D)
    rows = table.index_select(0, (ids + emb.start[name]).flatten()).view(*ids.shape, emb.dim)
    return rows, ids != PAD


class ActivationUnit(nn.Module):
    """A weight for each item of a history, given a candidate: a network with one hidden layer, over the two vectors and what
    they make together.

    ``"code"`` reads [q, k, q − k, q ⊙ k], as the authors' released code does; ``"paper"`` [q, k, all products q_a k_b];
    ``"book"`` [q, k, q − k]. Whichever it is, the hidden layer is linear in k once q is known, c(q) + M(q) k, so what
    depends on the candidate alone is computed once a row and not once an item of the history.

    Args:
        dim: D, of the candidate q and of the items k.
        units: H, width of the hidden layer.
        interaction: one of ``INTERACTIONS``.
        softmax: weights that add up to 1 over a history; DIN's do not.
        dice: Dice in the hidden layer; else PReLU.

    Raises:
        ValueError: units below 1, or another interaction.
    """

    def __init__(self, dim: int, units: int = 36, interaction: str = "code", softmax: bool = False, dice: bool = True):
        super().__init__()
        if units < 1 or interaction not in INTERACTIONS:
            raise ValueError(f"got units={units}, interaction={interaction!r}; expected ≥ 1 and one of {INTERACTIONS}.")
        self.interaction, self.softmax = interaction, softmax
        width = {"code": 4 * dim, "paper": 2 * dim + dim * dim, "book": 3 * dim}[interaction]
        self.hidden = nn.Linear(width, units)
        self.activation = Dice(units) if dice else PReLU(units)
        self.out = nn.Linear(units, 1, bias=not softmax)  # a softmax would cancel the bias

    def forward(self, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        """Candidate (B, D), items (B, T, D), mask (B, T) → weights (B, T), 0 at padding."""
        c, M = self.given(q)  # (B, H), (B, H, D)
        s = torch.baddbmm(c.unsqueeze(1), k, M.mT)  # (B, T, H)  c(q) + M(q) k_j
        a = self.out(self.activation(s, mask)).squeeze(2)  # (B, T)
        return masked_softmax(a, mask) if self.softmax else a * mask  # (B, T)  a(e_j, v_A)

    def given(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """What the candidate makes of the hidden layer: (B, D) → c(q) (B, H) and M(q) (B, H, D)."""
        dim = q.shape[1]
        of_q, of_k, of_both = self.hidden.weight.tensor_split((dim, 2 * dim), dim=1)
        if self.interaction == "paper":
            products = of_both.unflatten(1, (dim, dim))  # (H, D, D)  of q_a k_b
            M = of_k + torch.einsum("ba,had->bhd", q, products)  # (B, H, D)
        elif self.interaction == "code":
            of_difference, of_product = of_both.tensor_split(2, dim=1)  # (H, D) each
            of_q, of_k = of_q + of_difference, of_k - of_difference  # W(q − k) = Wq − Wk
            M = of_k + of_product * q.unsqueeze(1)  # (B, H, D)
        else:
            of_q, of_k = of_q + of_both, of_k - of_both
            M = of_k.expand(len(q), -1, -1)  # (B, H, D)  the same for every candidate
        return nn.functional.linear(q, of_q, self.hidden.bias), M
