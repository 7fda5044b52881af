"""The pictures and the panel of 3.8.2 show what the classes compute."""

import numpy as np
import pytest
import torch
from legible import faults

from rec_lib.data import worlds
from rec_lib.data.movielens import load
from rec_lib.data.views import ctr
from rec_lib.experiments.din import mean_weights
from rec_lib.figures.core import alt_text
from rec_lib.figures.din import categories_figure, dice_figure, summary, weights_figure
from rec_lib.models import DIN
from rec_lib.schema import PAD
from rec_lib.widgets.din import HistoryReader

A, B = "Star Wars (1977)", "Sleepless in Seattle (1993)"


@pytest.fixture(scope="module")
def reader():
    ml = load("ml-100k")
    table = ctr(ml, history=6)
    torch.manual_seed(0)
    return HistoryReader(DIN(table.schema, dim=4, init_sd=0.7), table, ml)


def test_weights_are_the_models_newest_first(reader):
    data = reader.compute("user 354", A, B)
    user, film = reader.users["user 354"], reader.films[A]
    batch = reader.samples.batch([user], [film])
    with torch.no_grad():
        ((weights, _),) = reader.model.activations(reader.model.emb(batch), batch)
    assert data.real == 6
    np.testing.assert_allclose(data.weights[::-1], weights[0].numpy(), rtol=1e-4)
    assert data.history[0] == reader.titles[int(batch["history"][0, -1])]
    assert data.p[0] == pytest.approx(float(reader.model.predict_proba(batch)), abs=1e-5)


def test_the_history_is_that_of_the_users_last_row(reader):
    table = reader.samples.table  # newest first
    user = reader.users["user 354"]
    last = (table["user"] == user).nonzero()[0, 0]
    assert (table["timestamp"][table["user"] == user] <= table["timestamp"][last]).all()
    batch = reader.samples.batch([user], [reader.films[A]])
    assert torch.equal(batch["history"][0], table["history"][last])


def test_the_same_candidate_twice_gives_the_same_weights(reader):
    data = reader.compute("user 13", A, A)
    np.testing.assert_array_equal(data.weights, data.other)
    assert "differs by 0.00 on average" in summary(data)


def test_an_empty_history_is_drawn_and_said(reader):
    data = reader.compute("user 354", A, B)
    empty = type(data)(
        **(vars(data) | {"history": ("",) * 6, "weights": np.full(6, np.nan), "other": np.full(6, np.nan)})
    )
    assert "no history" in summary(empty)
    assert list(weights_figure(empty).data[0].x) == [None] * 6


def test_it_is_drawn_legibly_on_an_axis_that_stays(reader):
    ranges = set()
    for film in (A, B):
        figure = weights_figure(reader.compute("user 354", film, B))
        assert not faults(figure.to_plotly_json())
        assert film in alt_text(figure)
        ranges.add(figure.layout.xaxis.range)
    assert len(ranges) == 1


def test_what_cannot_be_chosen_is_refused(reader):
    with pytest.raises(ValueError, match="other"):
        reader.compute("user 354", A, "no such film")
    with pytest.raises(ValueError, match="another schema"):
        HistoryReader(
            DIN(worlds.activation(0, sizes=(10, 10, 10)).train.schema), ctr(load("ml-100k"), 6), load("ml-100k")
        )


def test_mean_weights_are_those_of_the_pairs_of_categories():
    torch.manual_seed(0)
    rows = worlds.activation(0, sizes=(300, 10, 10)).train
    model = DIN(rows.schema, dim=4, init_sd=0.7).eval()
    table, batch = mean_weights(model, rows), rows.batch()
    with torch.no_grad():
        ((weights, _),) = model.activations(model.emb(batch), batch)
    found = [
        float(weights[r, j])
        for r in range(300)
        for j in range(15)
        if batch["history"][r, j] != PAD and (batch["history"][r, j] - 2) // 5 == 3 and (batch["item"][r] - 2) // 5 == 3
    ]
    assert float(table[3, 3]) == pytest.approx(np.mean(found), abs=1e-5)
    figure = categories_figure(table.numpy(), "t")
    assert not faults(figure.to_plotly_json())


def test_dice_figure_has_a_line_a_curve_and_a_row_of_strokes_a_batch():
    figure = dice_figure([-1.0, 0.0, 1.0], {"a": [0, 0, 1], "b": [-1, 0, 1]}, {"x": [0.1, 0.2]})
    assert [t.name for t in figure.data] == ["a", "b", "x"]
    assert not faults(figure.to_plotly_json())
