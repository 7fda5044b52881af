"""What 2.4 measures with: counts of earlier rows, FOBOS beside FTRL, laws that are what they say, and the search."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from rec_lib.data.movielens import MovieLens
from rec_lib.data.simulator import simulate
from rec_lib.evaluation.simpson import compare
from rec_lib.experiments import lr
from rec_lib.experiments.reversals import independent_errors, rows_of, search
from rec_lib.models.ftrl import FTRL


def test_seen_before_is_the_plain_count():
    ids = np.random.default_rng(0).integers(0, 7, 200)
    assert lr.seen_before(ids).tolist() == [int((ids[:t] == ids[t]).sum()) for t in range(200)]


def trained(optimizer_of, gradients):
    w = nn.Parameter(torch.zeros(4, dtype=torch.float64))
    (optimizer,) = optimizer_of([w])
    for g in gradients:
        w.grad = g.clone()
        optimizer.step()
    return w.detach()


def test_without_a_penalty_fobos_is_ftrl_and_with_one_it_is_the_plain_loop():
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(4, dtype=torch.float64, generator=generator).relu() - 0.3 * (k % 2) for k in range(9)]
    gradients = [torch.where(torch.arange(4) == k % 4, 0.0, g) for k, g in enumerate(gradients)]
    free = trained(lambda ps: [lr.Fobos(ps, 0.4, 1.0, 0.0)], gradients)
    torch.testing.assert_close(free, trained(lambda ps: [FTRL(ps, alpha=0.4, beta=1.0)], gradients))
    w, n = np.zeros(4), np.zeros(4)
    for g in gradients:
        for i, value in enumerate(g.tolist()):
            if value:
                n[i] += value**2
                rate = 0.4 / (1.0 + n[i] ** 0.5)
                step = w[i] - rate * value
                w[i] = np.sign(step) * max(abs(step) - 0.2 * rate, 0)
    np.testing.assert_allclose(trained(lambda ps: [lr.Fobos(ps, 0.4, 1.0, 0.2)], gradients), w)


def test_the_planted_reversal_has_its_truth():
    """Within a film young viewers click more by the planted log-odds; in the sum less."""
    rng = np.random.default_rng(0)
    law = lr.age_law(rng, 0.4)
    films = np.arange(100)
    young, old = (law.logit({"young": np.full(100, side), "film": films}) for side in (1, 0))
    np.testing.assert_allclose(young - old, 0.4)
    table = simulate(law, 30_000, rng)
    found = compare(table["label"].numpy(), table["young"].numpy() - 2, table["film"].numpy() - 2)
    assert found.reversed
    assert found.pooled < -0.03 < 0.05 < found.within


def test_the_turning_law_turns():
    law = lr.turning_law(np.random.default_rng(0), 3.0)
    columns = {"user": np.zeros(60, int), "item": np.arange(60)}
    start, end = (law.logit(columns | {"time": np.full(60, t)}) for t in (0.0, 1.0))
    assert np.corrcoef(start, end)[0, 1] < -0.8  # 3 radians: nearly the opposite
    time = simulate(law, 100, np.random.default_rng(1))["time"]
    assert bool((time[1:] >= time[:-1]).all())


def small_movielens():
    rng = np.random.default_rng(0)
    users = pd.DataFrame(
        {"gender": ["F", "M"] * 10, "age": np.arange(15, 55, 2), "occupation": ["artist"] * 20, "zip": ["12345"] * 20},
        index=pd.Index(np.arange(1, 21), name="user"),
    )
    genres = [("Comedy",), ("Drama",), ("Comedy", "Drama"), ()] * 3
    items = pd.DataFrame(
        {"title": [f"film {i}" for i in range(12)], "year": 1970 + np.arange(12) * 3, "genres": genres},
        index=pd.Index(np.arange(1, 13), name="item"),
    )
    pairs = [(u, i) for u in range(1, 21) for i in range(1, 13)]
    ratings = pd.DataFrame(pairs, columns=["user", "item"])
    ratings["rating"] = rng.integers(1, 6, len(ratings)).astype(float)
    ratings["timestamp"] = rng.integers(0, 10**6, len(ratings))
    return MovieLens("ml-100k", ratings, users, items)


def test_the_search_looks_at_every_pair_and_compares_as_compare_does():
    rows = rows_of(small_movielens())
    assert set(rows.sides) == {"young viewers", "women", "films before 1980", "Comedy", "Drama"}
    found = search(rows)
    assert not (found["compared"] == found["within"]).any()
    for one in found.itertuples():
        again = compare(rows.liked, rows.sides[one.compared], rows.groups[one.within])
        assert (one.pooled, one.inside) == pytest.approx((again.pooled, again.within))
        assert one.reversed == again.reversed
    looked_at = set(zip(found["compared"], found["within"], strict=True))
    assert ("women", "film") in looked_at
    assert ("women", "user") not in looked_at  # no user has both


def test_independent_errors_are_those_of_drawn_rows():
    rng = np.random.default_rng(0)

    def draw():
        group, x = rng.integers(0, 4, 3000), rng.integers(0, 2, 3000).astype(float)
        return (rng.random(3000) < 0.2 + 0.15 * group).astype(float), x, group

    drawn = [(one.pooled, one.within) for one in (compare(*draw()) for _ in range(400))]
    assert independent_errors(*draw()) == pytest.approx(np.std(drawn, axis=0), rel=0.12)
