"""A world in which recent behaviours count for more, and most behaviours follow from the one before: few clicks, long histories.

z = −2 + 4.5 · (1 − ρ) Σ_t ρ^(T−1−t) [category of behaviour t = category of the candidate] + b_item;  ρ = 0.75, T = 20,
b ~ N(0, 0.5²). 100 items in 20 categories. A row is a user of 3 interests, who stays with one from step to step with probability 0.8,
else takes one of the 3 anew; the candidate is of one of the 3 in 60 % of the rows, else of any category.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.data.effects import Columns, Main
from rec_lib.data.simulator import Law, simulate
from rec_lib.data.worlds import World

CATEGORIES, PER_CATEGORY, LENGTH = 20, 5, 20
STAYS, FADES = 0.8, 0.75


@dataclass(frozen=True, eq=False)
class Recency:
    """strength · (1 − ρ) Σ_t ρ^(T−1−t) [category of behaviour t = category of the candidate]."""

    strength: float

    def __call__(self, x: Columns) -> np.ndarray:
        same = x["history"] // PER_CATEGORY == (x["item"] // PER_CATEGORY)[:, None]
        weight = (1 - FADES) * FADES ** np.arange(LENGTH - 1, -1, -1)  # (T,)  the last step weighs most
        return self.strength * (same @ weight)


def draw(n: int, rng: np.random.Generator) -> Columns:
    """Candidates and histories of n users, counted from 0."""
    interests = np.argsort(rng.random((n, CATEGORIES)), axis=1)[:, :3]
    row = np.arange(n)
    which = rng.integers(3, size=n)
    history = np.empty((n, LENGTH), dtype=np.int64)
    for step in range(LENGTH):
        which = np.where(rng.random(n) < STAYS, which, rng.integers(3, size=n))
        history[:, step] = PER_CATEGORY * interests[row, which] + rng.integers(PER_CATEGORY, size=n)
    own = rng.random(n) < 0.6
    category = np.where(own, interests[row, rng.integers(3, size=n)], rng.integers(CATEGORIES, size=n))
    return {"item": PER_CATEGORY * category + rng.integers(PER_CATEGORY, size=n), "history": history}


def recency(seed: int, sizes: tuple[int, int, int] = (2_000, 2_000, 12_000)) -> World:
    """The world, with few labelled rows to learn from."""
    rng = np.random.default_rng(seed)
    items = CATEGORIES * PER_CATEGORY
    law = Law(
        {"item": items},
        {"main": Main({"item": rng.normal(0, 0.5, items)}), "recency": Recency(4.5)},
        -2.0,
        draw,
        history=LENGTH,
    )
    train, valid, test = (simulate(law, n, rng) for n in sizes)
    return World("recency", law, train, valid, test)
