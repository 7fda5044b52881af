"""``course.py bench [NAME …]``: run the scripts in benchmarks/, each in a process of its own, on one thread."""

from __future__ import annotations

import os
import subprocess
import sys

from rec_lib.paths import root


def main(argv: list[str]) -> int:
    scripts = {path.stem: path for path in sorted((root() / "benchmarks").glob("*.py"))}
    if unknown := [name for name in argv if name not in scripts]:
        print(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(scripts) or 'none'}")
        return 2
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    codes = []
    for name in argv or scripts:
        print(f"== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, str(scripts[name])], env=env, check=False).returncode)
    return max(codes, default=0)
