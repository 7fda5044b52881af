"""The formulas of 3.4 hold their code: the real classes agree, and a class with one slip does not."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from rec_lib.derive import Disagreement, neural_cf
from rec_lib.models.mf import MF
from rec_lib.models.neural_cf import NeuMF

PAIRS = [
    (neural_cf.gmf_is_mf, MF),
    (neural_cf.gmf_is_mf, NeuMF),
    (neural_cf.absorbed, NeuMF),
    (neural_cf.gradient, NeuMF),
    (neural_cf.model, NeuMF),
    (neural_cf.start, NeuMF),
    (neural_cf.sampled, neural_cf.best_score),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=[f"{d.id}-{getattr(c, '__name__', '')}" for d, c in PAIRS])
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


class WithoutH(NeuMF):
    """The products are added up as they are."""

    def forward(self, batch):
        return torch.cat([tower(batch) for tower in self.towers], dim=1).sum(dim=1)


class MeanOfProducts(NeuMF):
    def forward(self, batch):
        return super().forward(batch) / len(self.h)


class TowersMultiplied(NeuMF):
    """φ^G ⊙ φ^M in place of both side by side."""

    def forward(self, batch):
        gmf, mlp = (tower(batch) for tower in self.towers)
        return (gmf * mlp) @ self.h[: gmf.shape[1]]


class OnlyGMFLearns(NeuMF):
    def forward(self, batch):
        gmf, mlp = (tower(batch) for tower in self.towers)
        return torch.cat([gmf, mlp.detach()], dim=1) @ self.h


class SigmoidTwice(NeuMF):
    def loss(self, batch):
        return binary_cross_entropy_with_logits(torch.sigmoid(self(batch)), batch["label"].to(self.h.dtype))


class Squared(NeuMF):
    """Eq. 5 in place of eq. 7."""

    def loss(self, batch):
        return (torch.sigmoid(self(batch)) - batch["label"]).square().mean() / 2


def forgets_log_k(rho, kappa):
    return torch.log(rho / (1 - rho)) + 0 * kappa


SLIPS = [
    (neural_cf.absorbed, WithoutH, "does not agree"),
    (neural_cf.gmf_is_mf, MeanOfProducts, "0.33"),
    (neural_cf.model, TowersMultiplied, "does not agree"),
    (neural_cf.model, OnlyGMFLearns, "value: agrees"),
    (neural_cf.gradient, SigmoidTwice, "does not agree"),
    (neural_cf.gradient, Squared, "does not agree"),
    (neural_cf.sampled, forgets_log_k, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=[c.__name__ for _, c, _ in SLIPS])
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
