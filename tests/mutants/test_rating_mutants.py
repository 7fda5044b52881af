"""Bugs of rating models, re-created: the contract must kill each of them, and by the check named here."""

import pytest
import torch
from contract.rating_checks import CHECKS
from torch import nn

from rec_lib.data.table import Table
from rec_lib.models import MF, IAutoRec, SVDpp, UAutoRec


class ColumnOutput(MF):
    """(B, 1) instead of (B,): the error against (B,) stars then broadcasts to (B, B)."""

    def forward(self, batch):
        return super().forward(batch).unsqueeze(1)


class CentredOnTheBatch(MF):
    """A prediction depends on its neighbours in the batch."""

    def forward(self, batch):
        y = super().forward(batch)
        return y - y.mean() + self.mu


class ClipsInForward(MF):
    """Training sees clipped stars: beyond the scale there is no gradient."""

    def forward(self, batch):
        return super().forward(batch).clamp(self.low, self.high)


class RandomStrangers(MF):
    """A user without ratings keeps the random vector of the start."""

    def rows(self, table, name, batch):
        return table.index_select(0, batch[name])


class KnowsEverybody(MF):
    """Says of everybody in the table that it has ratings."""

    def knows(self, users):
        return users < len(self.known_user)


class RootOfNothing(SVDpp):
    """|N(u)|^(−1/2) of an empty N(u)."""

    def user_vectors(self, batch):
        implied = self.over_rated(self.y) * self.count.to(self.y.dtype).rsqrt().unsqueeze(1)
        return self.rows(self.p + implied, "user", batch)


class UnusedWeight(MF):
    """A parameter that nothing reads."""

    def __init__(self, train, dim=64, l2=0.1, init_sd=0.1, bias=True):
        super().__init__(train, dim, l2, init_sd, bias)
        self.temperature = nn.Parameter(torch.ones(()))


class PaysForStrangers(MF):
    """The penalty reads the table itself, so that rows without ratings are trained after all."""

    def penalty(self, batch):
        return super().penalty(batch) + self.l2 * self.p[batch["user"]].square().sum(1)


class SumLoss(MF):
    """The loss grows with the batch, so the learning rate depends on the batch size."""

    def loss(self, batch):
        return super().loss(batch) * len(batch["label"])


class FrozenItems(MF):
    """Detached vectors and biases: what is left cannot follow single ratings."""

    def rows(self, table, name, batch):
        return super().rows(table, name, batch).detach() + 0 * table.sum()


class SeedsItself(MF):
    """The constructor seeds the global generator: every "random" start of the caller is the same."""

    def __init__(self, train, dim=64, l2=0.1, init_sd=0.1, bias=True):
        torch.manual_seed(1024)
        super().__init__(train, dim, l2, init_sd, bias)


class CachedVectors(MF):
    """Two models built from one table train one another's vectors."""

    cache: dict = {}

    def __init__(self, train, dim=64, l2=0.1, init_sd=0.1, bias=True):
        super().__init__(train, dim, l2, init_sd, bias)
        self.q = self.cache.setdefault((id(train), dim), self.q)


class ViewOfTheTable(MF):
    """A buffer that is the caller's own column."""

    def __init__(self, train, dim=64, l2=0.1, init_sd=0.1, bias=True):
        super().__init__(train, dim, l2, init_sd, bias)
        self.register_buffer("stars", train["label"])


class ForgetsWhoRatedWhat(SVDpp):
    """N(u) is not saved: after loading, the users have the sets of other ratings."""

    def __init__(self, train, dim=64, l2=0.1, l2_y=0.01, init_sd=0.1):
        super().__init__(train, dim, l2, l2_y, init_sd)
        self.register_buffer("rated", self.rated, persistent=False)


class AlwaysSingle(MF):
    """A cast that throws double precision away."""

    def forward(self, batch):
        return super().forward(batch).float()


class ConstantOnTheCPU(MF):
    """A tensor made in forward stays on the CPU."""

    def forward(self, batch):
        return super().forward(batch) + torch.zeros(len(batch["user"]))


class DeadPenalty(MF):
    """An option that is stored and never used."""

    def __init__(self, train, dim=64, l2=0.1, init_sd=0.1, bias=True):
        super().__init__(train, dim, 0.1, init_sd, bias)


class WithoutTheRoot(SVDpp):
    """The y_j are added up, not divided by the root of their number: busy users get long vectors."""

    def user_vectors(self, batch):
        return self.rows(self.p + self.over_rated(self.y), "user", batch)


class MeanOfRated(SVDpp):
    """1/|N(u)| in place of |N(u)|^(−1/2)."""

    def __init__(self, train, dim=64, l2=0.1, l2_y=0.01, init_sd=0.1):
        super().__init__(train, dim, l2, l2_y, init_sd)
        self.count.square_()


class TwoForOne(MF):
    """The bias of the item is added twice."""

    def forward(self, batch):
        return super().forward(batch) + self.rows(self.b_item, "item", batch)


class NextUsersSet(SVDpp):
    """Where N(u) begins is off by one user."""

    def __init__(self, train, dim=64, l2=0.1, l2_y=0.01, init_sd=0.1):
        super().__init__(train, dim, l2, l2_y, init_sd)
        self.start.copy_(torch.cat([self.start[1:], self.start[-1:]]))


class NextItemsRaters(SVDpp):
    """Where an item's raters begin is off by one item: predictions are right, gradients are not."""

    def __init__(self, train, dim=64, l2=0.1, l2_y=0.01, init_sd=0.1):
        super().__init__(train, dim, l2, l2_y, init_sd)
        self.first.copy_(torch.cat([self.first[1:], self.first[-1:]]))


class HalfPenalty(MF):
    """Users pay for their vectors, items do not."""

    def penalty(self, batch):
        return self.l2 * self.rows(self.p, "user", batch).square().sum(1)


class _HalfGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad / 2


class WrongBackward(MF):
    """A hand-written backward pass that is off by a factor."""

    def forward(self, batch):
        return _HalfGradient.apply(super().forward(batch))


class VectorsForRatings(SVDpp):
    """The y_j are the q_j: a simpler model under the same name."""

    def __init__(self, train, dim=64, l2=0.1, l2_y=0.01, init_sd=0.1):
        super().__init__(train, dim, l2, l2_y, init_sd)
        self.y = self.q


class StartsFromZeroForNoRatings(MF):
    """No ratings: takes a mean of 0 in silence."""

    def __init__(self, train, dim=64, l2=0.1, init_sd=0.1, bias=True):
        if not len(train):
            columns = {n: torch.full((1,), 2) for n in ("user", "item")} | {"label": torch.zeros(1)}
            train = Table(train.schema, columns)
        super().__init__(train, dim, l2, init_sd, bias)


class BiasesOnly(MF):
    """The vectors are there, small for ever: what they would say is scaled away."""

    def forward(self, batch):
        y = super().forward(batch)
        vectors = (self.user_vectors(batch) * self.rows(self.q, "item", batch)).sum(1)
        return y - 0.999 * vectors


# --- AutoRec ---------------------------------------------------------------------------------------------------------


class HolesAreZeros(IAutoRec):
    """The loss runs over whole rows: a hole counts as a rating of 0 stars."""

    def loss(self, batch):
        rows = batch["item"].unique()
        return (self.decode(self.encode(self.ratings))[rows] - self.ratings[rows]).square().mean() + self.penalty(
            batch
        ).mean()


class MaskOnTheWayForwardOnly(IAutoRec):
    """The loss is masked; its gradient runs into the strangers' weights all the same."""

    def forward(self, batch):
        y = super().forward(batch)
        everything = self.decode(self.encode(self.ratings))[batch["item"], batch["user"]]
        return y + (everything - everything.detach())


class PricesOneMatrix(IAutoRec):
    """λ for the decoder alone."""

    def penalty(self, batch):
        used = self.known_user.to(self.W.dtype)
        return (self.l2 / 2 * (self.W.square().sum(dim=1) @ used) / self.count).expand(len(batch["label"]))


class PricesWholeTables(IAutoRec):
    """Weights of users without ratings are pulled to 0: a gradient where nothing is learnt."""

    def penalty(self, batch):
        squares = self.W.square().sum() + self.V.square().sum()
        return (self.l2 / 2 * squares / self.count).expand(len(batch["label"]))


class ForgetsTheHalf(IAutoRec):
    """λ in place of λ/2."""

    def penalty(self, batch):
        return 2 * super().penalty(batch)


class LeaksWhatIsAsked(IAutoRec):
    """The stars of the batch go into the rows: on test ratings the answer is part of the question."""

    def forward(self, batch):
        r = self.ratings
        if "label" in batch:
            r = r.index_put((batch["item"], batch["user"]), batch["label"].to(r.dtype))
        h = self.decode(self.encode(r))[batch["item"], batch["user"]]
        known = self.known_item[batch["item"]] & self.known_user[batch["user"]]
        return torch.where(known, h, self.mu)


class ReadsTheBatchAlone(IAutoRec):
    """A row is what the batch holds of it: another batch, another answer."""

    def forward(self, batch):
        in_batch = torch.zeros_like(self.ratings).index_put_((batch["item"], batch["user"]), torch.ones_like(self.mu))
        h = self.decode(self.encode(self.ratings * in_batch))[batch["item"], batch["user"]]
        known = self.known_item[batch["item"]] & self.known_user[batch["user"]]
        return torch.where(known, h, self.mu)


class SigmoidAtTheEnd(IAutoRec):
    """A sigmoid as output: stars between 0 and 1."""

    def decode(self, z):
        return super().decode(z).sigmoid()


class NoHiddenSigmoid(IAutoRec):
    """A linear hidden layer under the name of AutoRec."""

    def g(self, x):
        return x


class EncoderIsTheDecoder(IAutoRec):
    """V = W: half of the parameters."""

    def __init__(self, train, dim=500, l2=100.0, init_sd=0.03):
        super().__init__(train, dim, l2, init_sd)
        self.V = self.W


class UsersUnderItemsName(UAutoRec):
    """Reads a user's row and looks up the place of the same number in the other table."""

    def forward(self, batch):
        swapped = batch | {"user": batch["item"].clamp(max=len(self.known_user) - 1)}
        return super().forward(swapped)


class NobodysRows(IAutoRec):
    """The rows are not saved: a loaded model reads other ratings."""

    def __init__(self, train, dim=500, l2=100.0, init_sd=0.03):
        super().__init__(train, dim, l2, init_sd)
        self.register_buffer("ratings", self.ratings, persistent=False)


KILLED_BY = {
    HolesAreZeros: "loss_is_a_mean_over_rows",
    MaskOnTheWayForwardOnly: "every_parameter_learns_and_strangers_do_not",
    PricesOneMatrix: "equals_the_plain_loop",
    PricesWholeTables: "every_parameter_learns_and_strangers_do_not",
    ForgetsTheHalf: "equals_the_plain_loop",
    LeaksWhatIsAsked: "equals_the_plain_loop",
    ReadsTheBatchAlone: "rows_are_independent_in_eval_mode",
    SigmoidAtTheEnd: "equals_the_plain_loop",
    NoHiddenSigmoid: "equals_the_plain_loop",
    EncoderIsTheDecoder: "parameter_count",
    UsersUnderItemsName: "equals_the_plain_loop",
    NobodysRows: "state_dict_and_file_round_trip",
    ColumnOutput: "output_is_one_finite_float32_a_row",
    CentredOnTheBatch: "rows_are_independent_in_eval_mode",
    ClipsInForward: "predict_is_forward_clipped_to_the_scale",
    RandomStrangers: "a_stranger_adds_nothing_of_its_own",
    KnowsEverybody: "knows_says_who_has_ratings",
    RootOfNothing: "strangers_are_finite_in_value_and_gradient",
    UnusedWeight: "every_parameter_learns_and_strangers_do_not",
    PaysForStrangers: "every_parameter_learns_and_strangers_do_not",
    SumLoss: "loss_is_a_mean_over_rows",
    FrozenItems: "overfits_six_ratings",
    SeedsItself: "weights_come_from_the_callers_seed_alone",
    CachedVectors: "two_models_share_nothing",
    ViewOfTheTable: "two_models_share_nothing",
    ForgetsWhoRatedWhat: "state_dict_and_file_round_trip",
    AlwaysSingle: "double_precision",
    ConstantOnTheCPU: "runs_on_another_device",
    DeadPenalty: "every_option_does_something",
    WithoutTheRoot: "equals_the_plain_loop",
    MeanOfRated: "equals_the_plain_loop",
    TwoForOne: "equals_the_plain_loop",
    NextUsersSet: "equals_the_plain_loop",
    NextItemsRaters: "gradient_equals_differences",
    HalfPenalty: "equals_the_plain_loop",
    WrongBackward: "gradient_equals_differences",
    VectorsForRatings: "parameter_count",
    StartsFromZeroForNoRatings: "refuses_no_ratings_and_other_fields",
    BiasesOnly: "recovers_a_planted_matrix",
}


@pytest.mark.parametrize("mutant", KILLED_BY, ids=lambda c: c.__name__)
def test_the_contract_kills(mutant):
    with pytest.raises((AssertionError, RuntimeError, pytest.fail.Exception)):
        CHECKS[KILLED_BY[mutant]](mutant)


def test_every_check_kills_somebody():
    """A check that no bug fails is a check in name only."""
    assert set(KILLED_BY.values()) == set(CHECKS)
