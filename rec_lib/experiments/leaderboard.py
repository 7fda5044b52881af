"""What was measured of each system on MovieLens-100K, gathered from the sections' stored results. Nothing is trained here.

A result is found by its name, ``ml100k_<split>/<system id>/<metric>``. A system that several sections measured is read
from its own section, so that a table has one number for it.
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
}


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
    for section in sorted(stored, key=lambda id: id != own):  # its own section first
        for name, values in stored[section].results.items():
            place, _, metric = name.partition(f"/{system}/")
            split = place.removeprefix("ml100k_")
            if place.startswith("ml100k_") and split in SPLITS and metric in METRICS:
                found.setdefault((split, metric), Standing(system, split, metric, values, section))
    return list(found.values())
