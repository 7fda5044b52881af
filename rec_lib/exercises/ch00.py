"""The exercise of the start page: the weight of a pair, read off four shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rec_lib.exercises.judges import Property, code_judge
from rec_lib.exercises.model import Exercise, Wrong


def pair_weight(neither: float, a: float, b: float, both: float) -> float:
    """w_ab = logit(both) − logit(a) − logit(b) + logit(neither), each logit(p) = ln(p / (1 − p))."""
    up = math.log(both / (1 - both)) + math.log(neither / (1 - neither))
    return up - math.log(a / (1 - a)) - math.log(b / (1 - b))


def _shares(rng: np.random.Generator, size: int) -> tuple[float, ...]:
    return tuple(round(float(p), 2) for p in rng.uniform(0.1, 0.9, 4))


def _zero_when_additive(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
    neither, a, b, _ = args
    odds = (a / (1 - a)) * (b / (1 - b)) / (neither / (1 - neither))
    got = float(function(neither, a, b, odds / (1 + odds)))
    if abs(got) < 1e-6:
        return None
    return f"where the log-odds of both are exactly what w0, w_a and w_b add up to, w_ab must be 0; got {got:.4g}"


EXERCISES = (
    Exercise(
        id="0.1-pair-weight",
        kind="code",
        title="Read the weight of the pair off the four shares",
        stub='''
        def pair_weight(neither, a, b, both):
            """Four shares liked, each strictly between 0 and 1 -> w_ab, a number in log-odds."""
            return NOT_YET
        ''',
        solution="""
        def pair_weight(neither, a, b, both):
            def logit(p):
                return np.log(p / (1 - p))

            w0 = logit(neither)
            w_a = logit(a) - w0
            w_b = logit(b) - w0
            return logit(both) - (w0 + w_a + w_b)
        """,
        hints=(
            "The model adds up log-odds, so turn each share p into ln(p / (1 - p)) first.",
            "logit(neither) is w0. What must be added to it to reach logit(a)? And to reach logit(b)?",
            "logit(both) = w0 + w_a + w_b + w_ab: everything but w_ab is known now.",
        ),
        judge=code_judge("pair_weight", pair_weight, _shares, (Property("additive law", _zero_when_additive),)),
        wrong=(
            Wrong("def pair_weight(neither, a, b, both):\n    return both - a - b + neither", "additive law"),
            Wrong(
                "def pair_weight(neither, a, b, both):\n"
                "    def logit(p):\n        return np.log(p / (1 - p))\n\n"
                "    return logit(both) - logit(a) - logit(b)",
                "w_ab must be 0",
            ),
            Wrong(
                "def pair_weight(neither, a, b, both):\n"
                "    def logit(p):\n        return np.log(p / (1 - p))\n\n"
                "    return logit(a) + logit(b) - logit(both) - logit(neither)",
                "-1.00 ×",
            ),
            Wrong(
                "def pair_weight(neither, a, b, both):\n"
                "    def logit(p):\n        return np.log2(p / (1 - p))\n\n"
                "    return logit(both) - logit(a) - logit(b) + logit(neither)",
                "1.44 ×",
            ),
        ),
    ),
)
