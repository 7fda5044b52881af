"""How time grows: rows, fields, length of a history, nodes and edges of a graph, stored vectors; the derived exponent beside it.

CPU seconds, one thread, medians. A derived exponent of 1 means that twice the size takes twice the time. Small sizes cost mostly
calls, so the slope is read off the two largest. `report` draws both on log axes. Results go to results/growth.jsonl.

Run  python course.py bench growth
"""

import statistics
import time
from collections.abc import Callable

import networkx as nx
import numpy as np
import torch
from sides.options import short
from sides.results import line, write

from rec_lib.data.graphs import Graph, from_networkx
from rec_lib.data.table import Table
from rec_lib.embeddings.walks import Walker
from rec_lib.experiments.lsh import clustered
from rec_lib.models.base import CTRModel
from rec_lib.models.deepfm import DeepFM
from rec_lib.models.dien import DIEN
from rec_lib.models.din import DIN
from rec_lib.models.ffm import FFM
from rec_lib.models.fm import FM
from rec_lib.models.pnn import IPNN
from rec_lib.retrieval import LSH, ExactIndex
from rec_lib.schema import FIRST, Schema, Sequence, Sparse
from rec_lib.training import fit

RUNS = 5
Task = Callable[[], object]


def seconds(task: Task, runs: int) -> float:
    """Median CPU seconds, after one run that is not counted."""
    taken = []
    for _ in range(runs + 1):
        start = time.process_time()
        task()
        taken.append(time.process_time() - start)
    return statistics.median(taken[1:])


def table(rows: int, fields: int, history: int = 0) -> Table:
    """Random ids: `fields` fields of 100, and a history of the first one's."""
    generator = torch.Generator().manual_seed(0)
    schema = Schema(tuple(Sparse(f"f{i}", 100) for i in range(fields)))
    columns = {f.name: torch.randint(FIRST, 100, (rows,), generator=generator) for f in schema.sparse}
    if history:
        schema = Schema((*schema.fields, Sequence("history", "f0", history)))
        columns["history"] = torch.randint(FIRST, 100, (rows, history), generator=generator)
    return Table(schema, columns | {"label": (torch.arange(rows) % 2).float()})


def epoch(make: Callable[[Schema], CTRModel], rows: Table) -> Task:
    torch.manual_seed(0)
    model = make(rows.schema)
    adam = torch.optim.Adam(model.parameters())
    return lambda: fit(model, rows, optimizers=[adam], epochs=1, progress=False)


def walks(graph: Graph) -> Task:
    walker = Walker(graph)
    return lambda: walker.walk(0.5, 2.0, 1, 40, rng=np.random.default_rng(0))


def edges(nodes: int, each: int) -> Graph:
    return from_networkx(nx.barabasi_albert_graph(nodes, each, seed=0))


def lsh(n: int) -> Task:
    points = clustered(n + 500, 16, 0.35, np.random.default_rng(0), clusters=n // 100)  # as many neighbours at any size
    index = LSH(8.0, 12, 16, rng=np.random.default_rng(0)).build(points[:n])
    return lambda: index.query(points[n:], 10)


def exact(n: int) -> Task:
    points = clustered(n + 500, 16, 0.35, np.random.default_rng(0), clusters=n // 100)
    index = ExactIndex().build(points[:n])
    return lambda: index.query(points[n:], 10)


def table_of_walks(nodes: int, each: int) -> Task:
    graph = edges(nodes, each)
    return lambda: Walker(graph)


PLAN: dict[str, tuple[tuple[int, ...], dict[str, tuple[float, Callable[[int], Task]]]]] = {
    # job: (sizes, {side: (derived exponent, size → task)})
    "rows, an epoch": (
        (4_000, 16_000, 64_000, 256_000),
        {"DeepFM": (1, lambda n: epoch(DeepFM, table(n, 8)))},
    ),
    "fields, an epoch of 4,096 rows": (
        (8, 16, 32, 64),
        {
            "FM": (1, lambda f: epoch(FM, table(4096, f))),
            "FFM": (2, lambda f: epoch(FFM, table(4096, f))),
            "IPNN": (1, lambda f: epoch(IPNN, table(4096, f))),
        },
    ),
    "length of a history, an epoch of 4,096 rows": (
        (10, 20, 40, 80),
        {
            "DIN": (1, lambda t: epoch(DIN, table(4096, 3, t))),
            "DIEN": (1, lambda t: epoch(DIEN, table(4096, 3, t))),
        },
    ),
    "nodes, a walk of 40 from each": (
        (2_000, 8_000, 32_000),
        {"Node2vec": (1, lambda n: walks(edges(n, 5)))},
    ),
    "edges, preparation for walks on 20,000 nodes": (
        (4, 8, 16, 32),
        {"Node2vec": (1, lambda m: table_of_walks(20_000, m))},
    ),
    "vectors, 500 queries": (
        (4_096, 16_384, 65_536),
        {"exact": (1, exact), "LSH": (0, lsh)},
    ),
}


def main() -> None:
    brief = short()
    torch.set_num_threads(1)
    lines = []
    for job, (sizes, sides) in PLAN.items():
        for side, (derived, make) in sides.items():
            for size in sizes[:2] if brief else sizes:
                value = seconds(make(size), 1 if brief else RUNS)
                lines.append(line(job, f"{size:,}", side, "CPU s", value, size=size, derived=derived))
                print(lines[-1], flush=True)
    write("growth", lines, {}, brief)


if __name__ == "__main__":
    main()
