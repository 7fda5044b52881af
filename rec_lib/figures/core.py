"""The one look of all figures: palette, marker symbols, template, alt text.

Every figure is drawn on a transparent ground, because a notebook may be light or dark and a stored
plotly picture cannot know which. The colours below therefore have to stand out from white and from
JupyterLab's dark ground (#111111) alike: graphics by 3:1 on both, text by 4.2:1 on both. No single
colour reaches more than 4.34:1 on the two together, so text is also set large. The colours are the
hues of Okabe and Ito (2008), whose orange and sky blue are darkened for this; their yellow and black cannot be kept.
Colour never carries a meaning alone: each series has its own marker symbol or dash as well.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import numpy as np
import plotly.graph_objects as go
from IPython.display import display

BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY = PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#C08400",
    "#CC79A7",
    "#3B9BD9",
    "#7A7A7A",
)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
TEXT = "#7A7A7A"  # axes, titles, annotations: reads on white and on #111111
FAINT = "rgba(127,127,127,0.25)"  # grid lines, edges of graphs
CLEAR = "rgba(0,0,0,0)"
SEQUENTIAL = "Cividis"  # made for colour-blind readers, monotone in lightness
DIVERGING = [[0.0, "#0072B2"], [0.5, "#F2F2F2"], [1.0, "#D55E00"]]  # use with zmid=0
# One family for both scripts: browsers pick the first that has the glyph.
FONT = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"

_AXIS: dict[str, Any] = {
    "gridcolor": FAINT,
    "zerolinecolor": "rgba(127,127,127,0.5)",
    "linecolor": TEXT,
    "ticks": "outside",
    "tickcolor": FAINT,
    "automargin": True,
    "title": {"standoff": 8},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 15, "color": TEXT},
        "title": {"font": {"size": 18}, "x": 0.0, "xref": "paper", "xanchor": "left", "yref": "container", "y": 0.97},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": list(PALETTE),
        "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {"bgcolor": CLEAR, "font": {"size": 14}},
        "hoverlabel": {"font": {"size": 14}},
        "modebar": {"bgcolor": CLEAR, "color": TEXT, "activecolor": BLUE},
        "margin": {"l": 64, "r": 24, "t": 56, "b": 56},
    },
    data={
        "scatter": [go.Scatter(marker={"size": 9}, line={"width": 2.5})],
        "heatmap": [go.Heatmap(colorbar={"outlinewidth": 0, "thickness": 14})],
    },
)


AnyFigure = TypeVar("AnyFigure", bound=go.Figure)


class Picture(go.Figure):
    """A plotly figure that shows itself the same way everywhere: plotly's data plus the alt text as plain text.

    JupyterLab draws the first; a reader without a plotly renderer (GitHub, a terminal, a screen reader on the
    stored notebook) gets the second. Neither holds a random id, so strict nbval can compare them.
    """

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        return {"application/vnd.plotly.v1+json": plotly_json(self), "text/plain": f"[figure] {alt_text(self)}"}

    def _ipython_display_(self) -> None:
        display(self._repr_mimebundle_(), raw=True)


def new_figure(title: str, alt: str, **layout: Any) -> Picture:
    """Return an empty figure in the course's template.

    Args:
        title: Headline of the figure; say what is seen, in both languages where a term is new.
        alt: What the figure shows, in words, for a reader who does not see it.
        **layout: Anything plotly's ``layout`` takes (``height``, ``xaxis_title``, ...).

    Raises:
        ValueError: If ``title`` or ``alt`` is empty.
    """
    if not title.strip():
        raise ValueError("new_figure got an empty title, expected a short headline.")
    # All at once: plotly checks a layout anew at each change, and a slider waits for it.
    start = {"template": TEMPLATE, "height": 420, "title": {"text": title}}
    return set_alt(Picture(layout=start | layout), alt)


def set_alt(figure: AnyFigure, alt: str) -> AnyFigure:
    """Write the alternative text into ``figure.layout.meta["alt"]`` and return the figure.

    Raises:
        ValueError: If ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("set_alt got an empty text, expected one or two sentences that say what the figure shows.")
    figure.layout.meta = dict(figure.layout.meta or {}) | {"alt": alt}
    return figure


def pieces(lines: np.ndarray, name: str, line: dict[str, Any]) -> dict[str, Any]:
    """Line pieces (n, 2, 2), each from place to place, as one trace with gaps between them.

    A plain dict: plotly checks a trace object twice, and this is drawn while a slider moves. Without pieces the trace is one
    place that is nowhere, so that it stays in the legend.
    """
    gaps = np.full((max(len(lines), 1), 3, 2), np.nan)
    gaps[: len(lines), :2] = lines
    at = gaps.reshape(-1, 2)
    trace = {"type": "scatter", "x": at[:, 0], "y": at[:, 1], "mode": "lines", "name": name, "line": line}
    return trace | {"hoverinfo": "skip"}


def alt_text(figure: go.Figure) -> str:
    """Return the alternative text of a figure.

    Raises:
        ValueError: If the figure has none.
    """
    alt = (figure.layout.meta or {}).get("alt", "")
    if not alt:
        raise ValueError(
            "The figure has no alt text: make it with new_figure(title, alt) or call set_alt(figure, alt)."
        )
    return str(alt)


def plotly_json(figure: go.Figure) -> dict[str, Any]:
    """Return the figure as plain JSON data, without the random ids that a FigureWidget gives its traces."""
    data: dict[str, Any] = json.loads(figure.to_json(remove_uids=True))
    return data
