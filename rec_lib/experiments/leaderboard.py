"""What was measured of each system on MovieLens-100K, gathered from the sections' stored results. Nothing is trained here.

A result is found by its name, ``ml100k_<split>/<system id>/<metric>``. A system that several sections measured is read
from its own section, so that a table has one number for it. FNN is what its paper calls so, an FNN that starts from a trained
FM: ``from_fm``. The ``fnn`` of 3.7.2 starts from random numbers; the two cost the same by the row.
"""

from __future__ import annotations

from dataclasses import dataclass

from rec_lib.catalogue import SYSTEMS
from rec_lib.experiments.core import MODULES, Measured, measured

SPLITS = {
    "random": "random 80/10/10",
    "time": "by time 80/10/10",
    "loo99": "leave one out, 1 + 99 films",
    "loo": "leave one out, all films",
}


@dataclass(frozen=True)
class Metric:
    """How a metric is printed, and which way is better: ``sign`` is +1 where more is better, −1 where less is."""

    label: str
    sign: int
    decimals: int = 3


METRICS = {
    "auc": Metric("test AUC", 1),
    "log_loss": Metric("test log loss", -1),
    "rmse": Metric("test RMSE (stars)", -1),
    "hr10": Metric("HR@10", 1),
    "ndcg10": Metric("NDCG@10", 1),
    "parameters": Metric("parameters", -1, 0),
    "train_seconds": Metric("training, CPU seconds", -1, 1),
    "learn_seconds": Metric("CPU seconds to learn from a million rows", -1, 2),
    "score_seconds": Metric("CPU seconds to score a million rows", -1, 2),
}
STORED_AS = {"fnn": "from_fm"}
COSTS = ("parameters", "train_seconds", "learn_seconds", "score_seconds")


@dataclass(frozen=True)
class Standing:
    """One metric of one system on one split: a value a seed."""

    system: str
    split: str
    metric: str
    values: tuple[float, ...]
    section: str


def standings() -> list[Standing]:
    """All of them, in the order of the catalogue."""
    stored = {}
    for id in MODULES:
        try:
            stored[id] = measured(id)
        except FileNotFoundError:  # a section that is being written
            continue
    return [row for s in SYSTEMS for row in _of(s.id, s.section, stored)]


def _of(system: str, own: str, stored: dict[str, Measured]) -> list[Standing]:
    found: dict[tuple[str, str], Standing] = {}
    keys = (STORED_AS[system], system) if system in STORED_AS else (system,)
    sections = sorted(stored, key=lambda id: id != own)  # its own section first
    for section, key in ((section, key) for key in keys for section in sections):
        for name, values in stored[section].results.items():
            place, _, metric = name.partition(f"/{key}/")
            split = place.removeprefix("ml100k_")
            if place.startswith("ml100k_") and split in SPLITS and metric in METRICS:
                found.setdefault((split, metric), Standing(system, split, metric, values, section))
    return list(found.values())


_QUALITY = (
    ("auc", (("random", "AUC"), ("time", "by time"))),
    ("rmse", (("random", "RMSE"),)),
    ("hr10", (("loo99", "HR@10 of 1 + 99"), ("loo", "of all"))),
)


# A policy changes what it is shown, so no table of ratings can judge it: section, name of its result and of its yardstick's.
_PLANTED = {"drn": ("3.10.1", "returning/drn/clicks_per_day", "returning/random/clicks_per_day")}


def summary_table(chapter: int) -> str:
    """The chapter's finished systems as Markdown: what each is, is good at and cannot do, and what was measured of it.

    Quality, numbers and seconds are means over the seeds; numbers and seconds are those of the first split named. A policy
    has none of the three on MovieLens: its row says what was measured in a planted world.
    """
    lines = [
        "| model 模型 | principle 基本原理 | strength 特点 | limit 局限性 | test quality 效果 | numbers 参数量 | CPU s 训练 |",
        "|---|---|---|---|---|---:|---:|",
    ]
    rows = standings()
    for s in (s for s in SYSTEMS if s.state == "done" and s.section.startswith(f"{chapter}.")):
        found = {(row.metric, row.split): sum(row.values) / len(row.values) for row in rows if row.system == s.id}
        words = f"| **{s.name}** {s.section} | {s.idea} | {s.strength} | {s.limit} |"
        if s.id in _PLANTED:
            section, own, yardstick = _PLANTED[s.id]
            clicks = [measured(section).mean(name) for name in (own, yardstick)]
            lines.append(
                f"{words} none on MovieLens; planted feed: {clicks[0]:.2f} clicks a day, random lists {clicks[1]:.2f} | – | – |"
            )
            continue
        metric, splits = next(
            (metric, splits) for metric, splits in _QUALITY if any((metric, split) in found for split, _ in splits)
        )
        decimals, first = METRICS[metric].decimals, splits[0][0]
        quality = ", ".join(f"{where} {found[metric, split]:.{decimals}f}" for split, where in splits)
        size, seconds = found["parameters", first], found["train_seconds", first]
        lines.append(f"{words} {quality} | {size:,.0f} | {seconds:.1f} |")
    return "\n".join(lines)
