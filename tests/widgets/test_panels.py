"""Every panel of the library, walked over its controls: nothing here knows what a panel shows."""

import copy
import functools
import itertools
import random
import time

import ipywidgets
import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from legible import faults

from rec_lib import widgets
from rec_lib.figures.core import alt_text, plotly_json

SAMPLES = 60  # settings drawn from a panel's grid, besides its corners and each control moved alone
CORNERS = 64
TALLEST = 640  # pixels of a panel's figure: about what JupyterLab leaves of a laptop's or projector's screen
COMPUTE_MS, REDRAW_MS = 20, 100  # aims: printed; a test fails only at ten times as much, on a busy machine


@functools.cache
def panel(name):
    return widgets.load(name)


def grid(control):
    """All values that a control can take."""
    if isinstance(control, ipywidgets.SelectionSlider | ipywidgets.Dropdown | ipywidgets.ToggleButtons):
        return [value for _, value in control._options_full]
    if isinstance(control, ipywidgets.Checkbox | ipywidgets.ToggleButton):
        return [False, True]
    if isinstance(control, ipywidgets.Text):  # anything can be typed
        return [control.value, "", "  ", "e", "STAR", "king", "(19", "no such name", "[*\\", "\u661f", "die hard"]
    if isinstance(control, ipywidgets.IntSlider | ipywidgets.Play | ipywidgets.BoundedIntText):
        return list(range(control.min, control.max + 1, control.step))
    assert isinstance(control, ipywidgets.FloatSlider), f"teach this test the values of a {type(control).__name__}"
    count = round((control.max - control.min) / control.step)
    return [min(control.min + i * control.step, control.max) for i in range(count + 1)]


def outside(control):
    """Values that a control cannot take."""
    if isinstance(control, ipywidgets.Checkbox | ipywidgets.ToggleButton):
        return []
    if isinstance(control, ipywidgets.Text):
        return [None, 3, [], np.ones(2)]
    if hasattr(control, "_options_full"):
        return ["no such option", -987654321, None, [], np.ones(2)]
    wrong = [control.min - control.step, control.max + control.step, float("nan"), None, "1", [1.0], np.ones(2)]
    return wrong if isinstance(control, ipywidgets.FloatSlider) else [*wrong, control.min + 0.5]


def settings(p):
    """The corners, each control over its whole grid alone, and a seeded sample of the rest."""
    grids = {name: grid(control) for name, control in p.controls.items()}
    start = p.values
    rng = np.random.default_rng(0)
    corners = list(itertools.product(*({g[0]: 0, g[-1]: 0} for g in grids.values())))
    if len(corners) > CORNERS:
        corners = [corners[i] for i in rng.choice(len(corners), CORNERS, replace=False)]
    yield from (dict(zip(grids, corner, strict=True)) for corner in corners)
    for name, values in grids.items():
        yield from (start | {name: value} for value in values)
    for _ in range(SAMPLES):
        yield {name: values[rng.integers(len(values))] for name, values in grids.items()}


def same(a, b):
    """Equal data, arrays and NaN included."""
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) or hasattr(a, "numpy") or isinstance(a, float):
        x, y = np.asarray(a), np.asarray(b)
        return x.shape == y.shape and bool(np.all((x == y) | ((x != x) & (y != y))))
    return a is b or bool(np.all(a == b))


every_panel = pytest.mark.parametrize("name", sorted(widgets.PANELS))


@every_panel
def test_total_over_its_controls(name):
    """Any setting gives a figure with alt text, the same traces, and a summary."""
    p = panel(name)
    kinds = [trace.type for trace in p.picture().data]
    assert kinds, "the figure is empty"
    taken = []
    for values in settings(p):
        start = time.perf_counter()
        data = p.compute(**values)
        taken.append(1000 * (time.perf_counter() - start))
        figure = p.figure(data)
        assert [trace.type for trace in figure.data] == kinds, values
        assert alt_text(figure).strip(), values
        assert p.summary(data).strip(), values
    median, slowest = np.median(taken), np.max(taken)
    print(f"\n{name}: compute median {median:.1f} ms, slowest {slowest:.0f} ms over {len(taken)} settings")
    assert median < 10 * COMPUTE_MS


@every_panel
def test_its_figures_are_legible(name):
    p = panel(name)
    for values in itertools.islice(settings(p), 8):
        figure = p.figure(p.compute(**values))
        assert faults(plotly_json(figure)) == [], values
        assert figure.layout.height <= TALLEST, values


@every_panel
def test_compute_is_pure(name):
    """The same setting gives the same data, whatever was computed between, and no random state is used."""
    p = panel(name)
    chosen = list(itertools.islice(settings(p), 8))
    states = random.getstate(), torch.get_rng_state()
    first = [copy.deepcopy(p.compute(**values)) for values in chosen]
    again = [p.compute(**values) for values in reversed(chosen)][::-1]
    assert same(first, again)
    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])


@every_panel
def test_figure_and_summary_leave_the_data_alone(name):
    p = panel(name)
    data = p.compute(**p.values)
    before = copy.deepcopy(data)
    p.figure(data)
    p.summary(data)
    assert same(data, before)


@every_panel
def test_out_of_range_is_refused_by_name(name):
    p = panel(name)
    for control_name, control in p.controls.items():
        for value in outside(control):
            with pytest.raises(ValueError, match=control_name):
                p.compute(**(p.values | {control_name: value}))


@every_panel
def test_controls_are_labelled(name):
    for control in panel(name).controls.values():
        assert control.description.strip()
        assert control.style.description_width == "initial", "a long label would be cut"


@every_panel
def test_moving_a_control_redraws(name):
    """Each control moved to an end changes what is on screen or what is said, without an error."""
    p = panel(name)
    taken = []
    for control_name, control in p.controls.items():
        values = grid(control)
        start, seen = control.value, []
        for value in (values[0], values[-1], start):
            begun = time.perf_counter()
            control.value = value
            taken.append(1000 * (time.perf_counter() - begun))
            assert p.error == "", control_name
            seen.append((go.Figure(p.widget).to_json(), p.line.text))
        assert seen[0] != seen[1], f"{control_name} changes nothing"
    print(f"\n{name}: compute and redraw in the kernel, median {np.median(taken):.0f} ms")
    assert np.median(taken) < 10 * REDRAW_MS
