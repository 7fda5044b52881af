"""Named worlds: one law each, made so that one idea pays. Every world comes as train, valid and test tables with the
true probability in the extra column "p", and with the best possible scores in `bayes`.

A seed draws the law and the rows; another seed is another law of the same kind. Fields are drawn evenly unless a
docstring says otherwise. Sizes: 40 000 / 10 000 / 20 000 rows unless it says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch

from rec_lib.data.bayes import bayes_auc, bayes_log_loss
from rec_lib.data.effects import (
    Activation,
    BiInteraction,
    Columns,
    Effect,
    FieldAware,
    Main,
    Pairwise,
    Product,
    Threads,
)
from rec_lib.data.simulator import Draw, Law, exceptions, planted, simulate, skewed_signs, uniform
from rec_lib.data.table import Table

SIZES = (40_000, 10_000, 20_000)


@dataclass(frozen=True, eq=False)
class World:
    """A law and rows drawn from it.

    tests  further test tables by name
    bayes  "auc" and "log_loss" of the true law on `test`, and "NAME/auc", "NAME/log_loss" on the table tests["NAME"]
    """

    name: str
    law: Law
    train: Table
    valid: Table
    test: Table
    tests: dict[str, Table] = field(default_factory=dict)

    @cached_property
    def bayes(self) -> dict[str, float]:
        values = {}
        for prefix, table in {"": self.test, **{f"{name}/": table for name, table in self.tests.items()}}.items():
            values[f"{prefix}auc"] = bayes_auc(table["p"])
            values[f"{prefix}log_loss"] = bayes_log_loss(table["p"])
        return values


def pairwise(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """User × item taste of low rank; a fifth of the pairs never occur in training: FM ranks them, POLY2 cannot.

    z = −1 + w_u + w_i + w_c + 2 ⟨a_u, b_i⟩ / √4;  a, b ~ N(0, I₄), w ~ N(0, 0.5²); 200 users, 200 items, 10 contexts.
    `test` = tests["seen"] has pairs that training could have, tests["unseen"] the withheld ones.
    """
    rng = np.random.default_rng(seed)
    fields = {"user": 200, "item": 200, "context": 10}
    effects: dict[str, Effect] = {
        "main": Main(_normal(rng, fields, 0.5)),
        "pairwise": Pairwise({name: rng.normal(size=(200, 4)) for name in ("user", "item")}, 2 / np.sqrt(4)),
    }
    withheld = rng.random(200 * 200) < 0.2
    law = Law(fields, effects, -1.0, _of_pairs(fields, np.flatnonzero(~withheld)))
    world = _world("pairwise", law, sizes, rng)
    unseen = simulate(replace(law, draw=_of_pairs(fields, np.flatnonzero(withheld))), sizes[2], rng)
    return replace(world, tests={"seen": world.test, "unseen": unseen})


def field_aware(seed: int, sizes: tuple[int, int, int] = (50_000, 10_000, 20_000)) -> World:
    """A value has another vector for each partner field: FFM's truth. 50 000 training rows.

    z = −0.5 + 1.5 Σ_{f<g} ⟨V[f, g], V[g, f]⟩ / √20;  V ~ N(0, I₂); 5 fields of 40 values.
    """
    rng = np.random.default_rng(seed)
    fields = _fields(5, 40)
    vectors = {(f, g): rng.normal(size=(40, 2)) for f in fields for g in fields if f != g}
    return _world(
        "field_aware",
        Law(fields, {"field_aware": FieldAware(vectors, 1.5 / np.sqrt(20))}, -0.5, uniform(fields)),
        sizes,
        rng,
    )


def third_order(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """A product of three fields that no sum of pairs says; skewed, so that descent finds its way into it.

    z = Σ w + 0.7 a₃ a₄ + 1.5 a₀ a₁ a₂;  a = ±1, +1 on 30 % of the values of fields 0–2 and on half of those of 3 and 4;
    w ~ N(0, 0.3²); 5 fields of 20 values.
    """
    rng = np.random.default_rng(seed)
    fields = _fields(5, 20)
    half = {name: np.where(rng.permutation(20) < 10, 1.0, -1.0) for name in ("f3", "f4")}
    effects: dict[str, Effect] = {
        "main": Main(_normal(rng, fields, 0.3)),
        "second": Product(half, 0.7),
        "third": Product({name: skewed_signs(20, rng) for name in ("f0", "f1", "f2")}, 1.5),
    }
    return _world("third_order", Law(fields, effects, 0.0, uniform(fields)), sizes, rng)


def memorised(seed: int, sizes: tuple[int, int, int] = (50_000, 10_000, 20_000)) -> World:
    """Taste of low rank with exceptions to be learned by heart: the world of Wide & Deep. 50 000 training rows.

    z = −0.5 + Σ w + 1.5 ⟨t_u, t_i⟩ / √2 + E[u, i];  t ~ N(0, I₂), w ~ N(0, 0.5²), E = ±3 on 200 pairs; 100 users, 100
    items, 10 contexts. 30 % of all rows show one of the 200 pairs; tests "exceptions" and "ordinary" tell them apart.
    """
    rng = np.random.default_rng(seed)
    fields = {"user": 100, "item": 100, "context": 10}
    effects: dict[str, Effect] = {
        "main": Main(_normal(rng, fields, 0.5)),
        "pairwise": Pairwise({name: rng.normal(size=(100, 2)) for name in ("user", "item")}, 1.5 / np.sqrt(2)),
        "memorised": (listed := exceptions(("user", "item"), (100, 100), 200, 3.0, rng)),
    }
    exceptional = _of_pairs(fields, listed.keys)
    ordinary = _of_pairs(fields, np.setdiff1d(np.arange(100 * 100), listed.keys))

    def draw(n: int, rng: np.random.Generator) -> Columns:
        chosen = rng.random(n) < 0.3
        x, odd = uniform(fields)(n, rng), exceptional(n, rng)
        return {name: np.where(chosen, odd[name], x[name]) for name in fields}

    law = Law(fields, effects, -0.5, draw)
    world = _world("memorised", law, sizes, rng)
    draws = {"exceptions": exceptional, "ordinary": ordinary}
    return replace(world, tests={name: simulate(replace(law, draw=d), sizes[2], rng) for name, d in draws.items()})


def pure_fm(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """Nothing but pairs, 6 fields of 50 values: an FM is the truth, and a network does well to start from one.

    z = Σ_{i<j} ⟨v_i, v_j⟩ / √60;  v ~ N(0, I₄): the logit has variance 1.
    """
    rng = np.random.default_rng(seed)
    fields = _fields(6, 50)
    effects = {"pairwise": Pairwise({name: rng.normal(size=(50, 4)) for name in fields}, 1 / np.sqrt(60))}
    return _world("pure_fm", Law(fields, effects, 0.0, uniform(fields)), sizes, rng)


def bi_interaction(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """A bend in the bi-interaction vector, 6 fields of 50 values: NFM's hidden layer has something to do.

    z = 2.5 (|bi₁| + |bi₂| − 1.5);  bi = ½ [(Σ v)² − Σ v²] / √15, v ~ N(0, I₂).
    """
    rng = np.random.default_rng(seed)
    fields = _fields(6, 50)
    effects = {"bi_interaction": BiInteraction({name: rng.normal(size=(50, 2)) for name in fields}, 2.5, 1.5)}
    return _world("bi_interaction", Law(fields, effects, 0.0, uniform(fields)), sizes, rng)


def activation(seed: int, form: str = "count", sizes: tuple[int, int, int] = (28_000, 6_000, 11_000)) -> World:
    """What in the history is like the candidate decides: DIN's world, in three forms. 28 000 training rows.

    z = −1.5 + s + b_item;  b ~ N(0, 0.5²); s = 0.45 · count ("count"), 6 · share ("share") or 3 · [any] ("any") of the
    history items in the candidate's category. 100 items in 20 categories; each row is a user of 3 interests with
    Dirichlet(1) weights and a history of 3–15 items; the candidate is of one of the three in 60 % of the rows,
    else of any category.

    Raises ValueError for another form.
    """
    strength = {"count": 0.45, "share": 6.0, "any": 3.0}.get(form)
    if strength is None:
        raise ValueError(f"form={form!r}: expected 'count', 'share' or 'any'.")
    rng = np.random.default_rng(seed)
    category = np.repeat(np.arange(20), 5)
    effects: dict[str, Effect] = {
        "main": Main(_normal(rng, {"item": 100}, 0.5)),
        "activation": Activation(category, strength, form),
    }

    def draw(n: int, rng: np.random.Generator) -> Columns:
        interests = np.argsort(rng.random((n, 20)), axis=1)[:, :3]
        upper = (weights := rng.exponential(size=(n, 3))).cumsum(axis=1) / weights.sum(axis=1, keepdims=True)

        def choose(k: int) -> np.ndarray:
            which = (rng.random((n, k))[:, :, None] > upper[:, None, :2]).sum(axis=2)
            return np.take_along_axis(interests, which, axis=1)

        history = 5 * choose(15) + rng.integers(5, size=(n, 15))
        history[np.arange(15) >= rng.integers(3, 16, size=n)[:, None]] = -1
        own = rng.random(n) < 0.6
        return {
            "item": 5 * np.where(own, interests[np.arange(n), rng.integers(3, size=n)], rng.integers(20, size=n))
            + rng.integers(5, size=n),
            "history": history,
        }

    return _world(f"activation_{form}", Law({"item": 100}, effects, -1.5, draw, history=15), sizes, rng)


def threads(seed: int, interests: int = 2, sizes: tuple[int, int, int] = (24_000, 6_000, 12_000)) -> World:
    """Interests that move on: a click comes when the candidate is the next stage of its own thread. DIEN's world.

    z = 2.4 if the candidate is the stage after the last one logged in its category, else −1.6. 8 categories of 4 stages
    in a ring, item = category · 4 + stage. A row is a user of `interests` categories; at each of 12 steps (16 with more
    than two) one of them moves on with probability 0.8 and is logged. The candidate is of one of them, at any stage.

    Raises ValueError for interests outside 1 … 8.
    """
    if not 1 <= interests <= 8:
        raise ValueError(f"interests={interests}: expected 1 … 8, as many as there are categories.")
    rng = np.random.default_rng(seed)
    length = 12 if interests <= 2 else 16

    def draw(n: int, rng: np.random.Generator) -> Columns:
        own = np.argsort(rng.random((n, 8)), axis=1)[:, :interests]
        stage = rng.integers(4, size=(n, interests))
        history, row = np.empty((n, length), dtype=np.int64), np.arange(n)
        for step in range(length):
            which = rng.integers(interests, size=n)
            stage[row, which] = (stage[row, which] + (rng.random(n) < 0.8)) % 4
            history[:, step] = 4 * own[row, which] + stage[row, which]
        return {"item": 4 * own[row, rng.integers(interests, size=n)] + rng.integers(4, size=n), "history": history}

    law = Law({"item": 32}, {"threads": Threads(4, 2.4, -1.6)}, 0.0, draw, history=length)
    return _world(f"threads_{interests}", law, sizes, rng)


def cold_items(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """A fifth of the items arrive after training; only their category tells what they are like.

    The law is `planted` with main 0.3, pairwise 2 and cold 0.2. train and valid are from before time 0.8, test from
    after it; tests "warm" and "cold" hold the rows of old and of new items.
    """
    rng = np.random.default_rng(seed)
    law = planted(rng, main=0.3, pairwise=2.0, cold=0.2)
    early, late = (replace(law, draw=_between(law.draw, *span)) for span in ((0.0, 0.8), (0.8, 1.0)))
    train, valid, test = (simulate(part, n, rng) for part, n in zip((early, early, late), sizes, strict=True))
    new = ~torch.isin(test["item"], train["item"])
    return World("cold_items", law, train, valid, test, {"warm": test.rows(~new), "cold": test.rows(new)})


def position_bias(seed: int, sizes: tuple[int, int, int] = SIZES) -> World:
    """Popular items stand higher, and who stands lower is looked at less: clicks are not taste.

    The law is `planted` with main 0.5, pairwise 2, popularity 1 and position 1. test is logged as train is;
    tests["looked_at"] has rows of the same law in which every position is looked at: there p is the taste itself.
    """
    rng = np.random.default_rng(seed)
    law = planted(rng, main=0.5, pairwise=2.0, popularity=1.0, position=1.0)
    world = _world("position_bias", law, sizes, rng)
    return replace(world, tests={"looked_at": simulate(replace(law, look=None), sizes[2], rng)})


def _world(name: str, law: Law, sizes: tuple[int, int, int], rng: np.random.Generator) -> World:
    train, valid, test = (simulate(law, n, rng) for n in sizes)
    return World(name, law, train, valid, test)


def _fields(n: int, values: int) -> dict[str, int]:
    return {f"f{i}": values for i in range(n)}


def _normal(rng: np.random.Generator, fields: dict[str, int], sd: float) -> dict[str, np.ndarray]:
    return {name: rng.normal(0, sd, size) for name, size in fields.items()}


def _of_pairs(fields: dict[str, int], keys: np.ndarray) -> Draw:
    """A draw of (user, item) pairs from `keys` = user · items + item, evenly; the other fields evenly too."""

    def draw(n: int, rng: np.random.Generator) -> Columns:
        user, item = np.divmod(rng.choice(keys, n), fields["item"])
        return uniform(fields)(n, rng) | {"user": user, "item": item}

    return draw


def _between(draw: Draw, low: float, high: float) -> Draw:
    """The same draw, only rows of time in [low, high)."""

    def inside(n: int, rng: np.random.Generator) -> Columns:
        parts: list[Columns] = []
        while sum(len(part["time"]) for part in parts) < n:
            x = draw(2 * n, rng)
            parts.append({name: column[(x["time"] >= low) & (x["time"] < high)] for name, column in x.items()})
        return {name: np.concatenate([part[name] for part in parts])[:n] for name in parts[0]}

    return inside
