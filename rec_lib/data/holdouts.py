"""Two held-out items a user: the last one for the test, the one before it to choose settings by."""

from __future__ import annotations

import numpy as np

from rec_lib.data.interactions import Interactions, leave_one_out
from rec_lib.data.movielens import MovieLens
from rec_lib.data.views import encoders, ratings


def leave_two_out(ml: MovieLens, negatives: int = 99, seed: int = 0) -> tuple[Interactions, Interactions]:
    """(validation, test) of the protocol of `views.implicit`, every rating counting as "has watched".

    The test trains on all but each user's last film; the validation on all but the last two, and holds out the last
    but one. A setting that is chosen on the validation has never met a test item, and is then fitted on the test's
    training pairs.

    seed  of the order within ties and of the negatives
    """
    log = ratings(ml, seed)
    users, items = log["user"].numpy(), log["item"].numpy()
    shape = encoders(ml)["user"].size, encoders(ml)["item"].size
    rng = np.random.default_rng(seed)
    test = leave_one_out(users, items, shape, negatives, rng)
    key = users * shape[1] + items
    rest = ~np.isin(key, test.users * shape[1] + test.held_out)
    return leave_one_out(users[rest], items[rest], shape, negatives, rng), test
