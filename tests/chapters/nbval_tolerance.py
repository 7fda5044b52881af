"""pytest plugin: strict nbval that another machine can pass.

nbval compares stored and new output exactly. Training does not repeat to the last digit on another CPU: with a baseline
instruction set, a loss after 200 steps moved by 2 %. So here numbers with a decimal point may differ a little, in text,
LaTeX, tables and plotly figures alike; everything else, whole numbers included, stays exact. A whole number that depends
on training therefore belongs in a ``claim``, and a number below ``ATOL`` is hardly checked: print it scaled.

Loaded by ``nbval_run.py``. ``difference`` is the one place that decides, and says what differs.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from numbers import Real

import numpy as np
import pytest

RTOL, ATOL = 2e-2, 2e-3  # of one number
ARRAY_RTOL = 1e-2  # of an array's range besides: a point may not move by more than 1 % of the picture
FLOAT = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?!\w|\.\d)")
SPACES = re.compile(r"[ \t]+")  # a number that gains a digit moves the columns of a table
RANDOM_KEYS = {"uid"}  # plotly names each trace of a FigureWidget anew

Found = str | None  # what differs, or None


def difference(stored: object, new: object, where: str = "output") -> Found:
    """The first difference between a stored and a new output value, in words; None when they agree."""
    if isinstance(stored, dict) and isinstance(new, dict):
        return _dicts(stored, new, where)
    if isinstance(stored, list) and isinstance(new, list):
        return _lists(stored, new, where)
    if isinstance(stored, str) and isinstance(new, str):
        return _texts(stored, new, where)
    if _is_number(stored) and _is_number(new) and (isinstance(stored, float) or isinstance(new, float)):
        return _arrays(np.array([stored], float), np.array([new], float), where)
    same = type(stored) is type(new) and stored == new
    return None if same else f"{where}: stored {_short(stored)}, now {_short(new)}"


def _dicts(stored: dict, new: dict, where: str) -> Found:
    if "bdata" in stored and "bdata" in new:
        if (stored["dtype"], stored.get("shape")) != (new["dtype"], new.get("shape")):
            return f"{where}: array of another type or shape"
        return _arrays(_decode(stored), _decode(new), where)
    keys, new_keys = (sorted(d.keys() - RANDOM_KEYS) for d in (stored, new))
    if keys != new_keys:
        return f"{where}: stored keys {keys}, now {new_keys}"
    return next(filter(None, (difference(stored[k], new[k], f"{where}.{k}") for k in keys)), None)


def _lists(stored: list, new: list, where: str) -> Found:
    if len(stored) != len(new):
        return f"{where}: stored {len(stored)} entries, now {len(new)}"
    numbers = stored + new
    if numbers and all(map(_is_number, numbers)) and any(isinstance(x, float) for x in numbers):
        return _arrays(np.array(stored, float), np.array(new, float), where)
    pairs = enumerate(zip(stored, new, strict=True))
    return next(filter(None, (difference(a, b, f"{where}[{i}]") for i, (a, b) in pairs)), None)


def _texts(stored: str, new: str, where: str) -> Found:
    if stored == new:
        return None
    frame, new_frame = (SPACES.sub(" ", FLOAT.sub("#", text)) for text in (stored, new))
    if frame != new_frame:
        at = next((i for i, (a, b) in enumerate(zip(frame, new_frame, strict=False)) if a != b), len(frame))
        return f"{where}: stored …{frame[max(0, at - 20) :][:60]!r}, now …{new_frame[max(0, at - 20) :][:60]!r}"
    for a, b in zip(FLOAT.findall(stored), FLOAT.findall(new), strict=True):
        if not np.isclose(float(a), float(b), rtol=RTOL, atol=ATOL):
            return f"{where}: stored {a}, now {b}"
    return None


def _arrays(stored: np.ndarray, new: np.ndarray, where: str) -> Found:
    if stored.shape != new.shape:
        return f"{where}: stored {stored.shape} numbers, now {new.shape}"
    if np.issubdtype(stored.dtype, np.floating):
        finite = stored[np.isfinite(stored)]
        extent = float(np.ptp(finite)) if finite.size else 0.0
        close = np.isclose(new, stored, rtol=RTOL, atol=ATOL + ARRAY_RTOL * extent, equal_nan=True)
    else:
        close = stored == new
    if close.all():
        return None
    i = int(np.flatnonzero(~close.ravel())[0])
    return f"{where}: number {i} of {stored.size}: stored {stored.ravel()[i]:.6g}, now {new.ravel()[i]:.6g}"


def _decode(packed: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["bdata"]), dtype=np.dtype(packed["dtype"]))


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _collect(cell: pytest.Item, outputs: list[dict]) -> dict[str, list]:
    """A cell's outputs by kind (stream name or MIME type), without what nbval leaves out (images, dead widget ids)."""
    found = defaultdict(list)
    for output in outputs:
        stream = {output["name"]: output["text"]} if output["output_type"] == "stream" else output
        for key, value in {**stream, **stream.get("data", {})}.items():
            if key != "data" and key not in cell.parent.skip_compare:
                found[key].append(cell.sanitize(value))
    return dict(found)


def _compare_outputs(cell: pytest.Item, test: list[dict], ref: list[dict]) -> bool:
    """Stands in for ``IPyNbCell.compare_outputs``: same question, tolerant answer, and a reason that names the place."""
    found = difference(_collect(cell, ref), _collect(cell, test))
    cell.comparison_traceback = [found or "", f"(a number with a decimal point may differ by {RTOL:.0%} + {ATOL:g})"]
    return found is None


class NotebookSeconds:
    """Adds up the time of each notebook and prints it at the end: 40 s on average, 90 s at most on two cores."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("seconds per notebook")
        for name, seconds in self.seconds.items():
            terminalreporter.write_line(f"{seconds:6.1f} s  {name}")


def pytest_configure(config: pytest.Config) -> None:
    from nbval.plugin import IPyNbCell  # not at the top: pytest wants to load its plugins itself

    IPyNbCell.compare_outputs = _compare_outputs
    config.pluginmanager.register(NotebookSeconds())
