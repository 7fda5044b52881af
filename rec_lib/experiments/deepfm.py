"""3.7.2: DeepFM beside its predecessors on MovieLens-100K, and where the third order is planted.

ml100k_random, ml100k_time   LR, FM, FNN, DeepFM: test AUC and log loss
third_order                  a product of three fields: the network sees it, pairs see its shadow
pairwise                     nothing but pairs: what does the network cost, what is the FM part worth
"""

from __future__ import annotations

from rec_lib.data import worlds
from rec_lib.experiments.comparison import MOVIELENS, PLANTED, RECIPES, grid, in_world, movielens_scores, world_auc
from rec_lib.experiments.core import Experiment

NAMES = ("lr", "fm", "fnn", "deepfm")
WORLDS = {"third_order": worlds.third_order, "pairwise": worlds.pairwise}


def run(seed: int, recipes: dict, movielens: dict, planted: dict) -> dict[str, float]:
    """All scores of one seed. The settings are those of comparison.py; they are arguments so that they are recorded."""
    scores = movielens_scores(NAMES, "random", seed) | movielens_scores(NAMES, "time", seed)
    for world in WORLDS:
        scores |= planted_scores(world, seed)
    return scores


def planted_scores(name: str, seed: int) -> dict[str, float]:
    """ "WORLD/bayes", "WORLD/MODEL", and "WORLD/fm32" for an FM of four times the dimension: expected AUC on test rows."""
    world = WORLDS[name](seed)
    scores = {f"{name}/bayes": world.bayes["auc"]}
    for model_name in NAMES:
        model, _ = in_world(model_name, world, seed, grid())
        scores[f"{name}/{model_name}"] = world_auc(model, world.test)
    wide, _ = in_world("fm", world, seed, grid(), dim=32)
    return scores | {f"{name}/fm32": world_auc(wide, world.test)}


EXPERIMENT = Experiment("3.7.2", run, {"recipes": RECIPES, "movielens": MOVIELENS, "planted": PLANTED})
