"""3.7.3: NFM beside FM and DeepFM on MovieLens-100K, where a bend in the bi-interaction vector is planted, and where it is not.

ml100k_random, ml100k_time   LR, FM, DeepFM, NFM with and without batch norm: test AUC and log loss
bi_interaction               |bi_1| + |bi_2|: pays for a network that reads the pooled pairs (all models start from sd 0.1)
pure_fm                      nothing but pairs: the network has nothing to add
"""

from __future__ import annotations

from rec_lib.data import worlds
from rec_lib.experiments.comparison import MOVIELENS, PLANTED, RECIPES, grid, in_world, movielens_scores, world_auc
from rec_lib.experiments.core import Experiment

NAMES = ("fm", "deepfm", "nfm", "nfm_bn")
WORLDS = {"bi_interaction": worlds.bi_interaction, "pure_fm": worlds.pure_fm}
INIT_SD = 0.1  # of all models in these worlds


def run(seed: int, recipes: dict, movielens: dict, planted: dict, init_sd: float) -> dict[str, float]:
    """All scores of one seed. The settings are those of comparison.py; they are arguments so that they are recorded."""
    names = ("lr", *NAMES)
    scores = movielens_scores(names, "random", seed) | movielens_scores(names, "time", seed)
    for world in WORLDS:
        scores |= planted_scores(world, seed)
    return scores


def planted_scores(name: str, seed: int) -> dict[str, float]:
    """ "WORLD/bayes", "WORLD/MODEL", and "WORLD/fm32" for an FM of four times the dimension: expected AUC on test rows."""
    world = WORLDS[name](seed)
    scores = {f"{name}/bayes": world.bayes["auc"]}
    for model_name in NAMES:
        model, _ = in_world(model_name, world, seed, grid(), init_sd=INIT_SD)
        scores[f"{name}/{model_name}"] = world_auc(model, world.test)
    wide, _ = in_world("fm", world, seed, grid(), dim=32, init_sd=INIT_SD)
    return scores | {f"{name}/fm32": world_auc(wide, world.test)}


EXPERIMENT = Experiment(
    "3.7.3", run, {"recipes": RECIPES, "movielens": MOVIELENS, "planted": PLANTED, "init_sd": INIT_SD}
)
