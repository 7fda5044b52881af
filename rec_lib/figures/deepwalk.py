"""Pictures of DeepWalk: a walker on a graph with the law of its next jump, sessions made into a graph, lines over sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.figures.core import (
    BLUE,
    DASHES,
    GREY,
    ORANGE,
    PALETTE,
    SYMBOLS,
    VERMILION,
    Picture,
    new_figure,
)
from rec_lib.figures.node2vec import BARE, EDGE, labelled, nodes_trace, note, scatter

MOST = 7  # bars that are drawn


@dataclass(frozen=True)
class Walked:
    """One setting of the DeepWalk panel.

    graph, place (n, 2), edges   the graph, where its nodes are drawn, and its edges as a path
    trail                        nodes of the walk up to now, the last is where it stands
    ended                        True where the walk stands on a node without out-edges
    following                    the node that this walk goes to next, −1 where it ends here
    nodes, law                   out-neighbours of the last node and P of each, the likeliest first, both (deg,)
    seen, expected               of some nodes: share of all visits up to here over many walks; share of weight
    visited                      those nodes
    """

    graph: Graph
    place: np.ndarray
    edges: str
    trail: np.ndarray
    ended: bool
    following: int
    nodes: np.ndarray
    law: np.ndarray
    visited: np.ndarray
    seen: np.ndarray
    expected: np.ndarray
    title: str


def walked_figure(data: Walked) -> Picture:
    """Left: the walk on the graph. Right: the law of the next jump, and where many walks have been."""
    names = np.array([short(name) for name in data.graph.names])
    top, weight = data.nodes[:MOST], data.law[:MOST]
    figure = new_figure(
        data.title,
        alt(data),
        height=620,
        showlegend=False,
        margin={"l": 12, "r": 24, "t": 84, "b": 40},
        xaxis=BARE | {"domain": [0, 0.56]},
        yaxis=BARE | {"domain": [0, 1]},
        xaxis2={"domain": [0.74, 1], "anchor": "y2", "range": [0, 1.15], "tickformat": ".0%", "fixedrange": True},
        yaxis2={"domain": [0.6, 1], "anchor": "x2"} | rows(names[top]),
        xaxis3={"domain": [0.74, 1], "anchor": "y3", "rangemode": "tozero", "tickformat": ".0%", "fixedrange": True},
        yaxis3={"domain": [0, 0.4], "anchor": "x3"} | rows(names[data.visited]),
        shapes=[{"type": "path", "path": data.edges, "line": {"color": EDGE, "width": 1}, "layer": "below"}],
        annotations=[
            note("the walk 随机游走", 0.28),
            note("law of the next jump", 0.87),
            note("visits of 300 walks", 0.87) | {"y": 0.41},
        ],
    )
    label = np.where(labelled(data.graph), names, "")
    here = data.trail[-1]
    size = (7 + 2 * np.sqrt(data.graph.degree)).round(1)
    marker = {"size": size, "color": GREY, "symbol": "circle", "line": {"width": 0.5, "color": "#FFFFFF"}}
    stands = {"size": 22, "color": VERMILION, "symbol": "diamond", "line": {"width": 2, "color": "#FFFFFF"}}
    chosen = [ORANGE if node == data.following else BLUE for node in top]
    figure.add_traces(
        [
            nodes_trace(data.place, names, marker, label),
            scatter(data.place[data.trail], mode="lines", line={"color": VERMILION, "width": 2.5}, hoverinfo="skip"),
            scatter(data.place[[here]], mode="markers", marker=stands, text=[names[here]], hoverinfo="text"),
            {
                "type": "bar",
                "x": weight,
                "y": np.arange(len(top)),
                "orientation": "h",
                "xaxis": "x2",
                "yaxis": "y2",
                "marker": {"color": chosen, "pattern": {"shape": ["/" if c == ORANGE else "" for c in chosen]}},
                "text": [f"{p:.0%}" for p in weight],
                "textposition": "outside",
                "textfont": {"size": 13},
                "cliponaxis": False,
                "hovertext": names[top],
                "hovertemplate": "%{hovertext}: %{x:.1%}<extra></extra>",
            },
            {
                "type": "bar",
                "x": data.seen,
                "y": np.arange(len(data.visited)),
                "orientation": "h",
                "xaxis": "x3",
                "yaxis": "y3",
                "marker": {"color": GREY},
                "hovertext": names[data.visited],
                "hovertemplate": "%{hovertext}: %{x:.1%} of the visits<extra></extra>",
            },
            scatter(
                np.stack([data.expected, np.arange(len(data.expected))], 1),
                "3",
                mode="markers",
                marker={"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": ORANGE}},
                hovertemplate="share of the weight: %{x:.1%}<extra></extra>",
            ),
        ]
    )
    return figure


def rows(names: np.ndarray) -> dict[str, Any]:
    """An axis of named rows from the top down, room for MOST: by place, because names that are numbers would be a scale."""
    ticks = {"tickmode": "array", "tickvals": np.arange(len(names)), "ticktext": names, "ticks": "", "fixedrange": True}
    return ticks | {"range": [MOST - 0.5, -0.5], "showgrid": False, "zeroline": False}


def short(name: str, longest: int = 20) -> str:
    """A name that fits beside a bar."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def alt(data: Walked) -> str:
    """The picture in words."""
    ways = ", ".join(f"{data.graph.names[v]} {p:.0%}" for v, p in zip(data.nodes[:3], data.law[:3], strict=True))
    where = data.graph.names[data.trail[-1]]
    on = "It ends there: no edge leads on." if data.ended else f"Next jump, likeliest first: {ways}."
    return (
        f"{data.title}. A walk of {len(data.trail) - 1} jumps stands on {where}. {on} Bars below: where 300 walks have "
        "been, ticks: the share of all weight at those nodes."
    )


def summary(data: Walked) -> str:
    """What is seen, in plain text."""
    names, here = data.graph.names, data.trail[-1]
    seen = f"{len(set(data.trail.tolist()))} different nodes after {len(data.trail) - 1} jumps."
    if data.ended:
        return f"The walk stands on {names[here]}, which has no out-edge: it ends here. {seen}"
    chance = data.law[data.nodes == data.following]
    on = f" This walk goes to {names[data.following]} next ({chance[0]:.0%})." if len(chance) else ""
    return f"The walk stands on {names[here]}: {len(data.nodes)} ways on, the likeliest {names[data.nodes[0]]} ({data.law[0]:.0%}).{on} {seen}"


def graph_figure(graph: Graph, place: np.ndarray, title: str) -> Picture:
    """A small directed graph with the weight written on each edge."""
    pairs, weights = graph.edges()
    told = ", ".join(
        f"{graph.names[u]} → {graph.names[v]}: {w:g}" for (u, v), w in zip(pairs.tolist(), weights, strict=True)
    )
    figure = new_figure(title, f"A directed graph. {told}.", height=380, showlegend=False, xaxis=BARE, yaxis=BARE)
    for (u, v), w in zip(pairs.tolist(), weights, strict=True):
        a, b = place[u], place[v]
        side = 0.06 * np.array([b[1] - a[1], a[0] - b[0]])  # there and back lie beside each other
        start, end = a + 0.12 * (b - a) + side, b - 0.12 * (b - a) + side
        figure.add_annotation(
            **{"x": end[0], "y": end[1], "ax": start[0], "ay": start[1]},
            **{"xref": "x", "yref": "y", "axref": "x", "ayref": "y", "text": ""},
            **{"showarrow": True, "arrowhead": 3, "arrowsize": 1.4, "arrowwidth": 1 + w, "arrowcolor": BLUE},
        )
        middle = (start + end) / 2 + 0.8 * side
        figure.add_annotation(x=middle[0], y=middle[1], text=f"<b>{w:g}</b>", showarrow=False, font={"size": 16})
    figure.add_scatter(
        x=place[:, 0],
        y=place[:, 1],
        mode="markers+text",
        text=list(graph.names),
        textfont={"color": "#FFFFFF", "size": 16},
        marker={"size": 38, "color": GREY},
        hoverinfo="skip",
    )
    span = place.min(0) - 0.3, place.max(0) + 0.3
    figure.update_layout(xaxis_range=[span[0][0], span[1][0]], yaxis_range=[span[0][1], span[1][1]])
    return figure


def lines_over(
    values: Mapping[str, Mapping[int, Sequence[float]]], title: str, x: str, y: str, chance: float | None = None
) -> Picture:
    """One line a method over sizes: mean over seeds, bars of ± 2 standard deviations; the sizes stand evenly.

    Args:
        values: method → size → one value a seed.
        title, x, y: headline and labels.
        chance: what vectors without knowledge get.
    """
    told = "; ".join(
        f"{name}: " + ", ".join(f"{np.mean(v):.3f} at {size}" for size, v in line.items())
        for name, line in values.items()
    )
    figure = new_figure(title, f"Lines of {y} over {x}. {told}.", height=400)
    for i, (name, line) in enumerate(values.items()):
        figure.add_scatter(
            x=[f"{size:,}".replace(",", " ") for size in line],
            y=[float(np.mean(v)) for v in line.values()],
            error_y={"array": [2 * float(np.std(v, ddof=1)) for v in line.values()], "width": 7, "thickness": 1.5},
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i], "dash": DASHES[i]},
            marker={"symbol": SYMBOLS[i], "size": 11},
        )
    if chance is not None:
        figure.add_hline(
            y=chance, line={"dash": "dot", "color": GREY}, annotation_text="chance", annotation_position="right"
        )
    figure.update_xaxes(title_text=x, type="category")
    figure.update_yaxes(title_text=y)
    return figure
