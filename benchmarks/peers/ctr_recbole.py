"""RecBole's context-aware models; the job is described in ctr.py."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from ctr import run
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

NAMES = {"Wide&Deep": "WideDeep", "Deep&Cross": "DCN", "DCN-v2": "DCNV2"}


def build(spec, columns, rows):
    names, batch = list(spec["sizes"]), spec["batch_size"]
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "ml", names, columns, rows)
        config = Config(
            model=NAMES.get(spec["model"], spec["model"]),
            dataset="ml",
            config_dict={
                "data_path": folder,
                "benchmark_filename": list(rows),
                "load_col": {"inter": [*names, "label"]},
                "USER_ID_FIELD": "user",
                "ITEM_ID_FIELD": "item",
                "LABEL_FIELD": "label",
                "eval_args": {"mode": "labeled", "order": "RO", "group_by": None},
                "train_neg_sample_args": None,
                "metrics": ["AUC"],
                "valid_metric": "AUC",
                "train_batch_size": batch,
                "eval_batch_size": batch,
                "embedding_size": spec["dim"],
                "mlp_hidden_size": spec["hidden"],
                "attention_size": spec["dim"],
                "dropout_prob": 0.0,
                "reg_weight": 0.0,
                "cross_layer_num": 2,
                "mixed": False,
                "structure": "parallel",
                "use_inner": True,
                "use_outer": False,
                "learning_rate": spec["lr"],
                "weight_decay": spec["weight_decay"],
                "device": "cpu",
                "use_gpu": False,
                "seed": spec["seed"],
                "state": "ERROR",
                "checkpoint_dir": folder,
                "show_progress": False,
            },
        )
        init_seed(spec["seed"], reproducibility=True)
        dataset = create_dataset(config)
        train, valid, test = data_preparation(config, dataset)
        model = get_model(config["model"])(config, train.dataset)
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    loaders = {"valid": valid, "test": test}
    count = [0]

    def epoch():
        trainer._train_epoch(train, count[0])  # the body of Trainer.fit, which saves and judges between the epochs
        count[0] += 1

    def predict(part):
        model.eval()
        with torch.no_grad():
            return np.concatenate([model.predict(_interaction(b)).numpy() for b in loaders[part]])

    return model, epoch, predict


def _interaction(batch):
    return batch[0] if isinstance(batch, (tuple, list)) else batch


def _write(folder, names, columns, rows):
    """RecBole's atomic files, one a part."""
    folder.mkdir()
    header = [f"{n}:token{'_seq' if columns[n].ndim == 2 else ''}" for n in names] + ["label:float"]
    for part, index in rows.items():
        lines = ["\t".join(header)]
        for i in index:
            fields = [" ".join(map(str, np.atleast_1d(columns[n][i])[np.atleast_1d(columns[n][i]) > 0])) for n in names]
            lines.append("\t".join([*fields, str(float(columns["label"][i]))]))
        (folder / f"ml.{part}.inter").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    run(build, "recbole")
