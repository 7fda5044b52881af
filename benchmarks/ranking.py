"""I-AutoRec, NeuMF and ItemCF: seconds of training, error and ranking, with the settings of sections 3.2, 3.4 and 2.2.

I-AutoRec on the random 80/10/10 split of the ratings, NeuMF and ItemCF on each user's last film among 99 others. CPU seconds, one
thread; I-AutoRec's up to its best epoch. MF, SVD++ and implicit ALS stand beside Surprise and implicit in `factors`. Results go to
results/ranking.jsonl.

Run  python course.py bench ranking
"""

import statistics
import time
from collections.abc import Callable

import torch
from sides.options import short
from sides.results import line, write

from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.experiments.autorec import trained
from rec_lib.experiments.mf import parts, test_error
from rec_lib.experiments.neural_cf import build, holdouts

Measured = tuple[float, float]  # CPU seconds, quality
RANKERS = {"NeuMF": "neuralcf", "ItemCF": "itemcf_cosine"}


def autorec(seed: int) -> Measured:
    rows = parts(seed)
    start = time.process_time()
    model, history = trained("autorec", seed, rows)
    seconds = (time.process_time() - start) * history.best_epoch / len(history.loss)
    return seconds, test_error(model, rows)


def ranker(name: str, seed: int) -> Measured:
    data = holdouts(seed)[1]
    start = time.process_time()
    model = build(name, seed).fit(data)
    seconds = time.process_time() - start
    return seconds, rank_held_out(model, data, k=10, protocol="sampled").hit_rate


def lines(case: str, job: str, measure: str, run: Callable[[int], Measured], seeds: range) -> list[dict]:
    seconds, quality = zip(*(run(seed) for seed in seeds), strict=True)
    return [
        line("training", case, "rec_lib", "CPU s", statistics.median(seconds), runs=list(seconds)),
        line(job, case, "rec_lib", measure, statistics.mean(quality), values=list(quality)),
    ]


def main() -> None:
    brief = short()
    torch.set_num_threads(1)
    seeds = range(1 if brief else 5)
    found = lines("I-AutoRec", "test error", "RMSE", autorec, seeds)
    for case, name in RANKERS.items():
        if not (brief and case == "NeuMF"):  # a minute a seed
            found += lines(case, "1 + 99 films", "HR@10", lambda seed, name=name: ranker(name, seed), seeds)
    for row in found:
        print(row, flush=True)
    write("ranking", found, {}, brief)


if __name__ == "__main__":
    main()
