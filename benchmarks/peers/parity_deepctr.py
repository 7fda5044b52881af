"""DeepCTR-Torch's models; the job is described in parity.py. Asked for a regression they give the logit."""

import os

os.environ["DEEPCTR_VERSION_CHECK"] = "0"
import torch
from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat
from deepctr_torch.models import AFM, DCN, DIEN, DIN, MLR, NFM, PNN, WDL, DeepFM
from parity import logit, run

MODELS = {cls.__name__: cls for cls in (AFM, DCN, DIEN, DIN, MLR, NFM, PNN, WDL, DeepFM)}


def build(theirs, options, fields, sizes):
    options = dict(options)
    dim, features = options.pop("dim"), []
    for name in fields:
        if name == "age":
            features.append(DenseFeat(name))
        elif name == "genres":
            features.append(VarLenSparseFeat(SparseFeat(name, sizes[name], dim), 4, "mean"))
        elif name == "history":
            item = SparseFeat("hist_item", sizes["item"], dim, embedding_name="item")
            features.append(VarLenSparseFeat(item, maxlen=5, length_name="length"))
        else:
            features.append(SparseFeat(name, sizes[name], dim))
    name = theirs.split(",")[0]
    cls = MODELS[name]
    inputs = [features, ["item"]] if name in ("DIN", "DIEN") else [features] * (1 if name in ("MLR", "PNN") else 2)
    task = "binary" if name == "MLR" else "regression"  # it adds up probabilities
    model = cls(*inputs, task=task, **options)

    def ask(columns):
        if "history" in columns:
            columns["hist_item"] = columns.pop("history")
            columns["length"] = (columns["hist_item"] != 0).sum(1)
        x = [columns[n].float().view(len(columns["user"]), -1) for n in model.feature_index]
        y = model(torch.cat(x, dim=1))
        return logit(y) if name == "MLR" else y

    return model, ask


if __name__ == "__main__":
    run(build)
