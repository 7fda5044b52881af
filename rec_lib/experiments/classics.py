"""2.8: every system of chapter 2 once more, side by side: quality, size, and the CPU seconds that training takes.

ml100k_random, ml100k_time   click models: test AUC, log loss; MF and SVD++ (random alone): test RMSE in stars
ml100k_loo99, ml100k_loo     rankers: HR@10 and NDCG@10 of each user's last film among 99 others, and among all
…/parameters                 learnt numbers that a prediction reads; a split of a tree is two (which column, where)
…/train_seconds              one training with settings chosen before, features and early stopping included

Settings are those of the systems' own sections, where they were chosen on validation rows. The search is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import nn

from rec_lib.data.holdouts import leave_two_out
from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.experiments import cf, fm, gbdt_lr, lr, ls_plm, mf
from rec_lib.experiments.comparison import Parts, movielens_parts, test_scores
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.online import progressive
from rec_lib.models.base import CTRModel
from rec_lib.models.ftrl import FTRL
from rec_lib.models.gbdt_lr import GBDTLR
from rec_lib.models.ials import IALS
from rec_lib.models.itemcf import ItemCF
from rec_lib.models.lr import LR
from rec_lib.models.neighbours import NeighbourCF
from rec_lib.models.popularity import Popularity
from rec_lib.models.topn import TopN
from rec_lib.models.usercf import UserCF

# The best mean validation NDCG@10 over the five seeds of 2.2: k, similarity, shrinkage.
NEIGHBOURS: dict[str, dict[str, list[Any]]] = {
    "ml100k_loo99": {"usercf": [20, "cosine", 10.0], "itemcf": [20, "jaccard", 0.0]},
    "ml100k_loo": {"usercf": [20, "cosine", 10.0], "itemcf": [5, "jaccard", 10.0]},
}
REGIONS = 12  # LS-PLM's paper recommends 12


def size(model: nn.Module) -> int:
    """Learnt numbers of a torch model."""
    splits = 2 * model.threshold.numel() if isinstance(model, GBDTLR) else 0
    return sum(p.numel() for p in model.parameters()) + splits


def size_of_ranker(model: TopN) -> int:
    """Numbers that a fitted ranker keeps beside the interactions."""
    if isinstance(model, NeighbourCF):
        return int(model.W.nnz)
    return model.x.size + model.y.size if isinstance(model, IALS) else model.popularity.size


def one_pass(parts: Parts) -> LR:
    """LR by FTRL: the training rows once, oldest first. Nothing is held back to stop by."""
    rows = parts[0].rows(torch.argsort(parts[0]["timestamp"], stable=True))
    model = LR(rows.schema)
    progressive(
        model,
        rows,
        [FTRL(model.parameters(), alpha=lr.ONLINE["alpha"], beta=lr.ONLINE["beta"])],
        lr.ONLINE["batch_size"],
    )
    return model


def click_scores(split: str, seed: int) -> dict[str, float]:
    """LR, FTRL, LS-PLM, POLY2, FM, FFM and GBDT+LR on one split."""
    parts = movielens_parts(split, seed)
    recipe = gbdt_lr.RECIPES[split]["gbdt_lr"]

    def hybrid() -> tuple[CTRModel, Parts]:
        wide = gbdt_lr.wide(parts, gbdt_lr.WAY[split], seed)
        return gbdt_lr.on_movielens("gbdt_lr", wide, seed, recipe)[0], wide

    makers: dict[str, Callable[[], tuple[CTRModel, Parts]]] = {
        "lr": lambda: (fm.movielens_model("lr", split, seed)[0], parts),
        "ftrl": lambda: (one_pass(parts), parts),
        "ls_plm": lambda: (ls_plm.on_movielens(parts, REGIONS, seed, ls_plm.RECIPES[split][f"m{REGIONS}"])[0], parts),
        "poly2": lambda: (fm.movielens_model("poly2", split, seed)[0], parts),
        "fm": lambda: (fm.movielens_model("fm16", split, seed)[0], parts),
        "ffm": lambda: (fm.movielens_model("ffm16", split, seed)[0], parts),
        "gbdt_lr": hybrid,
    }
    scores: dict[str, float] = {}
    for name, make in makers.items():
        start = process_time()
        model, (_, _, test) = make()
        seconds = process_time() - start
        prefix = f"ml100k_{split}/{name}"
        scores |= test_scores(prefix, model, test)
        scores |= {f"{prefix}/parameters": size(model), f"{prefix}/train_seconds": seconds}
    return scores


def rating_scores(seed: int) -> dict[str, float]:
    """MF and SVD++ on the random split."""
    parts = mf.parts(seed)
    scores: dict[str, float] = {}
    for name in ("mf", "svdpp"):
        start = process_time()
        model, _ = mf.trained(name, seed, parts)
        seconds = process_time() - start
        prefix = f"ml100k_random/{name}"
        scores |= {f"{prefix}/rmse": mf.test_error(model, parts), f"{prefix}/parameters": size(model)}
        scores[f"{prefix}/train_seconds"] = seconds
    return scores


def ranking_scores(seed: int) -> dict[str, float]:
    """Popularity, UserCF, ItemCF and implicit ALS by both protocols."""
    _, data = leave_two_out(cf.movielens(), seed=seed)
    scores: dict[str, float] = {}
    for split, protocol in mf.PROTOCOLS.items():
        models: dict[str, TopN] = {
            "popularity": Popularity(),
            "usercf": UserCF(*NEIGHBOURS[split]["usercf"]),
            "itemcf": ItemCF(*NEIGHBOURS[split]["itemcf"]),
            "ials": IALS(**mf.IMPLICIT, rng=np.random.default_rng(seed)),
        }
        for name, model in models.items():
            start = process_time()
            model.fit(data)
            seconds = process_time() - start
            ranked = rank_held_out(model, data, k=10, protocol=protocol)
            prefix = f"{split}/{name}"
            scores |= {f"{prefix}/hr10": ranked.hit_rate, f"{prefix}/ndcg10": ranked.ndcg}
            scores |= {f"{prefix}/parameters": size_of_ranker(model), f"{prefix}/train_seconds": seconds}
    return scores


def run(seed: int, neighbours: dict[str, Any], regions: int) -> dict[str, float]:
    """All results of one seed. The settings are this file's; they are arguments so that they are recorded."""
    return click_scores("random", seed) | click_scores("time", seed) | rating_scores(seed) | ranking_scores(seed)


EXPERIMENT = Experiment("2.8", run, {"neighbours": NEIGHBOURS, "regions": REGIONS})
