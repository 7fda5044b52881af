"""torch-rechub's click models; the job is described in ctr.py."""

import numpy as np
from ctr import run
from torch_rechub.basic.features import SequenceFeature, SparseFeature
from torch_rechub.models.ranking import AFM, DCN, DIEN, DIN, DCNv2, DeepFM, WideDeep
from torch_rechub.trainers import CTRTrainer
from torch_rechub.utils.data import DataGenerator


def build(spec, columns, rows):
    dim, sizes = spec["dim"], spec["sizes"]
    mlp = {"dims": spec["hidden"], "dropout": 0.0}
    if spec["model"] not in ("DIN", "DIEN"):  # whose activation is Dice, always
        mlp["activation"] = "relu"
    inputs = {name: columns[name] for name in sizes}
    features = [
        SparseFeature(name, size, dim)
        if columns[name].ndim == 1
        else SequenceFeature(name, size, dim, pooling="mean", padding_idx=0)
        for name, size in sizes.items()
        if name not in ("history", "negatives")
    ]
    behaviour, absent = (
        [SequenceFeature(n, sizes["item"], dim, pooling="concat", shared_with="item", padding_idx=0)]
        if n in sizes
        else []
        for n in ("history", "negatives")
    )
    target = [f for f in features if f.name == "item"]
    rest = [f for f in features if f.name != "item"]
    attention = {"dims": spec["attention"]}
    model = {
        "DeepFM": lambda: DeepFM(features, features, mlp),
        "AFM": lambda: AFM(features, dim, dim),
        "Wide&Deep": lambda: WideDeep(features, features, mlp),
        "Deep&Cross": lambda: DCN(features, 2, mlp),
        "DCN-v2": lambda: DCNv2(features, 2, mlp, use_low_rank_mixture=False),
        "DIN": lambda: DIN(rest, behaviour, target, mlp, attention),
        "DIEN": lambda: DIEN(rest, behaviour, absent, target, mlp),
    }[spec["model"]]()
    trainer = CTRTrainer(
        model,
        optimizer_params={"lr": spec["lr"], "weight_decay": spec["weight_decay"]},
        loss_mode=spec["model"] != "DIEN",
    )
    part = {name: ({k: v[i] for k, v in inputs.items()}, columns["label"][i]) for name, i in rows.items()}
    train, valid, test = DataGenerator(*part["train"]).generate_dataloader(
        x_val=part["valid"][0],
        y_val=part["valid"][1],
        x_test=part["test"][0],
        y_test=part["test"][1],
        batch_size=spec["batch_size"],
    )
    loaders = {"valid": valid, "test": test}
    return (
        model,
        lambda: trainer.train_one_epoch(train),
        lambda name: np.array(trainer.predict(model, loaders[name])).ravel(),
    )


if __name__ == "__main__":
    run(build, "torch-rechub")
