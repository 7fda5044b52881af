"""Pictures of section 4.6: what a kd-tree visits, how often hashes collide, what AND and OR do, recall against effort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, FAINT, GREEN, GREY, PALETTE, SYMBOLS, VERMILION, Picture, new_figure
from rec_lib.retrieval import KDTree

REGION = [[0.0, "rgba(0,114,178,0)"], [1.0, "rgba(0,114,178,0.42)"]]
NEIGHBOURS = 10


@dataclass(frozen=True)
class Buckets:
    """What the panel of section 4.6 shows for one setting.

    points (n, 2) and one query among them; `candidates (n,)` what the query's buckets hold; `nearest` its true
    neighbours; `region (g, g)` share of the tables (or 1 where all groups agree) in which a place is a candidate, over
    `axis (g,)` in both directions; `walls` end points of table 1's bucket walls; curve over `p`, with two points on it.
    """

    points: np.ndarray
    names: Sequence[str]
    query: int
    candidates: np.ndarray
    nearest: np.ndarray
    axis: np.ndarray
    region: np.ndarray
    walls: np.ndarray  # (walls, 2 ends, 2)
    p: np.ndarray
    found: np.ndarray  # (p,) P[candidate] at p
    near: tuple[float, float]  # p of the 10th neighbour's distance, and P there
    far: tuple[float, float]  # the same for the median distance
    steep: float  # p where the curve is steep
    recall: float  # mean over several queries
    examined: float
    w: float
    K: int
    L: int
    and_first: bool


def buckets_figure(data: Buckets) -> Picture:
    """The plane with the query's buckets, and the S-curve beside it."""
    hit = data.candidates.copy()
    hit[data.query] = False
    true = np.zeros(len(data.points), bool)
    true[data.nearest] = True
    missed = int((true & ~data.candidates).sum())
    rule = f"AND of {data.K}, then OR of {data.L}" if data.and_first else f"OR of {data.L}, then AND of {data.K}"
    figure = new_figure(
        f"Buckets 桶 of width w = {data.w:g}: {rule}",
        f"{len(data.points)} points in the plane, with the {int(hit.sum())} that share a bucket with the query marked; "
        f"{missed} of its {NEIGHBOURS} nearest are not among them. Beside it the probability of being a candidate against "
        f"that of one hash: {data.near[1]:.2f} at the 10th neighbour, {data.far[1]:.2f} at the median distance.",
        height=540,
        margin={"l": 56, "r": 24, "t": 56, "b": 110},
        xaxis={"range": [data.axis[0], data.axis[-1]], "domain": [0, 0.54], "constrain": "domain", "showgrid": False},
        yaxis={"range": [data.axis[0], data.axis[-1]], "scaleanchor": "x", "constrain": "domain", "showgrid": False},
        xaxis2={"range": [0, 1], "domain": [0.66, 1], "title": "p: one hash collides"},
        yaxis2={"range": [0, 1.04], "anchor": "x2", "title": "P: candidate"},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
    )
    ends = np.concatenate([data.walls, np.full((len(data.walls), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    names = np.asarray(data.names)
    region = {"type": "heatmap", "x": data.axis, "y": data.axis, "z": data.region, "zmin": 0, "zmax": 1}
    plane = [
        region | {"colorscale": REGION, "showscale": False, "hoverinfo": "skip"},
        _line(ends, "walls of table 1", {"color": FAINT, "width": 1.5}),
    ]
    for label, mask, marker in (
        ("not examined", ~data.candidates & ~true, {"color": GREY, "size": 4, "symbol": "circle", "opacity": 0.6}),
        ("candidate", hit & ~true, {"color": BLUE, "size": 5, "symbol": "square"}),
        ("near, found", hit & true, {"color": GREEN, "size": 11, "symbol": "circle"}),
        ("near, missed", true & ~data.candidates, {"color": VERMILION, "size": 11, "symbol": "x"}),
    ):
        plane.append(_dots(data.points[mask], label, marker, names[mask]))
    star = {"color": VERMILION, "size": 15, "symbol": "star", "line": {"color": "white", "width": 1}}
    plane.append(_dots(data.points[[data.query]], "query", star, names[[data.query]]))
    curve = [
        _line(np.array([[0, 0], [1, 1]]), "one hash", {"color": FAINT, "width": 2}),
        _line(np.stack([data.p, data.found], axis=1), "the rule", {"color": BLUE, "width": 3}),
        _line(np.array([[data.steep, 0], [data.steep, 1]]), "steep", {"color": GREY, "width": 1.5, "dash": "dot"}),
    ]
    for at, text, symbol, colour, place in (
        (data.near, "10th neighbour", "circle", GREEN, "middle left" if data.near[0] > 0.5 else "middle right"),
        (data.far, "median distance", "square", GREY, "middle left" if data.far[0] > 0.5 else "middle right"),
    ):
        marker = {"color": colour, "size": 13, "symbol": symbol}
        dot = _dots(np.array([at]), text, marker, np.array([text]))
        curve.append(dot | {"mode": "markers+text", "textposition": place, "cliponaxis": False})
    # plain dicts, added at once: plotly checks a trace object twice, and this is drawn while a slider moves
    figure.add_traces(plane + [c | {"xaxis": "x2", "yaxis": "y2", "showlegend": False} for c in curve])
    return figure


def _dots(at: np.ndarray, name: str, marker: dict[str, Any], text: np.ndarray) -> dict[str, Any]:
    if not len(at):  # one place that is nowhere: plotly drops a trace without points from the legend, which would jump
        at, text = np.full((1, 2), np.nan), np.array([""])
    trace = {"type": "scatter", "x": at[:, 0], "y": at[:, 1], "mode": "markers", "name": name, "marker": marker}
    return trace | {"text": text, "hovertemplate": "%{text}<extra></extra>"}


def _line(at: np.ndarray, name: str, line: dict[str, Any]) -> dict[str, Any]:
    trace = {"type": "scatter", "x": at[:, 0], "y": at[:, 1], "mode": "lines", "name": name, "line": line}
    return trace | {"hoverinfo": "skip"}


def kdtree_figure(tree: KDTree, query: np.ndarray, k: int) -> Picture:
    """A kd-tree of points in the plane: its cuts, the query's ball, and the points that the search measured."""
    assert tree.vectors is not None
    points = tree.vectors
    seen = tree.visited(query, k)
    ids, distances = tree.query(query, k)
    radius = float(distances[0, -1])
    low, high = points.min(0) - 0.2, points.max(0) + 0.2
    figure = new_figure(
        f"kd-tree kd树: {len(seen)} of {len(points)} points measured",
        f"Points in the plane, cut at medians into boxes. To find the {k} nearest of the query, the search measured the "
        f"{len(seen)} points of the boxes around it and none of the others.",
        height=480,
        xaxis={"range": [low[0], high[0]], "showgrid": False, "zeroline": False, "constrain": "domain"},
        yaxis={"range": [low[1], high[1]], "scaleanchor": "x", "showgrid": False, "zeroline": False},
    )
    cuts = np.array(_cuts(tree, 0, low, high)).reshape(-1, 2)
    turn = np.linspace(0, 2 * np.pi, 90)
    ball = np.asarray(query) + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rest, others = np.setdiff1d(np.arange(len(points)), seen), np.setdiff1d(seen, ids[0])
    square, diamond = {"color": BLUE, "size": 8, "symbol": "square"}, {"color": GREEN, "size": 10, "symbol": "diamond"}
    figure.add_traces(
        [
            _line(cuts, "cuts at medians", {"color": "rgba(127,127,127,0.6)", "width": 1}),
            _dots(points[rest], "skipped", {"color": GREY, "size": 4, "symbol": "circle"}, rest.astype(str)),
            _dots(points[others], "measured", square, others.astype(str)),
            _dots(points[ids[0]], "answer", diamond, ids[0].astype(str)),
            _line(ball, "reach of the k-th best", {"color": VERMILION, "width": 2, "dash": "dash"}),
            _dots(np.array([query]), "query", {"color": VERMILION, "size": 14, "symbol": "star"}, np.array(["query"])),
        ]
    )
    return figure


def _cuts(tree: KDTree, node: int, low: np.ndarray, high: np.ndarray) -> list[tuple[float, float]]:
    """End points of the cuts below a node whose box is low … high, each pair followed by a gap."""
    axis = int(tree.tree.axis[node])
    if axis < 0:
        return []
    cut = float(tree.tree.split[node])
    start, stop, left_high, right_low = low.copy(), high.copy(), high.copy(), low.copy()
    start[axis] = stop[axis] = left_high[axis] = right_low[axis] = cut
    own = [tuple(start), tuple(stop), (np.nan, np.nan)]
    left, right = int(tree.tree.left[node]), int(tree.tree.right[node])
    return own + _cuts(tree, left, low, left_high) + _cuts(tree, right, right_low, high)


def curves_figure(
    title: str,
    alt: str,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    points: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    xlabel: str = "",
    ylabel: str = "",
    upright: Mapping[str, float] | None = None,
) -> Picture:
    """Curves over one axis (name -> values), measured points on them (name -> (x, y)), and upright lines at values of x."""
    figure = new_figure(title, alt, xaxis_title=xlabel, yaxis={"title": ylabel, "range": [-0.03, 1.05]})
    for i, (name, y) in enumerate(curves.items()):
        line = {"color": PALETTE[i % len(PALETTE)], "dash": DASHES[i % len(DASHES)]}
        figure.add_scatter(x=x, y=y, mode="lines", name=name, line=line)
    for i, (name, (at, y)) in enumerate((points or {}).items()):
        marker = {"color": PALETTE[i % len(PALETTE)], "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9}
        figure.add_scatter(x=at, y=y, mode="markers", name=name, marker=marker)
    for name, place in (upright or {}).items():
        figure.add_vline(
            x=place, line={"color": GREY, "dash": "dot"}, annotation_text=name, annotation_position="top left"
        )
    return figure


def effort_figure(title: str, alt: str, lines: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Picture:
    """Recall@10 against the share of vectors examined, a line a setting: name -> (examined, recall, sd of recall).

    The diagonal is what picking vectors at random would give: a method is worth what it is above it.
    """
    figure = new_figure(
        title,
        alt,
        xaxis={"title": "share of vectors examined", "range": [-0.02, 1.02]},
        yaxis={"title": "recall@10", "range": [-0.02, 1.05]},
    )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="vectors at random", line={"color": GREY, "dash": "dot", "width": 1.5}
    )
    for i, (name, (examined, recall, sd)) in enumerate(lines.items()):
        order = np.argsort(examined)
        figure.add_scatter(
            x=examined[order],
            y=recall[order],
            error_y={"array": sd[order], "thickness": 1},
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i], "dash": DASHES[i]},
            marker={"color": PALETTE[i], "symbol": SYMBOLS[i], "size": 9},
        )
    return figure
