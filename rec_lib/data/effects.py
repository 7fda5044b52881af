"""What a law can be made of: each effect adds one number to a row's logit.

A law's columns are arrays of values counted from 0 (a Table's ids are two higher): `(n,)` for a field, `(n, T)` for
"history", whose empty places hold −1. An effect is called with them and returns `(n,)` float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Columns = dict[str, np.ndarray]
Effect = Callable[[Columns], np.ndarray]


@dataclass(frozen=True, eq=False)
class Main:
    """Σ_f w_f[x_f]: each value counts for itself. What logistic regression can say."""

    weights: dict[str, np.ndarray]  # field -> (values,)

    def __call__(self, x: Columns) -> np.ndarray:
        return np.sum([w[x[field]] for field, w in self.weights.items()], axis=0)


@dataclass(frozen=True, eq=False)
class Pairwise:
    """scale · Σ_{f<g} ⟨v_f, v_g⟩ over the fields given. What a factorization machine can say."""

    vectors: dict[str, np.ndarray]  # field -> (values, k)
    scale: float

    def __call__(self, x: Columns) -> np.ndarray:
        return self.scale * bi_interaction(self.vectors, x).sum(axis=1)


@dataclass(frozen=True, eq=False)
class FieldAware:
    """scale · Σ_{f<g} ⟨V[f, g][x_f], V[g, f][x_g]⟩: a value has one vector for each partner field. What FFM can say."""

    vectors: dict[tuple[str, str], np.ndarray]  # (field, partner) -> (values, k)
    scale: float

    def __call__(self, x: Columns) -> np.ndarray:
        pairs = [(f, g) for f, g in self.vectors if f < g]
        return self.scale * np.sum(
            [np.einsum("nk,nk->n", self.vectors[f, g][x[f]], self.vectors[g, f][x[g]]) for f, g in pairs], axis=0
        )


@dataclass(frozen=True, eq=False)
class Product:
    """strength · Π_f a_f[x_f]: of order three with three fields, and no sum of pairs says it."""

    values: dict[str, np.ndarray]  # field -> (values,)
    strength: float

    def __call__(self, x: Columns) -> np.ndarray:
        return self.strength * np.prod([a[x[field]] for field, a in self.values.items()], axis=0)


@dataclass(frozen=True, eq=False)
class Memorised:
    """± strength on listed pairs of two fields, 0 elsewhere: exceptions without a rule, to be learned by heart.

    keys  (pairs,) int64, ascending: first value · size of the second field + second value    signs  (pairs,) ± 1
    """

    fields: tuple[str, str]
    size: int
    keys: np.ndarray
    signs: np.ndarray
    strength: float

    def __call__(self, x: Columns) -> np.ndarray:
        wanted = x[self.fields[0]] * self.size + x[self.fields[1]]
        place = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.strength * self.signs[place], 0.0)


@dataclass(frozen=True, eq=False)
class BiInteraction:
    """scale · (Σ_d |bi_d| − shift), bi the bi-interaction vector over √pairs. What NFM's hidden layer can say."""

    vectors: dict[str, np.ndarray]  # field -> (values, k)
    scale: float
    shift: float

    def __call__(self, x: Columns) -> np.ndarray:
        n = len(self.vectors)
        bi = bi_interaction(self.vectors, x) / np.sqrt(n * (n - 1) / 2)
        return self.scale * (np.abs(bi).sum(axis=1) - self.shift)


@dataclass(frozen=True, eq=False)
class Activation:
    """strength · what the history has in common with the candidate: how many items of its category ("count"), which
    share of the history ("share"), or whether there is any ("any"). What attention over a history is for.
    """

    category: np.ndarray  # (items,) of each item
    strength: float
    form: str = "count"

    def __call__(self, x: Columns) -> np.ndarray:
        real = x["history"] >= 0
        same = real & (self.category[x["history"]] == self.category[x["item"]][:, None])
        count = same.sum(axis=1).astype(float)
        if self.form == "any":
            count = (count > 0).astype(float)
        elif self.form == "share":
            count = count / np.maximum(real.sum(axis=1), 1)
        return self.strength * count


@dataclass(frozen=True, eq=False)
class Threads:
    """high where the candidate is the stage after the last one that the history shows in its category, low elsewhere.

    Item = category · stages + stage; stages run in a ring. The order of the history decides, not its multiset; a
    category that the history does not show has no next stage.
    """

    stages: int
    high: float
    low: float

    def __call__(self, x: Columns) -> np.ndarray:
        history, item = x["history"], x["item"]
        same = (history >= 0) & (history // self.stages == (item // self.stages)[:, None])
        last = history.shape[1] - 1 - np.argmax(same[:, ::-1], axis=1)
        stage = history[np.arange(len(item)), last] % self.stages
        return np.where(same.any(axis=1) & (item % self.stages == (stage + 1) % self.stages), self.high, self.low)


@dataclass(frozen=True, eq=False)
class Drift:
    """scale · ⟨a_u(t) − a_u(0), b_i⟩: what turns when a user's taste a_u(t) = cos(ωt) a_u + sin(ωt) a'_u does, t in
    [0, 1).

    It is 0 at t = 0 and adds to the Pairwise effect of the vectors `start` and `items`; ω is `angle`, in radians.
    """

    start: np.ndarray  # (users, k)
    end: np.ndarray  # (users, k)
    items: np.ndarray  # (items, k)
    angle: float
    scale: float

    def __call__(self, x: Columns) -> np.ndarray:
        turn = (self.angle * x["time"])[:, None]
        moved = (np.cos(turn) - 1) * self.start[x["user"]] + np.sin(turn) * self.end[x["user"]]
        return self.scale * np.einsum("nk,nk->n", moved, self.items[x["item"]])


def bi_interaction(vectors: dict[str, np.ndarray], x: Columns) -> np.ndarray:
    """(n, k): Σ_{f<g} v_f ⊙ v_g = ½ [(Σ v)² − Σ v²] (Rendle, ICDM 2010, lemma 3.1)."""
    rows = [v[x[field]] for field, v in vectors.items()]
    total = np.sum(rows, axis=0)
    return 0.5 * (total**2 - np.sum([row**2 for row in rows], axis=0))
