"""The two lines of dueling bandit gradient descent: look beside W, step towards what won.

Source  Zheng et al., "DRN", WWW 2018, section 4.5; Yue, Joachims, ICML 2009.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

Numbers = TypeVar("Numbers", np.ndarray, Tensor)


def perturbed(W: Numbers, r: Numbers, alpha: float) -> Numbers:
    """W̃ = W + α r W, with r of W's shape, from (−1, 1): every weight moves by at most a share α of itself."""
    return W + alpha * r * W


def towards(W: Numbers, W_tilde: Numbers, eta: float) -> Numbers:
    """W + η (W̃ − W)."""
    return W + eta * (W_tilde - W)
