"""Pictures of section 3.3: what reaches each layer of a deep network, forwards and backwards, and what depth does to AUC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, PALETTE, SYMBOLS, VERMILION, Picture, new_figure

DEAD = 1e-3  # of the last layer's gradient: a layer below this learns a thousand times less


@dataclass(frozen=True)
class Cascade:
    """A network of residual units, or of plain ones, before its first step of training.

    gradient (2·units,) root mean square of the loss's gradient in a layer's weights, first layer first; spread (units + 1,) how far
    the samples differ from their mean, as a root mean square: in the stacked vector, then after each unit. The "other" ones are
    those of the same network with the shortcut switched.
    """

    units: int
    shortcut: bool
    start: str
    gradient: np.ndarray
    spread: np.ndarray
    other_gradient: np.ndarray
    other_spread: np.ndarray

    @property
    def ratio(self) -> float:
        """The first layer's gradient over the last one's; 0 where the first has none."""
        return float(self.gradient[0] / self.gradient[-1]) if self.gradient[-1] > 0 else 0.0


def cascade_figure(data: Cascade) -> Picture:
    """Left: gradient by layer. Right: what is left of the differences between samples, unit by unit. Both logarithmic."""
    names = {True: "with the shortcut", False: "without it"}
    figure = new_figure(
        f"{data.units} units, {names[data.shortcut]}",
        f"Two logarithmic plots for a network of {data.units} units {names[data.shortcut]}, started {data.start}, before training. Left, "
        f"gradient by layer: {data.gradient[0]:.1e} in the first of {len(data.gradient)}, {data.gradient[-1]:.1e} in the last. Right, how "
        f"far samples differ: {data.spread[0]:.1e} in the stacked vector, {data.spread[-1]:.1e} after the last unit. The other "
        f"network's first layer has {data.other_gradient[0]:.1e}, its samples differ by {data.other_spread[-1]:.1e} at the end.",
        height=430,
        margin={"l": 70, "r": 20, "t": 60, "b": 100},
        xaxis={"domain": [0, 0.44], "title": "layer, first to last", "range": [0.5, 2 * data.units + 0.5]},
        yaxis={"type": "log", "title": "gradient of a weight (RMS)", "range": [-16, 0], "exponentformat": "power", "dtick": 4},
        xaxis2={"domain": [0.58, 1], "title": "after unit (0: stacked vector)", "range": [-0.5, data.units + 0.5], "anchor": "y2"},
        yaxis2={"type": "log", "title": "difference of samples (RMS)", "range": [-13, 3], "anchor": "x2", "exponentformat": "power", "dtick": 4},
        legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0},
    )  # fmt: skip
    lines = (
        (data.gradient, data.spread, VERMILION, "solid", "square", names[data.shortcut]),
        (data.other_gradient, data.other_spread, BLUE, "dot", "circle-open", names[not data.shortcut]),
    )
    for gradient, spread, colour, dash, symbol, name in lines:
        look = {
            "mode": "lines+markers",
            "line": {"color": colour, "dash": dash},
            "marker": {"symbol": symbol, "size": 8},
        }
        figure.add_scatter(x=np.arange(1, len(gradient) + 1), y=_above_zero(gradient), name=name, **look)
        figure.add_scatter(
            x=np.arange(len(spread)), y=_above_zero(spread), name=name, showlegend=False, xaxis="x2", yaxis="y2", **look
        )
    return figure


def _above_zero(values: np.ndarray) -> np.ndarray:
    """A logarithmic axis has no place for 0."""
    return np.where(values > 0, values, np.nan)


def summary(data: Cascade) -> str:
    """What is seen, in words."""
    dead = int((data.gradient < DEAD * data.gradient[-1]).sum())
    kept = data.spread[-1] / data.spread[0]
    return (
        f"{data.units} units {'with' if data.shortcut else 'without'} the shortcut, started {data.start}: the first layer's gradient is "
        f"{data.ratio:.1e} of the last layer's; {dead} of {len(data.gradient)} layers get less than a thousandth of it. The "
        f"differences between samples are {kept:.1e} times as large at the end as in the stacked vector."
    )


def depth_figure(curves: Mapping[str, np.ndarray], units: Sequence[int], title: str, best: float) -> Picture:
    """Expected test AUC by depth, one line a kind of network: mean and spread over seeds.

    Args:
        curves: name → (depths, seeds).
        units: the depths.
        title: headline.
        best: the best possible value.
    """
    said = "; ".join(f"{name}: {', '.join(f'{v.mean():.3f}' for v in values)}" for name, values in curves.items())
    figure = new_figure(
        title, f"Expected test AUC at {', '.join(map(str, units))} units. {said}. The best possible is {best:.3f}.",
        height=400, xaxis={"title": "units (two layers each)", "type": "category"}, yaxis={"title": "expected test AUC", "range": [0.48, 0.9]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, margin={"t": 90},
    )  # fmt: skip
    for i, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=[str(n) for n in units], y=values.mean(axis=1), error_y={"array": values.std(axis=1, ddof=1), "thickness": 1}, name=name,
            mode="lines+markers", line={"color": PALETTE[i], "dash": DASHES[i]}, marker={"symbol": SYMBOLS[i], "size": 10},
        )  # fmt: skip
    figure.add_hline(y=best, line={"dash": "dot", "width": 1.5, "color": PALETTE[-1]}, annotation_text="best possible")
    return figure
