"""The formulas of 3.2 hold their code: the real classes agree, and a class with one slip does not."""

import pytest
import torch

from rec_lib.derive import Disagreement, algebra, autorec
from rec_lib.models import MF, IAutoRec


def posterior(r, a, s):
    """By Bayes' rule, from the densities themselves."""
    yes, no = (torch.exp(torch.distributions.Normal(sign * a, s).log_prob(r).sum()) for sign in (1, -1))
    return yes / (yes + no)


PAIRS = [
    (autorec.model, IAutoRec),
    (autorec.objective, IAutoRec),
    (autorec.gradient, IAutoRec),
    (autorec.as_mf, MF),
    (autorec.yes_or_no, posterior),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def test_both_classes_hold_one_formula():
    """What is derived of MF in as_mf is, written out, what is derived of I-AutoRec: so the two are one function there."""
    one, two = (algebra.concrete(d.final, d.sizes) for d in (autorec.model, autorec.as_mf))
    assert (one - two).expand() == 0


class HolesAreZeros(IAutoRec):
    def loss(self, batch):
        rows = batch["item"].unique()
        return (self.decode(self.encode(self.ratings))[rows] - self.ratings[rows]).square().mean() + self.penalty(
            batch
        ).mean()


class EverybodyLearns(IAutoRec):
    def forward(self, batch):
        everything = self.decode(self.encode(self.ratings))[batch["item"]]
        return super().forward(batch) + (everything - everything.detach()).sum(dim=1)


class PricesTheDecoderOnly(IAutoRec):
    def penalty(self, batch):
        return (self.l2 / 2 * self.W.square().sum() / self.count).expand(len(batch["label"]))


class WithoutTheHalf(IAutoRec):
    def penalty(self, batch):
        return 2 * super().penalty(batch)


class LinearHidden(IAutoRec):
    def g(self, x):
        return x


class BiasTwice(IAutoRec):
    def decode(self, z):
        return super().decode(z) + self.b


class SumOfErrors(IAutoRec):
    def loss(self, batch):
        return super().loss(batch) * len(batch["label"])


class TwiceTheUser(MF):
    def user_vectors(self, batch):
        return 2 * super().user_vectors(batch)


def one_for_two(r, a, s):
    return torch.sigmoid((a @ r) / s**2)


SLIPS = [
    (autorec.model, LinearHidden, "does not agree"),
    (autorec.model, BiasTwice, "bias is there 2.00"),
    (autorec.objective, HolesAreZeros, "does not agree"),
    (autorec.objective, PricesTheDecoderOnly, "∂/∂V"),
    (autorec.objective, WithoutTheHalf, "price is there 2.00"),
    (autorec.objective, SumOfErrors, "3.00 ×"),
    (autorec.gradient, EverybodyLearns, "does not agree"),
    (autorec.as_mf, TwiceTheUser, "does not agree"),
    (autorec.yes_or_no, one_for_two, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=lambda x: getattr(x, "__name__", None))
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)


def test_a_hole_is_a_zero_of_the_input_and_no_term_of_the_loss():
    """Change what the model says for a hole: the loss stays. Put a number into the hole: the prediction moves."""
    model = IAutoRec(autorec.THREE_RATINGS, dim=2, l2=0.0).double()
    seen = autorec.THREE_RATINGS.batch(slice(0, 2))
    before = model.loss(seen)
    with torch.no_grad():
        model.b[autorec.HOLE["user"]] += 1
    torch.testing.assert_close(model.loss(seen), before)
    said = model(seen)
    model.ratings[autorec.HOLE["item"], autorec.HOLE["user"]] = 3.0
    assert (model(seen) != said).all()
