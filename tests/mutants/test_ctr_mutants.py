"""Bugs that real libraries shipped, re-created: the contract must kill each of them, and by the check named here.

A contract that lets a broken model pass is no contract. Each mutant is a correct model with one thing wrong.
"""

import pytest
import torch
from contract.ctr_checks import CHECKS
from torch import nn

from rec_lib.layers import ActivationUnit, Dice, FieldEmbedding, masked_softmax
from rec_lib.models import AFM, DIN, FFM, FM, FNN, IPNN, LR, NFM, OPNN, PNN, POLY2, DeepCrossing, DeepFM
from rec_lib.models.deep_crossing import ResidualUnit
from rec_lib.models.poly2 import bucket
from rec_lib.schema import PAD


class SigmoidTwice(LR):
    """A probability leaves forward, and the loss applies the sigmoid again."""

    def forward(self, batch):
        return torch.sigmoid(super().forward(batch))


class SumLoss(LR):
    """The loss grows with the batch, so the learning rate depends on the batch size."""

    def loss(self, batch):
        return super().loss(batch) * len(batch["label"])


class FlattenedFM(FM):
    """The linear-time trick over all coordinates at once: it adds products across dimensions."""

    def forward(self, batch):
        flat = self.emb(batch).flatten(1)
        return self.linear(batch) + 0.5 * (flat.sum(1).square() - flat.square().sum(1))


class MissingHalf(FM):
    """Every pair counted twice."""

    def forward(self, batch):
        v = self.emb(batch)
        return self.linear(batch) + (v.sum(1).square() - v.square().sum(1)).sum(1)


class SelfPairs(FM):
    """The square of the sum without taking the squares off."""

    def forward(self, batch):
        return self.linear(batch) + 0.5 * self.emb(batch).sum(1).square().sum(1)


class _Unmasked(FieldEmbedding):
    def forward(self, batch):
        columns = {n: batch[n].unsqueeze(1) if batch[n].dim() == 1 else batch[n] for n in self.field_names}
        return torch.stack([self.table[ids + self.start[n]].mean(1) for n, ids in columns.items()], dim=1)


class NoMask(FM):
    """PAD rows are averaged with the real ones."""

    def __init__(self, schema, dim=16, init_sd=0.05):
        super().__init__(schema, dim, init_sd)
        self.emb = _Unmasked(schema, dim, init_sd)


class _DividesByZero(FieldEmbedding):
    def forward(self, batch):
        v = super().forward(batch)
        history = batch["history"]
        n = (history != PAD).sum(1, keepdim=True)
        return torch.cat([v[:, :-1], (v[:, -1] * n.clamp(min=1) / n).unsqueeze(1)], dim=1)


class EmptyHistoryIsNaN(FM):
    """A mean over nothing."""

    def __init__(self, schema, dim=16, init_sd=0.05):
        super().__init__(schema, dim, init_sd)
        self.emb = _DividesByZero(schema, dim, init_sd)


class _OffByOne(FieldEmbedding):
    def __init__(self, schema, dim, init_sd):
        super().__init__(schema, dim, init_sd)
        self.offset[1:] -= 1


class WrongOffset(FM):
    """A field's ids read the rows of the field before it."""

    def __init__(self, schema, dim=16, init_sd=0.05):
        super().__init__(schema, dim, init_sd)
        self.emb = _OffByOne(schema, dim, init_sd)


class TwoTables(DeepFM):
    """The FM and the MLP no longer share their vectors."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.emb_deep = FieldEmbedding(schema, dim, init_sd)

    def forward(self, batch):
        deep = self.mlp(self.emb.flat(self.emb_deep(batch), batch)).squeeze(-1)
        return FM.forward(self, batch) + deep


class ForgotTheFM(DeepFM):
    """Wide & Deep by accident."""

    def forward(self, batch):
        return self.linear(batch) + self.mlp(self.emb.flat(self.emb(batch), batch)).squeeze(-1)


class DeadDropout(DeepFM):
    """An option that is stored and never used."""

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, 0.0, init_sd)


class SeedsItself(FM):
    """The constructor seeds the global generator: every "random" start of the caller is the same."""

    def __init__(self, schema, dim=16, init_sd=0.05):
        torch.manual_seed(1024)
        super().__init__(schema, dim, init_sd)


class CachedTable(FM):
    """Two models built from one schema train one another's vectors."""

    cache: dict = {}

    def __init__(self, schema, dim=16, init_sd=0.05):
        super().__init__(schema, dim, init_sd)
        self.emb = self.cache.setdefault((id(schema), dim), self.emb)


class CentredOnTheBatch(FM):
    """A sample's score depends on its neighbours in the batch."""

    def forward(self, batch):
        y = super().forward(batch)
        return y - y.mean()


class SqueezesTheBatch(DeepFM):
    """squeeze() without a dimension also removes a batch of one."""

    def forward(self, batch):
        v = self.emb(batch)
        return (FM.forward(self, batch).unsqueeze(1) + self.mlp(self.emb.flat(v, batch))).squeeze()


class UnusedLayer(FM):
    """A parameter that nothing reads."""

    def __init__(self, schema, dim=16, init_sd=0.05):
        super().__init__(schema, dim, init_sd)
        self.attention = nn.Linear(dim, 1)


class ConstantOnTheCPU(FM):
    """A tensor made in forward stays on the CPU."""

    def forward(self, batch):
        return super().forward(batch) + torch.ones(len(batch["user"]))


class AlwaysSingle(FM):
    """A cast that throws double precision away."""

    def forward(self, batch):
        return super().forward(batch).float()


class NoisyInEval(NFM):
    """Dropout that does not stop when training does."""

    def forward(self, batch):
        return super().forward(batch) + torch.nn.functional.dropout(self.mlp[0].bias, 0.5).sum()


class WithoutFirstOrder(FNN):
    """FNN with the vectors alone: the w_i of the paper's z_i are left out."""

    def forward(self, batch):
        z_i = self.emb(batch)
        z_i = torch.cat([z_i[..., :1] * 0, z_i[..., 1:]], dim=2)
        return self.mlp(torch.cat([self.w0.expand(len(z_i), 1), self.emb.flat(z_i, batch)], dim=1)).squeeze(-1)


class OwnFieldsVector(FFM):
    """Each value meets its partner with the vector that is meant for its own field."""

    def forward(self, batch):
        f = len(self.emb.field_names)
        v = self.emb(batch)
        own = v.reshape(len(v), f, f, -1).diagonal(dim1=1, dim2=2).transpose(1, 2)  # (B, F, D)
        return self.linear(batch) + 0.5 * (own.sum(1).square() - own.square().sum(1)).sum(1)


class PartnersVectorTwice(FFM):
    """v_{f,g} meets v_{g,g}: the second value does not look at whom it meets."""

    def forward(self, batch):
        f = len(self.emb.field_names)
        v = self.emb(batch)
        v = v.reshape(len(v), f, f, -1)
        own = v.diagonal(dim1=1, dim2=2).transpose(1, 2).unsqueeze(1)  # (B, 1, F, D)
        return self.linear(batch) + (v * own).sum(3).triu(1).sum((1, 2))


class PartnerAxisLast(FFM):
    """The row of F vectors of D numbers is read as D vectors of F numbers."""

    def forward(self, batch):
        f = len(self.emb.field_names)
        v = self.emb(batch)
        v = v.reshape(len(v), f, -1, f).transpose(2, 3)  # (B, F, F, D)
        return self.linear(batch) + (v * v.transpose(1, 2)).sum(3).triu(1).sum((1, 2))


class BothOrders(FFM):
    """Every pair of fields counted twice, as (f, g) and as (g, f)."""

    def forward(self, batch):
        y = super().forward(batch)
        return y + (y - self.linear(batch))


class UnorderedPairs(POLY2):
    """Ids are sorted before they are numbered: user 3 with film 5 is user 5 with film 3."""

    def rows(self, ids):
        a, b = ids.index_select(1, self.left), ids.index_select(1, self.right)
        return bucket(self.base + torch.minimum(a, b) * self.size + torch.maximum(a, b), self.buckets)


class OneIdRange(POLY2):
    """Pairs are numbered by their ids without their fields: user 3 with film 5 is user 3 with genre 5."""

    def rows(self, ids):
        return bucket(ids.index_select(1, self.left) * 2**20 + ids.index_select(1, self.right), self.buckets)


class ShortRows(POLY2):
    """The stride is the size of the first field, not of the second: the end of a row is the start of the next."""

    def __init__(self, schema, buckets=2**18):
        super().__init__(schema, buckets)
        self.size = self.size.flip(0)


class FeaturesMeetThemselves(POLY2):
    """i = j is counted: every id gets a second first-order weight."""

    def forward(self, batch):
        ids, x = self.features(batch)
        squares = self.w.index_select(0, bucket(ids * ids, self.buckets).flatten()).view(ids.shape)
        return super().forward(batch) + (squares * x * x).sum(1)


class BagCountsInFull(POLY2):
    """Every genre of a film counts 1, so a film of three genres has three times the pairs."""

    def features(self, batch):
        ids, x = super().features(batch)
        return ids, (x > 0).to(x.dtype)


class PaddingMakesPairs(POLY2):
    """Padding is a feature like any other."""

    def features(self, batch):
        ids, x = super().features(batch)
        return ids, torch.where(ids == PAD, 0.25, x)


class SeedOfTheProcess(POLY2):
    """Python's own hash of a text is another one in every process: a saved table is scrambled when it is loaded."""

    def rows(self, ids):
        return (super().rows(ids) + hash("rec_lib") % (self.buckets - 1) + 1) % self.buckets


class _AfterTheReLU(ResidualUnit):
    def forward(self, x):
        return x + torch.relu(self.residual(x))


class _NoShortcut(ResidualUnit):
    def forward(self, x):
        return torch.relu(self.residual(x))


class _NoLastReLU(ResidualUnit):
    def forward(self, x):
        return x + self.residual(x)


class _ReLUInsideTwice(ResidualUnit):
    def forward(self, x):
        return torch.relu(x + torch.relu(self.residual(x)))


class _WithUnits(DeepCrossing):
    unit = ResidualUnit

    def __init__(self, schema, dim=8, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        width = self.score.in_features
        self.units = nn.Sequential(*(self.unit(width, h, dropout) for h in hidden))


class AddedAfterTheReLU(_WithUnits):
    """The input is added after the last ReLU, so a unit can never make a number smaller."""

    unit = _AfterTheReLU


class NoShortcut(_WithUnits):
    """The input is not added at all: a plain network of the same size."""

    unit = _NoShortcut


class NoReLUAfterTheSum(_WithUnits):
    """The sum leaves the unit as it is."""

    unit = _NoLastReLU


class TwoReLUsInOneUnit(_WithUnits):
    """The second layer gets a ReLU of its own: the unit can add and never take away."""

    unit = _ReLUInsideTwice


class NoReLUOnTheVectors(DeepCrossing):
    """A plain look-up, as most code has it, in place of eq. 2."""

    def forward(self, batch):
        v = self.emb(batch) + self.bias
        x = self.units(torch.cat([self.emb.flat(v, batch), self.small(batch, v.dtype)], dim=1))
        return self.score(x).squeeze(-1)


class EveryFieldGetsAVector(DeepCrossing):
    """Small fields are embedded too."""

    def __init__(self, schema, dim=8, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout, init_sd)
        self.vectors_of_small = FieldEmbedding(self.schema, dim, init_sd)

    def forward(self, batch):
        return super().forward(batch) + self.vectors_of_small(batch).sum((1, 2))


class SmallBagCountsInFull(DeepCrossing):
    """A film of three genres has a block that adds up to 3."""

    def forward(self, batch):
        v = torch.relu(self.emb(batch) + self.bias)
        n = (batch["genres"] != PAD).sum(1, keepdim=True).clamp(min=1)
        x = self.units(torch.cat([self.emb.flat(v, batch), n * self.small(batch, v.dtype)], dim=1))
        return self.score(x).squeeze(-1)


class EmptyFieldsGetAttention(AFM):
    """A pair with a field that has no value takes its share of the softmax."""

    def attention(self, pairs, batch):
        return torch.softmax(torch.relu(self.score(pairs)) @ self.h, dim=1)


class AttentionOverTheBatch(AFM):
    """The softmax runs over the rows: what others look at changes a row's weights."""

    def attention(self, pairs, batch):
        return torch.softmax(torch.relu(self.score(pairs)) @ self.h, dim=0)


class AttentionBeforeTheReLU(AFM):
    """h (W x + b): a linear score."""

    def attention(self, pairs, batch):
        real = super().attention(pairs, batch) > 0
        return masked_softmax(self.score(pairs) @ self.h, real)


class BothOrdersOfAPair(AFM):
    """(i, j) and (j, i), and every field with itself."""

    def __init__(self, schema, dim=16, attention=16, dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, attention, dropout, init_sd)
        n = len(schema.embedded)
        self.first, self.second = torch.cartesian_prod(torch.arange(n), torch.arange(n)).T


class _UnmaskedDice(Dice):
    def forward(self, s, mask=None):
        return super().forward(s)


class _DiceOverUnits(Dice):
    def forward(self, s, mask=None):
        z = (s - s.mean(-1, keepdim=True)) * (s.var(-1, unbiased=False, keepdim=True) + self.eps).rsqrt()
        p = torch.sigmoid(z)
        return s * (self.alpha + p * (1 - self.alpha))


class _WithDice(DIN):
    """DIN with another activation in the activation unit."""

    dice: type[nn.Module]

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, dropout=dropout, init_sd=init_sd)
        for unit in self.units:
            unit.activation = self.dice(36)


class DiceOverPadding(_WithDice):
    """Dice's mean and variance count padding: how long the longest history may be changes every weight."""

    dice = _UnmaskedDice


class DiceOverTheUnits(_WithDice):
    """The wrong axis: each item's units are compared with each other, as layer norm does."""

    dice = _DiceOverUnits


class _Unit(ActivationUnit):
    """A unit that may change its inputs; subclasses have one slip."""

    def __init__(self, dim, softmax=False):
        super().__init__(dim, softmax=softmax)


class _WithUnit(DIN):
    unit: type[nn.Module]
    with_softmax = False

    def __init__(self, schema, dim=16, hidden=(64, 32), dropout=0.0, init_sd=0.05):
        super().__init__(schema, dim, hidden, softmax=self.with_softmax, dropout=dropout, init_sd=init_sd)
        self.units = nn.ModuleList(self.unit(dim, self.with_softmax) for _ in schema.sequences)


class _IgnoresMask(_Unit):
    def forward(self, q, k, mask):
        return super().forward(q, k, torch.ones_like(mask))


class SoftmaxOverPadding(_WithUnit):
    """Padding takes its share of a softmax."""

    unit, with_softmax = _IgnoresMask, True


class _MinusInfinity(_Unit):
    def forward(self, q, k, mask):
        c, M = self.given(q)
        s = torch.baddbmm(c.unsqueeze(1), k, M.mT)
        a = self.out(self.activation(s, mask)).squeeze(2)
        return torch.softmax(a.masked_fill(~mask, -torch.inf), dim=-1)


class SoftmaxOfNothing(_WithUnit):
    """A history without an item is a softmax of −∞ alone."""

    unit, with_softmax = _MinusInfinity, True


class _OnlyTheHistory(_Unit):
    def forward(self, q, k, mask):
        return super().forward(torch.zeros_like(q), k, mask)


class NotTheCandidate(_WithUnit):
    """The weights do not know what is being offered."""

    unit = _OnlyTheHistory


class _WithBiasUnderSoftmax(_Unit):
    def __init__(self, dim, softmax=False):
        super().__init__(dim, softmax)
        self.out = nn.Linear(36, 1)


class BiasUnderSoftmax(_WithUnit):
    """A bias that the softmax cancels: a number that can never learn."""

    unit, with_softmax = _WithBiasUnderSoftmax, True


class PaddingHasAVector(DIN):
    """The look-up of the history forgets that PAD is no film."""

    def activations(self, v, batch):
        ids = batch["history"]
        e = self.emb.table[ids + self.emb.start["item"]]
        v_A = v[:, self.emb.field_names.index("item")]
        return [(self.units[0](v_A, e, torch.ones_like(ids, dtype=torch.bool)), e)]


class WeighsByTheLength(DIN):
    """The weighted sum is divided by the length: the intensity is gone."""

    def activations(self, v, batch):
        n = (batch["history"] != PAD).sum(1, keepdim=True).clamp(min=1)
        return [(w / n, e) for w, e in super().activations(v, batch)]


class ProductsThroughTheirOwnReLU(IPNN):
    """relu(l_z) + relu(l_p): a product can no longer pull a unit below zero, nor the linear signal lift it."""

    def forward(self, batch):
        f = self.emb(batch)
        l_1 = torch.relu(self.linear(self.emb.flat(f, batch))) + torch.relu(self.quadratic(f))
        return self.mlp(l_1).squeeze(-1)


class LengthOfTheSumOnly(IPNN):
    """‖Σ f_i‖² without the weights θ: every unit gets the same product."""

    def quadratic(self, f):
        return f.sum(1).square().sum(1, keepdim=True) + 0 * self.theta.sum()


class SumBeforeTheNorm(IPNN):
    """Sums over the coordinates too early: (Σ_m δ_m)² in place of Σ_m δ_m²."""

    def quadratic(self, f):
        return (f.mT @ self.theta.mT).sum(1).square()


class EachPairOnce(IPNN):
    """Only i < j, as FM counts; the paper's table of pairs has both orders and the squares."""

    def quadratic(self, f):
        squares = f.square().sum(2) @ self.theta.square().mT
        return 0.5 * (super().quadratic(f) - squares)


class OuterOfEachFieldAlone(OPNN):
    """Σ_i f_i f_iᵀ: no field meets another."""

    def quadratic(self, f):
        return (f.mT @ f).flatten(1) @ self.w_p.flatten(1).mT


class MeanPooledOuter(OPNN):
    """The mean of the vectors in place of their sum."""

    def quadratic(self, f):
        return super().quadratic(f) / f.shape[1] ** 2


class ForgotTheLinearSignal(OPNN):
    """Products alone: what a field says by itself is lost."""

    def forward(self, batch):
        return self.mlp(torch.relu(self.quadratic(self.emb(batch)) + self.linear.bias)).squeeze(-1)


class InnerOnly(PNN):
    """PNN* that never uses its outer products."""

    def quadratic(self, f):
        return IPNN.quadratic(self, f)


class Unlearnable(LR):
    """Detached weights: the loss goes nowhere."""

    def forward(self, batch):
        return super().forward(batch).detach() + 0 * self.linear.w0


class ColumnOutput(LR):
    """(B, 1) instead of (B,): a loss against (B,) labels then broadcasts to (B, B)."""

    def forward(self, batch):
        return super().forward(batch).unsqueeze(1)


class UnsavedWeight(LR):
    """A weight that is a plain tensor: it is in no state_dict and does not come back."""

    def __init__(self, schema):
        super().__init__(schema)
        self.scale = 1 + torch.rand(())

    def forward(self, batch):
        return super().forward(batch) * self.scale


class _HalfGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad / 2


class WrongBackward(FM):
    """A hand-written backward pass that is off by a factor."""

    def forward(self, batch):
        return _HalfGradient.apply(super().forward(batch))


KILLED_BY = {
    ColumnOutput: "output_is_one_finite_float32_a_row",
    UnsavedWeight: "state_dict_round_trip",
    WrongBackward: "gradient_equals_differences",
    SigmoidTwice: "forward_gives_logits_and_predict_proba_their_sigmoid",
    SumLoss: "loss_is_a_mean_over_rows",
    FlattenedFM: "equals_the_plain_loop",
    MissingHalf: "equals_the_plain_loop",
    SelfPairs: "equals_the_plain_loop",
    NoMask: "padding_changes_nothing",
    EmptyHistoryIsNaN: "empty_history_is_finite_in_value_and_gradient",
    WrongOffset: "equals_the_plain_loop",
    TwoTables: "parameter_count",
    ForgotTheFM: "equals_the_plain_loop",
    DeadDropout: "every_option_does_something",
    SeedsItself: "weights_come_from_the_callers_seed_alone",
    CachedTable: "two_models_share_nothing",
    CentredOnTheBatch: "rows_are_independent_in_eval_mode",
    SqueezesTheBatch: "rows_are_independent_in_eval_mode",
    UnusedLayer: "every_parameter_learns_and_padding_does_not",
    ConstantOnTheCPU: "runs_on_another_device",
    AlwaysSingle: "double_precision",
    NoisyInEval: "rows_are_independent_in_eval_mode",
    WithoutFirstOrder: "every_parameter_learns_and_padding_does_not",
    Unlearnable: "overfits_six_rows",
    OwnFieldsVector: "equals_the_plain_loop",
    PartnersVectorTwice: "equals_the_plain_loop",
    PartnerAxisLast: "equals_the_plain_loop",
    BothOrders: "equals_the_plain_loop",
    UnorderedPairs: "equals_the_plain_loop",
    OneIdRange: "equals_the_plain_loop",
    ShortRows: "equals_the_plain_loop",
    FeaturesMeetThemselves: "equals_the_plain_loop",
    BagCountsInFull: "equals_the_plain_loop",
    PaddingMakesPairs: "padding_changes_nothing",
    SeedOfTheProcess: "equals_the_plain_loop",
    AddedAfterTheReLU: "equals_the_plain_loop",
    NoShortcut: "equals_the_plain_loop",
    NoReLUAfterTheSum: "equals_the_plain_loop",
    TwoReLUsInOneUnit: "equals_the_plain_loop",
    NoReLUOnTheVectors: "equals_the_plain_loop",
    EveryFieldGetsAVector: "parameter_count",
    SmallBagCountsInFull: "equals_the_plain_loop",
    ProductsThroughTheirOwnReLU: "equals_the_plain_loop",
    LengthOfTheSumOnly: "equals_the_plain_loop",
    SumBeforeTheNorm: "equals_the_plain_loop",
    EachPairOnce: "equals_the_plain_loop",
    OuterOfEachFieldAlone: "equals_the_plain_loop",
    MeanPooledOuter: "equals_the_plain_loop",
    ForgotTheLinearSignal: "every_parameter_learns_and_padding_does_not",
    InnerOnly: "every_parameter_learns_and_padding_does_not",
    EmptyFieldsGetAttention: "equals_the_plain_loop",
    AttentionOverTheBatch: "rows_are_independent_in_eval_mode",
    AttentionBeforeTheReLU: "equals_the_plain_loop",
    BothOrdersOfAPair: "equals_the_plain_loop",
    DiceOverPadding: "padding_changes_nothing_while_training",
    DiceOverTheUnits: "equals_the_plain_loop",
    SoftmaxOverPadding: "padding_changes_nothing",
    SoftmaxOfNothing: "empty_history_is_finite_in_value_and_gradient",
    NotTheCandidate: "equals_the_plain_loop",
    BiasUnderSoftmax: "every_parameter_learns_and_padding_does_not",
    PaddingHasAVector: "padding_changes_nothing",
    WeighsByTheLength: "equals_the_plain_loop",
}


@pytest.mark.parametrize("mutant", KILLED_BY, ids=lambda c: c.__name__)
def test_the_contract_kills(mutant):
    with pytest.raises((AssertionError, RuntimeError)):
        CHECKS[KILLED_BY[mutant]](mutant)


def test_every_check_kills_somebody():
    """A check that no bug fails is a check in name only."""
    assert set(KILLED_BY.values()) == set(CHECKS)
