"""DeepCTR-Torch's click models; the job is described in ctr.py."""

import os

os.environ["DEEPCTR_VERSION_CHECK"] = "0"
import numpy as np
import torch
from ctr import run
from deepctr_torch.inputs import SparseFeat, VarLenSparseFeat
from deepctr_torch.models import AFM, DCN, DIEN, DIN, NFM, PNN, WDL, DeepFM
from torch.nn.functional import binary_cross_entropy


def mean_loss(prediction, label, reduction):
    """The library sums over a batch; with the mean, weight decay means the same for every side."""
    return binary_cross_entropy(prediction, label)


def build(spec, columns, rows):
    dim, hidden, sizes = spec["dim"], tuple(spec["hidden"]), spec["sizes"]
    features, inputs = [], {}
    for name, size in sizes.items():
        column = columns[name]
        inputs[name] = column
        if column.ndim == 1:
            features.append(SparseFeat(name, size, embedding_dim=dim))
        elif name == "history":
            inputs["hist_item"] = inputs.pop("history")
            inputs["length"] = (column > 0).sum(axis=1)
            item = SparseFeat("hist_item", size, embedding_dim=dim, embedding_name="item")
            features.append(VarLenSparseFeat(item, maxlen=column.shape[1], length_name="length"))
        else:
            features.append(VarLenSparseFeat(SparseFeat(name, size, embedding_dim=dim), column.shape[1], "mean"))
    unit = tuple(spec["attention"])
    common = dict(seed=spec["seed"], l2_reg_embedding=0)
    linear = dict(l2_reg_linear=0)
    model = {
        "DeepFM": lambda: DeepFM(features, features, dnn_hidden_units=hidden, **common, **linear),
        "NFM": lambda: NFM(features, features, dnn_hidden_units=hidden, **common, **linear),
        "AFM": lambda: AFM(features, features, attention_factor=dim, l2_reg_att=0, **common, **linear),
        "PNN": lambda: PNN(features, dnn_hidden_units=hidden, **common),
        "Wide&Deep": lambda: WDL(features, features, dnn_hidden_units=hidden, **common, **linear),
        "Deep&Cross": lambda: DCN(features, features, 2, dnn_hidden_units=hidden, l2_reg_cross=0, **common, **linear),
        "DCN-v2": lambda: DCN(features, features, 2, "matrix", hidden, l2_reg_cross=0, **common, **linear),
        "DIN": lambda: DIN(features, ["item"], dnn_hidden_units=hidden, att_hidden_size=unit, **common),
        "DIEN": lambda: DIEN(features, ["item"], gru_type="AUGRU", dnn_hidden_units=hidden, **common),
    }[spec["model"]]()
    optimizer = torch.optim.Adam(model.parameters(), lr=spec["lr"], weight_decay=spec["weight_decay"])
    model.compile(optimizer, mean_loss)
    batch = spec["batch_size"]
    parts = {part: {name: column[index] for name, column in inputs.items()} for part, index in rows.items()}
    label = columns["label"][rows["train"]].astype(np.float32)

    def epoch():
        model.fit(dict(parts["train"]), label, batch_size=batch, epochs=1, verbose=0, shuffle=True)

    return model, epoch, lambda part: model.predict(dict(parts[part]), batch).ravel()


if __name__ == "__main__":
    run(build, "deepctr-torch")
