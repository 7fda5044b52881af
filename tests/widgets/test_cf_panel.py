"""The panel of 2.2 held to the library: the same list, the same reasons, whatever is chosen; and the section's figures."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rec_lib.figures.cf import cost_figure, head_figure, matrix_figure, reasons_figure, settings_figure, short
from rec_lib.figures.core import alt_text
from rec_lib.models import ItemCF, UserCF
from rec_lib.schema import FIRST
from rec_lib.widgets.cf import NEIGHBOURS, SHRINKAGES, SIMILARITIES, CFWorld, cf_panel, demo, summary

FILTERS = {"UserCF": UserCF, "ItemCF": ItemCF}


@pytest.fixture(scope="module")
def panel():
    return demo()


def setting(panel, **changed):
    return panel.compute(**(panel.values | changed))


@pytest.mark.parametrize("model", FILTERS)
@pytest.mark.parametrize("kind", [value for _, value in SIMILARITIES])
def test_the_panel_shows_what_the_library_recommends(panel, model, kind):
    world, cls = panel.compute, FILTERS[model]
    name = next(n for n, own in cls.SIMILARITIES.items() if own == kind)
    for k, shrinkage in itertools.product((1, 5, 1000), (0, 10)):
        fitted = cls(k, name, float(shrinkage)).fit(world.R)
        for label, user in world.users:
            data = setting(panel, model=model, user=user, similarity=kind, k=k, shrinkage=shrinkage, place=3)
            items, scores = fitted.recommend([user], 10)
            assert data.titles == [world.titles[i] for i in items[0]], (label, k, shrinkage)
            np.testing.assert_allclose(data.scores, scores[0], atol=1e-12)
            assert data.popular == (not fitted.knows([user])[0])
            ids, amounts = fitted.contributions(user, int(items[0, 2]))
            assert data.count == len(ids)
            np.testing.assert_allclose(data.amounts, amounts[: len(data.amounts)], atol=1e-12)
            if not data.popular:
                np.testing.assert_allclose(data.parts.sum(axis=1), data.scores, atol=1e-12)
                assert (np.diff(data.parts[:, :3], axis=1) <= 1e-12).all(), "the largest reason comes first"


def test_who_has_no_neighbour_is_told_so(panel):
    new, flat = panel.compute.users[-1][1], panel.compute.users[-2][1]
    data = setting(panel, user=new)
    assert data.popular
    assert "has rated nothing" in summary(data)
    assert "the same for everybody" in summary(data)
    alone = summary(setting(panel, k=1))
    assert "1 neighbour speaks" in alone
    assert "1 reason:" in alone
    assert not data.names
    data = setting(panel, user=flat, similarity="pearson")
    assert data.popular
    assert "no neighbour of positive similarity" in summary(data)
    assert not setting(panel, user=flat, similarity="cosine").popular


def test_a_place_without_a_reason_is_told_so(panel):
    data = setting(panel, k=1, shrinkage=0, place=10)
    assert data.scores[9] == 0
    assert "nobody speaks for it" in summary(data)
    assert "Nobody speaks for place 10" in alt_text(reasons_figure(data))


def test_more_neighbours_than_there_are_change_nothing(panel):
    pools = [setting(panel, k=k).pool for k in NEIGHBOURS]
    assert pools == sorted(pools)
    assert pools[-1] < NEIGHBOURS[-1]


def test_the_chosen_place_is_marked_and_every_bar_is_there(panel):
    for place in (1, 10):
        figure = reasons_figure(setting(panel, place=place))
        marked = [i for i, text in enumerate(figure.layout.yaxis.ticktext, start=1) if text.startswith("▶")]
        assert marked == [place]
        assert len(figure.data) == 6
    few = dataclasses.replace(setting(panel), names=[], amounts=np.zeros(0), count=0)
    assert len(reasons_figure(few).data) == 6


def test_titles_that_are_too_long_are_cut():
    assert short("M") == "M"
    cut = short("The Englishman Who Went Up a Hill But Came Down a Mountain (1995)")
    assert len(cut) <= 26
    assert cut.endswith("…")


def test_a_world_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a title a column"):
        CFWorld(csr_matrix((5, 4)), ["a"], [("u", 2)])
    with pytest.raises(ValueError, match="0 users"):
        cf_panel(csr_matrix((5, 2)), ["a", "b"], [])


def test_a_world_of_five_films_gives_short_lists():
    dense = np.zeros((FIRST + 3, FIRST + 5))
    dense[FIRST : FIRST + 2, FIRST : FIRST + 3] = [[5, 3, 0], [4, 2, 5]]
    dense[FIRST + 2, FIRST:] = 4
    world = CFWorld(csr_matrix(dense), list("-?abcde"), [("one", FIRST), ("has all", FIRST + 2)])
    data = world("UserCF", FIRST, "cosine", 5, 0, 1)
    assert len(data.titles) == 3
    for user, model, place in itertools.product((FIRST, FIRST + 2), FILTERS, (1, 10)):
        data = world(model, user, "cosine", 5, SHRINKAGES[0], place)
        assert alt_text(reasons_figure(data))
        assert summary(data)


def test_the_other_figures_say_what_they_show():
    matrix = matrix_figure(np.array([[5, np.nan], [1, 3.0]]), ["ann", "bo"], ["A", "B"], "Stars")
    assert "3 of 4 cells" in alt_text(matrix)
    assert [a.text for a in matrix.layout.annotations] == ["5", "?", "1", "3"]
    settings = settings_figure([5, 50], {"cosine": [0.1, 0.2]}, "k", "NDCG@10")
    assert "best 0.200 at k = 50" in alt_text(settings)
    with pytest.raises(ValueError, match="one a k"):
        settings_figure([5], {"cosine": [0.1, 0.2]}, "k", "NDCG@10")
    head = head_figure({"α = 0": (0.9, 0.1), "½": (0.5, 0.1), "1": (0.0, 0.001)}, {"UserCF": (0.5, 0.15)}, 0.2, "Head")
    assert "UserCF 50% of the places, hit rate 0.150" in alt_text(head)
    assert "20%" in alt_text(head)
    assert list(head.data[0].textposition) == ["bottom center", "top center", "top left"]  # the last: not on the tick
    cost = cost_figure({"users": ([1, 2], [10, 40])}, {"users": 2.0}, "Cost", "users m")
    assert "users: slope 2.00" in alt_text(cost)
