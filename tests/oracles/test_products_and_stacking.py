"""The signals of PNN beside loops over every pair, and the stacked small fields of Deep Crossing beside counting."""

import pytest
import torch
from contract.ctr_checks import schema, stirred, table
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.ctr_naive import inner_by_pairs, outer_by_pairs

from rec_lib.layers import OneHot, inner_signal, outer_signal
from rec_lib.models import IPNN, OPNN, PNN, DeepCrossing
from rec_lib.models.deep_crossing import ResidualUnit
from rec_lib.schema import PAD, Dense, Schema, Sparse

# few fields and many units take the table of pairs, many fields and short vectors the sum of vectors
sizes = st.tuples(st.integers(1, 7), st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**31))


def draw(n, m, d1, seed):
    g = torch.Generator().manual_seed(seed)
    shapes = (2, n, m), (d1, n), (d1, m, m)
    return [torch.randn(*shape, dtype=torch.float64, generator=g) for shape in shapes]


@settings(deadline=None, max_examples=60)
@given(sizes)
def test_signals_equal_the_loop_over_every_pair(size):
    f, theta, w = draw(*size)
    inner, outer = inner_signal(f, theta), outer_signal(f, w)
    for row in range(2):
        torch.testing.assert_close(inner[row].tolist(), inner_by_pairs(f[row].tolist(), theta.tolist()))
        torch.testing.assert_close(outer[row].tolist(), outer_by_pairs(f[row].tolist(), w.tolist()))


@pytest.mark.parametrize(("n", "m", "d1"), [(3, 8, 40), (12, 2, 4)], ids=["table of pairs", "sum of vectors"])
def test_both_forms_of_the_inner_signal_are_taken_and_never_fall_below_zero(n, m, d1):
    f, theta, _ = draw(n, m, d1, 1)
    assert (n * (m + d1) < m * d1) == (n == 3)
    delta = torch.einsum("dn,bnm->bdm", theta, f)
    torch.testing.assert_close(inner_signal(f, theta), delta.square().sum(2))
    assert (inner_signal(f, theta) >= 0).all()


def test_the_unit_matrix_and_weights_of_one_give_the_same_number():
    f, theta, w = draw(4, 3, 5, 2)
    ones, eye = torch.ones_like(theta), torch.eye(3, dtype=w.dtype).expand_as(w)
    torch.testing.assert_close(inner_signal(f, ones), outer_signal(f, eye))


def test_outer_products_read_the_symmetric_part_of_their_matrix_alone():
    f, _, w = draw(4, 3, 5, 3)
    torch.testing.assert_close(outer_signal(f, w.mT), outer_signal(f, w))


@pytest.mark.parametrize("cls", [IPNN, OPNN, PNN])
@pytest.mark.parametrize("hidden", [(), (0,), (-1,), (4, 0)])
def test_a_layer_without_units_has_no_place_for_the_products(cls, hidden):
    with pytest.raises(ValueError, match="widths ≥ 1"):
        cls(schema(), hidden=hidden)


def test_matrices_of_as_many_numbers_and_another_shape_are_refused():
    f = torch.randn(3, 5, 4)
    for shape in ((2, 2, 8), (2, 16, 1), (4, 4)):  # the first two have 16 numbers a unit, as (2, 4, 4) has
        with pytest.raises(ValueError, match=r"expected \(D1, 4, 4\)"):
            outer_signal(f, torch.randn(shape))


def test_a_block_holds_the_share_of_each_value_and_padding_has_none():
    batch = table().batch()
    x = OneHot(schema())(batch, torch.float64)
    assert x.shape == (24, 10 + 12 + 6 + 12)
    blocks = dict(zip(("user", "item", "genres", "history"), x.split([10, 12, 6, 12], dim=1), strict=True))
    for name, block in blocks.items():
        for row in range(24):
            ids = [i for i in batch[name][row].reshape(-1).tolist() if i != PAD]
            wanted = [ids.count(value) / len(ids) if ids else 0.0 for value in range(1, block.shape[1] + 1)]
            assert block[row].tolist() == pytest.approx(wanted), (name, row)
    none = OneHot(Schema((Dense("age"),)))
    assert none({"age": torch.zeros(3)}, torch.float32).shape == (3, 0)


def test_a_unit_of_zeros_passes_on_what_is_not_negative():
    unit = ResidualUnit(4, 3)
    for p in unit.parameters():
        torch.nn.init.zeros_(p)
    x = torch.tensor([[0.0, 1.0, -2.0, 3.0]])
    assert torch.equal(unit(x), torch.tensor([[0.0, 1.0, 0.0, 3.0]]))


def test_deep_crossing_without_units_scores_the_stacked_vector():
    model = DeepCrossing(schema(), hidden=()).eval()
    batch = table().batch()
    v = torch.relu(model.emb(batch) + model.bias)
    x = torch.cat([v.flatten(1), batch["age"][:, None], batch["hour"][:, None], model.small(batch, v.dtype)], dim=1)
    torch.testing.assert_close(model(batch), model.score(x).squeeze(-1))


def test_deep_crossing_refuses_what_it_cannot_build():
    with pytest.raises(ValueError, match="use a smaller dim"):
        DeepCrossing(schema(), dim=20)
    with pytest.raises(ValueError, match="widths"):
        DeepCrossing(schema(), hidden=(4, 0))
    with pytest.raises(ValueError, match="dropout"):
        DeepCrossing(schema(), dropout=1.0)


def test_deep_crossing_runs_without_a_small_field():
    only_large = Schema((Sparse("user", 11), Sparse("item", 13)))
    model = DeepCrossing(only_large, dim=4)
    assert model.small.width == 0
    batch = {"user": torch.tensor([2, 3]), "item": torch.tensor([4, PAD])}
    assert torch.isfinite(model(batch)).all()
    assert stirred(DeepCrossing).small.field_names == ("genres",)
