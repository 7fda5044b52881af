"""Pictures of section 3.2: one film's row and how it is rebuilt, and the error by the price of the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, GREEN, GREY, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Rebuilt:
    """What the panel of section 3.2 shows for one film, one hidden size, one price.

    taste (m,) of each user; truth (m,) what each would rate; stars (m,) what was rated, NaN where nothing was; rebuilt (m,) what
    the model says; hidden units and λ; prices (p,) all of them; seen, fresh (p,) root mean squared error on all training ratings
    and on the truth of all holes, for this hidden size; here: the place of λ among the prices.
    """

    taste: np.ndarray
    truth: np.ndarray
    stars: np.ndarray
    rebuilt: np.ndarray
    hidden: int
    price: float
    prices: np.ndarray
    seen: np.ndarray
    fresh: np.ndarray
    here: int


def row_figure(data: Rebuilt) -> Picture:
    """The film's row over the users' taste, and both errors over the price, the chosen one marked."""
    ticks = [f"{price:g}" for price in data.prices]
    places = np.arange(len(ticks))
    rated = ~np.isnan(data.stars)
    figure = new_figure(
        "One film's row, rebuilt 重建一行评分",
        f"{int(rated.sum())} of {len(data.taste)} users rated this film: dots over the users' taste. A line shows what AutoRec with "
        f"{data.hidden} hidden units and λ = {data.price:g} says for every user, a dotted line what they would rate. Beside it the error "
        f"over λ: on the ratings {data.seen[data.here]:.2f} at this λ, in the holes {data.fresh[data.here]:.2f}.",
        height=430,
        margin={"l": 56, "r": 16, "t": 56, "b": 110},
        xaxis={"domain": [0, 0.58], "range": [-1.05, 1.05], "title": "user's taste"},
        yaxis={"range": [-2.6, 3.1], "title": "stars above usual"},
        xaxis2={
            "domain": [0.68, 1],
            "title": "λ (price of the weights)",
            "tickvals": places,
            "ticktext": ticks,
            "range": [-0.4, len(ticks) - 0.6],
        },
        yaxis2={"anchor": "x2", "range": [0, 1.3], "title": "RMSE (stars)"},
        legend={"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0},
    )
    line = {"type": "scatter", "mode": "lines"}
    right = {"xaxis": "x2", "yaxis": "y2"}
    both = line | {"mode": "lines+markers"}
    figure.add_traces(
        [
            line
            | {
                "x": data.taste,
                "y": data.truth,
                "name": "truth 真值",
                "line": {"color": GREY, "dash": "dot", "width": 2},
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": data.taste[rated],
                "y": data.stars[rated],
                "name": "rated 已评分",
                "marker": {"color": BLUE, "symbol": "circle", "size": 9},
            },
            line
            | {"x": data.taste, "y": data.rebuilt, "name": "rebuilt 重建", "line": {"color": VERMILION, "width": 3}},
            both
            | right
            | {"x": places, "y": data.seen, "name": "error on ratings"}
            | {"line": {"color": BLUE, "dash": "dash"}, "marker": {"symbol": "circle", "color": BLUE}},
            both
            | right
            | {"x": places, "y": data.fresh, "name": "error in holes"}
            | {"line": {"color": GREEN}, "marker": {"symbol": "diamond", "color": GREEN}},
            {
                "type": "scatter",
                "mode": "markers",
                "x": [data.here] * 2,
                "y": [data.seen[data.here], data.fresh[data.here]],
            }
            | right
            | {
                "name": "this λ",
                "marker": {"symbol": "circle-open", "size": 17, "color": VERMILION, "line": {"width": 3}},
            },
        ]
    )
    return figure
