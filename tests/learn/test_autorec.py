"""I-AutoRec reads yes-or-no traits off few noisy ratings better than MF fits them, and better than without its sigmoid."""

import pytest
from learning import SEEDS

from rec_lib.data.traits import traits
from rec_lib.experiments.autorec import PRICES, in_world
from rec_lib.experiments.mf import world_error


@pytest.mark.parametrize("seed", SEEDS)
def test_yes_or_no_traits_beat_mf(seed):
    world = traits(seed)
    error = {name: world_error(in_world(name, world, seed, prices), world) for name, prices in PRICES.items()}
    assert error["mf"] - error["autorec"] > 0.02
    assert error["linear"] - error["autorec"] > 0.02
