"""Slips in GBDT+LR and LS-PLM, each killed by the check of the contract that is named here."""

import pytest
import torch
from contract.ctr_checks import CHECKS

from rec_lib.layers.mixture import mixture_logit
from rec_lib.models import GBDTLR, LSPLM


class GateOverTheBatch(LSPLM):
    """The softmax runs over the rows: a sample's regions depend on its neighbours."""

    def forward(self, batch):
        u, w = self.scores(batch)
        p = (torch.softmax(u, dim=0) * torch.sigmoid(w)).sum(1)
        return torch.logit(p.clamp(1e-6, 1 - 1e-6))


class ProbabilityInForward(LSPLM):
    """The paper's equation as it stands: a probability leaves forward, and the loss applies the sigmoid again."""

    def forward(self, batch):
        u, w = self.scores(batch)
        return (torch.softmax(u, dim=1) * torch.sigmoid(w)).sum(1)


class MeanOfLogits(LSPLM):
    """The gate weighs log-odds instead of probabilities."""

    def forward(self, batch):
        u, w = self.scores(batch)
        return (torch.softmax(u, dim=1) * w).sum(1)


class WinnerTakesAll(LSPLM):
    """The strongest region alone speaks, and nothing teaches the gate."""

    def forward(self, batch):
        u, w = self.scores(batch)
        return w.gather(1, u.argmax(1, keepdim=True)).squeeze(1)


class SwappedHalves(LSPLM):
    """Gate and regions read one another's columns."""

    def forward(self, batch):
        u, w = self.scores(batch)
        return mixture_logit(w, u)


class OverflowingGate(LSPLM):
    """exp without the log scale: large scores are inf over inf."""

    def forward(self, batch):
        u, w = self.scores(batch)
        gate = (1000 * u).exp()
        return torch.logit((gate / gate.sum(1, keepdim=True) * torch.sigmoid(w)).sum(1))


class LeftIsRight(GBDTLR):
    """Every sample takes the other turn."""

    def leaf_code(self, batch):
        turn = (self.dense_values(batch)[:, self.feature] > self.threshold).to(self.path.dtype) * 2 - 1
        return (torch.einsum("bts,tsl->btl", turn, self.path) == self.length).to(self.path.dtype)


class AnyCondition(GBDTLR):
    """A leaf is reached when one condition of its path holds."""

    def leaf_code(self, batch):
        turn = (self.dense_values(batch)[:, self.feature] <= self.threshold).to(self.path.dtype) * 2 - 1
        return (torch.einsum("bts,tsl->btl", turn, self.path) > -self.length).to(self.path.dtype)


class OneTree(GBDTLR):
    """The leaves of all trees but the first are forgotten."""

    def forward(self, batch):
        code = self.leaf_code(batch)
        return super().forward(batch) - (code * self.leaf)[:, 1:].sum(dim=(1, 2))


class TreesOutsideTheFile(GBDTLR):
    """The thresholds are no buffer: a saved model comes back with other trees."""

    def fit_trees(self, table, **settings):
        super().fit_trees(table, **settings)
        self.kept = self.threshold + torch.rand(())

    def leaf_code(self, batch):
        turn = (self.dense_values(batch)[:, self.feature] <= self.kept).to(self.path.dtype) * 2 - 1
        return (torch.einsum("bts,tsl->btl", turn, self.path) == self.length).to(self.path.dtype)


KILLED_BY = {
    GateOverTheBatch: "rows_are_independent_in_eval_mode",
    ProbabilityInForward: "forward_gives_logits_and_predict_proba_their_sigmoid",
    MeanOfLogits: "equals_the_plain_loop",
    WinnerTakesAll: "equals_the_plain_loop",
    SwappedHalves: "equals_the_plain_loop",
    OverflowingGate: "forward_gives_logits_and_predict_proba_their_sigmoid",
    LeftIsRight: "equals_the_plain_loop",
    AnyCondition: "equals_the_plain_loop",
    OneTree: "equals_the_plain_loop",
    TreesOutsideTheFile: "state_dict_round_trip",
}


@pytest.mark.parametrize("mutant", KILLED_BY, ids=lambda c: c.__name__)
def test_the_contract_kills(mutant):
    with pytest.raises((AssertionError, RuntimeError)):
        CHECKS[KILLED_BY[mutant]](mutant)
