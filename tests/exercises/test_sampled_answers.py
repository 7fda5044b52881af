"""Numbers that a learner may draw: an answer from a modest number of draws is right, whatever the seed."""

import numpy as np
import pytest

from rec_lib.exercises import core


def twice(batches, seed):
    rng = np.random.default_rng(seed)
    q = 1 / np.arange(1, 1001)
    rows = [rng.choice(1000, 256, p=q / q.sum()) for _ in range(batches)]
    return float(np.mean([(np.bincount(items, minlength=1000)[items] > 1).mean() for items in rows]))


@pytest.mark.parametrize("seed", range(20))
def test_fifty_batches_are_enough(seed):
    assert core.grade(core.find("4.3-twice"), twice(50, seed)).status == "right"


@pytest.mark.parametrize("share", [0.379, 0.492], ids=["its item is there once", "rows beyond the first of an item"])
def test_other_shares_of_a_batch_are_wrong(share):
    assert core.grade(core.find("4.3-twice"), share).status == "wrong"
