"""Item2vec on the shared engine: sets have no order, its steps go down the set objective, and a window over new orders too."""

from itertools import permutations

import numpy as np
import pytest
from oracles.word2vec_naive import PlainSplitMix

from rec_lib.embeddings import Corpus, Item2vec
from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.corpus import Vectors
from rec_lib.embeddings.engine import noise_law, start_vectors, train
from rec_lib.embeddings.fullbatch import cooccurrences, expected_pairs, gradient
from rec_lib.embeddings.item2vec import as_sets, basket_means, expected_visits, in_new_order, largest

BASKETS = [[3, 1, 4], [], [5], [2, 6, 5, 3], [1, 5, 1, 5], [0, 6]]


def corpus(baskets=BASKETS):
    return Corpus.from_sentences([np.array(b, dtype=np.int64) for b in baskets], 7)


def plain_counts(baskets):
    """#(a, b): in how many baskets do two different items lie together?"""
    found = np.zeros((7, 7))
    for basket in baskets:
        for a in set(basket):
            for b in set(basket) - {a}:
                found[a, b] += 1
    return found


def set_counts(baskets):
    sets = as_sets(baskets)
    return cooccurrences(sets, largest(sets) - 1, dynamic_window=False)


def test_sets_hold_each_item_once():
    sets = as_sets(corpus())
    parts = np.split(sets.tokens, sets.offsets[1:-1])
    assert [p.tolist() for p in parts] == [[1, 3, 4], [], [5], [2, 3, 5, 6], [1, 5], [0, 6]]


def test_the_pairs_of_the_engine_are_those_of_the_sets():
    np.testing.assert_array_equal(set_counts(corpus()), plain_counts(BASKETS))


@pytest.mark.parametrize("seed", range(3))
def test_order_changes_nothing_where_a_window_would(seed):
    rng = np.random.default_rng(seed)
    shuffled = corpus([list(rng.permutation(b)) for b in BASKETS])
    np.testing.assert_array_equal(set_counts(shuffled), set_counts(corpus()))
    a, b = (Item2vec(c, dim=3).fit(np.random.default_rng(1)) for c in (corpus(), shuffled))
    np.testing.assert_array_equal(a, b)
    windows = [
        cooccurrences(c, 1, dynamic_window=False) for c in (corpus(), corpus([b[::-2] + b[::2] for b in BASKETS]))
    ]
    assert (windows[0] != windows[1]).any()


def test_one_epoch_is_the_plain_loop_over_all_pairs():
    """For every centre all others of its basket, k negatives each; v moves after each pair."""
    fast = Item2vec(corpus(), dim=3, negatives=2, lr=0.2, epochs=1)
    fast.fit(np.random.default_rng(3))
    sets, rng = as_sets(corpus()), np.random.default_rng(3)
    v, u = (np.array(x, np.float64) for x in start_vectors(7, 3, rng))
    noise = AliasTable(noise_law(sets.counts))
    random = PlainSplitMix(rng.integers(0, 2**64, size=1, dtype=np.uint64)[0])
    order = rng.permutation(len(sets.offsets) - 1)
    np.testing.assert_allclose(fast.vectors, run_plain(sets, order, v, u, noise, random), atol=1e-5)


def run_plain(sets, order, v, u, noise, random):
    seen = 0
    for s in order:
        basket = sets.tokens[sets.offsets[s] : sets.offsets[s + 1]]
        rate = 0.2 * (1 - seen / len(sets.tokens))
        seen += len(basket)
        for c in basket:
            for o in basket:
                if o == c:
                    continue
                drawn = [m for m in (random.negative(noise) for _ in range(2)) if m != o]
                move = np.zeros(3)
                old = u.copy()
                for row, label in [(o, 1.0), *((m, 0.0) for m in drawn)]:
                    error = rate * (label - 1 / (1 + np.exp(-v[c] @ old[row])))
                    move += error * old[row]
                    u[row] += error * v[c]
                v[c] = v[c] + move
    return v


def test_small_steps_go_down_the_set_objective():
    """Averaged over many runs an epoch of tiny steps moves by −lr times the gradient of the expected loss of all pairs."""
    rng = np.random.default_rng(0)
    start = Vectors(rng.normal(0, 0.5, (7, 2)), rng.normal(0, 0.5, (7, 2)))
    sets, lr, runs = as_sets(corpus()), 1e-3, 2000
    # The step falls over the epoch: on average over orders a basket of K items of T meets (1 + K / T) / 2 of it.
    counts = sum(plain_counts([b]) * (1 + len(set(b)) / len(sets.tokens)) / 2 for b in BASKETS)
    slope = gradient(start, *expected_pairs(counts, noise_law(sets.counts), 5)).centre * counts.sum()
    moved = np.zeros((7, 2))
    for seed in range(runs):
        one = np.random.default_rng(seed)
        after = train(sets, 2, window=largest(sets) - 1, dynamic_window=False, lr=lr, rng=one, start=start)
        moved += (after.centre - start.centre) / runs
    np.testing.assert_allclose(moved / -lr, slope, atol=0.06 * np.abs(slope).max())


@pytest.mark.parametrize("window", [1, 2, 3, 9])
def test_a_window_over_new_orders_meets_every_pair_alike(window):
    found = np.zeros((7, 7))
    orders = list(permutations([2, 6, 5, 3]))
    for order in orders:
        found += cooccurrences(corpus([list(order)]), window, dynamic_window=False)
    pairs = found[np.ix_([2, 3, 5, 6], [2, 3, 5, 6])] / len(orders)
    np.testing.assert_allclose(pairs[~np.eye(4, dtype=bool)], expected_visits(4, window))
    assert expected_visits(1, window) == 0


def test_new_orders_are_new_and_keep_the_baskets():
    rng = np.random.default_rng(0)
    big = as_sets(corpus([list(range(7)), [2, 4, 6], []]))
    a, b = in_new_order(big, rng), in_new_order(big, rng)
    assert (a.tokens != b.tokens).any()
    for new in (a, b):
        np.testing.assert_array_equal(as_sets(new).tokens, big.tokens)
        np.testing.assert_array_equal(new.offsets, big.offsets)


def test_users_are_means_and_an_empty_basket_is_zeros():
    vectors = np.arange(14.0).reshape(7, 2)
    means = basket_means(vectors, corpus())
    np.testing.assert_allclose(means[0], vectors[[3, 1, 4]].mean(axis=0))
    np.testing.assert_allclose(means[1], 0)
    np.testing.assert_allclose(means[2], vectors[5])


def test_nearest_leaves_out_the_item_itself_and_what_no_basket_holds():
    model = Item2vec(corpus([[0, 1], [0, 1, 2], [3, 4]]), dim=4)
    model.fit(np.random.default_rng(0))
    items, cosines = model.nearest(0, 10)
    assert sorted(items.tolist()) == [1, 2, 3, 4]
    assert (np.diff(cosines) <= 0).all()
    for unknown in (5, 6, 7, -1):
        with pytest.raises(KeyError, match="in no basket"):
            model.nearest(unknown)


def test_neighbours_before_fit_are_refused():
    with pytest.raises(RuntimeError, match=r"Item2vec has no vectors yet: call fit\(rng\) first"):
        Item2vec(corpus([[0, 1], [0, 1, 2]]), dim=4).nearest(0)


@pytest.mark.parametrize("baskets", [[], [[]], [[3], [4], []], [[2, 2, 2]]])
def test_baskets_without_a_pair_are_refused(baskets):
    with pytest.raises(ValueError, match="two different items"):
        Item2vec(corpus(baskets))


def test_items_that_are_no_numbers_or_unknown_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        Corpus.from_sentences([np.array([1.0, np.nan])], 7)
    with pytest.raises(ValueError, match=r"expected 0\.\.6"):
        corpus([[1, 7]])
    with pytest.raises(ValueError, match="expected"):
        corpus([[-1, 2]])


@pytest.mark.parametrize("change", [{"window": 0}, {"share": 0}, {"subsample": -1.0}, {"lr": float("nan")}])
def test_numbers_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match="expected"):
        Item2vec(corpus(), **change)


class KeepsTheOrder(Item2vec):
    """A window over the baskets as they came."""

    def fit(self, rng):
        found = train(self.baskets, self.dim, window=2, dynamic_window=False, lr=self.lr, rng=rng)
        self.vectors, self.context = found
        return self.vectors


def test_the_order_check_kills_a_window():
    a, b = (KeepsTheOrder(c, dim=3) for c in (corpus([[0, 1, 2, 3, 4, 5, 6]]), corpus([[6, 0, 5, 1, 4, 2, 3]])))
    a.baskets, b.baskets = corpus([[0, 1, 2, 3, 4, 5, 6]]), corpus([[6, 0, 5, 1, 4, 2, 3]])
    assert (a.fit(np.random.default_rng(1)) != b.fit(np.random.default_rng(1))).any()
