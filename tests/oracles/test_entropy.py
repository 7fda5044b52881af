"""Normalised entropy beside the paper's own formula with labels −1 and +1, and at its fixed points."""

import math

import numpy as np
import pytest

from rec_lib.evaluation.entropy import entropy_ratio, normalised_entropy


def papers(y, p, background):
    """Eq. 1 as printed: y is −1 or +1."""
    total = 0.0
    for label, q in zip(y, p, strict=True):
        total += (1 + label) / 2 * math.log(q) + (1 - label) / 2 * math.log(1 - q)
    entropy = background * math.log(background) + (1 - background) * math.log(1 - background)
    return (-total / len(y)) / -entropy


def sample(seed, n=200):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, n)
    return (rng.random(n) < p).astype(int), p


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_papers_formula(seed):
    y, p = sample(seed)
    assert normalised_entropy(y, p) == pytest.approx(papers(2 * y - 1, p, y.mean()), rel=1e-12)
    assert normalised_entropy(y, p, background=0.1) == pytest.approx(papers(2 * y - 1, p, 0.1), rel=1e-12)
    assert normalised_entropy(y, p, background=0.1) == pytest.approx(entropy_ratio(y, p, 0.1, np.log))


def test_the_click_rate_alone_scores_one_and_certainty_zero():
    y, _ = sample(0)
    assert normalised_entropy(y, np.full(len(y), y.mean())) == pytest.approx(1)
    assert normalised_entropy(y, y) == pytest.approx(0, abs=1e-6)
    assert normalised_entropy(y, np.full(len(y), 0.99)) > 1


def test_a_rarer_click_does_not_look_like_a_better_model():
    """Log loss of the click rate alone falls with the rate; NE stays 1."""
    for rate in (0.5, 0.1, 0.01):
        y = (np.arange(1000) < 1000 * rate).astype(int)
        assert normalised_entropy(y, np.full(1000, rate)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: normalised_entropy([-1, 1], [0.2, 0.3]), "0 or 1"),
        (lambda: normalised_entropy([1, 1], [0.2, 0.3]), "between 0 and 1"),
        (lambda: normalised_entropy([0, 1], [0.2, 0.3], background=1.0), "between 0 and 1"),
        (lambda: normalised_entropy([0, 1], [0.2, 3.0]), "sigmoid"),
        (lambda: normalised_entropy([0, 1], [0.2]), "same N"),
        (lambda: normalised_entropy([0, 1], [0.0, 0.3], eps=0.0), "eps=0.0"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()
