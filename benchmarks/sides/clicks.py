"""The click models that peers have too, and the rows and sizes that all sides get."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rec_lib.data import movielens, views
from rec_lib.data.negatives import NEGATIVES, with_negatives
from rec_lib.evaluation import random_split
from sides.process import OWN, Job

LENGTH = 20  # liked films that a history keeps
SIZES = {"dim": 16, "hidden": [64, 32], "attention": [36], "batch_size": 1024}
PEERS = {  # which libraries have the model, in the versions of requirements-peers.txt
    "LR": ("recbole",),
    "FM": ("recbole",),
    "FNN": ("recbole",),
    "PNN": ("recbole", "deepctr"),
    "DeepFM": ("recbole", "deepctr", "rechub"),
    "NFM": ("recbole", "deepctr"),
    "AFM": ("recbole", "deepctr", "rechub"),
    "Wide&Deep": ("recbole", "deepctr", "rechub"),
    "Deep&Cross": ("recbole", "deepctr", "rechub"),
    "DCN-v2": ("recbole", "deepctr", "rechub"),
    "DIN": ("fuxictr", "deepctr", "rechub"),
    "DIEN without auxiliary loss": ("fuxictr", "deepctr"),
    "DIEN": ("rechub",),
}
NAMES = {"recbole": "RecBole", "deepctr": "DeepCTR-Torch", "rechub": "torch-rechub", "fuxictr": "FuxiCTR"}
MINIMAL = "minimal loop"


def rows(case: str, seed: int) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """({field: vocabulary}, columns with the label and the rows of train, valid and test), MovieLens-100K, random split."""
    table = views.ctr(movielens.load("ml-100k"), history=LENGTH if case.startswith("DI") else 0)
    if case == "DIEN":
        table = with_negatives(table, np.random.default_rng(0))
    index = zip(("train", "valid", "test"), random_split(len(table), seed), strict=True)
    columns = {f.name: table[f.name].numpy() for f in table.schema.fields} | {"label": table["label"].numpy()}
    sizes = {f.name: table.schema.size(f.name) for f in table.schema.fields}
    return sizes, columns | {part: at.numpy() for part, at in index}


def settings(case: str, sizes: dict[str, int], seed: int, lr: float, weight_decay: float, threads: int = 1) -> dict:
    """What every side is told. One dictionary for all: what differs between sides is their code alone."""
    auxiliary = float(NEGATIVES in sizes)
    told = {"model": case.split(" ")[0], "sizes": sizes, "seed": seed, "lr": lr, "weight_decay": weight_decay}
    return SIZES | told | {"auxiliary": auxiliary, "threads": threads}


def jobs(case: str, peers: Path, columns: dict, told: dict, only: Iterable[str] | None = None) -> dict[str, Job]:
    """{side: (interpreter, script, settings, columns)}; `peers` is the interpreter of the peers' environment."""
    own = Path(sys.executable)
    found = {OWN: (own, "ctr_rec_lib", told, columns), MINIMAL: (own, "ctr_minimal", told, columns)}
    found |= {NAMES[peer]: (peers, f"ctr_{peer}", told, columns) for peer in PEERS[case]}
    return {side: job for side, job in found.items() if only is None or side in only}
