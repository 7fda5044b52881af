"""One pass over a stream: predict, then learn. Every prediction is made before its label is seen (progressive validation).

Source  McMahan et al., KDD 2013, sec. 5.1: the loss of such predictions needs no rows held out.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm.auto import tqdm

from rec_lib.data.table import Table
from rec_lib.models.base import CTRModel


def progressive(
    model: CTRModel,
    stream: Table,
    optimizers: Iterable[torch.optim.Optimizer],
    batch_size: int = 16,
    progress: bool = False,
) -> np.ndarray:
    """Reads the rows once, in their order, and learns from each batch after predicting it.

    The summed loss is differentiated, not the mean: a gradient then has the scale of single rows whatever the batch size, and
    so have FTRL's λ₁ and β. The model is left as it is after the last row.

    Args:
        model: learns in place.
        stream: rows, oldest first.
        optimizers: all of them step after each batch.
        batch_size: rows whose labels arrive together; 1 is the paper's setting.
        progress: show a progress bar.

    Returns:
        (N,) float32, P(click) of each row as predicted before its label was seen.
    """
    optimizers = list(optimizers)
    said = []
    model.train()
    steps = -(-len(stream) // batch_size)
    for batch in tqdm(stream.batches(batch_size), total=steps, desc="stream", unit="batch", disable=not progress):
        logits = model(batch)  # (B,)
        said.append(torch.sigmoid(logits.detach()))
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        binary_cross_entropy_with_logits(logits, batch["label"], reduction="sum").backward()
        for optimizer in optimizers:
            optimizer.step()
    model.eval()
    return torch.cat(said).numpy()
