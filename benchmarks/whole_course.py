"""The course as a whole: size of a clone, time to set it up, seconds of each notebook, and how fast the panels answer.

clone       MB of a fresh clone, its history included, and of its files alone
set-up      seconds by the clock to make .venv for learners in a fresh clone: cold (nothing in pip's cache), warm (all of it), and again
            (already there); needs the network
notebooks   seconds by the clock of each notebook, run from top to bottom in a fresh kernel, one thread
panels      milliseconds from a key to the redrawn picture in a real browser, as tests/browser measures them

Results go to results/whole_course.jsonl. About an hour.

Run  python course.py bench whole_course
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from sides.results import line, write

from rec_lib.cli.notebooks import all_notebooks, execute
from rec_lib.paths import root

SAID = re.compile(r"(\S+): key to redraw p50 (\d+) ms, p95 (\d+) ms")  # by tests/browser/test_course.py
INSTALL = "import course; course.install('requirements.lock')"
OWN = "rec_lib"


def megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def clone(folder: Path) -> list[dict]:
    subprocess.run(["git", "clone", "--quiet", root().as_uri(), str(folder)], check=True)
    whole, history = megabytes(folder), megabytes(folder / ".git")
    return [line("clone", case, OWN, "MB", value) for case, value in (("whole", whole), ("files", whole - history))]


def set_up(folder: Path) -> Iterator[dict]:
    """In a fresh clone, by the Python that this environment was made from. The second environment is made anew."""
    python = Path(sys.base_prefix) / ("python.exe" if os.name == "nt" else "bin/python3")
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "PIP_CACHE_DIR": cache}
        for case in ("cold", "warm", "again"):
            if case == "warm":
                (folder / ".venv").rename(folder / "old")
            start = time.perf_counter()
            done = subprocess.run([str(python), "-c", INSTALL], cwd=folder, env=env, check=False)
            if done.returncode:
                yield {"job": "set-up", "case": case, "side": OWN, "stopped": f"code {done.returncode}"}
                return
            yield line("set-up", case, OWN, "s", time.perf_counter() - start)


def notebooks() -> Iterator[dict]:
    for path in all_notebooks():
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        execute(notebook, path.parent)
        yield line("notebooks", path.relative_to(root() / "chapters").as_posix(), OWN, "s", time.perf_counter() - start)


def chapters(lines: list[dict]) -> list[dict]:
    """The sum of each chapter's notebooks, and of chapters 2 to 4."""
    total: dict[str, float] = {}
    for row in lines:
        chapter = row["case"].split("_")[0]
        names = (chapter, "chapters 2 to 4") if chapter in ("ch02", "ch03", "ch04") else (chapter,)
        for name in names:
            total[name] = total.get(name, 0.0) + row["value"]
    return [line("chapters", name, OWN, "s", value) for name, value in total.items()]


def latencies(said: str) -> list[dict]:
    """From the lines of tests/browser: one panel a line."""
    return [
        line("panels", notebook, OWN, "ms, median", float(p50), p95=float(p95))
        for notebook, p50, p95 in SAID.findall(said)
    ]


def panels() -> list[dict]:
    command = [sys.executable, "-m", "pytest", "-q", "tests/browser/test_course.py", "-k", "slider_is_live"]
    return latencies(subprocess.run(command, cwd=root(), capture_output=True, text=True, check=False).stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "course"
        lines = clone(folder)
        lines += set_up(folder)
    ran = list(notebooks())
    lines += [*ran, *chapters(ran), *panels()]
    for row in lines:
        print(row, flush=True)
    write("whole_course", lines, {}, short=False)


if __name__ == "__main__":
    main()
