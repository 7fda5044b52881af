"""POLY2 beside FM: every cell is a number of the model, the cells add up to its logit, and pairs are counted right."""

import numpy as np
import pytest
import torch

from rec_lib.data import movielens, views
from rec_lib.evaluation import random_split
from rec_lib.figures.core import alt_text
from rec_lib.figures.crosses import growth_figure, table_size_figure, two_views_figure, two_views_summary
from rec_lib.models import FM, POLY2
from rec_lib.schema import PAD
from rec_lib.widgets.crosses import Reader, crosses_panel, train_family
from rec_lib.widgets.samples import ROMANTIC_COMEDIES


@pytest.fixture(scope="module")
def ml():
    return movielens.load("ml-100k")


@pytest.fixture(scope="module")
def table(ml):
    return views.ctr(ml)


@pytest.fixture(scope="module")
def parts(table):
    train, valid, _ = (table.rows(index) for index in random_split(len(table), seed=0))
    return train, valid


@pytest.fixture(scope="module")
def models(table):
    torch.manual_seed(0)
    poly2, fms = POLY2(table.schema, None), {4: FM(table.schema, 4, 0.7), 2: FM(table.schema, 2, 0.7)}
    with torch.no_grad():
        for model in (poly2, *fms.values()):
            model.linear.w.table.normal_()
            model.linear.w0.normal_()
        poly2.w.normal_()
    return poly2, fms


@pytest.fixture(scope="module")
def reader(models, parts, table, ml):
    return Reader(*models, *parts, table, ml)


def test_cells_add_up_to_each_models_own_logit(reader):
    rng = np.random.default_rng(0)
    for _ in range(12):
        user, film, dim = rng.choice(list(reader.users)), rng.choice(list(reader.films)), int(rng.choice([2, 4]))
        data = reader.compute(user, film, dim)
        batch = reader.samples.batch([reader.users[user]], [reader.films[film]])
        for side, model in ((data.poly2, reader.poly2), (data.fm, reader.fms[dim])):
            assert side.logit == pytest.approx(model(batch).item(), abs=1e-4)
            assert (side.pairs == side.pairs.T).all()
        assert np.diag(data.poly2.pairs).tolist() == [0.0] * len(data.fields)


def test_rows_with_a_pair_are_counted_as_a_loop_counts_them(reader, parts):
    data = reader.compute("user 13", ROMANTIC_COMEDIES[0], 4)
    batch = {
        n: c[0].tolist()
        for n, c in reader.samples.batch([reader.users["user 13"]], [reader.films[data.title.split(" · ")[1]]]).items()
    }
    train = {name: parts[0][name].tolist() for name in ("user", "age", "year", "genres")}
    genres = set(batch["genres"]) - {PAD}
    of = {name: data.fields.index(name) for name in train}
    both = sum(u == batch["user"] and y == batch["year"] for u, y in zip(train["user"], train["year"], strict=True))
    assert data.together[of["user"], of["year"]] == both
    both = sum(a == batch["age"] and bool(genres & set(g)) for a, g in zip(train["age"], train["genres"], strict=True))
    assert data.together[of["age"], of["genres"]] == both
    assert data.together[0, 0] == train["user"].count(batch["user"])


def test_a_pair_that_never_occurred_keeps_poly2s_weight_of_zero(table, parts, ml):
    poly2, fms = train_family(*parts, dims=(2,), epochs=1)
    reader = Reader(poly2, fms, *parts, table, ml)
    silent, loud = [], []
    for user in list(reader.users)[:4]:
        for film in list(reader.films)[:15]:
            data = reader.compute(user, film, 2)
            (loud if data.together[data.watched] else silent).append(data)
    assert silent
    assert loud
    assert all(d.poly2.pairs[d.watched] == 0 for d in silent)
    assert all(d.poly2.pairs[d.watched] != 0 for d in loud)
    assert all(d.fm.pairs[d.watched] != 0 for d in silent)
    assert "stand together in 0 training rows; their weight: POLY2 0, FM" in two_views_summary(silent[0])
    assert "stand together in 1 training row." in alt_text(two_views_figure(loud[0]))


def test_training_the_family_leaves_the_callers_random_state_alone_and_repeats(parts):
    small = tuple(part.rows(torch.arange(2000)) for part in parts)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    (_, a), (_, b) = (train_family(*small, dims=(2,), epochs=1) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(a[2].emb.table, b[2].emb.table)


def test_refuses_what_it_does_not_know(reader, models, parts, table, ml):
    with pytest.raises(ValueError, match="user got 'nobody'"):
        reader.compute("nobody", ROMANTIC_COMEDIES[0], 4)
    with pytest.raises(ValueError, match="film got 'no film'"):
        reader.compute("user 13", "no film", 4)
    with pytest.raises(ValueError, match="dim got 3"):
        reader.compute("user 13", ROMANTIC_COMEDIES[0], 3)
    with pytest.raises(ValueError, match="buckets=64"):
        Reader(POLY2(table.schema, 64), models[1], *parts, table, ml)
    with pytest.raises(ValueError, match="at least one FM"):
        Reader(models[0], {}, *parts, table, ml)
    other = FM(views.ctr(ml, history=2).schema, dim=2)
    with pytest.raises(ValueError, match="table's schema"):
        Reader(models[0], {2: other}, *parts, table, ml)


def test_figure_and_summary_say_the_same(models, parts, table, ml):
    panel = crosses_panel(*models, *parts, table, ml)
    data = panel.data
    text, alt = two_views_summary(data), alt_text(two_views_figure(data))
    for side in (data.poly2, data.fm):
        assert f"P(like) = {side.probability:.1%}" in text
        assert f"probability {side.probability:.0%}" in alt
    figure = two_views_figure(data)
    left, right = figure.data
    assert left.text[1][0] == f"{data.poly2.pairs[1, 0]:+.2f}"
    assert left.text[0][1] == f"{data.together[0, 1]:,}"
    assert right.text[0][1] == ""
    assert right.z[0][1] is None


def test_growth_and_table_figures_say_what_they_show():
    lines = {"FM": [10, 100]}, {"FM": [2, 4]}
    figure = growth_figure("t", ("n", "F"), ("weights", "products"), lines, lines, ([1, 10], [2, 4]))
    assert "weights of FM: 10 to 100; products of FM: 2 to 4" in alt_text(figure)
    assert [trace.mode for trace in figure.data] == ["lines", "markers"] * 2
    with pytest.raises(ValueError, match="panel 1"):
        growth_figure("t", ("n", "F"), ("a", "b"), lines, (lines[0], {"LR": [1, 2]}), ([1, 10], [2, 4]))
    figure = table_size_figure([2, 4], {"seen": [0.6, 0.7]}, {"LR": 0.65}, "t", "AUC")
    assert "seen from 0.600 to 0.700; LR 0.650" in alt_text(figure)
    with pytest.raises(ValueError, match="expected 2"):
        table_size_figure([2, 4], {"seen": [0.6]}, {}, "t", "AUC")
