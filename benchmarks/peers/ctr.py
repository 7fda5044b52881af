"""What every side of the comparison of click models does: train an epoch, or predict a part of the rows; turns.py tells when.

spec     model, dim, hidden, attention, auxiliary, lr, weight_decay, batch_size, seed, threads, and sizes {field: vocabulary}
arrays   one column of ids a field, (N,), or (N, T) filled up with 0; label (N,); train, valid, test: rows
turns    epoch; predict(part) → p, probabilities of the part's rows; size → parameters

A library's part is `build(spec, columns, rows) -> (model, epoch, predict)`: `epoch()` trains once over rows["train"] in the
library's own loop, `predict(part)` gives the probabilities of a part. Nothing of the course is imported here.
"""

from collections.abc import Callable

import numpy as np
import torch
from turns import serve

Epoch = Callable[[], None]
Predict = Callable[[str], np.ndarray]
Build = Callable[[dict, dict[str, np.ndarray], dict[str, np.ndarray]], tuple[torch.nn.Module, Epoch, Predict]]


def run(build: Build, *packages: str) -> None:
    def start(spec, columns):
        rows = {part: columns.pop(part) for part in ("train", "valid", "test")}
        torch.set_num_threads(spec["threads"])
        torch.manual_seed(spec["seed"])
        model, epoch, predict = build(spec, columns, rows)
        return {
            "epoch": epoch,
            "predict": lambda part: {"p": predict(part)},
            "size": lambda: {"parameters": np.array(sum(w.numel() for w in model.parameters()))},
        }

    serve(start, "torch", *packages)
