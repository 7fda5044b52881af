"""The formulas of 4.4.1 and 4.4.3 hold their code; a version with one slip does not."""

import numpy as np
import pytest

from rec_lib.derive import Disagreement, deepwalk, eges
from rec_lib.embeddings.deepwalk import jump_probabilities
from rec_lib.embeddings.mixture import pair_gradients, weighted_mean

PAIRS = [
    (deepwalk.jump, jump_probabilities),
    (deepwalk.two_jumps, deepwalk.jumps),
    (deepwalk.visits, deepwalk.after_many_jumps),
    (eges.mixture, weighted_mean),
    (eges.loss, pair_gradients),
    (eges.pair, pair_gradients),
    (eges.weight, eges.slope),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", None))
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def raw_weights(W, a):
    """The weights are the numbers a themselves."""
    return a @ W / a.sum()


def not_divided(W, a):
    return a.exp() @ W


def by_softmax_of_columns(M):
    return M.softmax(0)


def unnormalised(M):
    return M


def by_in_edges(M, steps):
    return deepwalk.jumps(M.T, steps)


def softmax_without_its_mean(W, a, Z, y):
    """∂L/∂a_s = w_s W^s · g: the part that the shared denominator takes away is forgotten."""
    loss, dW, _, dZ = pair_gradients(W, a, Z, y)
    return loss, dW, (dW * W).sum(1), dZ


def weights_forgotten_on_the_way_back(W, a, Z, y):
    loss, dW, da, dZ = pair_gradients(W, a, Z, y)
    return loss, np.broadcast_to(dW.sum(0), dW.shape).copy(), da, dZ


def context_pulled_to_the_item_alone(W, a, Z, y):
    """∂L/∂Z = (σ − y) W⁰: H is taken for the item's own vector."""
    loss, dW, da, _ = pair_gradients(W, a, Z, y)
    z = weighted_mean(W, a) @ Z
    return loss, dW, da, (1 / (1 + np.exp(-z)) - y) * W[0]


def turned_sign(W, a, Z, y):
    return pair_gradients(W, a, Z, 1 - y)


@pytest.mark.parametrize(
    ("derivation", "code", "said"),
    [
        (eges.mixture, raw_weights, "value"),
        (eges.mixture, not_divided, "value"),
        (deepwalk.jump, by_softmax_of_columns, "value"),
        (deepwalk.jump, unnormalised, "value"),
        (deepwalk.two_jumps, by_in_edges, "value"),
        (eges.pair, softmax_without_its_mean, "∂/∂a"),
        (eges.pair, weights_forgotten_on_the_way_back, "∂/∂W"),
        (eges.pair, context_pulled_to_the_item_alone, "∂/∂Z"),
        (eges.pair, turned_sign, "value"),
    ],
)
def test_known_slips_are_refused(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
