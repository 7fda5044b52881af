"""All pairs of similarities: rec_lib's sparse product beside scikit-learn's dense one, and how both grow.

MovieLens-100K, ones, cosine, one thread; CPU seconds, medians. The peer is what a practitioner writes first:
`cosine_similarity` of the dense matrix, then argpartition for 20 neighbours. rec_lib multiplies compressed rows, counts
common columns for the shrinkage beside it, and sorts with ties by index.

Run  python course.py bench cf_similarities
"""

import statistics
import time

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity
from threadpoolctl import threadpool_limits

from rec_lib.data import movielens
from rec_lib.data.holdouts import leave_two_out
from rec_lib.models.similarity import multiplications, top_neighbours
from rec_lib.schema import FIRST

RUNS, K = 5, 20


def dense(matrix: np.ndarray) -> np.ndarray:
    near = cosine_similarity(matrix)
    np.fill_diagonal(near, -1)
    return np.argpartition(-near, K, axis=1)[:, :K]


def cpu_seconds(run, *args) -> float:
    times = []
    for _ in range(RUNS + 1):  # the first run warms up
        start = time.process_time()
        run(*args)
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def main() -> None:
    train = leave_two_out(movielens.load(), seed=0)[1].train[FIRST:, FIRST:].astype(np.float64)
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        for m in (236, 472, 943):
            part = train[np.sort(rng.permutation(943)[:m])].tocsr()
            for side, R in (("users", part), ("items", part.T.tocsr())):
                ours, peer = cpu_seconds(top_neighbours, R, "cosine", K), cpu_seconds(dense, R.toarray())
                products = multiplications(np.bincount(R.indices, minlength=R.shape[1]))
                print(
                    f"{m:4} users, similarities of {side}: {products:>12,.0f} products, CPU s: rec_lib {ours:.3f}, "
                    f"dense {peer:.3f}, ratio {ours / peer:.2f}"
                )


if __name__ == "__main__":
    main()
