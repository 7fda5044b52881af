"""Quality against cost as a panel: choose what is good, what is paid, and the split."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rec_lib.catalogue import LINES, SYSTEMS
from rec_lib.experiments.leaderboard import COSTS, METRICS, SPLITS, standings
from rec_lib.figures.leaderboard import half_width
from rec_lib.figures.pareto import Trade, pareto_figure
from rec_lib.widgets.core import Panel, check_choice, choice

QUALITIES = ("auc", "log_loss")


def pareto_panel(ids: Iterable[str]) -> Panel:
    """The panel over these systems. It starts with AUC on the random split against the seconds of training."""
    wanted = {s.id: s.name for s in SYSTEMS if s.id in tuple(ids)}
    found = {(row.system, row.split, row.metric): np.array(row.values) for row in standings() if row.system in wanted}

    def compute(quality: str, cost: str, split: str) -> Trade:
        check_choice("quality", quality, QUALITIES)
        check_choice("cost", cost, COSTS)
        check_choice("split", split, ("random", "time"))
        paid = {id: found[place] for id in wanted for place in (_place(id, split, cost),) if place in found}
        systems = {
            wanted[id]: (float(values.mean()), found[id, split, quality])
            for id, values in paid.items()
            if (id, split, quality) in found
        }
        m = METRICS[quality]
        return Trade(m.label, METRICS[cost].label, SPLITS[split], m.sign > 0, m.decimals, systems)

    controls = {
        "quality": choice("quality 效果", [(METRICS[id].label, id) for id in QUALITIES], "auc"),
        "cost": choice("cost 代价", [(METRICS[id].label, id) for id in COSTS], "train_seconds"),
        "split": choice("split 划分", [(SPLITS[id], id) for id in ("random", "time")], "random"),
    }
    return Panel(controls, compute, pareto_figure, summary)


def _place(system: str, split: str, cost: str) -> tuple[str, str, str]:
    """Where a cost is stored: a row costs the same wherever it comes from, so that was measured on one split."""
    return system, "random" if cost in ("parameters", "learn_seconds", "score_seconds") else split, cost


def summary(trade: Trade) -> str:
    """What the picture shows, in plain text."""
    if not trade.systems:
        return f"Nothing was measured of {trade.quality} and {trade.cost} on the split “{trade.split}”."
    front = trade.front
    values = trade.systems[front[-1]][1]
    tied = [
        name
        for name, (_, other) in trade.systems.items()
        if name != front[-1]
        and len(other) == len(values)
        and abs((values - other).mean()) <= half_width(values - other)
    ]
    said = "; ".join(
        f"{name}: {trade.systems[name][0]:.3g}, {trade.systems[name][1].mean():.{trade.decimals}f}" for name in front
    )
    return (
        f"{len(front)} of {len(trade.systems)} systems are on the front ({trade.cost}, {trade.quality}): {said}. "
        f"Not told apart from {front[-1]} by the seeds: {', '.join(tied) or 'none'}."
    )


def demo() -> Panel:
    """Return the panel of chapter 3's click models, with LR and FM of chapter 2."""
    return pareto_panel(("lr", "fm", *(id for _, _, ids in LINES[3] for id in ids)))
