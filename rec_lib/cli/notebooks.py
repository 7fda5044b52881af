"""Execute the course's notebooks and store them in the one form in which they are committed.

    python -m rec_lib.cli notebooks                 every notebook under chapters/
    python -m rec_lib.cli notebooks PATH ...        these
    python -m rec_lib.cli notebooks --check         change nothing, list what is wrong

A stored notebook keeps what a reader sees before running it: text, tables, formulas and plotly figures. It drops what
only the run knew: widget state (one FigureWidget alone carries 5 MB of JavaScript), dead widget ids, timings of cells,
scroll positions, the version of Python. What is left changes only when the content does, so a diff shows the edit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from rec_lib.paths import home, root

MAX_BYTES = 1_000_000
CELL_SECONDS = 120  # a whole notebook may take 90 s on two cores; one cell that takes longer hangs
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TRANSIENT = ("ExecuteTime", "collapsed", "execution", "scrolled", "trusted", "vscode")
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}


def all_notebooks() -> list[Path]:
    """Every notebook of the course, in reading order."""
    found = (path.relative_to(root()) for path in (root() / "chapters").rglob("*.ipynb"))
    return sorted(root() / path for path in found if not any(part.startswith(".") for part in path.parts))


@contextmanager
def kernel_environment() -> Iterator[dict[str, str]]:
    """Environment in which outputs repeat: one thread, a fixed hash seed, a new learner, the cached data."""
    fixed = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    cached = home() / "data"
    if not os.environ.get("REC_LIB_DATA") and cached.is_dir():
        fixed["REC_LIB_DATA"] = str(cached)
    with tempfile.TemporaryDirectory(prefix="rec_lib_home_") as learner:
        yield {**os.environ, **fixed, "REC_LIB_HOME": learner}


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell in a fresh kernel that stands in ``folder``; outputs replace the stored ones.

    Raises nbclient's CellExecutionError, CellTimeoutError or DeadKernelError for the first cell that fails.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # else every kernel warns that it talks over TCP
    )
    with kernel_environment() as environment:
        client.execute(env=environment)


def normalise(notebook: NotebookNode) -> None:
    """Drop what belongs to one run or one editor, in place. Cell ids, tags, text and figures stay."""
    course = notebook.metadata.get("course")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    if course is not None:
        notebook.metadata["course"] = course
    for cell in notebook.cells:
        for key in TRANSIENT:
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)  # without stored state the id is dead, and shown as an error


def problems(path: Path) -> list[str]:
    """What keeps the stored file from being committed; empty when it is as ``store`` would have left it."""
    try:
        text = path.read_text(encoding="utf-8")
        ids = [cell.get("id") for cell in json.loads(text)["cells"]]
        if None in ids or len(set(ids)) < len(ids):  # said before nbformat quietly repairs them
            return [
                f"cell ids are missing or repeated: {sorted({str(i) for i in ids if i is None or ids.count(i) > 1})}"
            ]
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (KeyError, ValueError, nbformat.ValidationError) as error:
        return [f"not a valid notebook: {str(error).splitlines()[0]}"]
    found = []
    if path.stat().st_size >= MAX_BYTES:
        found.append(f"{path.stat().st_size / 1e6:.2f} MB, expected less than {MAX_BYTES / 1e6:g} MB")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(f"not executed top to bottom from a fresh kernel: execution counts {counts}")
    for number, cell in enumerate(code):
        found += [
            f"code cell {number} shows an error: {output.ename}: {output.evalue}"
            for output in cell.outputs
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", [])
        ]
    clean = nbformat.from_dict(notebook)
    normalise(clean)
    if clean != notebook:
        found.append("holds widget state, dead widget ids, timings or another machine's metadata")
    return found


def store(notebook: NotebookNode, path: Path) -> None:
    """Normalise, format the code with ruff, and replace ``path`` in one step: an interrupt leaves the old file."""
    normalise(notebook)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=".", suffix=".ipynb", delete=False, encoding="utf-8"
    ) as file:
        draft = Path(file.name)  # beside the target: ruff finds the project's settings, and the rename is atomic
        nbformat.write(notebook, file)
    try:
        format_code(draft)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def format_code(path: Path) -> None:
    """Format code cells with ruff; raises ValueError with ruff's message when a cell does not parse."""
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--quiet", str(path)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise ValueError(f"ruff cannot format {path.name}: {run.stderr.strip() or run.stdout.strip()}")


def refresh(path: Path) -> list[str]:
    """Execute ``path`` and store it; the file is left alone if a cell fails. Returns what is still wrong."""
    notebook = nbformat.read(path, as_version=4)
    try:
        execute(notebook, path.parent)
        store(notebook, path)
    except (CellExecutionError, CellTimeoutError, DeadKernelError, ValueError) as error:
        return [str(error)]
    return problems(path)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="notebooks", description="Execute and normalise the course's notebooks.")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all under chapters/)")
    parser.add_argument("--check", action="store_true", help="change nothing; list what is wrong with the stored files")
    options = parser.parse_args(argv)
    paths = [path.resolve() for path in options.paths] or all_notebooks()
    if not paths:
        print(f"no notebook under {root() / 'chapters'}; expected at least 00_start_here.ipynb")
        return 1
    failed = 0
    for path in paths:
        name = path.relative_to(root()) if path.is_relative_to(root()) else path
        if not path.is_file():
            found = ["no such file"]
        elif options.check:
            found = problems(path)
        else:
            start = time.perf_counter()
            found = refresh(path)
            print(f"{time.perf_counter() - start:6.1f} s  {path.stat().st_size / 1e3:6.0f} KB  {name}", flush=True)
        failed += bool(found)
        for problem in found:
            print(f"{name}: {problem}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
