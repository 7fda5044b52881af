"""The X-ray sees what ``forward`` computes, of any model, and leaves no trace of itself."""

import sys

import pytest
import torch
from torch import nn

from rec_lib import models
from rec_lib.figures.core import alt_text
from rec_lib.figures.xray import RETURN, preview, xray
from rec_lib.schema import Bag, Dense, Schema, Sparse

SCHEMA = Schema((Sparse("user", 12), Sparse("item", 12), Bag("genres", 8, maxlen=3), Dense("age")))
BATCH = {
    "user": torch.tensor([2, 3, 4]),
    "item": torch.tensor([5, 6, 7]),
    "genres": torch.tensor([[2, 3, 0], [4, 0, 0], [0, 0, 0]]),
    "age": torch.tensor([0.1, 0.2, 0.3]),
}


@pytest.fixture
def deepfm():
    torch.manual_seed(0)
    return models.DeepFM(SCHEMA, dim=4, hidden=(8,), dropout=0.5, init_sd=0.5)


class Loop(nn.Module):
    def forward(self, batch):
        h = batch["age"]
        for _ in range(2):
            h = torch.add(
                h,
                1,
            )  # one up
        h += 10
        if batch["age"].sum() > 0:
            y = h.clone()
        return y * 2


def test_names_shapes_and_lines_of_deepfm(deepfm):
    seen = xray(deepfm, BATCH)
    assert [x.name for x in seen.locals] == ["v", "x", "y_linear", "y_fm", "y_deep", RETURN]
    assert seen["v"].shape == (3, 3, 4)
    lines = {x.name: x.source for x in seen.locals}
    assert lines["y_fm"].startswith("y_fm = fm_pairwise(v)")
    assert "eq. 1" in lines[RETURN]


def test_values_are_those_of_forward(deepfm):
    seen = xray(deepfm, BATCH)
    deepfm.eval()
    assert torch.equal(seen[RETURN], deepfm(BATCH).detach())
    assert torch.allclose(seen["y_linear"] + seen["y_fm"] + seen["y_deep"], seen[RETURN])


def test_mode_trace_and_gradients_are_left_alone(deepfm):
    deepfm.train()
    before = sys.gettrace()
    state = torch.get_rng_state()
    seen = xray(deepfm, BATCH)
    assert deepfm.training
    assert sys.gettrace() is before
    assert torch.equal(state, torch.get_rng_state())
    assert not any(x.value.requires_grad for x in seen.locals)


@pytest.mark.parametrize("name", ["LR", "FM", "FNN", "DeepFM", "NFM"])
def test_every_model_can_be_seen(name):
    torch.manual_seed(0)
    model = getattr(models, name)(SCHEMA)
    seen = xray(model, BATCH, row=2)
    assert seen.locals[-1].name == RETURN
    assert all(source for _, _, _, source in seen.rows())
    assert len(seen.figure(1).data) == len(seen.locals)


def test_loops_changes_in_place_and_long_statements_are_kept():
    seen = xray(Loop(), BATCH)
    assert [(x.name, round(float(x.value[0]), 1)) for x in seen.locals] == [
        ("h", 0.1),
        ("h", 1.1),
        ("h", 2.1),
        ("h", 12.1),
        ("y", 12.1),
        (RETURN, 24.2),
    ]
    assert seen.locals[1].source.startswith("h = torch.add( h, 1, ) # one up")
    assert seen.locals[4].source == "y = h.clone()"


def test_an_inner_model_of_the_same_class_is_not_mixed_in():
    class Nested(nn.Module):
        def __init__(self, inner=None):
            super().__init__()
            self.inner = inner

        def forward(self, batch):
            out = batch["age"] if self.inner is None else self.inner(batch) + 1
            return out

    seen = xray(Nested(Nested()), BATCH)
    assert [x.name for x in seen.locals] == ["out", RETURN]


def test_an_error_in_forward_comes_through_and_tracing_ends(deepfm):
    before = sys.gettrace()
    with pytest.raises(KeyError):
        xray(deepfm, {"user": BATCH["user"]})
    assert sys.gettrace() is before


def test_table_and_picture_say_which_sample(deepfm):
    seen = xray(deepfm, BATCH, row=1)
    assert "sample 1" in repr(seen)
    page = seen._repr_html_()
    assert "user = 3" in page
    assert "genres = [4 0 0]" in page
    assert "sample 1" in alt_text(seen.figure())
    assert "sample 2" in alt_text(seen.figure(2))


def test_refusals_name_what_is_there(deepfm):
    with pytest.raises(ValueError, match="row got 3, expected 0 to 2"):
        xray(deepfm, BATCH, row=3)
    with pytest.raises(ValueError, match="row got 9"):
        xray(deepfm, BATCH).figure(9)
    with pytest.raises(KeyError, match="y_fm"):
        xray(deepfm, BATCH)["y_fn"]


def test_preview_is_short():
    assert preview(torch.tensor(1.23456)) == "1.235"
    assert preview(torch.tensor([1, 2])) == "[1 2]"
    assert preview(torch.zeros(9)) == "[0.000 0.000 0.000 0.000 … 9 numbers]"
    assert preview(torch.zeros(0)) == "empty"
