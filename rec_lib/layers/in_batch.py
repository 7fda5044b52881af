"""Two towers meet: scores of every user of a batch with every item of it, and the softmax over the batch's own items."""

from __future__ import annotations

import torch
from torch import Tensor

from rec_lib.layers.sampled_softmax import sampled_softmax_loss


def tower_scores(u: Tensor, v: Tensor, temperature: float, normalise: bool) -> Tensor:
    """⟨u_a, v_b⟩ / τ of all pairs, (A, B); with `normalise` of vectors of length 1, so that no score leaves ±1/τ.

    A vector of zeros has no direction; its cosines are 0.

    Args:
        u: (A, N). v: (B, N). temperature: τ.

    Source:
        Huang et al., CIKM 2013, eq. 4-5 (γ = 1/τ); Yi et al., RecSys 2019, section 5.1.
    """
    if normalise:
        u, v = unit(u), unit(v)
    return u @ v.T / temperature


def unit(x: Tensor) -> Tensor:
    """Rows of length 1, (n, N); a row of zeros stays one, with a finite gradient."""
    return x / x.square().sum(dim=1, keepdim=True).clamp(min=1e-12).sqrt()


def in_batch_softmax_loss(scores: Tensor, log_q: Tensor | None) -> Tensor:
    """Mean over rows of −log softmax(scores − log_q)[row, row]: the items of the other rows serve as negatives.

    An item stands in the batch as often as it is taken, so what is popular is a negative more often: `log_q` takes that
    back. Without it (None) the scores converge to log P − log Q.

    Args:
        scores: (B, B), row a is user a, column b the item of row b.
        log_q: (B,), the logarithm of how often each column's item is drawn; one number a column. Or None.

    Returns:
        a scalar.

    Raises:
        ValueError: scores that are not square, a batch of one (nothing to tell the item from), another number of log_q.

    Source:
        Yi et al., "Sampling-bias-corrected neural modeling", RecSys 2019, eq. 2-4.
    """
    rows = len(scores)
    if scores.shape != (rows, rows) or rows < 2:
        raise ValueError(
            f"scores have shape {tuple(scores.shape)}; expected (B, B) with B of 2 or more: in a batch of one there is no "
            "negative."
        )
    if log_q is not None and log_q.shape != (rows,):
        raise ValueError(f"log_q has shape {tuple(log_q.shape)}; expected one number a column, ({rows},).")
    correction = scores.new_zeros(rows) if log_q is None else log_q
    return sampled_softmax_loss(scores, correction, torch.arange(rows, device=scores.device))
