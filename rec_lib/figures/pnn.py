"""Pictures of section 3.5: the products of one sample, inner beside outer, and what both forms of a product cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import DASHES, DIVERGING, PALETTE, SYMBOLS, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Products:
    """What a trained model's vectors make of one sample.

    inner (N, N) ⟨f_i, f_j⟩; outer (M, M) f_i f_jᵀ of the chosen pair, or Σ_{i,j} f_i f_jᵀ over all pairs; pair the indices of the
    chosen fields; summed whether outer is over all pairs; scales the ends of the two colour scales.
    """

    title: str
    fields: tuple[str, ...]
    inner: np.ndarray
    outer: np.ndarray
    pair: tuple[int, int]
    summed: bool
    scales: tuple[float, float]
    note: str = ""

    @property
    def names(self) -> str:
        """ "user × item"."""
        return f"{self.fields[self.pair[0]]} × {self.fields[self.pair[1]]}"

    @property
    def diagonal(self) -> float:
        """The sum of the outer table's diagonal."""
        return float(np.trace(self.outer))


def products_figure(data: Products) -> Picture:
    """Left: inner products of all fields, the chosen pair framed. Right: the outer product, its diagonal framed."""
    n, m = len(data.fields), len(data.outer)
    what = "all pairs added up" if data.summed else data.names
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    named = {"tickmode": "array", "tickvals": list(range(n)), "ticktext": list(data.fields)}
    numbered = {"tickmode": "array", "tickvals": list(range(0, m, 5)), "ticktext": [str(i + 1) for i in range(0, m, 5)]}
    i, j = data.pair
    cells = [(i, j)] if i == j else [(i, j), (j, i)]
    frames = [_frame(a, b, "x", "y") for a, b in cells] + [_frame(k, k, "x2", "y2") for k in range(m)]
    figure = new_figure(
        f"{data.title}<br><sup>inner ⟨f<sub>i</sub>, f<sub>j</sub>⟩ 内积 · outer {what} 外积</sup>",
        f"{data.title}. Left, a table of inner products of {n} fields; {data.names} is {data.inner[i, j]:+.3f}. Right, the outer product "
        f"of {what}, {m} by {m} numbers from {data.outer.min():+.3f} to {data.outer.max():+.3f}; its diagonal adds up to {data.diagonal:+.3f}.",
        height=470,
        margin={"l": 90, "r": 16, "t": 84, "b": 90},
        xaxis=axis | named | {"domain": [0, 0.46], "tickangle": -40, "range": [-0.5, n - 0.5]},
        yaxis=axis | named | {"range": [n - 0.5, -0.5]},
        xaxis2=axis | numbered | {"domain": [0.6, 1], "anchor": "y2", "title": "number of the second vector", "range": [-0.5, m - 0.5]},
        yaxis2=axis | numbered | {"anchor": "x2", "title": "number of the first", "range": [m - 0.5, -0.5]},
        shapes=frames,
    )  # fmt: skip
    places = 2 if data.scales[0] >= 0.1 else 3  # small vectors have small products
    for values, scale, which, text in (
        (data.inner, data.scales[0], "", f"%{{z:+.{places}f}}"),
        (data.outer, data.scales[1], "2", ""),
    ):
        figure.add_heatmap(
            z=values, zmin=-scale, zmax=scale, zmid=0, colorscale=DIVERGING, showscale=False, xgap=1, ygap=1,
            texttemplate=text, textfont={"size": 12, "color": "#111111"}, hovertemplate="%{z:+.4f}<extra></extra>",
            xaxis=f"x{which}", yaxis=f"y{which}",
        )  # fmt: skip
    return figure


def _frame(row: int, column: int, xref: str, yref: str) -> dict[str, object]:
    line = {"color": VERMILION if xref == "x" else "#111111", "width": 3 if xref == "x" else 1}
    return {
        "type": "rect", "xref": xref, "yref": yref, "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
        "line": line,
    }  # fmt: skip


def summary(data: Products) -> str:
    """What is seen, in words."""
    i, j = data.pair
    inner, m = data.inner[i, j], len(data.outer)
    if data.summed:
        right = (
            f"All {len(data.fields) ** 2} ordered pairs added up: {m * m} numbers whose diagonal adds up to {data.diagonal:+.3f}, which is the sum of "
            f"the whole table on the left ({data.inner.sum():+.3f}). The table is symmetric: {m * (m + 1) // 2} of its numbers differ."
        )
    else:
        right = f"The outer product has {m * m} numbers; the {m} on its diagonal add up to {data.diagonal:+.3f}: the inner product is in it."
    return f"{data.names}: ⟨f_i, f_j⟩ = {inner:+.3f}. {right}{' ' + data.note if data.note else ''}"


def cost_figure(fields: Sequence[int], curves: Mapping[str, Sequence[float]], title: str, y: str) -> Picture:
    """Cost of a product layer by number of fields, one line a form; both axes logarithmic.

    Raises:
        ValueError: a curve whose length is not that of `fields`.
    """
    if any(len(values) != len(fields) for values in curves.values()):
        raise ValueError(f"got {len(fields)} numbers of fields; every curve needs as many values.")
    said = "; ".join(f"{name} from {values[0]:.3g} to {values[-1]:.3g}" for name, values in curves.items())
    figure = new_figure(
        title, f"{y} for {fields[0]} to {fields[-1]} fields. {said}.", height=400,
        xaxis={"title": "fields N", "type": "log", "tickmode": "array", "tickvals": list(fields)},
        yaxis={"title": y, "type": "log", "exponentformat": "power", "dtick": 1},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, margin={"t": 90},
    )  # fmt: skip
    for i, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(fields), y=list(values), mode="lines+markers", name=name,
            line={"color": PALETTE[i], "dash": DASHES[i]}, marker={"symbol": SYMBOLS[i], "size": 9},
        )  # fmt: skip
    return figure
