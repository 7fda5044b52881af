"""The panel of 3.2: its rows are AutoRec's, its errors are those of what is drawn, and what it teaches is there to be seen."""

import itertools
import time

import numpy as np
import pytest
import torch

from rec_lib.data.table import Table
from rec_lib.figures.autorec import row_figure
from rec_lib.figures.core import alt_text
from rec_lib.models import IAutoRec
from rec_lib.schema import FIRST, Schema, Sparse
from rec_lib.widgets.autorec import HIDDEN, PRICES, SHOWN, RowWorld, rebuild, summary


@pytest.fixture(scope="module")
def world():
    return RowWorld()


def test_many_models_at_once_are_autorec_one_by_one():
    schema = Schema((Sparse("user", FIRST + 4), Sparse("item", FIRST + 3)))
    columns = {
        "user": torch.tensor([2, 3, 5]),
        "item": torch.tensor([2, 2, 4]),
        "label": torch.tensor([1.0, -1.0, 0.5]),
    }
    models = []
    for seed in range(2):
        torch.manual_seed(seed)
        model = IAutoRec(Table(schema, columns), dim=3, init_sd=0.5)
        with torch.no_grad():
            model.c.normal_()
            model.b.normal_()
        models.append(model)
    V, W, c, b = (torch.stack([getattr(model, name) for model in models]) for name in ("V", "W", "c", "b"))
    together = rebuild(models[0].ratings, V, W, c.unsqueeze(1), b.unsqueeze(1))
    for model, rows in zip(models, together, strict=True):
        torch.testing.assert_close(rows, model.decode(model.encode(model.ratings)))


def test_a_film_is_a_bend_and_four_ratings_of_ten_are_there(world):
    assert np.isnan(world.stars).mean() == pytest.approx(0.6, abs=0.02)
    noise = (world.stars - world.truth)[~np.isnan(world.stars)]
    assert noise.std() == pytest.approx(0.5, rel=0.05)
    for row, suits in enumerate(SHOWN.values()):
        assert world.taste[world.truth[row].argmax()] == pytest.approx(suits, abs=0.03)


def test_errors_are_those_of_the_rows(world):
    hole = np.isnan(world.stars)
    for (i, hidden), (j, price) in itertools.product(enumerate(HIDDEN), enumerate(PRICES)):
        data = world("liked in the middle", hidden, price)
        rows = world.rebuilt[i, j]
        assert data.fresh[data.here] == pytest.approx(np.sqrt(((rows - world.truth)[hole] ** 2).mean()))
        assert data.seen[data.here] == pytest.approx(np.sqrt(((rows - world.stars)[~hole] ** 2).mean()))
        np.testing.assert_array_equal(data.rebuilt, rows[0])


def test_what_it_teaches(world):
    seen, fresh = world.errors
    assert seen[-1, 0] < 0.25 < 0.6 < fresh[-1, 0], "thirty units without a price learn the noise by heart"
    assert fresh[0].min() > 1.8 * fresh.min(), "one unit is too few"
    assert fresh[:, -1].min() > 0.5, "at λ = 100 every size is too stiff"
    best = np.array(PRICES)[fresh.argmin(axis=1)]
    assert best[-1] > best[0], "more units want a higher price"
    assert (np.diff(seen, axis=1) > -0.01).all(), "a higher price never fits the ratings better"


def test_one_unit_gives_every_film_the_same_curve(world):
    rows = world.rebuilt[0, 2] - world.rebuilt[0, 2].mean(axis=0)
    assert np.linalg.svd(rows, compute_uv=False)[1] < 1e-3


def test_every_setting_draws_the_same_traces_and_says_so(world):
    kinds = set()
    for film, hidden, price in itertools.product(SHOWN, HIDDEN, PRICES):
        data = world(film, hidden, price)
        figure = row_figure(data)
        kinds.add(tuple((t.type, t.name) for t in figure.data))
        assert f"λ = {price:g}" in summary(data)
        assert alt_text(figure)
    assert len(kinds) == 1


def test_summary_names_the_best_price(world):
    best = PRICES[world.errors[1][3].argmin()]
    assert "the best λ of this size)" in summary(world("liked in the middle", HIDDEN[3], best))
    assert f"is {best:g}, with" in summary(world("liked in the middle", HIDDEN[3], 100.0))


def test_choosing_among_trained_models_is_quick(world):
    world("liked in the middle", 1, 0.0)
    start = time.process_time()
    for price in PRICES:
        world("liked on the right", 30, price)
    assert (time.process_time() - start) / len(PRICES) < 0.020


@pytest.mark.parametrize(("name", "value"), [("film", "none"), ("hidden", 4), ("price", 0.5)])
def test_values_that_no_control_has_are_refused(world, name, value):
    setting = {"film": "liked in the middle", "hidden": 5, "price": 3.0} | {name: value}
    with pytest.raises(ValueError, match=name):
        world(**setting)
