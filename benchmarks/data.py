"""How long data takes: loading MovieLens-100K (checksum included), each of its views, and clicks from a law.

One thread; wall-clock seconds, medians of five, after one call that is not counted. Encoders are cached, so the views are
what a notebook pays from its second on.

Run  python course.py bench data
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from rec_lib.data import movielens, views
from rec_lib.data.simulator import bayes_auc, planted, simulate

RUNS = 5


def seconds(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    ml = movielens.load()
    effects = dict(third=1.0, memorised=3.0, activation=0.4, pairwise=2.0, drift=1.5)
    law = planted(np.random.default_rng(0), history=12, popularity=0.5, position=0.5, conversion=1.0, **effects)
    p = simulate(law, 100_000, np.random.default_rng(0))["p"].numpy()
    tasks: dict[str, Callable[[], object]] = {
        "load ml-100k": movielens.load,
        "view: ctr": lambda: views.ctr(ml),
        "view: ctr, history of 20": lambda: views.ctr(ml, history=20),
        "view: ratings": lambda: views.ratings(ml),
        "view: implicit, 99 negatives": lambda: views.implicit(ml),
        "view: sequences": lambda: views.sequences(ml),
        "simulate 1,000 rows": lambda: simulate(law, 1_000, np.random.default_rng(0)),
        "Bayes AUC of 100,000 rows": lambda: bayes_auc(p),
        "simulate 100,000 rows": lambda: simulate(law, 100_000, np.random.default_rng(0)),
    }
    for name, run in tasks.items():
        print(f"{name:30s} {seconds(run):7.3f} s")


if __name__ == "__main__":
    main()
