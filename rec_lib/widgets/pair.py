"""The start page's panel: four weights, four cells of films, and whether three of the weights can be enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from rec_lib.data.movielens import load
from rec_lib.figures.pair import DESIGN, Cells, best_weights, genre_cells, log_loss, pair_figure
from rec_lib.widgets.core import Panel, check_range, slider

LIMIT = 3.0  # log-odds; 3 is 95 %, further out nothing more can be seen


@dataclass(frozen=True)
class Setting:
    """One setting of the four weights and what it costs."""

    cells: Cells
    weights: np.ndarray
    loss: float
    best_additive: float
    best_pair: float


def pair_panel(cells: Cells) -> Panel:
    """Return the panel for one user's cells. It starts at zero everywhere: what to look for is the learner's to find."""
    floor_additive, floor_pair = (log_loss(cells, best_weights(cells, pair)) for pair in (False, True))

    def compute(w0: float, w_a: float, w_b: float, w_ab: float) -> Setting:
        for name, value in {"w0": w0, "w_a": w_a, "w_b": w_b, "w_ab": w_ab}.items():
            check_range(name, value, -LIMIT, LIMIT)
        weights = np.array([w0, w_a, w_b, w_ab])
        return Setting(cells, weights, log_loss(cells, weights), floor_additive, floor_pair)

    labels = {
        "w0": "w₀ every film (log-odds)",
        "w_a": f"w {cells.a} (log-odds)",
        "w_b": f"w {cells.b} (log-odds)",
        "w_ab": "w pair 交叉 (log-odds)",
    }
    controls = {k: slider(text, -LIMIT, LIMIT, 0.0, 0.1, "+.1f") for k, text in labels.items()}
    return Panel(controls, compute, lambda s: pair_figure(s.cells, s.weights), _summary)


def _summary(s: Setting) -> str:
    said = expit(DESIGN @ s.weights)
    return (
        f"For a film of both genres the model says {said[3]:.0%}; {s.cells.liked[3]} of {s.cells.seen[3]} were liked "
        f"({s.cells.share[3]:.0%}). Log loss {s.loss:.4f} a film. The best with the pair weight at 0 is "
        f"{s.best_additive:.4f}, the best with it free is {s.best_pair:.4f}."
    )


def demo() -> Panel:
    """Return the panel of user 354 of MovieLens-100K, comedies and romances."""
    return pair_panel(genre_cells(load(), "Comedy", "Romance")[354])
