"""One training epoch of DeepFM: rec_lib beside a minimal torch loop of the same model, in turn, in one process.

MovieLens-100K, random split (80,000 rows), batch 1024, dim 16, MLP 64-32, Adam, one thread; CPU seconds, medians.
The minimal loop is what a practitioner writes first: one nn.Embedding with offsets, nn.EmbeddingBag for the genres,
shuffled index batches, no progress bar, no checks.

Run  python course.py bench deepfm_epoch
"""

import statistics
import time

import torch
from torch import nn

from rec_lib.data import movielens, views
from rec_lib.data.table import Table
from rec_lib.evaluation import random_split
from rec_lib.models import DeepFM
from rec_lib.training import fit

PAIRS, BATCH, DIM, LR = 7, 1024, 16, 1e-3


class Minimal(nn.Module):
    def __init__(self, sizes: list[int], genres: int):
        super().__init__()
        self.offsets = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self.v, self.w = nn.Embedding(sum(sizes), DIM), nn.Embedding(sum(sizes), 1)
        self.bag_v = nn.EmbeddingBag(genres, DIM, mode="mean", padding_idx=0)
        self.bag_w = nn.EmbeddingBag(genres, 1, mode="mean", padding_idx=0)
        self.w0 = nn.Parameter(torch.zeros(1))
        f = len(sizes) + 1
        self.mlp = nn.Sequential(nn.Linear(f * DIM, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: torch.Tensor, genres: torch.Tensor) -> torch.Tensor:
        ids = x + self.offsets
        v = torch.cat([self.v(ids), self.bag_v(genres).unsqueeze(1)], dim=1)
        linear = self.w0 + self.w(ids).sum((1, 2)) + self.bag_w(genres).squeeze(1)
        pairwise = 0.5 * (v.sum(1).square() - v.square().sum(1)).sum(1)
        return linear + pairwise + self.mlp(v.flatten(1)).squeeze(1)


def minimal_epoch(model: Minimal, optimizer: torch.optim.Optimizer, x, genres, y) -> None:
    for index in torch.randperm(len(y)).split(BATCH):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(x[index], genres[index]), y[index]).backward()
        optimizer.step()


def rec_lib_epoch(model: DeepFM, optimizer: torch.optim.Optimizer, train: Table) -> None:
    fit(model, train, optimizers=[optimizer], epochs=1, batch_size=BATCH, progress=False)


def cpu_seconds(run, *args) -> float:
    start = time.process_time()
    run(*args)
    return time.process_time() - start


def main() -> None:
    torch.set_num_threads(1)
    table = views.ctr(movielens.load())
    train = table.rows(random_split(len(table), seed=0)[0])
    sparse = [f.name for f in train.schema.sparse]
    x = torch.stack([train[name] for name in sparse], dim=1)
    torch.manual_seed(0)
    minimal = Minimal([train.schema.size(n) for n in sparse], train.schema.size("genres"))
    ours = DeepFM(train.schema, dim=DIM)
    optimizers = [torch.optim.Adam(m.parameters(), lr=LR) for m in (minimal, ours)]
    times: list[tuple[float, float]] = []
    for _ in range(PAIRS + 1):  # the first pair warms up
        a = cpu_seconds(minimal_epoch, minimal, optimizers[0], x, train["genres"], train["label"])
        b = cpu_seconds(rec_lib_epoch, ours, optimizers[1], train)
        times.append((a, b))
    a, b = (statistics.median(t) for t in zip(*times[1:], strict=True))
    ratio = statistics.median(b / a for a, b in times[1:])
    print(f"DeepFM epoch, {len(train):,} rows, CPU s: minimal loop {a:.3f}, rec_lib {b:.3f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
