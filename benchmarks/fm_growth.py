"""How POLY2, FM and FFM grow with the number of fields and with the length of the vectors: counts beside CPU seconds.

One row has one id a field; fields of 100 ids, batches of 512, forward and backward, one thread. For each doubling the ratio of
multiplications (a count, the same everywhere) stands beside the ratio of CPU seconds (medians, this machine). Short
inputs cost mostly calls, so times grow more slowly than counts at first; long ones leave the cache, and FFM, which moves the most
numbers, then grows faster than its count.

Run  python course.py bench fm_growth
"""

import statistics
import time
from collections.abc import Callable

import torch

from rec_lib.evaluation.operations import multiplications
from rec_lib.models import FFM, FM, POLY2, CTRModel
from rec_lib.schema import Batch, Schema, Sparse

IDS, BATCH, REPEATS = 100, 512, 9
FIELDS, DIMS = (8, 16, 32, 64), (4, 8, 16, 32, 64)
MODELS: dict[str, Callable[[Schema, int], CTRModel]] = {
    "POLY2": lambda schema, k: POLY2(schema, 2**18),
    "FM": FM,
    "FFM": FFM,
}


def rows(fields: int) -> tuple[Schema, Batch]:
    schema = Schema(tuple(Sparse(f"f{i}", IDS) for i in range(fields)))
    generator = torch.Generator().manual_seed(0)
    batch = {f.name: torch.randint(2, IDS, (BATCH,), generator=generator) for f in schema.sparse}
    return schema, batch | {"label": torch.arange(BATCH) % 2.0}


def seconds(model: CTRModel, batch: Batch) -> float:
    """Median CPU seconds of a forward and a backward pass."""
    taken = []
    for _ in range(REPEATS + 1):  # the first one warms up
        start = time.process_time()
        model.loss(batch).backward()
        taken.append(time.process_time() - start)
    return statistics.median(taken[1:])


def measure(name: str, fields: int, k: int) -> tuple[float, float]:
    """(multiplications a row, CPU seconds a batch)"""
    schema, batch = rows(fields)
    torch.manual_seed(0)
    model = MODELS[name](schema, k)
    return multiplications(model, batch) / BATCH, seconds(model, batch)


def main() -> None:
    torch.set_num_threads(1)
    for what, settings in {
        "fields, k = 8": [(fields, 8) for fields in FIELDS],
        "k, 32 fields": [(32, k) for k in DIMS],
    }.items():
        for name in MODELS:
            if name == "POLY2" and what.startswith("k"):
                continue  # it has no vectors
            found = [measure(name, fields, k) for fields, k in settings]
            for (counted, taken), (more, longer), (fields, k) in zip(found, found[1:], settings[1:], strict=False):
                print(
                    f"twice the {what.split(',')[0]:6} → {fields:2} fields, k = {k:2}   {name:5}  "
                    f"multiplications × {more / counted:.2f}   CPU s × {longer / taken:.2f}   ({1000 * longer:.2f} ms)"
                )


if __name__ == "__main__":
    main()
