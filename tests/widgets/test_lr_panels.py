"""The panels of 2.4 against scikit-learn and the paper's loop; what their prompts promise is there."""

import numpy as np
import pytest
from oracles.ftrl_naive import algorithm_1
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from rec_lib.widgets import load
from rec_lib.widgets.lr import ALPHA, BETA, L1, L2, ftrl_pass, ftrl_stream, two_videos, weighted_lr


@pytest.mark.parametrize(
    "setting", [(80, 40, 1.7, 0.8, 0.1), (5, 95, 3.0, 1.5, -1.5), (95, 5, 0.0, -1.5, 1.5), (50, 50, 1.0, 0.3, 0.3)]
)
def test_both_regressions_are_scikit_learns(setting):
    data = two_videos(*setting)
    share = np.array([[1 - w, w] for w in data.women])
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)  # is B, is a woman
    rows, label = np.vstack([x, x]), np.repeat([1, 0], 4)
    weight = np.concatenate([(share * data.rate).ravel(), (share * (1 - data.rate)).ravel()])
    for columns, got in (([0], data.alone), ([0, 1], data.beside)):
        fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(rows[:, columns], label, weight)
        assert got == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    np.testing.assert_allclose(data.fitted.ravel(), fitted.predict_proba(x)[:, 1], atol=1e-5)
    assert data.loss[0] >= data.loss[1] - 1e-12
    assert data.loss[1] >= data.loss[2] - 1e-12


def test_newton_holds_from_far_away_too():
    x = np.array([[1, 0.0], [1, 1]])
    rate = expit(np.array([-7.0, 6.0]))
    assert weighted_lr(x, rate, np.array([1.0, 1e-3])) == pytest.approx([-7, 13], abs=1e-6)


def test_equal_shares_of_women_never_reverse_and_equal_advantages_need_no_product():
    for share in (5, 50, 95):
        for men, women in ((0.8, 0.1), (-1.0, -0.2)):
            assert not two_videos(share, share, 1.7, men, women).is_reversed
    data = two_videos(90, 20, 2.0, 0.7, 0.7)
    assert data.is_reversed
    assert data.beside == pytest.approx(0.7)
    assert data.loss[1] == pytest.approx(data.loss[2])
    np.testing.assert_allclose(data.fitted, data.rate)
    assert data.alone == pytest.approx(logit(data.pooled[1]) - logit(data.pooled[0]))


def test_the_start_is_a_paradox_and_the_sentence_says_so():
    panel = load("simpson")
    assert panel.data.is_reversed
    assert "Simpson" in panel.summary(panel.data)
    assert panel.data.alone < 0 < panel.data.beside


@pytest.mark.parametrize("l1", [L1[0], L1[3], L1[-1]])
@pytest.mark.parametrize("alpha", [ALPHA[0], ALPHA[-1]])
def test_the_stream_is_learned_by_the_papers_loop(l1, alpha):
    x, y, _ = ftrl_stream(np.random.default_rng(3))
    for beta, l2 in ((BETA[0], L2[0]), (BETA[-1], L2[-1])):
        path, z, said = ftrl_pass(x[:200], y[:200], alpha, beta, l1, l2)
        rows = [{int(i): 1.0 for i in np.flatnonzero(there)} for there in x[:200]]
        weight, z_paper, _, predicted = algorithm_1(rows, y[:200], alpha, beta, l1, l2, constant=-0.3)
        np.testing.assert_allclose(path[-1], [weight.get(i, 0.0) for i in range(12)], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(z, [z_paper.get(i, 0.0) for i in range(12)], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(said, predicted, rtol=1e-9)


def test_what_the_prompts_of_the_notebook_promise():
    """λ₁ = 8 keeps the four that matter and no other; 16 loses the rare one; without λ₁ no weight is 0."""
    panel = load("ftrl")
    none, clean, strict = (panel.compute(l1=l1, alpha=0.3, beta=1.0, l2=0.0, rows=600) for l1 in (0.0, 8.0, 16.0))
    assert not none.zero.any()
    assert clean.zero.tolist() == [False] * 4 + [True] * 8
    assert strict.zero.tolist() == [False] * 3 + [True] * 9
    assert none.best < none.loss < clean.loss < none.base


def test_nothing_leaves_the_picture():
    panel = load("ftrl")
    for l1 in L1:
        for alpha in ALPHA:
            data = panel.compute(l1=l1, alpha=alpha, beta=BETA[0], l2=L2[0], rows=600)
            figure = panel.figure(data)
            low, high = figure.layout.yaxis.range
            assert low <= data.path.min() <= data.path.max() <= high
            assert np.abs(data.z).max() <= figure.layout.xaxis2.range[1]
