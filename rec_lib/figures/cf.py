"""Pictures of section 2.2: the co-occurrence matrix, settings against quality, the head, cost, and a list with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from rec_lib.figures.core import (
    BLUE,
    DASHES,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PALETTE,
    SYMBOLS,
    VERMILION,
    Picture,
    new_figure,
)

PLACES, REASONS, SHOWN = 10, 8, 26  # rows of the list, rows of reasons, characters of a title


def matrix_figure(values: np.ndarray, users: Sequence[str], items: Sequence[str], title: str) -> Picture:
    """The co-occurrence matrix: users as rows, items as columns, the number of stars in each cell, NaN left empty."""
    known = ~np.isnan(values)
    items = ["<br>".join(wrap(item, 13)) for item in items]
    figure = new_figure(
        title,
        f"A table of {len(users)} users and {len(items)} items; {int(known.sum())} of {known.size} cells hold a rating.",
        height=120 + 44 * len(users),
        xaxis={"side": "top", "showgrid": False, "tickangle": 0},
        yaxis={"autorange": "reversed", "showgrid": False},
        margin={"l": 90, "r": 24, "t": 120, "b": 16},
    )
    figure.add_heatmap(
        x=list(items),
        y=list(users),
        z=values,
        zmin=1,
        zmax=5,
        colorscale=[[0, "#D55E00"], [0.5, "#F2F2F2"], [1, "#0072B2"]],
        showscale=False,
        xgap=3,
        ygap=3,
        hovertemplate="%{y}, %{x}: %{z}<extra></extra>",
    )
    for row, user in enumerate(users):
        for column, item in enumerate(items):
            if known[row, column]:
                stars = values[row, column]
                color = "#333333" if 2 <= stars <= 4 else "#FFFFFF"
                figure.add_annotation(x=item, y=user, text=f"{stars:g}", showarrow=False, font={"color": color})
            else:
                figure.add_annotation(x=item, y=user, text="?", showarrow=False)
    return figure


def settings_figure(ks: Sequence[int], curves: Mapping[str, Sequence[float]], title: str, y: str) -> Picture:
    """A measure against the number of neighbours k, which has a logarithmic axis; a ring marks the best of each curve.

    Raises ValueError for a curve of another length than ks.
    """
    if any(len(values) != len(ks) for values in curves.values()):
        raise ValueError(f"got curves of lengths {[len(v) for v in curves.values()]}, expected {len(ks)}: one a k.")
    best = {name: int(np.argmax(values)) for name, values in curves.items()}
    said = "; ".join(f"{name}: best {curves[name][i]:.3f} at k = {ks[i]}" for name, i in best.items())
    figure = new_figure(
        title,
        f"Lines of {y} against the number of neighbours. {said}.",
        xaxis={"type": "log", "title": "neighbours k", "tickvals": list(ks), "ticktext": [str(k) for k in ks]},
        yaxis={"title": y},
    )
    for i, (name, values) in enumerate(curves.items()):
        color, dash = PALETTE[i % len(PALETTE)], DASHES[i % len(DASHES)]
        figure.add_scatter(
            x=list(ks),
            y=list(values),
            mode="lines+markers",
            name=name,
            line={"color": color, "dash": dash},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)]},
        )
        ring = {"symbol": "circle-open", "size": 18, "color": color, "line": {"width": 3}}
        figure.add_scatter(x=[ks[best[name]]], y=[values[best[name]]], mode="markers", marker=ring, showlegend=False)
    return figure


def head_figure(
    line: Mapping[str, tuple[float, float]], points: Mapping[str, tuple[float, float]], taken: float, title: str
) -> Picture:
    """Share of the places that the most popular films take (x) against the hit rate (y).

    line    label → (share, hit rate), joined in order: one knob turned
    points  name → (share, hit rate) of other models
    taken   share of the held-out films that are in the head: what users did next
    """
    said = "; ".join(
        f"{name} {x:.0%} of the places, hit rate {y:.3f}" for name, (x, y) in (dict(line) | dict(points)).items()
    )
    figure = new_figure(
        title,
        f"Share of places that the head takes against the hit rate: {said}. Of the films that users took next, {taken:.0%} "
        "are in the head.",
        height=440,
        xaxis={"title": "share of the places taken by the 5 % most popular films", "tickformat": ".0%"},
        yaxis={"title": "HR@10, full ranking", "rangemode": "tozero"},
    )
    figure.update_xaxes(range=[-0.06, 1.12])
    top = max(y for _, y in (dict(line) | dict(points)).values())
    figure.add_scatter(
        x=[x for x, _ in line.values()],
        y=[y for _, y in line.values()],
        text=list(line),
        textposition=[_beside(i, y / top) for i, (_, y) in enumerate(line.values())],
        mode="lines+markers+text",
        name="co-takers, all neighbours, α",
        line={"color": GREY, "dash": "dot"},
        marker={"symbol": "circle", "color": GREY},
    )
    for i, (name, (x, y)) in enumerate(points.items()):
        figure.add_scatter(
            x=[x],
            y=[y],
            mode="markers",
            name=name,
            marker={"symbol": SYMBOLS[(i + 1) % len(SYMBOLS)], "size": 14, "color": PALETTE[i % len(PALETTE)]},
        )
    figure.add_vline(
        x=taken,
        line={"color": VERMILION, "dash": "dash", "width": 1.5},
        annotation_text="what users took next",
        annotation_position="top right",
    )
    return figure


def _beside(number: int, height: float) -> str:
    """Where the label of a point of the line stands: above and below in turn, but not on the ticks of the axis at 0."""
    if height < 0.05:
        return "top left"
    return "top center" if number % 2 else "bottom center"


def cost_figure(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], slopes: Mapping[str, float], title: str, x: str
) -> Picture:
    """Products against a size on logarithmic axes: name → (sizes, products); `slopes` are said in the legend."""
    said = "; ".join(f"{name}: slope {slopes[name]:.2f}" for name in curves)
    figure = new_figure(
        title,
        f"Lines on logarithmic axes. {said}.",
        height=380,
        xaxis={"type": "log", "title": x},
        yaxis={"type": "log", "title": "products", "exponentformat": "power", "dtick": 1},
    )
    for i, (name, (sizes, products)) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(sizes),
            y=list(products),
            mode="lines+markers",
            name=f"{name}: slope {slopes[name]:.2f}",
            line={"color": PALETTE[i], "dash": DASHES[i]},
            marker={"symbol": SYMBOLS[i]},
        )
    figure.update_xaxes(tickvals=sorted({int(size) for sizes, _ in curves.values() for size in sizes}))
    return figure


@dataclass(frozen=True)
class Reasons:
    """What the panel of 2.2 shows: ten films for a user, and who is behind each of them.

    titles (PLACES,) of the list and `scores`; `parts (PLACES, 4)`: the largest reason, the second, the third, all others.
    names, amounts (at most REASONS): the reasons behind place `place`, largest first; `count` of all reasons there.
    popular  the list is the popular one, because no neighbour says anything
    pool     neighbours (UserCF) or taken films with neighbours (ItemCF) that could speak
    """

    model: str
    user: str
    similarity: str
    k: int
    shrinkage: float
    taken: int
    titles: list[str]
    scores: np.ndarray
    parts: np.ndarray
    place: int
    names: list[str]
    amounts: np.ndarray
    count: int
    pool: int
    popular: bool


def short(title: str, length: int = SHOWN) -> str:
    """A title of `length` characters at most: what the margin of the panel has room for."""
    return title if len(title) <= length else title[: length - 1].rstrip() + "…"


def reasons_figure(data: Reasons) -> Picture:
    """The list, each bar cut into its largest reasons, and below it the reasons of the chosen place."""
    unit = "share of the known users" if data.popular else "score"
    top = f"{data.titles[0]} leads" if data.titles else "the list is empty"
    if data.popular:
        said = "No neighbour says anything, so the list is the popular one."
    elif data.names:
        said = f"Behind place {data.place} stand {data.count} reasons; the largest is {data.names[0]}."
    else:
        said = f"Nobody speaks for place {data.place}: its score is 0, and popularity alone put it there."
    figure = new_figure(
        f"{data.model}: ten films for {data.user}",
        f"Bars of the ten best films for {data.user}, each cut into its largest reasons; {top}. {said}",
        height=590,
        margin={"l": 250, "r": 24, "t": 92, "b": 50},
        barmode="stack",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        xaxis={"title": {"text": unit, "standoff": 2}, "rangemode": "tozero"},
        yaxis=_rows(PLACES, [short(t) for t in data.titles], 0.52, 1.0, data.place),
        xaxis2={
            "title": {"text": f"what each adds at place {data.place}", "standoff": 2},
            "anchor": "y2",
            "rangemode": "tozero",
        },
        yaxis2=_rows(REASONS, data.names, 0.0, 0.37, None) | {"anchor": "x2"},
    )
    places = np.arange(1, len(data.titles) + 1)
    bars: list[dict[str, Any]] = []
    looks = (("largest reason", BLUE, ""), ("second", ORANGE, "/"), ("third", GREEN, "x"), ("all others", GREY, "."))
    for column, (name, color, shape) in enumerate(looks):
        bars.append(_bar(data.parts[:, column] * (not data.popular), places, name, color, shape))
    bars.append(_bar(data.scores * data.popular, places, "popularity", VERMILION, "\\"))
    bars.append(
        _bar(data.amounts, np.arange(1, len(data.names) + 1), "reasons", BLUE, "")
        | {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
    )
    figure.add_traces(bars)
    return figure


def _rows(count: int, labels: Sequence[str], low: float, high: float, chosen: int | None) -> dict[str, Any]:
    """A category axis of a fixed number of rows, the first on top; the chosen one is marked."""
    texts = [f"▶ {label}" if number == chosen else label for number, label in enumerate(labels, start=1)]
    return {
        "domain": [low, high],
        "range": [count + 0.5, 0.5],
        "tickvals": list(range(1, len(labels) + 1)),
        "ticktext": texts,
        "automargin": False,
        "showgrid": False,
        "zeroline": False,
        "linecolor": FAINT,
    }


def _bar(x: np.ndarray, y: np.ndarray, name: str, color: str, shape: str) -> dict[str, Any]:
    if not len(y):  # one bar of no length: plotly drops a trace without points from the legend, which would jump
        x, y = np.zeros(1), np.ones(1)
    marker = {
        "color": color,
        "pattern": {"shape": shape, "bgcolor": color, "fgcolor": "rgba(255,255,255,0.7)", "size": 6},
    }
    hover = {"hovertemplate": f"{name}: %{{x:.3f}}<extra></extra>"}
    return {"type": "bar", "orientation": "h", "x": x, "y": y, "name": name, "marker": marker} | hover
