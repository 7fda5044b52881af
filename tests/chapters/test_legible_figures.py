"""The figures stored in the notebooks can be read, on a light page, on a dark one and from the back row."""

import json

import pytest
from legible import faults

from rec_lib.paths import root

NOTEBOOKS = sorted((root() / "chapters").rglob("[!.]*.ipynb"))
PLOTLY = "application/vnd.plotly.v1+json"
READABLE = {"xaxis": {"type": "log", "dtick": 1}, "yaxis": {"range": [3, 0]}}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_figures_are_legible(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    stored = [
        (cell["id"], output["data"][PLOTLY])
        for cell in cells
        for output in cell.get("outputs", [])
        if PLOTLY in output.get("data", {})
    ]
    assert [(cell, fault) for cell, figure in stored for fault in faults(figure)] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xaxis": {"type": "log"}}, "own ticks"),
        ({"xaxis": {"tickfont": {"size": 9}}}, "9 px"),
        ({"annotations": [{"text": "a", "x": 1, "y": 3.5, "showarrow": False}]}, "outside"),
        ({"annotations": [{"text": "a", "x": 1, "y": 2}]}, "arrow"),
    ],
)
def test_what_cannot_be_read_is_found(change, message):
    note = {"text": "b", "x": 1, "y": -0.5, "yref": "y domain", "showarrow": False}
    assert faults({"data": [], "layout": READABLE | {"annotations": [note]}}) == []
    (fault,) = faults({"data": [], "layout": READABLE | change})
    assert message in fault
