"""MF, SVD++ and implicit ALS beside Surprise and implicit: error, ranking and CPU seconds on the same rows.

The peers run in a process and an environment of their own (.course/peers, made from requirements-peers.txt on the first
run); splits, predictions and vectors pass as .npz files, and all scores are computed here, by the same code. Each peer's
settings are chosen on the validation rows of seeds 0 and 1, from a grid of the size that rec_lib's were chosen from
(implicit: the very same grid; an epoch of Surprise's SVD++ takes a second, so its grid is coarser). rec_lib's are those of
its experiment 2.3. One thread; CPU seconds of training with the chosen settings, ratios as medians over seeds. Takes about
half an hour.

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
from peers.environment import environment

from rec_lib.data import movielens
from rec_lib.data.holdouts import leave_two_out
from rec_lib.data.interactions import Interactions
from rec_lib.evaluation.metrics import rmse
from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.experiments.mf import IMPLICIT, parts, test_error, trained
from rec_lib.models.ials import IALS

HERE = Path(__file__).parent
SEEDS, TUNED_ON = range(5), range(2)
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
    for name, protocol in (("1+99", "sampled"), ("all", "full")):
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


def report(name: str, peer: list[float], own: list[float]) -> None:
    print(
        f"  {name:12} peer {np.mean(peer):.4f} ± {np.std(peer, ddof=1):.4f}   rec_lib {np.mean(own):.4f} ± "
        f"{np.std(own, ddof=1):.4f}   difference {np.mean(np.subtract(own, peer)):+.4f}",
        flush=True,
    )


def report_time(peer: list[float], own: list[float]) -> None:
    ratio = statistics.median(b / a for a, b in zip(peer, own, strict=True))
    print(
        f"  CPU seconds  peer {statistics.median(peer):.2f}   rec_lib {statistics.median(own):.2f}   ratio {ratio:.2f}",
        flush=True,
    )


def compare_ratings(python: Path, kind: str, name: str) -> None:
    grid = GRIDS[kind]
    best = chosen([predictions(python, kind, seed, grid, 1)[0] for seed in TUNED_ON], grid)
    print(f"{name}: Surprise with {best}", flush=True)
    peer, own, peer_time, own_time = [], [], [], []
    for seed in SEEDS:
        (error,), (seconds,) = predictions(python, kind, seed, [best], 2)
        rows = parts(seed)
        (model, _), own_seconds = cpu_seconds(trained, {"svd": "mf"}.get(kind, kind), seed, rows)
        peer.append(error)
        own.append(test_error(model, rows))
        peer_time.append(seconds)
        own_time.append(own_seconds)
    report("test RMSE", peer, own)
    report_time(peer_time, own_time)


def compare_als(python: Path) -> None:
    ml = movielens.load("ml-100k")
    grid, errors = GRIDS["als"], []
    for seed in TUNED_ON:
        scores, _ = lists(python, leave_two_out(ml, seed=seed)[0], seed, grid)
        errors.append([-s["NDCG@10 1+99"] - s["NDCG@10 all"] for s in scores])
    best = chosen(errors, grid)
    print(f"implicit ALS: implicit with {best}, rec_lib with {IMPLICIT}", flush=True)
    peer, own, peer_time, own_time = [], [], [], []
    for seed in SEEDS:
        data = leave_two_out(ml, seed=seed)[1]
        (scores,), (seconds,) = lists(python, data, seed, [best])
        model, own_seconds = cpu_seconds(IALS(**IMPLICIT, rng=np.random.default_rng(seed)).fit, data)
        peer.append(scores)
        own.append(ranking(model, data))
        peer_time.append(seconds)
        own_time.append(own_seconds)
    for metric in own[0]:
        report(metric, [s[metric] for s in peer], [s[metric] for s in own])
    report_time(peer_time, own_time)


def main() -> None:
    torch.set_num_threads(1)
    python = environment()
    compare_ratings(python, "svd", "MF with biases")
    compare_als(python)
    compare_ratings(python, "svdpp", "SVD++")


if __name__ == "__main__":
    main()
