"""``python -m rec_lib.cli notebooks``: what it keeps, what it drops, what it refuses."""

import json

import nbformat
import pytest
from nbformat import v4

from rec_lib.cli import notebooks

SLIDER = "import ipywidgets\nipywidgets.IntSlider(description='k')"


@pytest.fixture
def path(tmp_path):
    cells = [v4.new_markdown_cell("# Title"), v4.new_code_cell("print( 'two' )"), v4.new_code_cell(SLIDER)]
    cells[1].metadata.update(tags=["a"], execution={"iopub.status.busy": "2026"}, scrolled=True)
    metadata = {
        "course": {"kind": "map"},
        "widgets": {"state": {}},
        "language_info": {"name": "python", "version": "3.9"},
    }
    file = tmp_path / "trial.ipynb"
    nbformat.write(v4.new_notebook(cells=cells, metadata=metadata), file)
    return file


def spoil(path, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")  # nbformat.write would mend some faults


def test_a_notebook_is_run_formatted_and_stripped_and_then_stays_the_same(path, capsys):
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert notebooks.main([str(path)]) == 0
    assert " s " in capsys.readouterr().out
    first = path.read_bytes()
    stored = nbformat.read(path, as_version=4)
    assert [cell.id for cell in stored.cells] == ids
    assert stored.cells[1].source == 'print("two")'
    assert stored.cells[1].outputs[0].text == "two\n"
    assert stored.cells[1].metadata == {"tags": ["a"]}
    assert set(stored.metadata) == {"course", "kernelspec", "language_info"}
    assert list(stored.cells[2].outputs[0].data) == ["text/plain"]
    assert notebooks.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == ["trial.ipynb"]


def test_a_failing_cell_leaves_the_file_alone_and_is_named(path, capsys):
    spoil(path, lambda n: n.cells[1].update(source="1 / 0"))
    before = path.read_bytes()
    assert notebooks.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().out


FAULTS = {
    "not executed": (lambda n: n.cells[1].update(execution_count=None), "not executed"),
    "run out of order": (lambda n: n.cells[1].update(execution_count=7), "not executed"),
    "widget state": (lambda n: n.metadata.update(widgets={"state": {}}), "widget state"),
    "timings": (lambda n: n.cells[1].metadata.update(execution={}), "timings"),
    "dead widget": (lambda n: n.cells[2].outputs[0].data.update({notebooks.WIDGET_VIEW: {}}), "widget ids"),
    "an error": (
        lambda n: n.cells[1].outputs.append(v4.new_output("error", ename="KeyError", evalue="'x'", traceback=[])),
        "code cell 0 shows an error: KeyError: 'x'",
    ),
    "too large": (lambda n: n.cells[1].outputs[0].update(text="x" * 1_100_000), "1.10 MB"),
    "repeated ids": (lambda n: n.cells[2].update(id=n.cells[1].id), "cell ids"),
    "no id": (lambda n: n.cells[2].pop("id"), "cell ids"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_check_names_what_is_wrong(path, capsys, fault):
    change, said = FAULTS[fault]
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells[1:], start=1):
        cell.execution_count = number
    notebook.cells[1].outputs = [v4.new_output("stream", text="two\n")]
    notebook.cells[2].outputs = [v4.new_output("display_data", {"text/plain": "IntSlider"})]
    notebooks.store(notebook, path)
    assert notebooks.main(["--check", str(path)]) == 0
    spoil(path, change)
    before = path.read_bytes()
    assert notebooks.main(["--check", str(path)]) == 1
    assert said in capsys.readouterr().out
    assert path.read_bytes() == before


def test_check_refuses_what_is_not_a_notebook(tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert notebooks.main(["--check", str(tmp_path / "a.ipynb"), str(tmp_path / "b.ipynb")]) == 1
    said = capsys.readouterr().out
    assert "not a valid notebook" in said
    assert "no such file" in said
