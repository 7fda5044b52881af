"""Weights of pairs: POLY2's own numbers beside FM's inner products for one sample; what they cost, and what a hash costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.core import DASHES, DIVERGING, GREY, PALETTE, SYMBOLS, Picture, new_figure


@dataclass(frozen=True)
class Side:
    """One model's view of a sample.

    Args:
        name: of the model.
        first: (F,) first-order weights w_i.
        pairs: (F, F) symmetric, the weight of each pair of fields; its diagonal is not read.
        bias: w0.
        valid: validation AUC of the model.
    """

    name: str
    first: np.ndarray
    pairs: np.ndarray
    bias: float
    valid: float

    @property
    def pair_sum(self) -> float:
        return float(np.triu(self.pairs, 1).sum())

    @property
    def logit(self) -> float:
        return self.bias + float(self.first.sum()) + self.pair_sum

    @property
    def probability(self) -> float:
        return float(1 / (1 + np.exp(-self.logit)))


@dataclass(frozen=True)
class TwoViews:
    """POLY2 and FM on one sample.

    Args:
        title: what the sample is, such as "user 354 · Sleepless in Seattle (1993)".
        fields: names of the F fields.
        poly2, fm: what each says.
        together: (F, F) number of training rows in which the two values stand together.
        watched: the two fields whose pair the summary tells about.
        scale: end of the colour scale, the same for all settings of a panel.
        note: what is known about the sample, such as the rating that the user gave.
    """

    title: str
    fields: tuple[str, ...]
    poly2: Side
    fm: Side
    together: np.ndarray
    watched: tuple[int, int]
    scale: float
    note: str = ""


def two_views_figure(data: TwoViews) -> Picture:
    """Two squares of F × F cells. On the diagonal w_i, below it the weight of the pair; above it, in POLY2's square, how
    many training rows had the pair.
    """
    n = len(data.fields)
    axis = {
        "showgrid": False,
        "zeroline": False,
        "tickmode": "array",
        "tickvals": list(range(n)),
        "ticktext": list(data.fields),
        "tickfont": {"size": 14},
    }
    columns, rows = axis | {"tickangle": -40, "range": [-0.5, n - 0.5]}, axis | {"range": [n - 0.5, -0.5]}
    figure = new_figure(
        f"{data.title}",
        _alt(data),
        height=520,
        margin={"l": 96, "r": 8, "t": 92, "b": 84},
        xaxis=columns | {"domain": [0, 0.49]},
        yaxis=rows,
        xaxis2=columns | {"domain": [0.51, 1], "anchor": "y2"},
        yaxis2=rows | {"anchor": "x2", "showticklabels": False},
        showlegend=False,
    )
    for side, x, y, counts in ((data.poly2, "x", "y", data.together), (data.fm, "x2", "y2", None)):
        values, texts = _cells(side, counts)
        figure.add_heatmap(
            z=[[None if np.isnan(value) else float(value) for value in row] for row in values],  # JSON has no NaN
            text=texts,
            texttemplate="%{text}",
            textfont={"size": 12, "color": "#111111"},
            zmin=-data.scale,
            zmax=data.scale,
            zmid=0,
            colorscale=DIVERGING,
            showscale=False,
            hovertemplate="%{y} × %{x}: %{text}<extra></extra>",
            xgap=2,
            ygap=2,
            xaxis=x,
            yaxis=y,
        )
        figure.add_annotation(
            x=(n - 1) / 2,
            y=1.02,
            xref=x,
            yref=f"{y} domain",  # beyond the range of an axis plotly draws no annotation
            text=f"<b>{side.name}</b>: P(like) = {side.probability:.0%}",
            showarrow=False,
            yanchor="bottom",
        )
    figure.add_annotation(
        x=n - 0.6,
        y=0,
        xref="x2",
        yref="y2",
        text="diagonal: w<sub>i</sub><br>below it: the pair<br>POLY2, above it: training<br>rows with the pair",
        showarrow=False,
        xanchor="right",
        yanchor="top",
        align="right",
        font={"size": 13},
    )
    return figure


def _cells(side: Side, counts: np.ndarray | None) -> tuple[np.ndarray, list[list[str]]]:
    """Values that are coloured (NaN: empty) and what is written into each cell."""
    n = len(side.first)
    values = np.where(np.tri(n, k=-1, dtype=bool), side.pairs, np.nan)
    values[np.diag_indices(n)] = side.first
    texts = [["" if np.isnan(value) else _signed(value) for value in row] for row in values]
    if counts is not None:
        upper = np.triu_indices(n, 1)
        values[upper] = 0.0  # the neutral colour: a count is no weight
        for i, j in zip(*upper, strict=True):
            texts[i][j] = f"{counts[i, j]:,}"
    return values, texts


def _signed(value: float) -> str:
    """+0.12; a weight that is exactly zero has no sign and no decimals."""
    return "0" if value == 0 else f"{value:+.2f}"


def _alt(data: TwoViews) -> str:
    a, b = (data.fields[i] for i in data.watched)
    sides = "; ".join(
        f"{side.name}: pairs {side.pair_sum:+.2f} in all, {a} × {b} {_signed(side.pairs[data.watched])}, probability {side.probability:.0%}"
        for side in (data.poly2, data.fm)
    )
    return (
        f"{data.title}. Two triangles of cells, the weight of each pair of fields below the diagonal, first-order weights on it. {sides}. "
        f"{a} and {b} stand together in {_rows(data)}."
    )


def _rows(data: TwoViews) -> str:
    together = int(data.together[data.watched])
    return "1 training row" if together == 1 else f"{together:,} training rows"


def two_views_summary(data: TwoViews) -> str:
    """The figure in a few sentences of plain text."""
    a, b = (data.fields[i] for i in data.watched)
    said = ", ".join(f"{side.name} {_signed(side.pairs[data.watched])}" for side in (data.poly2, data.fm))
    sides = "; ".join(
        f"{side.name}: pairs {side.pair_sum:+.2f}, logit {side.logit:+.2f}, P(like) = {side.probability:.1%}, validation AUC {side.valid:.3f}"
        for side in (data.poly2, data.fm)
    )
    return f"{a} × {b} stand together in {_rows(data)}; their weight: {said}. {sides}. {data.note}".strip()


def growth_figure(
    title: str,
    x: tuple[str, str],
    y: tuple[str, str],
    derived: tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]],
    counted: tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]],
    at: tuple[Sequence[float], Sequence[float]],
) -> Picture:
    """Two panels on double logarithmic axes: lines are formulas, markers what was counted on the code.

    Args:
        title: headline.
        x, y: labels of the left and the right panel.
        derived, counted: for each panel, model → values at the places `at`.
        at: places on the x axis, for each panel.

    Raises:
        ValueError: a model with a formula and no count or the other way round, or lengths that differ.
    """
    for panel in (0, 1):
        lengths = {len(v) for v in (*derived[panel].values(), *counted[panel].values())}
        if list(derived[panel]) != list(counted[panel]) or lengths != {len(at[panel])}:
            raise ValueError(
                f"panel {panel}: formulas of {list(derived[panel])} and counts of {list(counted[panel])} with lengths "
                f"{sorted(lengths)}; expected the same models, each with {len(at[panel])} values."
            )
    said = "; ".join(
        f"{y[panel]} of {name}: {values[0]:,.0f} to {values[-1]:,.0f}"
        for panel in (0, 1)
        for name, values in counted[panel].items()
    )
    figure = new_figure(
        title,
        f"Two panels on logarithmic axes, formulas as lines and counts as markers. {said}.",
        height=440,
        xaxis=_log_axis(x[0], at[0]) | {"domain": [0, 0.44]},
        yaxis={"type": "log", "dtick": 1, "title": {"text": y[0]}},
        xaxis2=_log_axis(x[1], at[1]) | {"domain": [0.57, 1], "anchor": "y2"},
        yaxis2={"type": "log", "dtick": 1, "title": {"text": y[1]}, "anchor": "x2"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 88},
    )
    for panel, suffix in ((0, ""), (1, "2")):
        for number, name in enumerate(derived[panel]):
            color = PALETTE[number]
            axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "legendgroup": name}
            figure.add_scatter(
                x=list(at[panel]),
                y=list(derived[panel][name]),
                mode="lines",
                line={"color": color, "dash": DASHES[number]},
                name=name,
                showlegend=False,
                hoverinfo="skip",
                **axes,
            )
            figure.add_scatter(
                x=list(at[panel]),
                y=list(counted[panel][name]),
                mode="markers",
                marker={"color": color, "symbol": SYMBOLS[number], "size": 10},
                name=name,
                showlegend=panel == 0,
                **axes,
            )
    return figure


def _log_axis(title: str, at: Sequence[float]) -> dict[str, Any]:
    """A logarithmic axis with its ticks where the points are; plotly's own ticks between powers of ten are tiny digits."""
    ticks = {"tickvals": list(at), "ticktext": [f"{value:,}" for value in at]}
    return {"type": "log", "title": {"text": title}} | ticks


def table_size_figure(
    sizes: Sequence[int], curves: Mapping[str, Sequence[float]], levels: Mapping[str, float], title: str, y: str
) -> Picture:
    """Scores against the rows of a hashed table (powers of two), with levels that do not depend on it.

    Raises:
        ValueError: a curve of another length than the sizes.
    """
    if any(len(values) != len(sizes) for values in curves.values()):
        raise ValueError(
            f"got curves of lengths {[len(v) for v in curves.values()]}, expected {len(sizes)}: one value a size."
        )
    said = "; ".join(f"{name} from {values[0]:.3f} to {values[-1]:.3f}" for name, values in curves.items())
    said += "".join(f"; {name} {value:.3f}" for name, value in levels.items())
    figure = new_figure(title, f"{y} by rows of the table, {sizes[0]:,} to {sizes[-1]:,}: {said}.", height=420)
    for number, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(sizes),
            y=list(values),
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[number], "dash": DASHES[number]},
            marker={"symbol": SYMBOLS[number]},
        )
    for number, (name, value) in enumerate(levels.items(), start=len(curves)):
        figure.add_scatter(
            x=[sizes[0], sizes[-1]],
            y=[value, value],
            mode="lines",
            name=name,
            line={"color": PALETTE[number] if number < len(PALETTE) - 1 else GREY, "dash": DASHES[number], "width": 2},
        )
    figure.update_xaxes(
        title_text="rows of the table", type="log", tickvals=list(sizes), ticktext=[f"{size:,}" for size in sizes]
    )
    figure.update_yaxes(title_text=y)
    return figure
