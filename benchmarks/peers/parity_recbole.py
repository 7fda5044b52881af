"""RecBole's models; the job is described in parity.py. A stand-in for its dataset names the fields and their sizes."""

from collections import OrderedDict

import torch
from parity import logit, run
from recbole.config import Config
from recbole.data.interaction import Interaction
from recbole.utils import FeatureType, get_model


class Described:
    """What its models ask of a dataset."""

    def __init__(self, fields, sizes):
        self.names, self.sizes = [*fields, "label"], sizes
        kinds = {"genres": FeatureType.TOKEN_SEQ, "label": FeatureType.FLOAT}
        self.field2type = {name: kinds.get(name, FeatureType.TOKEN) for name in self.names}

    def fields(self, source=None):
        return self.names

    def num(self, name):
        return self.sizes[name]

    def get_user_feature(self):
        return Interaction({"user": torch.arange(self.sizes["user"])})

    def get_item_feature(self):
        return Interaction({"item": torch.arange(self.sizes["item"])})


def build(theirs, options, fields, sizes):
    name = theirs.split(",")[0]
    ids = {
        "USER_ID_FIELD": "user",
        "ITEM_ID_FIELD": "item",
        "LABEL_FIELD": "label",
        "load_col": {"inter": ["user", "item"]},
    }
    rest = {"device": "cpu", "use_gpu": False, "state": "ERROR", "train_neg_sample_args": None}
    config = Config(model=name, dataset="ml", config_dict=ids | rest | {"MAX_ITEM_LIST_LENGTH": 5} | options)
    config["device"] = torch.device("cpu")
    dataset = Described([f for f in fields if f != "history"], sizes)
    dataset.config = config
    model = get_model(name)(config, dataset)

    def ask(columns):
        if name in ("DIN", "DIEN"):
            history = columns["history"]
            inputs = [columns["user"], history, (history != 0).sum(1), columns["item"]]
            if name == "DIN":
                return model(*inputs)
            return model(*inputs[:2], torch.ones_like(history), *inputs[2:])[0]
        if name == "NeuMF":
            return model(columns["user"], columns["item"])
        y = model(Interaction(OrderedDict(columns)))
        return logit(y) if name == "DCNV2" else y

    return model, ask


if __name__ == "__main__":
    run(build)
