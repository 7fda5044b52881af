"""AFM beside FM: with even attention and p at the number of pairs they are one model."""

import pytest
import torch
from contract.ctr_checks import schema, stirred, table

from rec_lib.models import AFM, FM
from rec_lib.schema import FIRST, Schema, Sparse


def even(model):
    """No attention network: every score is 0."""
    with torch.no_grad():
        model.h.zero_()
    return model.eval()


def test_even_attention_and_p_at_the_number_of_pairs_is_fm():
    fm = stirred(FM)
    afm = even(AFM(schema()))
    afm.load_state_dict(afm.state_dict() | fm.state_dict())
    full = table().rows(torch.arange(1, 24)).batch()  # row 0 has empty fields, so fewer pairs
    assert afm.p.tolist() == [6.0] * 16
    torch.testing.assert_close(afm(full), fm(full))


def test_p_of_one_is_fm_divided_by_the_pairs_that_are_there():
    fm = stirred(FM)
    afm = even(AFM(schema()))
    afm.load_state_dict(afm.state_dict() | fm.state_dict() | {"p": torch.ones(16)})
    batch = table().batch()
    there = torch.full((24,), 6.0)
    there[0] = 1.0  # user and item; genres and history are empty
    torch.testing.assert_close(afm(batch) - afm.linear(batch), (fm(batch) - fm.linear(batch)) / there)


def test_weights_add_up_to_one_over_the_pairs_that_are_there():
    model, batch = stirred(AFM), table().batch()
    a = model.attention(model.pairs(model.emb(batch)), batch)
    torch.testing.assert_close(a.sum(1), torch.ones(24))
    names = model.emb.field_names
    for k, (i, j) in enumerate(zip(model.first.tolist(), model.second.tolist(), strict=True)):
        assert (a[0, k] > 0) == ({names[i], names[j]} == {"user", "item"})


def test_afm_says_what_it_needs():
    with pytest.raises(ValueError, match="1 fields with ids"):
        AFM(Schema((Sparse("item", FIRST + 3),)))
    with pytest.raises(ValueError, match="attention=0"):
        AFM(schema(), attention=0)
