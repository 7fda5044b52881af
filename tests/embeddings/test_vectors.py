"""Measures of 4.1: each against a plain loop, and on vectors whose answer is known."""

import numpy as np
import pytest

from rec_lib.evaluation.vectors import analogy_report, cosine_neighbours, kept_in_picture, principal_axes, unit_rows
from rec_lib.evaluation.words import analogy_ranks

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(40, 6))
QUADS = np.array([RNG.choice(40, 4, replace=False) for _ in range(60)])


def cosine(u, v):
    return float(u @ v / (np.linalg.norm(u) * np.linalg.norm(v)))


def test_neighbours_are_those_of_a_loop():
    near = cosine_neighbours(VECTORS, 5)
    for i, row in enumerate(near):
        others = sorted((j for j in range(40) if j != i), key=lambda j: -cosine(VECTORS[i], VECTORS[j]))
        assert row.tolist() == others[:5]


def test_neighbours_do_not_depend_on_the_block(monkeypatch):
    whole = cosine_neighbours(VECTORS, 5)
    monkeypatch.setattr("rec_lib.evaluation.vectors.BLOCK", 7)
    np.testing.assert_array_equal(cosine_neighbours(VECTORS, 5), whole)


def test_what_a_picture_keeps_is_what_a_loop_counts():
    near = cosine_neighbours(VECTORS, 5)
    places = VECTORS[:, :2]
    kept = 0
    for i in range(40):
        dots = sorted((j for j in range(40) if j != i), key=lambda j: float(((places[i] - places[j]) ** 2).sum()))
        kept += len(set(dots[:5]) & set(near[i].tolist()))
    assert kept_in_picture(places, near) == pytest.approx(kept / 200)


def test_a_picture_of_points_on_a_circle_keeps_everything_and_strewn_dots_keep_chance():
    angle = np.sort(RNG.uniform(0, 2 * np.pi, 300))
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    assert kept_in_picture(circle, cosine_neighbours(circle, 5)) == 1
    strewn = kept_in_picture(RNG.normal(size=(1000, 2)), cosine_neighbours(RNG.normal(size=(1000, 30)), 10))
    assert strewn == pytest.approx(10 / 999, abs=0.005)


def test_dots_in_one_place_count_themselves_out():
    near = cosine_neighbours(VECTORS, 5)
    assert 0 <= kept_in_picture(np.zeros((40, 2)), near) <= 1


def test_axes_are_those_of_a_planted_plane():
    plane = RNG.normal(size=(500, 2)) * (5, 2)
    turn, _ = np.linalg.qr(RNG.normal(size=(8, 8)))
    axes, shares = principal_axes(plane @ turn[:2] + 3, 2)
    assert shares.sum() == pytest.approx(1)
    centred = plane - plane.mean(0)
    variances = np.sort(np.linalg.eigvalsh(centred.T @ centred))[::-1]
    np.testing.assert_allclose(shares, variances / variances.sum())
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-12)


def test_axes_do_not_flip():
    axes, _ = principal_axes(VECTORS, 3)
    np.testing.assert_allclose(principal_axes(VECTORS[::-1], 3)[0], axes, atol=1e-10)


@pytest.mark.parametrize("k", [0, 7])
def test_axes_that_are_not_there_are_refused(k):
    with pytest.raises(ValueError, match=f"k={k}"):
        principal_axes(VECTORS, k)


def test_vectors_without_a_direction_are_refused():
    with pytest.raises(ValueError, match="all 3 vectors are the same"):
        principal_axes(np.ones((3, 4)), 2)


def test_nan_and_too_many_neighbours_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        unit_rows(np.array([[np.nan, 1.0]]))
    with pytest.raises(ValueError, match="k=40"):
        cosine_neighbours(VECTORS, 40)


def test_analogies_are_those_of_a_loop():
    u = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    right = dict.fromkeys(("left out", "kept", "c itself", "c alone"), 0)
    for a, b, c, d in QUADS:
        scores = {"kept": u @ (u[b] - u[a] + u[c]), "c alone": u @ u[c]}
        right["c itself"] += int(scores["kept"].argmax() == c)
        right["kept"] += int(scores["kept"].argmax() == d)
        for name, score in (("left out", scores["kept"]), ("c alone", scores["c alone"])):
            allowed = [i for i in range(40) if i not in (a, b, c)]
            right[name] += int(max(allowed, key=lambda i: score[i]) == d)
    report = analogy_report(VECTORS, QUADS)
    assert report == pytest.approx({name: n / 60 for name, n in right.items()} | {"chance": 1 / 37})
    assert report["left out"] == pytest.approx((analogy_ranks(VECTORS, QUADS) == 1).mean())


def planted(step, noise):
    """Twelve pairs that differ by one step and some noise, and 100 vectors more; quads over all two pairs."""
    rng = np.random.default_rng(1)
    first = unit_rows(rng.normal(size=(12, 20)))
    direction = unit_rows(rng.normal(size=(1, 20)))
    second = first + step * direction + noise * unit_rows(rng.normal(size=(12, 20)))
    vectors = np.concatenate([first, second, rng.normal(size=(100, 20))])
    return vectors, np.array([[i, i + 12, j, j + 12] for i in range(12) for j in range(12) if i != j])


def test_a_step_that_is_short_beside_the_noise_is_found_only_when_c_may_not_be_the_answer():
    """The catch that 4.1 shows: the sum stays next to c, whose mate is next; a and b have no part in it."""
    short = analogy_report(*planted(0.1, 0.5))
    assert short["left out"] > 0.9
    assert short["c alone"] == 1
    assert short["kept"] < 0.1
    assert short["c itself"] > 0.9


def test_a_long_step_is_found_by_the_sum_and_not_by_c_alone():
    long = analogy_report(*planted(2.0, 0.1))
    assert long["left out"] > 0.95
    assert long["kept"] > 0.7
    assert long["c alone"] < 0.7


def test_vectors_that_are_all_alike_solve_nothing():
    """Equal cosines are shared, so that a method without any difference does not come out first."""
    report = analogy_report(np.ones((40, 6)), QUADS)
    assert report["left out"] == pytest.approx(1 / 37)
    assert report["kept"] == pytest.approx(1 / 40)
