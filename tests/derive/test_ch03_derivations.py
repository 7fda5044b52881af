"""The formulas of 3.7 hold their code: the real classes agree, and a class with one slip does not."""

import pytest
import torch

from rec_lib.derive import Disagreement, deepfm, fm, fnn, nfm
from rec_lib.layers import bi_interaction, fm_pairwise
from rec_lib.models import FM, FNN, NFM, DeepFM

PAIRS = [
    (fm.pairwise, fm_pairwise),
    (fm.bi_interaction, bi_interaction),
    (fm.model, FM),
    (fnn.model, FNN),
    (fnn.row_update, fnn.row_gradient),
    (deepfm.model, DeepFM),
    (deepfm.with_dense, DeepFM),
    (deepfm.shared_gradient, DeepFM),
    (nfm.model, NFM),
    (nfm.no_hidden_layer, NFM),
    (nfm.is_fm, NFM),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def without_half(v):
    return (v.sum(1).square() - v.square().sum(1)).sum(1)


def over_flattened_coordinates(v):
    a = v.flatten(1)
    return 0.5 * (a.sum(1).square() - a.square().sum(1))


class TwiceFM(DeepFM):
    def forward(self, batch):
        return super().forward(batch) + fm_pairwise(self.emb(batch))


class DetachedNetwork(DeepFM):
    """The network reads the vectors but sends them no gradient: not shared any more."""

    def forward(self, batch):
        v = self.emb(batch)
        y_deep = self.mlp(self.emb.flat(v.detach(), batch)).squeeze(-1)
        return self.linear(batch) + fm_pairwise(v) + y_deep


class VectorsFirst(FNN):
    def forward(self, batch):
        z_i = self.emb(batch).roll(-1, dims=2)
        z = torch.cat([self.w0.expand(len(z_i), 1), self.emb.flat(z_i, batch)], dim=1)
        return self.mlp(z).squeeze(-1)


class BendAfterH(NFM):
    def forward(self, batch):
        return self.linear(batch) + torch.relu(self.mlp(bi_interaction(self.emb(batch))).squeeze(-1))


SLIPS = [
    (fm.pairwise, without_half, "2.00"),
    (fm.pairwise, over_flattened_coordinates, "∂/∂v"),
    (deepfm.model, TwiceFM, "fm"),
    (deepfm.model, DetachedNetwork, "value: agrees"),
    (fnn.model, VectorsFirst, "does not agree"),
    (nfm.model, BendAfterH, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
