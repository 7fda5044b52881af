"""``course.py test``: everything that CI runs, stage by stage, each with its time and result; ``--thorough`` for more.

What a stage writes (progress, caches, working copies) goes to a temporary folder. Only the data is fetched into the
clone's own cache, because the next run should not fetch it again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rec_lib.cli import doctor, offline
from rec_lib.paths import home, root

PYTEST = (sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider")
NBVAL = (sys.executable, "tests/chapters/nbval_run.py", "-q", "-p", "no:cacheprovider")
APART = ("learn", "chapters", "browser")  # folders of tests/ that are stages of their own


@dataclass(frozen=True)
class Stage:
    """One command; ``env`` is added to the environment that all stages share."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    name: str
    code: int
    seconds: float


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="course.py test", description=__doc__)
    parser.add_argument("--thorough", action="store_true", help="everything, many seeds, up to 90 minutes")
    thorough = parser.parse_args(argv).thorough
    start = time.monotonic()
    no_browser = missing_browser()
    unplugged = offline.prefix() if thorough else None
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="rec_lib-test-", ignore_cleanup_errors=True) as scratch:
        env = environment(Path(scratch), thorough)
        try:
            for stage in stages(thorough, not no_browser, unplugged):
                outcomes.append(run(stage, env))
        except KeyboardInterrupt:
            outcomes.append(Outcome("interrupted", 130, 0.0))
    notes = [f"The browser tests did not run: {no_browser}"] if no_browser else []
    if thorough and unplugged is None:
        notes.insert(
            0, "The network was not cut: that takes Linux, unshare, and the right to make a network namespace."
        )
    return close(outcomes, time.monotonic() - start, notes, incomplete=bool(no_browser) and is_ci())


def environment(scratch: Path, thorough: bool) -> dict[str, str]:
    """One thread, a home that is thrown away, the clone's data."""
    chosen = {
        "REC_LIB_HOME": str(scratch / "home"),
        "REC_LIB_DATA": os.environ.get("REC_LIB_DATA") or str(home() / "data"),
        "REC_LIB_SEEDS": "5" if thorough else "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
    return {**os.environ, **chosen}


def stages(thorough: bool, browser: bool, unplugged: list[str] | None) -> Iterator[Stage]:
    """All stages in order, the quick ones first. ``unplugged`` goes before a command to cut it off from the network."""
    cut, how = (tuple(unplugged), ", network cut") if unplugged else ((), "")
    which = () if thorough else ("-m", "not thorough")
    yield Stage("lint", (sys.executable, "-m", "ruff", "check"))
    yield Stage("format", (sys.executable, "-m", "ruff", "format", "--check"))
    yield Stage("types", (sys.executable, "-m", "mypy"))
    fetch = "from rec_lib.data import knowledge, movielens, text; movielens.load(); text.king_james(); knowledge.knowledge()"
    yield Stage("data", (sys.executable, "-c", fetch), own_cache())
    folders = sorted(f"tests/{path.name}" for path in (root() / "tests").iterdir() if any(path.glob("test_*.py")))
    yield Stage("tests", (*PYTEST, *which, *(f for f in folders if f.removeprefix("tests/") not in APART)))
    yield Stage("learning tests", (*PYTEST, *which, "tests/learn"))
    yield Stage("chapters", (*PYTEST, *which, "tests/chapters"))
    yield Stage("notebooks", NBVAL)
    if thorough:
        yield Stage(f"notebooks again{how}", (*cut, *NBVAL))
        yield Stage("notebooks, baseline CPU", (*NBVAL, "--baseline"))
        yield Stage("measurements again", (sys.executable, "-m", "rec_lib.cli", "measure", "--check"))
    if browser:
        every = {"REC_LIB_BROWSER": "all"} if thorough else {}
        yield Stage(f"browser{how}", (*cut, *PYTEST, *which, "tests/browser"), every)


def own_cache() -> dict[str, str]:
    """Lets the data stage fill the clone's cache, which the stages after it read."""
    return {"REC_LIB_HOME": str(home()), "REC_LIB_DATA": os.environ.get("REC_LIB_DATA", "")}


def run(stage: Stage, env: dict[str, str]) -> Outcome:
    print(f"\n=== {stage.name} ".ljust(79, "="), flush=True)
    start = time.monotonic()
    done = subprocess.run(stage.command, cwd=root(), env={**env, **stage.env}, stdin=subprocess.DEVNULL, check=False)
    return Outcome(stage.name, done.returncode, time.monotonic() - start)


def close(outcomes: list[Outcome], seconds: float, notes: list[str], incomplete: bool) -> int:
    """The table, then what did not run and why; the last line tells the result. Returns the exit code."""
    print("\n=== summary ".ljust(80, "="))
    for outcome in outcomes:
        print(f"{'passed' if outcome.code == 0 else 'FAILED'}  {outcome.seconds:7.1f} s  {outcome.name}")
    failed = [outcome.name for outcome in outcomes if outcome.code != 0]
    result = f"failed: {', '.join(failed)}" if failed else f"all {len(outcomes)} stages passed"
    print(f"course.py test: {result}, in {seconds / 60:.1f} minutes")
    for note in notes:
        print(note)
    return 1 if failed or incomplete else 0


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def missing_browser() -> str:
    """Empty if a browser is there or could be installed (Debian, root); else why not and how to get one."""
    from rec_lib.cli.browser import find_chromium  # here: it needs playwright, which only the tests' lock brings

    debian = sys.platform == "linux" and shutil.which("apt-get") and os.geteuid() == 0
    wanted = [] if find_chromium() else ["chromium"]
    wanted += [] if doctor.has_cjk_font() else ["fonts-noto-cjk"]
    if debian and wanted:
        print(f"Installing with apt-get: {' '.join(wanted)}", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *wanted]):
            subprocess.run(["apt-get", *words], env=quiet, stdin=subprocess.DEVNULL, check=False)
    if find_chromium():
        return ""
    return (
        "there is no Chromium or Chrome. Get one (Debian: sudo apt-get install chromium fonts-noto-cjk; "
        f'elsewhere: "{sys.executable}" -m playwright install chromium) and run this again.'
    )
