"""The evolution map of a chapter: systems by year and line of descent, with the chosen one's ancestors marked."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rec_lib.catalogue import LINES, SYSTEMS, System, section
from rec_lib.figures.core import BLUE, FAINT, GREY, ORANGE, SKY, TEXT, VERMILION, Picture, new_figure

_STATES = ("planned", "built", "done")
_MARKER = {"planned": ("circle-open", GREY), "built": ("circle", GREY), "done": ("circle", BLUE)}
_DODGE = 0.9  # of a column between two systems of one line and one year
_STAGGER = (-0.06, 0.08)  # rows: neighbours of one year stand up and down, so that an arrow passes by
_BASELINE = 0.24  # rows by which a baseline stands below the models of its line
_SEEN = ((0, "never"), (1, "1 to 9 times"), (10, "10 to 99 times"), (100, "100 times or more"))


@dataclass(frozen=True)
class Descent:
    """A chapter's map with one system chosen. ``measured`` says what our own runs found, or that there are none."""

    chapter: int
    chosen: System
    measured: str


def lines(chapter: int) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """A chapter's lines of descent; above them, if there are any, the parents that earlier chapters have.

    Raises:
        ValueError: the catalogue has no lines of descent for this chapter.
    """
    if chapter not in LINES:
        raise ValueError(f"chapter {chapter} has no evolution map; there are maps of {sorted(LINES)}.")
    own = [id for _, _, ids in LINES[chapter] for id in ids]
    asked = {parent for s in SYSTEMS if s.id in own for parent in s.parents}
    roots = tuple(s.id for s in SYSTEMS if s.id in asked and s.id not in own)
    return ((("From before", "前面各章", roots),) if roots else ()) + LINES[chapter]


def on_map(chapter: int) -> list[System]:
    """The systems of a chapter's map, line by line and by year.

    Raises:
        ValueError: the catalogue has no lines of descent for this chapter.
    """
    rows = {s.id: s for s in SYSTEMS}
    return [s for _, _, ids in lines(chapter) for s in sorted((rows[id] for id in ids), key=lambda s: s.year)]


def ancestors(system: System, among: list[System]) -> list[System]:
    """Parents, their parents and so on, nearest first, each once; only those among the given systems."""
    rows = {s.id: s for s in among}
    found: dict[str, System] = {}
    waiting = list(system.parents)
    while waiting:
        parent = rows.get(waiting.pop(0))
        if parent and parent.id not in found:
            found[parent.id] = parent
            waiting += parent.parents
    return list(found.values())


def card(data: Descent) -> list[str]:
    """What there is to say of the chosen system, a line a fact."""
    s = data.chosen
    rows = {row.id: row.name for row in SYSTEMS}
    place = section(s.section)
    lines = [f"{s.name} ({s.year}; {s.paper}): {s.idea}."]
    if s.parents:
        lines.append(f"Adds to {' and '.join(rows[id] for id in s.parents)}: {s.adds}.")
    lines.append(f"Section {s.section} {place.title}: {f'chapters/{place.notebook}' if place.notebook else 'planned'}.")
    return [*lines, data.measured]


def evolution_figure(data: Descent) -> Picture:
    """Years from left to right, one band a line of descent, an arrow from each parent to its child."""
    systems = on_map(data.chapter)
    place = _places(data.chapter, systems)
    columns, end = _columns(data.chapter, systems)
    years = list(columns)
    older = ancestors(data.chosen, systems)
    path = {s.id for s in (data.chosen, *older)}
    arrows = [(p, s.id) for s in systems for p in s.parents if p in place]
    n_lines = len(lines(data.chapter))
    figure = new_figure(
        f"The road to {data.chosen.name} 演化关系图",
        f"Evolution map of chapter {data.chapter}: {len(systems)} systems from {years[0]} to {years[-1]} in "
        f"{n_lines} lines of descent. Chosen: {data.chosen.name}, which descends from "
        f"{', '.join(s.name for s in older) or 'no other system of the map'}. " + " ".join(card(data)),
        height=110 + min(96 * n_lines, 530),
        showlegend=False,
        margin={"l": 150, "r": 24, "t": 56, "b": 52},
        xaxis={
            "range": [-0.1, end + 0.1],
            "tickvals": list(columns.values()),
            "ticktext": years,
            "fixedrange": True,
        },
        yaxis={"range": [n_lines - 0.4, -0.6], "visible": False, "fixedrange": True},
        shapes=_bands(data.chapter),
        annotations=_headings(data.chapter),
    )
    for on_path, color, width in ((False, FAINT, 2), (True, VERMILION, 3)):
        ends = [edge for edge in arrows if (edge[1] in path and edge[0] in path) == on_path]
        figure.add_trace(_arrows(ends, place, color, width))
    for state in _STATES:
        own = [s for s in systems if s.state == state]
        symbol, color = _MARKER[state]
        figure.add_scatter(
            x=[place[s.id][0] for s in own],
            y=[place[s.id][1] for s in own],
            mode="markers+text",
            text=[f"<b>{s.name}</b>" if s.id in path else s.name for s in own],
            textposition=["bottom center" if place[s.id][0] > columns[s.year] else "top center" for s in own],
            textfont={"color": TEXT, "size": 14},
            customdata=[s.id for s in own],
            marker={"symbol": symbol, "color": color, "size": 15, "line": {"width": 2, "color": color}},
            hovertext=[f"{s.name} ({s.year}): {s.idea}<br>{state}" for s in own],
            hoverinfo="text",
        )
    x, y = place[data.chosen.id]
    ring = {"symbol": "circle-open", "size": 26, "color": VERMILION, "line": {"width": 3}}
    figure.add_scatter(x=[x], y=[y], mode="markers", marker=ring, hoverinfo="skip")
    return figure


def _columns(chapter: int, systems: list[System]) -> tuple[dict[int, float], float]:
    """The middle of each year's column, and where the last one ends: side by side, each as wide as its fullest line."""
    middle, edge = {}, 0.0
    for year in sorted({s.year for s in systems}):
        here = {s.id for s in systems if s.year == year}
        width = max(len(here.intersection(ids)) for _, _, ids in lines(chapter))
        middle[year] = edge + width / 2
        edge += width
    return middle, edge


def _places(chapter: int, systems: list[System]) -> dict[str, tuple[float, float]]:
    """Each system in its line and year; two of one line and year stand side by side."""
    columns, _ = _columns(chapter, systems)
    place: dict[str, tuple[float, float]] = {}
    for row, (_, _, ids) in enumerate(lines(chapter)):
        for year, column in columns.items():
            here = [s for s in systems if s.id in ids and s.year == year]
            for i, s in enumerate(here):
                x = column + _DODGE * (i - (len(here) - 1) / 2)
                place[s.id] = (x, row + (_BASELINE if s.kind == "baseline" else _STAGGER[i % 2]))
    return place


def _bands(chapter: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "rect",
            "layer": "below",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": row - 0.46,
            "y1": row + 0.46,
            "line": {"width": 0},
            "fillcolor": "rgba(127,127,127,0.08)",
        }
        for row in range(len(lines(chapter)))
    ]


def _headings(chapter: int) -> list[dict[str, Any]]:
    place = {"xref": "paper", "x": 0, "xanchor": "right", "xshift": -10, "align": "right", "showarrow": False}
    return [
        place | {"y": row, "text": f"{'<br>'.join(textwrap.wrap(title, 16))}<br>{title_zh}", "font": {"size": 13}}
        for row, (title, title_zh, _) in enumerate(lines(chapter))
    ]


def _arrows(ends: list[tuple[str, str]], place: dict[str, tuple[float, float]], color: str, width: int) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for a, b in ends:
        x += [place[a][0], place[b][0], None]
        y += [place[a][1], place[b][1], None]
    marker = {"symbol": "arrow", "angleref": "previous", "size": [0, 14, 0] * len(ends), "standoff": 9, "color": color}
    return go.Scatter(
        x=x, y=y, mode="lines+markers", line={"color": color, "width": width}, marker=marker, hoverinfo="skip"
    )


def seen_figure(counts: Mapping[str, np.ndarray], title: str) -> Picture:
    """How often what a test row asks about was seen in training: one bar a kind of pair, split by the number of times.

    Args:
        counts: kind of pair → training rows with the same pair, one whole number a test row.
        title: headline.
    """
    shares = {name: np.histogram(n, [lower for lower, _ in _SEEN] + [np.inf])[0] / len(n) for name, n in counts.items()}
    said = "; ".join(f"{name}: never {s[0]:.0%}, 1 to 9 times {s[1]:.0%}" for name, s in shares.items())
    figure = new_figure(
        title,
        f"Stacked bars, share of test rows by how often their pair was seen in training. {said}.",
        height=150 + 44 * len(shares),
        barmode="stack",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        margin={"t": 96},
        xaxis={"title": {"text": "share of test rows"}, "tickformat": ".0%", "range": [0, 1]},
        yaxis={"autorange": "reversed"},
    )
    for k, (_, label) in enumerate(_SEEN):
        figure.add_bar(
            x=[s[k] for s in shares.values()],
            y=list(shares),
            orientation="h",
            name=label,
            marker={"color": (VERMILION, ORANGE, SKY, BLUE)[k], "pattern": {"shape": ("/", "x", ".", "")[k]}},
        )
    return figure
