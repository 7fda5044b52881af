"""Pictures of walks: α on the smallest graph, groups of nodes, drawn against expected steps, what q does over lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from scipy.optimize import linear_sum_assignment

from rec_lib.data.graphs import Graph
from rec_lib.figures.core import (
    BLUE,
    FAINT,
    GREY,
    ORANGE,
    PALETTE,
    VERMILION,
    Picture,
    new_figure,
)

EDGE = "rgba(127,127,127,0.4)"
CODES = (0, 1, 2, 5, 3, 4, 17)  # plotly's numbers of SYMBOLS
BARE = {"visible": False, "fixedrange": True}


def edge_path(graph: Graph, place: np.ndarray) -> str:
    """All edges as one SVG path: as a shape of the layout it costs plotly one string, not a point for every end."""
    pairs, _ = graph.edges()
    return "".join(f"M{a[0]:.3f},{a[1]:.3f}L{b[0]:.3f},{b[1]:.3f}" for a, b in place[pairs].tolist())


def scatter(at: np.ndarray, axis: str = "", **properties: Any) -> dict[str, Any]:
    """A scatter trace at the points (n, 2), on the axes x1, y1 or those of the number `axis`."""
    place = {"x": at[:, 0], "y": at[:, 1], "xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    return {"type": "scatter"} | place | properties


def nodes_trace(
    at: np.ndarray, names: np.ndarray, marker: dict[str, Any], label: np.ndarray, axis: str = ""
) -> dict[str, Any]:
    """Nodes at (n, 2), named when hovered over; `label` is written beside them."""
    font = {"size": 12}
    text = {"text": label, "textposition": "top center", "textfont": font, "hovertext": names, "hoverinfo": "text"}
    mode = "markers+text" if any(label) else "markers"  # empty labels would be drawn, too
    return scatter(at, axis, mode=mode, marker=marker, **text)


def labelled(graph: Graph) -> np.ndarray:
    """The few nodes whose names are written: those with most neighbours, if nodes have names worth reading."""
    readable = len(graph) <= 100
    return (graph.degree >= np.sort(graph.degree)[-7]) & readable


def note(text: str, x: float) -> dict[str, Any]:
    """A subtitle above a part of a figure, centred at x of its width."""
    return {
        "text": text,
        "x": x,
        "y": 1.0,
        "xref": "paper",
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 15},
    }


def alpha_figure(p: float, q: float) -> Picture:
    """The five nodes of the paper's figure 2: the walk went t → v; each way on carries its α."""
    place = {"t": (0, 0.9), "v": (1, 0.4), "x₁": (0.75, 1.4), "x₂": (2.1, 0.8), "x₃": (1.9, -0.2)}
    edges = [("t", "v"), ("v", "x₁"), ("v", "x₂"), ("v", "x₃"), ("t", "x₁")]
    ways = {"t": ("1/p", 1 / p, 0), "x₁": ("1", 1.0, 1), "x₂": ("1/q", 1 / q, 2), "x₃": ("1/q", 1 / q, 2)}
    total = sum(value for _, value, _ in ways.values())
    law = {x: f"α = {name}" + (f" = {value:g}" if d != 1 else "") for x, (name, value, d) in ways.items()}
    told = ", ".join(f"to {x} {law[x]}, P = {value / total:.2f}" for x, (_, value, _) in ways.items())
    figure = new_figure(
        f"The walk went t → v. Where next? p = {p:g}, q = {q:g}",
        f"A graph of five nodes, all weights 1. The walk went from t to v. From v: {told}.",
        height=380,
        showlegend=False,
        xaxis=BARE | {"range": [-0.5, 3.1]},
        yaxis=BARE | {"range": [-0.5, 1.8]},
    )
    for a, b in edges:
        came = (a, b) == ("t", "v")
        figure.add_scatter(
            x=[place[a][0], place[b][0]],
            y=[place[a][1], place[b][1]],
            mode="lines",
            line={"color": GREY if came else FAINT, "width": 5 if came else 2.5},
            hoverinfo="skip",
        )
    color = {"t": GREY, "v": GREY} | {x: (BLUE, ORANGE, VERMILION)[d] for x, (_, _, d) in ways.items() if x != "t"}
    figure.add_scatter(
        x=[at[0] for at in place.values()],
        y=[at[1] for at in place.values()],
        mode="markers+text",
        text=list(place),
        textfont={"color": "#FFFFFF", "size": 15},
        marker={
            "size": 34,
            "color": [color[name] for name in place],
            "symbol": ["circle", "circle", "square", *["diamond"] * 2],
        },
        hoverinfo="skip",
    )
    for x, (_, value, d) in ways.items():
        figure.add_annotation(
            x=place[x][0] + (-0.12 if x == "t" else 0.12),
            y=place[x][1],
            text=f"d = {d}: {law[x]}, P = {value / total:.2f}",
            showarrow=False,
            xanchor="left",
            yshift=34 if x == "t" else 0,
            xshift=-20 if x == "t" else 12,
        )
    return figure


def spring_place(graph: Graph) -> np.ndarray:
    """Where to draw the nodes of a small graph, (n, 2): springs along the edges, the same in every run."""
    layout = nx.spring_layout(graph.to_networkx(), k=0.35, iterations=120, seed=4)
    return np.array([layout[v] for v in range(len(graph))])


def recoloured(label: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The same groups, renumbered so that as many nodes as possible bear the number that they have in `like`."""
    kinds = max(label.max(), like.max()) + 1
    shared = np.zeros((kinds, kinds))
    np.add.at(shared, (label, like), 1)
    return linear_sum_assignment(-shared)[1][label]


def clusters_figure(graph: Graph, place: np.ndarray, labels: Mapping[str, np.ndarray], title: str) -> Picture:
    """The graph once for each labelling, side by side; colour and symbol are the label.

    Args:
        graph, place: the graph and where its nodes stand, (n, 2).
        labels: subtitle → label of each node, (n,) whole numbers below 7.
        title: headline.
    """
    first = next(iter(labels.values()))
    labels = {name: recoloured(label, first) for name, label in labels.items()}
    width = 1 / len(labels)
    sizes = "; ".join(
        f"{name}: groups of {sorted(np.bincount(of).tolist(), reverse=True)} nodes" for name, of in labels.items()
    )
    figure = new_figure(title, f"The graph drawn {len(labels)} times. {sizes}.", height=420, showlegend=False)
    layout: dict = {"shapes": [], "annotations": [], "margin": {"l": 12, "r": 12, "t": 84, "b": 12}}
    for k, (name, label) in enumerate(labels.items()):
        axis = str(k + 1) if k else ""
        layout[f"xaxis{axis}"] = BARE | {"domain": [k * width + 0.01, (k + 1) * width - 0.01], "anchor": f"y{axis}"}
        layout[f"yaxis{axis}"] = BARE | {"anchor": f"x{axis}"}
        line = {"color": EDGE, "width": 1}
        path = edge_path(graph, place)
        layout["shapes"].append(
            {"type": "path", "path": path, "line": line, "layer": "below", "xref": f"x{axis}", "yref": f"y{axis}"}
        )
        layout["annotations"].append(note(name, (k + 0.5) * width))
        names = np.array(graph.names)
        marker = {
            "color": [PALETTE[g] for g in label.tolist()],
            "symbol": [CODES[g] for g in label.tolist()],
            "size": (6 + 2.2 * np.sqrt(graph.degree)).round(1),
        }
        figure.add_traces([nodes_trace(place, names, marker, np.where(labelled(graph), names, ""), axis)])
    figure.update_layout(**layout)
    return figure


def fit_figure(names: Sequence[str], seen: np.ndarray, expected: np.ndarray, title: str) -> Picture:
    """How often each next node was drawn beside how often its law says: bars and ticks, counts.

    Args:
        names: of the nodes.
        seen, expected: (n,) counts.
        title: headline.
    """
    worst = float(np.abs((seen - expected) / np.sqrt(expected)).max())
    figure = new_figure(
        title,
        f"Bars of counts of {len(names)} next nodes with ticks at the expected counts; the largest gap is {worst:.1f} "
        "standard errors.",
        height=400,
    )
    figure.add_bar(x=list(names), y=seen, name="walks", marker={"color": BLUE})
    figure.add_scatter(
        x=list(names),
        y=expected,
        mode="markers",
        name="exact law",
        marker={"symbol": "line-ew", "size": 14, "line": {"width": 3, "color": VERMILION}},
    )
    figure.update_yaxes(title_text="times drawn")
    figure.update_xaxes(tickangle=-45)
    return figure
