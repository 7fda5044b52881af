"""The figure of the EGES panel: an item's weights, its nearest neighbours, and where they are warm or cold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, GREY, ORANGE, PALETTE, VERMILION, Picture, new_figure
from rec_lib.figures.deepwalk import short
from rec_lib.figures.node2vec import note


@dataclass(frozen=True)
class Placed:
    """One setting of the EGES panel.

    item, model, history      what was chosen; history: False where the item was new to the model
    slots, weights            the item itself and its attributes, and how much each counts (0: it has none); both (S + 1,)
    values                    what the item has of each, as text
    near, cosine              names of the nearest items, nearest first, and their cosines
    kept                      which of them (bool) were also near to the same item in the model that knew its history
    """

    item: str
    model: str
    history: bool
    slots: tuple[str, ...]
    weights: np.ndarray
    values: tuple[str, ...]
    near: tuple[str, ...]
    cosine: np.ndarray
    kept: np.ndarray


def placed_figure(data: Placed) -> Picture:
    """Above: what the item's vector is made of. Below: its nearest neighbours."""
    figure = new_figure(
        f"{short(data.item, 40)} · {data.model}",
        alt(data),
        height=600,
        showlegend=False,
        margin={"l": 12, "r": 24, "t": 84, "b": 40},
        xaxis={"domain": [0.3, 1], "anchor": "y", "range": [0, 1.12], "tickformat": ".0%", "fixedrange": True},
        yaxis={"domain": [0.62, 1], "anchor": "x", "autorange": "reversed", "ticks": "", "fixedrange": True},
        xaxis2={
            "domain": [0.3, 1],
            "anchor": "y2",
            "range": [0, 1.12],
            "title": "cosine, the mean taken off",
            "fixedrange": True,
        },
        yaxis2={"domain": [0.04, 0.46], "anchor": "x2", "autorange": "reversed", "ticks": "", "fixedrange": True},
        annotations=[
            note("weights 注意力: what the vector is made of", 0.65),
            note("the eight nearest films", 0.65) | {"y": 0.47},
        ],
    )
    color = [GREY, *[BLUE] * (len(data.slots) - 1)]
    near = [VERMILION if kept else ORANGE for kept in data.kept]
    bars = [
        (data.weights, data.slots, "", color, [f"{w:.0%}" for w in data.weights], list(data.values)),
        (data.cosine, [short(n, 34) for n in data.near], "2", near, [f"{c:.2f}" for c in data.cosine], list(data.near)),
    ]
    for x, y, axis, colour, text, hover in bars:
        figure.add_trace(
            {
                "type": "bar",
                "x": x,
                "y": list(y),
                "orientation": "h",
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "marker": {"color": colour, "pattern": {"shape": ["/" if c == ORANGE else "" for c in colour]}},
                "text": text,
                "textposition": "outside",
                "hovertext": hover,
                "hoverinfo": "text",
            }
        )
    return figure


def alt(data: Placed) -> str:
    """The picture in words."""
    made = ", ".join(f"{slot} {w:.0%}" for slot, w in zip(data.slots, data.weights, strict=True))
    return f"{data.item}, {data.model}, {_history(data)}. Weights: {made}. Nearest: {', '.join(data.near[:4])}."


def summary(data: Placed) -> str:
    """What is seen, in plain text."""
    made = ", ".join(f"{slot} {w:.0%}" for slot, w in zip(data.slots, data.weights, strict=True) if w > 0)
    made = made or "nothing is known of it, its vector is as it was drawn"
    same = f"{int(data.kept.sum())} of its eight nearest were near with its history too." if not data.history else ""
    return f"{data.item}, {_history(data)}: {made}. Nearest: {', '.join(data.near[:3])}. {same}".rstrip()


def _history(data: Placed) -> str:
    return "with its history" if data.history else "history removed"


def cold_figure(
    values: Mapping[str, Mapping[str, Sequence[float]]], title: str, optimum: Mapping[str, float]
) -> Picture:
    """Bars by model for warm and cold items, ± 2 standard deviations over seeds, chance and the optimum as lines.

    Args:
        values: model → "warm", "cold" → one AUC a seed.
        title: headline.
        optimum: "warm", "cold" → mean AUC of the true law; {} where there is none.
    """
    told = "; ".join(f"{m}: " + ", ".join(f"{k} {np.mean(v):.3f}" for k, v in row.items()) for m, row in values.items())
    figure = new_figure(title, f"Bars of AUC by model, warm and cold items. {told}.", height=400, barmode="group")
    for i, kind in enumerate(("warm", "cold")):
        figure.add_bar(
            x=list(values),
            y=[float(np.mean(row[kind])) - 0.4 for row in values.values()],
            base=0.4,
            error_y={
                "array": [2 * float(np.std(row[kind], ddof=1)) for row in values.values()],
                "thickness": 1.5,
                "color": GREY,
            },
            name=f"{kind} items",
            marker={"color": PALETTE[i], "pattern": {"shape": ["", "/"][i], "fillmode": "overlay", "solidity": 0.12}},
            text=[f"{np.mean(row[kind]):.3f}" for row in values.values()],
            textposition="inside",
            insidetextanchor="start",
            insidetextfont={"color": "#FFFFFF", "size": 14},
        )
    figure.add_hline(y=0.5, line={"dash": "dot", "color": GREY}, annotation_text="chance", annotation_position="right")
    if optimum:
        top = float(np.mean(list(optimum.values())))
        figure.add_hline(
            y=top, line={"dash": "dash", "color": GREY}, annotation_text="the true law", annotation_position="top right"
        )
    figure.update_yaxes(title_text="AUC of held-out pairs", range=[0.4, 1.0])
    return figure
