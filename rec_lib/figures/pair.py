"""The start page's taste: may a model that adds one number for each fact speak about a pair of facts?

Films fall into four cells by two genres a and b: neither, a only, b only, both. A user liked some share of each. An
additive model has log-odds w0, w0 + w_a, w0 + w_b, w0 + w_a + w_b there: three numbers for four shares. The fourth
number, w_ab, is the interaction (特征交叉) that chapters 2 and 3 are about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.special import expit, logit

from rec_lib.data.movielens import MovieLens
from rec_lib.figures.core import BLUE, GREEN, GREY, VERMILION, Picture, new_figure

DESIGN = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 1]], float)  # cell -> w0, w_a, w_b, w_ab


@dataclass(frozen=True)
class Cells:
    """Films that one user rated, by genre: ``seen`` and ``liked`` (4,) for neither, a only, b only, both."""

    a: str
    b: str
    seen: np.ndarray
    liked: np.ndarray

    @property
    def names(self) -> tuple[str, str, str, str]:
        return ("neither", f"{self.a} only", f"{self.b} only", "both")

    @property
    def share(self) -> np.ndarray:
        """Liked share of each cell, (4,)."""
        return self.liked / self.seen


def genre_cells(ml: MovieLens, a: str, b: str, least: int = 1) -> dict[int, Cells]:
    """Count, for every user with at least ``least`` films in each cell, the films seen and liked (4 stars or more).

    Raises:
        ValueError: If a genre does not occur in the data; the message lists those that do.
    """
    known = sorted({g for genres in ml.items["genres"] for g in genres})
    for genre in (a, b):
        if genre not in known:
            raise ValueError(f"No film has the genre {genre!r}; expected one of {known}.")
    genres = ml.items["genres"]
    cell = genres.map(lambda g: (a in g) + 2 * (b in g))
    films = pd.DataFrame({"user": ml.ratings["user"], "cell": ml.ratings["item"].map(cell)})
    films["liked"] = ml.ratings["rating"] >= 4
    table = films.groupby(["user", "cell"])["liked"].agg(["count", "sum"]).unstack(fill_value=0)
    seen, liked = (table[k].reindex(columns=range(4), fill_value=0) for k in ("count", "sum"))
    enough = seen.index[(seen >= least).all(axis=1)]
    return {int(u): Cells(a, b, seen.loc[u].to_numpy(), liked.loc[u].to_numpy()) for u in enough}


def log_loss(cells: Cells, weights: np.ndarray) -> float:
    """Mean log loss (nats a film) of the weights (w0, w_a, w_b, w_ab) over all films of the four cells."""
    z = DESIGN @ weights  # (4,) log-odds of the cells
    total = cells.seen * np.logaddexp(0, z) - cells.liked * z
    return float(total.sum() / cells.seen.sum())


def best_weights(cells: Cells, pair: bool) -> np.ndarray:
    """The weights (4,) of least log loss, by Newton's method; w_ab stays 0 unless ``pair``."""
    x = DESIGN if pair else DESIGN[:, :3]
    w = np.zeros(x.shape[1])
    for _ in range(25):
        p = expit(x @ w)
        gradient = x.T @ (cells.liked - cells.seen * p)
        curvature = x.T @ (x * (cells.seen * p * (1 - p))[:, None])
        w = w + np.linalg.solve(curvature, gradient)
    return np.append(w, np.zeros(4 - len(w)))


def interaction_z(seen: np.ndarray, liked: np.ndarray) -> np.ndarray:
    """How many standard errors the interaction lies from zero: counts (..., 4) -> (...).

    w_ab is the difference of two differences of log-odds; its variance is the sum of 1/liked + 1/disliked over the
    cells, half a film added to each count so that none is empty (Haldane-Anscombe). In cells of some 15 films this is
    only roughly a standard normal number when there is no interaction; a simulation gives its law.
    """
    yes, no = liked + 0.5, seen - liked + 0.5
    w = np.log(yes / no) @ np.array([1.0, -1.0, -1.0, 1.0])
    return w / np.sqrt((1 / yes + 1 / no).sum(axis=-1))


def pair_z(cells: Cells) -> float:
    """``interaction_z`` of one user's cells."""
    return float(interaction_z(cells.seen, cells.liked))


def wilson(liked: np.ndarray, seen: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the 95 % interval of each share (Wilson 1927)."""
    p, n = liked / seen, seen
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return middle - half, middle + half


def pair_figure(cells: Cells, weights: np.ndarray) -> Picture:
    """Draw the sum of log-odds for the last cell (left) and the liked share of all four, said and seen (right)."""
    names = ["w₀", f"+ w {cells.a}", f"+ w {cells.b}", "+ w pair", "sum"]
    start = np.concatenate([[0.0], np.cumsum(weights)[:3], [0.0]])
    length = np.append(weights, weights.sum())
    said = expit(DESIGN @ weights)
    low, high = wilson(cells.liked, cells.seen)
    share = cells.share
    places = [f"{name}<br>{n} films" for name, n in zip(cells.names, cells.seen, strict=True)]
    figure = new_figure(
        f"{cells.a} and {cells.b}: what was added up, what was liked",
        f"Left: bars that add up the log-odds of a film of both genres to {weights.sum():.2f}. Right: share liked in "
        f"four cells of films, observed with 95 % interval and said by the model; for both genres "
        f"{share[3]:.0%} observed, {said[3]:.0%} said.",
        xaxis={"domain": [0, 0.36], "title": {"text": "log-odds 对数几率"}, "range": [-3, 3]},
        yaxis={"autorange": "reversed"},
        xaxis2={"domain": [0.5, 1], "anchor": "y2"},
        yaxis2={"anchor": "x2", "range": [0, 1], "tickformat": ".0%", "title": {"text": "share liked"}},
        legend={"orientation": "h", "x": 0.5, "y": 1.02, "yanchor": "bottom"},
        margin={"t": 88},
    )
    figure.add_traces(
        [
            go.Bar(
                y=names,
                x=length,
                base=start,
                orientation="h",
                marker={"color": [GREY, BLUE, BLUE, VERMILION, GREEN]},
                text=[f"{x:+.2f}" for x in length],
                textposition="outside",
                cliponaxis=False,
                showlegend=False,
                hovertemplate="%{y}: %{text}<extra></extra>",
            ),
            go.Scatter(
                x=places,
                y=share,
                xaxis="x2",
                yaxis="y2",
                mode="markers",
                name="liked, with 95 % interval",
                marker={"size": 13, "color": BLUE, "symbol": "circle"},
                error_y={"array": high - share, "arrayminus": share - low, "thickness": 2},
                text=[f"{k} of {n}" for k, n in zip(cells.liked, cells.seen, strict=True)],
                hovertemplate="%{x}: %{text} = %{y:.0%}<extra>liked</extra>",
            ),
            go.Scatter(
                x=places,
                y=said,
                xaxis="x2",
                yaxis="y2",
                mode="markers",
                name="model",
                marker={"size": 15, "color": VERMILION, "symbol": "diamond-open", "line": {"width": 3}},
                hovertemplate="%{x}: %{y:.0%}<extra>model</extra>",
            ),
        ]
    )
    return figure


def chance_figure(z: np.ndarray, marked: float) -> Picture:
    """Draw the interactions of many users in standard errors (bars) against a standard normal curve (line).

    Chance alone gives that curve in cells of many films; in cells of some 15 it spreads a little less (see
    ``interaction_z``), so the line is named a guide and no law.

    Args:
        z: One number a user, (N,), from ``pair_z``.
        marked: The user who was shown, in the same unit.
    """
    edges = np.arange(-4, 4.01, 0.5)
    counts, _ = np.histogram(z, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    x = np.linspace(-4, 4, 161)
    expected = len(z) * 0.5 * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    figure = new_figure(
        f"The same question asked of {len(z)} users",
        f"Histogram of {len(z)} users' interactions in standard errors, close to a normal curve of spread 1; chance alone "
        f"spreads a little less in cells of so few films. The user who was shown lies at {marked:.1f}, at the left edge.",
        xaxis_title="interaction, in standard errors",
        yaxis_title="users",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin={"t": 88},
    )
    figure.add_traces(
        [
            go.Bar(x=middle, y=counts, marker={"color": BLUE, "opacity": 0.75}, name="users"),
            go.Scatter(
                x=x,
                y=expected,
                mode="lines",
                line={"color": VERMILION},
                name="normal curve (chance on few films: a little narrower)",
            ),
            go.Scatter(
                x=[marked],
                y=[0],
                mode="markers",
                marker={"symbol": "star", "size": 18, "color": GREEN},
                name="the user you met",
                cliponaxis=False,
            ),
        ]
    )
    figure.update_layout(bargap=0.05)
    return figure


def fourth(neither: float, a: float, b: float) -> float:
    """The share that an additive model must expect for both genres, given exactly the other three shares."""
    return float(expit(logit(a) + logit(b) - logit(neither)))
