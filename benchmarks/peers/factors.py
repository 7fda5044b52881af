"""Runs in the peers' environment: fits Surprise's SVD and SVD++ or implicit's ALS with each of a list of settings.

    python factors.py job.npz result.npz

job     kind "svd", "svdpp" or "als"; settings: a JSON list of keyword arguments; seed;
        ratings (svd, svdpp): user, item, stars, and asked_user, asked_item; als: indptr, indices, shape
result  seconds (n,) CPU seconds of each fit; predicted (n, asked) clipped stars, or users_i and items_i for each setting
"""

import json
import sys
import time

import numpy as np


def ratings(job, cls):
    from surprise import Dataset, Reader

    rows = zip(job["user"].tolist(), job["item"].tolist(), job["stars"].tolist(), strict=True)
    train = Dataset(Reader(rating_scale=(1, 5))).construct_trainset([(u, i, r, None) for u, i, r in rows])
    asked = list(zip(job["asked_user"].tolist(), job["asked_item"].tolist(), strict=True))
    seconds, predicted = [], []
    for settings in json.loads(str(job["settings"])):
        start = time.process_time()
        model = cls(random_state=int(job["seed"]), **settings).fit(train)
        seconds.append(time.process_time() - start)
        predicted.append([model.predict(u, i).est for u, i in asked])
    return {"seconds": np.array(seconds), "predicted": np.array(predicted)}


def als(job):
    from implicit.cpu.als import AlternatingLeastSquares  # the CPU class itself: implicit.als chooses by device
    from scipy.sparse import csr_matrix

    matrix = csr_matrix(
        (np.ones(len(job["indices"]), np.float32), job["indices"], job["indptr"]), shape=tuple(job["shape"])
    )
    result, seconds = {}, []
    for number, settings in enumerate(json.loads(str(job["settings"]))):
        alpha = settings.pop("alpha")
        start = time.process_time()
        # implicit's confidence is the entry itself; the paper's is 1 + alpha for what was taken
        model = AlternatingLeastSquares(alpha=1.0, random_state=int(job["seed"]), num_threads=1, **settings)
        model.fit(matrix * (1 + alpha), show_progress=False)
        seconds.append(time.process_time() - start)
        result |= {f"users_{number}": model.user_factors, f"items_{number}": model.item_factors}
    return result | {"seconds": np.array(seconds)}


def main(source: str, target: str) -> None:
    with np.load(source, allow_pickle=False) as file:
        job = dict(file)
    kind = str(job["kind"])
    if kind == "als":
        np.savez(target, **als(job))
    else:
        from surprise import SVD, SVDpp

        np.savez(target, **ratings(job, SVD if kind == "svd" else SVDpp))


if __name__ == "__main__":
    main(*sys.argv[1:])
