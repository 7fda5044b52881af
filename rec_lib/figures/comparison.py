"""Models side by side: training curves, and intervals over seeds with one live run in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import t

from rec_lib.figures.core import DASHES, PALETTE, SYMBOLS, TEXT, VERMILION, Picture, new_figure


def curves_figure(
    curves: Mapping[str, Sequence[float]],
    title: str,
    y: str = "validation AUC",
    target: float | None = None,
    lowest: bool = False,
) -> Picture:
    """One line a run, epochs 1, 2, … on the x axis.

    Args:
        curves: run → value after each epoch; runs may differ in length.
        title: headline.
        y: label of the values.
        target: the best value that is possible, where it is known.
        lowest: the lowest value is the best one, as with an error.

    Raises:
        ValueError: no curves, or an empty one.
    """
    if not curves or not all(len(values) for values in curves.values()):
        raise ValueError("curves_figure got no curve or an empty one; expected a value an epoch for each run.")
    top = {name: int(np.argmin(v) if lowest else np.argmax(v)) for name, v in curves.items()}
    best = "; ".join(
        f"{name}: best {v[top[name]]:.3f} in epoch {top[name] + 1} of {len(v)}" for name, v in curves.items()
    )
    figure = new_figure(title, f"Lines of {y} by epoch. {best}.", height=400)
    for i, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=list(values),
            mode="lines+markers",
            name=name,
            line={"color": PALETTE[i % len(PALETTE)], "dash": DASHES[i % len(DASHES)]},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)]},
        )
    if target is not None:
        figure.add_hline(
            y=target,
            line={"dash": "dot", "width": 1.5, "color": PALETTE[-1]},
            annotation_text=f"best possible {target:.3f}",
        )
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text=y)
    return figure


def intervals_figure(
    values: Mapping[str, Sequence[float]],
    title: str,
    x: str = "test AUC",
    live: Mapping[str, float] | None = None,
    best: float | None = None,
) -> Picture:
    """One row a model: every seed as a dot, the 95 % prediction interval as a bar, the live run as a diamond.

    Args:
        values: model → one value a seed.
        title: headline.
        x: label of the values, the split named in it.
        live: model → the value of the run that was just made.
        best: the best value that is possible, where it is known.

    Raises:
        ValueError: a model with fewer than two seeds.
    """
    if not values or min(len(v) for v in values.values()) < 2:
        raise ValueError("intervals_figure needs at least two seeds a model to show a spread.")
    names = list(values)
    means = {name: float(np.mean(v)) for name, v in values.items()}
    spreads = {
        name: float(t.ppf(0.975, len(v) - 1) * np.std(v, ddof=1) * (1 + 1 / len(v)) ** 0.5)
        for name, v in values.items()
    }
    said = "; ".join(f"{name} {means[name]:.4f} ± {spreads[name]:.4f}" for name in names)
    figure = new_figure(
        title,
        f"{x} of each model over seeds, with the 95 % prediction interval of one more seed. {said}.",
        height=150 + 52 * len(names),
    )
    figure.add_scatter(
        x=list(means.values()),
        y=names,
        error_x={"array": list(spreads.values()), "thickness": 3, "width": 9},
        mode="markers",
        name="mean, 95 % prediction interval",
        marker={"symbol": "line-ns", "size": 18, "line": {"width": 3, "color": PALETTE[0]}},
    )
    figure.add_scatter(
        x=[value for v in values.values() for value in v],
        y=[name for name, v in values.items() for _ in v],
        mode="markers",
        name="one seed",
        marker={"symbol": "circle-open", "size": 9, "color": PALETTE[0]},
    )
    if live:
        figure.add_scatter(
            x=list(live.values()),
            y=list(live),
            mode="markers",
            name="the run above",
            marker={"symbol": "diamond", "size": 13, "color": VERMILION},
        )
    if best is not None:
        figure.add_vline(
            x=best, line={"dash": "dash", "width": 2, "color": PALETTE[-1]}, annotation_text="best possible"
        )
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, margin={"t": 96})
    return figure


def counts_figure(counts: np.ndarray, title: str, x: str, y: str) -> Picture:
    """Histogram of counts on a logarithmic axis; 0 has a bar of its own at the left, and the median is marked.

    Args:
        counts: whole numbers from 0.
        title: headline.
        x, y: what is counted, and of what.
    """
    edges = np.unique(np.round(np.geomspace(1, counts.max() + 1, 15)).astype(int))
    heights, _ = np.histogram(counts, bins=edges)
    labels = ["0", *(f"{a}" if b - a == 1 else f"{a}–{b - 1}" for a, b in zip(edges, edges[1:], strict=False))]
    bars = [int((counts == 0).sum()), *heights.tolist()]
    median = float(np.median(counts))
    at = int(np.searchsorted(edges, median, side="right"))
    figure = new_figure(
        title, f"Histogram of {x}; median {median:.0f}, largest {counts.max()}.", height=360, bargap=0.06
    )
    colors = [VERMILION if i == at else PALETTE[0] for i in range(len(bars))]
    figure.add_bar(
        x=labels,
        y=bars,
        marker={"color": colors, "pattern": {"shape": ["/" if i == at else "" for i in range(len(bars))]}},
    )
    arrow = {"showarrow": True, "arrowhead": 2, "arrowcolor": TEXT, "ay": -32, "ax": 0}
    figure.add_annotation(x=labels[at], y=bars[at], text="median", **arrow)
    figure.update_xaxes(title_text=x, type="category")
    figure.update_yaxes(title_text=y)
    return figure


def bins_figure(centres: Sequence[float], curves: Mapping[str, Sequence[float]], title: str, x: str, y: str) -> Picture:
    """Means by bin: the first curve as markers (what was observed), the others as lines (what models say).

    Raises:
        ValueError: a curve of another length than the centres.
    """
    if any(len(values) != len(centres) for values in curves.values()):
        raise ValueError(
            f"got curves of lengths {[len(v) for v in curves.values()]}, expected {len(centres)}: one value a bin."
        )
    swings = "; ".join(f"{name} from {min(v):.2f} to {max(v):.2f}" for name, v in curves.items())
    figure = new_figure(title, f"{y} by {x}, in {len(centres)} bins: {swings}.", height=400)
    for i, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(centres),
            y=list(values),
            mode="lines+markers" if i else "markers",
            name=name,
            line={"color": PALETTE[i % len(PALETTE)], "dash": DASHES[i % len(DASHES)]},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9 if i else 12},
        )
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y, rangemode="tozero", tickformat=".0%")
    return figure
