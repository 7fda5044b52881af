"""3.11: the click models of chapter 3 side by side on MovieLens-100K: quality, size, and what training and scoring cost.

ml100k_random, ml100k_time   test AUC and log loss
…/parameters                 learnt numbers
…/train_seconds              CPU seconds of one training, early stopping included; the search for settings is not counted
…/learn_seconds              CPU seconds of a million rows of training, validation left out
…/score_seconds              CPU seconds to score a million rows
…/epochs                     passes until it stopped

Same rows, dimension, initial scale, batch size, passes at most and patience for all. Learning rate, weight decay and dropout
are those of the systems' own sections, chosen on validation rows there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

import torch

from rec_lib.experiments import comparison, deep_crossing, networks, pnn
from rec_lib.experiments.comparison import MOVIELENS, Parts, movielens_parts, test_scores
from rec_lib.experiments.core import Experiment
from rec_lib.models.base import CTRModel
from rec_lib.training import History

Train = Callable[[str, int, Parts], tuple[CTRModel, History]]  # split, seed, rows → the trained model and its history


def _of_37(name: str) -> Train:
    return lambda split, seed, parts: comparison.on_movielens(name, split, seed, parts=parts)


def _of_networks(name: str, section: Any) -> Train:
    return lambda split, seed, parts: networks.on_movielens(
        section.MAKERS[name], split, seed, section.RECIPES[split][name], parts
    )


SYSTEMS: dict[str, Train] = {name: _of_37(name) for name in ("lr", "fm")}
SYSTEMS |= {"deep_crossing": _of_networks("deep_crossing", deep_crossing)}
SYSTEMS |= {name: _of_networks(name, pnn) for name in ("ipnn", "opnn", "pnn")}
SYSTEMS |= {name: _of_37(name) for name in ("fnn", "deepfm", "nfm")}


def scores(name: str, split: str, seed: int, parts: Parts) -> dict[str, float]:
    """All numbers of one system on one split."""
    rows, _, test = parts
    start = process_time()
    model, history = SYSTEMS[name](split, seed, parts)
    train_seconds = process_time() - start
    judging = _seconds(partial(model.predict_proba, parts[1]))
    learning = train_seconds - len(history.loss) * judging
    found = test_scores("", model, test) | {
        "/parameters": sum(p.numel() for p in model.parameters()),
        "/train_seconds": train_seconds,
        "/learn_seconds": learning / len(history.loss) / len(rows) * 1e6,
        "/score_seconds": _seconds(partial(model.predict_proba, rows)) / len(rows) * 1e6,
        "/epochs": len(history.loss),
    }
    return {f"ml100k_{split}/{name}{metric}": value for metric, value in found.items()}


@torch.no_grad()
def _seconds(run: Callable[[], object]) -> float:
    """The least CPU seconds of three runs: what the others had on top was not the model's."""
    found = []
    for _ in range(3):
        start = process_time()
        run()
        found.append(process_time() - start)
    return min(found)


def run(seed: int, movielens: dict[str, Any]) -> dict[str, float]:
    """All results of one seed. The settings are comparison.py's; they are an argument so that they are recorded."""
    found: dict[str, float] = {}
    for split in ("random", "time"):
        parts = movielens_parts(split, seed)
        for name in SYSTEMS:
            found |= scores(name, split, seed, parts)
    return found


EXPERIMENT = Experiment("3.11", run, {"movielens": MOVIELENS})
