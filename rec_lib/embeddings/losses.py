"""The losses that the engine goes down, one pair at a time, for torch tensors: what `kernels.step` is the slope of.

h: (d,) the hidden vector; u: (n, d) the rows that it meets. Each returns a scalar.
Sources: Mikolov et al., NIPS 2013, eq. 2-4; Rong, arXiv:1411.2738, eq. 8, 45-47, 55.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def full_softmax_loss(h: Tensor, u: Tensor) -> Tensor:
    """−log p(w_O), where row 0 is the word that was seen and all rows are the whole vocabulary."""
    z = u @ h  # (n,)
    return torch.logsumexp(z, 0) - z[0]


def negative_sampling_loss(h: Tensor, u: Tensor) -> Tensor:
    """E = −log σ(⟨u_O, h⟩) − Σ_j log σ(−⟨u_j, h⟩): row 0 was seen, the others were drawn."""
    z = u @ h  # (n,)
    return -logsigmoid(z[0]) - logsigmoid(-z[1:]).sum()


def tree_loss(h: Tensor, u: Tensor, ones: Tensor) -> Tensor:
    """−Σ_j log σ(±⟨u_j, h⟩) over the inner nodes of a path: + where its code bit in `ones` (n,) is 0, − where it is 1."""
    return -logsigmoid((1 - 2 * ones) * (u @ h)).sum()
