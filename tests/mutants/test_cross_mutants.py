"""Slips that Wide & Deep and the cross networks invite. Each must fail the check named here."""

import pytest
import torch
from contract.ctr_checks import CHECKS

from rec_lib.layers import CrossProduct, FieldEmbedding, cross_layer, matrix_cross_layer
from rec_lib.models import DCN, DCNv2, WideDeep
from rec_lib.schema import PAD


class Crossed(WideDeep):
    """Wide & Deep with crosses."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd, (("user", "genres"), ("user", "item")))


class TwoBiases(WideDeep):
    """The network has a bias of its own: two numbers for one."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05, crosses=()):
        super().__init__(schema, dim, hidden, dropout, init_sd, crosses)
        self.bias = torch.nn.Parameter(torch.zeros(()))

    def forward(self, batch):
        return super().forward(batch) + self.bias


class ForgottenWide(WideDeep):
    """The wide part is built, and not added."""

    def forward(self, batch):
        return self.deep(batch)


class MeanOfTwo(WideDeep):
    """The two parts are averaged, as two finished models would be."""

    def forward(self, batch):
        return (self.wide(batch) + self.deep(batch)) / 2


class _ShortStride(CrossProduct):
    """Combinations are numbered with the size of the first field."""

    def __init__(self, schema, crosses):
        super().__init__(schema, crosses)
        self.width = {b: schema.size(a) - 1 for a, b in crosses}

    def ids(self, batch):
        return {name: ids.clamp(max=20) for name, ids in super().ids(batch).items()}


class _CountsPadding(CrossProduct):
    """A user and no genre is a combination too."""

    def ids(self, batch):
        return {name: torch.where(ids == PAD, 2, ids) for name, ids in super().ids(batch).items()}


class ShortStride(Crossed):
    """See _ShortStride."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.wide.cross = _ShortStride(schema, self.wide.cross.crosses)


class CountsPadding(Crossed):
    """See _CountsPadding."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.wide.cross = _CountsPadding(schema, self.wide.cross.crosses)


class _Layered(DCN):
    """DCN with another layer in place of its own."""

    @staticmethod
    def layer(x_0, x, w, b):
        return cross_layer(x_0, x, w, b)

    def forward(self, batch):
        x_0 = self.emb.flat(self.emb(batch), batch)
        x = x_0
        for w, b in zip(self.w, self.b, strict=True):
            x = self.layer(x_0, x, w, b)
        return self.logits(torch.cat([x, self.deep(x_0)], dim=1)).squeeze(-1)


class TimesItself(_Layered):
    """x_l where x_0 belongs: the degree doubles in every layer, and shapes do not tell."""

    @staticmethod
    def layer(x_0, x, w, b):
        return cross_layer(x, x, w, b)


class NothingCarried(_Layered):
    """Without + x_l only the highest degree is left."""

    @staticmethod
    def layer(x_0, x, w, b):
        return cross_layer(x_0, x, w, b) - x


class InputCarried(_Layered):
    """+ x_0 in place of + x_l."""

    @staticmethod
    def layer(x_0, x, w, b):
        return cross_layer(x_0, x, w, b) - x + x_0


class NumberByNumber(_Layered):
    """x ⊙ w in place of xᵀw: no number meets another."""

    @staticmethod
    def layer(x_0, x, w, b):
        return x_0 * (x * w) + b + x


class BiasInside(_Layered):
    """The bias is scaled by x_0, as in V2."""

    @staticmethod
    def layer(x_0, x, w, b):
        return x_0 * ((x @ w).unsqueeze(1) + b) + x


class OneLayerUsedTwice(DCN):
    """Both layers read the weights of the first."""

    def forward(self, batch):
        x_0 = self.emb.flat(self.emb(batch), batch)
        x = x_0
        for _ in self.w:
            x = cross_layer(x_0, x, self.w[0], self.b[0])
        return self.logits(torch.cat([x, self.deep(x_0)], dim=1)).squeeze(-1)


class OwnTableForTheDeepPart(DCN):
    """The two networks no longer share their input."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05, cross_layers=2):
        super().__init__(schema, dim, hidden, dropout, init_sd, cross_layers)
        self.emb_deep = FieldEmbedding(schema, dim, init_sd)


class OneAfterTheOther(DCN):
    """The stacked structure: the network reads what left the cross network."""

    def forward(self, batch):
        x_0 = self.emb.flat(self.emb(batch), batch)
        x = x_0
        for w, b in zip(self.w, self.b, strict=True):
            x = cross_layer(x_0, x, w, b)
        return self.logits(torch.cat([x, self.deep(x)], dim=1)).squeeze(-1)


class _LayeredV2(DCNv2):
    """DCN-V2 with another layer in place of its own."""

    @staticmethod
    def layer(x_0, x, w, b):
        return matrix_cross_layer(x_0, x, w, b)

    def forward(self, batch):
        x_0 = self.emb.flat(self.emb(batch), batch)
        x = x_0
        for w, b in zip(self.w, self.b, strict=True):
            x = self.layer(x_0, x, w, b)
        return self.logits(torch.cat([x, self.deep(x_0)], dim=1)).squeeze(-1)


class TransposedMatrix(_LayeredV2):
    """Columns of W where its rows belong."""

    @staticmethod
    def layer(x_0, x, w, b):
        return matrix_cross_layer(x_0, x, w.mT, b)


class BiasOutside(_LayeredV2):
    """The bias is not scaled by x_0, as in V1."""

    @staticmethod
    def layer(x_0, x, w, b):
        return x_0 * (x @ w.mT) + b + x


class MatrixProduct(_LayeredV2):
    """x_0 meets the sum over W x in place of each number of it."""

    @staticmethod
    def layer(x_0, x, w, b):
        return x_0 * (x @ w.mT + b).sum(1, keepdim=True) + x


class ReadsTheInputOnly(_LayeredV2):
    """W x_0 in every layer: the degree stays at 2."""

    @staticmethod
    def layer(x_0, x, w, b):
        return matrix_cross_layer(x_0, x_0, w, b) - x_0 + x


KILLED_BY = {
    TwoBiases: "parameter_count",
    ForgottenWide: "every_parameter_learns_and_padding_does_not",
    MeanOfTwo: "equals_the_plain_loop",
    ShortStride: "equals_the_plain_loop",
    CountsPadding: "padding_changes_nothing",
    TimesItself: "equals_the_plain_loop",
    NothingCarried: "equals_the_plain_loop",
    InputCarried: "equals_the_plain_loop",
    NumberByNumber: "equals_the_plain_loop",
    BiasInside: "equals_the_plain_loop",
    OneLayerUsedTwice: "equals_the_plain_loop",
    OwnTableForTheDeepPart: "every_parameter_learns_and_padding_does_not",
    OneAfterTheOther: "equals_the_plain_loop",
    TransposedMatrix: "equals_the_plain_loop",
    BiasOutside: "equals_the_plain_loop",
    MatrixProduct: "equals_the_plain_loop",
    ReadsTheInputOnly: "equals_the_plain_loop",
}


@pytest.mark.parametrize("mutant", KILLED_BY, ids=lambda c: c.__name__)
def test_the_contract_kills(mutant):
    with pytest.raises((AssertionError, RuntimeError)):
        CHECKS[KILLED_BY[mutant]](mutant)


@pytest.mark.parametrize("same", [Crossed, _Layered, _LayeredV2])
def test_the_mutants_base_is_right(same):
    CHECKS["equals_the_plain_loop"](same)
