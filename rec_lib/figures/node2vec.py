"""Pictures of walks: α on the smallest graph, walks and vectors of a real one side by side, and what q does over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np

from rec_lib.data.graphs import Graph
from rec_lib.figures.core import (
    BLUE,
    DASHES,
    FAINT,
    GREY,
    ORANGE,
    PALETTE,
    SEQUENTIAL,
    SYMBOLS,
    VERMILION,
    Picture,
    new_figure,
)

TRAILS = ((VERMILION, "solid", "circle"), (BLUE, "dash", "square"), (ORANGE, "dot", "diamond"))
CODES = (0, 1, 2, 5, 3, 4, 17)  # plotly's numbers of SYMBOLS
_BARE = {"visible": False, "fixedrange": True}


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


def edge_path(graph: Graph, place: np.ndarray) -> str:
    """All edges as one SVG path: as a shape of the layout it costs plotly one string, not a point for every end."""
    pairs, _ = graph.edges()
    return "".join(f"M{a[0]:.3f},{a[1]:.3f}L{b[0]:.3f},{b[1]:.3f}" for a, b in place[pairs].tolist())


def explored_figure(data: Explored) -> Picture:
    """Left: the walks on the graph. Right: the vectors. Below: what the walks did and what the vectors kept."""
    figure = new_figure(
        data.title,
        alt(data),
        height=640,
        showlegend=False,
        margin={"l": 12, "r": 12, "t": 84, "b": 40},
        xaxis=_BARE | {"domain": [0, 0.49]},
        yaxis=_BARE | {"domain": [0.36, 1], "scaleanchor": "x", "constrain": "domain"},
        xaxis2=_BARE | {"domain": [0.51, 1], "anchor": "y2"},
        yaxis2=_BARE | {"domain": [0.36, 1], "anchor": "x2", "scaleanchor": "x2", "constrain": "domain"},
        xaxis3={"domain": [0.3, 1], "anchor": "y3", "range": [0, 1.12], "tickformat": ".0%", "fixedrange": True},
        yaxis3={"domain": [0, 0.3], "anchor": "x3", "autorange": "reversed", "ticks": "", "fixedrange": True},
        shapes=[{"type": "path", "path": data.edges, "line": {"color": FAINT, "width": 1}, "layer": "below"}],
        annotations=[_note("walks on the graph 随机游走", 0.245), _note("vectors 嵌入, in 2-D (PCA)", 0.755)],
    )
    marker = markers(data)
    names = np.array(data.graph.names)  # arrays, not lists: plotly checks a list element by element
    label = np.where(_labelled(data.graph), names, "")
    _nodes(figure, data.place, names, marker, label)
    for trail, (color, dash, symbol) in zip(data.trails, TRAILS, strict=True):
        at = data.place[trail]
        figure.add_scatter(
            x=at[:, 0], y=at[:, 1], mode="lines", line={"color": color, "dash": dash, "width": 3}, hoverinfo="skip"
        )
        figure.add_scatter(
            x=at[-1:, 0],
            y=at[-1:, 1],
            mode="markers",
            marker={"symbol": symbol, "size": 17, "color": color, "line": {"width": 2, "color": "#FFFFFF"}},
            hovertemplate=f"{data.graph.names[trail[-1]]}<extra>here now</extra>",
        )
    _nodes(figure, data.map, names, marker, label, "2")
    bars = list(data.meters)
    figure.add_bar(
        x=list(data.meters.values()),
        y=bars,
        orientation="h",
        xaxis="x3",
        yaxis="y3",
        marker={"color": [GREY] * 3 + [BLUE, BLUE, VERMILION], "pattern": {"shape": [""] * 5 + ["/"]}},
        text=[f"{value:.0%}" for value in data.meters.values()],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    figure.add_scatter(
        x=[data.reference[name] for name in bars],
        y=bars,
        xaxis="x3",
        yaxis="y3",
        mode="markers",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": ORANGE}},
        hovertemplate="%{y} at p = q = 1: %{x:.1%}<extra></extra>",
    )
    return figure


def _nodes(figure: Picture, at: np.ndarray, names: np.ndarray, marker: dict, label: np.ndarray, axis: str = "") -> None:
    figure.add_scatter(
        x=at[:, 0],
        y=at[:, 1],
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        mode="markers+text",
        marker=marker,
        text=label,
        textposition="top center",
        textfont={"size": 12},
        hovertext=names,
        hoverinfo="text",
    )


def _labelled(graph: Graph) -> np.ndarray:
    """The few nodes whose names are written: those with most neighbours, if nodes have names worth reading."""
    readable = len(graph) <= 100
    return (graph.degree >= np.sort(graph.degree)[-7]) & readable


def markers(data: Explored) -> dict:
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


def _note(text: str, x: float) -> dict:
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
    now, then = data.meters, data.reference
    lines = [f"{name} {now[name]:.0%} ({then[name]:.0%} at p = q = 1)" for name in now]
    return f"Step {len(data.trails[0]) - 1} of {data.steps - 1}. " + "; ".join(lines) + f". {data.note}"


def alpha_figure(p: float, q: float) -> Picture:
    """The five nodes of the paper's figure 2: the walk went t → v; each way on carries its α."""
    place = {"t": (0, 0.9), "v": (1, 0.4), "x₁": (0.75, 1.4), "x₂": (2.1, 0.8), "x₃": (1.9, -0.2)}
    edges = [("t", "v"), ("v", "x₁"), ("v", "x₂"), ("v", "x₃"), ("t", "x₁")]
    ways = {"t": ("1/p", 1 / p, 0), "x₁": ("1", 1.0, 1), "x₂": ("1/q", 1 / q, 2), "x₃": ("1/q", 1 / q, 2)}
    total = sum(value for _, value, _ in ways.values())
    told = ", ".join(f"to {x} α = {name} = {value:g}, P = {value / total:.2f}" for x, (name, value, _) in ways.items())
    figure = new_figure(
        f"The walk went t → v. Where next? p = {p:g}, q = {q:g}",
        f"A graph of five nodes, all weights 1. The walk went from t to v. From v: {told}.",
        height=380,
        showlegend=False,
        xaxis=_BARE | {"range": [-0.5, 3.1]},
        yaxis=_BARE | {"range": [-0.5, 1.8]},
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
    for x, (name, value, d) in ways.items():
        figure.add_annotation(
            x=place[x][0] + (-0.12 if x == "t" else 0.12),
            y=place[x][1],
            text=f"d = {d}: α = {name} = {value:g}, P = {value / total:.2f}",
            showarrow=False,
            xanchor="left",
            yshift=-30 if x == "t" else 0,
            xshift=-20 if x == "t" else 12,
        )
    return figure


def lines_over_length(
    values: Mapping[str, Mapping[float, Sequence[float]]], title: str, y: str, chance: float | None = None
) -> Picture:
    """One line a setting over walk lengths: mean over seeds, bars of ± 2 standard deviations.

    Args:
        values: setting ("q = 0.25") → walk length → one value a seed.
        title: headline.
        y: label of the values.
        chance: what vectors without knowledge get.
    """
    told = "; ".join(
        f"{name}: " + ", ".join(f"{np.mean(v):.3f} at L = {length:g}" for length, v in line.items())
        for name, line in values.items()
    )
    figure = new_figure(title, f"Lines of {y} over walk length. {told}.", height=380)
    for i, (name, line) in enumerate(values.items()):
        figure.add_scatter(
            x=[f"L = {length:g}" for length in line],
            y=[float(np.mean(v)) for v in line.values()],
            error_y={"array": [2 * float(np.std(v, ddof=1)) for v in line.values()], "width": 7, "thickness": 1.5},
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i % len(PALETTE)], "dash": DASHES[i]},
            marker={"symbol": SYMBOLS[i], "size": 11},
        )
    if chance is not None:
        figure.add_hline(y=chance, line={"dash": "dot", "color": GREY}, annotation_text="chance")
    figure.update_xaxes(title_text="nodes in a walk (tokens per node kept equal)")
    figure.update_yaxes(title_text=y)
    return figure


def spring_place(graph: Graph) -> np.ndarray:
    """Where to draw the nodes of a small graph, (n, 2): springs along the edges, the same in every run."""
    layout = nx.spring_layout(graph.to_networkx(), k=0.35, iterations=120, seed=4)
    return np.array([layout[v] for v in range(len(graph))])


def clusters_figure(graph: Graph, place: np.ndarray, labels: Mapping[str, np.ndarray], title: str) -> Picture:
    """The graph once for each labelling, side by side; colour and symbol are the label.

    Args:
        graph, place: the graph and where its nodes stand, (n, 2).
        labels: subtitle → label of each node, (n,) whole numbers below 7.
        title: headline.
    """
    width = 1 / len(labels)
    sizes = "; ".join(f"{name}: groups of {sorted(np.bincount(of).tolist(), reverse=True)} nodes" for name, of in labels.items())
    figure = new_figure(title, f"The graph drawn {len(labels)} times. {sizes}.", height=420, showlegend=False)
    layout: dict = {"shapes": [], "annotations": [], "margin": {"l": 12, "r": 12, "t": 84, "b": 12}}
    for k, (name, label) in enumerate(labels.items()):
        axis = str(k + 1) if k else ""
        layout[f"xaxis{axis}"] = _BARE | {"domain": [k * width + 0.01, (k + 1) * width - 0.01], "anchor": f"y{axis}"}
        layout[f"yaxis{axis}"] = _BARE | {"anchor": f"x{axis}"}
        line = {"color": FAINT, "width": 1}
        path = edge_path(graph, place)
        layout["shapes"].append(
            {"type": "path", "path": path, "line": line, "layer": "below", "xref": f"x{axis}", "yref": f"y{axis}"}
        )
        layout["annotations"].append(_note(name, (k + 0.5) * width))
        names = np.array(graph.names)
        marker = {
            "color": [PALETTE[g] for g in label.tolist()],
            "symbol": [CODES[g] for g in label.tolist()],
            "size": (6 + 2.2 * np.sqrt(graph.degree)).round(1),
        }
        _nodes(figure, place, names, marker, np.where(_labelled(graph), names, ""), axis)
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
