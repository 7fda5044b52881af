"""MF, SVD++ and implicit ALS beside Surprise and implicit: error, ranking and CPU seconds on the same rows.

The peers run in a process and an environment of their own (.course/peers, made from requirements-peers.txt on the first
run); splits, predictions and vectors pass as .npz files, and all scores are computed here, by the same code. Each peer's
settings are chosen on the validation rows of seeds 0 and 1, from a grid of the size that rec_lib's were chosen from
(implicit: the very same grid; an epoch of Surprise's SVD++ takes a second, so its grid is coarser). rec_lib's are those of
its experiment 2.3. One thread; CPU seconds of training with the chosen settings up to the best epoch, by turns. Results go to
results/factors.jsonl. Takes about half an hour.

Run  python course.py bench factors
"""

import json
import statistics
import subprocess
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
import torch
from peers.environment import environment, versions
from sides.results import line, write

from rec_lib.data import movielens
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.evaluation.metrics import rmse
from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.experiments.mf import IMPLICIT, RECIPES, parts, test_error, trained
from rec_lib.models.ials import IALS

HERE = Path(__file__).parent
SEEDS, TUNED_ON = range(5), range(2)
OURS = {"svd": "mf", "svdpp": "svdpp"}  # names in experiment 2.3
GRIDS = {
    "svd": [
        {"n_factors": d, "n_epochs": e, "lr_all": lr, "reg_all": reg}
        for d, e, lr, reg in product((64, 128), (40, 80), (0.005, 0.01), (0.06, 0.08, 0.1, 0.12))
    ],
    "svdpp": [
        {"n_factors": d, "n_epochs": e, "lr_all": 0.007, "reg_all": reg, "cache_ratings": True}
        for d, e, reg in product((20, 64), (20, 40), (0.02, 0.05, 0.1))
    ],
    "als": [
        {"factors": d, "alpha": a, "regularization": l2, "iterations": IMPLICIT["iterations"]}
        for d, a, l2 in product((16, 32, 64), (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0), (3.0, 10.0, 30.0, 100.0, 300.0))
    ],
}


def worker(python: Path, **job: object) -> dict[str, np.ndarray]:
    """One job for the peers' process: arrays in, arrays out."""
    settings = {"settings": json.dumps(job.pop("settings"))}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "job.npz", Path(folder) / "result.npz"
        np.savez(source, **settings, **job)
        subprocess.run([str(python), str(HERE / "peers" / "factors.py"), str(source), str(target)], check=True)
        with np.load(target, allow_pickle=False) as file:
            return dict(file)


class Product:
    """Scores of a peer's vectors."""

    def __init__(self, users: np.ndarray, items: np.ndarray):
        self.users, self.items = users, items

    def score(self, users: np.ndarray) -> np.ndarray:
        return self.users[users] @ self.items.T


def predictions(python: Path, kind: str, seed: int, settings: list[dict], part: int) -> tuple[list[float], np.ndarray]:
    """Error of each setting on the validation (1) or test (2) rows of a seed, and CPU seconds."""
    rows = parts(seed)
    train, asked = rows[0], rows[part]
    found = worker(
        python,
        kind=kind,
        settings=settings,
        seed=seed,
        user=train["user"].numpy(),
        item=train["item"].numpy(),
        stars=train["label"].numpy(),
        asked_user=asked["user"].numpy(),
        asked_item=asked["item"].numpy(),
    )
    return [rmse(asked["label"], row) for row in found["predicted"]], found["seconds"]


def lists(python: Path, data: Interactions, seed: int, settings: list[dict]) -> tuple[list[dict], np.ndarray]:
    """Ranking scores of each setting, and CPU seconds."""
    matrix = data.train
    found = worker(
        python,
        kind="als",
        settings=settings,
        seed=seed,
        indptr=matrix.indptr,
        indices=matrix.indices,
        shape=matrix.shape,
    )
    models = [Product(found[f"users_{k}"], found[f"items_{k}"]) for k in range(len(settings))]
    return [ranking(model, data) for model in models], found["seconds"]


def ranking(model, data: Interactions) -> dict[str, float]:
    scores = {}
    for name, protocol in (("1 + 99 films", "sampled"), ("all films", "full")):
        ranked = rank_held_out(model, data, k=10, protocol=protocol)
        scores |= {f"HR@10 {name}": ranked.hit_rate, f"NDCG@10 {name}": ranked.ndcg}
    return scores


def chosen(errors: list[list[float]], settings: list[dict]) -> dict:
    """The setting with the least mean error over the seeds."""
    return settings[int(np.mean(errors, axis=0).argmin())]


def cpu_seconds(run, *args, **settings):
    start = time.process_time()
    result = run(*args, **settings)
    return result, time.process_time() - start


def quality(job: str, case: str, measure: str, found: dict[str, list[float]]) -> list[dict]:
    """A line a side: the mean over seeds, and each seed's value."""
    return [line(job, case, side, measure, float(np.mean(v)), values=v) for side, v in found.items()]


def times(case: str, found: dict[str, list[float]], chosen: dict[str, dict]) -> list[dict]:
    return [
        line("training", case, side, "CPU s", statistics.median(runs), runs=runs, settings=chosen[side])
        for side, runs in found.items()
    ]


def compare_ratings(python: Path, kind: str, name: str) -> list[dict]:
    grid = GRIDS[kind]
    best = chosen([predictions(python, kind, seed, grid, 1)[0] for seed in TUNED_ON], grid)
    peer, own, peer_time, own_time = [], [], [], []
    for seed in SEEDS:
        (error,), (seconds,) = predictions(python, kind, seed, [best], 2)
        rows = parts(seed)
        (model, history), all_seconds = cpu_seconds(trained, OURS[kind], seed, rows)
        peer.append(error)
        own.append(test_error(model, rows))
        peer_time.append(float(seconds))
        own_time.append(all_seconds * history.best_epoch / len(history.loss))
    settings = {"rec_lib": RECIPES[OURS[kind]], "Surprise": best}
    return quality("test error", name, "RMSE", {"rec_lib": own, "Surprise": peer}) + times(
        name, {"rec_lib": own_time, "Surprise": peer_time}, settings
    )


def compare_als(python: Path) -> list[dict]:
    ml = movielens.load("ml-100k")
    grid, errors = GRIDS["als"], []
    for seed in TUNED_ON:
        scores, _ = lists(python, leave_two_out(ml, seed=seed)[0], seed, grid)
        errors.append([-s["NDCG@10 1 + 99 films"] - s["NDCG@10 all films"] for s in scores])
    best = chosen(errors, grid)
    peer, own, peer_time, own_time = [], [], [], []
    for seed in SEEDS:
        data = leave_two_out(ml, seed=seed)[1]
        (scores,), (seconds,) = lists(python, data, seed, [best])
        model, own_seconds = cpu_seconds(IALS(**IMPLICIT, rng=np.random.default_rng(seed)).fit, data)
        peer.append(scores)
        own.append(ranking(model, data))
        peer_time.append(float(seconds))
        own_time.append(own_seconds)
    case = "implicit ALS"
    lines = times(case, {"rec_lib": own_time, "implicit": peer_time}, {"rec_lib": IMPLICIT, "implicit": best})
    for metric in own[0]:
        measure, job = metric.split(" ", 1)
        found = {"rec_lib": [s[metric] for s in own], "implicit": [s[metric] for s in peer]}
        lines += quality(f"{job}, {measure}", case, measure, found)
    return lines


def main() -> None:
    torch.set_num_threads(1)
    python = environment()
    lines = compare_ratings(python, "svd", "MF")
    lines += compare_als(python)
    lines += compare_ratings(python, "svdpp", "SVD++")
    for row in lines:
        print(row, flush=True)
    write("factors", lines, versions("scikit-surprise", "implicit"), short=False)


if __name__ == "__main__":
    main()
