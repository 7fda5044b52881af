"""The experiments' helpers of 2.6 and 2.7: features without leaks, bins, refreshes, zeros, and what a name stands for."""

import numpy as np
import pytest
import torch

from rec_lib.data import piecewise
from rec_lib.evaluation.metrics import auc
from rec_lib.experiments import gbdt_lr, ls_plm
from rec_lib.experiments.comparison import movielens_parts
from rec_lib.models import GBDTLR, LSPLM
from rec_lib.schema import FIRST


@pytest.mark.parametrize("way", ["past", "out_of_fold"])
def test_a_movielens_row_is_not_told_its_own_label(way):
    rows = movielens_parts("time", 0)[0].rows(torch.arange(3000))
    turned = rows.rows(torch.arange(3000))
    turned.columns["label"] = rows["label"].clone()
    turned.columns["label"][500] = 1 - turned.columns["label"][500]
    before, after = (gbdt_lr.statistics(t, t, way, 0) for t in (rows, turned))
    for name in before:
        prior = abs(after[name] - before[name])[500]  # the overall rate moves by 1/3000 at most, and only a share of it
        assert prior < 1e-3, name
    assert any(abs(after[n] - before[n]).max() > 1e-3 for n in before), "other rows must see it"


def test_own_labels_leak_and_are_seen_by_the_trees():
    parts = movielens_parts("random", 0)
    small = tuple(p.rows(torch.arange(2000)) for p in parts)
    leaking, honest = (gbdt_lr.wide(small, way, 0)[0] for way in ("own", "out_of_fold"))
    recipe = {"trees": 20, "leaves": 8, "rate": 0.1}
    scores = []
    for rows in (leaking, honest):
        model = gbdt_lr.grown(rows, False, **recipe, min_leaf=20)
        scores.append(auc(rows["label"], model.predict_proba(rows)))
    assert scores[0] > scores[1] + 0.05


def test_wide_rows_have_the_statistics_of_training_rows_scaled_by_them():
    parts = tuple(p.rows(torch.arange(1500)) for p in movielens_parts("random", 0))
    rows, valid, test = gbdt_lr.wide(parts, "out_of_fold", 0)
    assert {p.schema for p in (rows, valid, test)} == {rows.schema}
    for field in rows.schema.dense:
        assert rows[field.name].mean().item() == pytest.approx(0, abs=1e-4)
        assert torch.isfinite(test[field.name]).all()
    assert torch.equal(rows["user"], parts[0]["user"])


def test_bins_hold_equally_many_training_rows():
    planted = piecewise.thresholds(0, sizes=(2000, 100, 100))
    rows, _, test = gbdt_lr.binned(planted)
    assert not rows.schema.dense
    counts = torch.bincount(rows["x1"] - FIRST)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 2
    assert torch.equal(test["p"], planted.test["p"])


@pytest.mark.parametrize("kind", ["number", "rate"])
def test_the_ad_as_a_number_or_a_rate(kind):
    planted = piecewise.thresholds(0, sizes=(2000, 100, 500))
    test = gbdt_lr.with_ad(planted, kind, 0)[2]
    assert test.schema.dense[-1].name == "ad_dense"
    same = test["ad"] == test["ad"][0]
    assert test["ad_dense"][same].unique().numel() == 1


def test_a_start_of_zero_takes_the_trees_weights_away_and_keeps_the_trees():
    world = piecewise.thresholds(0, sizes=(2000, 10, 10))
    warm, cold = (gbdt_lr.grown(world.train, True, 5, 4, 0.1, start, min_leaf=20) for start in (1.0, 0.0))
    assert torch.equal(warm.threshold, cold.threshold)
    assert (cold.leaf == 0).all()
    assert (warm.leaf != 0).any()


def test_leaves_have_a_step_size_of_their_own():
    world = piecewise.thresholds(0, sizes=(600, 200, 10))
    model = gbdt_lr.grown(world.train, True, 5, 4, 0.1, min_leaf=20)
    leaf, ids = model.leaf.clone(), model.w.table.clone()
    budget = {"epochs": 1, "patience": 1, "batch_size": 200}
    gbdt_lr.train(model, world.train, world.valid, 0, lr=1e-2, weight_decay=0.0, leaf_lr=0.0, budget=budget)
    assert torch.equal(model.leaf, leaf)
    assert not torch.equal(model.w.table, ids)


def test_refreshing_lr_follows_the_ads_and_keeps_the_trees():
    small = gbdt_lr.DAYS | {"trees": 10, "epochs": 3}
    scores = gbdt_lr.day_scores("ads", 0, small)
    assert {key.split("/")[2] for key in scores} == {"kept", "lr_daily", "all_daily", "lr_alone"}
    assert scores["days/ads/lr_daily/late"] > scores["days/ads/kept/late"]
    late = [scores[f"days/ads/kept/{day}"] for day in range(4, 9)]
    assert scores["days/ads/kept/late"] == pytest.approx(np.mean(late))


def test_zeros_are_counted_by_feature():
    world = piecewise.two_regimes(0, noise=2, sizes=(50, 10, 10))
    model = LSPLM(world.train.schema, 2, init_sd=0.5)
    assert ls_plm.zeros(model) == {"noise_gone": 0.0, "true_gone": 0.0}
    with torch.no_grad():
        model.dense[-1] = 0
        model.dense[0, :3] = 0  # one number of four is left
    assert ls_plm.zeros(model) == {"noise_gone": 0.5, "true_gone": 0.0}


def test_best_penalty_is_chosen_on_validation_rows():
    world = piecewise.two_regimes(0, sizes=(800, 400, 100))
    grid = ls_plm.GRID | {"epochs": 3, "penalties": [[0.0, 0.0], [10.0, 0.0]]}
    model = ls_plm.best_penalty(world, 2, 0, grid)
    assert (model.dense != 0).any(), "a penalty that takes everything cannot be the best"


def test_candidates_differ_and_recipes_are_among_them():
    for name, recipe in gbdt_lr.RECIPES["random"].items():
        assert recipe in list(gbdt_lr.candidates(name))
    for split in ls_plm.RECIPES.values():
        assert all(recipe in list(ls_plm.candidates()) for recipe in split.values())


def test_competitors_hold_a_grown_forest():
    world = piecewise.two_regimes(0, sizes=(800, 400, 100))
    models = ls_plm.competitors(world, 0, ls_plm.GRID | {"epochs": 1})
    assert set(models) == {"lr", "network", "gbdt", "gbdt_lr"}
    assert isinstance(models["gbdt"], GBDTLR)
    assert models["gbdt"].leaf.shape == models["gbdt_lr"].leaf.shape
