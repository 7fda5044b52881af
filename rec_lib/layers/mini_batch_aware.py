"""Regularisation of the rows that a batch reads, and of no others.

Source  Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018, arXiv:1706.06978: eq. 5-7.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mini_batch_aware_l2(table: Tensor, rows: Tensor, n: Tensor) -> Tensor:
    """½ Σ_j α_j / n_j ‖w_j‖²: α_j is 1 for a row that the batch reads, however often, and 0 for the others.

    Its gradient is α_j / n_j w_j, the decay of the paper's eq. 7. Over an epoch a row that stands in n_j samples decays by about
    the same amount whether it is rare or frequent, and no step touches a row that its batch does not read.

    Args:
        table: (V, D) all rows.
        rows: (R,) int64, those that the batch reads; repetitions count once.
        n: (V,) in how many samples of the training data a row stands; inf for a row that is not to decay.

    Returns:
        a scalar
    """
    read = torch.unique(rows)  # (R',)
    return 0.5 * (table.index_select(0, read).square().sum(dim=1) / n[read]).sum()
