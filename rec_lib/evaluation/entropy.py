"""Normalised entropy: log loss against that of a forecast that knows the click rate and nothing else.

Source  He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD 2014: eq. 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rec_lib.evaluation.metrics import log_loss


def entropy_ratio(y: Any, p: Any, background: Any, log: Callable[[Any], Any]) -> Any:
    """Eq. 1 in 0 and 1: mean −[y log p + (1 − y) log(1 − p)] over −[b log b + (1 − b) log(1 − b)].

    y and p are arrays or tensors of N rows, the background a number; `log` is that of their kind.
    """
    loss = -(y * log(p) + (1 - y) * log(1 - p)).mean()
    entropy = -(background * log(background) + (1 - background) * log(1 - background))
    return loss / entropy


def normalised_entropy(y: ArrayLike, p: ArrayLike, background: float | None = None, eps: float = 1e-7) -> float:
    """NE 归一化熵. 1: as good as the click rate alone; lower is better; above 1: worse than that. 1 − NE is the relative
    information gain.

    Args:
        y: (N,) labels 0 or 1 (the paper's are −1 and +1: its (1 + y)/2 is this y).
        p: (N,) probabilities, kept eps away from 0 and 1.
        background: click rate to compare with, in (0, 1); that of y itself by default. The paper takes the training rows'.

    Raises:
        ValueError: as log_loss, an eps outside (0, ½), labels other than 0 and 1, or a background that leaves nothing to predict.
    """
    if not 0 < eps < 0.5:
        raise ValueError(
            f"eps={eps}: expected a small number above 0, or a probability of 0 would cost infinitely much."
        )
    label = np.asarray(y, dtype=float)
    if not np.isin(label, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1; got {np.unique(label)[:5]}. Map −1 to 0 first.")
    log_loss(label, p)  # refuses what is no pair of labels and probabilities
    b = float(label.mean()) if background is None else float(background)
    if not 0 < b < 1:
        raise ValueError(
            f"background={b}: expected a click rate between 0 and 1; at 0 or 1 there is no entropy to beat."
        )
    return float(entropy_ratio(label, np.clip(np.asarray(p, dtype=float), eps, 1 - eps), np.float64(b), np.log))
