"""Sums of a table's rows over many lists of them, with a gradient that is such a sum itself.

A sum over lists is a product with a matrix of zeros and ones, so its gradient is one with the transpose: over the lists that name each
row. torch's own gradient of an embedding bag adds row after row instead, which for a whole data set takes ten times as long.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


class ListSums(torch.autograd.Function):
    """`ListSums.apply(table, members, start, owners, first)`: (n, …) rows → (m, …), Σ of the table's rows in each of m lists.

    members (R,), start (m,)  list l is members[start[l] : start[l + 1]]; an empty one gives 0
    owners (R,), first (n,)   the same the other way round: the lists in which row j stands are owners[first[j] : first[j + 1]]
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, members: Tensor, start: Tensor, owners: Tensor, first: Tensor) -> Tensor:
        ctx.save_for_backward(members, start, owners, first)
        return embedding_bag(members, table, start, mode="sum")

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        members, start, owners, first = ctx.saved_tensors
        return ListSums.apply(grad[0], owners, first, members, start), None, None, None, None
