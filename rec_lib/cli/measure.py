"""Train over several seeds and write assets/measured/<section>.json, which the notebooks' claims read.

``course.py measure SECTION …`` measures; with ``--check`` it changes nothing, measures again with the first stored seeds,
as many sections at once as there are processors, and lists what came out differently from the same seeds before. With
``--confirm`` it does the same after a change of code that should not change a number: where none changed, to the last
digit, the stored results count as made by the code that is there now.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rec_lib.experiments import Measured, load_experiment, measure, measured
from rec_lib.experiments.core import MODULES, confirm

CHECKED = 2  # seeds measured again: they show that results and code belong together; all of them would take an hour
RTOL, ATOL = 0.02, 0.002  # what another CPU may move a mean by, beside four standard errors of it


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="course.py measure", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(MODULES)}; all if none is given")
    parser.add_argument(
        "--seeds",
        type=int,
        help=f"number of seeds, at least 2 (default: as many as stored, else 5; {CHECKED} with --check)",
    )
    parser.add_argument("--check", action="store_true", help="measure again and compare with what is stored")
    parser.add_argument(
        "--confirm", action="store_true", help="the same, and keep what is stored where no digit changed"
    )
    options = parser.parse_args(argv)
    if unknown := [name for name in options.sections if name not in MODULES]:
        parser.error(f"no experiment belongs to {', '.join(unknown)}; there are {', '.join(MODULES)}")
    if options.seeds is not None and options.seeds < 2:
        parser.error(f"--seeds {options.seeds}: expected at least 2, or there is no spread")
    sections = options.sections or list(MODULES)
    if options.check or options.confirm:
        spawn = multiprocessing.get_context("spawn")  # a fork would share torch's threads
        with ProcessPoolExecutor(min(len(sections), os.cpu_count() or 1), spawn) as pool:
            return max(
                pool.map(recheck if options.confirm else check, sections, [options.seeds or CHECKED] * len(sections))
            )
    for name in sections:
        result = measure(load_experiment(name), seeds=range(options.seeds or stored_seeds(name)))
        width = max(map(len, result.results))
        print(f"{name}: assets/measured/{name}.json, {len(result.seeds)} seeds")
        for key in result.results:
            print(f"  {key:{width}s}  {result.mean(key):.4f} ± {result.sd(key):.4f}")
    return 0


def stored_seeds(name: str) -> int:
    """As many seeds as the stored results have; 5 for a section that was never measured."""
    try:
        return len(measured(name).seeds)
    except FileNotFoundError:
        return 5


def check(name: str, seeds: int) -> int:
    """1 if a section, measured again with its first seeds, differs from what is stored; says where."""
    stored = measured(name)
    with tempfile.TemporaryDirectory() as folder:
        again = measure(load_experiment(name), seeds=stored.seeds[:seeds], folder=Path(folder))
    differing = differences(stored, again)
    print(f"{name}: {len(stored.results)} results measured again, {len(differing)} differ", flush=True)
    for line in differing:
        print(f"  {line}")
    return 1 if differing else 0


def recheck(name: str, seeds: int) -> int:
    """1 if a section, measured again with its first seeds, is not as stored to the last digit; else renews its fingerprint."""
    experiment, stored = load_experiment(name), measured(name)
    if stored.fingerprint == experiment.fingerprint:
        print(f"{name}: nothing changed since it was measured", flush=True)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        again = measure(experiment, seeds=stored.seeds[:seeds], folder=Path(folder))
    other = confirm(experiment, again)
    print(f"{name}: {len(again.seeds)} seeds measured again, {len(other)} results differ", flush=True)
    for line in other:
        print(f"  {line}")
    if other:
        print(f"  the numbers are other ones now: course.py measure {name}")
    return 1 if other else 0


def differences(stored: Measured, again: Measured) -> list[str]:
    """The results whose mean over the seeds of `again` moved by more than four standard errors and what another CPU explains.

    Results whose name ends in "seconds" are times: they belong to the machine, and only their name is compared.
    """
    if stored.results.keys() != again.results.keys():
        return [f"other names: {sorted(stored.results.keys() ^ again.results.keys())}"]
    found, n = [], len(again.seeds)
    for key in (key for key in stored.results if not key.endswith("seconds")):
        old, new = float(stored.values(key)[:n].mean()), again.mean(key)
        allowed = 4 * stored.sd(key) / n**0.5 + RTOL * abs(old) + ATOL
        if not abs(new - old) <= allowed:
            found.append(f"{key}: stored {old:.4f}, now {new:.4f}")
    return found
