"""faiss: IndexFlatL2, IndexLSH, IndexIVFFlat and IndexHNSWFlat; the job is described in search_rec_lib.py."""

import faiss
from turns import serve


def start(spec, arrays):
    faiss.omp_set_num_threads(1)
    vectors = arrays["vectors"].astype("float32")
    n, d = vectors.shape
    index, built = None, None

    def build(settings):
        nonlocal index, built
        kind, given = spec["kind"], dict(settings)
        effort = {name: given.pop(name) for name in ("nprobe", "efSearch") if name in given}
        if (kind, given) != built:  # another effort needs no new index
            if kind == "IVF":
                index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, given["nlist"])
                index.train(vectors)
            else:
                made = {"flat": faiss.IndexFlatL2, "LSH": faiss.IndexLSH, "HNSW": faiss.IndexHNSWFlat}[kind]
                index = made(d, *given.values())
            index.add(vectors)
            built = kind, given
        if "nprobe" in effort:
            index.nprobe = effort["nprobe"]
        if "efSearch" in effort:
            index.hnsw.efSearch = effort["efSearch"]

    return {"build": build, "query": lambda part: {"ids": index.search(arrays[part].astype("float32"), spec["k"])[1]}}


if __name__ == "__main__":
    serve(start, "faiss-cpu")
