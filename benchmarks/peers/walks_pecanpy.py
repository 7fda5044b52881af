"""PecanPy's PreComp and SparseOTF; the job is described in walks_rec_lib.py.

Its `simulate_walks` compiles anew at each call and gives lists of names. `walk` runs its compiled part alone, with functions that were
compiled before; `call` is `simulate_walks`.
"""

import numpy as np
from numba_progress import ProgressBar
from pecanpy import pecanpy
from turns import serve


def start(spec, arrays):
    graph, parts = None, None

    def build():
        made = getattr(pecanpy, spec["kind"])(p=spec["p"], q=spec["q"], workers=1, random_state=0)
        made.indptr, made.indices = arrays["indptr"].astype(np.uint32), arrays["indices"].astype(np.uint32)
        made.data = arrays["weights"].astype(np.float32)
        made.set_node_ids(None, implicit_ids=True, num_nodes=len(made.indptr) - 1)
        return made

    def prepare():
        nonlocal graph, parts
        graph = build()
        graph._preprocess_transition_probs()
        parts = graph.get_has_nbrs(), graph.get_move_forward()

    def walk(num_walks, length):
        starts = np.tile(np.arange(graph.num_nodes, dtype=np.uint32), num_walks)
        with ProgressBar(total=len(starts), disable=True) as bar:
            found = graph._random_walks(len(starts), length, 0, starts, *parts, bar)
        return {"walks": found}

    def walks(num_walks, length):
        found = walk(num_walks, length)["walks"]
        beyond = np.arange(length + 1) >= found[:, -1:]
        return {"walks": np.where(beyond, -1, found[:, :-1].astype(np.int64))}

    def call(num_walks, length):
        build().simulate_walks(num_walks, length)

    return {"prepare": prepare, "walk": walk, "walks": walks, "call": call}


if __name__ == "__main__":
    serve(start, "pecanpy", "numba")
