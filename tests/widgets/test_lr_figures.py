"""Pictures of 2.4 show what they are given: axes fit the data, intervals are there, reversals are crosses."""

import numpy as np
import pandas as pd
import pytest

from rec_lib.evaluation.calibration import reliability
from rec_lib.figures.core import alt_text
from rec_lib.figures.lr import lines_figure, reliability_figure, search_figure


def test_words_on_the_axis_are_categories_and_counts_may_be_logarithmic():
    words = lines_figure("t", "a", {"one": (["none", "some"], [1.0, 2.0])}, "x", "y")
    assert words.layout.xaxis.type is None  # plotly decides; a linear axis would show nothing
    counts = lines_figure("t", "a", {"one": ([10, 1000], [1.0, 2.0])}, "x", "y", log_x=True, text={"one": ["", "λ"]})
    assert counts.layout.xaxis.type == "log"
    assert counts.data[0].mode == "lines+markers+text"


def test_long_lines_have_no_markers_and_lines_differ_in_more_than_colour():
    x = np.arange(100)
    figure = lines_figure("t", "a", {"one": (x, x), "two": (x, x)}, "x", "y", spread={"two": x})
    assert [trace.mode for trace in figure.data] == ["lines", "lines"]
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert figure.data[0].error_y.array is None
    assert list(figure.data[1].error_y.array) == list(x)


def test_intervals_of_a_reliability_curve_are_wilsons():
    rng = np.random.default_rng(0)
    p = rng.random(500)
    r = reliability((rng.random(500) < p).astype(float), p)
    figure = reliability_figure({"model": r}, "t")
    trace = figure.data[1]
    np.testing.assert_allclose(trace.y + trace.error_y.array, r.high)
    np.testing.assert_allclose(trace.y - trace.error_y.arrayminus, r.low)
    assert f"{r.ece:.3f}" in alt_text(figure)


def test_every_comparison_is_drawn_once():
    found = pd.DataFrame(
        {"compared": ["a", "b", "c"], "within": ["g", "g", "h"], "pooled": [0.1, -0.1, 0.2], "inside": [0.2, 0.1, -0.1]}
    ).assign(reversed=[False, True, True])
    figure = search_figure(found, ("b", "g"))
    assert [len(trace.x) for trace in figure.data[1:]] == [1, 1, 1]
    assert figure.data[3].x[0] == pytest.approx(-0.1)
    assert "3 comparisons, 2 change sign" in figure.layout.title.text
