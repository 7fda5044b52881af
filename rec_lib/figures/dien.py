"""Pictures of section 3.9: attention, gates and what is left of each behaviour; states that a candidate does or does not touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, GREEN, GREY, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Evolved:
    """What the panel of 3.9 shows for one history and one candidate, T steps.

    listed (T,) behaviours by name; own (T,) whether each is of the candidate's kind; attention (T,) a_t; gate (T,) the second
    GRU's own update gate u_t, mean over the state; opened (T,) a_t u_t; left (T,) share of the last state that this step's
    proposal has, Π of what later steps left; candidates (4,) by name, chosen (a place in it), p (4,) of the model, truth (4,) of the law
    """

    history: str
    listed: Sequence[str]
    own: np.ndarray
    attention: np.ndarray
    gate: np.ndarray
    opened: np.ndarray
    left: np.ndarray
    candidates: Sequence[str]
    chosen: int
    p: np.ndarray
    truth: np.ndarray
    steered: bool


def evolved_figure(data: Evolved) -> Picture:
    """Left, over time: attention, the gate before and after it, what is left at the end. Right: P(click) of the kind's stages."""
    steps = np.arange(1, len(data.listed) + 1)
    last = len(data.own) - 1 - int(np.argmax(data.own[::-1]))
    name = data.candidates[data.chosen]
    figure = new_figure(
        "What the candidate lets in 门控与注意力",
        f"{data.history}, candidate {name}. Attention is largest at step {int(data.attention.argmax()) + 1}, the last step of the "
        f"candidate's own kind is {last + 1}. Of the last state {data.left[data.own].sum():.0%} come from steps of this kind and "
        f"{data.left[~data.own].sum():.0%} from others. P(click) {data.p[data.chosen]:.2f}, by the law {data.truth[data.chosen]:.2f}.",
        height=600,
        barmode="overlay",
        bargap=0.25,
        margin={"l": 60, "r": 16, "t": 92, "b": 56},
        xaxis={"domain": [0, 0.68], "anchor": "y", "showticklabels": False, "range": [0.3, len(steps) + 0.7]},
        yaxis={"domain": [0.72, 1], "title": "attention a", "range": [0, 1.05]},
        xaxis2={"domain": [0, 0.68], "anchor": "y2", "showticklabels": False, "range": [0.3, len(steps) + 0.7]},
        yaxis2={"domain": [0.37, 0.65], "anchor": "x2", "title": "gate", "range": [0, 1.05]},
        xaxis3={
            "domain": [0, 0.68],
            "anchor": "y3",
            "tickvals": steps,
            "ticktext": list(data.listed),
            "tickangle": 0,
            "tickfont": {"size": 13},
            "range": [0.3, len(steps) + 0.7],
            "title": "history, oldest first",
        },
        yaxis3={"domain": [0, 0.3], "anchor": "x3", "title": "left at the end", "range": [0, 1.05]},
        xaxis4={"domain": [0.78, 1], "anchor": "y4", "tickvals": np.arange(4), "ticktext": list(data.candidates)}
        | {"range": [-0.6, 3.6], "title": "candidate"},
        yaxis4={"domain": [0, 1], "anchor": "x4", "title": "P(click)", "range": [0, 1.05]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    striped = {"color": GREY, "pattern": {"shape": "/", "fillmode": "overlay", "fgcolor": "#F2F2F2", "size": 6}}

    def bars(values: np.ndarray, own: bool, row: int, **more: object) -> dict[str, object]:
        axes = {"xaxis": f"x{row}", "yaxis": f"y{row}"} if row > 1 else {}
        return {
            "type": "bar",
            "x": steps,
            "y": np.where(data.own == own, values, np.nan),
            "marker": {"color": BLUE} if own else striped,
            "hovertemplate": "step %{x}: %{y:.2f}<extra></extra>",
            **axes,
            **more,
        }

    lines = {"type": "scatter", "mode": "lines+markers", "x": steps, "xaxis": "x2", "yaxis": "y2"}
    figure.add_traces(
        [
            bars(data.attention, True, 1, name="candidate's own kind"),
            bars(data.attention, False, 1, name="other kinds"),
            lines
            | {"y": data.gate, "name": "u, the GRU's gate"}
            | {"line": {"color": GREY, "dash": "dash"}, "marker": {"symbol": "circle-open", "color": GREY}},
            lines
            | {"y": data.opened, "name": "a · u"}
            | {"line": {"color": VERMILION}, "marker": {"symbol": "square", "color": VERMILION}},
            bars(data.left, True, 3, showlegend=False),
            bars(data.left, False, 3, showlegend=False),
            {"type": "bar", "x": np.arange(4), "y": data.p, "xaxis": "x4", "yaxis": "y4", "showlegend": False}
            | {"marker": {"color": [BLUE if k == data.chosen else GREY for k in range(4)]}}
            | {"hovertemplate": "%{y:.2f}<extra></extra>"},
            {"type": "scatter", "mode": "markers", "x": np.arange(4), "y": data.truth, "xaxis": "x4", "yaxis": "y4"}
            | {"name": "the law", "marker": {"color": GREEN, "symbol": "diamond", "size": 12}}
            | {"hovertemplate": "law %{y:.2f}<extra></extra>"},
        ]
    )
    return figure
