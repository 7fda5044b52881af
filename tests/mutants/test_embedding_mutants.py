"""Real bugs of word2vec programs: the contract kills what a class can get wrong, the plain loop what a formula can."""

import numpy as np
import pytest
import torch
from contract.embedding_checks import CHECKS
from oracles import word2vec_naive
from torch.nn.functional import logsigmoid

from rec_lib.embeddings import Corpus, HuffmanTree, Vectors, Word2vec, train
from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.engine import noise_law


class Double(Word2vec):
    def fit(self, rng):
        self.vectors = super().fit(rng).astype(np.float64)
        return self.vectors


class SeedsTheGlobalGenerator(Word2vec):
    def fit(self, rng):
        torch.manual_seed(int(rng.integers(1000)))
        return super().fit(rng)


class DrawsFromTheGlobalGenerator(Word2vec):
    def fit(self, rng):
        return super().fit(np.random.default_rng())


class GoesOnWhereItStopped(Word2vec):
    def fit(self, rng):
        old = getattr(self, "vectors", 0)
        self.vectors = super().fit(rng) + old
        return self.vectors


class OneTableForAll(Word2vec):
    table = np.zeros((20, 4), np.float32)

    def fit(self, rng):
        found = super().fit(rng)
        if found.shape == self.table.shape:
            self.table[:] = found
            self.vectors = self.table
        return self.vectors


class IgnoresWindow(Word2vec):
    def fit(self, rng):
        self.window = 2
        return super().fit(rng)


class NeverTrains(Word2vec):
    def fit(self, rng):
        self.vectors = rng.normal(size=(len(self.text.words), self.dim)).astype(np.float32)
        return self.vectors


class AcceptsAnything(Word2vec):
    def __init__(self, text, dim=100, window=5, negatives=5, lr=0.025, epochs=5):
        super().__init__(text, max(dim, 1), window=max(window, 1), negatives=max(negatives, 0))


MUTANTS = {
    Double: "vectors_are_rows_of_float32",
    SeedsTheGlobalGenerator: "no_global_random_state",
    DrawsFromTheGlobalGenerator: "same_generator_same_vectors",
    GoesOnWhereItStopped: "fitting_again_starts_anew",
    OneTableForAll: "two_models_share_no_storage",
    IgnoresWindow: "every_option_changes_the_vectors",
    NeverTrains: "planted_communities_are_recovered",
    AcceptsAnything: "bad_numbers_are_refused",
}


@pytest.mark.parametrize(("mutant", "check"), MUTANTS.items(), ids=lambda x: getattr(x, "__name__", x))
def test_contract_kills(mutant, check):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        CHECKS[check](mutant)


def swallowed_bracket(h, u, contexts, drawn):
    """−log σ( ⟨u_o, h⟩ − Σ log σ(−⟨u_m, h⟩) ): the bracket closes too late."""
    return -sum(logsigmoid(u[o] @ h - sum(logsigmoid(-(u[m] @ h)) for m in drawn if m != o)) for o in contexts)


def negatives_hit_the_context(h, u, contexts, drawn):
    return -sum(logsigmoid(u[o] @ h) + sum(logsigmoid(-(u[m] @ h)) for m in drawn) for o in contexts)


def shared_once(h, u, contexts, drawn):
    """A draw that several contexts share counts once."""
    positive = -sum(logsigmoid(u[o] @ h) for o in contexts)
    return positive - sum(logsigmoid(-(u[m] @ h)) for m in drawn if m not in contexts)


def sign_of_the_first_branch_lost(h, u, path):
    return sum((-logsigmoid(u[int(n)] @ h) for n in path[0]), 0 * h.sum())


def probabilities_squashed_twice(h, u, o):
    return -torch.log_softmax(torch.softmax(u @ h, 0), 0)[o]


def agree(monkeypatch, name, formula, form, power=0.75):
    """Does the engine take the steps of this formula?"""
    if name:
        monkeypatch.setattr(word2vec_naive, name, formula)
    rng = np.random.default_rng(0)
    sentences = [rng.choice(7, size=8) for _ in range(6)]
    corpus = Corpus.from_sentences(sentences, 7)
    rows = 6 if form["output"] == "hierarchical" else 7
    start = Vectors(rng.normal(0, 0.4, (7, 3)), rng.normal(0, 0.4, (rows, 3)))
    cbow, share = form.get("cbow", False), form.get("share", 1)
    architecture = "cbow" if cbow else "skip-gram"
    fast = train(
        *(corpus, 3),
        architecture=architecture,
        output=form["output"],
        share=share,
        window=3,
        lr=0.1,
        start=start,
        rng=np.random.default_rng(1),
    )
    plain = word2vec_naive.plain_word2vec(
        *(sentences, start),
        cbow=cbow,
        output=form["output"],
        window=3,
        dynamic=True,
        draws=5,
        share=share,
        noise=AliasTable(noise_law(corpus.counts, power)),
        tree=HuffmanTree(corpus.counts),
        keep=np.ones(7),
        lr=0.1,
        epochs=1,
        rng=np.random.default_rng(1),
    )
    return np.abs(fast.centre - plain[0]).max() < 1e-11 and np.abs(fast.context - plain[1]).max() < 1e-11


FORMULAS = [
    ("negative_sampling", swallowed_bracket, {"output": "negative"}),
    ("negative_sampling", negatives_hit_the_context, {"output": "negative"}),
    ("negative_sampling", shared_once, {"output": "negative", "share": 3}),
    ("hierarchical", sign_of_the_first_branch_lost, {"output": "hierarchical"}),
    ("full_softmax", probabilities_squashed_twice, {"output": "softmax"}),
]


@pytest.mark.parametrize(("name", "formula", "form"), FORMULAS, ids=lambda x: getattr(x, "__name__", ""))
def test_the_plain_loop_kills_a_wrong_formula(monkeypatch, name, formula, form):
    assert agree(monkeypatch, "", None, form)
    assert not agree(monkeypatch, name, formula, form)


def test_the_plain_loop_kills_a_wrong_noise_law(monkeypatch):
    assert not agree(monkeypatch, "", None, {"output": "negative"}, power=1.0)


def test_the_plain_loop_kills_a_slope_that_forgets_the_mean(monkeypatch):
    """CBOW as the word2vec program has it: forward a mean, backward a sum."""
    assert agree(monkeypatch, "", None, {"output": "negative", "cbow": True})
    stack = torch.stack

    class Summed:
        def __init__(self, rows):
            self.rows = rows

        def mean(self, axis):
            total = self.rows.sum(axis)
            return total + (self.rows.detach().mean(axis) - total.detach())

    monkeypatch.setattr(word2vec_naive.torch, "stack", lambda rows: Summed(stack(rows)))
    assert not agree(monkeypatch, "", None, {"output": "negative", "cbow": True})
