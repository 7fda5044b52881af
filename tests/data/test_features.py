"""Fields made from fields: crosses beside a plain loop, counts that never look ahead."""

import numpy as np
import pytest
import torch

from rec_lib.data.features import crossed, only, with_moment
from rec_lib.data.table import Table
from rec_lib.schema import FIRST, PAD, Bag, Schema, Sequence, Sparse


def clicks(n=60, seed=0):
    rng = np.random.default_rng(seed)
    bags = rng.integers(1, 6, (n, 3))
    bags[rng.random((n, 3)) < 0.3] = PAD
    columns = {
        "user": torch.tensor(rng.integers(1, 5, n)),
        "item": torch.tensor(rng.integers(1, 7, n)),
        "genres": torch.tensor(bags),
        "label": torch.tensor(rng.integers(0, 2, n), dtype=torch.float32),
    }
    schema = Schema((Sparse("user", 5), Sparse("item", 7), Bag("genres", 6, 3)))
    return Table(schema, columns, {"timestamp": torch.tensor(np.sort(rng.integers(0, 10**6, n)))})


def test_a_cross_has_one_value_for_each_combination():
    table = crossed(clicks(), ("user", "item"), ("user", "genres"))
    found = {}
    for u, i, cross in zip(table["user"], table["item"], table["user*item"], strict=True):
        assert found.setdefault((int(u), int(i)), int(cross)) == int(cross)
    assert len(set(found.values())) == len(found)
    assert min(found.values()) >= FIRST
    assert table.schema.size("user*item") == FIRST + 4 * 6
    bag = {}
    for u, genres, crosses in zip(table["user"], table["genres"], table["user*genres"], strict=True):
        for g, c in zip(genres, crosses, strict=True):
            assert (int(g) == PAD) == (int(c) == PAD)
            assert bag.setdefault((int(u), int(g)) if g else 0, int(c)) == int(c)
    assert len(set(bag.values())) == len(bag)


def test_every_combination_fits_into_the_field():
    corner = clicks().rows(torch.arange(4))
    corner.columns["user"], corner.columns["item"] = torch.tensor([1, 1, 4, 4]), torch.tensor([1, 6, 1, 6])
    table = crossed(corner, ("user", "item"))
    assert table["user*item"].tolist() == [2, 7, 20, 25]
    assert table.schema.size("user*item") == 26


def test_the_moment_counts_earlier_rows_only():
    table = with_moment(clicks())
    for name in ("user", "item"):
        for row in range(len(table)):
            before = int((table[name][:row] == table[name][row]).sum())
            assert int(table[f"{name}_rows"][row]) == FIRST + int(np.log2(before + 1))
    assert torch.equal(with_moment(clicks().rows(torch.arange(30)))["user_rows"], table["user_rows"][:30])
    time = int(table["timestamp"][7])
    assert int(table["hour"][7]) - FIRST == time // 3600 % 24
    assert int(table["weekday"][7]) - FIRST == time // 86400 % 7


def test_rows_out_of_order_are_refused():
    with pytest.raises(ValueError, match="order of time"):
        with_moment(clicks().rows(torch.arange(59, -1, -1)))


def test_only_keeps_the_named_fields_in_their_order():
    table = only(clicks(), ("genres", "user"))
    assert [f.name for f in table.schema.fields] == ["genres", "user"]
    assert "timestamp" in table.extra
    assert set(table.batch()) == {"genres", "user", "label"}
    with pytest.raises(KeyError, match="age"):
        only(clicks(), ("age",))


def test_what_cannot_be_crossed_is_refused():
    with pytest.raises(ValueError, match="Sparse"):
        crossed(clicks(), ("genres", "user"))
    schema = Schema((Sparse("item", 5), Sequence("history", "item", 2)))
    columns = {"item": torch.tensor([2]), "history": torch.tensor([[2, 3]]), "label": torch.tensor([1.0])}
    with pytest.raises(ValueError, match="item\\*history"):
        crossed(Table(schema, columns), ("item", "history"))
