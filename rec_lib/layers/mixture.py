"""The log-odds of a mixture of sigmoids, without ever leaving the log scale.

Source  Gai et al., "Learning Piece-wise Linear Models from Large Scale Data for Ad Click Prediction",
        arXiv:1704.05194, 2017: eq. 2 (softmax gate, sigmoid in each region).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def mixture_logit(u: Tensor, w: Tensor) -> Tensor:
    """log p/(1 − p) of p = Σ_i softmax(u)_i σ(w_i).

    p and 1 − p are both sums over the regions, and both have the softmax's denominator, which cancels. What is left is
    exact where p itself would round to 0 or 1, and with one region it is w.

    Args:
        u: (..., m) scores of the gate; what is added to all of a row changes nothing.
        w: (..., m) log-odds in each region.

    Returns:
        (...)
    """
    log_yes = torch.logsumexp(u + logsigmoid(w), dim=-1)  # (...)  log Σ e^u σ(w)
    log_no = torch.logsumexp(u + logsigmoid(-w), dim=-1)  # (...)  log Σ e^u (1 − σ(w))
    return log_yes - log_no
