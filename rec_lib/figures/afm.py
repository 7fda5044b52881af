"""Pictures of section 3.8.1: how much each pair of a sample counts, and what it adds to the logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import DIVERGING, SEQUENTIAL, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Attention:
    """What AFM makes of the pairs of one sample.

    share (F, F) attention of a pair in even shares, so 1 is what FM gives every pair; added (F, F) what the pair adds to the logit;
    both symmetric, NaN on the diagonal. scales the ends of the two colour scales. logit of the sample, and the logit with even
    shares. sharpness is what the scores were multiplied by before the softmax.
    """

    title: str
    fields: tuple[str, ...]
    share: np.ndarray
    added: np.ndarray
    scales: tuple[float, float]
    logit: float
    even_logit: float
    sharpness: float
    note: str = ""

    @property
    def top(self) -> tuple[int, int]:
        """The pair with the most attention."""
        upper = np.triu(np.nan_to_num(self.share, nan=-1.0), 1)
        i, j = np.unravel_index(int(np.argmax(upper)), upper.shape)
        return int(i), int(j)


def attention_figure(data: Attention) -> Picture:
    """Left: attention of each pair in even shares. Right: what the pair adds to the logit. The pair with the most attention is framed."""
    n = len(data.fields)
    i, j = data.top
    named = {
        "tickmode": "array",
        "tickvals": list(range(n)),
        "ticktext": list(data.fields),
        "showgrid": False,
        "zeroline": False,
    }
    across = named | {"tickangle": -40, "range": [-0.5, n - 0.5], "constrain": "domain"}
    figure = new_figure(
        f"{data.title}<br><sup>attention in even shares 注意力 (FM: 1 everywhere) · added to the logit 对logit的贡献</sup>",
        f"{data.title}. Two tables of the pairs of {n} fields. Left, attention in even shares, from {np.nanmin(data.share):.2f} to "
        f"{np.nanmax(data.share):.2f}, most for {data.fields[i]} × {data.fields[j]}. Right, what each pair adds to the logit, from "
        f"{np.nanmin(data.added):+.2f} to {np.nanmax(data.added):+.2f}.",
        height=470,
        margin={"l": 90, "r": 16, "t": 84, "b": 90},
        xaxis=across | {"domain": [0, 0.47]},
        yaxis=named | {"range": [n - 0.5, -0.5]},
        xaxis2=across | {"domain": [0.53, 1], "anchor": "y2"},
        yaxis2=named | {"range": [n - 0.5, -0.5], "anchor": "x2", "showticklabels": False},
        shapes=[_frame(a, b, which) for which in ("", "2") for a, b in ((i, j), (j, i))],
    )  # fmt: skip
    middle = data.scales[0] / 2
    ink = np.where(np.nan_to_num(data.share) < middle, "#FFFFFF", "#111111")
    figure.add_heatmap(
        z=_holes(data.share), zmin=0, zmax=data.scales[0], colorscale=SEQUENTIAL, showscale=False, xgap=1, ygap=1,
        hovertemplate="%{y} × %{x}: %{z:.2f} even shares<extra></extra>",
    )  # fmt: skip
    figure.add_heatmap(
        z=_holes(data.added), zmin=-data.scales[1], zmax=data.scales[1], zmid=0, colorscale=DIVERGING, showscale=False, xgap=1, ygap=1,
        hovertemplate="%{y} × %{x}: %{z:+.3f}<extra></extra>", xaxis="x2", yaxis="y2",
    )  # fmt: skip
    for values, text, colours, which in (
        (data.share, "{:.1f}", ink, ""),
        (data.added, "{:+.2f}", np.full((n, n), "#111111"), "2"),
    ):
        cells = [(a, b) for a in range(n) for b in range(n) if not np.isnan(values[a, b])]
        figure.add_scatter(
            x=[b for _, b in cells], y=[a for a, _ in cells], mode="text", text=[text.format(values[c]) for c in cells],
            textfont={"size": 12, "color": [str(colours[c]) for c in cells]}, hoverinfo="skip", showlegend=False,
            xaxis=f"x{which}", yaxis=f"y{which}",
        )  # fmt: skip
    return figure


def _holes(values: np.ndarray) -> list[list[float | None]]:
    """NaN as None: a live figure travels as JSON, which has no NaN."""
    return [[None if np.isnan(x) else float(x) for x in row] for row in values]


def _frame(row: int, column: int, which: str) -> dict[str, object]:
    return {
        "type": "rect", "xref": f"x{which}", "yref": f"y{which}", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
        "line": {"color": VERMILION, "width": 3},
    }  # fmt: skip


def summary(data: Attention) -> str:
    """What is seen, in words."""
    i, j = data.top
    pairs = data.share[np.triu_indices(len(data.fields), 1)]
    pairs = pairs[~np.isnan(pairs)]
    if np.allclose(pairs, 1.0):
        first = "Every pair counts the same: this is FM."
    else:
        first = (
            f"Most attention goes to {data.fields[i]} × {data.fields[j]}: {data.share[i, j]:.1f} even shares; the pairs run from "
            f"{pairs.min():.1f} to {pairs.max():.1f}."
        )
    return (
        f"{first} Logit {data.logit:+.2f}; with even shares it would be {data.even_logit:+.2f}."
        f"{' ' + data.note if data.note else ''}"
    )
