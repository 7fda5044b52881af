"""Dice with one slip, over each axis that it might be taken over: the loop over units and real places must refuse it."""

import pytest
import torch
from oracles.dice_naive import check_dice_while_training

from rec_lib.layers import Dice


class OverPadding(Dice):
    """Padding counts in mean and variance."""

    def forward(self, s, mask=None):
        return super().forward(s)


class OverTheBatchAlone(Dice):
    """Each place of the history has statistics of its own, as BatchNorm1d gives a (B, T, H) tensor."""

    def _batch_statistics(self, rows, mask):
        s = rows.view(*mask.shape, -1)
        return s.mean(0).mean(0), s.var(0, unbiased=False).mean(0)


class OverThePlaces(Dice):
    """Each history is standardised by itself, so a taste for everything in it is lost."""

    def forward(self, s, mask=None):
        p = torch.sigmoid((s - s.mean(1, keepdim=True)) * (s.var(1, unbiased=False, keepdim=True) + self.eps).rsqrt())
        return s * (self.alpha + p * (1 - self.alpha))


class OverTheUnits(Dice):
    """Each item's units are compared with each other, as layer norm does."""

    def forward(self, s, mask=None):
        p = torch.sigmoid((s - s.mean(-1, keepdim=True)) * (s.var(-1, unbiased=False, keepdim=True) + self.eps).rsqrt())
        return s * (self.alpha + p * (1 - self.alpha))


class OneMeanForAllUnits(Dice):
    """A single mean and variance over everything."""

    def _batch_statistics(self, rows, mask):
        mean, var = super()._batch_statistics(rows, mask)
        return mean.mean().expand_as(mean), var.mean().expand_as(var)


class VarianceOfASample(Dice):
    """n − 1 in the variance."""

    def _batch_statistics(self, rows, mask):
        mean, var = super()._batch_statistics(rows, mask)
        n = mask.sum()
        return mean, var * n / (n - 1)


class NoRoot(Dice):
    """Divided by the variance."""

    def _batch_statistics(self, rows, mask):
        mean, var = super()._batch_statistics(rows, mask)
        return mean, var.square()


class AlphaOnTheWrongSide(Dice):
    """Large s is damped, small s passes."""

    def forward(self, s, mask=None):
        return s + self.alpha * s - super().forward(s, mask)


MUTANTS = (
    OverPadding,
    OverTheBatchAlone,
    OverThePlaces,
    OverTheUnits,
    OneMeanForAllUnits,
    VarianceOfASample,
    NoRoot,
    AlphaOnTheWrongSide,
)


def test_the_real_dice_passes():
    check_dice_while_training(Dice)


@pytest.mark.parametrize("cls", MUTANTS, ids=lambda c: c.__name__)
def test_the_loop_refuses(cls):
    with pytest.raises(AssertionError):
        check_dice_while_training(cls)
