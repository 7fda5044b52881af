"""User activeness: how likely it is that a user is still with us, as a curve that falls in absence and rises at a return.

Source  Zheng et al., "DRN", WWW 2018, section 4.4 and its figure 6.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

START = 0.5  # S(0), also what a user goes back to who returns every T0 hours
LIFE = 24.0  # T0, hours
HAZARD = 1.2e-5 * 3600  # λ0 per hour; the paper gives 1.2e-5 per second
RISE = 0.32  # S_a: START·exp(−λ0·T0) + RISE = START

Numbers = TypeVar("Numbers", float, np.ndarray, Tensor)


def survival(start: Numbers, hazard: Numbers, hours: Numbers) -> Numbers:
    """S(t) = S(0)·exp(−λ0 t): what is left of activeness after some hours without a visit."""
    return start * np.e ** (-hazard * hours)


def after_return(left: float) -> float:
    """min(1, S + S_a): activeness just after a return."""
    return min(1.0, left + RISE)
