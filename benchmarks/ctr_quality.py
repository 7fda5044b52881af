"""The click models of `ctr`, trained to convergence: AUC of rec_lib and of each peer on the same test rows.

MovieLens-100K, random 80/10/10 split. Learning rate and weight decay are chosen for each side from one grid by validation AUC, mean
of seeds 0 and 1; then five seeds. A training stops after PATIENCE epochs without a new best validation AUC; the test rows are
scored at the best epoch. AUCs are computed here, by the same code. Takes hours; `python course.py bench report` makes tables of it.

Run  python course.py bench ctr_quality
"""

import statistics
from itertools import product
from pathlib import Path

import numpy as np
from peers.environment import environment
from sides.clicks import PEERS, SIZES, jobs, rows, settings
from sides.options import short
from sides.process import Side, SideStopped
from sides.results import line, stopped, write

from rec_lib.evaluation import auc

SHORT = {"models": ("FM",), "seeds": range(1), "grid": [(3e-3, 1e-4)], "epochs": 3}
LONG = {
    "models": tuple(PEERS),
    "seeds": range(5),
    "grid": list(product((1e-3, 3e-3), (1e-5, 1e-4, 5e-4))),
    "epochs": 40,
}
TUNED_ON, PATIENCE = (0, 1), 3


def trained(case: str, side: str, seed: int, lr: float, weight_decay: float, epochs: int, python: Path) -> tuple:
    """(best validation AUC, test AUC at that epoch, epochs, versions)"""
    sizes, columns = rows(case, seed)
    told = settings(case, sizes, seed, lr, weight_decay)
    labels = {part: columns["label"][columns[part]] for part in ("valid", "test")}
    process = Side(*jobs(case, python, columns, told, only=[side])[side])
    try:
        return *best_epoch(process, labels, epochs), process.versions
    finally:
        process.close()


def best_epoch(process: Side, labels: dict[str, np.ndarray], epochs: int) -> tuple[float, float, int]:
    """(best validation AUC, test AUC at that epoch, epochs trained)"""
    valid, test = [], 0.0
    for _ in range(epochs):
        process.do("epoch")
        valid.append(auc(labels["valid"], process.do("predict", save=True, part="valid").arrays["p"]))
        if valid[-1] > max(valid[:-1], default=0.0):
            test = auc(labels["test"], process.do("predict", save=True, part="test").arrays["p"])
        elif len(valid) - 1 - int(np.argmax(valid)) >= PATIENCE:
            break
    return max(valid), test, len(valid)


def compare(case: str, side: str, plan: dict, python: Path) -> tuple[dict, dict[str, str]]:
    """(the line of one side, versions)"""
    budget = {"epochs": plan["epochs"], "python": python}
    given = plan["grid"][0]
    if len(plan["grid"]) > 1:
        means = [statistics.mean(trained(case, side, s, *g, **budget)[0] for s in TUNED_ON) for g in plan["grid"]]
        given = plan["grid"][int(np.argmax(means))]
    found = [trained(case, side, seed, *given, **budget) for seed in plan["seeds"]]
    values = [test for _, test, _, _ in found]
    more = {"values": values, "epochs": [n for _, _, n, _ in found], "lr": given[0], "weight_decay": given[1]}
    return line("test", case, side, "AUC", statistics.mean(values), **more), found[0][3]


def main() -> None:
    brief, python = short(), environment()
    plan = SHORT if brief else LONG
    lines, versions = [], {}
    for case in plan["models"]:
        for side in jobs(case, python, {}, SIZES):
            try:
                new, used = compare(case, side, plan, python)
            except SideStopped as error:
                new, used = stopped("test", case, side, str(error)), {}
            print(new, flush=True)
            lines.append(new)
            versions |= used
        write("ctr_quality", lines, versions, brief)  # after each model: it takes hours


if __name__ == "__main__":
    main()
