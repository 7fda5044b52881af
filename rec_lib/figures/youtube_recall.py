"""Pictures of section 4.5: a user vector among film vectors and what it recalls, pretraining by epoch, fashion, search and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, GREEN, GREY, PALETTE, SYMBOLS, VERMILION, Picture, new_figure

PLACES = 8  # films in the list


@dataclass(frozen=True)
class Recalled:
    """What the panel of 4.5 shows for one history and one index.

    first, second: names of the two sets of films; of_second of the PLAYED films watched are from the second; age of the
    example; films (n, 2) and watched (T, 2), path (P, 2) places in the plane, path by of_second, at: where it is now; listed
    (PLACES,) titles of the best films not watched, best first, scores (PLACES,) and found (PLACES,): does the index return
    it among 100; width w in units of M, tables L; effort: w -> (examined (Ls,), recall (Ls,)) averaged over users; now: the
    setting's own (examined, recall); recall of this one user
    """

    first: str
    second: str
    of_second: int
    played: int
    age: float
    films: np.ndarray
    watched: np.ndarray
    path: np.ndarray
    listed: Sequence[str]
    places: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    width: float
    tables: int
    effort: Mapping[float, tuple[np.ndarray, np.ndarray]]
    now: tuple[float, float]
    recall: float


def recalled_figure(data: Recalled) -> Picture:
    """Left: films and the user's direction in a plane. Right: the list, and recall against effort over many users."""
    rows = np.arange(len(data.listed))
    reach = max(float(data.scores.max(initial=0.0)), 1e-9) * 1.05
    low = min(0.0, float(data.scores.min(initial=0.0)))
    span = float(np.abs(np.concatenate([data.films, data.path])).max()) * 1.08
    figure = new_figure(
        "From watches to candidates 从观看历史到候选",
        f"{data.played - data.of_second} films of {data.first} and {data.of_second} of {data.second} were watched. The list starts with "
        f"{data.listed[0]}. With buckets of width {data.width:g} M and {data.tables} tables the index measures "
        f"{data.now[0]:.0%} of the films and finds {data.now[1]:.0%} of the best 100, on average.",
        height=640,
        margin={"l": 56, "r": 16, "t": 112, "b": 56},
        xaxis={"domain": [0, 0.46], "anchor": "y", "range": [-span, span], "title": "plane of the film vectors", "showticklabels": False},
        yaxis={"domain": [0, 1], "anchor": "x", "range": [-span, span], "showticklabels": False},
        xaxis2={"domain": [0.54, 1], "anchor": "y2", "range": [low, reach], "title": "v·u"},
        yaxis2={"domain": [0.52, 1], "anchor": "x2", "range": [len(rows) - 0.4, -0.7], "showticklabels": False, "ticks": "", "showgrid": False},
        xaxis3={"domain": [0.54, 1], "anchor": "y3", "range": [-0.02, 1.02], "title": "share of films measured"},
        yaxis3={"domain": [0, 0.36], "anchor": "x3", "range": [-0.03, 1.06], "title": "recall@100"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    dots = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    bar = {
        "type": "bar",
        "orientation": "h",
        "xaxis": "x2",
        "yaxis": "y2",
        "y": rows + 0.22,
        "width": 0.3,
        "hoverinfo": "skip",
    }
    striped = {"color": VERMILION, "pattern": {"shape": "/", "fillmode": "overlay", "fgcolor": "#F2F2F2", "size": 6}}
    lower = {"xaxis": "x3", "yaxis": "y3"}
    traces = [
        dots | {"x": data.films[:, 0], "y": data.films[:, 1], "name": "films", "marker": {"color": GREY, "size": 4, "opacity": 0.5}},
        dots | {"x": data.watched[:, 0], "y": data.watched[:, 1], "name": "watched", "marker": {"color": GREEN, "size": 11, "symbol": "diamond"}},
        dots | {"x": data.places[:, 0], "y": data.places[:, 1], "name": "recalled", "marker": {"color": BLUE, "size": 10, "symbol": "square"}},
        dots | {"mode": "lines", "x": data.path[:, 0], "y": data.path[:, 1], "showlegend": False, "line": {"color": VERMILION, "dash": "dot"}},
        dots | {"x": data.path[[data.of_second], 0], "y": data.path[[data.of_second], 1], "name": "user, on its path", "marker": {"color": VERMILION, "size": 17, "symbol": "star"}},
        bar | {"x": np.where(data.found, data.scores, 0), "marker": {"color": BLUE}, "name": "found by the index"},
        bar | {"x": np.where(data.found, 0, data.scores), "marker": striped, "name": "missed by the index"},
        {"type": "scatter", "mode": "text", "x": np.full(len(rows), low), "y": rows - 0.2, "xaxis": "x2", "yaxis": "y2", "showlegend": False}
        | {"text": [f"{_short(t)}  {s:+.2f}" for t, s in zip(data.listed, data.scores, strict=True)]}
        | {"textposition": "middle right", "hoverinfo": "skip", "cliponaxis": False},
        {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "line": {"color": GREY, "dash": "dot"}, "showlegend": False}
        | lower | {"hoverinfo": "skip"},
    ]  # fmt: skip
    for i, (w, (examined, recall)) in enumerate(data.effort.items()):
        line = {"color": PALETTE[i], "dash": DASHES[i]}
        traces.append(
            {"type": "scatter", "mode": "lines+markers+text", "x": examined, "y": recall, "showlegend": False, "line": line}
            | lower | {"marker": {"color": PALETTE[i], "symbol": SYMBOLS[i], "size": 7}, "hoverinfo": "skip"}
            | {"text": [""] * (len(examined) - 1) + [f"w = {w:g} M"], "cliponaxis": False, "textfont": {"color": PALETTE[i]}}
            | {"textposition": "top left" if examined[-1] > 0.5 else "bottom right"}
        )  # fmt: skip
    star = {"color": VERMILION, "size": 15, "symbol": "star"}
    traces.append(dots | {"x": [data.now[0]], "y": [data.now[1]], "marker": star, "showlegend": False} | lower)
    figure.add_traces(traces)
    figure.update_layout(barmode="overlay")
    return figure


def epochs_figure(title: str, alt: str, curves: Mapping[str, tuple[np.ndarray, np.ndarray]], ylabel: str) -> Picture:
    """Mean over seeds by epoch, with error bars of one standard deviation: name -> (mean (E,), sd (E,))."""
    figure = new_figure(title, alt, xaxis_title="epoch", yaxis_title=ylabel)
    for i, (name, (mean, sd)) in enumerate(curves.items()):
        figure.add_scatter(
            x=np.arange(1, len(mean) + 1),
            y=mean,
            error_y={"array": sd, "thickness": 1},
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i], "dash": DASHES[i]},
            marker={"color": PALETTE[i], "symbol": SYMBOLS[i], "size": 8},
        )
    return figure


def births_figure(title: str, alt: str, shares: Mapping[str, np.ndarray]) -> Picture:
    """Probability that a model gives to each part of the items, from the oldest to the newest: name -> (parts,)."""
    figure = new_figure(
        title, alt, xaxis_title="items by birth, oldest tenth to newest", yaxis_title="probability of being next"
    )
    for i, (name, share) in enumerate(shares.items()):
        figure.add_scatter(
            x=np.arange(1, len(share) + 1),
            y=share,
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i], "dash": DASHES[i]},
            marker={"color": PALETTE[i], "symbol": SYMBOLS[i], "size": 9},
        )
    return figure


def search_figure(title: str, alt: str, lines: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Picture:
    """Recall@100 against milliseconds a query, a line an index, a point a setting: name -> (ms (n,), recall (n,))."""
    figure = new_figure(title, alt)
    figure.update_xaxes(title="milliseconds a query", rangemode="tozero")
    figure.update_yaxes(title="recall@100", range=[-0.03, 1.06])
    for i, (name, (ms, recall)) in enumerate(lines.items()):
        figure.add_scatter(
            x=ms,
            y=recall,
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i], "dash": DASHES[i]},
            marker={"color": PALETTE[i], "symbol": SYMBOLS[i], "size": 11},
        )
    return figure


def _short(title: str, most: int = 34) -> str:
    return title if len(title) <= most else title[: most - 1] + "…"
