"""Shops with a known law, for EGES: what follows what in a session depends on attributes, and some items are new.

    P(v → u) ∝ popularity_u · exp(S_vu)

World "shared"   S_vu = 2.5 · [same category] + 1.5 · [same brand] for every v
World "driven"   half of the items follow their category, half their brand: S = D + Dᵀ, D_vu = 3 · [same category] for a
                 category-driven v, 3 · [same brand] for a brand-driven one
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rec_lib.data.graphs import Graph, from_edges
from rec_lib.data.sides import Sides

LENGTH = 8  # items in a session
World = Literal["shared", "driven"]


@dataclass(frozen=True, eq=False)
class Shop:
    """Items, sessions and the law that made them.

    sides     category, brand and the noise attributes of the n items
    law       (n, n) P(v → u), rows add up to one
    sessions  (N, 8) item numbers; train and test are those numbers of sessions
    cold      (n,) bool: new items, whose sessions were cut out of `train`
    share     (n,) how often an item stands in a session in the long run, adds up to one
    driven_by (n,) 0: category, 1: brand; −1 in the world "shared"
    """

    sides: Sides
    law: np.ndarray = field(repr=False)
    train: tuple[np.ndarray, ...] = field(repr=False)
    test: np.ndarray = field(repr=False)
    cold: np.ndarray = field(repr=False)
    share: np.ndarray = field(repr=False)
    driven_by: np.ndarray = field(repr=False)

    def graph(self) -> Graph:
        """The transitions of the training sessions, directed; a node an item, so that cold items stand alone."""
        steps = np.concatenate([np.stack([s[:-1], s[1:]], 1) for s in self.train if len(s) > 1])
        moved = steps[steps[:, 0] != steps[:, 1]]
        return from_edges(moved, directed=True, names=[str(v) for v in range(len(self.cold))])


def shop(
    rng: np.random.Generator,
    world: World = "driven",
    items: int = 600,
    sessions: int = 4000,
    noise: int = 1,
    cold_share: float = 0.1,
) -> Shop:
    """A shop with this many items, sessions (80 % for training) and noise attributes, which say nothing.

    A session in training is cut where a cold item stands. Raises ValueError for another world or sizes out of range.
    """
    if world not in ("shared", "driven"):
        raise ValueError(f'world = {world!r}; expected "shared" or "driven"')
    if items < 50 or sessions < 10 or noise < 0 or not 0 <= cold_share < 1:
        raise ValueError(f"items = {items}, sessions = {sessions}, noise = {noise}, cold_share = {cold_share}: too few")
    counts = (12, 30) if world == "shared" else (20, 20)
    category, brand = (rng.integers(0, k, items) for k in counts)
    columns = {"category": category, "brand": brand}
    columns |= {f"noise {k + 1}" if noise > 1 else "noise": rng.integers(0, 30, items) for k in range(noise)}
    same_category, same_brand = (x[:, None] == x[None, :] for x in (category, brand))
    driven_by = rng.integers(0, 2, items) if world == "driven" else np.full(items, -1)
    if world == "shared":
        affinity = 2.5 * same_category + 1.5 * same_brand
    else:
        one_way = 3.0 * np.where(driven_by[:, None] == 0, same_category, same_brand)
        affinity = one_way + one_way.T
    popularity = np.exp(rng.normal(0, 0.7, items))
    weight = popularity * np.exp(affinity)
    np.fill_diagonal(weight, 0.0)
    law = weight / weight.sum(1, keepdims=True)
    share = popularity * weight.sum(1)  # popularity_v · weight_vu is symmetric, so the chain runs back as it runs forth
    share /= share.sum()
    cumulative = law.cumsum(1)
    walked = np.empty((sessions, LENGTH), np.int64)
    walked[:, 0] = rng.choice(items, sessions, p=share)
    for i in range(1, LENGTH):
        row = cumulative[walked[:, i - 1]]
        walked[:, i] = np.minimum((rng.random(sessions)[:, None] > row).sum(1), items - 1)
    cold = np.zeros(items, bool)
    cold[rng.choice(items, int(cold_share * items), replace=False)] = True
    split = int(0.8 * sessions)
    train = tuple(part for s in walked[:split] for part in _cut(s, cold))
    sides = Sides.of({name: [(int(x),) for x in column] for name, column in columns.items()})
    return Shop(sides, law, train, walked[split:], cold, share, driven_by)


def _cut(session: np.ndarray, cold: np.ndarray) -> list[np.ndarray]:
    """The pieces of a session between its cold items, those with two items or more."""
    pieces = np.split(session, np.flatnonzero(cold[session]))
    whole = [piece[~cold[piece]] for piece in pieces]
    return [piece for piece in whole if len(piece) > 1]
