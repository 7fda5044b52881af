"""Where tastes drift, a linear policy that keeps learning beats the one that stops; a deep Q-network learns to be clicked."""

import pytest
from learning import SEEDS

from rec_lib.experiments import drn
from rec_lib.experiments.drn_online import regret_of, serve


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["slow", "fast", "jumps"])
def test_fresh_beats_static(name, seed):
    static, greedy = (
        regret_of(name, serve(name, policy, 0.2, 400 + seed), 400 + seed) for policy in ("static", "greedy")
    )
    assert static - greedy > 0.2


def test_deep_q_is_clicked_more_than_random_lists():
    random, dn = (drn.serve(name, 7, hours=720.0, **drn.CHOICES)["clicks_per_visit"] for name in ("random", "dn"))
    assert dn > 1.2 * random
