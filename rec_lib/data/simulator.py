"""Clicks from a known law: the data set whose best possible score is known.

    law = planted(rng, main=0.5, pairwise=2.0)        # users, items, contexts; each keyword plants one effect
    table = simulate(law, 100_000, rng)               # a Table; table["p"] is each row's true click probability
    bayes_auc(table["p"])                             # no model ranks these rows better

A law is a sum of effects (`effects.py`) in the logit, a way of drawing rows, and two things between taste and log:
whether a position is looked at, and whether a click becomes a purchase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
import torch
from scipy.special import expit

from rec_lib.data.bayes import bayes_auc, bayes_log_loss, expected_auc, expected_log_loss
from rec_lib.data.effects import Activation, Columns, Drift, Effect, Main, Memorised, Pairwise, Product
from rec_lib.data.table import Table
from rec_lib.schema import FIRST, Field, Schema, Sequence, Sparse

__all__ = ["Law", "bayes_auc", "bayes_log_loss", "expected_auc", "expected_log_loss", "planted", "simulate"]

Draw = Callable[[int, np.random.Generator], Columns]
POSITIONS = 10


@dataclass(frozen=True, eq=False)
class Law:
    """P(click | row) = look(row) · σ(intercept + Σ effects(row)).

    sizes      field -> number of values; these are the model's Sparse fields
    effects    name -> effect, a function of the columns (effects.py)
    draw       (n, rng) -> columns counted from 0; `uniform(sizes)` draws every value equally often
    history    length of the field "history" of items that `draw` also gives; 0 for none
    look       columns -> (n,) chance that the row is looked at; 1 by default
    convert    columns -> (n,) logit of a conversion after a click; none by default
    """

    sizes: dict[str, int]
    effects: Mapping[str, Effect]
    intercept: float
    draw: Draw
    history: int = 0
    look: Callable[[Columns], np.ndarray] | None = None
    convert: Effect | None = None

    @property
    def schema(self) -> Schema:
        fields: list[Field] = [Sparse(name, size + FIRST) for name, size in self.sizes.items()]
        return Schema((*fields, Sequence("history", "item", self.history)) if self.history else tuple(fields))

    def without(self, *names: str) -> Law:
        """The same law with these effects switched off. Raises KeyError for an effect that it does not have."""
        if missing := set(names) - set(self.effects):
            raise KeyError(f"this law has no effect {sorted(missing)}; it has {sorted(self.effects)}.")
        return replace(self, effects={name: effect for name, effect in self.effects.items() if name not in names})

    def logit(self, columns: Columns) -> np.ndarray:
        """(n,) float64, intercept and effects, before any question of being looked at."""
        total = np.full(len(next(iter(columns.values()))), self.intercept)
        for effect in self.effects.values():
            total += effect(columns)
        return total

    def probability(self, columns: Columns) -> np.ndarray:
        """(n,) float64, P(click) of each row."""
        seen = 1.0 if self.look is None else self.look(columns)
        return seen * expit(self.logit(columns))

    def columns(self, table: Table) -> Columns:
        """The columns, counted from 0, of a table that this law's `simulate` made: what `logit` takes."""
        ids = {name: table[name].numpy() - FIRST for name in self.sizes}
        if self.history:
            ids["history"] = np.maximum(table["history"].numpy() - FIRST, -1)
        return ids | {name: column.numpy() for name, column in table.extra.items()}


def simulate(law: Law, n: int, rng: np.random.Generator) -> Table:
    """n rows of `law` with labels; the same generator state gives the same rows, whatever the effects are.

    Extra columns: "p" (n,) float64, the true P(click); whatever else the law draws (planted: time, position,
    propensity); with a `convert`, "conversion" (0/1, only after a click) and "p_conversion" = P(conversion | click).

    Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"n={n}: expected at least one row.")
    for_rows, for_clicks, for_conversions = rng.spawn(3)
    columns = law.draw(n, for_rows)
    p = law.probability(columns)
    click = for_clicks.random(n) < p
    ids = {name: torch.from_numpy(columns[name].astype(np.int64) + FIRST) for name in law.sizes}
    if law.history:
        ids["history"] = torch.from_numpy(
            np.where(columns["history"] < 0, 0, columns["history"] + FIRST).astype(np.int64)
        )
    ids["label"] = torch.from_numpy(click.astype(np.float32))
    extra = {name: torch.from_numpy(column) for name, column in columns.items() if name not in ids}
    extra["p"] = torch.from_numpy(p)
    if law.convert is not None:
        p_conversion = expit(law.convert(columns))
        extra["p_conversion"] = torch.from_numpy(p_conversion)
        extra["conversion"] = torch.from_numpy((click & (for_conversions.random(n) < p_conversion)).astype(np.float32))
    return Table(law.schema, ids, extra)


def uniform(sizes: dict[str, int]) -> Draw:
    """A draw in which every value of every field is equally likely."""
    return lambda n, rng: {name: rng.integers(size, size=n) for name, size in sizes.items()}


def planted(
    rng: np.random.Generator,
    *,
    users: int = 500,
    items: int = 200,
    categories: int = 20,
    contexts: int = 10,
    history: int = 0,
    intercept: float = -1.0,
    main: float = 0.0,
    pairwise: float = 0.0,
    third: float = 0.0,
    memorised: float = 0.0,
    activation: float = 0.0,
    drift: float = 0.0,
    popularity: float = 0.0,
    cold: float = 0.0,
    position: float = 0.0,
    conversion: float | None = None,
) -> Law:
    """A recommender's log with one switch per effect; 0 is off, and a switch changes its own effect and nothing else.

    Fields: user, item, category (of the item), context; with `history=T`, the last T items of the user, drawn from
    three favourite categories. Extra columns: time in [0, 1), position 0 … 9, propensity = P(this item is shown).

    In the logit
        main        sd of one weight a user, an item, a context
        pairwise    times ⟨a_u, b_i⟩ / √4, a, b ~ N(0, I₄); b is mostly that of the item's category
        third       times s_u s_i s_c, signs that are +1 for three values in ten
        memorised   ± on 2 % of the (user, item) pairs
        activation  for each history item of the candidate's category (needs a history)
        drift       radians that the users' tastes a_u turn from time 0 to 1 (needs pairwise)
    In what is shown and seen
        popularity  items are shown in proportion to exp(popularity · g_i), g ~ N(0, 1): a selection bias
        cold        share of the items that are not shown before time 0.8
        position    η: position r (from 0) is looked at with chance (r + 1)^−η; popular items stand higher
        conversion  spread of the conversion logit, itself −1 on average, over users and items; None: no conversions

    Raises TypeError for a switch that is no number and a size that is no whole one; ValueError for a switch whose
    partner is missing, and for numbers out of range.
    """
    for name, size in {
        "users": users,
        "items": items,
        "categories": categories,
        "contexts": contexts,
        "history": history,
    }.items():
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(f"{name}={size!r}: expected a whole number, such as {name}=20.")
    switches = {"intercept": intercept, "main": main, "pairwise": pairwise, "third": third, "memorised": memorised}
    switches |= {"activation": activation, "drift": drift, "popularity": popularity, "cold": cold, "position": position}
    for name, value in (switches | {"conversion": conversion or 0.0}).items():
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name}={value!r}: expected a number, the strength of the effect; 0 is off.")
        if not np.isfinite(value):
            raise ValueError(f"{name}={value}: expected a finite number; 0 is off.")
    if main < 0 or history < 0:
        raise ValueError(
            f"main={main}, history={history}: expected a standard deviation and a length, both at least 0."
        )
    if activation and not history:
        raise ValueError(f"activation={activation} needs a history; got history=0. Pass history=15, say.")
    if drift and not pairwise:
        raise ValueError(
            f"drift={drift} turns the tastes of the pairwise effect, which is off. Pass pairwise=2.0, say."
        )
    if min(users, contexts) < 2 or categories < 3 or items < categories or not 0 <= cold < 1:
        raise ValueError(
            f"users={users}, items={items}, contexts={contexts}, categories={categories}, cold={cold}: expected at "
            "least 2 users and contexts, 3 categories, an item in each, and a share of cold items in [0, 1)."
        )
    # One stream an effect: switching one on or off leaves the numbers of the others as they were.
    base, w, low, high, learnt, turned, shown, bought = rng.spawn(8)
    category = base.permutation(np.arange(items) % categories)  # every category has an item
    group = base.normal(size=(categories, 4))
    a = base.normal(size=(users, 4))
    b = np.sqrt(0.8) * group[category] + np.sqrt(0.2) * low.normal(size=(items, 4))
    sizes = {"user": users, "item": items, "category": categories, "context": contexts}
    effects: dict[str, Effect] = {}
    if main:
        values = {name: w.normal(0, main, sizes[name]) for name in ("user", "item", "context")}
        effects["main"] = Main(values)
    if pairwise:
        effects["pairwise"] = Pairwise({"user": a, "item": b}, pairwise / 2)
    if third:
        signs = {name: skewed_signs(sizes[name], high) for name in ("user", "item", "context")}
        effects["third"] = Product(signs, third)
    if memorised:
        effects["memorised"] = exceptions(
            ("user", "item"), (users, items), max(1, users * items // 50), memorised, learnt
        )
    if activation:
        effects["activation"] = Activation(category, activation)
    if drift:
        effects["drift"] = Drift(a, turned.normal(size=(users, 4)), b, drift, pairwise / 2)
    taste = base.normal(size=(users, 4))
    wanted = base.normal(size=(items, 4))
    appeal, newcomer = shown.normal(size=items), shown.permutation(items) < round(cold * items)
    favourites = np.argsort(base.random((users, categories)), axis=1)[:, :3]
    draw = _log(sizes, category, favourites, appeal, popularity, newcomer, history)
    return Law(
        sizes,
        effects,
        intercept,
        draw,
        history,
        look=None if not position else lambda x: (x["position"] + 1.0) ** -position,
        convert=None
        if conversion is None
        else lambda x: -1 + conversion / 2 * np.einsum("nk,nk->n", taste[x["user"]], wanted[x["item"]]),
    )


def skewed_signs(size: int, rng: np.random.Generator) -> np.ndarray:
    """(size,) of ±1: +1 for three values in ten, so that a product of signs leaks a little into lower orders."""
    return np.where(rng.permutation(size) < max(1, round(0.3 * size)), 1.0, -1.0)


def exceptions(
    fields: tuple[str, str], sizes: tuple[int, int], pairs: int, strength: float, rng: np.random.Generator
) -> Memorised:
    """`pairs` different pairs of the two fields, drawn at random, each + or − strength."""
    keys = np.sort(rng.choice(sizes[0] * sizes[1], pairs, replace=False))
    return Memorised(fields, sizes[1], keys, rng.choice([-1.0, 1.0], pairs), strength)


def _log(
    sizes: dict[str, int],
    category: np.ndarray,
    favourites: np.ndarray,
    appeal: np.ndarray,
    popularity: float,
    newcomer: np.ndarray,
    history: int,
) -> Draw:
    """What a logging policy shows: users and contexts evenly, items by popularity among those that have arrived."""
    shown = np.exp(popularity * appeal)
    late, early = shown / shown.sum(), shown * ~newcomer / (shown * ~newcomer).sum()
    by_category = np.argsort(category, kind="stable")
    first = np.searchsorted(category[by_category], np.arange(sizes["category"] + 1))

    def draw(n: int, rng: np.random.Generator) -> Columns:
        who, what, where, past = rng.spawn(4)
        user, context, time = who.integers(sizes["user"], size=n), who.integers(sizes["context"], size=n), who.random(n)
        arrived = time >= 0.8
        u = what.random(n)
        item = np.where(arrived, np.searchsorted(late.cumsum(), u), np.searchsorted(early.cumsum(), u))
        item = item.clip(max=sizes["item"] - 1)
        rank = np.argsort(np.argsort(-appeal)) / sizes["item"]  # 0 is the most popular
        position = np.floor(POSITIONS * np.clip(0.5 * rank[item] + 0.5 * where.random(n), 0, 1 - 1e-9)).astype(np.int64)
        columns = {
            "user": user,
            "item": item,
            "category": category[item],
            "context": context,
            "time": time,
            "position": position,
            "propensity": np.where(arrived, late[item], early[item]),
        }
        if history:
            chosen = favourites[user[:, None], past.integers(3, size=(n, history))]
            place = past.integers(first[chosen], first[chosen + 1])
            length = past.integers(min(3, history), history + 1, size=n)
            columns["history"] = np.where(np.arange(history) < length[:, None], by_category[place], -1)
        return columns

    return draw
