"""POLY2's table: where a pair's weight stands, with a hash and without, and how often pairs meet in one bucket."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from contract.ctr_checks import build, schema, stirred, table
from oracles.ctr_naive import pair_row, poly2, scramble

from rec_lib.models import POLY2
from rec_lib.models.poly2 import bucket
from rec_lib.schema import PAD, Schema, Sparse

LARGE = [0, 1, 2, 2**30, 2**31, 2**32 + 5, 2**53 + 1, 2**62, 2**63 - 1]
GOLDEN = [0, 198117, 201866, 249599, 31903, 240726, 22186, 218309, 122557]  # bucket(LARGE, 2**18)


def test_bucket_is_the_published_hash_up_to_the_largest_int64():
    """Products beyond 64 bits wrap around as unsigned ones do; Python's whole numbers say what that gives."""
    for buckets in (1, 7, 1000, 2**18, 2**40):
        got = bucket(torch.tensor(LARGE), buckets)
        assert got.dtype == torch.int64
        assert got.tolist() == [scramble(n) % 2**63 % buckets for n in LARGE]


def test_bucket_never_changes():
    """Saved weights mean something only under the hash they were learned with."""
    assert bucket(torch.tensor(LARGE), 2**18).tolist() == GOLDEN


def test_bucket_is_the_same_in_another_process():
    code = (
        f"import torch; from rec_lib.models.poly2 import bucket; print(bucket(torch.tensor({LARGE}), 2**18).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(GOLDEN)


@pytest.mark.parametrize("start", [0, 10**9, 2**40])
@pytest.mark.parametrize("buckets", [1_000, 4_096])
def test_pairs_meet_as_often_as_balls_in_urns(start, buckets):
    """Neighbouring numbers too: M pairs leave B (1 − (1 − 1/B)^M) buckets occupied, give or take √B."""
    pairs = 3_000
    occupied = len(bucket(torch.arange(start, start + pairs), buckets).unique())
    expected = buckets * (1 - (1 - 1 / buckets) ** pairs)
    assert abs(occupied - expected) < 3 * buckets**0.5


def test_two_users_do_not_share_their_films_one_after_the_other():
    """Two rows of pairs that meet once must not go on meeting: a linear hash would let them."""
    films, buckets = 1_000, 500
    rows = bucket(torch.arange(40 * films).view(40, films), buckets).numpy()
    repeats = [np.mean((rows[a, :-1] == rows[b, 1:]) | (rows[a] == rows[b])[1:]) for a in range(40) for b in range(a)]
    assert max(repeats) < 0.03  # by chance 2 / 500, with 1 000 films never so many


def test_a_whole_table_numbers_every_pair_once():
    model = POLY2(Schema((Sparse("user", 5), Sparse("item", 7), Sparse("day", 4))), buckets=None)
    assert model.n_pairs == len(model.w) == 5 * 7 + 5 * 4 + 7 * 4
    grid = torch.cartesian_prod(torch.arange(5), torch.arange(7), torch.arange(4))
    rows = model.rows(grid)  # (140, 3)
    used = [set(column.tolist()) for column in rows.T]
    assert [len(u) for u in used] == [35, 20, 28]
    assert set.union(*used) == set(range(83))
    expected = [
        [pair_row([5, 7, 4], f, g, ids[f], ids[g], None) for f, g in ((0, 1), (0, 2), (1, 2))] for ids in grid.tolist()
    ]
    assert rows.tolist() == expected


def test_a_whole_table_equals_the_plain_loop_too():
    torch.manual_seed(0)
    model, batch = POLY2(schema(), buckets=None).double(), table().batch()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_()
    expected = torch.tensor([poly2(model, batch, row) for row in range(24)], dtype=torch.float64)
    torch.testing.assert_close(model(batch), expected)


def test_pairs_with_padding_learn_nothing():
    model = POLY2(schema(), buckets=None)
    batch = table().batch()
    with torch.no_grad():
        model.w.normal_()
    model.loss(batch).backward()
    ids, x = model.features(batch)
    rows = model.rows(ids)
    padded = (ids == PAD).index_select(1, model.left) | (ids == PAD).index_select(1, model.right)
    assert padded.any()
    assert (model.w.grad[rows[padded]] == 0).all()
    assert (model.w.grad[rows[~padded]] != 0).any()
    assert torch.equal(x == 0, ids == PAD)


def test_two_pairs_in_one_bucket_share_a_weight():
    model = stirred(lambda s, **settings: POLY2(s, buckets=1, **settings))
    batch = {k: v for k, v in table().batch().items()}
    y, w = model(batch), model.w.item()
    ids, x = model.features(batch)
    values = (x.index_select(1, model.left) * x.index_select(1, model.right)).sum(1)
    torch.testing.assert_close(y, model.linear(batch) + w * values)


@pytest.mark.parametrize("buckets", [0, -3])
def test_refuses_an_empty_table(buckets):
    with pytest.raises(ValueError, match="at least 1 bucket"):
        build(POLY2, buckets=buckets)


def test_refuses_more_pairs_than_an_int64_can_number(monkeypatch):
    huge = Schema((Sparse("user", 2**32), Sparse("item", 2**32)))
    monkeypatch.setattr("rec_lib.models.poly2.LinearTerm", lambda schema: torch.nn.Identity())  # else 32 GB of weights
    with pytest.raises(ValueError, match=r"fewer than 2\^63 pairs"):
        POLY2(huge)
    assert (
        POLY2(Schema((Sparse("user", 2**31), Sparse("item", 2**31))))
        .rows(torch.tensor([[2**31 - 1, 2**31 - 1]]))
        .item()
        == scramble(2**62 - 1) % 2**63 % 2**18
    )
