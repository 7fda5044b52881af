"""What the experiment of 3.6 compares with, and that each part gets the optimizer that is named."""

import pytest
import torch

from rec_lib.data import worlds
from rec_lib.data.bayes import expected_auc
from rec_lib.experiments import wide_deep
from rec_lib.models import DCN, LR, DCNv2, WideDeep
from rec_lib.models.ftrl import FTRL


@pytest.fixture(scope="module")
def world():
    return worlds.memorised(0, (600, 200, 200))


def test_each_part_has_its_optimizer_and_no_weight_has_two(world):
    model = wide_deep.build_memorised("wide_deep", world.train.schema, 2, 0)
    ftrl, adagrad = wide_deep.ftrl_and_adagrad(**wide_deep.MEMORISED["paper"])(model)
    assert isinstance(ftrl, FTRL)
    assert isinstance(adagrad, torch.optim.Adagrad)
    of = [{id(p) for group in o.param_groups for p in group["params"]} for o in (ftrl, adagrad)]
    assert of[0] == {id(p) for p in model.wide.parameters()}
    assert of[1] == {id(p) for p in model.deep.parameters()}
    assert of[0] | of[1] == {id(p) for p in model.parameters()}
    assert not of[0] & of[1]


def test_only_wide_and_deep_has_two_parts(world):
    with pytest.raises(TypeError, match="only WideDeep"):
        wide_deep.ftrl_and_adagrad(**wide_deep.MEMORISED["paper"])(LR(world.train.schema))


def test_halves_are_those_of_the_whole(world):
    schema, batch = world.train.schema, world.test.batch()
    kinds = ("lr", "wide", "deep", "wide_deep")
    lr, wide, deep, both = (wide_deep.build_memorised(kind, schema, 4, 3) for kind in kinds)
    with torch.no_grad():
        both.wide.cross.w.table.normal_()
        wide.wide.load_state_dict(both.wide.state_dict())
        both.deep.load_state_dict(deep.deep.state_dict())
        torch.testing.assert_close(both(batch), wide(batch) + deep(batch))
    assert lr(batch).shape == wide(batch).shape
    with pytest.raises(ValueError, match="kind='narrow'"):
        wide_deep.build_memorised("narrow", schema, 4, 0)


def test_added_logits_are_ranked(world):
    models = [wide_deep.in_memorised(kind, world, 2, 0) for kind in ("wide", "deep")]
    scores = wide_deep.by_rows("x", world, models)
    with torch.no_grad():
        rows = world.tests["ordinary"]
        logits = sum(model(rows.batch()) for model in models)
    assert set(scores) == {"x", "x/exceptions", "x/ordinary"}
    assert scores["x/ordinary"] == pytest.approx(expected_auc(rows["p"], logits), abs=1e-6)


def test_share_of_zeros(world):
    model = wide_deep.build_memorised("wide_deep", world.train.schema, 2, 0)
    assert wide_deep.zeros(model) == 1
    with torch.no_grad():
        model.wide.cross.w.table[:100] = 1
    assert wide_deep.zeros(model) == pytest.approx(1 - 100 / len(model.wide.cross.w.table))


def test_models_of_the_third_order_start_alike():
    schema = worlds.third_order(0, (50, 20, 20)).train.schema
    models = wide_deep.third_models()
    assert {"fm", "dcn_alone/3", "dcn_v2_alone/1", "mlp/4", "dcn/64-32"} <= set(models)
    for name, (kind, settings) in models.items():
        torch.manual_seed(0)
        model = kind(schema, **settings)
        assert model.emb.table.detach().std() == pytest.approx(wide_deep.THIRD["init_sd"], rel=0.1), name
        if "_alone/" in name:
            assert isinstance(model, DCN | DCNv2)
            assert len(model.w) == int(name[-1])
            assert len(model.deep) == 0


@pytest.mark.parametrize("split", ["random", "time"])
def test_a_recipe_says_which_optimizers_it_is_for(split):
    recipes = wide_deep.RECIPES[split]
    assert set(recipes) == set(wide_deep.MAKERS)
    schema = worlds.third_order(0, (50, 20, 20)).train.schema
    model = WideDeep(schema, 2)
    counts = {name: len(wide_deep.optimizers_of(recipe)(model)) for name, recipe in recipes.items()}
    assert counts == {"wide_deep_adam": 1, "wide_deep": 2, "dcn": 1, "dcn_v2": 1}
