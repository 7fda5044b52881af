"""The simulator: every effect is the formula it states, and every switch changes its effect and nothing else."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.special import expit

from rec_lib.data import effects as e
from rec_lib.data.simulator import planted, simulate

RNG = np.random.default_rng(0)
X = {"a": RNG.integers(7, size=50), "b": RNG.integers(5, size=50), "c": RNG.integers(4, size=50)}
V = {"a": RNG.normal(size=(7, 3)), "b": RNG.normal(size=(5, 3)), "c": RNG.normal(size=(4, 3))}
H = {"item": RNG.integers(20, size=50), "history": RNG.integers(-1, 20, size=(50, 6))}
CATEGORY = np.arange(20) // 4


def loop(columns, formula):
    return [formula({name: column[row] for name, column in columns.items()}) for row in range(50)]


def next_stage(x):
    own = [int(i) % 4 for i in x["history"] if i >= 0 and i // 4 == x["item"] // 4]
    return 2.4 if own and x["item"] % 4 == (own[-1] + 1) % 4 else -1.6


def same(x):
    return sum(i >= 0 and CATEGORY[i] == CATEGORY[x["item"]] for i in x["history"])


W = {"a": RNG.normal(size=7), "b": RNG.normal(size=5), "c": RNG.normal(size=4)}
AWARE = {(f, g): RNG.normal(size=(len(W[f]), 2)) for f in "abc" for g in "abc" if f != g}
PAIRS = list(combinations("abc", 2))
FORMULAS = {
    "main": (e.Main(W), X, lambda x: sum(W[f][x[f]] for f in W)),
    "pairwise": (e.Pairwise(V, 1.5), X, lambda x: 1.5 * sum(V[f][x[f]] @ V[g][x[g]] for f, g in PAIRS)),
    "field aware": (
        e.FieldAware(AWARE, 0.5),
        X,
        lambda x: 0.5 * sum(AWARE[f, g][x[f]] @ AWARE[g, f][x[g]] for f, g in PAIRS),
    ),
    "product": (e.Product(W, 2.0), X, lambda x: 2.0 * W["a"][x["a"]] * W["b"][x["b"]] * W["c"][x["c"]]),
    "memorised": (
        e.Memorised(("a", "b"), 5, np.array([3, 11, 34]), np.array([1.0, -1.0, 1.0]), 3.0),
        X,
        lambda x: {3: 3.0, 11: -3.0, 34: 3.0}.get(int(5 * x["a"] + x["b"]), 0.0),
    ),
    "bi-interaction": (
        e.BiInteraction(V, 2.5, 1.5),
        X,
        lambda x: 2.5 * (np.abs(sum(V[f][x[f]] * V[g][x[g]] for f, g in PAIRS) / np.sqrt(3)).sum() - 1.5),
    ),
    "count": (e.Activation(CATEGORY, 0.45), H, lambda x: 0.45 * same(x)),
    "share": (e.Activation(CATEGORY, 6.0, "share"), H, lambda x: 6.0 * same(x) / max(1, (x["history"] >= 0).sum())),
    "any": (e.Activation(CATEGORY, 3.0, "any"), H, lambda x: 3.0 * (same(x) > 0)),
    "threads": (e.Threads(4, 2.4, -1.6), H, next_stage),
}


@pytest.mark.parametrize(("effect", "columns", "formula"), FORMULAS.values(), ids=FORMULAS)
def test_an_effect_is_its_formula(effect, columns, formula):
    assert effect(columns) == pytest.approx(loop(columns, formula), abs=1e-12)


def test_a_drifting_taste_starts_at_home_and_turns_by_its_angle():
    a, end, b = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 3)), RNG.normal(size=(5, 3))
    x = {"user": X["a"], "item": X["b"], "time": np.linspace(0, 1, 50)}
    turn = np.pi / 2 * x["time"][:, None]
    now = np.cos(turn) * a[x["user"]] + np.sin(turn) * end[x["user"]]
    expected = 2 * ((now - a[x["user"]]) * b[x["item"]]).sum(axis=1)
    found = e.Drift(a, end, b, np.pi / 2, 2.0)(x)
    assert found == pytest.approx(expected, abs=1e-12)
    assert found[0] == 0


BASE = dict(history=12, main=0.4, pairwise=1.0)
LOGIT_SWITCHES = {"main": 0.9, "pairwise": 2.0, "third": 1.0, "memorised": 3.0, "activation": 0.4, "drift": 1.5}


def rows(**switches):
    law = planted(np.random.default_rng(1), **BASE | switches)
    return law, simulate(law, 5000, np.random.default_rng(2))


def columns_equal(one, other, but=()):
    names = {*one.columns, *one.extra} & {*other.columns, *other.extra} - {"label", "p", *but}
    assert {"user", "item", "history", "time", "propensity"} - set(but) <= names
    return all(torch.equal(one[name], other[name]) for name in names)


@pytest.mark.parametrize("switch", LOGIT_SWITCHES)
def test_a_switch_of_the_logit_adds_its_effect_and_nothing_else(switch):
    off, without = rows(**({} if switch in ("drift",) else {switch: 0.0}))
    on, with_it = rows(**{switch: LOGIT_SWITCHES[switch]})
    assert set(on.effects) - set(off.effects) == {switch}
    assert columns_equal(without, with_it)
    x = on.columns(with_it)
    assert on.logit(x) - off.logit(x) == pytest.approx(on.effects[switch](x), abs=1e-9)
    assert np.abs(on.effects[switch](x)).max() > 0.1
    assert on.without(switch).logit(x) == pytest.approx(off.logit(x), abs=1e-12)
    for name in off.effects:
        assert (on.effects[name](x) == off.effects[name](x)).all(), name


def test_a_position_is_looked_at_less_further_down():
    off, without = rows()
    on, with_it = rows(position=0.7)
    assert columns_equal(without, with_it)
    look = (with_it["position"].numpy() + 1.0) ** -0.7
    assert with_it["p"].numpy() == pytest.approx(without["p"].numpy() * look, abs=1e-12)
    assert without["position"].unique().tolist() == list(range(10))


def test_conversions_come_after_clicks_and_change_nothing_before():
    _, without = rows()
    law, with_it = rows(conversion=1.0)
    assert columns_equal(without, with_it)
    assert torch.equal(without["label"], with_it["label"])
    assert (with_it["conversion"] <= with_it["label"]).all()
    clicked = with_it["label"] == 1
    p = with_it["p_conversion"][clicked].numpy()
    assert abs(with_it["conversion"][clicked].mean().item() - p.mean()) < 4 * np.sqrt((p * (1 - p)).mean() / len(p))
    assert "conversion" not in without.extra


def test_popularity_changes_who_is_shown_and_the_propensity_says_how():
    off, without = rows()
    on, _ = rows(popularity=1.0)
    table = simulate(on, 100_000, np.random.default_rng(3))
    assert (without["propensity"] == 1 / 200).all()
    shown = np.bincount(table["item"].numpy() - 2, minlength=200)
    chance = np.zeros(200)
    chance[table["item"].numpy() - 2] = table["propensity"].numpy()
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    assert (np.abs(shown - 100_000 * chance) < 5 * np.sqrt(100_000 * chance) + 1).all()
    assert shown.max() > 10 * shown.min()
    x = on.columns(table)
    assert on.logit(x) == pytest.approx(off.logit(x), abs=1e-12)


def test_cold_items_are_shown_late_and_like_their_category():
    off, _ = rows()
    on, _ = rows(cold=0.2)
    table = simulate(on, 100_000, np.random.default_rng(3))
    early = table["time"] < 0.8
    cold = ~torch.isin(torch.arange(2, 202), table["item"][early])
    assert cold.sum() == 40
    assert set(table["item"][~early].tolist()) == set(range(2, 202))
    x = on.columns(table)
    assert on.logit(x) == pytest.approx(off.logit(x), abs=1e-12)
    category = np.zeros(200, dtype=int)
    category[x["item"]] = x["category"]
    vectors = on.effects["pairwise"].vectors["item"]
    mean = np.stack([vectors[(category == c) & ~cold.numpy()].mean(axis=0) for c in range(20)])
    alike = np.corrcoef(vectors[cold].ravel(), mean[category[cold]].ravel())[0, 1]
    assert alike > 0.7


def test_labels_follow_p():
    law, _ = rows(third=1.0, memorised=3.0, activation=0.4, drift=1.5, popularity=0.5, cold=0.1, position=0.5)
    table = simulate(law, 100_000, np.random.default_rng(4))
    p, y = table["p"].numpy(), table["label"].numpy()
    assert p == pytest.approx(law.probability(law.columns(table)), abs=1e-12)
    for part in np.array_split(np.argsort(p), 10):
        assert abs(y[part].mean() - p[part].mean()) < 4.5 * np.sqrt((p[part] * (1 - p[part])).mean() / len(part))


def test_history_holds_films_of_three_categories_and_ends_in_padding():
    law, table = rows()
    x = law.columns(table)
    category = np.zeros(200, dtype=int)
    category[x["item"]] = x["category"]
    for user in range(20):
        history = x["history"][x["user"] == user]
        assert len(set(category[history[history >= 0]])) <= 3
    real = table["history"] != 0
    assert (real[:, :-1] | ~real[:, 1:]).all()
    assert real.sum(dim=1).unique().tolist() == list(range(3, 13))


def test_the_same_generator_state_gives_the_same_rows():
    law = planted(np.random.default_rng(0), main=1.0)
    one, again = (simulate(law, 100, np.random.default_rng(5)) for _ in range(2))
    assert all(torch.equal(one[name], again[name]) for name in (*one.columns, *one.extra))
    rng = np.random.default_rng(5)
    assert not torch.equal(simulate(law, 100, rng)["item"], simulate(law, 100, rng)["item"])
    assert not np.array_equal(
        *(planted(np.random.default_rng(s), main=1.0).effects["main"].weights["user"] for s in (0, 1))
    )
    assert len(simulate(law, 1, rng)) == 1


def test_impossible_laws_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="activation=0.4 needs a history"):
        planted(rng, activation=0.4)
    with pytest.raises(ValueError, match="drift=1.0 turns the tastes"):
        planted(rng, drift=1.0)
    with pytest.raises(ValueError, match="a share of cold items in"):
        planted(rng, cold=1.0)
    with pytest.raises(ValueError, match="an item in each"):
        planted(rng, items=10)
    with pytest.raises(ValueError, match="main=-1.0"):
        planted(rng, main=-1.0)
    with pytest.raises(ValueError, match="history=-2"):
        planted(rng, history=-2)
    law = planted(rng, main=1.0)
    with pytest.raises(ValueError, match="n=0"):
        simulate(law, 0, rng)
    with pytest.raises(KeyError, match="third"):
        law.without("third")
    off = replace(law, effects={}, intercept=0.3)
    assert simulate(off, 10, rng)["p"].tolist() == pytest.approx([expit(0.3)] * 10)


NUMBERS = "intercept main pairwise third memorised activation drift popularity cold position conversion".split()


@pytest.mark.parametrize("switch", NUMBERS)
def test_a_switch_is_a_finite_number(switch):
    rng = np.random.default_rng(0)
    for value in ("0.5", True, [1.0]):
        with pytest.raises(TypeError, match=rf"{switch}=.*: expected a number"):
            planted(rng, history=3, **{switch: value})
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"{switch}={value}: expected a finite number"):
            planted(rng, history=3, **{switch: value})
    with pytest.raises(TypeError, match="unexpected keyword argument 'mian'"):
        planted(rng, mian=1.0)


@pytest.mark.parametrize("size", ["users", "items", "categories", "contexts", "history"])
def test_a_size_is_a_whole_number(size):
    for value in (30.0, "30", True, None):
        with pytest.raises(TypeError, match=rf"{size}=.*: expected a whole number"):
            planted(np.random.default_rng(0), **{size: value})
