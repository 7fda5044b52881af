"""The formulas of 2.5 hold their code, and a class with one slip does not; biased MF is FM in numbers too."""

import pytest
import torch

from rec_lib.derive import Disagreement, ffm, fm, poly2
from rec_lib.layers import fm_pairwise
from rec_lib.models import FFM, FM, POLY2
from rec_lib.schema import FIRST, Schema, Sparse

PAIRS = [
    (poly2.model, POLY2),
    (fm.vector_gradient, fm_pairwise),
    (fm.is_biased_mf, FM),
    (ffm.model, FFM),
    (ffm.is_fm, FFM),
    (ffm.is_wide_fm, FM),
]


class OwnFieldsVector(FFM):
    """v_{i,f_i} instead of v_{i,f_j}."""

    def forward(self, batch):
        n = len(self.emb.field_names)
        v = self.emb(batch)
        own = v.reshape(len(v), n, n, -1).diagonal(dim1=1, dim2=2).transpose(1, 2)
        return self.linear(batch) + fm_pairwise(own)


class WithoutLinear(FFM):
    def forward(self, batch):
        return super().forward(batch) - self.linear(batch)


class HashedInto1(POLY2):
    """All pairs share one weight."""

    def rows(self, ids):
        return super().rows(ids) * 0 + self.n_pairs - 1


class WithoutBiases(FM):
    def forward(self, batch):
        return fm_pairwise(self.emb(batch)) + self.linear.w0


def with_squares(v):
    return 0.5 * v.sum(1).square().sum(1)


SLIPS = [
    (ffm.model, OwnFieldsVector, "∂/∂V"),
    (ffm.model, WithoutLinear, "linear is missing"),
    (poly2.model, HashedInto1, "∂/∂W"),
    (fm.is_biased_mf, WithoutBiases, "∂/∂b_u"),
    (fm.vector_gradient, with_squares, "value, entry 0"),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)


def test_the_sides_of_biased_mf_and_fm_are_one_polynomial():
    assert fm.is_biased_mf.check().by_algebra == 1


def test_fm_of_two_fields_is_biased_mf_on_every_pair():
    """Not on one row but on all: μ + b_u + b_i + ⟨p_u, q_i⟩ as one matrix."""
    users, items = 6, 9
    torch.manual_seed(0)
    model = FM(Schema((Sparse("user", users), Sparse("item", items))), dim=3, init_sd=1.0).double()
    with torch.no_grad():
        model.linear.w0.normal_()
        model.linear.w.table.normal_()
    grid = torch.cartesian_prod(torch.arange(FIRST, users), torch.arange(FIRST, items))
    got = model({"user": grid[:, 0], "item": grid[:, 1]}).view(users - FIRST, items - FIRST)
    b_u, b_i = (model.linear.w.rows(name)[FIRST:, 0] for name in ("user", "item"))
    p, q = (model.emb.rows(name)[FIRST:] for name in ("user", "item"))
    torch.testing.assert_close(got, model.linear.w0 + b_u[:, None] + b_i[None, :] + p @ q.T)


def test_ffm_of_two_fields_is_fm_of_two_fields():
    """With one partner field there is one vector to choose: FFM of two fields is FM, is biased MF."""
    schema = Schema((Sparse("user", 6), Sparse("item", 9)))
    torch.manual_seed(1)
    ffm_, fm_ = FFM(schema, dim=3, init_sd=1.0).double(), FM(schema, dim=3).double()
    table = ffm_.emb.table.view(-1, 2, 3)  # (15, partner field, D)
    with torch.no_grad():
        fm_.emb.table.copy_(torch.cat([table[:6, 1], table[6:, 0]]))
    grid = torch.cartesian_prod(torch.arange(2, 6), torch.arange(2, 9))
    batch = {"user": grid[:, 0], "item": grid[:, 1]}
    torch.testing.assert_close(ffm_(batch), fm_(batch))
