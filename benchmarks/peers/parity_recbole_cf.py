"""RecBole's EASE and ItemKNN, which are solved and not trained: scores of all users and items.

    python parity_recbole_cf.py job.npz result.npz

job     matrix (users, items), l2, k
result  EASE, ItemKNN: (users, items)
"""

import sys

import numpy as np
import torch
from recbole.config import Config
from recbole.utils import get_model
from scipy.sparse import csr_matrix


class Described:
    """What the two models ask of a dataset."""

    def __init__(self, matrix):
        self.matrix, self.sizes = matrix, dict(zip(("user", "item"), matrix.shape, strict=True))

    def num(self, name):
        return self.sizes[name]

    def inter_matrix(self, form):
        return csr_matrix(self.matrix)


def main(source: str, target: str) -> None:
    with np.load(source, allow_pickle=False) as file:
        job = dict(file)
    dataset = Described(job["matrix"])
    users, result = torch.arange(len(job["matrix"])), {}
    for name, settings in {
        "EASE": {"reg_weight": float(job["l2"])},
        "ItemKNN": {"k": int(job["k"]), "shrink": 0.0},
    }.items():
        ids = {"USER_ID_FIELD": "user", "ITEM_ID_FIELD": "item", "state": "ERROR", "use_gpu": False, "device": "cpu"}
        config = Config(model=name, dataset="ml", config_dict=ids | settings)
        config.device = torch.device("cpu")
        scores = get_model(name)(config, dataset).full_sort_predict({"user": users})
        result[name] = np.asarray(scores, dtype=np.float64).reshape(job["matrix"].shape)
    np.savez(target, **result)


if __name__ == "__main__":
    main(*sys.argv[1:])
