"""A softmax over many items, learnt from a few of them: the real one and some that were drawn."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def sampled_softmax_loss(logits: Tensor, log_q: Tensor, target: Tensor) -> Tensor:
    """Mean over rows of −log softmax(logits − log_q)[target]: which of the candidates is the real one?

    Each row has one real item among draws that are independent of it and of each other, with repetition, from a
    distribution Q. Bayes: candidate c is the real one with a probability in proportion to P(c)/Q(c). So the loss is
    smallest in expectation where logits = log P + a number of the row's own, whatever the size of the sample. Without
    log_q the logits would converge to log P − log Q. A draw that hits the real item stays: dropping it would spoil the
    argument. In a batch whose rows serve each other as draws, Q is how often an item is a target.

    Args:
        logits: (B, C) scores of each row's candidates.
        log_q: (B, C) or (C,) logarithms of Q, of the real candidate too; a constant that is added to all changes nothing.
        target: (B,) int64, the column of the real one.

    Returns:
        a scalar.

    Raises:
        ValueError: a single candidate, whose loss would be 0 whatever the scores; a log_q of another width, which would
            be the same for all candidates and correct nothing; a log_q that is NaN or infinite.

    Source:
        Bengio and Senécal, IEEE TNN 2008; Jean et al., ACL 2015, arXiv:1412.2007; in-batch: Yi et al., RecSys 2019.
    """
    if logits.dim() != 2 or logits.shape[1] < 2 or log_q.shape[-1:] != logits.shape[1:]:
        raise ValueError(
            f"got logits {tuple(logits.shape)} and log_q {tuple(log_q.shape)}; expected (B, C) with two candidates or more, "
            "the real one and draws, and a log_q of (B, C) or (C,)."
        )
    if not torch.isfinite(log_q).all():
        raise ValueError("log_q holds NaN or an infinite number: a candidate must be one that Q can draw, Q above 0.")
    return cross_entropy(logits - log_q, target)
