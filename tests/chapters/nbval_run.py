"""Strict nbval over the course's notebooks: the one place that knows how it is called.

    python tests/chapters/nbval_run.py                    every notebook under chapters/
    python tests/chapters/nbval_run.py PATH ...           these notebooks; further pytest options pass through
    python tests/chapters/nbval_run.py --baseline ...     with torch, MKL and numba held to a baseline instruction set

Each notebook runs in a fresh kernel of this very environment, as a learner without progress; each cell's output must
equal the stored one within ``nbval_tolerance``. Cells whose output cannot repeat carry the tag ``nbval-ignore-output``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbval_tolerance
import pytest

from rec_lib.cli.notebooks import CELL_SECONDS, kernel_environment
from rec_lib.paths import root

BASELINE = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "NUMBA_CPU_NAME": "generic"}


def main(argv: list[str]) -> int:
    baseline = "--baseline" in argv
    rest = [argument for argument in argv if argument != "--baseline"]
    if not any(argument.endswith(".ipynb") for argument in rest):
        rest.append(str(root() / "chapters"))
    options = [
        "--nbval",
        "--nbval-current-env",
        f"--nbval-sanitize-with={Path(__file__).with_name('nbval_sanitize.cfg')}",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        "--override-ini=python_files=",  # notebooks only
    ]
    with kernel_environment() as environment:
        os.environ.update(environment, **(BASELINE if baseline else {}))
        return int(pytest.main([*options, *rest], plugins=[nbval_tolerance]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
