"""The formulas of 2.6 and 2.7 hold their code, and code with one slip does not."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from rec_lib.derive import Disagreement, gbdt_lr, ls_plm
from rec_lib.evaluation.entropy import entropy_ratio
from rec_lib.layers.boosting import leaf_value, split_gain
from rec_lib.layers.mixture import mixture_logit
from rec_lib.layers.proximal import group_soft_threshold, soft_threshold
from rec_lib.models import GBDTLR, LR, LSPLM


def slope_and_curvature(z, y):
    """Of torch's log loss, by autograd."""
    z = z if z.requires_grad else z.clone().requires_grad_()
    (g,) = torch.autograd.grad(binary_cross_entropy_with_logits(z, y), z, create_graph=True)
    (h,) = torch.autograd.grad(g, z, create_graph=True)
    return torch.stack([g, h])


PAIRS = [
    (gbdt_lr.slopes, slope_and_curvature),
    (gbdt_lr.normalised_entropy, entropy_ratio),
    (gbdt_lr.leaf, leaf_value),
    (gbdt_lr.gain, split_gain),
    (gbdt_lr.model, GBDTLR),
    (ls_plm.mixture, mixture_logit),
    (ls_plm.model, LSPLM),
    (ls_plm.lesson, mixture_logit),
    (ls_plm.one_region, LSPLM),
    (ls_plm.as_lr, LR),
    (ls_plm.group, group_soft_threshold),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def gain_without_the_node(GL, HL, GR, HR, l2):
    return 0.5 * (GL**2 / (HL + l2) + GR**2 / (HR + l2))


def gain_without_half(GL, HL, GR, HR, l2):
    return 2 * split_gain(GL, HL, GR, HR, l2)


def entropy_of_labels_plus_minus(y, p, background, log):
    return entropy_ratio(2 * y - 1, p, background, log)


def gate_in_the_wrong_place(u, w):
    return (torch.softmax(u, dim=-1) * w).sum(-1)


def hard_gate(u, w):
    return w[u.argmax()]


class LeavesOnly(GBDTLR):
    def forward(self, batch):
        return self.w0 + (self.leaf_code(batch) * self.leaf).sum(dim=(1, 2))


class FirstConditionOnly(GBDTLR):
    def leaf_code(self, batch):
        code = super().leaf_code(batch).clone()
        code[:, :, 0] = code[:, :, 0] + code[:, :, 1]
        return code


class SwappedHalves(LSPLM):
    def forward(self, batch):
        return mixture_logit(*reversed(self.scores(batch)))


SLIPS = [
    (gbdt_lr.gain, gain_without_the_node, "does not agree"),
    (gbdt_lr.gain, gain_without_half, "2.00"),
    (gbdt_lr.leaf, lambda G, H, l2: G / (H + l2), "a wrong sign"),
    (gbdt_lr.normalised_entropy, entropy_of_labels_plus_minus, "does not agree"),
    (gbdt_lr.model, LeavesOnly, "raw features is missing"),
    (gbdt_lr.model, FirstConditionOnly, "does not agree"),
    (ls_plm.mixture, gate_in_the_wrong_place, "does not agree"),
    (ls_plm.lesson, lambda u, w: mixture_logit(u.detach() + 0 * u, w), "does not agree"),
    (ls_plm.model, SwappedHalves, "does not agree"),
    (ls_plm.group, lambda v, t, dim: soft_threshold(v, t), "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS)
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)


def test_hard_choice_of_a_region_is_no_mixture():
    with pytest.raises(Disagreement):
        ls_plm.mixture.agrees_with(hard_gate)
