"""FTRL-Proximal with one thing wrong: each slip is killed, and by the check named here."""

import pytest
import torch
from contract.ftrl_checks import CHECKS

from rec_lib.layers.proximal import soft_threshold
from rec_lib.models.ftrl import FTRL, absorb, proximal_weight


class Broken(FTRL):
    """FTRL whose two formulas can be replaced."""

    def _update(self, p, at, g, alpha, beta, l1, l2):
        w, state = p.view(-1), self.state[p]
        if not state:
            state["z"], state["n"] = self.first_z(w, alpha, beta), torch.zeros_like(w)
        z, n = self.absorb(w[at], state["z"][at], state["n"][at], g, alpha)
        state["z"][at], state["n"][at] = z, n
        w[at] = self.weight(z, n, alpha, beta, l1, l2)

    def first_z(self, w, alpha, beta):
        return -w * beta / alpha

    def absorb(self, w, z, n, g, alpha):
        return absorb(w, z, n, g, alpha)

    def weight(self, z, n, alpha, beta, l1, l2):
        return proximal_weight(z, n, alpha, beta, l1, l2)


class WithoutSigma(Broken):
    """z is the plain sum of gradients: dual averaging, not FTRL-Proximal."""

    def absorb(self, w, z, n, g, alpha):
        return z + g, n + g.square()


class SigmaAdded(Broken):
    def absorb(self, w, z, n, g, alpha):
        _, new = absorb(w, z, n, g, alpha)
        return z + g + (new.sqrt() - n.sqrt()) / alpha * w, new


class WrongSign(Broken):
    def weight(self, z, n, alpha, beta, l1, l2):
        return -proximal_weight(z, n, alpha, beta, l1, l2)


class L2Twice(Broken):
    """Keras' convention: l2 without the half."""

    def weight(self, z, n, alpha, beta, l1, l2):
        return proximal_weight(z, n, alpha, beta, l1, 2 * l2)


class L1Forgotten(Broken):
    """Weights below the threshold are cut, those above it are not shrunk: hard thresholding."""

    def weight(self, z, n, alpha, beta, l1, l2):
        return torch.where(z.abs() > l1, proximal_weight(z, n, alpha, beta, 0.0, l2), 0.0)


class L1OfTheWeight(Broken):
    """The threshold is applied to the weight, after the division."""

    def weight(self, z, n, alpha, beta, l1, l2):
        return soft_threshold(proximal_weight(z, n, alpha, beta, 0.0, l2), l1)


class CountedBeforeSigma(Broken):
    """n is brought up to date before σ is computed, so σ is 0."""

    def absorb(self, w, z, n, g, alpha):
        n = n + g.square()
        return z + g - (n.sqrt() - n.sqrt()) / alpha * w, n


class SigmaFromNewWeight(Broken):
    """The weight is computed from the new n first, and z gets that one's σ w."""

    def absorb(self, w, z, n, g, alpha):
        group = self.param_groups[0]
        new = n + g.square()
        w = proximal_weight(z + g, new, group["alpha"], group["beta"], group["l1"], group["l2"])
        return z + g - (new.sqrt() - n.sqrt()) / alpha * w, new


class SumOfGradients(Broken):
    """n adds |g| in place of g²."""

    def absorb(self, w, z, n, g, alpha):
        return absorb(w, z, n, g, alpha)[0], n + g.abs()


class OneRateForAll(Broken):
    """n is shared by all coordinates: a global learning rate."""

    def absorb(self, w, z, n, g, alpha):
        z, new = absorb(w, z, n, g, alpha)
        return z, new.mean().expand_as(new)


class BetaOutside(Broken):
    """β is not divided by α."""

    def weight(self, z, n, alpha, beta, l1, l2):
        return -soft_threshold(z, l1) / (beta + n.sqrt() / alpha + l2)


class StartForgotten(Broken):
    """Initial weights are thrown away at the first step."""

    def first_z(self, w, alpha, beta):
        return torch.zeros_like(w)


class Eager(FTRL):
    """All weights are recomputed at each step: those that were never touched are lost."""

    def _update(self, p, at, g, alpha, beta, l1, l2):
        super()._update(p, at, g, alpha, beta, l1, l2)
        state = self.state[p]
        p.view(-1).copy_(proximal_weight(state["z"], state["n"], alpha, beta, l1, l2))


class DuplicatesOverwrite(FTRL):
    """A row that occurs twice in a sparse gradient counts once."""

    def _update(self, p, at, g, alpha, beta, l1, l2):
        if p.grad.is_sparse:
            rows, values = p.grad._indices()[0], p.grad._values()
            at = (rows[:, None] * values.shape[1] + torch.arange(values.shape[1])).flatten()
            g = values.flatten()
            at, g = at[g != 0], g[g != 0]
        super()._update(p, at, g, alpha, beta, l1, l2)


class FirstGroupForAll(FTRL):
    """The settings of the first group are used for every group."""

    def _update(self, p, at, g, alpha, beta, l1, l2):
        super()._update(p, at, g, alpha, beta, self.param_groups[0]["l1"], l2)


MUTANTS = {
    WithoutSigma: "without_penalties_it_is_gradient_descent",
    SigmaAdded: "weights_minimise_the_objective",
    WrongSign: "small_sums_of_gradients_leave_exactly_zero",
    L2Twice: "weights_minimise_the_objective",
    L1Forgotten: "weights_minimise_the_objective",
    L1OfTheWeight: "small_sums_of_gradients_leave_exactly_zero",
    CountedBeforeSigma: "without_penalties_it_is_gradient_descent",
    SigmaFromNewWeight: "without_penalties_it_is_gradient_descent",
    SumOfGradients: "without_penalties_it_is_gradient_descent",
    OneRateForAll: "without_penalties_it_is_torchs_adagrad",
    BetaOutside: "with_a_large_beta_the_rate_is_constant",
    StartForgotten: "without_penalties_it_is_gradient_descent",
    Eager: "only_touched_coordinates_move",
    DuplicatesOverwrite: "sparse_and_dense_gradients_agree",
    FirstGroupForAll: "numbers_and_groups_have_their_own_settings",
}


def test_the_base_of_the_mutants_is_sound():
    for check in CHECKS.values():
        check(Broken)


@pytest.mark.parametrize(("mutant", "check"), MUTANTS.items(), ids=lambda x: getattr(x, "__name__", x))
def test_mutant_is_killed(mutant, check):
    with pytest.raises(AssertionError):
        CHECKS[check](mutant)
