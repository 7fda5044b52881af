"""3.11: what the systems of chapter 3 cost on MovieLens-100K: numbers, CPU seconds, and rows a second.

ml100k_random/NAME/learn_seconds   CPU seconds of a million rows of training, validation left out
ml100k_random/NAME/score_seconds   CPU seconds to score a million rows
ml100k_random, ml100k_time         of systems whose own sections kept no time: test AUC and log loss once more, and "/parameters",
                                   "/train_seconds", "/epochs" of one training. "from_fm" is FNN as in its paper, the FM's training included
ml100k_loo99                       NeuralCF and EASE: "/parameters", "/train_seconds"

Same rows, dimension, initial scale, batch size, passes at most and patience for all. Learning rate, weight decay and dropout
are those of the systems' own sections, chosen on validation rows there; the search is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from time import process_time
from typing import Any

import torch
from torch.optim import Adam, Optimizer

from rec_lib.data.table import Table
from rec_lib.experiments import afm, comparison, deep_crossing, dien, din, networks, neural_cf, pnn, wide_deep
from rec_lib.experiments.comparison import MOVIELENS, Parts, Recipe, movielens_parts, test_scores
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.fnn import from_fm
from rec_lib.models.base import CTRModel
from rec_lib.models.ease import EASE
from rec_lib.models.fm import FM
from rec_lib.training import History, fit

Built = tuple[CTRModel, list[Optimizer]]
DIM, INIT_SD = int(MOVIELENS["dim"]), MOVIELENS["init_sd"]


# --- untrained systems and their optimizers, for the clock -----------------------------------------------------------


def _adam(model: CTRModel, recipe: Recipe) -> Built:
    return model, [Adam(model.parameters(), lr=recipe["lr"], weight_decay=recipe["weight_decay"])]


def _of_37(name: str, rows: Table) -> Built:
    recipe = comparison.RECIPES["random"][name]
    return _adam(comparison.build(name, rows.schema, DIM, INIT_SD, recipe["dropout"]), recipe)


def _of_section(section: Any, name: str, rows: Table) -> Built:
    recipe = section.RECIPES["random"][name]
    return _adam(section.MAKERS[name](rows.schema, DIM, recipe["dropout"], INIT_SD), recipe)


def _of_36(name: str, rows: Table) -> Built:
    recipe = wide_deep.RECIPES["random"][name]
    model = wide_deep.MAKERS[name](rows.schema, DIM, recipe["dropout"], INIT_SD)
    return model, wide_deep.optimizers_of(recipe)(model)


def _of_39(rows: Table) -> Built:
    options = dict(dien.RECIPES["random"]["dien"])
    recipe = {"lr": dien.MOVIELENS["lr"], "weight_decay": options.pop("weight_decay")}
    return _adam(dien.MAKERS["dien"](rows.schema, DIM, init_sd=INIT_SD, **options), recipe)


CLICK_MODELS: dict[str, Callable[[Table], Built]] = {
    **{name: partial(_of_37, name) for name in ("lr", "fm", "fnn", "deepfm", "nfm")},
    "deep_crossing": partial(_of_section, deep_crossing, "deep_crossing"),
    **{name: partial(_of_section, pnn, name) for name in ("ipnn", "opnn", "pnn")},
    **{name: partial(_of_36, name) for name in ("wide_deep", "dcn", "dcn_v2")},
    "afm": partial(_of_section, afm, "afm"),
    "din": partial(_of_section, din, "din"),
    "dien": _of_39,
}


def rows_of(name: str, seed: int) -> Table:
    """Training rows of the random split: DIN's and DIEN's with histories, DIEN's with negatives too."""
    if name == "din":
        return din.history_parts("random", seed)[0]
    if name == "dien":
        return dien.ready("dien", dien.parts_of("random", seed), seed)[0]
    return movielens_parts("random", seed)[0]


def speed(name: str, seed: int, rows: Table) -> dict[str, float]:
    """ "ml100k_random/NAME/learn_seconds" of one pass over the rows, "/score_seconds" of scoring them, both for a million rows."""
    torch.manual_seed(seed)
    model, optimizers = CLICK_MODELS[name](rows)
    learn = partial(
        fit, model, rows, optimizers=optimizers, epochs=1, batch_size=int(MOVIELENS["batch_size"]), seed=seed, progress=False
    )  # fmt: skip
    million = 1e6 / len(rows)
    return {
        f"ml100k_random/{name}/learn_seconds": _seconds(learn, 2) * million,
        f"ml100k_random/{name}/score_seconds": _seconds(partial(model.predict_proba, rows), 5) * million,
    }


def _seconds(run: Callable[[], object], times: int) -> float:
    """The least CPU seconds of some runs: what the others had on top was not the model's."""
    found = []
    for _ in range(times):
        start = process_time()
        run()
        found.append(process_time() - start)
    return min(found)


# --- whole trainings -------------------------------------------------------------------------------------------------


def _fnn_from_fm(split: str, seed: int, parts: Parts) -> tuple[CTRModel, History]:
    fm, _ = comparison.on_movielens("fm", split, seed, parts=parts)
    assert isinstance(fm, FM)
    recipe = comparison.RECIPES[split]["fnn"]
    torch.manual_seed(seed)
    model = from_fm(fm)
    budget: dict[str, Any] = {name: MOVIELENS[name] for name in ("epochs", "patience", "batch_size")}
    lr, weight_decay = recipe["lr"], recipe["weight_decay"]
    return model, comparison.train(model, *parts[:2], lr=lr, weight_decay=weight_decay, seed=seed, **budget)


def _trained_37(name: str, split: str, seed: int, parts: Parts) -> tuple[CTRModel, History]:
    return comparison.on_movielens(name, split, seed, parts=parts)


def _trained_section(section: Any, name: str, split: str, seed: int, parts: Parts) -> tuple[CTRModel, History]:
    return networks.on_movielens(section.MAKERS[name], split, seed, section.RECIPES[split][name], parts)


TRAININGS: dict[str, Callable[[str, int, Parts], tuple[CTRModel, History]]] = {
    "deep_crossing": partial(_trained_section, deep_crossing, "deep_crossing"),
    **{name: partial(_trained_section, pnn, name) for name in ("ipnn", "opnn", "pnn")},
    "from_fm": _fnn_from_fm,
    **{name: partial(_trained_37, name) for name in ("deepfm", "nfm")},
}


def training(name: str, split: str, seed: int, parts: Parts) -> dict[str, float]:
    """ "ml100k_SPLIT/NAME/auc", "/log_loss", "/parameters", "/train_seconds", "/epochs" of one training."""
    start = process_time()
    model, history = TRAININGS[name](split, seed, parts)
    prefix = f"ml100k_{split}/{name}"
    found = {f"{prefix}/train_seconds": process_time() - start, f"{prefix}/epochs": len(history.loss)}
    return found | {f"{prefix}/parameters": networks.weights(model)} | test_scores(prefix, model, parts[2])


def rankers(seed: int) -> dict[str, float]:
    """ "ml100k_loo99/NAME/parameters" and "/train_seconds" of NeuralCF, its towers' own training included, and EASE."""
    _, data = neural_cf.holdouts(seed)
    found: dict[str, float] = {}
    for name in ("neuralcf", "ease"):
        model = neural_cf.build(name, seed)
        start = process_time()
        model.fit(data)
        prefix = f"ml100k_loo99/{name}"
        found[f"{prefix}/train_seconds"] = process_time() - start
        size = model.B.size if isinstance(model, EASE) else sum(p.numel() for p in model.net.parameters())
        found[f"{prefix}/parameters"] = size
    return found


def run(seed: int, movielens: dict[str, Any], names: Iterable[str]) -> dict[str, float]:
    """All results of one seed. `movielens` is comparison.py's; it is an argument so that it is recorded."""
    found: dict[str, float] = {}
    for name in names:
        found |= speed(name, seed, rows_of(name, seed))
    for split in ("random", "time"):
        parts = movielens_parts(split, seed)
        for name in TRAININGS:
            found |= training(name, split, seed, parts)
    return found | rankers(seed)


EXPERIMENT = Experiment("3.11", run, {"movielens": MOVIELENS, "names": list(CLICK_MODELS)})
