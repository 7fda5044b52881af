"""The interaction panel tells the model's own output apart into terms, for every kind of model and any fields off."""

import numpy as np
import pytest
import torch

from rec_lib.data import movielens, views
from rec_lib.figures.comparison import bins_figure, counts_figure, curves_figure, intervals_figure
from rec_lib.figures.core import alt_text
from rec_lib.figures.fm import contributions_figure, summary
from rec_lib.models import FM, NFM, DeepFM
from rec_lib.schema import PAD
from rec_lib.widgets.fm import Reader, interactions_panel
from rec_lib.widgets.samples import ROMANTIC_COMEDIES


@pytest.fixture(scope="module")
def ml():
    return movielens.load("ml-100k")


@pytest.fixture(scope="module")
def table(ml):
    return views.ctr(ml)


def readers(table, ml):
    for kind in (FM, DeepFM, NFM):
        torch.manual_seed(0)
        model = kind(table.schema, dim=4, init_sd=0.7)
        with torch.no_grad():
            model.linear.w.table.normal_()
        yield Reader(model, table, ml)


def test_terms_add_up_to_the_models_own_logit(table, ml):
    for reader in readers(table, ml):
        rng = np.random.default_rng(0)
        for _ in range(10):
            on = {name: bool(rng.integers(2)) for name in reader.switches.values()}
            user, film = rng.choice(list(reader.users)), rng.choice(list(reader.films))
            data = reader.compute(user, film, **on)
            assert sum(data.terms.values()) == pytest.approx(data.logit, abs=1e-4)
            assert (data.pairs == data.pairs.T).all()
            off = ~np.array(data.present)
            assert (data.pairs[off] == 0).all()
            assert (data.first[off] == 0).all()


def test_a_sample_is_the_tables_own_row(table, ml):
    reader = next(readers(table, ml))
    row = int(
        ((table["user"] == reader.users["user 354"]) & (table["item"] == reader.films[ROMANTIC_COMEDIES[0]])).nonzero()
    )
    data = reader.compute("user 354", ROMANTIC_COMEDIES[0], **dict.fromkeys(reader.switches.values(), True))
    expected = reader.model({k: v for k, v in table.batch(slice(row, row + 1)).items() if k != "label"})
    assert data.logit == pytest.approx(expected.item(), abs=1e-5)
    assert f"{int(table['rating'][row])} of 5 stars" in data.note


def test_off_means_padding(table, ml):
    reader = next(readers(table, ml))
    user, film = "user 354", ROMANTIC_COMEDIES[1]
    without = reader.compute(user, film, **{s: f != "genres" for f, s in reader.switches.items()})
    batch = reader._batch([reader.users[user]], [reader.films[film]], [True] * len(reader.fields))
    batch["genres"] = torch.full_like(batch["genres"], PAD)
    assert without.logit == pytest.approx(reader.model(batch).item(), abs=1e-5)


def test_refuses_what_it_does_not_know(table, ml):
    reader = next(readers(table, ml))
    on = dict.fromkeys(reader.switches.values(), True)
    with pytest.raises(ValueError, match="user got 'nobody'"):
        reader.compute("nobody", ROMANTIC_COMEDIES[0], **on)
    with pytest.raises(ValueError, match="film got 'no film'"):
        reader.compute("user 354", "no film", **on)
    with pytest.raises(ValueError, match="switches got"):
        reader.compute("user 354", ROMANTIC_COMEDIES[0])
    other = FM(views.ctr(ml, history=2).schema, dim=2)
    with pytest.raises(ValueError, match="another schema"):
        Reader(other, table, ml)


def test_figure_and_summary_say_the_same(table, ml):
    panel = interactions_panel(next(readers(table, ml)).model, table, ml)
    data = panel.data
    assert f"P(like) = {data.probability:.1%}" in summary(data)
    assert f"{data.probability:.0%}" in alt_text(contributions_figure(data))
    for switch in list(panel.controls)[2:]:
        panel.controls[switch].value = False
    assert panel.error == ""
    assert "No pair of fields is on" in panel.line.text


def test_comparison_figures_say_what_they_show():
    curves = curves_figure({"A": [0.5, 0.7, 0.6]}, "t", target=0.8)
    assert "A: best 0.700 in epoch 2 of 3" in alt_text(curves)
    assert curves.layout.annotations[0].text == "best possible 0.800"
    assert "A: best 0.900 in epoch 3 of 3" in alt_text(curves_figure({"A": [1.1, 1.0, 0.9]}, "t", lowest=True))
    live = intervals_figure({"A": [0.5, 0.7], "B": [0.4, 0.4]}, "t", live={"A": 0.6}, best=0.9)
    assert "A 0.6000 ± 2.2008" in alt_text(live)  # 12.706 (t, 1 degree of freedom) × 0.1414 × √(1 + 1/2)
    assert "median 2" in alt_text(counts_figure(np.array([0, 1, 2, 2, 50]), "t", "rows", "films"))
    assert "a from 0.10 to 0.20" in alt_text(bins_figure([0.0, 1.0], {"a": [0.1, 0.2]}, "t", "x", "y"))


def test_comparison_figures_refuse_too_little():
    with pytest.raises(ValueError, match="no curve"):
        curves_figure({}, "t")
    with pytest.raises(ValueError, match="two seeds"):
        intervals_figure({"A": [0.5]}, "t")
    with pytest.raises(ValueError, match="expected 2"):
        bins_figure([0.0, 1.0], {"a": [0.1]}, "t", "x", "y")
