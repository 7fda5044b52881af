"""The panel of 3.4: the parts add up to the models' own scores, the list follows α, the ends are the towers alone."""

import itertools
import time

import numpy as np
import pytest
import torch

from rec_lib.evaluation.ranking import rank_held_out
from rec_lib.figures.core import alt_text
from rec_lib.figures.neural_cf import PLACES, four_users_figure, inside_figure
from rec_lib.models.neural_cf import NeuralCF, pretrained
from rec_lib.models.pair_network import pair_scores
from rec_lib.widgets.neural_cf import FILMS, Mixture, demo, summary, world_of_two_tastes


@pytest.fixture(scope="module")
def parts():
    return world_of_two_tastes()


@pytest.fixture(scope="module")
def world(parts):
    return Mixture(*parts)


def test_the_numbers_of_a_tower_add_up_to_its_score(world, parts):
    gmf, mlp, _, titles, users = parts
    for (_, user), film in itertools.product(users, (0, 1, 7)):
        data = world(user, film, 0.3)
        item = titles.index(data.film)
        assert data.gmf.sum() == pytest.approx(pair_scores(gmf, np.array([user]), len(titles))[0, item], rel=1e-4)
        assert data.mlp.sum() == pytest.approx(pair_scores(mlp, np.array([user]), len(titles))[0, item], rel=1e-4)


def test_the_mixture_is_what_a_pretrained_neumf_starts_from(world, parts):
    gmf, mlp, data, titles, users = parts
    user, alpha = users[1][1], 0.3
    both = pretrained(gmf, mlp, alpha)
    items = torch.arange(len(titles))
    with torch.no_grad():
        logits = both({"user": torch.full_like(items, user), "item": items}).numpy()
    shown = world(user, 0, alpha)
    listed = [titles.index(t) for t in shown.listed]
    np.testing.assert_allclose(shown.parts.sum(axis=1), logits[listed], rtol=1e-4)
    free = np.flatnonzero(data.rankable(np.array([user]))[0])
    assert listed == free[np.argsort(-logits[free], kind="stable")[:PLACES]].tolist()


def test_the_ends_of_the_slider_are_the_towers_alone(world, parts):
    gmf, mlp, data, titles, users = parts
    model = NeuralCF(epochs=1).fit(data)
    for alpha, net, end, row in ((1.0, gmf, 0, -1), (0.0, mlp, 1, 0)):
        model.net = net
        for _, user in users:
            shown = world(user, 1, alpha)
            assert shown.listed == [titles[i] for i in model.recommend([user], PLACES)[0][0]]
            assert shown.place[2] == shown.place[end]
        assert world.curve[row, 1] == pytest.approx(rank_held_out(model, data).ndcg)


def test_the_film_watched_next_is_marked_where_it_stands(world, parts):
    users = parts[4]
    marked = 0
    for (_, user), alpha in itertools.product(users, (0.0, 0.5, 1.0)):
        data = world(user, 0, alpha)
        assert data.film == data.last
        inside = data.place[2] <= PLACES
        assert (data.at >= 0) == inside
        if inside:
            assert data.listed[data.at] == data.last
            marked += 1
        stars = inside_figure(data).data[-1]
        assert len(stars.x) == int(inside)
    assert marked


def test_every_setting_draws_the_same_traces_and_says_so(world, parts):
    kinds = set()
    for (_, user), (_, film), alpha in itertools.product(parts[4], FILMS, (0.0, 0.35, 1.0)):
        data = world(user, film, alpha)
        kinds.add(tuple((t.type, t.name) for t in inside_figure(data).data))
        assert data.last in summary(data)
        assert f"{alpha:.2f}" in alt_text(inside_figure(data))
    assert len(kinds) == 1


def test_computing_takes_twenty_milliseconds_at_most(world, parts):
    start = time.process_time()
    for alpha in np.linspace(0, 1, 20):
        world(parts[4][0][1], 1, float(alpha))
    assert (time.process_time() - start) / 20 < 0.020


def test_bad_values_and_worlds_are_refused(world, parts):
    gmf, mlp, data, titles, users = parts
    user = users[0][1]
    with pytest.raises(ValueError, match="user got"):
        world(-1, 0, 0.5)
    with pytest.raises(ValueError, match="film got"):
        world(user, PLACES + 1, 0.5)
    with pytest.raises(ValueError, match="alpha got"):
        world(user, 0, 1.05)
    with pytest.raises(ValueError, match="one over a GMF"):
        Mixture(mlp, gmf, data, titles, users)
    with pytest.raises(ValueError, match="held-out film"):
        Mixture(gmf, mlp, data, titles, [("nobody", 0)])


def test_the_demo_is_a_panel_that_redraws():
    panel = demo()
    panel.controls["alpha"].value = 0.9
    assert panel.error == ""
    assert panel.data.alpha == pytest.approx(0.9)


def test_the_plane_of_four_users_is_drawn():
    figure = four_users_figure({"one": 10.0, "two": 50.0}, "t", "a")
    assert [t.name for t in figure.data] == ["one", "two"]
    np.testing.assert_allclose(np.hypot(figure.data[0].x[1], figure.data[0].y[1]), 1)
