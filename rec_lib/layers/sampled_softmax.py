"""A softmax over many items, learnt from a few of them: the real one and some that were drawn."""

from __future__ import annotations

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

    Source:
        Bengio and Senécal, IEEE TNN 2008; Jean et al., ACL 2015, arXiv:1412.2007; in-batch: Yi et al., RecSys 2019.
    """
    return cross_entropy(logits - log_q, target)
