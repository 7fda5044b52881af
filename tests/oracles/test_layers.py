"""Each formula beside a plain loop or a closed form."""

import itertools

import pytest
import torch
from contract.ctr_checks import schema, stirred, table
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.ctr_naive import field_vectors

from rec_lib.layers import FieldEmbedding, bi_interaction, fm_pairwise, mlp
from rec_lib.models import FM, FNN, NFM
from rec_lib.schema import Dense, Schema

sizes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**31))


def draw(b, f, d, seed):
    return torch.randn(b, f, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_pairwise_products_equal_the_double_loop(size):
    v = draw(*size)
    pairs = list(itertools.combinations(range(v.shape[1]), 2))
    pooled = sum((v[:, i] * v[:, j] for i, j in pairs), torch.zeros(v.shape[0], v.shape[2], dtype=v.dtype))
    torch.testing.assert_close(bi_interaction(v), pooled)
    torch.testing.assert_close(fm_pairwise(v), pooled.sum(1))


@settings(deadline=None, max_examples=20)
@given(sizes)
def test_pairwise_products_do_not_know_the_order_of_fields_and_scale_as_squares(size):
    v = draw(*size)
    torch.testing.assert_close(fm_pairwise(v.flip(1)), fm_pairwise(v))
    torch.testing.assert_close(fm_pairwise(3 * v), 9 * fm_pairwise(v))


def test_gradient_of_the_pairwise_term_is_the_sum_of_the_other_vectors():
    v = draw(3, 5, 4, 0).requires_grad_()
    fm_pairwise(v).sum().backward()
    torch.testing.assert_close(v.grad, v.sum(1, keepdim=True) - v)


def test_field_vectors_equal_the_plain_look_up():
    emb = FieldEmbedding(schema(), 3).double()
    batch = table().batch()
    expected = torch.tensor([field_vectors(schema(), emb.table, batch, row) for row in range(24)], dtype=torch.float64)
    torch.testing.assert_close(emb(batch), expected)


def test_rows_of_a_field_and_its_history_are_the_same_rows():
    emb = FieldEmbedding(schema(), 3)
    assert emb.rows("item").shape == (13, 3)
    assert emb.rows("history").data_ptr() == emb.rows("item").data_ptr()
    item = table()["item"]
    v = emb(table().batch())[:, emb.field_names.index("item")]
    torch.testing.assert_close(v, emb.rows("item")[item])
    with pytest.raises(KeyError, match="no field with vectors"):
        emb.rows("age")


def test_embedding_refuses_what_it_cannot_embed():
    with pytest.raises(ValueError, match="dim=0"):
        FieldEmbedding(schema(), 0)
    for init_sd in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"init_sd={init_sd}"):
            FieldEmbedding(schema(), 4, init_sd)
    with pytest.raises(ValueError, match="0 fields with ids"):
        FieldEmbedding(Schema((Dense("age"),)), 4)
    with pytest.raises(ValueError, match="dropout"):
        mlp(3, (4,), dropout=1.0)
    with pytest.raises(ValueError, match="widths"):
        mlp(3, (4, 0))


def test_nfm_without_hidden_layers_and_h_of_ones_is_fm():
    fm = stirred(FM)
    nfm = NFM(schema(), hidden=(), batch_norm=False).eval()
    nfm.load_state_dict(fm.state_dict() | {"mlp.0.weight": torch.ones(1, 16)})
    torch.testing.assert_close(nfm(table().batch()), fm(table().batch()))


def test_fnn_starts_from_every_weight_of_the_fm():
    fm = stirred(FM)
    fnn = FNN.from_fm(fm)
    assert torch.equal(fnn.w0[0], fm.linear.w0)
    assert torch.equal(fnn.emb.table[:, :1], fm.linear.w.table)
    assert torch.equal(fnn.emb.table[:, 1:], fm.emb.table)
    fnn.emb.table.data.zero_()
    assert fm.emb.table.abs().sum() > 0, "the FM's table is copied, not shared"
