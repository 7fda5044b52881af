"""EGES: the compiled mixture against a plain loop, autograd and the paper's formula; its three systems; cold items."""

import numpy as np
import pytest
import torch

from rec_lib.data.graphs import from_edges
from rec_lib.data.sides import Sides
from rec_lib.embeddings import EGES, AliasTable, Corpus, DeepWalk
from rec_lib.embeddings.engine import noise_law
from rec_lib.embeddings.mixture import pair_gradients, slots, train_epoch
from rec_lib.embeddings.splitmix import fresh_state

MASK = 2**64 - 1
SIDES = Sides.of(
    {
        "genre": [("war", "drama"), ("drama",), (), ("comedy",), ("comedy", "war", "drama"), ("drama",)],
        "year": [(1990,), (1991,), (1990,), (), (1991,), (1990,)],
    }
)


def ring(n=6):
    return from_edges([(v, (v + 1) % n) for v in range(n)])


class Dice:
    """The generator of the compiled code, in Python integers."""

    def __init__(self, state):
        self.state = int(state[0])

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return ((self.bits() >> 32) * n) >> 32

    def draw(self, table):
        column = self.below(table.n)
        return column if (self.bits() >> 11) / 2**53 < table.accept[column] else int(table.alias[column])


def plain_epoch(sentences, own, side, a, Z, sides, window, negatives, noise, lr_start, lr_end, weight_step, dice):
    """The paper's algorithm, one pair after the other: dictionaries and the quotient of sums as eq. 9 prints it."""
    total, seen = sum(map(len, sentences)), 0
    for sentence in sentences:
        lr = lr_start + (lr_end - lr_start) * seen / total
        seen += len(sentence)
        for i, v in enumerate(sentence):
            reach = 1 + dice.below(window)
            for j in range(max(0, i - reach), min(len(sentence), i + reach + 1)):
                if j == i:
                    continue
                values = {0: own[v]} | {
                    s + 1: side[sides.cell(v, s)].mean(0) for s in range(2) if len(sides.cell(v, s))
                }
                e = {s: np.exp(a[v, s]) for s in values}
                H = sum(e[s] * W for s, W in values.items()) / sum(e.values())
                down = np.zeros_like(H)  # −∂L/∂H
                for m in range(negatives + 1):
                    u = sentence[j]
                    if m > 0 and (u := dice.draw(noise)) == sentence[j]:
                        continue
                    error = (m == 0) - 1 / (1 + np.exp(-H @ Z[u]))
                    down += error * Z[u]
                    Z[u] += lr * error * H
                numerator = sum(e[s] * W for s, W in values.items())
                for s, W in values.items():  # all gradients at the values from before the step
                    quotient = e[s] * (W * sum(e.values()) - numerator) / sum(e.values()) ** 2
                    a[v, s] += lr * weight_step * (down @ quotient)
                own[v] += lr * e[0] / sum(e.values()) * down
                for s in set(values) - {0}:
                    rows = sides.cell(v, s - 1)
                    side[rows] += lr * e[s] / sum(e.values()) / len(rows) * down


@pytest.mark.parametrize("weight_step", [0.0, 1.0, 5.0])
def test_compiled_epoch_equals_the_plain_loop(weight_step):
    rng = np.random.default_rng(0)
    sentences = [rng.integers(0, 6, k) for k in (7, 1, 4, 9)]
    corpus = Corpus.from_sentences(sentences, 6)
    W, Z, a = rng.normal(0, 0.5, (6 + SIDES.size, 3)), rng.normal(0, 0.5, (6, 3)), rng.normal(0, 0.5, (6, 3))
    own, side, plain_a, plain_z = W[:6].copy(), W[6:].copy(), a.copy(), Z.copy()
    noise, state = AliasTable(noise_law(corpus.counts)), fresh_state(np.random.default_rng(4))
    plain_epoch(sentences, own, side, plain_a, plain_z, SIDES, 2, 2, noise, 0.2, 0.1, weight_step, Dice(state))
    train_epoch(
        *(corpus.tokens, corpus.offsets, np.arange(4), W, a, Z, *slots(6, SIDES), 2, 2),
        *(noise.accept, noise.alias, 0.2, 0.1, weight_step, state),
    )
    for got, expected in ((W[:6], own), (W[6:], side), (a, plain_a), (Z, plain_z)):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_gradients_of_a_pair_equal_autograd(y):
    rng = np.random.default_rng(1)
    W, a, Z = (torch.tensor(rng.normal(size=shape), requires_grad=True) for shape in ((4, 3), 4, 3))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(a.softmax(0) @ W @ Z, torch.tensor(y).double())
    loss.backward()
    got = pair_gradients(*(x.detach().numpy() for x in (W, a, Z)), y)
    np.testing.assert_allclose(got[0], loss.item(), atol=1e-12)
    for mine, theirs in zip(got[1:], (W, a, Z), strict=True):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), atol=1e-12)


def test_without_attributes_it_is_deepwalk():
    # Without negatives, which the engine draws in another order, the two take the same steps.
    graph, options = ring(), {"dim": 4, "num_walks": 5, "length": 8, "window": 2, "negatives": 0, "lr": 0.3}
    bge, deepwalk = EGES(graph, **options), DeepWalk(graph, **options)
    expected = deepwalk.fit(np.random.default_rng(0))
    np.testing.assert_allclose(bge.fit(np.random.default_rng(0)), expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(bge.walks, deepwalk.walks)


def test_ges_keeps_the_weights_equal_over_what_is_there():
    model = EGES(ring(), SIDES, weight_step=0.0, dim=4)
    model.fit(np.random.default_rng(0))
    np.testing.assert_allclose(model.weights[:, 0], 1 / (1 + SIDES.present.sum(1)))
    np.testing.assert_allclose(model.weights[:, 1:], SIDES.present * model.weights[:, :1])


def test_vectors_are_the_weighted_means():
    model = EGES(ring(), SIDES, weight_step=10.0, dim=4)
    model.fit(np.random.default_rng(0))
    np.testing.assert_allclose(model.weights.sum(1), 1)
    assert (model.weights[:, 1:] > 0).tolist() == SIDES.present.tolist()
    for v in range(6):
        parts = [model.W[v]] + [model.W[6 + SIDES.cell(v, s)].mean(0) for s in range(2) if SIDES.present[v, s]]
        weights = model.weights[v][model.weights[v] > 0]
        np.testing.assert_allclose(model.vectors[v], weights @ np.stack(parts), atol=1e-6)


def test_a_node_without_edges_is_cold_and_lives_on_its_attributes():
    graph = from_edges([(0, 1), (1, 2), (2, 0)], names="abcdef")
    model = EGES(graph, SIDES, dim=4)
    model.fit(np.random.default_rng(0))
    assert model.cold.tolist() == [False] * 3 + [True] * 3
    assert not np.isin(model.walks, [3, 4, 5]).any()
    year = {value: 6 + row for row, (_, value) in enumerate(SIDES.values)}
    np.testing.assert_allclose(model.vectors[5], (model.W[year["drama"]] + model.W[year[1990]]) / 2, atol=1e-6)
    # no warm film is a comedy, so film 3, a comedy of an unknown year, keeps its random start; as a new film it has zeros
    np.testing.assert_array_equal(model.vectors[3], model.W[3])
    np.testing.assert_array_equal(model.embed(SIDES)[3], 0)
    drama, war = model.W[year["drama"]], model.W[year["war"]]
    np.testing.assert_allclose(
        model.embed(SIDES, np.array([3.0, 1.0]))[4], (1.5 * (drama + war) + model.W[year[1991]]) / 4, atol=1e-6
    )
    assert (model.weights[3:] == 0).all()
    assert np.array_equal(model.context[3:], np.zeros((3, 4)))


def test_directed_graph_with_a_sink_and_a_self_loop():
    graph = from_edges([(0, 1), (1, 1), (1, 2), (2, 0), (2, 3)], directed=True, names="abcdef")
    vectors = EGES(graph, SIDES, dim=3).fit(np.random.default_rng(0))
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sides": Sides.of({"x": [(1,)]})}, "attributes of 1 items for 6 nodes"),
        ({"weight_step": -1.0}, "expected 0"),
        ({"weight_step": np.nan}, "expected 0"),
        ({"num_walks": 0}, "expected at least 1"),
        ({"window": 0}, "expected at least 1"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        EGES(ring(), **settings)


def test_a_graph_without_edges_and_other_attributes_are_refused():
    with pytest.raises(ValueError, match="none of the 3 nodes has an edge"):
        EGES(from_edges([], names="abc")).fit(np.random.default_rng(0))
    model = EGES(ring(), SIDES, dim=3)
    model.fit(np.random.default_rng(0))
    with pytest.raises(ValueError, match="not the attributes that fit was given"):
        model.embed(Sides.of({"genre": [("war",)]}))


def test_large_weights_do_not_overflow():
    a = np.array([800.0, 0.0, -800.0])
    loss, *gradients = pair_gradients(np.eye(3), a, np.ones(3), 1.0)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in gradients)
