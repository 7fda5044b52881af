"""The explorer of 4.1: what it finds is what the library computes; a name that is not there has an answer too."""

import functools

import numpy as np
import pytest
from scipy.stats import spearmanr

from rec_lib.data.text import king_james
from rec_lib.evaluation.vectors import cosine_neighbours, principal_axes, unit_rows
from rec_lib.experiments.vectors import NEAR, SETTINGS, Things, VectorSet, films, train_set
from rec_lib.figures.vectors import bars_figure, cloud_figure
from rec_lib.widgets.vectors import COLOURS, DOTS, EXAMPLES, Explorer, demo, explorer_panel


@functools.cache
def trained(id):
    return train_set(id, 0, (SETTINGS["ways"] | {"words": SETTINGS["text"]})[id])


@functools.cache
def explorer(*ids):
    return Explorer([trained(id) for id in ids])


def compute(id="ials", colour=COLOURS[0], turn=0, a="", b="", c="", leave_out=True):
    return explorer(id).compute(trained(id).label, colour, turn, a, b, c, leave_out)


def names(cloud):
    return [name for name, _, _ in cloud.near]


def test_neighbours_are_the_library_s():
    row = films().names.index("Fargo (1996)")
    expected = [films().names[i] for i in cosine_neighbours(trained("ials").vectors, NEAR)[row]]
    assert names(compute(a="fargo")) == expected


def test_a_sum_is_that_of_rows_of_length_one():
    cloud = compute(a="Toy Story", b="Aladdin (1992)", c="Fargo")
    u = unit_rows(trained("ials").vectors)
    a, b, c = (films().names.index(n) for n in ("Toy Story (1995)", "Aladdin (1992)", "Fargo (1996)"))
    query = u[a] - u[b] + u[c]
    cosine = u @ query / np.linalg.norm(query)
    cosine[[a, b, c]] = -9
    assert names(cloud) == [films().names[i] for i in np.argsort(-cosine)[:NEAR]]
    assert cloud.near[0][1] == pytest.approx(cosine.max())
    axes, _ = principal_axes(u, 3)
    np.testing.assert_allclose(cloud.target, (query - u.mean(0)) @ axes[:2].T)


def test_words_are_added_as_word2vec_adds_them():
    text = king_james()
    u = unit_rows(trained("words").vectors)
    query = u[text.number("sons")] - u[text.number("son")] + u[text.number("daughter")]
    best = [text.words[i] for i in np.argsort(-(u @ query)) if text.words[i] not in ("sons", "son", "daughter")]
    assert names(compute("words", a="sons", b="son", c="daughter")) == best[:NEAR]


def test_neighbours_in_the_picture_are_counted_by_a_loop():
    for turn in (0, 120):
        cloud = compute(a="fargo", turn=turn)
        at = {name: place for name, place in zip(cloud.names, cloud.places, strict=True)}
        own = at.pop("Fargo (1996)")
        closest = sorted(at, key=lambda name: float(((at[name] - own) ** 2).sum()))[:NEAR]
        assert cloud.in_picture == len(set(closest) & set(names(cloud)))


def test_turning_keeps_heights_and_half_a_turn_is_a_mirror():
    start, quarter, half = (compute(turn=turn).places for turn in (0, 90, 180))
    np.testing.assert_allclose(start[:, 1], quarter[:, 1])
    np.testing.assert_allclose(start[:, 0], -half[:, 0], atol=1e-12)
    u = unit_rows(trained("ials").vectors)
    axes, _ = principal_axes(u, 3)
    drawn = np.sort(np.argsort(-films().counts, kind="stable")[:DOTS])
    np.testing.assert_allclose(quarter[:, 0], ((u - u.mean(0)) @ axes[2])[drawn], atol=1e-12)


def test_everything_drawn_lies_inside_the_axes_at_every_turn():
    for turn in range(0, 351, 50):
        cloud = compute(turn=turn, a="Toy Story", b="Fargo", c="Aladdin (1992)")
        figure = cloud_figure(cloud)
        dots = np.concatenate([cloud.places, cloud.target[None]])
        assert (np.abs(dots) <= [figure.layout.xaxis.range[1], figure.layout.yaxis.range[1]]).all()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("star wars", "Star Wars (1977)"),
        (" STAR WARS (1977) ", "Star Wars (1977)"),
        ("alien", "Alien (1979)"),  # the whole name before what has it in it
        ("godfather: part", "The Godfather: Part II (1974)"),
    ],
)
def test_a_part_of_a_name_finds_the_film(text, name):
    things = films()
    found = explorer("ials").find(text, things)
    assert things.names[found.row] == name


def test_of_several_films_the_best_known_is_taken_and_it_says_so():
    found = explorer("ials").find("star", films())
    assert films().names[found.row] == "Star Wars (1977)"
    assert "the best known of" in found.said


def test_a_name_that_is_not_there_gets_names_like_it():
    cloud = compute(a="Alein")
    assert cloud.message.startswith("No film here has “Alein” in its name; names like it: Alien (1979)")
    assert cloud.near == ()
    assert cloud.target is None
    wrong_word = compute(a="the empire srtikes back")
    assert "The Empire Strikes Back (1980)" in wrong_word.message
    assert compute(a="qqqq").message == "No film here has “qqqq” in its name."
    assert "kings" in compute("words", a="kingss").message


def test_what_is_found_is_used_where_another_name_is_not():
    cloud = compute(a="fargo", b="nonsense name")
    assert names(cloud) == names(compute(a="fargo"))
    assert "nonsense name" in cloud.message


def test_an_empty_search_and_a_sum_of_zero_say_what_to_do():
    assert "Type a part of a film’s name" in compute().message
    assert "points nowhere" in compute(a="fargo", b="fargo").message


def test_what_was_asked_for_may_be_let_in():
    assert names(compute(a="fargo", leave_out=False))[0] == "Fargo (1996)"


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("id", ["ials", "words"])
def test_every_dot_has_a_named_group(id, colour):
    cloud = compute(id, colour=colour)
    assert cloud.group.min() >= 0
    assert all(cloud.groups[g] for g in set(cloud.group.tolist()))
    assert len(cloud.groups) <= 7
    assert len(cloud.names) <= DOTS


def test_groups_say_what_they_show():
    cloud = compute(colour="year")
    year = {name: int(name[-5:-1]) for name in cloud.names}
    for name, g in zip(cloud.names, cloud.group, strict=True):
        if cloud.groups[g] == "1980s":
            assert 1980 <= year[name] < 1990
        if cloud.groups[g] == "to 1969":
            assert year[name] < 1970
    by_likes = compute(colour="popularity")
    counts = dict(zip(films().names, films().counts, strict=True))
    means = [np.mean([counts[n] for n in by_likes.names[by_likes.group == g]]) for g in range(len(by_likes.groups))]
    assert means == sorted(means)
    kinds = compute()
    assert kinds.groups[kinds.group[list(kinds.names).index("Toy Story (1995)")]] == "children’s"


def test_another_kind_of_set_brings_its_own_example():
    panel = demo()
    labels = {s.things.kind: label for label, s in panel.compute.__self__.sets.items() for s in [s.set]}
    panel.controls["vectors"].value = labels["word"]
    assert tuple(panel.controls[letter].value for letter in "abc") == EXAMPLES["word"]
    assert panel.error == ""
    assert len(panel.data.near) == NEAR
    panel.controls["vectors"].value = labels["film"]
    assert panel.controls["a"].value == "Star Wars"


def test_no_set_is_refused():
    with pytest.raises(ValueError, match="no set"):
        explorer_panel([])


def test_a_set_of_three_has_two_neighbours():
    rng = np.random.default_rng(0)
    kind = Things(
        ("one", "two", "th[ree"), "word", "times", np.ones(3, int), np.zeros(3, int), np.zeros((3, 0), bool), ()
    )
    few = VectorSet("x", "few", "4.1", "nothing", kind, rng.normal(size=(3, 4)))
    cloud = Explorer([few]).compute("few", COLOURS[0], 0, "[", "", "", True)
    assert sorted(names(cloud)) == ["one", "two"]


def test_answers_to_the_panel_s_questions():
    """1: plain likes find both sequels among three, skip-gram neither among ten. 2: EGES orders by year. 3: queen is not first."""
    sequels = {"Return of the Jedi (1983)", "The Empire Strikes Back (1980)"}
    assert set(names(compute("likes", a="Star Wars"))[:2]) == sequels
    assert not sequels & set(names(compute("skip-gram", a="Star Wars")))
    cloud = compute("eges", colour="year")
    assert abs(spearmanr(cloud.places[:, 0], [int(name[-5:-1]) for name in cloud.names]).statistic) > 0.6
    assert names(compute("words", a="king", b="man", c="woman"))[:2] == ["arioch", "bathsheba"]
    assert names(compute("words", a="king", b="man", c="woman", leave_out=False))[0] == "king"


def test_bars_stand_in_order_and_name_chance():
    figure = bars_figure("t", "share", {"a": np.array([0.2, 0.3]), "b": np.array([0.5, 0.6])}, 0.1, told=("b",))
    assert list(figure.data[0].y) == ["b", "a"]
    assert list(figure.data[0].marker.pattern.shape) == ["/", ""]
    assert "chance, 0.100" in figure.layout.meta["alt"]
