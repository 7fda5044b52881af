"""Panels: labelled controls wired to a pure ``compute`` and a pure ``figure``.

A panel adds nothing of its own to the numbers: ``compute(**values)`` turns the values of the controls into data,
``figure(data)`` draws them, ``summary(data)`` says in one or two sentences what is seen. The panel only watches the
controls and carries the differences over to the figure on screen. So everything worth testing is a function.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import plotly
import plotly.graph_objects as go
import traitlets
from IPython.display import display

from rec_lib.figures.core import alt_text, plotly_json

_LABEL = {"description_width": "initial"}
_WIDE = {"flex": "1 1 380px", "max_width": "460px"}  # two in a row on a projector, with the file browser open
# The summary line belongs to a node that stays in the page: a screen reader announces a change inside a live region,
# not the arrival of a new one, which is what ipywidgets.HTML would make of every update. It also tells how wide the
# panel is, because a FigureWidget is drawn before it is in the page and stays at plotly's 700 pixels.
_LIVE_JS = """
function render({ model, el }) {
  const line = document.createElement("div");
  line.setAttribute("role", "status");
  line.setAttribute("aria-live", "polite");
  line.className = "rec-summary";
  const draw = () => {
    const error = model.get("error");
    line.textContent = error || model.get("text");
    line.style.borderLeft = "4px solid " + (error ? "#D55E00" : "#0072B2");
  };
  model.on("change:text change:error", draw);
  draw();
  el.appendChild(line);
  let timer;
  const observer = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const width = Math.round(line.getBoundingClientRect().width);
      if (width < 200 || width === model.get("width")) return;  // hidden, or nothing new
      model.set("width", width);
      model.save_changes();
    }, 80);
  });
  observer.observe(line);
  return () => observer.disconnect();
}
export default { render };
"""
# anywidget gives a widget's code two seconds to load and from then on throws every message to it away, in silence. A
# FigureWidget brings five megabytes of code each and gets its traces by message: on a busy machine it stays empty. So
# the code of a Picture is small, and plotly's comes once for the whole page, when the first picture is drawn.
_PICTURE_JS = """
async function load(model) {
  const store = await model.widget_manager.get_model(model.get("_store"));
  const url = URL.createObjectURL(new Blob([store.get("code")], { type: "text/javascript" }));
  try { return await import(url); } finally { URL.revokeObjectURL(url); }
}
function plotly(model) {
  globalThis.recLibPlotly ??= load(model).catch(error => { delete globalThis.recLibPlotly; throw error; });
  return globalThis.recLibPlotly;
}
export default () => ({
  async render(view) {
    const widget = (await plotly(view.model)).default();
    if (view.signal?.aborted) return;
    widget.initialize(view);
    return widget.render(view);
  },
});
"""
# A live figure sits in a page whose theme is known, so its lettering takes the theme's colour.
_STYLE = """<style>
.rec-panel :is([class$="title"], .legendtext, [class$="tick"] text, .bartext-outside)
  { fill: var(--jp-ui-font-color1, #7A7A7A) !important; }
.rec-panel .widget-label, .rec-panel .widget-readout { color: var(--jp-ui-font-color1, inherit); font-size: 14px; }
.rec-panel .rec-summary
  { padding: 4px 8px; margin: 2px 0 8px; font-size: 15px; line-height: 1.45; color: var(--jp-ui-font-color1, inherit); }
.rec-panel .rec-alt { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>"""


class LiveText(anywidget.AnyWidget):
    """A line of text that screen readers announce when it changes; ``error`` takes its place when not empty.

    ``width`` is its width in the page, in pixels, once it is there.
    """

    _esm = _LIVE_JS
    text = traitlets.Unicode("").tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)


class _Store(anywidget.AnyWidget):
    """Plotly's code for the page."""

    _esm = "export default {};"
    code = traitlets.Unicode("").tag(sync=True)


@cache
def _plotly_code() -> str:
    return (Path(plotly.__file__).parent / "package_data" / "widgetbundle.js").read_text(encoding="utf-8")


class Picture(go.FigureWidget):
    """A FigureWidget that comes up on a slow machine too, and with what was changed before it was drawn."""

    _esm = _PICTURE_JS
    _store = traitlets.Unicode().tag(sync=True)
    _shared: _Store | None = None
    _is_drawn = False

    @traitlets.default("_store")
    def _default_store(self) -> str:
        if Picture._shared is None or Picture._shared.comm is None:  # none yet, or closed
            Picture._shared = _Store(code=_plotly_code())
        return str(Picture._shared.model_id)

    @traitlets.observe("_js2py_traceDeltas")
    def _note_drawn(self, change: Any) -> None:
        if change["new"]:  # plotly reports back for the first time
            self._is_drawn = True

    def _send_update_msg(self, *args: Any, **kwargs: Any) -> None:
        self._refresh_start()
        super()._send_update_msg(*args, **kwargs)

    def _send_relayout_msg(self, *args: Any, **kwargs: Any) -> None:
        self._refresh_start()
        super()._send_relayout_msg(*args, **kwargs)

    def _refresh_start(self) -> None:
        # What is not drawn yet misses the message but starts from this state; what is drawn needs only the message.
        if not self._is_drawn:
            self._widget_data, self._widget_layout = deepcopy(self._data), deepcopy(self._layout)


def slider(
    label: str, low: float, high: float, value: float, step: float, readout_format: str | None = None
) -> ipywidgets.Widget:
    """Return a slider for whole numbers (if ``low``, ``high``, ``value`` and ``step`` all are) or for real ones.

    Arrow keys move it by ``step``. ``label`` says what is set and in which unit: "walk length (steps)".

    Raises:
        ValueError: If ``value`` lies outside [low, high].
    """
    check_range(label, value, low, high)
    whole = all(isinstance(x, int) for x in (low, high, value, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    # continuous_update: the front end sends the next value only when the last redraw is done, so nothing queues up.
    return kind(
        min=low,
        max=high,
        value=value,
        step=step,
        description=label,
        style=_LABEL,
        layout=_WIDE,
        continuous_update=True,
        readout_format=readout_format or ("d" if whole else ".2f"),
    )


def steps(label: str, options: Iterable[Any], value: Any) -> ipywidgets.Widget:
    """Return a slider over the given values, for scales that are not even: ``steps("p", (0.25, 0.5, 1, 2, 4), 1)``.

    ``options`` are values or (text, value) pairs.
    """
    return ipywidgets.SelectionSlider(
        options=list(options), value=value, description=label, style=_LABEL, layout=_WIDE, continuous_update=True
    )


def choice(label: str, options: Iterable[Any], value: Any) -> ipywidgets.Widget:
    """Return a drop-down list over values or (text, value) pairs."""
    return ipywidgets.Dropdown(options=list(options), value=value, description=label, style=_LABEL, layout=_WIDE)


def switch(label: str, value: bool) -> ipywidgets.Widget:
    """Return a check box."""
    return ipywidgets.Checkbox(value=value, description=label, indent=False, style=_LABEL, layout=_WIDE)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside [low, high].

    Raises:
        ValueError: Names the control, what was got and what is expected.
    """
    if not isinstance(value, (int, float, np.integer, np.floating)) or not low <= value <= high:
        raise ValueError(f"{name} got {value!r}, expected a number from {low} to {high}.")


def check_whole(name: str, value: int, low: int, high: int) -> None:
    """Refuse what is no whole number in [low, high].

    Raises:
        ValueError: Names the control, what was got and what is expected.
    """
    if not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(f"{name} got {value!r}, expected a whole number from {low} to {high}.")


def check_choice(name: str, value: Any, options: Iterable[Any]) -> None:
    """Refuse a value that is not among the options.

    Raises:
        ValueError: Names the control, what was got and what is expected.
    """
    options = list(options)
    if not isinstance(value, Hashable) or value not in options:  # an array compares entry by entry
        raise ValueError(f"{name} got {value!r}, expected one of {options}.")


class Panel:
    """Controls, a figure and a summary line, wired to pure functions.

    Args:
        controls: Name of a parameter of ``compute`` -> the widget that sets it. Each widget needs a description
            (its label, with the unit). ``slider``, ``steps``, ``choice`` and ``switch`` make them.
        compute: ``compute(**values) -> data``: pure, total over the controls' values; ValueError outside them.
        figure: ``figure(data) -> go.Figure``: pure; the same number and types of traces for all data.
        summary: ``summary(data) -> str``: what is seen, in a sentence or two of plain text.

    Attributes:
        box: The widget to display (or use ``show(panel)``).
        data: What ``compute`` returned last.
        error: The message of the last failure, or "" when the last redraw worked.

    Raises:
        ValueError: If a control has no label.
    """

    def __init__(
        self,
        controls: Mapping[str, ipywidgets.Widget],
        compute: Callable[..., Any],
        figure: Callable[[Any], go.Figure],
        summary: Callable[[Any], str],
    ) -> None:
        for name, control in controls.items():
            if not control.description.strip():
                raise ValueError(f"Control {name!r} has no description; give it a label with its unit.")
        self.controls = dict(controls)
        self.compute, self.figure, self.summary = compute, figure, summary
        self.data = compute(**self.values)
        drawn = figure(self.data)
        self._drawn = _properties(drawn)
        self.widget = Picture(drawn)
        self.line = LiveText(text=summary(self.data))
        self._alt = ipywidgets.HTML(_hidden(alt_text(drawn)))
        row = ipywidgets.Box(
            list(self.controls.values()), layout={"flex_flow": "row wrap", "grid_gap": "2px 20px", "width": "100%"}
        )
        self.box = ipywidgets.VBox([ipywidgets.HTML(_STYLE), row, self._alt, self.widget, self.line])
        self.box.add_class("rec-panel")
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self.line.observe(self._fit, names="width")

    @property
    def values(self) -> dict[str, Any]:
        """The current values of the controls, by parameter name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def error(self) -> str:
        """The message of the last failure, or "" when the last redraw worked."""
        return str(self.line.error)

    def picture(self) -> go.Figure:
        """Return the figure of the current data as ``figure`` draws it, without widget state."""
        return self.figure(self.data)

    def _redraw(self, _change: Any = None) -> None:
        # This runs inside the kernel's message handler, where an exception would end in a log that no learner reads:
        # the panel shows it in its own line instead and keeps the last good picture.
        try:
            data = self.compute(**self.values)
            drawn = self.figure(data)
            text = self.summary(data)
            self._carry_over(drawn)
        except Exception as error:
            self.line.error = f"This setting could not be drawn ({type(error).__name__}): {error}"
            return
        self.data = data
        self._alt.value = _hidden(alt_text(drawn))
        with self.line.hold_sync():
            self.line.text, self.line.error = text, ""

    def _fit(self, change: Any) -> None:
        self.widget.layout.width = change["new"]

    def _carry_over(self, drawn: go.Figure) -> None:
        """Send what differs from the picture on screen, in one batch: no flicker, no lost zoom."""
        before, after = self._drawn, _properties(drawn)
        if [t["type"] for t in after[0]] != [t["type"] for t in before[0]]:
            raise ValueError(
                f"figure() drew traces {[t['type'] for t in after[0]]}, before {[t['type'] for t in before[0]]}; "
                "draw the same traces for all data and leave some empty."
            )
        with self.widget.batch_update():
            for target, old, new in zip(self.widget.data, before[0], after[0], strict=True):
                target.update(_changes(old, new), overwrite=True)
            self.widget.layout.update(_changes(before[1], after[1]), overwrite=True)
        self._drawn = after


def show(panel: Panel) -> None:
    """Display a panel so that a picture stays: live where a kernel runs, a plotly picture in a stored notebook."""
    view = panel.box._repr_mimebundle_()
    bundle = dict(view[0] if isinstance(view, tuple) else view)
    picture = panel.picture()
    bundle["application/vnd.plotly.v1+json"] = plotly_json(picture)
    bundle["text/plain"] = f"[interactive panel: run this cell] {alt_text(picture)}"
    display(bundle, raw=True)


def _hidden(alt: str) -> str:
    escaped = alt.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<p class="rec-alt">{escaped}</p>'


def _properties(figure: go.Figure) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    # Trace by trace: the whole figure's to_plotly_json() would turn arrays into base64, which cannot be compared.
    layout = figure.layout.to_plotly_json()
    plain = {key: value for key, value in layout.items() if key not in ("template", "meta")}
    return [trace.to_plotly_json() for trace in figure.data], plain


def _changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that differ; those that are gone become None, which resets them."""
    gone = {key: None for key in old if key not in new}
    return gone | {key: value for key, value in new.items() if key not in old or not _same(old[key], value)}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.shape(a) == np.shape(b) and bool(np.all(np.asarray(a) == np.asarray(b)))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)
