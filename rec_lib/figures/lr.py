"""Pictures of section 2.4: calibration, two comparisons of the same rows, what FTRL's penalty leaves, and two panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rec_lib.evaluation.calibration import Reliability
from rec_lib.figures.core import BLUE, DASHES, FAINT, GREEN, GREY, PALETTE, SYMBOLS, VERMILION, Picture, new_figure


def reliability_figure(curves: Mapping[str, Reliability], title: str) -> Picture:
    """Share of clicks against the prediction, a line a model, with the 95 % interval of each group."""
    said = "; ".join(f"{name}: expected calibration error {r.ece:.3f}" for name, r in curves.items())
    figure = new_figure(
        title,
        f"Share of clicks by predicted probability, with 95 % intervals; on the diagonal both are equal. {said}.",
        height=440,
        xaxis={"title": "predicted", "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title": "clicked", "range": [0, 1], "tickformat": ".0%"},
        legend={"x": 0.02, "y": 0.98, "yanchor": "top"},
    )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="calibrated", line={"color": GREY, "dash": "dot", "width": 1.5}
    )
    for number, (name, r) in enumerate(curves.items()):
        figure.add_scatter(
            x=r.predicted,
            y=r.observed,
            error_y={"array": r.high - r.observed, "arrayminus": r.observed - r.low, "thickness": 1.5},
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[number], "dash": DASHES[number]},
            marker={"symbol": SYMBOLS[number], "color": PALETTE[number]},
        )
    return figure


def lines_figure(
    title: str,
    alt: str,
    lines: Mapping[str, tuple[Sequence[float] | NDArray, Sequence[float] | NDArray]],
    x: str,
    y: str,
    spread: Mapping[str, Sequence[float] | NDArray] | None = None,
    log_x: bool = False,
    text: Mapping[str, Sequence[str]] | None = None,
) -> Picture:
    """Lines over one axis: name -> (x, y), with error bars and texts at the points where they are given."""
    figure = new_figure(
        title,
        alt,
        height=400,
        xaxis={"title": x} | ({"type": "log", "dtick": 1} if log_x else {}),
        yaxis={"title": y},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 96},
    )
    for number, (name, (at, values)) in enumerate(lines.items()):
        marks = "lines+markers" if len(at) <= 30 else "lines"
        figure.add_scatter(
            x=at,
            y=values,
            error_y={"array": spread[name], "thickness": 1.5} if spread and name in spread else None,
            mode=marks + "+text" if text and name in text else marks,
            text=text[name] if text and name in text else None,
            textposition="top right",
            cliponaxis=False,
            name=name,
            line={"color": PALETTE[number], "dash": DASHES[number]},
            marker={"symbol": SYMBOLS[number], "color": PALETTE[number]},
        )
    return figure


def search_figure(found: pd.DataFrame, marked: tuple[str, str]) -> Picture:
    """Every comparison of a search as a dot: pooled difference against the one inside the groups; reversals are crosses.

    found   columns compared, within, pooled, inside, reversed.    marked  the comparison that gets a star.
    """
    names = found["compared"] + ", within " + found["within"]
    star = ((found["compared"] == marked[0]) & (found["within"] == marked[1])).to_numpy()
    turned = found["reversed"].to_numpy() & ~star
    figure = new_figure(
        f"{len(found)} comparisons, {int(found['reversed'].sum())} change sign",
        f"Difference in the share of liked films over all rows, against the same inside groups, for {len(found)} comparisons. Most dots "
        f"lie near the diagonal; {int(found['reversed'].sum())} lie in the two quadrants where the signs differ.",
        height=460,
        xaxis={"title": "difference over all rows", "tickformat": "+.0%"},
        yaxis={"title": "difference inside the groups", "tickformat": "+.0%"},
        legend={"x": 0.02, "y": 0.98, "yanchor": "top"},
    )
    low, high = float(found["pooled"].min()), float(found["pooled"].max())
    figure.add_scatter(
        x=[low, high], y=[low, high], mode="lines", name="no change", line={"color": GREY, "dash": "dot", "width": 1.5}
    )
    for name, mask, marker in (
        ("same sign", ~found["reversed"].to_numpy(), {"color": BLUE, "symbol": "circle", "size": 6, "opacity": 0.5}),
        ("sign changes", turned, {"color": VERMILION, "symbol": "x", "size": 8}),
        (f"{marked[0]}, within {marked[1]}", star, {"color": GREEN, "symbol": "star", "size": 16}),
    ):
        figure.add_scatter(
            x=found["pooled"][mask],
            y=found["inside"][mask],
            mode="markers",
            name=name,
            marker=marker,
            text=names[mask],
            hovertemplate="%{text}: %{x:+.1%} over all, %{y:+.1%} inside<extra></extra>",
        )
    return figure


# --- the panel of the paradox ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TwoVideos:
    """Click rates of videos A and B among men and women, and what two logistic regressions make of them."""

    women: tuple[float, float]  # share of women among those who saw A, B
    rate: NDArray  # (2 videos, 2 groups) true click rates, men first
    pooled: NDArray  # (2,) over everybody
    alone: float  # weight of "video is B", the only feature
    beside: float  # the same with the feature "woman" beside it
    fitted: NDArray  # (2, 2) what the second model says
    loss: tuple[float, float, float]  # log loss of the first, the second, and the best possible

    @property
    def is_reversed(self) -> bool:
        """B is better in both groups and worse in the sum, or the other way round."""
        inside = self.rate[1] - self.rate[0]
        sum_ = self.pooled[1] - self.pooled[0]
        return bool((inside * sum_ < 0).all())


def two_videos_figure(data: TwoVideos) -> Picture:
    """Rates of both videos in both groups and in the sum, and the two weights."""
    groups = ["men 男", "women 女", "everybody 合计"]
    verdict = "the sum contradicts both groups" if data.is_reversed else "no paradox"
    figure = new_figure(
        f"Click rates 点击率: {verdict}",
        f"Click rate of video A and video B. Men: {data.rate[0, 0]:.1%} and {data.rate[1, 0]:.1%}; women: {data.rate[0, 1]:.1%} and "
        f"{data.rate[1, 1]:.1%}; everybody: {data.pooled[0]:.1%} and {data.pooled[1]:.1%}. Weight of B alone {data.alone:+.2f}, beside "
        f"the feature woman {data.beside:+.2f}.",
        height=430,
        xaxis={"domain": [0, 0.58]},
        yaxis={"title": "clicks / times shown", "tickformat": ".2~%", "rangemode": "tozero"},
        xaxis2={"domain": [0.76, 1], "anchor": "y2"},
        yaxis2={"anchor": "x2", "title": "LR's weight of B", "range": [-2.6, 2.6], "zeroline": True},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 96},
    )
    traces: list[dict[str, Any]] = []
    for video, (name, colour, symbol) in enumerate((("video A", BLUE, "circle"), ("video B", VERMILION, "square"))):
        y = [*data.rate[video], data.pooled[video]]
        shared = {"type": "scatter", "x": groups, "y": y, "cliponaxis": False}
        traces.append(
            shared
            | {"mode": "markers", "name": name, "marker": {"color": colour, "symbol": symbol, "size": 15}}
            | {"hovertemplate": "%{x}: %{y:.2%}<extra>" + name + "</extra>"}
        )
        said = {"color": colour, "symbol": f"{symbol}-open", "size": 21, "line": {"width": 2}}
        traces.append(
            {"type": "scatter", "x": groups[:2], "y": list(data.fitted[video]), "mode": "markers", "marker": said}
            | {"cliponaxis": False}
            | {"name": f"LR with “woman”, {name}", "hovertemplate": "%{x}: %{y:.2%}<extra>LR</extra>"}
        )
    weights = [data.alone, data.beside]
    traces.append(
        {
            "type": "bar",
            "x": ["B alone", "B and woman"],
            "y": weights,
            "xaxis": "x2",
            "yaxis": "y2",
            "showlegend": False,
        }
        | {"marker": {"color": [GREY, GREEN], "pattern": {"shape": ["", "/"]}}}
        | {"text": [f"{value:+.2f}" for value in weights], "textposition": "outside", "cliponaxis": False}
        | {"hovertemplate": "%{x}: %{y:+.2f}<extra></extra>"}
    )
    figure.add_traces(traces)
    return figure


# --- the panel of FTRL -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pass:
    """One pass of FTRL over the first rows of a stream."""

    truth: NDArray  # (d,) weights of the law
    path: NDArray  # (rows + 1, d) weights after each row
    z: NDArray  # (d,) what FTRL keeps, at the end
    seen: NDArray  # (d,) how often each feature was there
    l1: float
    loss: float  # mean log loss of what was said before each label
    best: float  # the same of the law
    base: float  # the same of a constant that is right on average

    @property
    def zero(self) -> NDArray:
        return self.path[-1] == 0


def ftrl_figure(data: Pass) -> Picture:
    """Weights over the stream, and each feature's z with the weight that it gives now."""
    matters = data.truth != 0
    rows = len(data.path) - 1
    kept = f"{int((~data.zero)[matters].sum())} of {int(matters.sum())}"
    figure = new_figure(
        f"{int(data.zero.sum())} of {len(data.truth)} weights are exactly 0",
        f"Left: weights over {rows} rows of a stream, features that matter as solid lines, the others dotted. Right: weight against z; "
        f"between −λ₁ and λ₁ it is 0. {kept} features that matter have a weight, and "
        f"{int((~data.zero)[~matters].sum())} of {int((~matters).sum())} that do not.",
        height=450,
        xaxis={"title": "rows read", "domain": [0, 0.55]},
        yaxis={"title": "weight w", "range": [-2.8, 2.8]},
        xaxis2={"title": "z", "domain": [0.66, 1], "anchor": "y2", "range": [-82, 82]},
        yaxis2={"anchor": "x2", "range": [-2.8, 2.8], "showticklabels": False},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 96},
        shapes=[
            {"type": "rect", "xref": "x2", "yref": "y2", "x0": -data.l1, "x1": data.l1, "y0": -2.8, "y1": 2.8}
            | {"fillcolor": FAINT, "line": {"width": 0}, "layer": "below"}
        ],
    )
    at = np.arange(rows + 1)
    traces: list[dict[str, Any]] = []
    for feature, true in enumerate(data.truth):
        colour = PALETTE[feature % len(PALETTE)] if true else GREY
        dash = ("solid", "dash", "longdash", "dashdot")[feature % 4] if true else "dot"
        line = {"color": colour, "width": 3 if true else 1.2, "dash": dash, "shape": "hv"}
        name = f"feature {feature + 1}, true weight {true:+.1f}" if true else "features that do not matter"
        first = bool(true) or feature == int(np.flatnonzero(~matters)[0])
        traces.append(
            {"type": "scatter", "x": at, "y": data.path[:, feature], "mode": "lines", "line": line, "name": name}
            | {"showlegend": first, "hoverinfo": "skip"}
        )
    for name, mask, marker in (
        (
            "matters",
            matters,
            {"symbol": list(SYMBOLS[1:5]), "size": 13, "color": [PALETTE[f % 7] for f in np.flatnonzero(matters)]},
        ),
        ("does not", ~matters, {"symbol": "circle-open", "size": 9, "color": GREY, "line": {"width": 2}}),
    ):
        text = [f"feature {f + 1}, there {data.seen[f]} times" for f in np.flatnonzero(mask)]
        traces.append(
            {"type": "scatter", "x": data.z[mask], "y": data.path[-1][mask], "mode": "markers", "marker": marker}
            | {"xaxis": "x2", "yaxis": "y2", "name": name, "showlegend": False, "text": text, "cliponaxis": False}
            | {"hovertemplate": "%{text}: z = %{x:.1f}, w = %{y:.2f}<extra></extra>"}
        )
    figure.add_traces(traces)
    return figure
