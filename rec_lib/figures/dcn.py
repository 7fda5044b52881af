"""Picture of a cross network: which monomials of its input it contains, and what weight each has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import DIVERGING, Picture, new_figure

LIMIT = 3.0  # log-odds at which the colours end


@dataclass(frozen=True)
class Monomials:
    """A cross network over two numbers, multiplied out.

    weight (P + 1, P + 1)  entry [i, j] is the weight of x_1^i x_2^j; `free` numbers decide about all of them.
    """

    version: str
    layers: int
    output: str
    bias: bool
    weight: np.ndarray
    free: int

    @property
    def there(self) -> np.ndarray:
        """Which monomials have a weight."""
        return self.weight != 0

    @property
    def degree(self) -> int:
        i, j = np.nonzero(self.there)
        return int((i + j).max()) if len(i) else 0


def monomials_figure(data: Monomials) -> Picture:
    """A square a monomial: across the power of x_1, up the power of x_2."""
    powers = np.arange(len(data.weight))
    rows = data.weight.T.tolist()  # drawn upwards
    shown = [[value if value else None for value in row] for row in rows]  # None leaves a hole; JSON has no NaN
    text = [["" if value is None else f"{value:+.2f}" for value in row] for row in shown]
    figure = new_figure(
        f"{data.version}, {data.layers} cross layers",
        f"A table of the monomials of {data.output}. {summary(data)}",
        height=470,
        xaxis={"title": "power of x₁", "tickvals": powers, "range": [-0.5, powers[-1] + 0.5], "constrain": "domain"},
        yaxis={"title": "power of x₂", "tickvals": powers, "range": [-0.5, powers[-1] + 0.5], "scaleanchor": "x", "constrain": "domain"},
        margin={"t": 60},
    )  # fmt: skip
    figure.add_heatmap(
        x=powers, y=powers, z=shown, zmin=-LIMIT, zmax=LIMIT, zmid=0, colorscale=DIVERGING, xgap=3, ygap=3, hoverongaps=False,
        text=text, texttemplate="%{text}", textfont={"size": 13}, colorbar={"title": {"text": "weight"}},
        hovertemplate="x₁^%{x} x₂^%{y}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    return figure


def summary(data: Monomials) -> str:
    """What is seen, in words."""
    count = int(data.there.sum())
    return (
        f"{data.version}, {data.layers} layers: {data.output} has degree {data.degree} and {count} monomials"
        f"{', biases on' if data.bias else ''}; {data.free} free numbers decide about their weights."
    )
