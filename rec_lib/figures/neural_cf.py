"""Pictures of section 3.4: four users in a plane, what both towers say of a pair, and ranks of a ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, GREEN, GREY, PALETTE, SYMBOLS, VERMILION, Picture, new_figure

PLACES = 10  # films in the list


@dataclass(frozen=True)
class Inside:
    """What the panel of 3.4 shows for one user, one film and one α.

    user and film by name; gmf (K,) what each product of GMF's tower adds to its logit, mlp (L,) the same of the MLP's hidden
    units, both before α; listed (PLACES,) titles of the best films by the mixture, best first; parts (PLACES, 2) what
    α · GMF and (1 − α) · MLP give each; place: where the last film watched stands, by GMF, MLP and the mixture; last: its
    title; at: its row in the list, −1 if it is not there; curve (A, 2) α and NDCG@10 over all users
    """

    user: str
    film: str
    alpha: float
    gmf: np.ndarray
    mlp: np.ndarray
    listed: Sequence[str]
    parts: np.ndarray
    place: tuple[int, int, int]
    last: str
    at: int
    curve: np.ndarray


def inside_figure(data: Inside) -> Picture:
    """Left: the numbers of both towers for one pair, and the quality of all mixtures. Right: the list of this mixture."""
    gmf, mlp = data.alpha * data.gmf, (1 - data.alpha) * data.mlp
    total = float(gmf.sum() + mlp.sum())
    rows = np.arange(len(data.listed))
    score = data.parts.sum(axis=1)
    quality = float(np.interp(data.alpha, data.curve[:, 0], data.curve[:, 1]))
    largest = max(float(np.abs(data.gmf).max()), float(np.abs(data.mlp).max()), 1e-9) * 1.1
    reach = max(float(np.abs(data.parts).sum(axis=1).max(initial=0.0)), 1e-9) * 1.1
    figure = new_figure(
        "Inside both towers 双塔内部",
        f"{data.user}, {data.film}: {len(gmf)} products of GMF add {gmf.sum():+.2f} and {len(mlp)} hidden units of the MLP add "
        f"{mlp.sum():+.2f} to the logit {total:+.2f}, with α = {data.alpha:.2f}. The list of the mixture starts with "
        f"{data.listed[0]} ({score[0]:+.2f}). Over all users this α has an NDCG@10 of {quality:.4f}.",
        height=640,
        barmode="relative",
        bargap=0.25,
        margin={"l": 56, "r": 16, "t": 88, "b": 56},
        xaxis={"domain": [0, 0.42], "anchor": "y", "title": "product k = h p q"},
        yaxis={"domain": [0.74, 1], "range": [-largest, largest], "title": "α · GMF"},
        xaxis2={"domain": [0, 0.42], "anchor": "y2", "title": "hidden unit l"},
        yaxis2={"domain": [0.37, 0.63], "anchor": "x2", "range": [-largest, largest], "title": "(1−α) · MLP"},
        xaxis3={"domain": [0, 0.42], "anchor": "y3", "title": "α", "range": [-0.03, 1.03]},
        yaxis3={"domain": [0, 0.26], "anchor": "x3", "title": "NDCG@10"},
        xaxis4={"domain": [0.5, 1], "anchor": "y4", "range": [-reach, reach], "title": "logit of the mixture"},
        yaxis4={
            "domain": [0, 1],
            "anchor": "x4",
            "range": [len(rows) - 0.4, -0.7],
            "showticklabels": False,
            "ticks": "",
            "showgrid": False,
        },
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0.5},
    )
    striped = {"color": VERMILION, "pattern": {"shape": "/", "fillmode": "overlay", "fgcolor": "#F2F2F2", "size": 6}}
    unit = {"type": "bar", "showlegend": False, "hovertemplate": "%{x}: %{y:.3f}<extra></extra>"}
    row = {"type": "bar", "orientation": "h", "xaxis": "x4", "yaxis": "y4", "y": rows + 0.22, "width": 0.3}
    stars = [data.at] if data.at >= 0 else []
    figure.add_traces(
        [
            unit | {"x": np.arange(1, len(gmf) + 1), "y": gmf, "marker": {"color": BLUE}},
            unit | {"x": np.arange(1, len(mlp) + 1), "y": mlp, "marker": striped} | {"xaxis": "x2", "yaxis": "y2"},
            {"type": "scatter", "mode": "lines", "x": data.curve[:, 0], "y": data.curve[:, 1]}
            | {"xaxis": "x3", "yaxis": "y3", "line": {"color": GREY}, "showlegend": False, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "markers", "x": [data.alpha], "y": [quality], "xaxis": "x3", "yaxis": "y3"}
            | {"marker": {"color": GREEN, "size": 14, "symbol": "diamond"}, "showlegend": False, "hoverinfo": "skip"},
            row | {"x": data.parts[:, 0], "marker": {"color": BLUE}, "name": "GMF", "hoverinfo": "skip"},
            row | {"x": data.parts[:, 1], "marker": striped, "name": "MLP", "hoverinfo": "skip"},
            {"type": "scatter", "mode": "text", "x": np.full(len(rows), -reach), "y": rows - 0.2}
            | {"text": [f"{_short(t)}  {s:+.2f}" for t, s in zip(data.listed, score, strict=True)]}
            | {"textposition": "middle right", "xaxis": "x4", "yaxis": "y4", "showlegend": False}
            | {"hoverinfo": "skip", "cliponaxis": False},
            {"type": "scatter", "mode": "markers", "x": [reach * 0.93] * len(stars), "y": stars, "name": "watched next"}
            | {"xaxis": "x4", "yaxis": "y4", "hoverinfo": "skip", "showlegend": True}
            | {"marker": {"color": GREEN, "size": 15, "symbol": "star"}},
        ]
    )
    return figure


def four_users_figure(angles: Mapping[str, float], title: str, alt: str) -> Picture:
    """Arrows of length 1 in a plane, name -> angle in degrees from the horizontal axis, in the first quarter."""
    figure = new_figure(
        title,
        alt,
        height=420,
        xaxis={"range": [-0.05, 1.25], "title": "first number", "constrain": "domain"},
        yaxis={"range": [-0.05, 1.15], "title": "second number", "scaleanchor": "x", "constrain": "domain"},
        showlegend=False,
    )
    for place, (name, angle) in enumerate(angles.items()):
        x, y = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        figure.add_scatter(
            x=[0, x],
            y=[0, y],
            mode="lines+markers+text",
            name=name,
            text=["", name],
            textposition="middle right",
            line={"color": PALETTE[place], "dash": DASHES[place]},
            marker={"size": [1, 11], "symbol": SYMBOLS[place], "color": PALETTE[place]},
        )
    return figure


def _short(title: str, most: int = 36) -> str:
    return title if len(title) <= most else title[: most - 1] + "…"
