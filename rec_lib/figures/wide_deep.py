"""Pictures of Wide & Deep: who remembers a pair, and what the length of the vectors does to the need for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, DASHES, GREY, PALETTE, SYMBOLS, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Memory:
    """Where a model keeps the pairs that it must know by heart.

    by_cross, by_rest (pairs,) log-odds that the pair's own weight, and everything else in the model, add to what pairs without a
    taste of their own would have; counted in the direction of the pair's exception, so that `strength` in all is right.
    liked (pairs,) bool, the exceptions that are clicked more often than taste says.
    """

    model: str
    dim: int
    by_cross: np.ndarray
    by_rest: np.ndarray
    liked: np.ndarray
    strength: float


def memory_figure(data: Memory) -> Picture:
    """A mark a pair: across, what vectors and linear terms know of it; up, what its own weight adds."""
    figure = new_figure(
        f"{data.model}, vectors of {data.dim} numbers",
        f"A mark for each of {len(data.liked)} exceptional pairs. {summary(data)}",
        height=470,
        xaxis={"title": "known by vectors and linear terms (log-odds)", "range": [-4, 6.5]},
        yaxis={"title": "known by the pair's own weight", "range": [-2.5, 5.5]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"t": 90},
    )
    for side, name, colour, symbol in (
        (True, "liked against taste", VERMILION, "triangle-up"),
        (False, "disliked against taste", BLUE, "circle-open"),
    ):
        of = data.liked == side
        figure.add_scatter(
            x=data.by_rest[of], y=data.by_cross[of], name=name, mode="markers", marker={"color": colour, "symbol": symbol, "size": 9}
        )  # fmt: skip
    figure.add_scatter(
        x=[-2, data.strength + 2.5], y=[data.strength + 2, -2.5], name=f"all {data.strength:.0f} known", mode="lines",
        line={"color": GREY, "dash": "dot"},
    )  # fmt: skip
    return figure


def summary(data: Memory) -> str:
    """What is seen, in words."""
    return (
        f"{data.model} with vectors of {data.dim} numbers: of the {data.strength:.1f} log-odds that a pair is off, its own weight "
        f"carries {data.by_cross.mean():.1f} on average, vectors and linear terms {data.by_rest.mean():.1f}."
    )


def dimension_figure(
    curves: Mapping[str, np.ndarray], dims: Sequence[int], title: str, best: float, line: tuple[str, float]
) -> Picture:
    """Expected test AUC by the length of the vectors, one line a model: mean and spread over seeds.

    Args:
        curves: name → (dims, seeds).
        dims: lengths of the vectors.
        title: headline.
        best: the best possible value.
        line: name and value of a model without vectors.
    """
    said = "; ".join(f"{name}: {', '.join(f'{v.mean():.3f}' for v in values)}" for name, values in curves.items())
    figure = new_figure(
        title,
        f"Expected test AUC with vectors of {', '.join(map(str, dims))} numbers. {said}. {line[0]}: {line[1]:.3f}. The best possible is {best:.3f}.",
        height=430,
        xaxis={"title": "numbers in a vector", "type": "category"},
        yaxis={"title": "expected test AUC"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"t": 120},
    )
    for i, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=[str(n) for n in dims], y=values.mean(axis=1), error_y={"array": values.std(axis=1, ddof=1), "thickness": 1}, name=name,
            mode="lines+markers", line={"color": PALETTE[i], "dash": DASHES[i]}, marker={"symbol": SYMBOLS[i], "size": 10},
        )  # fmt: skip
    figure.add_hline(
        y=line[1],
        line={"dash": "dash", "width": 1.5, "color": GREY},
        annotation_text=line[0],
        annotation_position="top left",
    )
    figure.add_hline(
        y=best, line={"dash": "dot", "width": 1.5, "color": PALETTE[-1]}, annotation_text="best possible",
        annotation_position="bottom right",
    )  # fmt: skip
    return figure
