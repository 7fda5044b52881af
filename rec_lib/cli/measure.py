"""``course.py measure SECTION …``: train over several seeds and write assets/measured/<section>.json."""

from __future__ import annotations

import argparse

from rec_lib.experiments import load_experiment, measure
from rec_lib.experiments.core import MODULES


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="course.py measure", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"from {', '.join(MODULES)}; all if none is given"
    )
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds (default 5, at least 2)")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.sections if name not in MODULES]:
        parser.error(f"no experiment belongs to {', '.join(unknown)}; there are {', '.join(MODULES)}")
    for name in options.sections or MODULES:
        result = measure(load_experiment(name), seeds=range(options.seeds))
        width = max(map(len, result.results))
        print(f"{name}: assets/measured/{name}.json, {len(result.seeds)} seeds")
        for key in result.results:
            print(f"  {key:{width}s}  {result.mean(key):.4f} ± {result.sd(key):.4f}")
    return 0
