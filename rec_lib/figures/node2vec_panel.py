"""The figure of the node2vec panel: walks on a graph, the vectors beside it, and bars of what both keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.figures.core import BLUE, GREY, ORANGE, PALETTE, SEQUENTIAL, VERMILION, Picture, new_figure
from rec_lib.figures.node2vec import BARE, CODES, EDGE, labelled, nodes_trace, note, scatter

TRAILS = ((VERMILION, "solid", "circle"), (BLUE, "dash", "square"), (ORANGE, "dot", "diamond"))


@dataclass(frozen=True)
class Explored:
    """One setting of the node2vec panel.

    graph, place (n, 2)     the graph and where its nodes are drawn; edges: the path of `edge_path`
    map (n, 2)              the vectors in two dimensions
    group (n,), groups      what colour and symbol say, and the names of the groups
    values (n,) or None     for a colour that runs over numbers; None where groups are kinds
    trails                  the nodes of each walk shown, up to the current step
    steps                   nodes in a whole walk
    meters, reference       shares in [0, 1] by name, now and at p = q = 1
    title, note             headline; one sentence on the budget
    """

    graph: Graph
    place: np.ndarray
    edges: str
    map: np.ndarray
    group: np.ndarray
    groups: tuple[str, ...]
    values: np.ndarray | None
    trails: tuple[np.ndarray, ...]
    steps: int
    meters: dict[str, float]
    reference: dict[str, float]
    title: str
    note: str


def explored_figure(data: Explored) -> Picture:
    """Left: the walks on the graph. Right: the vectors. Below: what the walks did and what the vectors kept."""
    figure = new_figure(
        data.title,
        alt(data),
        height=640,
        showlegend=False,
        margin={"l": 12, "r": 12, "t": 84, "b": 40},
        xaxis=BARE | {"domain": [0, 0.49]},
        yaxis=BARE | {"domain": [0.36, 1]},
        xaxis2=BARE | {"domain": [0.51, 1], "anchor": "y2"},
        yaxis2=BARE | {"domain": [0.36, 1], "anchor": "x2"},
        xaxis3={"domain": [0.3, 1], "anchor": "y3", "range": [0, 1.1], "tickformat": ".0%", "fixedrange": True},
        yaxis3={"domain": [0, 0.3], "anchor": "x3", "autorange": "reversed", "ticks": "", "fixedrange": True},
        shapes=[{"type": "path", "path": data.edges, "line": {"color": EDGE, "width": 1}, "layer": "below"}],
        annotations=[note("walks on the graph 随机游走", 0.245), note("vectors 嵌入, in 2-D (PCA)", 0.755)],
    )
    marker, names = markers(data), np.array(data.graph.names)  # arrays, not lists: plotly checks lists entry by entry
    label = np.where(labelled(data.graph), names, "")
    traces = [nodes_trace(data.place, names, marker, label)]
    for trail, (color, dash, symbol) in zip(data.trails, TRAILS, strict=True):
        at = data.place[trail]
        line = {"color": color, "dash": dash, "width": 3}
        here = {"symbol": symbol, "size": 17, "color": color, "line": {"width": 2, "color": "#FFFFFF"}}
        traces.append(scatter(at, mode="lines", line=line, hoverinfo="skip"))
        traces.append(scatter(at[-1:], mode="markers", marker=here, text=[names[trail[-1]]], hoverinfo="text"))
    traces.append(nodes_trace(data.map, names, marker, label, "2"))
    bars = list(data.meters)
    traces.append(
        {
            "type": "bar",
            "x": list(data.meters.values()),
            "y": bars,
            "orientation": "h",
            "xaxis": "x3",
            "yaxis": "y3",
            "marker": {"color": [GREY] * 3 + [BLUE, BLUE, VERMILION], "pattern": {"shape": [""] * 5 + ["/"]}},
            "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
        }
    )
    ends = np.array([[data.reference[name] for name in bars], range(len(bars))]).T
    tick = {"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": ORANGE}}
    said = "at p = q = 1: %{x:.1%}<extra></extra>"
    traces.append(scatter(ends, "3", mode="markers", marker=tick, hovertemplate=said) | {"y": bars})
    shares = [f"{value:.0%}" for value in data.meters.values()]
    right = np.full((len(bars), 2), 1.06)
    traces.append(scatter(right, "3", mode="text", text=shares, hoverinfo="skip") | {"y": bars})
    figure.add_traces(traces)  # plain dicts, all at once: each trace is checked once
    return figure


def markers(data: Explored) -> dict[str, Any]:
    """Colour and symbol of every node: by kind, or along a scale for numbers; size by degree."""
    kinds = len(PALETTE)
    if data.values is None:
        # one flat step of the scale a kind
        scale = [[edge / kinds, color] for k, color in enumerate(PALETTE) for edge in (k, k + 1)]
        color = {"color": data.group % kinds + 0.5, "colorscale": scale, "cmin": 0, "cmax": kinds}
    else:
        low, high = float(data.values.min()), float(data.values.max())
        color = {"color": data.values, "colorscale": SEQUENTIAL, "cmin": low, "cmax": high}
    symbol = [
        CODES[(g + g // kinds) % len(CODES)] for g in data.group.tolist()
    ]  # plain integers: plotly compares slowly else
    size = (6 + 2.2 * np.sqrt(data.graph.degree)).round(1)
    return color | {"symbol": symbol, "size": size, "line": {"width": 0.5, "color": "#FFFFFF"}}


def alt(data: Explored) -> str:
    """The picture in words."""
    said = ", ".join(f"{name} {value:.0%}" for name, value in data.meters.items())
    seen = "; ".join(str(len(set(trail.tolist()))) for trail in data.trails)
    return (
        f"{data.title}. Left: the graph and three walks from one node after {len(data.trails[0]) - 1} steps; they have "
        f"seen {seen} different nodes. Right: the vectors in two dimensions, coloured by "
        f"{', '.join(data.groups)}. Below, bars: {said}; ticks mark the values at p = q = 1."
    )


def summary(data: Explored) -> str:
    """What is seen, in plain text."""
    shares = "; ".join(f"{name} {value:.0%} ({data.reference[name]:.0%})" for name, value in data.meters.items())
    return f"Step {len(data.trails[0]) - 1} of {data.steps - 1}. Now, and at p = q = 1: {shares}. {data.note}"
