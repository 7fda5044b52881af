"""The template reads on both grounds, the map follows the catalogue, the start page's numbers are right."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from rec_lib import catalogue
from rec_lib.data import movielens
from rec_lib.figures import core, new_figure, set_alt
from rec_lib.figures.course_map import START, course_map
from rec_lib.figures.pair import (
    DESIGN,
    Cells,
    best_weights,
    chance_figure,
    fourth,
    genre_cells,
    interaction_z,
    log_loss,
    pair_z,
)
from rec_lib.glossary import glossary

GROUNDS = ("#FFFFFF", "#111111")  # JupyterLab's light and dark page (--jp-layout-color0)


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", GROUNDS)
def test_colours_read_on_both_grounds(ground):
    assert min(contrast(colour, ground) for colour in core.PALETTE) >= 3
    assert contrast(core.TEXT, ground) >= 4.2  # of at most 4.34 on both


def test_every_colour_has_a_symbol_and_a_dash_of_its_own():
    assert len(set(core.PALETTE)) == len(set(core.SYMBOLS)) == len(core.PALETTE)
    assert len(core.DASHES) == len(core.PALETTE)


def test_a_figure_shows_itself_without_random_ids():
    figure = new_figure("Title", "What it shows", xaxis_title="x", height=300)
    figure.add_trace(go.Scatter(y=np.arange(3.0)))
    bundle = figure._repr_mimebundle_()
    assert bundle["text/plain"] == "[figure] What it shows"
    assert bundle == figure._repr_mimebundle_()
    drawn = bundle["application/vnd.plotly.v1+json"]
    assert "uid" not in json.dumps(drawn)
    assert drawn["layout"]["xaxis"]["title"]["text"] == "x"
    assert len(json.dumps(drawn)) < 4000


def test_a_widget_loses_its_ids():
    widget = go.FigureWidget(data=[go.Scatter(y=[1, 2])])
    assert widget.data[0].uid
    assert "uid" not in json.dumps(core.plotly_json(widget))


@pytest.mark.parametrize(("title", "alt"), [("", "x"), ("x", " ")])
def test_title_and_alt_are_asked_for(title, alt):
    with pytest.raises(ValueError, match="empty"):
        new_figure(title, alt)


def test_alt_text_keeps_other_meta_and_is_missed_where_absent():
    figure = go.Figure(layout={"meta": {"source": "here"}})
    with pytest.raises(ValueError, match="no alt text"):
        core.alt_text(figure)
    assert set_alt(figure, "words").layout.meta == {"source": "here", "alt": "words"}


# --- course map ------------------------------------------------------------------------------------------------------


def labels(figure):
    return [text.replace("<br>", " ") for trace in figure.data if trace.mode == "text" for text in trace.text or ()]


def test_map_has_a_tile_for_every_section():
    found = labels(course_map())
    assert len(found) == len(catalogue.SECTIONS) + 1
    ids = [text.split("</b>")[0].removeprefix("<b>").split()[-1] for text in found]
    assert sorted(ids) == sorted(s.id for s in (START, *catalogue.SECTIONS))


def test_map_shows_progress_by_mark_and_bar():
    bare = course_map()
    drawn = course_map(progress={"3.7.1": 1.0, "3.7.2": 0.5})
    marks = {text.split("</b>")[0].removeprefix("<b>") for text in labels(drawn)}
    assert {"✓ 3.7.1", "◐ 3.7.2", "○ 3.7.3", "9.1"} <= marks
    assert len(drawn.layout.shapes) == len(bare.layout.shapes) + 2
    assert "1 complete" in core.alt_text(drawn)


def test_map_names_the_systems_of_a_section():
    hovers = [h for trace in course_map().data for h in trace.hovertext or ()]
    assert any("FFM (2016)" in h and "2.5" in h and "从FM到FFM" in h for h in hovers)


@pytest.mark.parametrize(("progress", "message"), [({"3.7.9": 1}, "3.7.9"), ({"3.7.1": 1.2}, "got 1.2")])
def test_map_refuses(progress, message):
    with pytest.raises(ValueError, match=message):
        course_map(progress=progress)


# --- the pair --------------------------------------------------------------------------------------------------------

CELLS = Cells("a", "b", np.array([111, 55, 45, 22]), np.array([70, 36, 29, 6]))


@pytest.mark.parametrize("pair", [False, True])
def test_best_weights_agree_with_two_other_solvers(pair):
    columns = 4 if pair else 3
    found = best_weights(CELLS, pair)
    searched = minimize(lambda w: log_loss(CELLS, np.append(w, np.zeros(4 - columns))), np.zeros(columns))
    assert found[:columns] == pytest.approx(searched.x, abs=1e-3)
    x = np.repeat(np.vstack([DESIGN, DESIGN])[:, 1:columns], np.r_[CELLS.liked, CELLS.seen - CELLS.liked], axis=0)
    y = np.repeat([1, 0], [CELLS.liked.sum(), (CELLS.seen - CELLS.liked).sum()])
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    assert found[1:columns] == pytest.approx(fitted.coef_[0], abs=1e-4)
    assert found[0] == pytest.approx(fitted.intercept_[0], abs=1e-4)


def test_free_weights_hit_all_four_shares_and_additive_ones_cannot():
    said = 1 / (1 + np.exp(-DESIGN @ best_weights(CELLS, pair=True)))
    assert said == pytest.approx(CELLS.share)
    assert fourth(*CELLS.share[:3]) == pytest.approx(0.668, abs=1e-3)


def test_standard_error_is_that_of_simulated_users():
    rng = np.random.default_rng(0)
    seen = np.array([60, 40, 40, 40])
    p = 1 / (1 + np.exp(-DESIGN @ [0.3, 0.4, -0.2, 0.0]))
    z = [pair_z(Cells("a", "b", seen, rng.binomial(seen, p))) for _ in range(3000)]
    assert np.mean(z) == pytest.approx(0, abs=0.06)
    assert np.std(z) == pytest.approx(1, abs=0.05)


def test_cells_count_what_the_tables_hold():
    ml = movielens.load("ml-100k")
    cells = genre_cells(ml, "Comedy", "Romance")[354]
    rated = ml.ratings[ml.ratings["user"] == 354]
    both = [{"Comedy", "Romance"} <= set(ml.items.loc[i, "genres"]) for i in rated["item"]]
    assert cells.seen.sum() == len(rated)
    assert cells.seen[3] == sum(both)
    assert cells.liked[3] == (rated["rating"].to_numpy()[both] >= 4).sum()
    assert all(c.seen.min() >= 15 for c in genre_cells(ml, "Comedy", "Romance", least=15).values())
    with pytest.raises(ValueError, match="'Comdy'"):
        genre_cells(ml, "Comdy", "Romance")


@pytest.mark.parametrize("share", [0.4, 0.6, 0.75])
def test_chance_spreads_a_little_less_than_one_in_cells_of_few_films(share):
    """What the chance figure says of its line, for users without an interaction; with many films the spread is 1."""
    rng = np.random.default_rng(0)
    few, many = (interaction_z(np.full(4, n), rng.binomial(n, share, (20_000, 4))).std() for n in (15, 2000))
    assert 0.9 < few < 0.985
    assert many == pytest.approx(1, abs=0.02)


def test_chance_figure_counts_every_user():
    z = np.array([-1.2, 0.1, 0.2, 2.0])
    figure = chance_figure(z, -1.2)
    assert sum(figure.data[0].y) == 4
    assert "4 users" in core.alt_text(figure)


def test_pieces_are_one_trace_with_gaps_and_without_any_a_place_that_is_nowhere():
    lines = np.arange(8.0).reshape(2, 2, 2)
    trace = core.pieces(lines, "border", {"width": 2})
    assert np.isnan(trace["x"]).tolist() == [False, False, True] * 2
    assert np.array_equal(np.stack([trace["x"], trace["y"]], 1).reshape(2, 3, 2)[:, :2], lines)
    nothing = core.pieces(lines[:0], "border", {})
    assert len(nothing["x"]) > 0
    assert np.isnan(nothing["x"]).all()


# --- glossary --------------------------------------------------------------------------------------------------------


def test_glossary_is_whole_and_refuses_unknown_terms():
    everything = glossary().terms
    assert len(everything) > 100
    assert all(t.en.strip() and t.zh.strip() and t.line.strip() for t in everything)
    assert len({t.en for t in everything}) == len(everything)
    assert "特征交叉" in repr(glossary("feature crossing, interaction"))
    assert "&lt;" not in glossary("embedding")._repr_html_()
    with pytest.raises(ValueError, match="embedding"):
        glossary("embeding")
