"""Popularity: what most people take, for everybody.

Paper    folklore; the reference line of He et al., "Neural Collaborative Filtering", WWW 2017, arXiv:1708.05031 (ItemPop)
Section  2.2 协同过滤——经典的推荐算法
Idea     score(u, p) = |{v : R_vp > 0}| / m
Differs  a share of the users instead of a count, so that it reads the same for every data set
Symbols  m users with an interaction · R_vp interaction of user v and item p
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.models.topn import TopN


class Popularity(TopN):
    """The same ranking for everybody, minus what each user has seen."""

    personal: ClassVar[bool] = False

    def _fit(self, seen: csr_matrix) -> None:
        """Nothing to learn: every top-n model counts the popularity for the users it does not know."""

    def _score(self, users: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.popularity, (len(users), len(self.popularity)))

    def _arrays(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing beside the counts."""
