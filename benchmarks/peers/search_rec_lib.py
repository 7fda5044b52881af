"""rec_lib's indexes.

spec     kind ("exact" or "LSH"), k
arrays   vectors (n, d), tune and test: queries (m, d) each
turns    build(settings); query(part) → ids (m, k)
"""

import numpy as np
from turns import serve

from rec_lib.retrieval.exact import ExactIndex
from rec_lib.retrieval.lsh import LSH


def start(spec, arrays):
    index, built = None, None

    def build(settings):
        nonlocal index, built
        given = dict(settings)
        effort = {name: given.pop(name) for name in ("min_hits", "probes") if name in given}
        if given != built:  # another effort needs no new index
            made = ExactIndex() if spec["kind"] == "exact" else LSH(rng=np.random.default_rng(0), **given)
            index = made.build(arrays["vectors"])
            built = given
        for name, value in effort.items():
            setattr(index, name, value)

    return {"build": build, "query": lambda part: {"ids": index.query(arrays[part], spec["k"])[0]}}


if __name__ == "__main__":
    serve(start, "numba")
