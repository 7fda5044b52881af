"""Bugs of real NeuralCF code, re-created: the check named here must see each of them."""

import types

import numpy as np
import pytest
import torch
from oracles import neural_naive as naive
from torch.nn.functional import binary_cross_entropy_with_logits

from rec_lib.data.pointwise import Pointwise
from rec_lib.models import neural_cf
from rec_lib.models.ease import EASE
from rec_lib.models.neural_cf import GMF, MLP, NeuMF, pretrained


class SumOfProducts(GMF):
    """The inner product, spread over K columns: h has nothing to weigh."""

    def forward(self, batch):
        product = super().forward(batch)
        return product.sum(dim=1, keepdim=True).expand_as(product) / product.shape[1]


class ItemFirst(MLP):
    """Built as [p; q], read as [q; p]."""

    def forward(self, batch):
        z = torch.cat([self.q.index_select(0, batch["item"]), self.p.index_select(0, batch["user"])], dim=1)
        for layer in self.layers:
            z = torch.relu(layer(z))
        return z


class NoLastReLU(MLP):
    """The last hidden layer is linear."""

    def forward(self, batch):
        z = torch.cat([self.p.index_select(0, batch["user"]), self.q.index_select(0, batch["item"])], dim=1)
        for layer in self.layers[:-1]:
            z = torch.relu(layer(z))
        return self.layers[-1](z)


class SigmoidTwice(NeuMF):
    """A probability where the loss expects a logit."""

    def loss(self, batch):
        return binary_cross_entropy_with_logits(torch.sigmoid(self(batch)), batch["label"].to(self.h.dtype))


class LossOfASum(NeuMF):
    """The step grows with the batch."""

    def loss(self, batch):
        return super().loss(batch) * len(batch["label"])


class OneTableForBoth(NeuMF):
    """The towers share the users' vectors."""

    def __init__(self, towers, widths):
        super().__init__(towers, widths)
        if len(towers) == 2:
            towers[1].p.data = towers[0].p.data


class ForgottenTower(NeuMF):
    """Only the first tower reaches the output."""

    def forward(self, batch):
        phi = self.towers[0](batch)
        return phi @ self.h[: phi.shape[1]]


def wrong_side(gmf, mlp, alpha):
    """α on the MLP."""
    return pretrained(gmf, mlp, 1 - alpha)


def borrowed(gmf, mlp, alpha):
    """The towers themselves, not copies: fine-tuning NeuMF changes the GMF and the MLP that it came from."""
    both = NeuMF([*gmf.towers, *mlp.towers], [len(gmf.h), len(mlp.h)])
    both.h = torch.nn.Parameter(torch.cat([alpha * gmf.h.detach(), (1 - alpha) * mlp.h.detach()]))
    return both


LOGITS, LOSS = "logits_are_those_of_the_loops", "the_loss_is_the_mean_log_loss"
NETWORKS = [
    ({"GMF": SumOfProducts}, LOGITS),
    ({"MLP": ItemFirst}, LOGITS),
    ({"MLP": NoLastReLU}, LOGITS),
    ({"NeuMF": SigmoidTwice}, LOSS),
    ({"NeuMF": LossOfASum}, LOSS),
    ({"NeuMF": OneTableForBoth}, "the_towers_have_tables_of_their_own"),
    ({"NeuMF": ForgottenTower}, "the_towers_have_tables_of_their_own"),
    ({"GMF": SumOfProducts, "NeuMF": ForgottenTower}, LOGITS),
    ({"pretrained": wrong_side}, "a_pretrained_start_is_the_mixture_of_the_towers"),
    ({"pretrained": borrowed}, "a_pretrained_start_leaves_the_towers_alone"),
    ({"NeuMF": type("Doubled", (NeuMF,), {"forward": lambda self, batch: 2 * NeuMF.forward(self, batch)})},
     "gmf_with_h_of_ones_is_the_inner_product"),
]  # fmt: skip


def with_parts(parts):
    names = ("GMF", "MLP", "NeuMF", "pretrained")
    return types.SimpleNamespace(**{name: parts.get(name, getattr(neural_cf, name)) for name in names})


@pytest.mark.parametrize(("parts", "check"), NETWORKS, ids=[next(iter(p.values())).__name__ for p, _ in NETWORKS])
def test_the_oracle_kills(parts, check):
    with pytest.raises((AssertionError, RuntimeError)):
        naive.NETWORK_CHECKS[check](with_parts(parts))


def epoch_with(rows, draw):
    """Pointwise.epoch with another way to draw."""
    data = types.SimpleNamespace(sample=lambda owners, k, rng: draw(owners, k), train=rows.data.train)
    twin = types.SimpleNamespace(**{**vars(rows), "data": data})
    return Pointwise.epoch(twin)


class HitsPositives(Pointwise):
    """Negatives from all items: some of them are what the user has."""

    def epoch(self):
        items = self.data.train.shape[1]
        return epoch_with(self, lambda owners, k: self.rng.integers(2, items, (len(owners), k)))


class FixedNegatives(Pointwise):
    """Drawn once, kept for all epochs."""

    def epoch(self):
        if not hasattr(self, "kept"):
            self.kept = super().epoch()
        return self.kept


class PositivesFirst(Pointwise):
    """Not mixed: the first batches say 1 to everything."""

    def epoch(self):
        rows = super().epoch()
        order = torch.argsort(-rows["label"], stable=True)
        return {name: column[order] for name, column in rows.items()}


class NegativesOfAnybody(Pointwise):
    """The items are shuffled apart from their users."""

    def epoch(self):
        rows = super().epoch()
        drawn = torch.nonzero(rows["label"] == 0).flatten()
        rows["item"][drawn] = rows["item"][drawn].roll(1)
        return rows


class ByIndex(Pointwise):
    """Low ids twice as likely: the remainder of a draw over too large a range."""

    def epoch(self):
        def draw(owners, k):
            wide = [np.setdiff1d(np.arange(2, 7), self.data.train[u].indices) for u in owners]
            return np.stack([free[self.rng.integers(0, 6, k) % len(free)] for free in wide])

        return epoch_with(self, draw)


class DropsTheRest(Pointwise):
    """A last batch that is not full is thrown away."""

    def batches(self, size):
        for batch in super().batches(size):
            if len(batch["label"]) == size:
                yield batch


class OneNegative(Pointwise):
    """`negatives` is stored and not used."""

    def __init__(self, seen, negatives, rng):
        super().__init__(seen, 1, rng)


SOURCES = {
    HitsPositives: "no_negative_is_something_the_user_has",
    NegativesOfAnybody: "no_negative_is_something_the_user_has",
    FixedNegatives: "every_epoch_draws_anew",
    PositivesFirst: "the_order_is_mixed",
    ByIndex: "negatives_are_drawn_evenly",
    DropsTheRest: "batches_are_the_epoch_in_slices",
    OneNegative: "each_pair_comes_once_with_its_negatives",
}


@pytest.mark.parametrize("mutant", SOURCES, ids=lambda c: c.__name__)
def test_the_checks_of_the_source_kill(mutant):
    with pytest.raises(AssertionError):
        naive.SOURCE_CHECKS[SOURCES[mutant]](mutant)


def test_every_check_kills_somebody():
    assert {check for _, check in NETWORKS} == set(naive.NETWORK_CHECKS)
    assert set(SOURCES.values()) == set(naive.SOURCE_CHECKS)


class RowsDivided(EASE):
    """P_ij / P_ii: row i divided where column j must be."""

    def _fit(self, seen):
        super()._fit(seen)
        X = (seen != 0).astype(float)
        P = np.linalg.inv((X.T @ X).toarray() + self.l2 * np.eye(X.shape[1]))
        self.B = P / -np.diag(P)[:, None]
        np.fill_diagonal(self.B, 0)


class PlainRidge(EASE):
    """(XᵀX + λI)⁻¹XᵀX with its diagonal erased afterwards: erasing is not forbidding."""

    def _fit(self, seen):
        X = (seen != 0).astype(float)
        gram = (X.T @ X).toarray()
        self.B = np.linalg.solve(gram + self.l2 * np.eye(len(gram)), gram)
        np.fill_diagonal(self.B, 0)


class CountsStars(EASE):
    """The stars are used as weights."""

    def _fit(self, seen):
        gram = (seen.T @ seen).toarray() + self.l2 * np.eye(seen.shape[1])
        P = np.linalg.inv(gram)
        self.B = P / -np.diag(P)
        np.fill_diagonal(self.B, 0)


@pytest.mark.parametrize("mutant", [RowsDivided, PlainRidge, CountsStars], ids=lambda c: c.__name__)
def test_the_oracle_of_ease_kills(mutant):
    with pytest.raises(AssertionError):
        naive.check_ease(mutant)
