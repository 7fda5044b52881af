"""Alias tables are exact by construction, and their draws follow the law."""

import numpy as np
import pytest
from scipy.stats import chisquare

from rec_lib.embeddings.alias import AliasTable, draw_alias
from rec_lib.embeddings.splitmix import below, fresh_state, next_bits, uniform

LAWS = {
    "one outcome": np.ones(1),
    "even": np.ones(7),
    "one certain": np.eye(5)[2],
    "zeros among them": np.array([0.0, 3.0, 0.0, 1.0, 6.0]),
    "geometric": 0.5 ** np.arange(40),
    "huge weights": np.array([1e308, 1e308, 1e307]),
    "tiny weights": np.array([1e-300, 3e-300]),
    "many": np.random.default_rng(0).pareto(0.8, 5000),
}


@pytest.mark.parametrize("name", LAWS)
def test_table_holds_the_law_exactly(name):
    law = LAWS[name] / LAWS[name].max()
    table = AliasTable(LAWS[name])
    np.testing.assert_allclose(table.probabilities(), law / law.sum(), rtol=0, atol=1e-13)
    assert (table.accept >= 0).all()
    assert (table.accept <= 1).all()


def test_draws_follow_the_law_and_never_take_what_has_weight_zero():
    weights = np.array([5.0, 0.0, 1.0, 3.0, 0.5])
    table = AliasTable(weights)
    drawn = np.bincount(table.draw(100_000, np.random.default_rng(1)), minlength=5)
    assert drawn[1] == 0
    assert chisquare(drawn[weights > 0], 100_000 * (weights / weights.sum())[weights > 0]).pvalue > 1e-3


def test_compiled_draws_follow_the_law():
    weights = np.array([5.0, 1.0, 3.0, 0.5])
    table, state = AliasTable(weights), fresh_state(np.random.default_rng(2))
    drawn = np.bincount([draw_alias(table.accept, table.alias, 0, 4, state) for _ in range(40_000)], minlength=4)
    assert chisquare(drawn, 40_000 * weights / weights.sum()).pvalue > 1e-3


@pytest.mark.parametrize("weights", [[], [[1.0, 2.0]], [-1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [0.0, 0.0]], ids=repr)
def test_laws_that_are_none_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        AliasTable(np.array(weights))


def test_splitmix_gives_the_published_sequence():
    # The reference implementation's first outputs for the seed 1234567.
    state = np.array([1234567], np.uint64)
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(next_bits(state)) for _ in expected] == expected


def test_uniform_and_below_stay_in_range_and_fill_it():
    state = fresh_state(np.random.default_rng(0))
    u = np.array([uniform(state) for _ in range(20_000)])
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 0.01
    assert chisquare(np.bincount([below(state, 6) for _ in range(20_000)], minlength=6)).pvalue > 1e-3
