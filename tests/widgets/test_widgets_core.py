"""The panel itself: labels, redraws, errors on screen, and what stays in a stored notebook."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from rec_lib import widgets
from rec_lib.figures.core import new_figure
from rec_lib.widgets import Panel, check_choice, check_range, choice, slider, steps, switch
from rec_lib.widgets import core as widgets_core
from rec_lib.widgets.core import Picture


def line(slope, label, power):
    check_range("slope", slope, 0, 10)
    if slope == 7:
        raise ZeroDivisionError("slope 7 <b>breaks</b>")
    x = np.arange(4.0)
    return {"x": x, "y": slope * x**power, "label": label}


def draw(data):
    figure = new_figure(f"to {data['y'][-1]:g}", "a line")
    figure.add_trace(go.Scatter(x=data["x"], y=data["y"], mode="lines"))
    if data["label"]:
        figure.add_annotation(text="end", x=3, y=data["y"][-1])
    return figure


def say(data):
    return f"It ends at {data['y'][-1]:g}."


@pytest.fixture
def panel():
    controls = {
        "slope": slider("slope (units a step)", 0, 10, 2, 1),
        "label": switch("label the end", False),
        "power": steps("power", (0.5, 1, 2), 1),
    }
    return Panel(controls, line, draw, say)


def test_redraw_carries_data_title_and_annotations(panel):
    panel.controls["slope"].value = 5
    panel.controls["label"].value = True
    assert list(panel.widget.data[0].y) == [0, 5, 10, 15]
    assert panel.widget.layout.title.text == "to 15"
    assert [a.text for a in panel.widget.layout.annotations] == ["end"]
    panel.controls["label"].value = False
    assert len(panel.widget.layout.annotations) == 0
    assert panel.line.text == "It ends at 15."


def test_a_picture_starts_from_what_was_set_before_it_was_drawn(panel):
    panel.controls["slope"].value = 5
    panel.line.width = 640
    assert list(panel.widget._widget_data[0]["y"]) == [0, 5, 10, 15]
    assert panel.widget._widget_layout["width"] == 640
    panel.widget._js2py_traceDeltas = {"trace_deltas": [], "trace_edit_id": 0}  # what plotly reports once it has drawn
    panel.controls["slope"].value = 6
    assert list(panel.widget.data[0].y) == [0, 6, 12, 18]
    assert list(panel.widget._widget_data[0]["y"]) == [0, 5, 10, 15]  # the message is enough


def test_plotly_comes_once_for_all_pictures(panel):
    other = Panel(panel.controls, line, draw, say)
    assert other.widget._store == panel.widget._store
    assert len(panel.widget._esm) < 2000
    Picture._shared.close()
    assert Panel(panel.controls, line, draw, say).widget._store != panel.widget._store


def test_only_what_changed_is_sent(panel):
    sent = []
    panel.widget._send_update_msg = lambda *args, **kwargs: sent.append((args, kwargs))
    panel.controls["power"].value = 2
    text = str(sent)
    assert len(sent) == 1
    assert "'y'" in text
    assert "'x'" not in text
    assert "template" not in text


def test_an_error_is_shown_and_the_picture_kept(panel):
    panel.controls["slope"].value = 7
    assert "ZeroDivisionError" in panel.error
    assert "breaks" in panel.error
    assert list(panel.widget.data[0].y) == [0, 2, 4, 6]
    panel.controls["slope"].value = 8
    assert panel.error == ""
    assert list(panel.widget.data[0].y) == [0, 8, 16, 24]


def test_a_figure_that_changes_its_traces_is_reported():
    def figure(data):
        drawn = draw(data)
        if data["label"]:
            drawn.add_trace(go.Bar(y=[1]))
        return drawn

    panel = Panel({"label": switch("label", False)}, lambda label: line(1, label, 1), figure, say)
    panel.controls["label"].value = True
    assert "same traces" in panel.error


def test_a_first_setting_that_fails_is_raised():
    with pytest.raises(ZeroDivisionError):
        Panel({"slope": slider("slope", 0, 10, 7, 1)}, lambda slope: line(slope, False, 1), draw, say)


def test_a_control_without_label_is_refused():
    control = slider("slope", 0, 10, 2, 1)
    control.description = " "
    with pytest.raises(ValueError, match="'slope' has no description"):
        Panel({"slope": control}, lambda slope: line(slope, False, 1), draw, say)


def test_the_panel_tells_its_width_to_the_figure(panel):
    panel.line.width = 876
    assert panel.widget.layout.width == 876
    panel.controls["slope"].value = 3
    assert panel.widget.layout.width == 876
    assert panel.picture().layout.width is None


def test_the_summary_line_is_a_live_region(panel):
    script = str(widgets_core.LiveText._esm)
    assert "aria-live" in script
    assert "textContent" in script  # not innerHTML: a message may hold anything
    assert panel.line.text == "It ends at 6."


def test_alt_text_is_escaped_for_the_page(panel):
    assert widgets_core._hidden("a < b & c") == '<p class="rec-alt">a &lt; b &amp; c</p>'


def test_show_keeps_a_picture_and_no_random_id(panel, monkeypatch):
    shown = []
    monkeypatch.setattr(widgets_core, "display", lambda bundle, raw: shown.append(bundle))
    widgets.show(panel)
    panel.controls["slope"].value = 9
    panel.controls["slope"].value = 2
    widgets.show(panel)
    first, second = shown
    view = "application/vnd.jupyter.widget-view+json"
    assert first[view]["model_id"] == panel.box.model_id
    stored = [{k: v for k, v in bundle.items() if k != view} for bundle in shown]
    assert json.dumps(stored[0], sort_keys=True) == json.dumps(stored[1], sort_keys=True)
    assert first["text/plain"] == "[interactive panel: run this cell] a line"
    assert "uid" not in json.dumps(stored)


def test_sliders_take_whole_and_real_numbers():
    assert type(slider("n", 1, 9, 3, 2).value) is int
    assert slider("w", 0.0, 1.0, 0.5, 0.1).step == 0.1
    assert choice("user", [("Ann", 1), ("Bo", 2)], 2).value == 2
    with pytest.raises(ValueError, match="got 11, expected a number from 0 to 10"):
        slider("slope", 0, 10, 11, 1)


@pytest.mark.parametrize("value", [-1, 11, float("nan"), "3"])
def test_check_range_refuses(value):
    with pytest.raises(ValueError, match="slope got"):
        check_range("slope", value, 0, 10)


def test_check_choice_refuses():
    check_choice("power", 2, (1, 2))
    with pytest.raises(ValueError, match=r"power got 3, expected one of \[1, 2\]"):
        check_choice("power", 3, (1, 2))


def test_unknown_panel_lists_the_known():
    with pytest.raises(ValueError, match="xray"):
        widgets.load("no-such")
