"""Nearest-neighbour search: rec_lib's LSH beside exact search and faiss, on easy and on hard clusters.

100,000 vectors of 32 numbers around 200 centres, spread 0.35 (easy: neighbours are much nearer than others) or 1.0 (hard); ten
neighbours; float32; one thread, CPU seconds. An index's settings are chosen on queries of their own (TUNE): the fastest one
whose recall@10 there is high enough, with a margin of 0.01. Recall and time are then measured on other queries, by turns.

at 0.9      each index at recall 0.9: LSH with the book's OR (plain) and with collision counting, exact search of both libraries,
            and what practice uses: faiss' IVF and HNSW
levels      the fastest LSH at least as good as each size of faiss' IndexLSH, which compares signs and measures no distance

Results go to results/search.jsonl.

Run  python course.py bench search
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
from peers.environment import environment, versions
from sides.options import short
from sides.process import OWN, Job, Side, SideStopped, medians, sides
from sides.results import line, stopped, write

from rec_lib.experiments.lsh import clustered, tenth_neighbour
from rec_lib.retrieval import ExactIndex, recall_at_k

K, WANTED = 10, 0.9
MARGIN = 0.01  # on the queries that settings are chosen on, so that others find as much
SPREADS = {"easy": 0.35, "hard": 1.0}
HASHES = ((3, 10), (3, 12), (4, 12), (4, 14), (5, 14), (5, 17), (6, 20))  # w in distances to the 10th neighbour, K
TABLES = (8, 16, 32, 64, 96, 128)
HITS, PROBES = (1, 2, 3, 4), (0, 4)  # 1: the book's OR
FAISS = {
    "faiss IVF": ("IVF", [{"nlist": 400, "nprobe": p} for p in (1, 2, 4, 8, 16, 32)]),
    "faiss HNSW": ("HNSW", [{"M": 32, "efSearch": e} for e in (10, 20, 40, 80, 160)]),
}
BITS = (64, 128, 256, 512, 1024)
Settings = dict[str, float]


def data(spread: float, n: int, tune: int, test: int) -> dict[str, np.ndarray]:
    points = clustered(n + tune + test, 32, spread, np.random.default_rng(0))
    return {"vectors": points[:n], "tune": points[n : n + tune], "test": points[n + tune :]}


def grid(unit: float, brief: bool) -> list[Settings]:
    """Settings of LSH; `unit` is the distance to the tenth neighbour."""
    shapes = list(product(HASHES, TABLES))
    return [
        {"w": multiple * unit, "K": k, "L": tables, "min_hits": hits, "probes": probes}
        for (multiple, k), tables in (shapes[::5] if brief else shapes)
        for hits, probes in product(HITS, PROBES)
    ]


def job(python: Path | None, kind: str, arrays: dict[str, np.ndarray]) -> Job:
    """rec_lib's index without an interpreter of the peers, faiss' with it."""
    told = {"kind": kind, "k": K}
    return (
        (Path(sys.executable), "search_rec_lib", told, arrays)
        if python is None
        else (python, "search_faiss", told, arrays)
    )


def tried(given: Job, settings: list[Settings], true: np.ndarray) -> list[tuple[float, float, Settings]]:
    """(recall, CPU seconds, settings) on the tuning queries."""
    side, found = Side(*given), []
    try:
        for setting in settings:
            side.do("build", settings=setting)
            side.do("query", part="tune")  # warms up
            answer = side.do("query", save=True, part="tune")
            found.append((recall_at_k(answer.arrays["ids"], true), answer.seconds, setting))
    finally:
        side.close()
    return found


def fastest(found: list[tuple[float, float, Settings]], wanted: float) -> Settings:
    """The fastest settings of at least this recall; the best recall where none has it."""
    enough = [row for row in found if row[0] >= wanted + MARGIN]
    return min(enough, key=lambda row: row[1])[2] if enough else max(found, key=lambda row: row[0])[2]


def measured(
    plan: dict[str, tuple[Job, Settings]], job_name: str, case: str, true: np.ndarray, runs: int
) -> list[dict]:
    """Queries a second and recall on the test queries, by turns; OWN is one of the sides."""
    lines, recalls = [], {}
    with sides({side: given for side, (given, _) in plan.items()}) as found:
        for side in list(found.running):
            try:
                found.running[side].do("build", settings=plan[side][1])
                recalls[side] = recall_at_k(found.running[side].do("query", save=True, part="test").arrays["ids"], true)
            except SideStopped as error:
                found.drop(side, error)
        for side, m in medians(found.turns("query", runs, part="test")).items():
            more = {"recall": recalls[side], "memory": m["memory"], "settings": plan[side][1]}
            lines.append(
                line(job_name, case, side, "queries per CPU s", len(true) / m["seconds"], runs=m["runs"], **more)
            )
        return lines + [stopped(job_name, case, side, said) for side, said in found.stopped.items()]


def compare(case: str, spread: float, python: Path, brief: bool) -> list[dict]:
    arrays = data(spread, n=20_000 if brief else 100_000, tune=100 if brief else 200, test=200 if brief else 1000)
    runs, exact = 2 if brief else 5, ExactIndex().build(arrays["vectors"])
    true = {part: exact.query(arrays[part], K)[0] for part in ("tune", "test")}
    unit = tenth_neighbour(arrays["vectors"])
    own = job(None, "LSH", arrays)
    found = tried(own, grid(unit, brief), true["tune"])
    ways = {
        "plain": [row for row in found if row[2]["min_hits"] == 1],
        "counting": [row for row in found if row[2]["min_hits"] > 1],
    }
    rivals: dict[str, tuple[Job, Settings]] = {
        "rec_lib exact": (job(None, "exact", arrays), {}),
        "faiss exact": (job(python, "flat", arrays), {}),
    }
    for name, (kind, settings) in FAISS.items():
        rival = job(python, kind, arrays)
        rivals[name] = (rival, fastest(tried(rival, settings, true["tune"]), WANTED))
    lines = []
    for way, tuned in ways.items():
        plan = {OWN: (own, fastest(tuned, WANTED))} | rivals
        lines += measured(plan, f"recall 0.9, {way}", case, true["test"], runs)
    for bits in BITS[::2] if brief else BITS:
        rival = job(python, "LSH", arrays)
        level = tried(rival, [{"nbits": bits}], true["tune"])[0][0]
        plan = {OWN: (own, fastest(found, level)), "faiss IndexLSH": (rival, {"nbits": bits})}
        lines += measured(plan, "levels", f"{case}, {bits} bits", true["test"], runs)
    return lines


def main() -> None:
    brief, python = short(), environment()
    lines: list[dict] = []
    for case, spread in SPREADS.items():
        try:
            lines += compare(case, spread, python, brief)
        except SideStopped as error:
            lines.append(stopped("recall 0.9, plain", case, "faiss", str(error)))
    for row in lines:
        print(row, flush=True)
    write("search", lines, versions("faiss-cpu"), brief)


if __name__ == "__main__":
    main()
