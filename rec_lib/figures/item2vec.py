"""Pictures of section 4.3: a batch as its own negatives and where scores settle; the pairs of a basket; measured bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, GREEN, GREY, PALETTE, VERMILION, Picture, new_figure

HIGHEST = 4.0  # ends of the colour scale of a batch


@dataclass(frozen=True)
class Batched:
    """What the panel of 4.3 shows of one training.

    taste: whose scores are drawn; skew z; corrected: was log Q taken off; steps made of it; users, items (B,) of the last batch,
    counted from 0; logits (B, B) what goes into its softmax; log_p, log_q, scores (items,) of that taste: the law, popularity,
    what was learnt, each with mean 0; slope of score − log P on log Q, nan where all items are alike
    """

    taste: str
    skew: float
    corrected: bool
    steps: int
    users: np.ndarray
    items: np.ndarray
    logits: np.ndarray
    log_p: np.ndarray
    log_q: np.ndarray
    scores: np.ndarray
    slope: float


def leaders(scores: np.ndarray) -> str:
    """ "item 4", or "items 1, 4, 7" where several share the first place; numbered from 1."""
    best = np.flatnonzero(scores > scores.max() - 1e-9) + 1
    return ("item " if len(best) == 1 else "items ") + ", ".join(map(str, best))


def batch_figure(data: Batched) -> Picture:
    """Left: the last batch, its positives on the diagonal. Right: what was learnt of every item, beside log P and log P − log Q."""
    rows = np.arange(len(data.items))
    names = [f"{'ABC'[u]}" for u in data.users]
    columns = [str(i + 1) for i in data.items]
    x = np.arange(1, len(data.log_p) + 1)
    same = [(a, b) for a in rows for b in rows if a != b and data.items[a] == data.items[b]]
    figure = new_figure(
        "A batch is its own negatives 批内负采样",
        f"A batch of {len(rows)} after {data.steps} steps, log Q {'taken off' if data.corrected else 'left in'}. For users of taste {data.taste} "
        f"the highest score has {leaders(data.scores)}; by the law {leaders(data.log_p)}.",
        height=600,
        margin={"l": 60, "r": 16, "t": 112, "b": 60},
        xaxis={"domain": [0, 0.37], "anchor": "y", "title": "item of the column", "tickvals": rows, "ticktext": columns, "constrain": "domain"},
        yaxis={"domain": [0, 1], "anchor": "x", "title": "user of the row", "tickvals": rows, "ticktext": names, "range": [len(rows) - 0.5, -0.5]},
        xaxis2={"domain": [0.6, 1], "anchor": "y2", "title": "items, the most popular first", "tickvals": x},
        yaxis2={"domain": [0, 1], "anchor": "x2", "title": {"text": "score (mean 0)", "standoff": 4}},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    dots = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    right = {"xaxis": "x2", "yaxis": "y2", "hoverinfo": "skip", "type": "scatter"}
    figure.add_traces(
        [
            {"type": "heatmap", "x": rows, "y": rows, "z": data.logits, "zmin": -HIGHEST, "zmax": HIGHEST, "colorscale": "RdBu", "reversescale": True,
             "xgap": 2, "ygap": 2, "hoverinfo": "skip", "colorbar": {"x": 0.38, "len": 0.9, "thickness": 12, "title": {"text": "logit"}}},
            dots | {"x": rows, "y": rows, "name": "positive of the row", "marker": {"symbol": "square-open", "size": 26, "color": GREEN, "line": {"width": 4}}},
            dots | {"x": [b for _, b in same], "y": [a for a, _ in same], "name": "same item again",
                    "marker": {"symbol": "x", "size": 12, "color": VERMILION, "line": {"width": 1, "color": "#FFFFFF"}}},
            right | {"mode": "lines", "x": x, "y": data.log_p, "name": "log P", "line": {"color": BLUE, "width": 3}},
            right | {"mode": "lines", "x": x, "y": data.log_p - data.log_q, "name": "log P − log Q", "line": {"color": GREY, "width": 3, "dash": "dash"}},
            right | {"mode": "markers", "x": x, "y": data.scores, "name": "learnt", "marker": {"color": VERMILION, "size": 13, "symbol": "diamond"}},
        ]
    )  # fmt: skip
    return figure


def pairs_figure(names: Sequence[str], windowed: np.ndarray, full: np.ndarray) -> Picture:
    """Which pairs of one basket are met: by a window over its order, and as a set. (K, K) counts each, 0 on the diagonal."""
    figure = new_figure(
        "Pairs of one basket 一个集合中的物品对",
        f"Of {len(names) * (len(names) - 1)} ordered pairs the window meets {int((windowed > 0).sum())}, the set all.",
        height=420,
        xaxis={"domain": [0, 0.46], "anchor": "y", "title": "through a window", "showticklabels": False, "ticks": ""},
        xaxis2={"domain": [0.54, 1], "anchor": "y2", "title": "as a set", "showticklabels": False, "ticks": ""},
        yaxis={"autorange": "reversed", "anchor": "x", "dtick": 1},
        yaxis2={"autorange": "reversed", "anchor": "x2", "showticklabels": False},
        margin={"l": 190},
    )
    for k, counts in enumerate((windowed, full)):
        axes = {"xaxis": "x", "yaxis": "y"} if k == 0 else {"xaxis": "x2", "yaxis": "y2"}
        figure.add_traces(
            [{"type": "heatmap", "x": list(names), "y": list(names), "z": (counts > 0).astype(int), "zmin": 0, "zmax": 1, "showscale": False,
              "colorscale": [[0, "#DDDDDD"], [1, BLUE]], "xgap": 2, "ygap": 2, "hoverinfo": "skip"} | axes]
        )  # fmt: skip
    return figure


def bars_figure(title: str, alt: str, groups: Mapping[str, Mapping[str, tuple[float, float]]], y: str) -> Picture:
    """Grouped bars with error bars: colour name → (bar name → (mean, sd))."""
    figure = new_figure(title, alt, yaxis_title=y, barmode="group", height=420)
    for i, (name, bars) in enumerate(groups.items()):
        figure.add_bar(
            x=list(bars),
            y=[mean for mean, _ in bars.values()],
            error_y={"array": [sd for _, sd in bars.values()], "thickness": 1},
            name=name,
            marker={
                "color": PALETTE[i],
                "pattern": {
                    "shape": ("", "/", "x", ".")[i % 4],
                    "fillmode": "overlay",
                    "fgcolor": "#F2F2F2",
                    "size": 6,
                },
            },
        )
    return figure
