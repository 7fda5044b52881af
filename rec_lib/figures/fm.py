"""What a model with an FM part says about one sample: every weight and every pair of fields, and their sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DIVERGING, GREY, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Contributions:
    """The terms of one sample's logit.

    Args:
        title: what the sample is, such as "user 354 · Sleepless in Seattle (1993)".
        fields: names of the F fields.
        present: (F,) which of them are switched on.
        first: (F,) first-order weights w_i; 0 where the field is off.
        pairs: (F, F) symmetric, ⟨v_i, v_j⟩; 0 where i = j or a field is off.
        bias: w0.
        network: what the MLP adds; None for a model without one.
        pairs_add: whether the pairs are a term of the logit; in NFM they are not, its network reads them coordinate by
            coordinate.
        logit: the model's own output for this sample.
        scale: end of the colour scale; the same for all settings of a panel, so that colours can be compared.
        note: what is known about the sample, such as the rating that the user gave.
    """

    title: str
    fields: tuple[str, ...]
    present: tuple[bool, ...]
    first: np.ndarray
    pairs: np.ndarray
    bias: float
    network: float | None
    logit: float
    scale: float = 1.0
    note: str = ""
    pairs_add: bool = True

    @property
    def probability(self) -> float:
        return float(1 / (1 + np.exp(-self.logit)))

    @property
    def terms(self) -> dict[str, float]:
        """The parts whose sum is the logit."""
        parts = {"constant w<sub>0</sub>": self.bias, "first order Σ w<sub>i</sub>": float(self.first.sum())}
        if self.pairs_add:
            parts["pairs Σ ⟨v<sub>i</sub>, v<sub>j</sub>⟩"] = float(np.triu(self.pairs, 1).sum())
        return parts if self.network is None else parts | {"network": self.network}

    @property
    def strongest(self) -> tuple[str, str, float] | None:
        """The pair of fields with the largest product in absolute value, None with fewer than two fields on."""
        if sum(self.present) < 2:
            return None
        i, j = np.unravel_index(np.abs(np.triu(self.pairs, 1)).argmax(), self.pairs.shape)
        return self.fields[i], self.fields[j], float(self.pairs[i, j])


def contributions_figure(data: Contributions) -> Picture:
    """Left: w_i on the diagonal and ⟨v_i, v_j⟩ below it, one cell a term. Right: the sums of the parts, and the logit."""
    n = len(data.fields)
    cells = np.where(np.tri(n, k=-1, dtype=bool), data.pairs, np.nan)
    cells[np.diag_indices(n)] = data.first
    on = np.array(data.present)
    cells[~(on[:, None] & on[None, :])] = np.nan
    names = [name if here else f"<i>{name}: off</i>" for name, here in zip(data.fields, data.present, strict=True)]
    terms = data.terms | {"<b>logit</b>": data.logit}
    colors = [BLUE if value < 0 else VERMILION for value in data.terms.values()] + [GREY]
    axis = {"showgrid": False, "zeroline": False, "tickmode": "array", "tickvals": list(range(n)), "ticktext": names}
    reach = 1.9 * max(3 * data.scale, *(abs(value) for value in terms.values()))
    figure = new_figure(
        f"{data.title}: P(like) = {data.probability:.0%}",
        _alt(data),
        height=470,
        margin={"l": 120, "r": 16, "t": 64, "b": 76},
        xaxis=axis | {"domain": [0, 0.52], "tickangle": -40, "range": [-0.5, n - 0.5]},
        yaxis=axis | {"range": [n - 0.5, -0.5]},
        xaxis2={"domain": [0.72, 1], "anchor": "y2", "title": {"text": "adds to the logit"}, "range": [-reach, reach]},
        yaxis2={"anchor": "x2", "autorange": "reversed", "ticks": ""},
        showlegend=False,
    )
    figure.add_heatmap(
        z=[[None if np.isnan(value) else float(value) for value in row] for row in cells],  # JSON has no NaN
        zmin=-data.scale,
        zmax=data.scale,
        zmid=0,
        colorscale=DIVERGING,
        showscale=False,
        texttemplate="%{z:+.2f}",
        textfont={"size": 12, "color": "#111111"},
        hovertemplate="%{y} × %{x}: %{z:+.3f}<extra></extra>",
        xgap=2,
        ygap=2,
    )
    figure.add_bar(
        x=list(terms.values()),
        y=list(terms),
        orientation="h",
        xaxis="x2",
        yaxis="y2",
        marker={"color": colors, "pattern": {"shape": ["/" if value < 0 else "" for value in terms.values()]}},
        text=[f"{value:+.2f}" for value in terms.values()],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
    )
    figure.add_annotation(
        x=n - 0.6,
        y=0,
        text="diagonal: w<sub>i</sub><br>below it: ⟨v<sub>i</sub>, v<sub>j</sub>⟩",
        showarrow=False,
        xanchor="right",
        yanchor="top",
        align="right",
    )
    return figure


def _alt(data: Contributions) -> str:
    parts = ", ".join(f"{_plain(name)} {value:+.2f}" for name, value in data.terms.items())
    off = [name for name, here in zip(data.fields, data.present, strict=True) if not here]
    return (
        f"{data.title}. A triangle of cells: first-order weights on the diagonal, products of pairs of fields below it. "
        f"Beside it bars: {parts}; together the logit {data.logit:+.2f}, a probability of {data.probability:.0%}. "
        + (f"Switched off: {', '.join(off)}." if off else "All fields are on.")
    )


def _plain(term: str) -> str:
    term = term.replace("<sub>", "_")
    for tag in ("</sub>", "<b>", "</b>"):
        term = term.replace(tag, "")
    return term


def summary(data: Contributions) -> str:
    """The figure in two sentences of plain text."""
    parts = ", ".join(f"{_plain(name)} {value:+.2f}" for name, value in data.terms.items())
    strongest = data.strongest
    pair = (
        f" Strongest pair: {strongest[0]} × {strongest[1]} {strongest[2]:+.2f}."
        if strongest
        else " No pair of fields is on."
    )
    note = f" {data.note}" if data.note else ""
    return f"{sum(data.present)} of {len(data.fields)} fields on: {parts}. Logit {data.logit:+.2f}, P(like) = {data.probability:.1%}.{pair}{note}"
