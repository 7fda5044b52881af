"""The leaderboard as a panel: choose metric and split, and what to compare with, seed by seed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rec_lib.catalogue import SYSTEMS
from rec_lib.experiments.leaderboard import METRICS, SPLITS, Standing, standings
from rec_lib.figures.leaderboard import Board, half_width, leaderboard_figure
from rec_lib.widgets.core import Panel, check_choice, choice

_NOBODY = ""  # "compare with" nobody: the values themselves


def leaderboard_panel(chapters: Iterable[int]) -> Panel:
    """The panel over the systems of these chapters. It starts with AUC on the random split."""
    wanted = {s.id: s.name for s in SYSTEMS if int(s.section.split(".")[0]) in tuple(chapters)}
    rows = [row for row in standings() if row.system in wanted]

    def compute(metric: str, split: str, against: str) -> Board:
        check_choice("metric", metric, METRICS)
        check_choice("split", split, SPLITS)
        check_choice("against", against, (_NOBODY, *wanted))
        return board(rows, metric, split, against, wanted)

    present = {row.system: wanted[row.system] for row in rows}
    controls = {
        "metric": choice("metric 指标", [(m.label, id) for id, m in METRICS.items()], "auc"),
        "split": choice("split 划分", [(text, id) for id, text in SPLITS.items()], "random"),
        "against": choice(
            "compare with 对比", [("nobody", _NOBODY), *((name, id) for id, name in present.items())], _NOBODY
        ),
    }
    return Panel(controls, compute, leaderboard_figure, summary)


def board(rows: list[Standing], metric: str, split: str, against: str, names: dict[str, str]) -> Board:
    """The rows of one metric and split, best mean first, or their differences from one system over its seeds."""
    found = {row.system: np.array(row.values) for row in rows if (row.metric, row.split) == (metric, split)}
    sign = METRICS[metric].sign
    paired = against in found
    if paired:
        own = found[against]
        found = {s: v - own for s, v in found.items() if len(v) == len(own) and s != against}
    ranked = sorted(found, key=lambda s: -sign * found[s].mean())
    return Board(
        METRICS[metric].label,
        SPLITS[split],
        sign > 0,
        METRICS[metric].decimals + paired,
        {names[s]: found[s] for s in ranked},
        against=names[against] if paired else "",
        absent=names[against] if against and not paired else "",
    )


def summary(board: Board) -> str:
    """What the picture shows, in plain text."""
    if not board.values:
        return f"No {board.metric} on the split “{board.split}”: choose another pair of metric and split."
    said = "; ".join(
        f"{name} {v.mean():+.{board.decimals}f} ± {half_width(v):.{board.decimals}f}"
        if board.against
        else f"{name} {v.mean():.{board.decimals}f}"
        for name, v in board.values.items()
    )
    if not board.against:
        alone = f" {board.absent} has no value here to compare with." if board.absent else ""
        return f"{board.metric}, {board.split}, best first: {said}.{alone}"
    beyond = [name for name, v in board.values.items() if abs(v.mean()) > half_width(v)]
    return f"Difference from {board.against}, seed by seed: {said}. Beyond the luck of the seeds: {', '.join(beyond) or 'none'}."


def demo() -> Panel:
    """Return the panel of chapters 2 and 3."""
    return leaderboard_panel((2, 3))
