"""A news feed that answers back: visits, candidates and clicks from a known law, for policies that learn while they serve.

`topic_feed` and `dense_feed` draw every visit beforehand, with the noise of the clicks: what one policy shows changes
nothing for the next, so policies can be compared on the same luck. In a `ReturningFeed` users remember what they got:
they come back sooner or later, and then what is shown changes what follows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit


@dataclass(frozen=True, eq=False)
class Visit:
    """One request for a list.

    time    in hours, or the number of the visit where all hours are alike; later visits have later times
    user    who came
    state   (S,) float64: what is known of user and moment
    news    (N, A) float64: what is known of each candidate, and of the user's dealings with its like
    """

    time: float
    user: int
    state: np.ndarray
    news: np.ndarray


@dataclass(frozen=True, eq=False)
class Feed:
    """T visits drawn beforehand. Clicks are p > noise, so all policies meet the same luck.

    states (T, S) · news (T, N, A) · users (T,) · p (T, N) true click probabilities · noise (T, N) uniform ·
    random (T, N) a random order of the candidates, for lists that nobody chose
    """

    states: np.ndarray
    news: np.ndarray
    users: np.ndarray
    p: np.ndarray
    noise: np.ndarray
    random: np.ndarray

    def __len__(self) -> int:
        return len(self.users)

    def visit(self, t: int) -> Visit:
        """Visit t, at time t + 1."""
        return Visit(float(t + 1), int(self.users[t]), self.states[t], self.news[t])

    def clicks(self, t: int, shown: np.ndarray) -> np.ndarray:
        """(k,) True where the user clicks."""
        return self.noise[t, shown] < self.p[t, shown]

    def best(self, k: int) -> np.ndarray:
        """(T,) expected clicks of the best list of k."""
        return np.sort(self.p, axis=1)[:, -k:].sum(axis=1)


def topic_feed(
    seed: int,
    visits: int = 3500,
    drift: float = np.inf,
    jump: int = 0,
    users: int = 4,
    topics: int = 20,
    candidates: int = 20,
) -> Feed:
    """Every user has a taste for each topic, and tastes move.

    click logit −1 + θ[user, topic], θ ~ N(0, 1.2²). State: which user, one-hot; news: which topic, one-hot.

    drift   visits after which a taste has forgotten 63 % of what it was (Ornstein-Uhlenbeck); inf: tastes stay
    jump    all tastes are drawn anew every so many visits; 0: never

    Raises ValueError for a drift that is not above 1 or a negative jump.
    """
    if not drift > 1 or jump < 0:
        raise ValueError(f"drift={drift}, jump={jump}: expected drift > 1 (inf for none) and jump ≥ 0 (0 for none).")
    rng = np.random.default_rng(seed)
    theta = _paths(rng, visits, (users, topics), 1.2, drift, jump)
    who = rng.integers(users, size=visits)
    topic = rng.integers(topics, size=(visits, candidates))
    p = expit(-1 + np.take_along_axis(theta[np.arange(visits), who], topic, axis=1))
    return _feed(np.eye(users)[who], np.eye(topics)[topic], who, p, rng)


def dense_feed(seed: int, visits: int = 3500, drift: float = 500.0, d: int = 20, candidates: int = 20) -> Feed:
    """One user whose taste is a moving vector: click logit −1 + ⟨θ, x⟩, x ~ N(0, I_d), θ ~ N(0, (1.2²·4/d) I).

    State: the constant 1; news: x.
    """
    rng = np.random.default_rng(seed)
    theta = _paths(rng, visits, (d,), 2.4 / np.sqrt(d), drift, 0)
    x = rng.normal(size=(visits, candidates, d))
    p = expit(-1 + np.einsum("tnd,td->tn", x, theta))
    return _feed(np.ones((visits, 1)), x, np.zeros(visits, dtype=np.int64), p, rng)


def _paths(
    rng: np.random.Generator, visits: int, shape: tuple[int, ...], sd: float, drift: float, jump: int
) -> np.ndarray:
    """(T, …) stationary paths of standard deviation sd."""
    keep = np.exp(-1 / drift)
    path = np.empty((visits, *shape))
    now = rng.normal(0, sd, shape)
    for t in range(visits):
        if jump and t and t % jump == 0:
            now = rng.normal(0, sd, shape)
        path[t] = now
        if keep < 1:
            now = keep * now + np.sqrt(1 - keep**2) * rng.normal(0, sd, shape)
    return path


def _feed(states: np.ndarray, news: np.ndarray, users: np.ndarray, p: np.ndarray, rng: np.random.Generator) -> Feed:
    noise, order = rng.random(p.shape), rng.random(p.shape).argsort(axis=1)
    return Feed(states, news, users, p, noise, order)


class ReturningFeed:
    """Users who come back sooner when they read something worth it, and later after click-bait.

    A user has a taste for each topic (moving, with a time constant of `drift` hours) and a satisfaction s in [0, 1].
    Half of the candidates are bait: click logit −1.5 + θ[user, topic] + 1.2·bait. After a list of k with a share
    g of good clicks and b of clicks on bait, s ← ½ s + ½·(1 + g − b)/2; the user then comes back after an exponential
    time of rate 1/48 + s·(1/6 − 1/48) per hour: every two days when disgusted, four times a day when delighted.

    State (topics + 2): share of the user's last clicks by topic, hours away (÷ 24, at most 4), 1.
    News (topics + 2): topic, one-hot; bait; that share of clicks at the candidate's topic.

    Iterating gives visits up to `hours`; each has to be answered by `answer` before the next is asked for.

    Raises ValueError for sizes below 1, RuntimeError when a visit is not answered or is answered twice.
    """

    def __init__(
        self,
        seed: int,
        hours: float = 1440.0,
        users: int = 50,
        topics: int = 8,
        candidates: int = 15,
        drift: float = 500.0,
    ):
        if min(hours, users, topics, candidates) < 1:
            raise ValueError(f"hours={hours}, users={users}, topics={topics}, candidates={candidates}: expected ≥ 1.")
        self.hours, self.users, self.topics, self.candidates, self.drift = hours, users, topics, candidates, drift
        # one stream a user, so that a policy that brings one user back sooner does not change another's luck
        self._streams = [np.random.default_rng([seed, user]) for user in range(users)]
        self._theta = np.stack([rng.normal(0, 1.2, topics) for rng in self._streams])  # (users, topics)
        self._satisfied = np.full(users, 0.5)
        self._clicked = np.zeros((users, topics))
        self._last = np.zeros(users)
        self._due = [(self._away(user), user) for user in range(users)]
        heapq.heapify(self._due)
        self._open: tuple[Visit, np.ndarray] | None = None

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers in a state and in a candidate: S, A."""
        return self.topics + 2, self.topics + 2

    @property
    def satisfaction(self) -> float:
        """Mean over the users, now."""
        return float(self._satisfied.mean())

    def _away(self, user: int) -> float:
        rate = 1 / 48 + self._satisfied[user] * (1 / 6 - 1 / 48)
        return float(self._streams[user].exponential(1 / rate))

    def __iter__(self) -> Iterator[Visit]:
        while self._due and self._due[0][0] <= self.hours:
            if self._open is not None:
                raise RuntimeError("the last visit was not answered: call answer(shown) before the next one")
            time, user = heapq.heappop(self._due)
            rng, away = self._streams[user], time - self._last[user]
            keep = np.exp(-away / self.drift)
            self._theta[user] = keep * self._theta[user] + np.sqrt(1 - keep**2) * rng.normal(0, 1.2, self.topics)
            topic, bait = rng.integers(self.topics, size=self.candidates), rng.integers(2, size=self.candidates)
            share = self._clicked[user] / max(1.0, self._clicked[user].sum())
            state = np.concatenate([share, [min(away / 24, 4.0), 1.0]])
            news = np.column_stack([np.eye(self.topics)[topic], bait, share[topic]])
            self._last[user] = time
            visit = Visit(time, user, state, news)
            self._open = (visit, expit(-1.5 + self._theta[user][topic] + 1.2 * bait))
            yield visit

    def answer(self, shown: np.ndarray) -> np.ndarray:
        """(k,) clicks on the shown candidates; the user's satisfaction and next visit follow from them."""
        if self._open is None:
            raise RuntimeError("there is no visit to answer: ask for the next one first")
        (visit, p), self._open = self._open, None
        user, rng = visit.user, self._streams[visit.user]
        clicks = rng.random(self.candidates)[shown] < p[shown]
        topic, bait = visit.news[shown, : self.topics].argmax(axis=1), visit.news[shown, self.topics] > 0
        good, bad = (clicks & ~bait).mean(), (clicks & bait).mean()
        self._satisfied[user] += ((1 + good - bad) / 2 - self._satisfied[user]) / 2
        self._clicked[user] *= 0.9
        np.add.at(self._clicked[user], topic[clicks], 1.0)
        heapq.heappush(self._due, (visit.time + self._away(user), user))
        return clicks

    @property
    def probabilities(self) -> np.ndarray:
        """(N,) true click probabilities of the open visit's candidates: for an oracle, not for a policy."""
        if self._open is None:
            raise RuntimeError("there is no open visit")
        return self._open[1]
