"""A planted world of ratings: a known matrix of low rank plus biases and noise, seen at some places only.

The best root mean squared error that any model can reach on new ratings is the standard deviation of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rec_lib.data.table import Table
from rec_lib.schema import FIRST, Schema, Sparse

PARTS = (0.8, 0.1, 0.1)


@dataclass(frozen=True, eq=False)
class RatingWorld:
    """Ratings drawn from a law, as tables, and the law: `truth (users, items)` without the noise, rows as in the tables' ids.

    noise  standard deviation of the noise, the best root mean squared error on test rows
    """

    train: Table
    valid: Table
    test: Table
    truth: np.ndarray
    noise: float


def low_rank(
    seed: int,
    users: int = 300,
    items: int = 200,
    rank: int = 3,
    per_user: int = 40,
    noise: float = 0.5,
    choice: float = 0.0,
) -> RatingWorld:
    """r_ui = 3.5 + b_u + b_i + ⟨p_u, q_i⟩ + ε;  b ~ N(0, 0.3²), ⟨p_u, q_i⟩ with standard deviation 0.8, ε ~ N(0, noise²).

    Each user rates `per_user` items; all are equally likely with choice = 0. With choice = c an item's odds
    grow by the factor exp(c ⟨p_u, q_i⟩): what a user rates then says who the user is. 80/10/10 at random.

    Raises ValueError for sizes below 1, or more ratings a user than there are items.
    """
    if min(users, items, rank, per_user) < 1 or per_user > items or noise < 0:
        raise ValueError(
            f"got users={users}, items={items}, rank={rank}, per_user={per_user}, noise={noise}; expected sizes of 1 or "
            "more, at most as many ratings a user as items, and no negative noise."
        )
    rng = np.random.default_rng(seed)
    p, q = rng.normal(size=(users, rank)), rng.normal(size=(items, rank))
    taste = 0.8 * p @ q.T / np.sqrt(rank)
    truth = np.zeros((users + FIRST, items + FIRST))
    truth[FIRST:, FIRST:] = 3.5 + rng.normal(0, 0.3, (users, 1)) + rng.normal(0, 0.3, items) + taste
    # the smallest of exponential clocks, item i with rate exp(c · taste), are a draw without replacement
    clocks = rng.exponential(size=taste.shape) * np.exp(-choice * taste)
    rated = np.sort(np.argpartition(clocks, per_user - 1, axis=1)[:, :per_user], axis=1) + FIRST
    user = np.repeat(np.arange(FIRST, users + FIRST), per_user)
    item = rated.ravel()
    stars = truth[user, item] + rng.normal(0, noise, len(user))
    schema = Schema((Sparse("user", users + FIRST), Sparse("item", items + FIRST)))
    columns = {"user": torch.tensor(user), "item": torch.tensor(item)}
    table = Table(schema, columns | {"label": torch.tensor(stars, dtype=torch.float32)})
    ends = np.cumsum([round(share * len(user)) for share in PARTS[:2]])
    train, valid, test = (table.rows(torch.tensor(part)) for part in np.split(rng.permutation(len(user)), ends))
    return RatingWorld(train, valid, test, truth, noise)
