"""Figures of sections 4.1 and 4.7: a set of vectors as a cloud that can be turned, and what its neighbours are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.core import BLUE, FAINT, PALETTE, SYMBOLS, TEXT, VERMILION, Picture, new_figure

_LETTERS = {"a": "circle-open", "b": "square-open", "c": "diamond-open"}


@dataclass(frozen=True, eq=False)
class Cloud:
    """One setting of the explorer.

    title               what the vectors are
    dim                 numbers in a vector
    names, places, group    of the dots: (m,) strings, (m, 2) in the plane of the screen, (m,)
    groups              what colour and shape say, at most 7
    reach               the axes run from −reach to reach, (2,)
    turn                degrees by which the cloud is turned about its vertical axis
    asked               letter → (name, place) of what was found for a, b and c
    target              where the sum lies, (2,), or None where nothing was found
    near                names, cosines and places of the nearest, best first
    in_picture          how many of those are among the nearest dots of the picture
    shares              share of the variance along the three components
    message             what was understood, or why nothing was found
    """

    title: str
    dim: int
    names: np.ndarray
    places: np.ndarray
    group: np.ndarray
    groups: tuple[str, ...]
    reach: np.ndarray
    turn: int
    asked: dict[str, tuple[str, np.ndarray]]
    target: np.ndarray | None
    near: tuple[tuple[str, float, np.ndarray], ...]
    in_picture: int
    shares: np.ndarray
    message: str


def cloud_figure(data: Cloud) -> Picture:
    """Left: all vectors, turned; rings with a number are the nearest. Right: the same ones by cosine."""
    reach = data.reach if data.target is None else np.maximum(data.reach, 1.05 * np.abs(data.target))
    across = "component 1 主成分" if data.turn == 0 else "components 1 and 3 主成分"
    bare = {"showticklabels": False, "ticks": "", "showgrid": False}
    figure = new_figure(
        data.title,
        alt(data),
        height=600,
        margin={"l": 12, "r": 12, "t": 112, "b": 56},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 13}},
        xaxis=bare | {"domain": [0, 0.53], "range": [-reach[0], reach[0]]} | {"title": {"text": across}},
        yaxis=bare | {"range": [-reach[1], reach[1]], "title": {"text": "component 2"}},
        xaxis2={"domain": [0.56, 1], "range": [0, 1.02], "anchor": "y2", "title": {"text": "cosine 余弦相似度"}},
        yaxis2={"range": [10.6, 0.4], "anchor": "x2", "visible": False},
    )
    traces = []
    for g in range(len(PALETTE)):
        own = data.group == g
        marker = {"color": PALETTE[g], "symbol": SYMBOLS[g], "size": 7}
        name = data.groups[g] if g < len(data.groups) else ""
        traces.append(
            _dots(data.places[own], name=name, marker=marker, text=data.names[own], showlegend=bool(own.any()))
        )
    traces.append(_moves(data))
    rings = {"symbol": "circle-open", "size": 17, "color": VERMILION, "line": {"width": 2}}
    at = np.array([place for _, _, place in data.near]).reshape(-1, 2)
    numbers = [str(k) for k in range(1, len(data.near) + 1)]
    traces.append(
        _dots(at, mode="markers+text", marker=rings, text=numbers, textposition="top right")
        | {
            "hovertext": [name for name, _, _ in data.near],
            "textfont": {"size": 14, "color": VERMILION},
            "showlegend": False,
        }
    )
    traces.append(_asked(data))
    target = np.empty((0, 2)) if data.target is None else data.target[None]
    cross = {"symbol": "x", "size": 15, "color": VERMILION}
    traces.append(_dots(target, marker=cross, text=["the sum"] * len(target), showlegend=False))
    places, cosines = np.arange(1, len(data.near) + 1), np.array([cosine for _, cosine, _ in data.near])
    right = {"xaxis": "x2", "yaxis": "y2", "showlegend": False, "hoverinfo": "skip"}
    bar = {"type": "bar", "x": np.maximum(cosines, 0), "y": places + 0.28, "width": 0.2, "orientation": "h"}
    traces.append(bar | {"marker": {"color": BLUE}} | right)
    said = [f" {k}  {cosine:.2f}  {_short(name)}" for k, (name, cosine, _) in zip(places, data.near, strict=True)]
    traces.append(
        {"type": "scatter", "mode": "text", "x": np.zeros(len(said)), "y": places - 0.08, "text": said}
        | {"textposition": "middle right", "textfont": {"size": 14, "color": TEXT}, "cliponaxis": False}
        | right
    )
    figure.add_traces(traces)  # plain dicts, all at once: each trace is checked once
    return figure


def _short(name: str, most: int = 34) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _dots(places: np.ndarray, **properties: Any) -> dict[str, Any]:
    trace = {"type": "scatter", "x": places[:, 0], "y": places[:, 1], "mode": "markers", "hoverinfo": "text"}
    return trace | properties


def _asked(data: Cloud) -> dict[str, Any]:
    places = np.array([place for _, place in data.asked.values()]).reshape(-1, 2)
    symbols = [_LETTERS[letter] for letter in data.asked]
    marker = {"symbol": symbols, "size": 21, "color": VERMILION, "line": {"width": 4}}
    text = [f"<b>{letter}</b>" for letter in data.asked]
    return _dots(places, mode="markers+text", marker=marker, text=text, textposition="bottom left") | {
        "textfont": {"size": 20, "color": VERMILION},
        "hovertext": [name for name, _ in data.asked.values()],
        "showlegend": False,
    }


def _moves(data: Cloud) -> dict[str, Any]:
    """The step b → a, and the same step laid at c: c → sum."""
    places: list[np.ndarray] = []
    gap = np.full(2, np.nan)
    if {"a", "b"} <= data.asked.keys():
        places += [data.asked["b"][1], data.asked["a"][1], gap]
    if "c" in data.asked and data.target is not None:
        places += [data.asked["c"][1], data.target, gap]
    at = np.array(places or [gap])
    marker = {"symbol": "arrow", "angleref": "previous", "size": [0, 14, 0] * (len(at) // 3) or [0], "color": VERMILION}
    line = {"color": VERMILION, "width": 2, "dash": "dash"}
    return _dots(at, mode="lines+markers", line=line, marker=marker) | {"hoverinfo": "skip", "showlegend": False}


def alt(data: Cloud) -> str:
    """The picture in words."""
    seen = ", ".join(f"{name} ({int((data.group == g).sum())})" for g, name in enumerate(data.groups))
    near = "; ".join(f"{k} {name} {cosine:.2f}" for k, (name, cosine, _) in enumerate(data.near, start=1))
    return (
        f"{data.title}: {len(data.names)} dots, vectors of {data.dim} numbers seen along principal components, turned by {data.turn}°, that hold "
        f"{data.shares[:2].sum():.0%} (two) and {data.shares.sum():.0%} (three) of the variance. Colours: {seen}. "
        f"{data.message} Nearest by cosine: {near or 'none'}."
    )


def summary(data: Cloud) -> str:
    """What is seen, in plain text."""
    seen = (
        f"Two components hold {data.shares[:2].sum():.0%} of the variance of {data.dim} numbers, three "
        f"{data.shares.sum():.0%}."
    )
    if not data.near:
        return f"{data.message} {seen}"
    return (
        f"{data.message} Of the {len(data.near)} nearest in {data.dim} numbers {data.in_picture} are among the "
        f"{len(data.near)} nearest dots of this picture. {seen}"
    )


def bars_figure(
    title: str,
    unit: str,
    values: dict[str, np.ndarray],
    chance: float,
    said: str = "chance",
    told: tuple[str, ...] = (),
) -> Picture:
    """A bar a set of vectors with every seed as a circle, best mean on top, and a dashed line at chance.

    values: name → one value a seed; told: the names that were shown the answer in training, hatched.
    """
    ranked = sorted(values, key=lambda name: -values[name].mean())
    means = [float(values[name].mean()) for name in ranked]
    listed = "; ".join(f"{name} {mean:.3f}" for name, mean in zip(ranked, means, strict=True))
    figure = new_figure(
        title,
        f"Bars of {unit}, best first: {listed}. A dashed line marks {said}, {chance:.3f}.",
        height=150 + 44 * len(ranked),
        showlegend=False,
        xaxis={"title": {"text": unit}, "range": [0, 1.12 * max(*means, chance)]},
        yaxis={"type": "category", "autorange": "reversed"},
        shapes=[
            {"type": "line", "x0": chance, "x1": chance, "yref": "paper", "y0": 0, "y1": 1}
            | {"line": {"width": 2, "dash": "dash", "color": VERMILION}}
        ],
        annotations=[
            {"x": chance, "y": 1, "yref": "paper", "yanchor": "bottom", "text": said, "showarrow": False}
            | {"font": {"size": 14, "color": VERMILION}}
        ],
    )
    hatch = ["/" if name in told else "" for name in ranked]
    figure.add_bar(x=means, y=ranked, orientation="h", marker={"color": FAINT, "pattern": {"shape": hatch}})
    figure.add_scatter(
        x=[x for name in ranked for x in values[name].tolist()],
        y=[name for name in ranked for _ in values[name]],
        mode="markers",
        marker={"symbol": "circle-open", "size": 9, "color": BLUE, "line": {"width": 2}},
    )
    return figure
