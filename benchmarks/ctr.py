"""Click models beside RecBole, FuxiCTR, DeepCTR-Torch, torch-rechub and a minimal torch loop: time to train and to predict, memory.

MovieLens-100K, random split (80,000 training rows), the same ids, sizes and budget for all: batch 1024, vectors of 16, layers
64-32, Adam on the mean log loss; DIN and DIEN with the last 20 liked films. Every side is a process that trains in its own
library's loop; sides take turns, an epoch or a prediction of the test rows at a time. CPU seconds, one thread; DeepFM with two as
well. The ratio is the median over pairs of turns. Memory is the peak of a process, its libraries and data included.

Results go to results/ctr.jsonl; `python course.py bench report` makes tables of them. About a quarter of an hour.

Run  python course.py bench ctr
"""

from pathlib import Path

from peers.environment import environment
from sides.clicks import PEERS, jobs, rows, settings
from sides.options import short
from sides.process import Sides, SideStopped, medians, sides
from sides.results import line, stopped, write

SHORT = ("LR", "FM", "DeepFM", "DIN")
EPOCHS, PREDICTIONS = 7, 9


def compare(found: Sides, case: str, epochs: int, predictions: int) -> list[dict]:
    """Lines of one model: epochs and predictions by turns, parameters, memory."""
    trained = medians(found.turns("epoch", epochs))
    predicted = medians(found.turns("predict", predictions, part="test"))
    lines = []
    for job, values in {"training epoch": trained, "prediction": predicted}.items():
        lines += [line(job, case, side, "CPU s", v["seconds"], runs=v["runs"]) for side, v in values.items()]
    for side in list(found.running):
        try:
            size = int(found.running[side].do("size", save=True).arrays["parameters"])
        except SideStopped as error:
            found.drop(side, error)
            continue
        lines.append(line("memory", case, side, "peak MB", predicted[side]["memory"], parameters=size))
    return lines + [stopped("training epoch", case, side, said) for side, said in found.stopped.items()]


def run(case: str, python: Path, epochs: int, predictions: int, threads: int = 1) -> tuple[list[dict], dict[str, str]]:
    """(lines, versions of the libraries)"""
    sizes, columns = rows(case, seed=0)
    told = settings(case, sizes, seed=0, lr=1e-3, weight_decay=0.0, threads=threads)
    name = case if threads == 1 else f"{case}, {threads} threads"
    with sides(jobs(case, python, columns, told), threads) as found:
        versions = {package: v for side in found.running.values() for package, v in side.versions.items()}
        return compare(found, name, epochs, predictions), versions


def main() -> None:
    brief, python = short(), environment()
    epochs, predictions = (2, 3) if brief else (EPOCHS, PREDICTIONS)
    plan = [(case, 1) for case in (SHORT if brief else PEERS)] + ([] if brief else [("DeepFM", 2)])
    lines, versions = [], {}
    for case, threads in plan:
        new, used = run(case, python, epochs, predictions, threads)
        for row in new:
            print(row, flush=True)
        lines += new
        versions |= used
    write("ctr", lines, versions, brief)


if __name__ == "__main__":
    main()
