"""A model file is weights and a schema, without pickle; a truncated or foreign one is refused and changes nothing."""

import contextlib
import os
import zipfile

import numpy as np
import pytest
import torch
from contract.ctr_checks import build, stirred, table

from rec_lib.models import FM, LR, DeepFM, ModelFileError
from rec_lib.schema import Schema, Sparse


def test_round_trip(tmp_path):
    model, other = stirred(DeepFM), build(DeepFM, seed=4)
    model.save(tmp_path / "model.npz")
    other.load(tmp_path / "model.npz")
    assert torch.equal(other.predict_proba(table()), model.predict_proba(table()))
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"], "a temporary file was left behind"


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    model = stirred(FM)
    model.save(tmp_path / "model.npz")
    before = (tmp_path / "model.npz").read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        model.save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_others_may_read_it_as_any_file_that_is_written_here(tmp_path):
    plain, saved = tmp_path / "plain", tmp_path / "model.npz"
    before = os.umask(0o027)
    try:
        plain.write_bytes(b"")
        stirred(FM).save(saved)
    finally:
        os.umask(before)
    assert saved.stat().st_mode == plain.stat().st_mode


def refused(model, path, message):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(ModelFileError, match=message):
        model.load(path)
    assert all(torch.equal(model.state_dict()[k], v) for k, v in before.items())


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.95])
def test_truncated(tmp_path, keep):
    model, path = stirred(FM), tmp_path / "model.npz"
    model.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    refused(model, path, "no complete file")


def test_damaged_anywhere(tmp_path):
    model, path = stirred(FM), tmp_path / "model.npz"
    model.save(path)
    with np.load(path) as file:
        np.savez_compressed(path, **dict(file))
    whole = path.read_bytes()
    for at in range(30, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:at] + b"}" * 12 + whole[at + 12 :])
        with contextlib.suppress(ModelFileError):  # or it is whole still, where nobody reads those bytes
            build(FM).load(path)


def test_foreign(tmp_path):
    path = tmp_path / "f"
    path.write_text("hello")
    refused(build(FM), path, "no complete file")
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("a.txt", "hello")
    refused(build(FM), path, "no complete file")
    torch.save({"a": torch.ones(2)}, path)
    refused(build(FM), path, "no complete file")
    with open(path, "wb") as file:
        np.savez(file, model=np.array("FM"), schema=np.array("{}"))
    refused(build(FM), path, "no complete file")


def test_another_model_schema_or_size(tmp_path):
    path = tmp_path / "model.npz"
    stirred(FM).save(path)
    refused(build(LR), path, "a FM, not a LR")
    refused(build(FM, dim=3), path, r"'emb.table' has shape \(31, 16\) in the file and \(31, 3\) here")
    refused(FM(Schema((Sparse("user", 9),))), path, "another schema")


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        build(FM).load(tmp_path / "none.npz")


def test_predictions_of_no_rows_and_bad_chunks():
    assert build(FM).predict_proba(table().rows(torch.arange(0))).shape == (0,)
    with pytest.raises(ValueError, match="chunk"):
        build(FM).predict_proba(table(), chunk=0)


def test_predict_proba_leaves_the_mode_as_it_was():
    model = build(FM).train()
    model.predict_proba(table())
    assert model.training
