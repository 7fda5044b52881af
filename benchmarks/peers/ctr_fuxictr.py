"""FuxiCTR's click models, of the zoo that its wheel carries; the job is described in ctr.py.

Its loader for histories keeps a list of film ids for each user; here every row is a user of its own, whose list is the row's history.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ctr import run
from fuxictr.features import FeatureMap
from fuxictr.pytorch.torch_utils import seed_everything
from model_zoo.LongCTR.DIEN import DIEN
from model_zoo.LongCTR.DIN import DIN
from model_zoo.LongCTR.longctr_dataloader import LongCTRDataLoader

OWN = ("user_index", "item_index", "seq_len")  # columns that its loader asks for


def build(spec, columns, rows):
    names = [name for name in spec["sizes"] if name not in ("item", "history", "negatives")]
    features = FeatureMap("ml", tempfile.gettempdir())
    features.labels, features.default_emb_dim = ["label"], spec["dim"]
    for name in (*names, "item"):
        kind = "categorical" if columns[name].ndim == 1 else "sequence"
        features.features[name] = {
            "type": kind,
            "source": "item" if name == "item" else "",
            "padding_idx": 0,
            "vocab_size": spec["sizes"][name],
        }
        if kind == "sequence":
            features.features[name] |= {
                "feature_encoder": "layers.MaskedAveragePooling()",
                "max_len": columns[name].shape[1],
            }
    for name in OWN:
        features.features[name] = {"type": "meta"}
    seed_everything(spec["seed"])
    network = {"dnn_hidden_units": spec["hidden"], "learning_rate": spec["lr"], "embedding_dim": spec["dim"], "gpu": -1}
    training = {"verbose": 0, "model_root": tempfile.gettempdir(), "metrics": ["AUC"], "optimizer": "adam", "loss": "binary_crossentropy"}  # fmt: skip
    attention = {
        "attention_hidden_units": spec["attention"],
        "attention_hidden_activations": "Dice",
        "dnn_activations": "Dice",
    }
    model = {
        "DIN": lambda: DIN(features, **network, **attention, **training),
        "DIEN": lambda: DIEN(features, batch_norm=False, dnn_activations="Dice", **network, **training),
    }[spec["model"]]()
    model.optimizer = torch.optim.Adam(model.parameters(), lr=spec["lr"], weight_decay=spec["weight_decay"])
    model._max_gradient_norm, model._total_steps, model._stop_training = 10.0, 0, False  # what its fit() sets first
    model._eval_steps = 10**9  # no evaluation between the batches: the driver asks for it
    with tempfile.TemporaryDirectory() as folder:
        loaders = {
            part: loader(Path(folder), part, columns, index, names, spec, features) for part, index in rows.items()
        }
    return model, lambda: model.train_epoch(loaders["train"]), lambda part: model.predict(loaders[part])


def loader(folder, part, columns, index, names, spec, features):
    history = columns["history"][index]
    lists = [row[row > 0] for row in history]
    frame = {name: columns[name][index] if columns[name].ndim == 1 else list(columns[name][index]) for name in names}
    frame |= {"label": columns["label"][index].astype(np.int64), "user_index": np.arange(len(index))}
    frame |= {"item_index": columns["item"][index], "seq_len": np.array([len(row) for row in lists])}
    pd.DataFrame(frame).to_parquet(folder / f"{part}.parquet")
    pd.DataFrame({"full_item_seq": lists}).to_parquet(folder / f"{part}_users.parquet")
    films = np.arange(spec["sizes"]["item"])
    pd.DataFrame({"item_index": films, "item": films}).to_parquet(folder / "films.parquet")
    return LongCTRDataLoader(
        features,
        str(folder / part),
        str(folder / f"{part}_users.parquet"),
        str(folder / "films.parquet"),
        batch_size=spec["batch_size"],
        shuffle=part == "train",
        num_workers=0,  # a second process would take part of the work out of the CPU seconds
        max_len=history.shape[1],
        padding="post",
    )


if __name__ == "__main__":
    run(build, "fuxictr")
