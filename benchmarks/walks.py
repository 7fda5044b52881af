"""Node2vec walks beside PecanPy: steps a second, preparation, the first walk, memory, and whether the law is the right one.

Barabási-Albert graphs (10,000 and 100,000 nodes, 5 edges a new node) and MovieLens' dense item graph; p = 0.5, q = 2, one thread,
CPU seconds, by turns. PecanPy's PreComp keeps a table for each pair of neighbours, its SparseOTF computes each row as it goes.

walk        the compiled walks alone, compiled beforehand: what is left of PecanPy when its compiling at each call and its lists of
            names are taken away
prepare     what is done once for a graph, PecanPy's compiling included
call        what a user calls, all included: preparation, compiling, names
call, less its start    the same less a call for one step a node: walks and names, without preparation and compiling
first       seconds by the clock of the first call of a process on Les Misérables, compiled functions kept on disk
law         χ² of the third nodes of walks on Les Misérables against the exact law, and its p-value (should not be tiny)

Results go to results/walks.jsonl.

Run  python course.py bench walks
"""

import statistics
import sys
from pathlib import Path

import networkx as nx
import numpy as np
from peers.environment import environment
from scipy.stats import chi2
from sides.options import short
from sides.process import OWN, Job, Side, Sides, SideStopped, medians, sides
from sides.results import line, stopped, write

from rec_lib.data import movielens, views
from rec_lib.data.graphs import Graph, from_networkx, item_graph, les_miserables
from rec_lib.embeddings.walks import Walker, transition_row

P, Q, LENGTH = 0.5, 2.0, 80
KINDS = {"PecanPy PreComp": "PreComp", "PecanPy SparseOTF": "SparseOTF"}


def graphs(brief: bool) -> dict[str, tuple[Graph, int]]:
    """{name: (graph, walks from each node)}"""
    sizes = [(10_000, 5)] if brief else [(10_000, 20), (100_000, 2)]
    found = {f"Barabási-Albert {n:,}": (barabasi_albert(n), num_walks) for n, num_walks in sizes}
    return found | {"item graph": (item_graph(views.sequences(movielens.load("ml-100k"))), 20)}


def barabasi_albert(nodes: int) -> Graph:
    return from_networkx(nx.barabasi_albert_graph(nodes, 5, seed=0))


def jobs(python: Path, graph: Graph) -> dict[str, Job]:
    """The three sides, with the same graph and the same p and q."""
    arrays = {"indptr": graph.indptr, "indices": graph.indices, "weights": graph.weights}
    told = {"p": P, "q": Q}
    found: dict[str, Job] = {OWN: (Path(sys.executable), "walks_rec_lib", told, arrays)}
    return found | {name: (python, "walks_pecanpy", told | {"kind": kind}, arrays) for name, kind in KINDS.items()}


def taken(graph: Graph, num_walks: int) -> int:
    """Steps of such walks, counted on ours: a walk ends at a node without out-edges."""
    walks = Walker(graph).walk(P, Q, num_walks, LENGTH + 1, rng=np.random.default_rng(0))
    return int((walks[:, 1:] >= 0).sum())


def speed(found: Sides, case: str, steps: int, num_walks: int, runs: int) -> list[dict]:
    once = medians(found.turns("prepare", 1, warm=0))
    lines = [line("prepare", case, side, "CPU s", m["seconds"], runs=m["runs"]) for side, m in once.items()]
    for side, m in medians(found.turns("walk", runs, num_walks=num_walks, length=LENGTH)).items():
        lines.append(
            line("walk", case, side, "steps per CPU s", steps / m["seconds"], runs=m["runs"], memory=m["memory"])
        )
    one = medians(found.turns("call", runs, warm=0, num_walks=1, length=1))
    for side, m in medians(found.turns("call", runs, num_walks=num_walks, length=LENGTH)).items():
        lines.append(line("call", case, side, "CPU s", m["seconds"], runs=m["runs"]))
        rest = [run - one[side]["seconds"] for run in m["runs"]]
        lines.append(
            line("call, less its start", case, side, "steps per CPU s", steps / statistics.median(rest), runs=rest)
        )
    return lines + [stopped("walk", case, side, said) for side, said in found.stopped.items()]


def first_walk(python: Path, runs: int) -> list[dict]:
    lines, graph = [], les_miserables()
    for name, job in jobs(python, graph).items():
        walls = []
        for turn in range(runs + 1):  # the first process may compile, what it compiled is on disk
            side = Side(*job)
            try:
                wall = side.do("call", num_walks=10, length=LENGTH).wall
            finally:
                side.close()
            walls += [wall] if turn else []
        lines.append(line("first", "Les Misérables", name, "s", statistics.median(walls)))
    return lines


def law(python: Path, num_walks: int) -> list[dict]:
    lines, graph = [], les_miserables()
    for name, job in jobs(python, graph).items():
        side = Side(*job)
        try:
            side.do("prepare")
            walks = side.do("walks", save=True, num_walks=num_walks, length=2).arrays["walks"]
        finally:
            side.close()
        statistic, freedom = chi_square(graph, walks)
        lines.append(line("law", "Les Misérables", name, "p-value", float(chi2.sf(statistic, freedom)), chi2=statistic, freedom=freedom))  # fmt: skip
    return lines


def chi_square(graph: Graph, walks: np.ndarray) -> tuple[float, int]:
    """Sum over (t, v) of the χ² of the nodes after t → v, cells of fewer than five expected visits put together."""
    statistic, freedom = 0.0, 0
    pairs, place = np.unique(walks[:, :2], axis=0, return_inverse=True)
    for k, (t, v) in enumerate(pairs):
        third = walks[place.ravel() == k, 2]
        nodes, p = transition_row(graph, int(t), int(v), P, Q)
        seen = np.array([(third == x).sum() for x in nodes], float)
        expected = p * len(third)
        few = expected < 5
        seen, expected = (np.append(a[~few], a[few].sum()) for a in (seen, expected))
        real = expected >= 5
        if real.sum() > 1:
            statistic += float(((seen - expected)[real] ** 2 / expected[real]).sum())
            whole = np.isclose(expected[real].sum(), len(third))  # then the last cell follows from the others
            freedom += int(real.sum()) - int(whole)
    return statistic, freedom


def main() -> None:
    brief, python = short(), environment()
    lines, versions = [], {}
    for case, (graph, num_walks) in graphs(brief).items():
        with sides(jobs(python, graph)) as found:
            versions |= {k: v for side in found.running.values() for k, v in side.versions.items()}
            lines += speed(found, case, taken(graph, num_walks), num_walks, runs=1 if brief else 3)
    for part in (lambda: first_walk(python, 1 if brief else 5), lambda: law(python, 500 if brief else 5_000)):
        try:
            lines += part()
        except SideStopped as error:
            lines.append(stopped("first", "Les Misérables", "PecanPy", str(error)))
    for row in lines:
        print(row, flush=True)
    write("walks", lines, versions, brief)


if __name__ == "__main__":
    main()
