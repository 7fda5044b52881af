"""Pictures of section 2.7: points, regions and the surface of a piece-wise linear model; what a penalty throws out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.core import (
    BLUE,
    DASHES,
    GREEN,
    GREY,
    PALETTE,
    PURPLE,
    SYMBOLS,
    VERMILION,
    Picture,
    new_figure,
    pieces,
)

SURFACE = [[0.0, "#2F6F9F"], [0.5, "#B9B9B9"], [1.0, "#B5652B"]]


@dataclass(frozen=True)
class Regions:
    """A model of m regions in the plane, and the points it learned from.

    axis (g,) of both directions; p (g, g) rows are x2; borders and middles: line pieces (n, 2, 2) where two regions have equal
    gate scores, and where a region's own log-odds are 0 inside it (with the region's number in middle_of); share (m,) of the
    points by leading region; losses and fresh (M,) of 1 … M regions after the same number of steps, on the points that were
    learned from and on the whole plane; floor that of the law on the plane.
    """

    truth: str
    m: int
    step: int
    points: np.ndarray
    clicked: np.ndarray
    axis: np.ndarray
    p: np.ndarray
    borders: np.ndarray
    middles: np.ndarray
    middle_of: np.ndarray
    share: np.ndarray
    losses: np.ndarray
    fresh: np.ndarray
    floor: float


def regions_figure(data: Regions) -> Picture:
    """The plane: probability as shade, points, borders of regions, each region's own line; beside it loss by m."""
    regions = "region" if data.m == 1 else "regions"
    figure = new_figure(
        f"m = {data.m} {regions} 分片 after {data.step} steps",
        f"{len(data.points)} points of two kinds over a shaded plane: the probability of a click by a model of {data.m} "
        f"{regions}, {data.p.min():.2f} to {data.p.max():.2f}. {len(data.borders)} pieces of border between regions. Beside it "
        f"the log loss on fresh points by number of regions: {', '.join(f'{loss:.3f}' for loss in data.fresh)}; the law's own "
        f"is {data.floor:.3f}.",
        height=500,
        margin={"l": 56, "r": 20, "t": 60, "b": 110},
        xaxis={"range": [data.axis[0], data.axis[-1]], "domain": [0, 0.56], "title": "x₁", "showgrid": False, "constrain": "domain"},
        yaxis={"range": [data.axis[0], data.axis[-1]], "title": "x₂", "scaleanchor": "x", "showgrid": False, "constrain": "domain"},
        xaxis2={"domain": [0.7, 1], "title": "regions m", "dtick": 1, "range": [0.5, len(data.losses) + 0.5]},
        yaxis2={"anchor": "x2", "title": "log loss (nats a point)", "range": [0.7 * data.floor, 0.85]},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
    )  # fmt: skip
    traces: list[dict[str, Any]] = [
        {
            "type": "heatmap", "x": data.axis, "y": data.axis, "z": data.p, "zmin": 0, "zmax": 1, "colorscale": SURFACE,
            "showscale": False, "opacity": 0.75, "hovertemplate": "p = %{z:.0%}<extra></extra>",
        }
    ]  # fmt: skip
    for name, mask, symbol, colour in (
        ("click", data.clicked, "triangle-up", "#7A2E00"),
        ("no click", ~data.clicked, "circle", "#003B5C"),
    ):
        marker = {"color": colour, "size": 7, "symbol": symbol, "line": {"color": "white", "width": 0.8}}
        at = data.points[mask]
        traces.append(
            {"type": "scatter", "x": at[:, 0], "y": at[:, 1], "mode": "markers", "name": name, "marker": marker}
        )
    traces.append(pieces(data.borders, "border of regions", {"color": PURPLE, "width": 4, "dash": "dash"}))
    traces.append(pieces(data.middles, "p = ½ in its region", {"color": GREEN, "width": 5}))
    counts = np.arange(1, len(data.losses) + 1)
    for name, values, symbol, colour, dash in (
        ("these points", data.losses, "circle", BLUE, "dot"),
        ("fresh points", data.fresh, "square", VERMILION, "solid"),
    ):
        marker = {"color": colour, "symbol": symbol, "size": np.where(counts == data.m, 17, 8)}
        line = {"color": colour, "dash": dash}
        traces.append(
            {"type": "scatter", "x": counts, "y": values, "mode": "lines+markers", "name": f"loss on {name}", "marker": marker,
             "line": line, "xaxis": "x2", "yaxis": "y2", "cliponaxis": False}
        )  # fmt: skip
    floor = {
        "x": [0.5, len(data.losses) + 0.5],
        "y": [data.floor] * 2,
        "line": {"color": GREY, "dash": "dot", "width": 2},
    }
    traces.append(
        {"type": "scatter", "mode": "lines", "name": "the law's own loss", "xaxis": "x2", "yaxis": "y2"} | floor
    )
    figure.add_traces(traces)
    return figure


def summary(data: Regions) -> str:
    """What is seen, in words."""
    used = int((data.share > 0.01).sum())
    shares = ", ".join(f"{s:.0%}" for s in data.share)
    return (
        f"Truth: {data.truth}. m = {data.m} after {data.step} steps: log loss {data.losses[data.m - 1]:.3f} on these points, "
        f"{data.fresh[data.m - 1]:.3f} on fresh ones (the law itself: {data.floor:.3f}, a coin: {np.log(2):.3f}). Points led by "
        f"each region: {shares}; {used} of {data.m} {'is' if used == 1 else 'are'} in use."
    )


def penalty_figure(prices: np.ndarray, curves: Mapping[str, Mapping[str, np.ndarray]], title: str, x: str) -> Picture:
    """What a penalty does as its price rises: "AUC" on the left axis, shares of features at zero on the right.

    curves  name of a share or "AUC" -> {"mean": (n,), "sd": (n,)}. The price 0 stands at the left end, at even distances.
    """
    said = "; ".join(f"{name} from {c['mean'][0]:.2f} to {c['mean'][-1]:.2f}" for name, c in curves.items())
    figure = new_figure(
        title, f"By price of the penalty, {', '.join(f'{p:g}' for p in prices)}: {said}.", height=400,
        xaxis={"title": x, "type": "category"}, yaxis={"title": "expected test AUC"},
        yaxis2={"title": "share of features at zero", "overlaying": "y", "side": "right", "range": [-0.03, 1.05], "showgrid": False, "tickmode": "array", "tickvals": [0, 0.25, 0.5, 0.75, 1],
                "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, margin={"t": 90, "r": 70},
    )  # fmt: skip
    for i, (name, curve) in enumerate(curves.items()):
        axis = {} if name == "AUC" else {"yaxis": "y2"}
        figure.add_scatter(
            x=[f"{p:g}" for p in prices], y=curve["mean"], error_y={"array": curve["sd"], "thickness": 1}, mode="lines+markers",
            name=name, line={"color": PALETTE[i], "dash": DASHES[i]}, marker={"symbol": SYMBOLS[i], "size": 9}, **axis,
        )  # fmt: skip
    return figure
