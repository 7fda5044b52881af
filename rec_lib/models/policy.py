"""What every policy shares: select a list for a visit, update from the clicks on it, clocks that say when to learn."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from rec_lib.data.news import Visit


class Clock:
    """Strikes when a visit's time reaches the next multiple of `period`; a period of inf never strikes."""

    def __init__(self, period: float):
        if not period > 0:
            raise ValueError(
                f"period is {period}; expected a time above 0, in the unit of the visits, or inf for never"
            )
        self.period = self.next = float(period)

    def strikes(self, time: float) -> bool:
        """Whether a multiple was reached since the last strike. However many were passed, it is one strike."""
        if time < self.next:
            return False
        self.next = (time // self.period + 1) * self.period
        return True


class Policy(ABC):
    """Chooses k of a visit's candidates, and learns from what is clicked.

    Args:
        k: places in a list.

    Raises:
        ValueError: k below 1.
    """

    def __init__(self, k: int):
        if k < 1:
            raise ValueError(f"k is {k}; expected at least one place in the list")
        self.k = k
        self._now = -np.inf

    @abstractmethod
    def score(self, visit: Visit) -> np.ndarray:
        """(N,) how much is expected of each candidate; higher is better."""

    @abstractmethod
    def _choose(self, visit: Visit) -> np.ndarray:
        """(k,) rows of visit.news, best first."""

    @abstractmethod
    def _learn(self, visit: Visit, shown: np.ndarray, clicks: np.ndarray) -> None:
        """Take note of one answered visit, and learn if a clock strikes."""

    def select(self, visit: Visit) -> np.ndarray:
        """The list for a visit: (k,) rows of visit.news, best place first.

        Raises:
            ValueError: fewer candidates than places.
        """
        if len(visit.news) < self.k:
            raise ValueError(f"{len(visit.news)} candidates for {self.k} places; offer more candidates or lower k")
        return self._choose(visit)

    def update(self, visit: Visit, shown: np.ndarray, clicks: np.ndarray) -> None:
        """Learn from an answered visit, whoever chose its list. Visits come in the order of time, each once.

        Args:
            shown: (k,) rows of visit.news, in their places.
            clicks: (k,) True where the user clicked.

        Raises:
            ValueError: a visit not later than the last one, a list with a candidate twice or outside the visit, or clicks
                of another length.
        """
        shown, clicks = np.asarray(shown), np.asarray(clicks).astype(bool)
        if not visit.time > self._now:
            raise ValueError(
                f"the visit at {visit.time:g} comes after one at {self._now:g}; update in order, each visit once"
            )
        if len(set(shown.tolist())) < len(shown) or not ((shown >= 0) & (shown < len(visit.news))).all():
            raise ValueError(f"shown is {shown}; expected different rows of the visit's {len(visit.news)} candidates")
        if clicks.shape != shown.shape:
            raise ValueError(f"{clicks.shape} clicks for a list of {shown.shape}; expected one answer a place")
        self._now = visit.time
        self._learn(visit, shown, clicks)
