"""The tolerance lets another CPU pass and a wrong number fail."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbval_tolerance import difference

from rec_lib.cli import notebooks


def packed(values, dtype="f8"):
    data = np.asarray(values, dtype=dtype)
    return {"dtype": dtype, "bdata": base64.b64encode(data.tobytes()).decode()}


SAME = {
    "equal text": ("AUC 0.712", "AUC 0.712"),
    "float within 2 %": ("AUC 0.712", "AUC 0.705"),
    "float near zero": ("gap -0.0004", "gap 0.0009"),
    "exponent": ("loss 1.20e+02", "loss 1.21e+02"),
    "column moves with a digit": ("a   9.99  x", "a  10.01  x"),
    "html table": ("<td>0.4710</td>", "<td>0.4712</td>"),
    "latex": (r"$\displaystyle 0.501 x$", r"$\displaystyle 0.499 x$"),
    "trace id": ({"uid": "a", "y": [1.0]}, {"uid": "b", "y": [1.0]}),
    "float list": ({"y": [0.0, 0.5, 10.0]}, {"y": [0.05, 0.5, 10.0]}),
    "packed floats": (packed([0, 5, 10]), packed([0.05, 5, 9.9])),
    "packed nan": (packed([np.nan, 1.0]), packed([np.nan, 1.01])),
    "number in a figure's text": ({"title": "AUC 0.712"}, {"title": "AUC 0.709"}),
}
DIFFERENT = {
    "tampered float": ("AUC 0.712", "AUC 0.732", "stored 0.712, now 0.732"),
    "sign": ("gap 0.012", "gap -0.012", "stored 0.012, now -0.012"),
    "whole number": ("3 of 5 seeds", "4 of 5 seeds", "stored"),
    "whole became float": ("3 seeds", "3.0 seeds", "stored"),
    "word": ("✓ FM wins", "✗ FM wins", "FM wins"),
    "nan": ("loss 0.31", "loss nan", "nan"),
    "one more number": ("0.1 0.2", "0.1 0.2 0.3", "stored"),
    "version, not a float": ("rec_lib 3.7.2", "rec_lib 3.7.1", "3.7"),
    "missing output": ({"stdout": ["a"]}, {}, "keys"),
    "missing trace": ({"data": [{"y": [1.0]}]}, {"data": []}, "data: stored 1 entries, now 0"),
    "moved point": (packed([0, 5, 10]), packed([0, 5.5, 10]), "number 1 of 3: stored 5, now 5.5"),
    "packed whole numbers": (packed([1, 2], "i4"), packed([1, 3], "i4"), "number 1 of 2"),
    "other type": (packed([1, 2], "f4"), packed([1, 2], "f8"), "type or shape"),
    "point became nan": (packed([0, 5]), packed([0, np.nan]), "now nan"),
    "shorter array": (packed([0, 5]), packed([0]), "numbers"),
    "whole number in a figure": ({"width": 600}, {"width": 640}, "width: stored 600, now 640"),
    "true is not one": ({"visible": True}, {"visible": 1}, "visible"),
    "text in a figure": ({"title": "FM"}, {"title": "NFM"}, "title"),
    "figure became text": ({"title": "FM"}, "FM", "stored"),
}


@pytest.mark.parametrize("case", SAME)
def test_another_machine_passes(case):
    stored, new = SAME[case]
    assert difference(stored, new) is None
    assert difference(new, stored) is None


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_wrong_output_is_named(case):
    stored, new, reason = DIFFERENT[case]
    assert reason in difference(stored, new)
    assert difference(new, stored) is not None


FIGURE = "application/vnd.plotly.v1+json"
CELLS = [
    "import time\nfrom IPython.display import display",
    "print('AUC 0.7123')",
    f"display({{{FIGURE!r}: {{'data': [{{'y': [0.5, 0.7]}}], 'layout': {{}}}}, 'text/plain': 'figure'}}, raw=True)",
    "print(object())\nprint(f'{time.perf_counter():.3f} s')",
    "print(3)",
]


def run(path: Path) -> tuple[int, list[int], str]:
    """Exit code of strict nbval, the cells that failed, and what it said."""
    script = Path(__file__).with_name("nbval_run.py")
    done = subprocess.run([sys.executable, script, "-q", "-rf", path], capture_output=True, text=True, check=False)
    failed = sorted(int(n) for n in re.findall(r"^FAILED .*::Cell (\d+)", done.stdout, re.MULTILINE))
    return done.returncode, failed, done.stdout + done.stderr


def test_strict_nbval_passes_the_stored_notebook_and_catches_exactly_the_tampered_cells(tmp_path):
    path = tmp_path / "tiny.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebooks.execute(notebook, tmp_path)
    notebooks.store(notebook, path)
    assert notebooks.problems(path) == []
    code, failed, said = run(path)
    assert (code, failed) == (0, []), said

    notebook.cells[1].outputs[0].text = "AUC 0.7523\n"
    notebook.cells[2].outputs[0].data[FIGURE]["data"][0]["y"][1] = 0.9
    notebook.cells[4].outputs[0].text = "4\n"
    notebooks.store(notebook, path)
    code, failed, said = run(path)
    assert (code, failed) == (1, [1, 2, 4]), said
    assert "stored 0.7523, now 0.7123" in said
