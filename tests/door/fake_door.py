"""Runs course.py on a fake clone, with a fake Python in its .venv: python fake_door.py ROOT ARGUMENTS…

The fake notes each call in ROOT/calls.txt; FAKE_PIP chooses what its pip does.
"""

import importlib.util
import os
import sys
import time
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2] / "course.py"
SAYS = {
    "network": "WARNING: Retrying after connection broken by 'NewConnectionError(...): Network is unreachable'\n"
    "ERROR: No matching distribution found for torch==2.13.0",
    "disk": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "platform": "ERROR: No matching distribution found for torch==2.13.0",
    "other": "ERROR: something nobody thought of",
}


def load(root: Path, fake: bool = True):
    """course.py as a module that takes ``root`` for its clone and, if ``fake``, this file for the Python in .venv."""
    spec = importlib.util.spec_from_file_location("course", COURSE)
    course = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course)
    course.ROOT = str(root)
    if fake:
        course.inside = lambda *args: [sys.executable, str(Path(__file__)), "--fake", str(root), *args]
    return course


def fake_python(root: Path, args: list[str]) -> int:
    with (root / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(" ".join(args) + "\n")
    if args[:2] != ["-m", "pip"]:
        return 0
    mode = os.environ.get("FAKE_PIP", "")
    time.sleep(0.7 if mode == "slow" else 0)
    if mode in SAYS:
        print(SAYS[mode], file=sys.stderr)
    return int(mode in SAYS)


if __name__ == "__main__":
    if sys.argv[1] == "--fake":
        sys.exit(fake_python(Path(sys.argv[2]), sys.argv[3:]))
    sys.exit(load(Path(sys.argv[1])).main(sys.argv[2:]))
