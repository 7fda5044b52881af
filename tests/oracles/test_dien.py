"""DIEN's parts beside torch's GRU, plain loops and the two ends of the attention; negatives beside what was clicked."""

import numpy as np
import pytest
import torch
from contract.ctr_checks import build, schema, table
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.ctr_naive import dien, gru_row
from oracles.gru_naive import auxiliary_by_loops, check_auxiliary_loss, check_is_torchs_gru, draw

from rec_lib.data.negatives import NEGATIVES, with_negatives
from rec_lib.data.table import Table
from rec_lib.layers import GRU
from rec_lib.layers.gru import GATES, gru_step
from rec_lib.models import DIEN
from rec_lib.models.dien import EVOLUTIONS, next_behaviour_loss
from rec_lib.schema import FIRST, PAD, Schema, Sequence, Sparse


def test_the_equations_are_torchs_gru_with_its_update_gate_turned_round():
    check_is_torchs_gru(GRU)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.sampled_from(GATES), st.integers(1, 5))
def test_states_equal_the_loop_and_padding_keeps_them(seed, gate, length):
    torch.manual_seed(seed)
    gru = GRU(3, 2, gate).double()
    i, a = draw(seed, (length, 4, 3), (length, 4))
    mask = torch.rand(length, 4, generator=torch.Generator().manual_seed(seed)) < 0.6  # padding anywhere
    a = torch.sigmoid(a) * mask
    states = gru(i, mask, None if gate == "gru" else a)
    for row in range(4):
        real = mask[:, row].nonzero().flatten()
        expected = gru_row(gru, i[real, row].tolist(), None if gate == "gru" else a[real, row].tolist())
        torch.testing.assert_close(states[real, row].tolist(), expected)
        torch.testing.assert_close(states[-1, row].tolist(), expected[-1] if expected else [0.0, 0.0])


def test_attention_0_keeps_the_state_and_1_is_the_gru():
    torch.manual_seed(0)
    augru, plain = GRU(3, 4, "augru").double(), GRU(3, 4).double()
    plain.load_state_dict(augru.state_dict())
    (i,) = draw(0, (6, 5, 3))
    mask = torch.ones(6, 5, dtype=torch.bool)
    one = torch.ones(6, 5, dtype=torch.float64)
    torch.testing.assert_close(augru(i, mask, one), plain(i, mask))
    assert (augru(i, mask, 0 * one) == 0).all()
    half = torch.cat([one[:3], 0 * one[3:]])
    states = augru(i, mask, half)
    assert (states[3:] == states[2]).all()


def test_a_gate_that_attention_replaces_has_no_weights():
    sizes = {gate: sum(p.numel() for p in GRU(3, 4, gate).parameters()) for gate in GATES}
    assert sizes == {"gru": 3 * 4 * (3 + 4 + 1), "agru": 2 * 4 * (3 + 4 + 1), "augru": 3 * 4 * (3 + 4 + 1)}


def test_gradient_of_every_gate():
    mask = torch.arange(4)[:, None] < torch.tensor([4, 2, 0])
    for gate in GATES:
        gru = GRU(2, 3, gate).double()
        i, a = draw(1, (4, 3, 2), (4, 3))
        a = torch.sigmoid(a) * mask

        def states(i, a, gru=gru, gate=gate):
            return gru(i, mask, None if gate == "gru" else a)

        assert torch.autograd.gradcheck(states, (i.requires_grad_(), a.requires_grad_(gate != "gru")))


@pytest.mark.parametrize("evolution", EVOLUTIONS)
def test_every_evolution_equals_the_plain_loop(evolution):
    model, batch = build(DIEN, evolution=evolution).double().eval(), table().batch()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    expected = torch.tensor([dien(model, batch, row) for row in range(24)], dtype=torch.float64)
    torch.testing.assert_close(model(batch), expected)


def test_dien_says_what_it_needs():
    with pytest.raises(ValueError, match="0 histories"):
        DIEN(Schema((Sparse("item", 5),)))
    with pytest.raises(ValueError, match="2 histories"):
        DIEN(Schema((Sparse("item", 5), Sequence("a", "item", 3), Sequence("b", "item", 3))))
    with pytest.raises(ValueError, match="'gru'"):
        DIEN(schema(), evolution="gru")
    with pytest.raises(ValueError, match="auxiliary=-1"):
        DIEN(schema(), auxiliary=-1)
    batch = table().batch()
    del batch[NEGATIVES]
    with pytest.raises(ValueError, match="with_negatives"):
        DIEN(schema(), auxiliary=1.0).loss(batch)
    for weight in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="finite weight"):
            DIEN(schema(), auxiliary=weight)
    batch = table().batch()
    short = batch | {NEGATIVES: batch[NEGATIVES][:, :-1]}
    with pytest.raises(ValueError, match="one negative a place"):
        DIEN(schema(), auxiliary=1.0).loss(short)
    with pytest.raises(ValueError, match=r"shape \(24, 0\)"):
        DIEN(schema())(batch | {"history": batch["history"][:, :0]})
    with pytest.raises(ValueError, match="gate='lstm'"):
        GRU(2, 2, "lstm")


@pytest.mark.parametrize("gate", GATES)
def test_all_steps_at_once_are_the_steps_one_by_one_in_value_and_gradient(gate):
    torch.manual_seed(1)
    gru = GRU(3, 5, gate).double()
    i, a, weights = draw(2, (6, 7, 3), (6, 7), (6, 7, 5))
    mask = torch.rand(6, 7) < 0.7
    mask[:, 0] = False
    a = torch.sigmoid(a) * mask if gate != "gru" else mask.double()
    inputs = (i.requires_grad_(), a.requires_grad_(gate != "gru"), *gru.parameters())
    inputs = [p for p in inputs if p.requires_grad]
    h, steps = i.new_zeros(7, 5), []
    for x, scale in zip(i @ gru.W + gru.b, a.unsqueeze(2), strict=True):
        h = gru_step(x[:, :-5], x[:, -5:], h, gru.U[:, :-5], gru.U[:, -5:], scale)
        steps.append(h)
    expected, got = torch.stack(steps), gru(i, mask, None if gate == "gru" else a)
    torch.testing.assert_close(got, expected)
    wanted, found = (torch.autograd.grad((states * weights).sum(), inputs) for states in (expected, got))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_no_row_and_no_step_give_no_state():
    for gate in GATES:
        for T, B in ((3, 0), (0, 2), (0, 0)):
            i, a = torch.zeros(T, B, 2, requires_grad=True), torch.zeros(T, B)
            states = GRU(2, 3, gate)(i, a > 0, None if gate == "gru" else a)
            assert states.shape == (T, B, 3)
            assert not states.requires_grad or states.sum().backward() is None
    nobody = {name: column[:0] for name, column in table().batch().items()}
    for evolution in EVOLUTIONS:
        model = build(DIEN, evolution=evolution)
        assert model(nobody).shape == (0,)
        assert model.predict_proba(nobody).shape == (0,)


# --- the auxiliary loss ------------------------------------------------------------------------------------------------


def test_auxiliary_loss_equals_the_loop():
    check_auxiliary_loss(next_behaviour_loss)


def test_the_loss_is_that_of_clicks_plus_a_share_of_the_auxiliary_one():
    model, batch = build(DIEN, auxiliary=0.7).double().eval(), table().batch()
    plain = build(DIEN).double().eval()
    e, mask = model.behaviours(batch["history"])
    e_hat, _ = model.behaviours(batch[NEGATIVES])
    expected = plain.loss(batch).item() + 0.7 * auxiliary_by_loops(model.extractor(e, mask), e, e_hat, mask)
    assert model.loss(batch).item() == pytest.approx(expected)


def test_padding_does_not_change_the_auxiliary_loss():
    model, batch = build(DIEN, auxiliary=1.0), table().batch()
    longer = batch | {n: torch.nn.functional.pad(batch[n], (0, 5)) for n in ("history", NEGATIVES)}
    torch.testing.assert_close(model.loss(longer), model.loss(batch))
    empty = batch | {n: torch.zeros_like(batch[n]) for n in ("history", NEGATIVES)}
    model.loss(empty).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


# --- where negatives come from -----------------------------------------------------------------------------------------


def histories(n, size=7, length=6, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, size, (n, length))
    ids[np.arange(length) >= rng.integers(0, length + 1, (n, 1))] = PAD
    columns = {"item": torch.from_numpy(rng.integers(FIRST, size, n)), "history": torch.from_numpy(ids)}
    fields = (Sparse("item", size), Sequence("history", "item", length))
    return Table(Schema(fields), columns | {"label": torch.zeros(n)}, {"time": torch.arange(n)})


def test_negatives_are_real_ids_beside_real_ones_and_never_the_clicked_one():
    before = histories(20_000)
    after = with_negatives(before, np.random.default_rng(1))  # a stream of its own, or the two go together
    clicked, drawn = after["history"], after[NEGATIVES]
    real = clicked != PAD
    assert (drawn[~real] == PAD).all()
    assert (drawn[real] >= FIRST).all()
    assert not (drawn[real] == clicked[real]).any()
    assert torch.equal(after["time"], before["time"])
    for id in range(1, 7):  # each of the others equally often; a film of no name has five
        counts = torch.bincount(drawn[clicked == id], minlength=7)[FIRST:]
        others = counts[torch.arange(5) != id - FIRST].double()
        assert (others - others.mean()).abs().max() < 5 * others.mean().sqrt()


def test_negatives_follow_the_generator_and_say_what_they_need():
    once, twice, other = (with_negatives(histories(50), np.random.default_rng(s))[NEGATIVES] for s in (1, 1, 2))
    assert torch.equal(once, twice)
    assert not torch.equal(once, other)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="history='seen'"):
        with_negatives(histories(3), rng, history="seen")
    with pytest.raises(ValueError, match="negatives"):
        with_negatives(with_negatives(histories(3), rng), rng)
    with pytest.raises(ValueError, match="two real ids"):
        with_negatives(histories(3, size=3), rng)
