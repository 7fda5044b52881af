"""Where results go: JSON lines, the first of which names the machine and the versions.

A line has a job ("training epoch"), a case ("DeepFM"), a side, a measure with its unit ("CPU s"), a value, and, where sides took
turns, runs: the CPU seconds of each turn. A side that could not take part has "stopped", what it said, in place of a value.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from rec_lib.paths import home, root

OWN_PACKAGES = ("numpy", "scipy", "torch", "numba", "scikit-learn", "pandas")


def folder(short: bool) -> Path:
    """Results of whole runs are kept in the repository, those of short ones in the learner's own folder."""
    path = home() / "bench" if short else root() / "benchmarks" / "results"
    path.mkdir(parents=True, exist_ok=True)
    return path


def line(job: str, case: str, side: str, measure: str, value: float, **more: object) -> dict:
    return {"job": job, "case": case, "side": side, "measure": measure, "value": value, **more}


def stopped(job: str, case: str, side: str, said: str) -> dict:
    return {"job": job, "case": case, "side": side, "stopped": said}


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [row.split(":", 1)[1].strip() for row in text.splitlines() if row.startswith("model name")]
    return names[0] if names else platform.machine()


def machine(versions: Mapping[str, str]) -> dict:
    own = {name: version(name) for name in OWN_PACKAGES}
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": own,
        "peers": dict(sorted(versions.items())),
    }


def write(name: str, lines: Iterable[dict], versions: Mapping[str, str], short: bool) -> Path:
    """The machine, then the lines. A run that ends early leaves the old file."""
    path = folder(short) / f"{name}.jsonl"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [machine(versions), *lines])
    draft = path.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path


def times_as_fast(lines: Iterable[dict], job: str, case: str, side: str, than: str) -> float | None:
    """How many times as fast `side` is as `than`: the median over pairs of turns; None where one of them has no turns."""
    runs = {row["side"]: row["runs"] for row in lines if (row["job"], row["case"]) == (job, case) and "runs" in row}
    if side not in runs or than not in runs:
        return None
    return statistics.median(b / a for a, b in zip(runs[side], runs[than], strict=True))


def read(path: Path) -> tuple[dict, list[dict]]:
    """(machine, lines)"""
    rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
    return rows[0], rows[1:]
