"""How well does a model rank the one item held out for each user: among 99 others (sampled), or among all (full).

Sampled metrics can order models differently from the full ranking (Krichene and Rendle, KDD 2020): look at both.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rec_lib.data.interactions import Interactions

Protocol = Literal["sampled", "full"]


class Scorer(typing.Protocol):
    """Whatever scores all items for users: every top-n model."""

    def score(self, users: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Ranked:
    """One held-out item a user, U users.

    hits    (U,) is it among the first k? 1 or 0, between them where equal scores leave it open
    gains   (U,) NDCG@k of the user: 1/log2(place + 1), 0 beyond place k
    places  (U,) expected place, 1 is the top
    """

    hits: np.ndarray
    gains: np.ndarray
    places: np.ndarray

    @property
    def hit_rate(self) -> float:
        """HR@k, the mean over users."""
        return float(self.hits.mean())

    @property
    def ndcg(self) -> float:
        """NDCG@k, the mean over users."""
        return float(self.gains.mean())


def rank_held_out(
    model: Scorer,
    data: Interactions,
    k: int = 10,
    protocol: Protocol = "full",
    block: int = 512,
) -> Ranked:
    """Where the model puts each user's held-out item.

    protocol  "sampled": among it and the user's negatives (He et al., "Neural Collaborative Filtering", 1 + 99);
              "full": among all real items that the user has not in training
    block     users scored at a time; changes no number

    Equal scores count as if they stood in a random order, exactly: their gain is the mean over all orders (McSherry
    and Najork, ECIR 2008). A model that scores everything alike is thus worth chance, no more.

    Raises ValueError for k < 1, an unknown protocol, no user to test, and a score of NaN: it is neither above nor below
    another, so a held-out item with that score would stand on top.
    """
    if k < 1 or not len(data.users):
        raise ValueError(f"k={k}, {len(data.users)} users to test: expected at least 1 of each.")
    if protocol not in ("sampled", "full"):
        raise ValueError(f"protocol {protocol!r}; expected 'sampled' or 'full'.")
    above, equal = np.empty(len(data.users), dtype=np.int64), np.empty(len(data.users), dtype=np.int64)
    for start in range(0, len(data.users), block):
        rows = slice(start, start + block)
        scores = model.score(data.users[rows])  # (b, items)
        if np.isnan(scores).any():
            raise ValueError("the model gave a score of NaN; expected numbers. Nothing can be ranked by it.")
        own = np.take_along_axis(scores, data.held_out[rows, None], axis=1)
        if protocol == "sampled":
            others = np.take_along_axis(scores, data.negatives[rows], axis=1)
            rival = np.ones(others.shape, dtype=bool)
        else:
            others, rival = scores, data.rankable(data.users[rows])
            np.put_along_axis(rival, data.held_out[rows, None], False, axis=1)
        above[rows] = ((others > own) & rival).sum(axis=1)
        equal[rows] = ((others == own) & rival).sum(axis=1)
    gain = np.zeros(int((above + equal).max()) + 2)  # gain[p] = Σ of the gains of places 1 … p
    gain[1 : k + 1] = 1 / np.log2(np.arange(2, len(gain[: k + 1]) + 1))
    gain = gain.cumsum()
    hits = np.clip((k - above) / (equal + 1), 0, 1)
    return Ranked(hits, (gain[above + equal + 1] - gain[above]) / (equal + 1), above + 1 + equal / 2)
