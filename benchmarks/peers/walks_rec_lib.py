"""rec_lib's Walker.

spec     p, q, kind (which of a peer's algorithms)
arrays   indptr, indices, weights: the graph's rows
turns    prepare: what is done once for a graph; walk(num_walks, length): the compiled walks alone; call(num_walks, length): what a user
         calls, all it does included; walks(num_walks, length) → walks (num_walks · n, length + 1), −1 behind an end
"""

import numpy as np
from turns import serve

from rec_lib.data.graphs import Graph
from rec_lib.embeddings.walks import Walker


def start(spec, arrays):
    names = tuple(str(i) for i in range(len(arrays["indptr"]) - 1))
    graph = Graph(arrays["indptr"], arrays["indices"], arrays["weights"], names, directed=True)
    walker = None

    def prepare():
        nonlocal walker
        walker = Walker(graph)

    def walk(num_walks, length):
        return {"walks": walker.walk(spec["p"], spec["q"], num_walks, length + 1, rng=np.random.default_rng(0))}

    def call(num_walks, length):
        prepare()
        return walk(num_walks, length)

    return {"prepare": prepare, "walk": walk, "walks": walk, "call": call}


if __name__ == "__main__":
    serve(start, "numba")
