"""Pictures of section 3.10: activeness over time, two lists interleaved, regret beside regret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, GREEN, GREY, ORANGE, PALETTE, VERMILION, Picture, new_figure

PLACES = 5


@dataclass(frozen=True, eq=False)
class Alive:
    """Activeness `S` over `hours`, and the hours of the `returns`; what the panel was set to."""

    hours: np.ndarray
    S: np.ndarray
    returns: np.ndarray
    gap: float
    hazard: float
    rise: float
    settled: float  # S just before a return, once it repeats
    last: float  # S at the end


def alive_figure(data: Alive) -> Picture:
    """The curve that falls between visits and jumps at each."""
    figure = new_figure(
        f"Activeness 活跃度 of a user who comes every {data.gap:g} h and then stays away",
        f"S(t) falls by the hazard between returns and rises by {data.rise:g} at each. Just before a return it settles at "
        f"{data.settled:.2f}. At the end of the picture it is {data.last:.2f}.",
        height=420,
        xaxis={"title": "hours", "range": [0, float(data.hours[-1])]},
        yaxis={"title": "S(t)", "range": [0, 1.05]},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 92},
    )
    at = np.interp(data.returns, data.hours, data.S)
    dots = {"symbol": "triangle-up", "size": 12, "color": VERMILION}
    figure.add_traces(
        [
            {"type": "scatter", "x": data.hours, "y": data.S, "mode": "lines", "name": "S(t)", "line": {"color": BLUE}},
            {"type": "scatter", "x": data.returns, "y": at, "mode": "markers", "name": "return", "marker": dots},
        ]
    )
    return figure


@dataclass(frozen=True, eq=False)
class Duel:
    """What the panel of dueling bandits shows at one visit.

    W (users, topics) at the visit · who: the user · lists L, shown, L_tilde (5,) topics · by_tilde, clicks (5,) ·
    regret: name → mean over the last visits, at `visits` · score: clicks for W and for W̃ since the last comparison
    """

    W: np.ndarray
    who: int
    L: np.ndarray
    shown: np.ndarray
    L_tilde: np.ndarray
    by_tilde: np.ndarray
    clicks: np.ndarray
    visits: np.ndarray
    regret: Mapping[str, np.ndarray]
    visit: int
    alpha: float
    minor: int
    score: tuple[int, int]
    moved: int  # comparisons that W̃ has won so far
    settled: int  # comparisons so far
    mean: Mapping[str, float]  # regret of each over the whole feed


def duel_figure(data: Duel) -> Picture:
    """The lists of W and W̃ and what was shown of them; W as a map; regret of DBGD and of greedy."""
    figure = new_figure(
        f"Two lists interleaved 概率交错, α = {data.alpha:g}, a comparison every {data.minor} visits",
        f"Visit {data.visit}, user {data.who + 1}. W ranks topics {_said(data.L)}, W̃ {_said(data.L_tilde)}; shown are "
        f"{_said(data.shown)}, {int(data.by_tilde.sum())} of them drawn from W̃, {int(data.clicks.sum())} clicked. "
        + "; ".join(f"mean regret of {name} {value:.2f}" for name, value in data.mean.items())
        + ".",
        height=600,
        margin={"l": 64, "r": 24, "t": 56, "b": 60},
        xaxis={"domain": [0, 0.36], "range": [-0.5, 2.5], "tickvals": [0, 1, 2], "ticktext": ["by W", "shown", "by W̃"], "showgrid": False, "zeroline": False, "side": "top"},
        yaxis={"domain": [0.5, 0.93], "range": [PLACES + 0.5, 0.5], "dtick": 1, "title": "place", "showgrid": False, "zeroline": False},
        xaxis2={"domain": [0.48, 1], "anchor": "y2", "title": "topic", "showgrid": False, "dtick": 5},
        yaxis2={"domain": [0.62, 0.93], "anchor": "x2", "title": "user", "tickvals": [0, 1, 2, 3], "ticktext": ["1", "2", "3", "4"], "autorange": "reversed", "showgrid": False},
        xaxis3={"domain": [0, 1], "anchor": "y3", "title": "visit", "range": [0, float(data.visits[-1])]},
        yaxis3={"domain": [0, 0.36], "anchor": "x3", "title": "regret, a visit", "rangemode": "tozero"},
        legend={"orientation": "h", "y": 0.37, "yanchor": "bottom", "x": 0.3},
    )  # fmt: skip
    places = np.arange(1, PLACES + 1)
    rows = []
    for column, topics, given, name, colour, symbol in (
        (0, data.L, np.ones(PLACES, bool), "from W", BLUE, "square"),
        (2, data.L_tilde, np.ones(PLACES, bool), "from W̃", VERMILION, "circle"),
        (1, data.shown, ~data.by_tilde, "from W", BLUE, "square"),
        (1, data.shown, data.by_tilde, "from W̃", VERMILION, "circle"),
    ):
        y = np.where(given, places, np.nan)
        marker = {"symbol": symbol, "size": 26, "color": colour, "opacity": 0.35}
        text = {"text": (topics + 1).astype(str), "textfont": {"size": 14}, "hoverinfo": "skip"}
        rows.append({"type": "scatter", "x": np.full(PLACES, column), "y": y, "mode": "markers+text", "name": name, "marker": marker, "showlegend": False, **text})  # fmt: skip
    tick = {"symbol": "star", "size": 15, "color": GREEN}
    clicked = np.where(data.clicks, places, np.nan)
    rows.append({"type": "scatter", "x": np.full(PLACES, 1.38), "y": clicked, "mode": "markers", "name": "clicked", "marker": tick, "showlegend": False, "hoverinfo": "skip"})  # fmt: skip
    span = 3.0
    rows.append({"type": "heatmap", "z": data.W, "x": np.arange(1, data.W.shape[1] + 1), "xaxis": "x2", "yaxis": "y2", "zmin": -span, "zmax": span, "colorscale": "RdBu", "colorbar": {"title": {"text": "W"}, "len": 0.36, "y": 0.78, "thickness": 12}})  # fmt: skip
    for i, (name, curve) in enumerate(data.regret.items()):
        line = {"color": PALETTE[i], "dash": DASHES[i]}
        rows.append({"type": "scatter", "x": data.visits, "y": curve, "mode": "lines", "name": name, "line": line, "xaxis": "x3", "yaxis": "y3"})  # fmt: skip
    top = max(float(np.nanmax(curve)) for curve in data.regret.values())
    rows.append({"type": "scatter", "x": [data.visit] * 2, "y": [0, top], "mode": "lines", "name": "this visit", "line": {"color": GREY, "dash": "dot", "width": 2}, "xaxis": "x3", "yaxis": "y3"})  # fmt: skip
    figure.add_traces(rows)
    return figure


def _said(topics: np.ndarray) -> str:
    return ", ".join(str(topic + 1) for topic in topics)


def bars_figure(means: Mapping[str, Mapping[str, float]], title: str, y: str) -> Picture:
    """Groups of bars: group → policy → value.

    Raises:
        ValueError: groups of different policies.
    """
    names = list(next(iter(means.values())))
    if any(list(group) != names for group in means.values()):
        raise ValueError("bars_figure got groups of different policies; expected the same ones, in one order.")
    said = "; ".join(
        f"{group}: " + ", ".join(f"{name} {v:.2f}" for name, v in row.items()) for group, row in means.items()
    )
    figure = new_figure(title, f"Bars of {y}. {said}.", height=440, bargap=0.25)
    colours = [GREY, ORANGE, BLUE, GREEN, VERMILION, PALETTE[4], PALETTE[5]]
    shapes = ["", "/", "x", "\\", ".", "-", "+"]
    for i, name in enumerate(names):
        marker = {"color": colours[i % 7], "pattern": {"shape": shapes[i % 7]}}
        figure.add_bar(x=list(means), y=[row[name] for row in means.values()], name=name, marker=marker)
    figure.update_yaxes(title_text=y, rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, margin={"t": 96})
    return figure
