"""``course.py doctor``: is everything in place? One line a check, OK or FAIL, and the mend for each FAIL.

Standard library only: it must run where nothing else does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rec_lib.paths import home, root

LAB = "python3 course.py lab"
EXTENSIONS = {
    "plotly": "jupyterlab-plotly",
    "anywidget": "anywidget",
    "ipywidgets": "@jupyter-widgets/jupyterlab-manager",
}
FREE_GB = 1.0  # room for notebooks, caches and compiled code once the packages are installed
CJK_FONTS = re.compile(r"cjk|wqy|wenquanyi|simsun|simhei|msyh|pingfang|hiragino|sourcehan|droidsansfallback", re.I)

Result = tuple[bool, str, str]  # fine?, what was found, how to mend it


def main(argv: list[str]) -> int:
    if argv:
        print("course.py doctor takes no arguments.")
        return 2
    failed = 0
    checks = CHECKS_EVERYWHERE + (CHECKS_INSIDE if _in_environment() else ())
    for check in checks:
        for fine, found, mend in check():
            print(f"{'OK  ' if fine else 'FAIL'}  {found}", flush=True)
            if not fine:
                failed += 1
                print(f"      mend: {mend}")
    print("\nEverything is in place." if not failed else f"\n{failed} to mend, from the top.")
    return 1 if failed else 0


def python() -> Iterator[Result]:
    text = (root() / "pyproject.toml").read_text(encoding="utf-8")
    span = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text)
    fine = span is not None and int(span[1]) <= sys.version_info.minor < int(span[2])
    found = f"Python {sys.version.split()[0]} at {sys.executable}"
    yield fine, found, "delete the folder .venv and run `python3.12 course.py lab` with a Python that the README names"


def environment() -> Iterator[Result]:
    fine = _in_environment()
    yield fine, f"environment {sys.prefix}{'' if fine else ': not the course’s own, so packages were not checked'}", LAB


def _in_environment() -> bool:
    """Whether this Python is that of .venv, or of a conda environment (made from environment.yml)."""
    return Path(sys.prefix).resolve() in {
        (root() / ".venv").resolve(),
        Path(os.environ.get("CONDA_PREFIX", root())).resolve(),
    }


def versions() -> Iterator[Result]:
    """Installed versions against the lock; a local tag such as +cpu does not count."""
    lock = (root() / "requirements.lock").read_text(encoding="utf-8")
    wanted = dict(re.findall(r"^([\w.-]+)==(\S+)$", lock, re.M))
    wrong = []
    for name, pin in wanted.items():
        try:
            got = version(name).split("+")[0]
        except PackageNotFoundError:
            got = "missing"
        if got != pin:
            wrong.append(f"{name} {got} (locked: {pin})")
    found = f"{len(wanted) - len(wrong)} of {len(wanted)} packages at their locked versions"
    found += f"; not: {', '.join(wrong[:5])}{' …' * (len(wrong) > 5)}" if wrong else ""
    yield not wrong, found, f'"{sys.executable}" -m pip install -r "{root() / "requirements.lock"}"'


def imports() -> Iterator[Result]:
    """Compiled packages can be installed and still not load (a missing system library)."""
    for name in ("torch", "numba", "rec_lib"):
        done = _run(f"import {name}; print({name}.__version__)")
        words = (done.stdout or done.stderr).strip().splitlines() or ["no message"]
        mend = f"{LAB}; on Windows a DLL error means that Microsoft's Visual C++ runtime (vc_redist.x64) is missing"
        yield done.returncode == 0, f"import {name}: {words[-1]}", mend


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root())


def extensions() -> Iterator[Result]:
    """Without these JupyterLab shows text where a figure or a slider should be."""
    for package, extension in EXTENSIONS.items():
        file = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / extension / "package.json"
        fine = file.is_file() and "name" in json.loads(file.read_text(encoding="utf-8"))
        mend = f'"{sys.executable}" -m pip install --force-reinstall --no-deps {package}'
        yield fine, f"JupyterLab extension of {package}{'' if fine else ': not in ' + str(file.parent)}", mend


def data() -> Iterator[Result]:
    given = os.environ.get("REC_LIB_DATA")
    place = Path(given) if given else home() / "data" / "ml-100k"
    mend = f"{LAB} fetches it; or set REC_LIB_DATA to a folder that holds ml-100k (u.data, u.user, u.item)"
    if not place.exists():
        yield False, f"MovieLens-100K is not in {place}", mend
        return
    done = _run("from rec_lib.data import movielens; movielens.load()")
    last = "" if done.returncode == 0 else ": " + (done.stderr.strip().splitlines() or ["no message"])[-1]
    yield not last, f"MovieLens-100K in {place}{last}", f"delete that folder; {mend}" if not given else mend


def rights() -> Iterator[Result]:
    wanted = (root(), root() / "work", home())
    # what is not there yet is made in its nearest parent
    for folder in dict.fromkeys(next(f for f in (place, *place.parents) if f.exists()) for place in wanted):
        try:
            with tempfile.TemporaryFile(dir=folder):
                fine, why = True, ""
        except OSError as error:
            fine, why = False, f": {error.strerror}"
        yield fine, f"can write to {folder}{why}", f"give yourself the right to write to {folder}, or clone elsewhere"


def disk() -> Iterator[Result]:
    installed = (root() / ".venv").exists()
    need = FREE_GB if installed else 8.0
    free = shutil.disk_usage(root()).free / 1e9
    why = "" if installed else " (the packages are still to be installed)"
    yield free >= need, f"{free:.1f} GB free; {need:.0f} GB wanted{why}", f"make room on the disk of {root()}"


def font() -> Iterator[Result]:
    """Section titles carry the book's Chinese headings."""
    mend = "Debian, Ubuntu: sudo apt-get install fonts-noto-cjk · Fedora: sudo dnf install google-noto-sans-cjk-fonts"
    fine = has_cjk_font()
    yield fine, f"{'a' if fine else 'no'} font with Chinese characters (only where the browser runs)", mend


def has_cjk_font() -> bool:
    """Whether this system can draw Chinese; macOS and Windows always can."""
    if sys.platform in ("darwin", "win32"):
        return True
    if lister := shutil.which("fc-list"):
        return bool(subprocess.run([lister, ":lang=zh"], capture_output=True, text=True).stdout.strip())
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    return any(CJK_FONTS.search(file.name) for folder in folders for file in folder.rglob("*.[to]t[fc]"))


Checks = tuple[Callable[[], Iterator[Result]], ...]
CHECKS_EVERYWHERE: Checks = (python, rights, disk, font, environment)
CHECKS_INSIDE: Checks = (versions, imports, extensions, data)
