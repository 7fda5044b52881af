"""The panel of 3.9: what it shows is what the model computes; shares add up; without attention it is the plain GRU."""

import itertools
import time

import numpy as np
import pytest
import torch

from rec_lib.data import worlds
from rec_lib.figures.core import alt_text
from rec_lib.figures.dien import evolved_figure
from rec_lib.models.dien import DIEN
from rec_lib.schema import FIRST
from rec_lib.widgets.dien import STAGES, Evolving, demo, small_world, summary


@pytest.fixture(scope="module")
def parts():
    torch.manual_seed(0)
    return small_world()


@pytest.fixture(scope="module")
def compute(parts):
    return Evolving(*parts)


def item_of(name):
    return STAGES * "ABCDEFGH".index(name[0]) + int(name[1]) - 1 + FIRST


def test_probabilities_are_the_models_and_the_laws(compute, parts):
    model, world = parts
    for history, thread in itertools.product((0, 3), (1, 2)):
        data = compute(history, thread, 2, True)
        items = torch.tensor([item_of(name) for name in data.candidates])
        ids = world.test["history"][history].repeat(4, 1)
        np.testing.assert_allclose(data.p, model.predict_proba({"item": items, "history": ids}), rtol=1e-5)
        assert sorted(np.round(data.truth, 2)) == [0.17, 0.17, 0.17, 0.92]  # one of four stages is next
        assert [item_of(name) for name in data.listed] == world.test["history"][history].tolist()


def test_attention_adds_up_to_one_and_opens_what_it_scales(compute):
    data = compute(1, 1, 3, True)
    assert data.attention.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(data.opened, data.attention * data.gate, rtol=1e-5)
    off = compute(1, 1, 3, False)
    assert (off.attention == 1).all()
    np.testing.assert_allclose(off.opened, off.gate, rtol=1e-5)


def test_what_is_left_is_the_weight_of_a_steps_proposal(compute, parts):
    """With every proposal replaced by a step's own mark, the last state is exactly the shares."""
    model, world = parts
    data = compute(2, 2, 1, True)
    ids = world.test["history"][2:3]
    e, mask = model.behaviours(ids)
    h = model.extractor(e, mask)
    a = model.attention(h, mask, model.emb({"item": torch.tensor([item_of(data.candidates[0])])})[:, 0])
    states = model.evolver(h, mask, a)[:, 0]
    left, size = torch.zeros(len(states), states.shape[1]), states.shape[1]
    before = torch.zeros(size)
    for t, state in enumerate(states):  # a share fades by what each later step lets in
        u = torch.sigmoid(
            h[t, 0] @ model.evolver.W[:, :size] + before @ model.evolver.U[:, :size] + model.evolver.b[:size]
        )
        left = left * (1 - a[t, 0] * u)
        left[t] = a[t, 0] * u
        before = state
    np.testing.assert_allclose(data.left, left.mean(dim=1).detach(), rtol=1e-4)
    assert 0 < data.left.sum() <= 1


def test_every_setting_draws_the_same_traces_and_says_so(compute):
    kinds = set()
    for history, thread, stage, steered in itertools.product(
        (0, 7), range(1, compute.most + 1), range(1, 5), (True, False)
    ):
        data = compute(history, thread, stage, steered)
        kinds.add(tuple((t.type, t.name) for t in evolved_figure(data).data))
        assert data.candidates[stage - 1] in summary(data)
        assert data.candidates[stage - 1] in alt_text(evolved_figure(data))
        assert data.own.any()
    assert len(kinds) == 1


def test_computing_takes_twenty_milliseconds_at_most(compute):
    start = time.process_time()
    for k in range(20):
        compute(k % 8, 1, 1 + k % 4, True)
    assert (time.process_time() - start) / 20 < 0.020


def test_bad_values_and_worlds_are_refused(compute, parts):
    model, world = parts
    with pytest.raises(ValueError, match="history got"):
        compute(8, 1, 1, True)
    with pytest.raises(ValueError, match="thread got"):
        compute(0, compute.most + 1, 1, True)
    with pytest.raises(ValueError, match="stage got"):
        compute(0, 1, 1.5, True)
    with pytest.raises(ValueError, match="steered got"):
        compute(0, 1, 1, "yes")
    with pytest.raises(ValueError, match="'agru'"):
        Evolving(DIEN(world.train.schema, evolution="agru"), world)
    with pytest.raises(ValueError, match="activation_count"):
        Evolving(model, worlds.activation(0, sizes=(5, 5, 5)))


def test_the_demo_is_a_panel_that_redraws():
    panel = demo()
    panel.controls["stage"].value = 3
    assert panel.error == ""
    assert panel.data.chosen == 2
