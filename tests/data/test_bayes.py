"""The optimum is the optimum: closed forms against double loops, against draws, and against every model tried."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from rec_lib.data.bayes import bayes_auc, bayes_log_loss, expected_auc, expected_log_loss, log_loss_sd, paired_auc
from rec_lib.evaluation import auc

LAWS = {"narrow": (-1.0, 0.8), "wide": (-1.0, 2.0), "rare": (-4.0, 1.2)}  # mean and sd of the logit


def law(name, n, rng):
    mean, sd = LAWS[name]
    return expit(rng.normal(mean, sd, n))


def double_loop(p, score):
    above = pairs = 0.0
    for i in range(len(p)):
        for j in range(len(p)):
            if i != j:
                weight = p[i] * (1 - p[j])
                pairs += weight
                above += weight * (0.5 if score[i] == score[j] else float(score[i] > score[j]))
    return above / pairs


@pytest.mark.parametrize("seed", range(6))
def test_expected_auc_is_the_double_loop_ties_included(seed):
    rng = np.random.default_rng(seed)
    p = rng.choice([0.0, 0.1, 0.3, 0.3, 0.8, 1.0], 60) if seed % 2 else rng.random(60)
    for score in (p, rng.integers(0, 4, 60), rng.normal(size=60), np.zeros(60)):
        assert expected_auc(p, score) == pytest.approx(double_loop(p, score), abs=1e-12)


def test_for_certain_labels_it_is_the_usual_auc():
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 500), rng.integers(0, 20, 500)
    assert expected_auc(y, score) == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert expected_auc(y, np.zeros(500)) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("name", LAWS)
def test_draws_of_labels_average_to_the_expectation(name):
    rng = np.random.default_rng(1)
    p = law(name, 5000, rng)
    score = p + 0.1 * rng.normal(size=5000)
    drawn = np.array([auc(rng.random(5000) < p, score) for _ in range(150)])
    error = drawn.std(ddof=1) / np.sqrt(150)
    assert abs(drawn.mean() - expected_auc(p, score)) < 4 * error + 5e-4  # a ratio of expectations, not the other way


@pytest.mark.parametrize("name", LAWS)
def test_no_score_beats_p_in_expectation(name):
    rng = np.random.default_rng(2)
    p = law(name, 3000, rng)
    best = bayes_auc(p)
    logit = np.log(p / (1 - p))
    for scale in (1e-9, 1e-3, 0.01, 0.1, 1.0, 10.0):
        for _ in range(20):
            assert expected_auc(p, logit + scale * rng.normal(size=3000)) <= best + 1e-12
    for score in (np.round(p, 1), -p, p > np.median(p), (rng.random(3000) < p).astype(float)):
        assert expected_auc(p, score) <= best + 1e-12
    assert expected_auc(p, np.exp(5 * p)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("name", LAWS)
def test_no_prediction_beats_p_in_expected_log_loss(name):
    rng = np.random.default_rng(3)
    p = law(name, 3000, rng)
    entropy = -np.mean(p * np.log(p) + (1 - p) * np.log(1 - p))
    assert bayes_log_loss(p) == pytest.approx(entropy, abs=1e-12)
    for scale in (1e-3, 0.1, 1.0):
        q = expit(np.log(p / (1 - p)) + scale * rng.normal(size=3000))
        kl = np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
        assert expected_log_loss(p, q) == pytest.approx(entropy + kl, abs=1e-12)
        assert expected_log_loss(p, q) > entropy


@pytest.mark.parametrize("name", LAWS)
def test_the_true_law_reaches_the_optimum_within_its_exact_error(name):
    rng = np.random.default_rng(4)
    p = law(name, 20_000, rng)
    y = rng.random((200, 20_000)) < p
    losses = -np.where(y, np.log(p), np.log(1 - p)).mean(axis=1)
    z = (losses - bayes_log_loss(p)) / log_loss_sd(p)
    assert np.abs(z).max() < 4.5  # the largest of 200
    assert abs(z.mean()) < 4 / np.sqrt(200)
    assert 0.8 < z.std() < 1.2


def test_delong_by_hand():
    rng = np.random.default_rng(5)
    y, a, b = rng.integers(0, 2, 80), rng.integers(0, 9, 80), rng.integers(0, 9, 80)
    kernels = []
    for score in (a, b):
        up, down = score[y == 1][:, None], score[y == 0][None, :]
        kernels.append((up > down) + 0.5 * (up == down))
    rows, columns = (kernels[0] - kernels[1]).mean(axis=1), (kernels[0] - kernels[1]).mean(axis=0)
    se = np.sqrt(rows.var(ddof=1) / len(rows) + columns.var(ddof=1) / len(columns))
    difference = roc_auc_score(y, a) - roc_auc_score(y, b)
    assert paired_auc(y, a, b) == pytest.approx((difference, se), abs=1e-12)
    assert paired_auc(y, a, np.exp(a)) == (0.0, 0.0)


@pytest.mark.parametrize("name", LAWS)
def test_a_nearly_right_model_does_not_beat_the_law_beyond_the_paired_error(name):
    rng = np.random.default_rng(6)
    p = law(name, 20_000, rng)
    logit = np.log(p / (1 - p))
    model = logit + 0.1 * logit.std() * rng.normal(size=20_000)
    found = [paired_auc(rng.random(20_000) < p, model, p) for _ in range(40)]
    differences, errors = np.array([f.difference for f in found]), np.array([f.se for f in found])
    assert (differences <= 4 * errors).all()
    assert differences.mean() < 0
    assert 0.75 < errors.mean() / differences.std(ddof=1) < 1.3


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="true probability outside"):
        bayes_auc([0.5, 1.5])
    with pytest.raises(ValueError, match="NaN"):
        expected_auc([0.5, 0.5], [0.1, np.nan])
    with pytest.raises(ValueError, match="two vectors of one length"):
        expected_auc([0.5, 0.5], [0.1])
    with pytest.raises(ValueError, match="one of the two labels impossible"):
        bayes_auc([1.0, 1.0])
    with pytest.raises(ValueError, match="Apply the sigmoid first"):
        expected_log_loss([0.5, 0.5], [0.1, 2.0])
    assert expected_log_loss([0.5, 0.5], [0.0, 1.0]) == np.inf
    assert expected_log_loss([0.0, 1.0], [0.0, 1.0]) == 0
    with pytest.raises(ValueError, match="must be 0 and 1"):
        paired_auc([0, 1, 2, 1], [1, 2, 3, 4], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="one finite score a label"):
        paired_auc([0, 1, 0, 1], [1, 2, 3], [1, 2, 3, 4])
