"""Ids are checked once, where a table is built; whatever is wrong is said in words."""

import pytest
import torch
from contract.ctr_checks import schema, table

from rec_lib.data.table import Table
from rec_lib.schema import FIRST, OOV, PAD, Bag, Dense, Schema, Sequence, Sparse


def test_reserved_ids():
    assert (PAD, OOV, FIRST) == (0, 1, 2)


def test_json_round_trip():
    assert Schema.from_json(schema().to_json()) == schema()


@pytest.mark.parametrize(
    "text", ["", "[]x", "{}", '[{"kind": "Sparse"}]', '[{"kind": "Tree", "name": "a"}]', "[3]", "null"]
)
def test_foreign_json_is_refused(text):
    with pytest.raises(ValueError, match="not a schema"):
        Schema.from_json(text)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((Sparse("a", 5), Dense("a")), "must differ"),
        ((Sparse("label", 5),), "label"),
        ((Sparse("a", 2),), "must exceed 2"),
        ((Bag("a", 5, 0),), "at least 1"),
        ((Sparse("a", 5), Sequence("h", of="b", maxlen=3)), "no Sparse field"),
    ],
)
def test_bad_schemas(fields, message):
    with pytest.raises(ValueError, match=message):
        Schema(fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([Sparse("a", 5)], "expected a tuple"),
        (Sparse("a", 5), "expected a tuple"),
        ((Sparse("a", 5), "b"), "expected a tuple"),
        ((Sparse(3, 5),), r"Sparse\(name=3, size=5\): name is a int; expected str"),
        ((Sparse("a", 5.0),), "size is a float; expected int"),
        ((Sparse("a", True),), "size is a bool"),
        ((Bag("a", 5, 2.5),), "maxlen is a float"),
        ((Sparse("a", 5), Sequence("h", of="a", maxlen="3")), "maxlen is a str"),
    ],
)
def test_parts_of_another_type(fields, message):
    with pytest.raises(TypeError, match=message):
        Schema(fields)


def test_schema_is_frozen_and_a_history_has_the_size_of_its_field():
    assert schema().size("history") == schema().size("item") == 13
    with pytest.raises(AttributeError):
        schema().fields = ()
    with pytest.raises(ValueError, match="no ids"):
        schema().size("age")
    with pytest.raises(KeyError, match="no field"):
        schema()["colour"]


@pytest.mark.parametrize("name", ["user", "item", "genres", "history"])
def test_an_id_one_past_its_field_is_refused_or_becomes_unknown(name):
    """With one table for all fields, such an id would silently read the next field's first row."""
    columns = dict(table().columns)
    columns[name] = columns[name].clone()
    columns[name].view(24, -1)[3, 0] = schema().size(name)
    with pytest.raises(ValueError, match=rf"'{name}'.*outside 0"):
        Table(table().schema, columns)
    mended = Table(table().schema, columns, unknown="oov")
    assert mended[name].view(24, -1)[3, 0] == OOV


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("user", lambda c: c - 20, "outside"),
        ("user", lambda c: c.float(), "int64"),
        ("user", lambda c: c.int(), "int64"),
        ("user", lambda c: c[:5], "shape"),
        ("history", lambda c: c[:, :2], "shape"),
        ("age", lambda c: c.long(), "float"),
        ("age", lambda c: c / 0, "NaN or infinite"),
        ("label", lambda c: c.long(), "float"),
        ("label", lambda c: c * float("nan"), "NaN"),
    ],
)
def test_bad_columns(name, change, message):
    with pytest.raises(ValueError, match=message):
        Table(table().schema, table().columns | {name: change(table()[name])})


@pytest.mark.parametrize("name", ["user", "genres", "age", "label", "row"])
def test_columns_that_are_no_tensors_or_no_columns(name):
    columns, extra = dict(table().columns), {"row": torch.arange(24)}
    of = extra if name == "row" else columns
    for other, error, message in (
        (of[name].numpy(), TypeError, "ndarray; expected a tensor"),
        (of[name].tolist(), TypeError, "list; expected a tensor"),
        (of[name].view(-1)[0], ValueError, "single number"),
    ):
        of[name] = other
        with pytest.raises(error, match=f"column '{name}' is a {message}"):
            Table(table().schema, columns, extra)


def test_missing_and_surplus_columns_are_named():
    columns = dict(table().columns)
    columns["colour"] = columns.pop("age")
    with pytest.raises(ValueError, match=r"missing \['age'\], surplus \['colour'\]"):
        Table(table().schema, columns)


def test_batches_hold_every_row_once_and_shuffle_only_when_asked():
    t = Table(table().schema, table().columns, extra={"row": torch.arange(24)})
    in_order = torch.cat([b["user"] for b in t.batches(7)])
    assert torch.equal(in_order, t["user"])
    shuffled = [b["age"] for b in t.batches(7, torch.Generator().manual_seed(0))]
    assert [len(b) for b in shuffled] == [7, 7, 7, 3]
    assert torch.equal(torch.cat(shuffled).sort().values, t["age"].sort().values)
    assert not torch.equal(torch.cat(shuffled), t["age"])
    assert torch.equal(t.rows(torch.tensor([5, 2]))["row"], torch.tensor([5, 2]))
    assert t.batch(slice(0, 4))["age"].data_ptr() == t["age"].data_ptr(), "a slice is a view, not a copy"
    with pytest.raises(KeyError, match="no column"):
        t["colour"]
    with pytest.raises(ValueError, match="batch_size"):
        next(t.batches(0))
    with pytest.raises(ValueError, match="extra column"):
        Table(table().schema, table().columns, extra={"row": torch.arange(3)})
