"""Pictures of section 2.6: a sample falling through the trees, probabilities over a plane, and values from day to day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.core import BLUE, GREY, VERMILION, Picture, new_figure, pieces
from rec_lib.figures.mf import lines_figure


@dataclass(frozen=True)
class Fall:
    """One sample in a few trees. Places: x counts leaves from left to right over all trees, y is minus the depth.

    splits (S, 2), leaves (L, 2) places; edges (E, 2, 2) from parent to child; …_on: on the sample's way;
    conditions: text of each split, which stands on the given side of it; tree: number of each leaf's tree, from 1; weights (L,) that are added up.
    """

    title: str
    splits: np.ndarray
    conditions: tuple[str, ...]
    sides: tuple[str, ...]
    splits_on: np.ndarray
    leaves: np.ndarray
    leaves_on: np.ndarray
    edges: np.ndarray
    edges_on: np.ndarray
    tree: np.ndarray
    weights: np.ndarray
    paths: tuple[str, ...]  # of each tree: the conditions that hold, in words
    constant: float
    id_name: str
    id_weight: float
    dense: float  # what the dense features add by their own weights
    logit: float
    p: float
    truth: float


def fall_figure(data: Fall) -> Picture:
    """The trees with the sample's way, below each leaf its bit of the code and its weight, and what is added beside them."""
    end = float(data.leaves[:, 0].max())
    beside = {"id": data.id_weight, "dense": data.dense}
    places = end + np.array([1.6, 3.0])  # of the two bars beside the leaves
    code = "".join(str(int(on)) for on in data.leaves_on)
    figure = new_figure(
        data.title,
        f"{data.tree.max()} trees drawn from the root down, the way of one sample marked. It ends in leaves "
        f"{', '.join(str(int(k) + 1) for k in np.flatnonzero(data.leaves_on))} of {len(code)}; their weights, "
        f"{', '.join(f'{w:+.2f}' for w in data.weights[data.leaves_on])}, the constant {data.constant:+.2f}, the id's "
        f"{data.id_weight:+.2f} and the dense features' {data.dense:+.2f} add up to {data.logit:+.2f}, a probability of {data.p:.0%}.",
        height=520,
        margin={"l": 64, "r": 16, "t": 64, "b": 60},
        xaxis={"range": [-1.2, end + 3.6], "visible": False, "anchor": "y"},
        yaxis={"domain": [0.44, 1], "range": [data.leaves[:, 1].min() - 0.45, 0.45], "visible": False},
        xaxis2={
            "range": [-1.2, end + 3.6], "anchor": "y2", "showgrid": False, "zeroline": False,
            "tickvals": [*data.leaves[:, 0], *places], "ticktext": [*code, *beside], "tickangle": 0,
            "title": {"text": f"leaf code 叶子编码, {data.id_name}, dense features"},
            "tickfont": {"size": 17},
        },
        yaxis2={"domain": [0, 0.36], "anchor": "x2", "title": {"text": "adds to the log-odds"}, "zeroline": True},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        barmode="overlay",
    )  # fmt: skip
    on, off = data.weights.copy(), data.weights.copy()
    on[~data.leaves_on], off[data.leaves_on] = 0, 0
    traces: list[dict[str, Any]] = [
        pieces(data.edges[~data.edges_on], "branch", {"color": GREY, "width": 1.5}),
        pieces(data.edges[data.edges_on], "way of the sample", {"color": VERMILION, "width": 5}),
    ]
    for name, mask, color in (("split", ~data.splits_on, GREY), ("split on the way", data.splits_on, VERMILION)):
        text, sides = ([t for t, here in zip(of, mask, strict=True) if here] for of in (data.conditions, data.sides))
        marker = {"size": 9, "color": color, "symbol": "circle"}
        text = [condition.replace(" ", "") for condition in text]  # a leaf of the neighbour is as near as this
        traces.append(_points(data.splits[mask], name, marker) | {"text": text, "mode": "markers+text"})
        traces[-1] |= {
            "textposition": sides or "top center",
            "textfont": {"size": 12, "color": color},
            "cliponaxis": False,
        }
    for name, mask, symbol, color in (
        ("leaf", ~data.leaves_on, "square-open", GREY),
        ("leaf it falls into", data.leaves_on, "square", VERMILION),
    ):
        traces.append(_points(data.leaves[mask], name, {"size": 11, "color": color, "symbol": symbol}))
    bar = {"type": "bar", "x": data.leaves[:, 0], "xaxis": "x2", "yaxis": "y2", "width": 0.7, "showlegend": False}
    hover = "tree %{customdata}: %{y:+.3f}<extra></extra>"
    # all leaves in one trace and those that count in another: heights change, the traces stay
    traces.append(
        bar
        | {"y": off, "marker": {"color": BLUE, "pattern": {"shape": "/"}}}
        | {"customdata": data.tree, "hovertemplate": hover}
    )
    traces.append(bar | {"y": on, "marker": {"color": VERMILION}, "customdata": data.tree, "hovertemplate": hover})
    traces.append(
        bar
        | {"x": places, "y": list(beside.values()), "marker": {"color": VERMILION}}
        | {"hovertemplate": "%{y:+.3f}<extra></extra>"}
    )
    figure.add_traces(traces)
    return figure


def _points(at: np.ndarray, name: str, marker: dict[str, Any]) -> dict[str, Any]:
    at = at if len(at) else np.full((1, 2), np.nan)
    return {
        "type": "scatter",
        "x": at[:, 0],
        "y": at[:, 1],
        "mode": "markers",
        "name": name,
        "marker": marker,
        "hoverinfo": "skip",
    }


def summary(data: Fall) -> str:
    """What is seen, in words."""
    ways = "; ".join(f"tree {k}: {text}" for k, text in enumerate(data.paths, start=1))
    added = " ".join(f"{w:+.2f}" for w in data.weights[data.leaves_on])
    return (
        f"{ways}. Leaf code {''.join(str(int(on)) for on in data.leaves_on)}. "
        f"Log-odds: constant {data.constant:+.2f}, leaves {added}, {data.id_name} {data.id_weight:+.2f}, "
        f"dense features {data.dense:+.2f}, together {data.logit:+.2f}, so p = {data.p:.0%}. The law that drew the clicks says {data.truth:.0%}."
    )


def days_figure(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str, x: str, y: str, first: int = 1
) -> Picture:
    """A value from day to day, one line a way of refreshing: name -> (means, standard deviations) over seeds.

    Raises:
        ValueError: no curve, or curves of different lengths.
    """
    lengths = {len(mean) for mean, _ in curves.values()}
    if len(lengths) != 1:
        raise ValueError(f"got curves of lengths {sorted(lengths)}; expected one value a day for each.")
    days = first + np.arange(*lengths)
    said = "; ".join(f"{name}: from {mean[0]:.3f} to {mean[-1]:.3f}" for name, (mean, _) in curves.items())
    lines = {name: (days, mean, sd) for name, (mean, sd) in curves.items()}
    figure = lines_figure(title, f"{y} by {x}, {days[0]} to {days[-1]}. {said}.", lines, x, y)
    figure.update_xaxes(dtick=1)
    return figure


def plane_figure(axis: np.ndarray, planes: Mapping[str, np.ndarray], title: str, x: str, y: str) -> Picture:
    """Probabilities over a plane, one square a name: arrays (g, g), rows are y."""
    n = len(planes)
    said = "; ".join(f"{name}: {z.min():.2f} to {z.max():.2f}" for name, z in planes.items())
    figure = new_figure(
        title, f"Probability of a click over the plane of {x} and {y}. {said}.", height=380, margin={"t": 90}
    )
    for k, (name, z) in enumerate(planes.items()):
        suffix = "" if k == 0 else str(k + 1)
        left = k / n + 0.02 * (k > 0)
        figure.add_heatmap(
            x=axis, y=axis, z=z, zmin=0, zmax=1, colorscale="Cividis", showscale=k == n - 1, xaxis=f"x{suffix}", yaxis=f"y{suffix}",
            colorbar={"title": {"text": "p"}, "tickformat": ".0%"}, hovertemplate=f"{x} %{{x:.2f}}, {y} %{{y:.2f}}: %{{z:.0%}}<extra>{name}</extra>",
        )  # fmt: skip
        figure.layout[f"xaxis{suffix}"] = {
            "domain": [left, (k + 1) / n - 0.03],
            "title": {"text": x},
            "anchor": f"y{suffix}",
        }
        figure.layout[f"yaxis{suffix}"] = {
            "anchor": f"x{suffix}",
            "showticklabels": k == 0,
            "title": {"text": y if k == 0 else ""},
        }
        middle = (left + (k + 1) / n - 0.03) / 2
        figure.add_annotation(
            text=name, x=middle, y=1.02, xref="paper", yref="paper", yanchor="bottom", showarrow=False
        )
    return figure
