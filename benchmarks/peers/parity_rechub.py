"""torch-rechub's models; the job is described in parity.py."""

import torch
from parity import logit, run
from torch_rechub.basic.features import SequenceFeature, SparseFeature
from torch_rechub.models.ranking import AFM, DCN, DIEN, DIN, DCNv2, DeepFM, WideDeep


def build(theirs, options, fields, sizes):
    dim = options["dim"]
    features = {
        name: SequenceFeature(name, sizes[name], dim, pooling="mean", padding_idx=0)
        if name == "genres"
        else SparseFeature(name, sizes[name], dim, padding_idx=0)
        for name in fields
        if name != "history"
    }
    every = list(features.values())
    history, absent = (
        [SequenceFeature(n, sizes["item"], dim, pooling="concat", shared_with="item", padding_idx=0)]
        for n in ("history", "negatives")
    )
    rest = [feature for name, feature in features.items() if name != "item"]
    mlp = {"dims": options.get("dims")}
    model = {
        "DeepFM": lambda: DeepFM(every, every, mlp),
        "WideDeep": lambda: WideDeep(every, every, mlp),
        "AFM": lambda: AFM(every, dim, options["t"]),
        "DCN": lambda: DCN(every, 2, mlp),
        "DCNv2": lambda: DCNv2(every, 2, mlp, use_low_rank_mixture=False),
        "DIN": lambda: DIN(rest, history, [features["item"]], mlp, {"dims": options["attention"]}),
        "DIEN": lambda: DIEN(rest, history, absent, [features["item"]], mlp),
    }[theirs.split(",")[0]]()

    def ask(columns):
        if theirs == "DIEN":
            return logit(model(columns | {"negatives": torch.ones_like(columns["history"])})[0])
        return logit(model(columns))

    return model, ask


if __name__ == "__main__":
    run(build)
