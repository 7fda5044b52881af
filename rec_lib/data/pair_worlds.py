"""Planted worlds of clicks with two fields, user and item: one law is an inner product, the other is not.

Every pair of a user and an item stands in one of the tables once, so a test pair was never trained on. Rows carry the
true probability in the extra column "p".
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit

from rec_lib.data.table import Table
from rec_lib.schema import FIRST, Schema, Sparse

USERS = ITEMS = 300
SIZES = (50_000, 10_000, 30_000)  # training, validation, test: all pairs
RANK = 4
NEAR = 0.08  # a user of the ring likes the sixth of it that is nearer than this, the whole ring being 1 long

Parts = tuple[Table, Table, Table]


def inner_product(seed: int) -> Parts:
    """z = b_u + b_i + ⟨a_u, c_i⟩ with a, c ~ N(0, I₄) and b ~ N(0, 0.5²): matrix factorisation is the truth."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(USERS, RANK)) @ rng.normal(size=(ITEMS, RANK)).T
    return _tables(taste, rng)


def ring(seed: int) -> Parts:
    """z = b_u + b_i + 3 where user and item are near each other on a ring, −1 elsewhere; b ~ N(0, 0.5²).

    One number a user and one an item say everything, but not by a product: as a matrix this has a high rank.
    """
    rng = np.random.default_rng(seed)
    return _tables(np.where(ring_distance(rng.random(USERS), rng.random(ITEMS)) < NEAR, 3.0, -1.0), rng)


def ring_distance(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(users, items) shorter way between two places of a ring of length 1."""
    gap = np.abs(user[:, None] - item)
    return np.minimum(gap, 1 - gap)


def _tables(taste: np.ndarray, rng: np.random.Generator) -> Parts:
    biases = rng.normal(0, 0.5, (USERS, 1)) + rng.normal(0, 0.5, ITEMS)
    p = expit(taste + biases).ravel()
    label = (rng.random(p.size) < p).astype(np.float32)
    user, item = np.divmod(np.arange(p.size), ITEMS)
    schema = Schema((Sparse("user", FIRST + USERS), Sparse("item", FIRST + ITEMS)))
    columns = {"user": user + FIRST, "item": item + FIRST, "label": label}
    table = Table(schema, {n: torch.from_numpy(c) for n, c in columns.items()}, {"p": torch.from_numpy(p)})
    ends = np.cumsum(SIZES[:2])
    a, b, c = (table.rows(torch.from_numpy(rows)) for rows in np.split(rng.permutation(p.size), ends))
    return a, b, c
