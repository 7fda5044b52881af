"""Every derivation of the library holds the library's code, where code computes it, and refuses that code mutated.

Formulas that are steps of an argument have no function of their own in the library; they are held to a plain line.
"""

import math

import pytest
import test_attention_derivations
import test_autorec_derivations
import test_cf_derivations
import test_crossing_derivations
import test_dien_derivations
import test_drn_derivations
import test_embedding_deep_derivations
import test_graph_derivations
import test_item2vec_derivations
import test_lr_derivations
import test_mf_derivations
import test_neural_cf_derivations
import test_trees_derivations
import test_wide_deep_derivations
import test_word2vec_derivations
import torch
from test_all_derivations import ALL
from torch import nn

from rec_lib.derive import Disagreement
from rec_lib.embeddings import AliasTable
from rec_lib.embeddings.walks import transition_probabilities
from rec_lib.layers import FieldEmbedding, bi_interaction, fm_pairwise
from rec_lib.models import FFM, FM, FNN, NFM, POLY2, DeepFM
from rec_lib.retrieval import probability
from rec_lib.schema import Schema, Sparse


def row_update(x, g):
    """∂⟨g, Σ x_i v_i⟩/∂v_11 by autograd."""
    table = nn.Parameter(torch.ones(3, 2, dtype=torch.float64))
    (gradient,) = torch.autograd.grad((x @ table) @ g, table, create_graph=True)
    return gradient[0, 0]


def slope_of_pair(x, W, y):
    """The log loss of one sample from torch, so that the slope the formula gives is autograd's of another formula."""
    logit = sum(W[i, j] * x[i] * x[j] for i in range(3) for j in range(i + 1, 3))
    return nn.functional.binary_cross_entropy_with_logits(logit, y)


def moment_of_gaussian(s):
    return torch.exp(s**2 / 2)


def bell(z):
    return torch.special.ndtr(z)


CODE = {
    "fm-pairwise": fm_pairwise,
    "bi-interaction": bi_interaction,
    "fm": FM,
    "fm-vector-gradient": fm_pairwise,
    "fm-is-biased-mf": FM,
    "poly2-kernel": lambda x, z: (x @ z + 1) ** 2,
    "poly2": POLY2,
    "poly2-pair-gradient": slope_of_pair,
    "ffm": FFM,
    "ffm-is-fm": FFM,
    "ffm-is-wide-fm": FM,
    "ffm-by-field": lambda x, z, a, b: (x @ a) @ (z @ b),
    "fnn": FNN,
    "fnn-row-update": row_update,
    "deepfm": DeepFM,
    "deepfm-dense": DeepFM,
    "deepfm-shared-gradient": DeepFM,
    "nfm": NFM,
    "nfm-no-hidden-layer": NFM,
    "nfm-is-fm": NFM,
    "node2vec-transition": transition_probabilities,
    "node2vec-rejection": transition_probabilities,
    "alias-exact": AliasTable,
    "lsh-projection": moment_of_gaussian,
    "lsh-offset": lambda t, w: 1 - t / w,
    "lsh-at-origin": lambda c, w: bell(w / c) - 0.5,
    "lsh-collision": probability.p_stable,
    "lsh-and-or": probability.and_or,
    "lsh-or-and": probability.or_and,
    "lsh-threshold": lambda K, L: (1 / L) ** (1 / K),
}


BY_NUMBERS = {"svdpp-gradient"}  # in test_mf_derivations: its code cannot be differentiated once more


def test_every_derivation_is_held_to_code():
    """Here or in the file of its section."""
    pairs = [*test_lr_derivations.PAIRS, *test_mf_derivations.PAIRS, *test_trees_derivations.PAIRS]
    pairs += [*test_crossing_derivations.PAIRS, *test_cf_derivations.HELD.values(), *test_neural_cf_derivations.PAIRS]
    pairs += [*test_autorec_derivations.PAIRS, *test_graph_derivations.PAIRS, *test_word2vec_derivations.PAIRS]
    pairs += test_wide_deep_derivations.PAIRS
    pairs += test_attention_derivations.PAIRS
    pairs += test_dien_derivations.PAIRS
    pairs += test_drn_derivations.PAIRS
    pairs += test_embedding_deep_derivations.PAIRS
    pairs += test_item2vec_derivations.PAIRS
    assert set(CODE) | {derivation.id for derivation, _ in pairs} | BY_NUMBERS == set(ALL)


@pytest.mark.parametrize("id", CODE)
def test_code_and_formula_agree_in_value_and_gradient(id):
    ALL[id].agrees_with(CODE[id])


class DoubledFM(DeepFM):
    def forward(self, batch):
        return super().forward(batch) + fm_pairwise(self.emb(batch))


class WithoutLinear(FM):
    def forward(self, batch):
        return super().forward(batch) - self.linear(batch)


class Squashed(FNN):
    def forward(self, batch):
        return super().forward(batch).sigmoid()


def flattened(v):
    flat = v.flatten(1)
    return (flat.sum(1).square() - flat.square().sum(1)) / 2


@pytest.mark.parametrize(
    ("id", "code", "said"),
    [
        ("deepfm", DoubledFM, "2.00"),
        ("fm", WithoutLinear, "∂/∂w"),
        ("fnn", Squashed, "value: formula"),
        ("fm-pairwise", flattened, "not a"),
        ("node2vec-transition", lambda w, d, p, q: transition_probabilities(w, d, q, p), "∂/∂p"),
        ("lsh-collision", lambda r, erf, expm1: erf(r) + (2 / math.pi) ** 0.5 / r * expm1(-(r**2) / 2), "∂/∂c"),
        ("lsh-and-or", lambda p, K, L: probability.and_or(p, L, K), "value"),
    ],
)
def test_known_slips_are_refused(id, code, said):
    with pytest.raises(Disagreement, match=said):
        ALL[id].agrees_with(code)


def test_a_row_that_is_not_there_learns_nothing():
    emb = FieldEmbedding(Schema((Sparse("item", 5),)), dim=2)
    emb({"item": torch.tensor([3])}).sum().backward()
    assert emb.table.grad[3].tolist() == [1, 1]
    assert emb.table.grad[[0, 1, 2, 4]].abs().sum() == 0
