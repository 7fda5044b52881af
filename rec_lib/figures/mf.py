"""Pictures of section 2.3: films and a user in the plane of two numbers, errors over ranks and sizes, how ALS goes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, GREY, PALETTE, SYMBOLS, VERMILION, Picture, new_figure

SHOWN = 10  # films in the list
TINT = [[0.0, "rgba(0,114,178,0.35)"], [0.5, "rgba(127,127,127,0)"], [1.0, "rgba(213,94,0,0.35)"]]  # no gain: the page


@dataclass(frozen=True)
class Latent:
    """What the panel of section 2.3 shows for one place of the user.

    films (n, 2) and their names; user (2,); gain (n,) what the inner product adds to each film's stars; score (n,) the
    predicted stars; best (SHOWN,) the films with the highest scores, best first; field (g, g) what a film at each place of
    `axis (g,)` would gain; with_bias: is the film's own bias in the score.
    """

    films: np.ndarray
    names: Sequence[str]
    user: np.ndarray
    gain: np.ndarray
    score: np.ndarray
    best: np.ndarray
    axis: np.ndarray
    field: np.ndarray
    with_bias: bool


def latent_figure(data: Latent) -> Picture:
    """The plane with the user's arrow, and the list of the best films beside it."""
    names = np.asarray(data.names)
    reach = float(data.axis[-1])
    listed = np.zeros(len(data.films), bool)
    listed[data.best] = True
    places = np.arange(len(data.best))
    x, y = data.user
    what = "mean + bias + product" if data.with_bias else "mean + product"
    first, last = names[data.best[0]], names[data.best[-1]]
    figure = new_figure(
        "Films and a user in the plane 隐向量空间",
        f"{len(names)} films as points in a plane, the user's vector as an arrow to ({x:.2f}, {y:.2f}). Films on the arrow's side "
        f"gain stars, films on the other side lose some. Beside it the {len(data.best)} films with the highest predicted "
        f"stars, from {first} with {data.score[data.best[0]]:.2f} down to {last} with {data.score[data.best[-1]]:.2f}.",
        height=500,
        margin={"l": 48, "r": 16, "t": 56, "b": 96},
        xaxis={
            "range": [-reach, reach],
            "domain": [0, 0.55],
            "constrain": "domain",
            "title": "first number",
            "showgrid": False,
        },
        yaxis={
            "range": [-reach, reach],
            "scaleanchor": "x",
            "constrain": "domain",
            "title": "second number",
            "showgrid": False,
        },
        xaxis2={"range": [2, 6], "domain": [0.62, 1], "title": f"stars = {what}"},
        yaxis2={
            "range": [len(places) - 0.4, -0.6],
            "anchor": "x2",
            "showticklabels": False,
            "ticks": "",
            "showgrid": False,
        },
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
    )
    shade = {"type": "heatmap", "x": data.axis, "y": data.axis, "z": data.field, "zmid": 0, "zmin": -2, "zmax": 2}
    hover = {"text": names, "hovertemplate": "%{text}<extra></extra>"}
    across = (
        np.array([[-y, x], [y, -x]]) * (2 * reach / max(np.hypot(x, y), 1e-9)) if x or y else np.full((2, 2), np.nan)
    )
    film = {"type": "scatter", "mode": "markers"}
    figure.add_traces(
        [
            shade | {"colorscale": TINT, "showscale": False, "hoverinfo": "none"},
            film
            | {"x": data.films[~listed, 0], "y": data.films[~listed, 1], "name": "film"}
            | {"marker": {"color": GREY, "size": 5, "symbol": "circle"}}
            | {"text": names[~listed], "hovertemplate": hover["hovertemplate"]},
            film
            | {"x": data.films[data.best, 0], "y": data.films[data.best, 1], "name": "in the list"}
            | {"marker": {"color": BLUE, "size": 10, "symbol": "square"}}
            | {"text": names[data.best], "hovertemplate": hover["hovertemplate"]},
            {"type": "scatter", "mode": "lines", "x": across[:, 0], "y": across[:, 1], "name": "gains nothing"}
            | {"line": {"color": GREY, "width": 1.5, "dash": "dot"}, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "lines+markers", "x": [0, x], "y": [0, y], "name": "user 用户"}
            | {"line": {"color": VERMILION, "width": 4}, "hoverinfo": "skip"}
            | {"marker": {"color": VERMILION, "size": [1, 16], "symbol": "star"}},
            {"type": "bar", "orientation": "h", "x": data.score[data.best], "y": places + 0.28, "width": 0.16}
            | {"xaxis": "x2", "yaxis": "y2"}
            | {"marker": {"color": BLUE}, "showlegend": False, "hoverinfo": "skip"},
            {
                "type": "scatter",
                "mode": "text",
                "x": np.full(len(places), 2.0),
                "y": places - 0.08,
                "xaxis": "x2",
                "yaxis": "y2",
            }
            | {"text": [f"{_short(names[i])}  {data.score[i]:.2f}" for i in data.best], "textposition": "middle right"}
            | {"showlegend": False, "hoverinfo": "skip", "cliponaxis": False},
        ]
    )
    return figure


def _short(title: str, most: int = 30) -> str:
    return title if len(title) <= most else title[: most - 1] + "…"


def lines_figure(
    title: str,
    alt: str,
    lines: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]],
    xlabel: str,
    ylabel: str,
    levels: Mapping[str, float] | None = None,
    log_x: bool = False,
) -> Picture:
    """Lines with error bars, name -> (x, mean, sd or None), and level lines at named heights; x on a scale of ratios if asked."""
    figure = new_figure(title, alt, xaxis={"title": xlabel}, yaxis={"title": ylabel})
    if log_x:
        ticks = sorted({float(x) for line in lines.values() for x in line[0]})
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    for place, (name, (x, mean, sd)) in enumerate(lines.items()):
        bars: dict[str, Any] = {} if sd is None else {"error_y": {"array": np.asarray(sd), "thickness": 1}}
        figure.add_scatter(
            x=np.asarray(x),
            y=np.asarray(mean),
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[place], "dash": DASHES[place]},
            marker={"color": PALETTE[place], "symbol": SYMBOLS[place], "size": 9},
            **bars,
        )
    for name, height in (levels or {}).items():
        figure.add_hline(
            y=height, line={"color": GREY, "dash": "dot"}, annotation_text=name, annotation_position="top right"
        )
    return figure


def matrix_figure(matrices: Mapping[str, np.ndarray], title: str, alt: str) -> Picture:
    """Small matrices side by side as cells with their numbers; NaN is a hole. Colours run from 1 to 5, or as far as the numbers."""
    figure = new_figure(title, alt, height=300, margin={"l": 24, "r": 24, "t": 64, "b": 40})
    width = 1 / len(matrices)
    low = min(1.0, *(float(np.nanmin(matrix)) for matrix in matrices.values()))
    high = max(5.0, *(float(np.nanmax(matrix)) for matrix in matrices.values()))
    for place, (name, matrix) in enumerate(matrices.items()):
        rows, columns = matrix.shape
        axis = "" if place == 0 else str(place + 1)
        text = [["" if np.isnan(value) else f"{value:.3g}" for value in row] for row in matrix]
        figure.add_heatmap(
            z=matrix,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 16},
            zmin=low,
            zmax=high,
            colorscale="Cividis",
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
            xaxis=f"x{axis}",
            yaxis=f"y{axis}",
        )
        holes = np.argwhere(np.isnan(matrix))
        figure.add_scatter(
            x=holes[:, 1],
            y=holes[:, 0],
            mode="text",
            text=["?"] * len(holes),
            textfont={"size": 18},
            showlegend=False,
            hoverinfo="skip",
            xaxis=f"x{axis}",
            yaxis=f"y{axis}",
        )
        blank = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
        domain = [place * width + 0.02, (place + 1) * width - 0.02]
        figure.layout[f"xaxis{axis}"] = blank | {
            "domain": domain,
            "title": {"text": name},
            "range": [-0.5, columns - 0.5],
        }
        figure.layout[f"yaxis{axis}"] = blank | {"anchor": f"x{axis}", "range": [rows - 0.5, -0.5]}
    return figure
