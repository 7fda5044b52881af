"""POLY2: logistic regression with a weight of its own for every pair of features, kept in a hashed table.

Paper    Chang, Hsieh, Chang, Ringgaard, Lin, "Training and Testing Low-degree Polynomial Data Mappings via Linear SVM", JMLR 2010; with hashing as in Juan et al., RecSys 2016, sec. 2.
Section  2.5.1 POLY2模型——特征交叉的开始
Idea     y = w0 + Σ w_i x_i + Σ_{i<j} w_{h(i,j)} x_i x_j
Differs  no squares x_i² (here x is 0 or 1, or a share); h scrambles the number of the pair, where Juan et al. take Cantor's pairing modulo the size; dense features enter the linear term only; a bag or history is one feature whose ids share the value 1, so no pair inside a field; logits, no sigmoid here.
Symbols  B batch · K places where an id may stand · P pairs of places in different fields
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.layers import LinearTerm
from rec_lib.models.base import CTRModel
from rec_lib.schema import PAD, Batch, Schema, Sparse

MIX = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)  # SplitMix64's multipliers, as signed numbers


def bucket(pair: Tensor, buckets: int) -> Tensor:
    """h: numbers of pairs, int64 from 0, any shape → 0 … buckets − 1. The same in every process and on every machine.

    Neighbouring numbers go to unrelated buckets, so M pairs meet like balls thrown into urns: a pair has a bucket to itself
    with probability (1 − 1/buckets)^(M − 1). A plain ``pair % buckets`` would let whole rows of pairs meet side by side.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: the finaliser of SplitMix64.
    """
    z = (pair ^ (pair >> 30 & (1 << 34) - 1)) * MIX[0]  # products wrap around at 64 bits, which is wanted
    z = (z ^ (z >> 27 & (1 << 37) - 1)) * MIX[1]
    z = z ^ (z >> 31 & (1 << 33) - 1)
    return (z & (1 << 63) - 1) % buckets


class POLY2(CTRModel):
    """Degree-2 polynomial logistic regression.

    Pairs that fall into one bucket share a weight and have to agree on one number; those that occur often have more say.
    All weights start at 0.

    Args:
        schema: the fields.
        buckets: size of the hashed table; None gives every pair of ids a weight of its own, without a hash.

    Raises:
        ValueError: buckets below 1, or more pairs of ids than an int64 can number.
    """

    base: Tensor
    size: Tensor
    left: Tensor
    right: Tensor

    def __init__(self, schema: Schema, buckets: int | None = 2**18):
        super().__init__(schema)
        self.linear = LinearTerm(schema)
        self.buckets = buckets
        sizes = [schema.size(f.name) for f in schema.embedded]
        first: dict[tuple[int, int], int] = {}  # number of the first pair of a pair of fields
        self.n_pairs = 0
        for g in range(len(sizes)):
            for f in range(g):
                first[f, g] = self.n_pairs
                self.n_pairs += sizes[f] * sizes[g]
        if self.n_pairs >= 2**63 or (buckets is not None and buckets < 1):
            raise ValueError(
                f"got buckets={buckets} and {self.n_pairs:.3g} pairs of ids; expected at least 1 bucket and fewer than "
                "2^63 pairs. Make the vocabularies smaller, for instance by counting rare values as OOV."
            )
        places = [i for i, f in enumerate(schema.embedded) for _ in range(1 if isinstance(f, Sparse) else f.maxlen)]
        pairs = [(p, q) for q, g in enumerate(places) for p, f in enumerate(places[:q]) if f < g]
        fields = [(places[p], places[q]) for p, q in pairs]
        for name, column in {
            "left": [p for p, _ in pairs],
            "right": [q for _, q in pairs],
            "base": [first[f, g] for f, g in fields],
            "size": [sizes[g] for _, g in fields],
        }.items():
            self.register_buffer(name, torch.tensor(column, dtype=torch.int64), persistent=False)  # (P,)
        self.w = nn.Parameter(torch.zeros(self.n_pairs if buckets is None else buckets))

    def forward(self, batch: Batch) -> Tensor:
        ids, x = self.features(batch)  # (B, K), (B, K)
        rows = self.rows(ids)  # (B, P)
        w = self.w.index_select(0, rows.flatten()).view(rows.shape)  # (B, P)  w_h(i,j)
        x_i, x_j = x.index_select(1, self.left), x.index_select(1, self.right)  # (B, P) each
        y_linear = self.linear(batch)  # (B,)  w0 + Σ w_i x_i
        y_pairs = (w * x_i * x_j).sum(dim=1)  # (B,)  Σ_{i<j} w_h(i,j) x_i x_j
        return y_linear + y_pairs  # (B,)

    def features(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The id at each place and its value: 1 for a sparse field's, 1/n for each of a bag's n, 0 for padding."""
        ids, values = [], []
        for field in self.schema.embedded:
            column = batch[field.name].unsqueeze(1) if isinstance(field, Sparse) else batch[field.name]  # (B, T)
            real = (column != PAD).to(self.w.dtype)  # (B, T)
            ids.append(column)
            values.append(real / real.sum(dim=1, keepdim=True).clamp(min=1))
        return torch.cat(ids, dim=1), torch.cat(values, dim=1)  # (B, K), (B, K)

    def rows(self, ids: Tensor) -> Tensor:
        """Where the weight of each pair of places stands: (B, K) → (B, P). Ids of different fields never make one pair."""
        pair = self.base + ids.index_select(1, self.left) * self.size + ids.index_select(1, self.right)  # (B, P)
        return pair if self.buckets is None else bucket(pair, self.buckets)
