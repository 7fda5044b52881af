"""Pictures of section 3.8.2: a history as two candidates see it, weights by category, and Dice beside PReLU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DIVERGING, FAINT, GREEN, VERMILION, Picture, new_figure

LONGEST = 34  # letters of a title beside its bar


@dataclass(frozen=True)
class Weights:
    """The weights that a candidate gives to the films of a history, beside those that another one gives.

    history (T,) titles, newest first, "" where the history is shorter; weights, other (T,) NaN where there is none; p the probability
    of a like of each candidate; scale the end of the axis on either side of 0.
    """

    user: str
    candidate: str
    compared: str
    history: tuple[str, ...]
    weights: np.ndarray
    other: np.ndarray
    p: tuple[float, float]
    scale: float
    note: str = ""

    @property
    def real(self) -> int:
        """How many films the history has."""
        return int((~np.isnan(self.weights)).sum())


def weights_figure(data: Weights) -> Picture:
    """One bar a film of the history, newest at the top: its weight for the candidate; a diamond for the other candidate."""
    places = list(range(len(data.history)))
    total, other = np.nansum(data.weights), np.nansum(data.other)
    figure = new_figure(
        f"{data.user}: history and candidate 历史与候选影片",
        f"Bars of the weight that {data.candidate} gives to each of the last {data.real} films that {data.user} liked, and diamonds for "
        f"{data.compared}. The bars add up to {total:+.2f}, the diamonds to {other:+.2f}.",
        height=600,
        margin={"l": 270, "r": 20, "t": 92, "b": 50},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": -0.55},
        xaxis={"title": "weight a(e<sub>j</sub>, v<sub>A</sub>)", "range": [-data.scale, data.scale], "zeroline": True},
        yaxis={"tickmode": "array", "tickvals": places, "ticktext": [_short(t) for t in data.history],
               "range": [len(places) - 0.5, -0.5], "gridcolor": FAINT},
    )  # fmt: skip
    figure.add_bar(
        x=_holes(data.weights), y=places, orientation="h", name=_short(data.candidate), marker={"color": BLUE}, width=0.62,
        hovertemplate="%{x:+.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=_holes(data.other), y=places, mode="markers", name=_short(data.compared),
        marker={"symbol": "diamond-open", "size": 11, "color": VERMILION, "line": {"width": 2.5}}, hovertemplate="%{x:+.3f}<extra></extra>",
    )  # fmt: skip
    return figure


def _holes(values: np.ndarray) -> list[float | None]:
    """NaN as None: a live figure travels as JSON, which has no NaN."""
    return [None if np.isnan(x) else float(x) for x in values]


def _short(title: str) -> str:
    return title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"


def summary(data: Weights) -> str:
    """What is seen, in words."""
    if not data.real:
        return f"{data.user} has no history here: every weight is 0. P(like) = {data.p[0]:.2f} and {data.p[1]:.2f}."
    top = int(np.nanargmax(data.weights))
    moved = float(np.nanmean(np.abs(data.weights - data.other)))
    return (
        f"{data.candidate} gives the largest weight to {data.history[top]} ({data.weights[top]:+.2f}); all {data.real} weights add up to "
        f"{np.nansum(data.weights):+.2f}, for {data.compared} to {np.nansum(data.other):+.2f}. A weight differs by {moved:.2f} on average. "
        f"P(like) = {data.p[0]:.2f} and {data.p[1]:.2f}.{' ' + data.note if data.note else ''}"
    )


def categories_figure(table: np.ndarray, title: str) -> Picture:
    """Mean weight of a history item by its category (columns) and the candidate's (rows)."""
    n = len(table)
    same = float(np.diag(table).mean())
    others = float(table[~np.eye(n, dtype=bool)].mean())
    end = float(np.abs(table).max())
    axis = {"showgrid": False, "zeroline": False, "dtick": 5, "constrain": "domain"}
    figure = new_figure(
        title,
        f"Table of mean weights, {n} categories of the candidate by {n} of the history item. On the diagonal {same:+.2f} on average, "
        f"elsewhere {others:+.2f}.",
        height=440,
        xaxis=axis | {"title": "category of the history item", "range": [-0.5, n - 0.5]},
        yaxis=axis | {"title": "category of the candidate", "range": [n - 0.5, -0.5], "scaleanchor": "x"},
    )
    figure.add_heatmap(
        z=table, zmin=-end, zmax=end, zmid=0, colorscale=DIVERGING, xgap=1, ygap=1, hovertemplate="%{y} → %{x}: %{z:+.3f}<extra></extra>",
        colorbar={"outlinewidth": 0, "thickness": 14, "title": {"text": "weight"}},
    )  # fmt: skip
    return figure


def dice_figure(s: Sequence[float], curves: dict[str, Sequence[float]], batches: dict[str, Sequence[float]]) -> Picture:
    """Activations as lines over s; where the batches of which they took mean and spread lie, as short strokes below.

    Args:
        s: the axis.
        curves: name → f(s).
        batches: name → the values of a batch.
    """
    colours, dashes = (BLUE, VERMILION, GREEN), ("solid", "dash", "dot")
    figure = new_figure(
        "Dice: the bend stands where the batch is",
        f"Lines of {', '.join(curves)} over s from {min(s):.0f} to {max(s):.0f}; strokes below show the values of "
        f"{' and '.join(batches)}.",
        height=400,
        xaxis={"title": "s"},
        yaxis={"title": "f(s)"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 90},
    )
    for k, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(s), y=list(values), mode="lines", name=name, line={"color": colours[k], "dash": dashes[k]}
        )
    low = min(min(v) for v in curves.values())
    for k, (name, values) in enumerate(batches.items()):
        figure.add_scatter(
            x=list(values), y=[low - 0.5 - 0.5 * k] * len(values), mode="markers", name=name,
            marker={"symbol": "line-ns", "size": 12, "line": {"width": 2, "color": colours[k]}}, hoverinfo="skip",
        )  # fmt: skip
    return figure
