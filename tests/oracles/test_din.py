"""DIN's parts beside plain loops: weights item by item, Dice with its statistics written out, the decay of eq. 7."""

import math

import pytest
import torch
from contract.ctr_checks import build, schema, table
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.ctr_naive import activation_unit, din
from oracles.dice_naive import check_dice_while_training, draw

from rec_lib.layers import ActivationUnit, Dice, masked_softmax
from rec_lib.layers.attention import INTERACTIONS
from rec_lib.layers.dice import PReLU, dice_mlp
from rec_lib.layers.mini_batch_aware import mini_batch_aware_l2
from rec_lib.models import DIN
from rec_lib.schema import PAD, Schema, Sequence, Sparse

seeds = st.integers(0, 2**31)


def stir(module, seed=0):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=g))
        for name, b in module.named_buffers():
            if "running" in name:
                b.add_(torch.rand(b.shape, generator=g))
    return module.double().eval()


@pytest.mark.parametrize("dice", [True, False])
@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_weights_equal_the_loop_over_items(interaction, softmax, dice):
    torch.manual_seed(0)
    unit = stir(ActivationUnit(3, 4, interaction, softmax, dice))
    q, k = draw(1, (5, 3), (5, 6, 3))
    mask = torch.arange(6) < torch.tensor([6, 1, 0, 3, 5])[:, None]
    w = unit(q, k, mask)
    for row in range(5):
        items = [j for j in range(6) if mask[row, j]]
        a = [activation_unit(unit, q[row].tolist(), k[row, j].tolist()) for j in items]
        if softmax:
            a = [math.exp(x) / sum(map(math.exp, a)) for x in a]
        expected = [0.0] * 6
        for j, x in zip(items, a, strict=True):
            expected[j] = x
        torch.testing.assert_close(w[row].tolist(), expected)


@pytest.mark.parametrize(
    "options", [{"interaction": "paper"}, {"interaction": "book"}, {"softmax": True}, {"dice": False}]
)
def test_every_option_equals_the_plain_loop(options):
    model, batch = stir(build(DIN, **options)), table().batch()
    expected = torch.tensor([din(model, batch, row) for row in range(24)], dtype=torch.float64)
    torch.testing.assert_close(model(batch), expected)


def test_two_histories_of_two_fields_each_have_a_unit_of_their_own():
    fields = (Sparse("item", 9), Sparse("brand", 6), Sequence("seen", "item", 3), Sequence("brands", "brand", 2))
    model = stir(DIN(Schema(fields), dim=4))
    batch = {
        "item": torch.tensor([2, 5]),
        "brand": torch.tensor([3, 4]),
        "seen": torch.tensor([[2, 8, PAD], [PAD] * 3]),
        "brands": torch.tensor([[5, PAD], [3, 3]]),
    }
    torch.testing.assert_close(model(batch).tolist(), [din(model, batch, row) for row in range(2)])


def test_din_says_what_it_needs():
    with pytest.raises(ValueError, match="no Sequence"):
        DIN(Schema((Sparse("item", 5),)))
    with pytest.raises(ValueError, match="'minus'"):
        DIN(schema(), interaction="minus")
    with pytest.raises(ValueError, match="units=0"):
        DIN(schema(), attention=0)
    with pytest.raises(ValueError, match="dropout"):
        DIN(schema(), dropout=1.0)


def test_the_books_difference_is_a_layer_over_candidate_and_item_alone():
    """W[q, k, q − k] is additive in q and k: no weight of the hidden layer sees what they make together."""
    torch.manual_seed(0)
    _, M = ActivationUnit(3, 4, "book").given(torch.randn(5, 3))
    assert (M == M[0]).all()
    _, M = ActivationUnit(3, 4, "code").given(torch.randn(5, 3))
    assert not (M == M[0]).all()


# --- softmax over what is real -----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 5))
def test_masked_softmax_is_the_softmax_of_the_real_places(seed, length):
    (scores,) = draw(seed, (4, length))
    mask = torch.rand(4, length, generator=torch.Generator().manual_seed(seed)) < 0.6
    mask[0] = False
    p = masked_softmax(5 * scores, mask)
    for row in range(4):
        real = mask[row].nonzero().flatten()
        assert p[row].sum().item() == pytest.approx(float(len(real) > 0))
        torch.testing.assert_close(p[row, real], torch.softmax(5 * scores[row, real], 0))
        assert (p[row, ~mask[row]] == 0).all()


def test_masked_softmax_of_nothing_and_of_huge_scores_stays_finite():
    scores = torch.tensor([[0.0, 1.0], [1e30, -1e30], [-1e30, -1e30]], requires_grad=True)
    mask = torch.tensor([[False, False], [True, True], [True, False]])
    p = masked_softmax(scores, mask)
    assert p.tolist() == [[0, 0], [1, 0], [1, 0]]
    p.square().sum().backward()
    assert torch.isfinite(scores.grad).all()


# --- Dice --------------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))
def test_dice_while_training_equals_the_loops(seed, batch, length, units):
    check_dice_while_training(Dice, seed, batch, length, units)


def test_gradient_of_dice_goes_through_mean_and_variance():
    (s,) = draw(3, (4, 3, 2))
    mask = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=torch.bool)
    layer = Dice(2).double()
    layer.alpha.data.fill_(0.2)
    assert torch.autograd.gradcheck(lambda x: layer(x, mask), s.requires_grad_())


def test_a_batch_without_anything_real_uses_and_keeps_the_moving_averages():
    layer = stir(Dice(2)).train()
    before = layer.running_mean.clone(), layer.running_var.clone()
    (s,) = draw(0, (2, 3, 2))
    got = layer(s, torch.zeros(2, 3, dtype=torch.bool))
    assert torch.equal(layer.running_mean, before[0])
    assert torch.equal(layer.running_var, before[1])
    torch.testing.assert_close(got, layer.eval()(s))


def test_dice_with_a_narrow_gate_at_zero_is_prelu():
    dice, prelu = Dice(3, eps=0.0).double().eval(), PReLU(3).double()
    dice.alpha.data.fill_(0.25)
    dice.running_mean.zero_()
    dice.running_var.fill_(1e-12)
    (s,) = draw(2, (50, 3))
    torch.testing.assert_close(dice(s), prelu(s))


def test_hidden_layers_refuse_widths_below_one():
    with pytest.raises(ValueError, match="widths"):
        dice_mlp(3, (4, 0))


# --- mini-batch aware regularisation -----------------------------------------------------------------------------------


def test_decay_of_eq_7_row_by_row():
    (table_,) = draw(0, (6, 3))
    n = torch.tensor([4.0, 1, 2, 5, 3, math.inf], dtype=torch.float64)
    weights = table_.clone().requires_grad_()
    mini_batch_aware_l2(weights, torch.tensor([2, 0, 2, 2, 5]), n).backward()
    for j in range(6):
        read = j in (0, 2, 5)
        for d in range(3):
            assert weights.grad[j, d].item() == pytest.approx(read / n[j].item() * table_[j, d].item())


def test_ids_are_counted_over_all_samples_and_what_is_not_read_does_not_decay():
    torch.manual_seed(0)
    model, train = DIN(schema(), mba=0.5), table()
    model.count(train)
    rows = [2, 5, 7]
    emb, items = model.emb, train["item"].tolist() + [i for i in train["history"].flatten().tolist() if i != PAD]
    for item in range(13):
        expected = items.count(item) or math.inf
        assert model.occurrences[emb.start["item"] + item].item() == expected
    batch = train.rows(torch.tensor(rows)).batch()
    plain = DIN(schema())
    plain.load_state_dict(model.state_dict())
    gradients = []
    for one in (model.eval(), plain.eval()):
        one.loss(batch).backward()
        gradients.append(one.emb.table.grad)
    extra = gradients[0] - gradients[1]
    read = set()
    for name in ("user", "item", "genres", "history"):
        home = "item" if name == "history" else name
        read |= {emb.start[home] + i for i in batch[name].flatten().tolist() if i != PAD}
    for row in range(len(emb.table)):
        expected = 0.5 / model.occurrences[row] * emb.table[row] if row in read else torch.zeros(16)
        torch.testing.assert_close(extra[row], expected.detach(), atol=1e-6, rtol=1e-4)
