"""A planted world of items with traits: yes-or-no ones, such as "is a musical", or graded ones, such as "how long".

Where traits are yes or no, an item's few noisy ratings say *which corner of a cube* it sits on, and the best guess is a
non-linear function of them; with graded traits of normal distribution the best guess is linear.
"""

from __future__ import annotations

import numpy as np
import torch

from rec_lib.data.low_rank import PARTS, RatingWorld
from rec_lib.data.table import Table
from rec_lib.schema import FIRST, Schema, Sparse


def traits(
    seed: int,
    users: int = 100,
    items: int = 1000,
    number: int = 3,
    per_item: int = 20,
    noise: float = 0.8,
    graded: bool = False,
    mean: float = 0.0,
) -> RatingWorld:
    """r_ui = mean + b_u + 0.8 ⟨a_u, s_i⟩/√number + ε;  a ~ N(0, I), b ~ N(0, 0.3²), ε ~ N(0, noise²).

    s_i  `number` traits of an item: ±1, each as likely, or N(0, 1) each if graded
    mean 0 for ratings that say how much better or worse than usual, 3.5 for something like stars
    Each item is rated by `per_item` users, all equally likely. 80/10/10 at random.

    Raises ValueError for sizes below 1, more ratings an item than there are users, or negative noise.
    """
    if min(users, items, number, per_item) < 1 or per_item > users or noise < 0:
        raise ValueError(
            f"got users={users}, items={items}, number={number}, per_item={per_item}, noise={noise}; expected sizes of 1 or "
            "more, at most as many ratings an item as users, and no negative noise."
        )
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(users, number))
    s = rng.normal(size=(items, number)) if graded else rng.choice([-1.0, 1.0], size=(items, number))
    truth = np.zeros((users + FIRST, items + FIRST))
    truth[FIRST:, FIRST:] = mean + rng.normal(0, 0.3, (users, 1)) + 0.8 * a @ s.T / np.sqrt(number)
    user = np.argsort(rng.random((items, users)), axis=1)[:, :per_item].ravel() + FIRST
    item = np.repeat(np.arange(FIRST, items + FIRST), per_item)
    stars = truth[user, item] + rng.normal(0, noise, len(user))
    schema = Schema((Sparse("user", users + FIRST), Sparse("item", items + FIRST)))
    columns = {"user": torch.tensor(user), "item": torch.tensor(item)}
    table = Table(schema, columns | {"label": torch.tensor(stars, dtype=torch.float32)})
    ends = np.cumsum([round(share * len(user)) for share in PARTS[:2]])
    train, valid, test = (table.rows(torch.tensor(part)) for part in np.split(rng.permutation(len(user)), ends))
    return RatingWorld(train, valid, test, truth, noise)
