"""Models side by side: training curves, and intervals over seeds with one live run in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rec_lib.figures.core import DASHES, PALETTE, SYMBOLS, VERMILION, Picture, new_figure


def curves_figure(
    curves: Mapping[str, Sequence[float]], title: str, y: str = "validation AUC", target: float | None = None
) -> Picture:
    """One line a run, epochs 1, 2, … on the x axis.

    Args:
        curves: run → value after each epoch; runs may differ in length.
        title: headline.
        y: label of the values.
        target: a level to mark, such as the AUC that is to be reached.

    Raises:
        ValueError: no curves, or an empty one.
    """
    if not curves or not all(len(values) for values in curves.values()):
        raise ValueError("curves_figure got no curve or an empty one; expected a value an epoch for each run.")
    best = "; ".join(
        f"{name}: best {max(v):.3f} in epoch {int(np.argmax(v)) + 1} of {len(v)}" for name, v in curves.items()
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
            y=target, line={"dash": "dot", "width": 1.5, "color": PALETTE[-1]}, annotation_text=f"{target:.3f}"
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
    """One row a model: every seed as a dot, mean ± 2 standard deviations as a bar, the live run as a diamond.

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
    spreads = {name: 2 * float(np.std(v, ddof=1)) for name, v in values.items()}
    said = "; ".join(f"{name} {means[name]:.4f} ± {spreads[name]:.4f}" for name in names)
    figure = new_figure(
        title, f"{x} of each model over seeds, mean ± 2 standard deviations. {said}.", height=150 + 52 * len(names)
    )
    figure.add_scatter(
        x=list(means.values()),
        y=names,
        error_x={"array": list(spreads.values()), "thickness": 3, "width": 9},
        mode="markers",
        name="mean ± 2 sd",
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
