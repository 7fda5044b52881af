"""How good is it: metrics over all rows at once, and splits that are named wherever a number is printed."""

from rec_lib.evaluation.metrics import (
    auc,
    auc_on,
    coverage,
    gauc,
    hit_rate,
    log_loss,
    mean_average_precision,
    mrr,
    ndcg,
    rmse,
)
from rec_lib.evaluation.ranking import Ranked, rank_held_out
from rec_lib.evaluation.splits import random_split, time_split

__all__ = [
    "Ranked",
    "auc",
    "auc_on",
    "coverage",
    "gauc",
    "hit_rate",
    "log_loss",
    "mean_average_precision",
    "mrr",
    "ndcg",
    "random_split",
    "rank_held_out",
    "rmse",
    "time_split",
]
