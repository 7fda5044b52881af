"""The map of the course: every section of the book as a tile, by chapter, with what is ready and what is learnt."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import plotly.graph_objects as go

from rec_lib.catalogue import CHAPTERS, SECTIONS, SYSTEMS, Section, System
from rec_lib.figures.core import BLUE, GREEN, TEXT, Picture, new_figure

START = Section("0.1", "Start here", "从这里开始", "00_start_here.ipynb")
_TILES = 7  # in a line
_LINE, _HEAD = 1.0, 0.62  # heights of a line of tiles and of a chapter's heading
_STATES = ("planned 计划中", "ready 可学习", "begun 进行中", "complete 完成")
# Each state has its own mark and its own outline, so that the map can be read without its colours.
_MARKS = dict(zip(_STATES, ("", "○ ", "◐ ", "✓ "), strict=True))
_LINES: dict[str, dict[str, Any]] = {
    _STATES[0]: {"color": TEXT, "width": 0.7, "dash": "dot"},
    _STATES[1]: {"color": BLUE, "width": 2},
    _STATES[2]: {"color": GREEN, "width": 2},
    _STATES[3]: {"color": GREEN, "width": 3},
}
_SYMBOLS = dict(zip(_STATES, ("square-open-dot", "square-open", "square-x-open", "square"), strict=True))


def course_map(rows: Iterable[System] = SYSTEMS, progress: Mapping[str, float] | None = None) -> Picture:
    """Draw all chapters and sections, coloured by the learner's progress.

    Args:
        rows: Systems of the catalogue; a tile names those of its section when the pointer is over it.
        progress: Section id -> share of its exercises that are right, 0 to 1. Sections that are left out count as 0.

    Raises:
        ValueError: If a section is not in the catalogue or a share is not in [0, 1].
    """
    progress = dict(progress or {})
    sections = (START, *SECTIONS)
    _check(progress, {s.id for s in sections})
    systems: dict[str, list[System]] = {}
    for system in rows:
        systems.setdefault(system.section, []).append(system)

    shapes: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    tiles: dict[str, list[tuple[float, float, str, str]]] = {state: [] for state in _STATES}
    top, column = 0.0, 0  # of the row of tiles that is being filled
    for chapter, (title, title_zh) in {0: ("Start here", "从这里开始"), **CHAPTERS}.items():
        own = [s for s in sections if s.chapter == chapter]
        if column and column + 1 + len(own) > _TILES:  # no room beside the last chapter
            top, column = top + _HEAD + _LINE, 0
        column += bool(column)
        headings.append(_heading(column, top + _HEAD / 2, f"<b>{chapter or '☆'} {title}</b>  {title_zh}"))
        for i, section in enumerate(own):
            left, upper = float((column + i) % _TILES), top + _HEAD + (column + i) // _TILES * _LINE
            share = progress.get(section.id, 0.0)
            state = _state(section, share)
            shapes += _tile(left, upper, state, share)
            text = _label(section, state)
            tiles[state].append((left + 0.47, upper + 0.42, text, _hover(section, systems, state, share)))
        top += (column + len(own) - 1) // _TILES * _LINE
        column += len(own)
    return _draw(shapes, headings, tiles, top + _HEAD + _LINE)


def _check(progress: Mapping[str, float], known: set[str]) -> None:
    for section, share in progress.items():
        if section not in known:
            raise ValueError(f"progress got section {section!r}, which is not in the catalogue.")
        if not 0 <= share <= 1:
            raise ValueError(f"progress of {section} got {share}, expected a share from 0 to 1.")


def _state(section: Section, share: float) -> str:
    if not section.notebook:
        return _STATES[0]
    return _STATES[1] if share == 0 else _STATES[2] if share < 1 else _STATES[3]


def _tile(left: float, upper: float, state: str, share: float) -> list[dict[str, Any]]:
    box = {"type": "rect", "layer": "below", "x0": left, "x1": left + 0.94, "y0": upper, "y1": upper + 0.88}
    fill = "rgba(0,114,178,0.12)" if state != _STATES[0] else "rgba(0,0,0,0)"
    shapes = [box | {"line": _LINES[state], "fillcolor": fill}]
    if share:
        bar = {"y0": upper + 0.76, "x1": left + 0.94 * share, "line": {"width": 0}, "fillcolor": GREEN}
        shapes.append(box | bar)
    return shapes


def _label(section: Section, state: str) -> str:
    mark = f"{_MARKS[state]}{section.id}"
    lines = textwrap.wrap(f"{mark} {section.title}", 18)
    lines = lines if len(lines) < 3 else [lines[0], f"{lines[1]} …"]
    lines[0] = lines[0].replace(mark, f"<b>{mark}</b>", 1)
    return "<br>".join(lines)


def _hover(section: Section, systems: Mapping[str, list[System]], state: str, share: float) -> str:
    names = ", ".join(f"{s.name} ({s.year})" for s in systems.get(section.id, []))
    lines = [f"<b>{section.id} {section.title}</b>", section.title_zh, names, state]
    if section.notebook:
        lines += [f"{share:.0%} of the exercises right", f"chapters/{section.notebook}"]
    return "<br>".join(line for line in lines if line)


def _heading(column: int, y: float, text: str) -> dict[str, Any]:
    place = {"x": column, "y": y, "xanchor": "left", "yanchor": "middle", "align": "left"}
    return place | {"text": text, "showarrow": False, "font": {"size": 14}}


def _draw(
    shapes: list[dict[str, Any]],
    headings: list[dict[str, Any]],
    tiles: dict[str, list[tuple[float, float, str, str]]],
    height: float,
) -> Picture:
    counts = {state: len(own) for state, own in tiles.items()}
    alt = "Map of the course, one tile a section: " + ", ".join(f"{n} {state}" for state, n in counts.items()) + "."
    hidden = {"visible": False, "fixedrange": True}
    figure = new_figure(
        "The course 课程地图",
        alt,
        shapes=shapes,
        annotations=headings,
        xaxis=hidden | {"range": [0, _TILES]},
        yaxis=hidden | {"range": [height, 0]},
        height=int(92 + 40 * height),
        margin={"l": 8, "r": 8, "t": 84, "b": 8},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
    )
    for state, own in tiles.items():
        x, y, text, hover = zip(*own, strict=True) if own else ((), (), (), ())
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                text=text,
                hovertext=hover,
                mode="text",
                textfont={"size": 12, "color": TEXT},
                hovertemplate="%{hovertext}<extra></extra>",
                showlegend=False,
            )
        )
        key = go.Scatter(x=[None], y=[None], mode="markers", name=f"{_MARKS[state]}{state} ({len(own)})")
        key.marker = {"symbol": _SYMBOLS[state], "size": 12, "color": _LINES[state]["color"]}
        figure.add_trace(key)
    return figure
