"""``course.py bench [NAME …]``: run the scripts in benchmarks/, each in a process of its own, on one thread.

Without a name the short form runs, a quarter of an hour: what is short anyway, the comparisons with fewer cases and turns, and their
tables. A name runs that script in full.
"""

from __future__ import annotations

import os
import subprocess
import sys

from rec_lib.paths import root

SHORT = {  # in this order; with --short a comparison's results stay in the learner's own folder
    "data": (),
    "cf_similarities": (),
    "fm_growth": (),
    "parity": (),
    "start": ("--short",),
    "ctr": ("--short",),
    "ctr_quality": ("--short",),
    "words": ("--short",),
    "walks": ("--short",),
    "search": ("--short",),
    "ranking": ("--short",),
    "growth": ("--short",),
    "report": ("--short",),
}


def main(argv: list[str]) -> int:
    scripts = {path.stem: path for path in sorted((root() / "benchmarks").glob("*.py"))}
    if unknown := [name for name in argv if name not in scripts]:
        print(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(scripts) or 'none'}")
        return 2
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    codes = []
    for name, options in {name: () for name in argv}.items() if argv else SHORT.items():
        print(f"== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, str(scripts[name]), *options], env=env, check=False).returncode)
    return max(codes, default=0)
