"""The leaderboard: one metric on one split, a row a system, every seed shown; or differences from one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from rec_lib.figures.core import PALETTE, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Board:
    """What is drawn. ``values`` has system name → one value a seed, best mean first; empty where nothing was measured.

    With ``against`` the values are differences from that system, seed by seed. ``absent`` is the system that was asked for
    where it has no value on this board.
    """

    metric: str
    split: str
    higher_is_better: bool
    decimals: int
    values: dict[str, np.ndarray]
    against: str = ""
    absent: str = ""

    @property
    def unit(self) -> str:
        return f"{self.metric} minus {self.against}’s" if self.against else self.metric


def half_width(values: np.ndarray) -> float:
    """Half of the 95 % confidence interval of the mean of these seeds (Student's t)."""
    return float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)


def leaderboard_figure(board: Board) -> Picture:
    """Dots are seeds, bars are 95 % confidence intervals of the mean; the best row stands on top."""
    names = list(board.values)
    means = [float(v.mean()) for v in board.values.values()]
    said = "; ".join(f"{n} {m:.{board.decimals}f}" for n, m in zip(names, means, strict=True)) or "nothing was measured"
    figure = new_figure(
        f"{board.unit}, {board.split}",
        f"Leaderboard of {board.unit} on MovieLens-100K, split {board.split}, best first: {said}.",
        height=min(200 + 44 * max(len(names), 3), 640),  # no higher than a screen, however many rows
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 96},
        shapes=[_zero()] if board.against else [],
        annotations=[] if names else [_nothing()],
        xaxis={"title": {"text": f"{board.unit} ({'higher' if board.higher_is_better else 'lower'} is better)"}},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    figure.add_scatter(
        x=[x for v in board.values.values() for x in v.tolist()],
        y=[name for name, v in board.values.items() for _ in v],
        mode="markers",
        name="one seed",
        marker={"symbol": "circle-open", "size": 9, "color": PALETTE[0]},
    )
    figure.add_scatter(
        x=means,
        y=names,
        error_x={"type": "data", "array": [half_width(v) for v in board.values.values()], "thickness": 3, "width": 9},
        mode="markers",
        name="mean and its 95 % interval",
        marker={"symbol": "diamond", "size": 12, "color": VERMILION},
    )
    return figure


def _zero() -> dict[str, object]:
    return {
        "type": "line",
        "x0": 0,
        "x1": 0,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 2, "dash": "dash", "color": PALETTE[-1]},
    }


def _nothing() -> dict[str, object]:
    text = "No system was measured by this metric on this split."
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
        "font": {"size": 15},
    }
