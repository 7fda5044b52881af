"""``claim``: a sentence of the notebook that is asserted where it is printed."""

from __future__ import annotations

from typing import Any

import numpy as np


class ClaimFailed(AssertionError):
    """A sentence that the notebook states does not hold here."""


def claim(text: str, condition: Any) -> None:
    """Print ``✓ text`` if the condition holds.

    Args:
        text: the sentence, with its numbers.
        condition: one truth value: bool, numpy bool, or a tensor with one boolean entry.

    Raises:
        ClaimFailed: it does not hold.
        TypeError: the condition is not one truth value. An array must be reduced by ``.all()`` or ``.any()``: which of
            the two is part of the claim.
        ValueError: the text is empty.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"claim got the text {text!r}; expected a sentence that says what holds.")
    if not _is_truth_value(condition):
        raise TypeError(
            f"claim({text!r}) got a condition of type {type(condition).__name__}; expected one True or False. "
            "Compare numbers (a > b), and reduce arrays with .all() or .any()."
        )
    if not bool(condition):
        raise ClaimFailed(
            f"{text} — this does not hold here. If you changed a setting above, that is a finding: work out why. "
            "If you changed nothing, run `python3 course.py doctor` (Windows: `py course.py doctor`) and report it with the versions it prints."
        )
    print(f"✓ {text}")


def _is_truth_value(condition: Any) -> bool:
    if isinstance(condition, (bool, np.bool_)):
        return True
    dtype = str(getattr(condition, "dtype", ""))
    return dtype in ("bool", "torch.bool") and getattr(condition, "ndim", 1) == 0
