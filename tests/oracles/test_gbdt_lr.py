"""GBDT+LR against scikit-learn: the same leaves, the same sum; and scikit-learn against the formulas of a split."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from rec_lib.data.table import Table
from rec_lib.layers.boosting import leaf_value, split_gain
from rec_lib.models import GBDTLR
from rec_lib.schema import Dense, Schema, Sparse

SCHEMA = Schema((Sparse("ad", 12), *(Dense(f"x{i}") for i in range(5))))


def rows(n=900, seed=0, digits=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    if digits is not None:
        x = x.round(digits)  # few values, so that some lie on a threshold
    z = 2 * np.sign(x[:, 0] - 0.2) * np.sign(x[:, 1]) + x[:, 2]
    y = rng.random(n) < 1 / (1 + np.exp(-z))
    columns = {f"x{i}": torch.from_numpy(x[:, i].copy()) for i in range(5)}
    columns |= {"ad": torch.from_numpy(rng.integers(2, 12, n)), "label": torch.from_numpy(y.astype(np.float32))}
    return Table(SCHEMA, columns)


def grown(table, trees=20, leaves=8, **settings):
    model = GBDTLR(SCHEMA, trees, leaves, raw=False)
    model.fit_trees(table, **settings)
    settings = {"learning_rate": 0.1, "min_leaf": 20, "l2": 0.0} | settings
    x = torch.stack([table[f"x{i}"] for i in range(5)], dim=1).numpy()
    oracle = HistGradientBoostingClassifier(
        learning_rate=settings["learning_rate"],
        max_iter=trees,
        max_leaf_nodes=leaves,
        min_samples_leaf=settings["min_leaf"],
        l2_regularization=settings["l2"],
        early_stopping=False,
        random_state=0,
    )
    return model, oracle.fit(x, table["label"].numpy()), x


@pytest.mark.parametrize("leaves", [2, 3, 8, 20])
@pytest.mark.parametrize("digits", [None, 0, 1])
def test_before_training_the_model_is_the_gbdt(leaves, digits):
    table = rows(digits=digits)
    model, oracle, x = grown(table, leaves=leaves, learning_rate=0.3, l2=0.5)
    with torch.no_grad():
        np.testing.assert_allclose(model(table.batch()).numpy(), oracle.decision_function(x), rtol=2e-5, atol=2e-5)
        fresh = rows(seed=9, digits=digits)
        x_fresh = torch.stack([fresh[f"x{i}"] for i in range(5)], dim=1).numpy()
        np.testing.assert_allclose(
            model.predict_proba(fresh), oracle.predict_proba(x_fresh)[:, 1], rtol=1e-4, atol=1e-5
        )


def test_each_tree_drops_a_sample_into_one_leaf_the_one_that_scikit_learn_finds():
    table = rows(digits=1)
    model, oracle, x = grown(table)
    code = model.leaf_code(table.batch())
    assert (code.sum(dim=2) == 1).all()
    stages = np.stack(list(oracle.staged_decision_function(x)), axis=1)  # (n, T)  sums of the first 1, 2, … trees
    each = np.diff(stages, axis=1, prepend=oracle._baseline_prediction.item())  # what each tree adds
    with torch.no_grad():
        np.testing.assert_allclose((code * model.leaf).sum(dim=2), each, atol=1e-5)
    values = model.leaf.detach()[model.length >= 0]
    assert len(values.unique()) == len(values), "leaves of equal value: the sums above would not tell them apart"


def test_a_value_on_a_threshold_goes_left_as_in_scikit_learn():
    table = rows(digits=0)
    model, oracle, _ = grown(table, trees=1, leaves=2, learning_rate=1.0, min_leaf=5)
    at, i = model.threshold[0, 0].item(), int(model.feature[0, 0])
    x = np.zeros((3, 5), np.float32)
    x[:, i] = np.nextafter(np.float32(at), np.float32(-9)), at, np.nextafter(np.float32(at), np.float32(9))
    batch = {f"x{k}": torch.from_numpy(x[:, k].copy()) for k in range(5)}
    assert model.leaf_code(batch)[:, 0, 0].tolist() == [1, 1, 0]
    with torch.no_grad():
        np.testing.assert_allclose(model(batch), oracle.decision_function(x), rtol=1e-5)


def test_leaf_values_and_splits_are_those_of_the_formulas():
    """One tree of two leaves: the best of all splits by `split_gain`, and `leaf_value` on both sides."""
    table = rows(n=240)  # fewer than 255 values a feature: every one has a bin of its own
    model, _, x = grown(table, trees=1, leaves=2, learning_rate=1.0, min_leaf=5, l2=0.7)
    y = table["label"].numpy()
    p = np.full(len(y), y.mean())
    g, h = p - y, p * (1 - p)
    best = (-1.0, 0, 0.0)
    for i in range(5):
        values = np.unique(x[:, i])
        for low, high in zip(values, values[1:], strict=False):
            left = x[:, i] <= low
            if min(left.sum(), (~left).sum()) >= 5:
                gain = split_gain(g[left].sum(), h[left].sum(), g[~left].sum(), h[~left].sum(), 0.7)
                best = max(best, (gain, i, (float(low) + float(high)) / 2))
    assert int(model.feature[0, 0]) == best[1]
    assert model.threshold[0, 0].item() == pytest.approx(best[2], abs=1e-5)
    left = x[:, best[1]] <= best[2]
    for side, value in ((left, model.leaf[0, 0]), (~left, model.leaf[0, 1])):
        assert value.item() == pytest.approx(leaf_value(g[side].sum(), h[side].sum(), 0.7), rel=1e-5)


def test_the_gain_is_what_the_quadratic_falls_by():
    rng = np.random.default_rng(0)
    for _ in range(20):
        (G1, G2), (H1, H2), l2 = rng.normal(size=2), rng.uniform(0.1, 2, 2), rng.uniform(0, 1)

        def lowest(G, H, l2=l2):
            v = np.linspace(-80, 80, 1_600_001)
            return (G * v + 0.5 * (H + l2) * v**2).min()

        fall = lowest(G1 + G2, H1 + H2) - lowest(G1, H1) - lowest(G2, H2)
        assert split_gain(G1, H1, G2, H2, l2) == pytest.approx(fall, abs=1e-6)


def test_trees_not_grown_say_so_and_a_loaded_model_has_them(tmp_path):
    table = rows()
    empty = GBDTLR(SCHEMA, trees=5)
    with pytest.raises(RuntimeError, match="call fit_trees"):
        empty(table.batch())
    model = GBDTLR(SCHEMA, trees=5)
    model.fit_trees(table)
    model.save(tmp_path / "m.npz")
    empty.load(tmp_path / "m.npz")
    assert torch.equal(empty(table.batch()), model(table.batch()))


def test_growing_again_forgets_the_old_trees():
    model = GBDTLR(SCHEMA, trees=5, leaves=8, raw=False)
    model.fit_trees(rows(seed=1))
    model.fit_trees(rows(seed=2), min_leaf=200)  # fewer leaves
    other = GBDTLR(SCHEMA, trees=5, leaves=8, raw=False)
    other.fit_trees(rows(seed=2), min_leaf=200)
    assert torch.equal(model(rows().batch()), other(rows().batch()))
    assert (model.leaf_code(rows().batch()).sum(dim=2) == 1).all()


def test_a_tree_without_a_split_is_one_leaf():
    model = GBDTLR(SCHEMA, trees=2, leaves=4, raw=False)
    model.fit_trees(rows(n=30), min_leaf=20)
    code = model.leaf_code(rows().batch())
    assert (code[:, :, 0] == 1).all()
    assert (code[:, :, 1:] == 0).all()


def test_growing_leaves_the_callers_generator_alone():
    model, before = GBDTLR(SCHEMA, trees=2), torch.get_rng_state()
    model.fit_trees(rows())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: GBDTLR(Schema((Sparse("ad", 12),))), "0 dense fields"),
        (lambda: GBDTLR(SCHEMA, leaves=1), "leaves=1"),
        (lambda: GBDTLR(Schema((Sparse("ad", 12), Dense("x9")))).fit_trees(rows()), "expected \\['x9'\\]"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_columns_of_float64_are_split_as_they_were_grown(precision):
    """Times of 2001 in seconds: float32 steps by 64 there, so trees grown on the finer numbers would split elsewhere."""
    table = rows(2000)
    table.columns["x0"] = table["x0"].double() * 100 + 9e8
    model = GBDTLR(SCHEMA, 20, 8, raw=False)
    model.fit_trees(table, min_leaf=2)
    x = torch.stack([table[f"x{i}"].float() for i in range(5)], dim=1).numpy()
    oracle = HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=20, max_leaf_nodes=8, min_samples_leaf=2, early_stopping=False, random_state=0
    ).fit(x, table["label"].numpy())
    with torch.no_grad():
        got = model.to(precision)(table.batch()).numpy()
    np.testing.assert_allclose(got, oracle.decision_function(x), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("labels", [[0.0, 0, 0], [1.0, 1, 1], [0.5, 0.5, 1], [-1.0, 1, 1], [0.0, 1, 2]])
def test_labels_that_trees_cannot_part_are_refused(labels):
    """One class: scikit-learn would number it 0, and promise no click where all are clicks."""
    table = rows(90)
    table.columns["label"] = torch.tensor(labels).repeat(30)
    with pytest.raises(ValueError, match="expected 0 and 1, both"):
        GBDTLR(SCHEMA, 2).fit_trees(table)
