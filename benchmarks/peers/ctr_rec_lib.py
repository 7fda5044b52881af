"""rec_lib's click models, in the course's own environment; the job is described in ctr.py."""

import numpy as np
import torch
from ctr import run

from rec_lib.data.table import Table
from rec_lib.models.afm import AFM
from rec_lib.models.dcn import DCN
from rec_lib.models.dcn_v2 import DCNv2
from rec_lib.models.deepfm import DeepFM
from rec_lib.models.dien import DIEN
from rec_lib.models.din import DIN
from rec_lib.models.fm import FM
from rec_lib.models.fnn import FNN
from rec_lib.models.lr import LR
from rec_lib.models.nfm import NFM
from rec_lib.models.pnn import IPNN
from rec_lib.models.wide_deep import WideDeep
from rec_lib.schema import Bag, Schema, Sequence, Sparse
from rec_lib.training import fit

HISTORIES = ("history", "negatives")


def field(name, size, column):
    if column.ndim == 1:
        return Sparse(name, size)
    length = column.shape[1]
    return Sequence(name, "item", length) if name in HISTORIES else Bag(name, size, length)


def build(spec, columns, rows):
    dim, hidden, sizes = spec["dim"], tuple(spec["hidden"]), spec["sizes"]
    schema = Schema(tuple(field(name, size, columns[name]) for name, size in sizes.items()))
    table = Table(schema, {name: torch.from_numpy(columns[name]) for name in [*sizes, "label"]})
    parts = {part: table.rows(torch.from_numpy(index)) for part, index in rows.items()}
    model = {
        "LR": lambda: LR(schema),
        "FM": lambda: FM(schema, dim),
        "FNN": lambda: FNN(schema, dim, hidden),
        "PNN": lambda: IPNN(schema, dim, hidden),
        "DeepFM": lambda: DeepFM(schema, dim, hidden),
        "NFM": lambda: NFM(schema, dim, hidden),
        "AFM": lambda: AFM(schema, dim, dim),
        "Wide&Deep": lambda: WideDeep(schema, dim, hidden),
        "Deep&Cross": lambda: DCN(schema, dim, hidden),
        "DCN-v2": lambda: DCNv2(schema, dim, hidden),
        "DIN": lambda: DIN(schema, dim, hidden, spec["attention"][0]),
        "DIEN": lambda: DIEN(schema, dim, hidden, auxiliary=spec["auxiliary"]),
    }[spec["model"]]()
    adam = torch.optim.Adam(model.parameters(), lr=spec["lr"], weight_decay=spec["weight_decay"], fused=True)
    batch, count = spec["batch_size"], [0]

    def epoch():
        fit(model, parts["train"], optimizers=[adam], epochs=1, batch_size=batch, seed=count[0], progress=False)
        count[0] += 1

    return model, epoch, lambda part: np.asarray(model.predict_proba(parts[part], chunk=batch))


if __name__ == "__main__":
    run(build)
