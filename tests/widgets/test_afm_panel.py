"""The panel of 3.8.1 shows what the class computes."""

import numpy as np
import pytest
import torch
from legible import faults

from rec_lib.data import worlds
from rec_lib.data.movielens import load
from rec_lib.data.views import ctr
from rec_lib.figures.afm import attention_figure, summary
from rec_lib.models import AFM, FM
from rec_lib.widgets.afm import AttentionReader

FILM = "Sleepless in Seattle (1993)"


@pytest.fixture(scope="module")
def reader():
    ml = load("ml-100k")
    table = ctr(ml)
    torch.manual_seed(0)
    model = AFM(table.schema, dim=6, init_sd=0.7)
    return AttentionReader(model, table, ml)


def sample(reader):
    return reader.samples.batch([reader.users["user 354"]], [reader.films[FILM]])


def test_as_learnt_it_is_the_model(reader):
    data, batch = reader.compute("user 354", FILM, 1.0), sample(reader)
    with torch.no_grad():
        assert data.logit == pytest.approx(float(reader.model(batch)), abs=1e-4)
        a = reader.model.attention(reader.model.pairs(reader.model.emb(batch)), batch)[0]
    np.testing.assert_allclose(data.share[np.triu_indices(8, 1)], 28 * a.numpy(), rtol=1e-4)
    np.testing.assert_allclose(data.share, data.share.T)
    i, j = data.top
    assert data.share[i, j] == np.nanmax(data.share)


def test_at_0_it_is_fm(reader):
    data, batch = reader.compute("user 354", FILM, 0.0), sample(reader)
    fm = FM(reader.model.schema, 6).eval()
    fm.load_state_dict({n: w for n, w in reader.model.state_dict().items() if n in fm.state_dict()})
    with torch.no_grad():
        assert data.logit == pytest.approx(float(fm(batch)), abs=1e-4)
    assert data.logit == data.even_logit
    assert "this is FM" in summary(data)


def test_sharper_scores_give_the_top_pair_more(reader):
    tops = [np.nanmax(reader.compute("user 354", FILM, x).share) for x in (0.0, 1.0, 4.0, 8.0)]
    assert tops == sorted(tops)
    assert tops[-1] <= 28


def test_it_is_drawn_legibly_and_the_top_pair_is_framed(reader):
    data = reader.compute("user 354", FILM, 1.0)
    figure = attention_figure(data)
    assert not faults(figure.to_plotly_json())
    i, j = data.top
    assert {(s.x0 + 0.5, s.y0 + 0.5) for s in figure.layout.shapes} == {(j, i), (i, j)}


def test_what_cannot_be_chosen_is_refused(reader):
    with pytest.raises(ValueError, match="sharpness"):
        reader.compute("user 354", FILM, 9.0)
    with pytest.raises(ValueError, match="film"):
        reader.compute("user 354", "no such film", 1.0)
    with pytest.raises(ValueError, match="another schema"):
        AttentionReader(AFM(worlds.pure_fm(0, (10, 10, 10)).train.schema), ctr(load("ml-100k")), load("ml-100k"))
