"""The evolution map of a chapter as a panel: choose a system, or click it, and read what it adds and what we measured."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rec_lib.experiments.leaderboard import METRICS, SPLITS, Standing, standings
from rec_lib.figures.evolution import Descent, card, evolution_figure, on_map
from rec_lib.widgets.core import Panel, check_choice, choice

HEADLINES = ("auc", "rmse", "hr10")  # the metric that stands for a system, whichever it has


def said_of(system: str, rows: list[Standing]) -> str:
    """What was measured of a system, in a sentence."""
    own = [row for row in rows if row.system == system and row.metric in HEADLINES]
    if not own:
        return "Not measured yet on our splits."
    parts = []
    for row in own:
        metric = METRICS[row.metric]
        mean, sd = np.mean(row.values), np.std(row.values, ddof=1)
        parts.append(f"{metric.label} {mean:.{metric.decimals}f} ± {sd:.{metric.decimals}f} ({SPLITS[row.split]})")
    return f"MovieLens-100K, {len(own[0].values)} seeds: {'; '.join(parts)}."


def evolution_panel(chapter: int) -> Panel:
    """The panel of a chapter's map. It starts at the oldest system.

    Raises:
        ValueError: the catalogue has no lines of descent for this chapter.
    """
    systems = {s.id: s for s in on_map(chapter)}
    rows = standings()
    said = {id: said_of(id, rows) for id in systems}

    def compute(system: str) -> Descent:
        check_choice("system", system, systems)
        return Descent(chapter, systems[system], said[system])

    first = min(systems.values(), key=lambda s: s.year)
    control = choice("system 模型", [(f"{s.name} ({s.year})", s.id) for s in systems.values()], first.id)
    panel = Panel({"system": control}, compute, evolution_figure, lambda data: " ".join(card(data)))
    for trace in panel.widget.data:
        if trace.customdata is not None:
            trace.on_click(lambda clicked, points, _: _choose(panel, clicked, points.point_inds))
    return panel


def _choose(panel: Panel, clicked: go.Scatter, where: list[int]) -> None:
    if where:
        panel.controls["system"].value = clicked.customdata[where[0]]


def demo() -> Panel:
    """Return the panel of chapter 2."""
    return evolution_panel(2)
