"""FuxiCTR's models, of the zoo that its wheel carries; the job is described in parity.py. A regression gives the logit."""

import tempfile

import torch
from fuxictr.features import FeatureMap
from model_zoo.LongCTR.DCNv2 import DCNv2
from model_zoo.LongCTR.DIEN import DIEN
from model_zoo.LongCTR.DIN import DIN
from parity import run

MODELS = {"DCNv2": DCNv2, "DIN": DIN, "DIEN": DIEN}


def build(theirs, options, fields, sizes):
    features = FeatureMap("ml", tempfile.gettempdir())
    features.labels = ["label"]
    features.default_emb_dim = options["embedding_dim"]
    for name in ("user", "city", "genres", "item"):
        features.features[name] = {"type": "categorical", "source": name, "padding_idx": 0, "vocab_size": sizes[name]}
    features.features["genres"] |= {"type": "sequence", "feature_encoder": "layers.MaskedAveragePooling()"}
    training = {"verbose": 0, "model_root": tempfile.gettempdir(), "metrics": ["AUC"], "optimizer": "adam"}
    model = MODELS[theirs](features, task="regression", loss="binary_crossentropy", **training, **options)

    def ask(columns):
        items = torch.cat([columns["history"], columns["item"].unsqueeze(1)], dim=1)
        rest = {name: columns[name] for name in ("user", "city", "genres")}
        return model([rest, {"item": items.view(-1)}, (columns["history"] != 0).float()])["y_pred"]

    return model, ask


if __name__ == "__main__":
    run(build)
