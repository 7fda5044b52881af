"""The node2vec panel: what it shows is what the library computes, and the way to a setting does not matter."""

import functools

import ipywidgets
import numpy as np
import pytest

from rec_lib.embeddings import Corpus, cooccurrences, train_full_batch
from rec_lib.embeddings.engine import noise_law
from rec_lib.embeddings.fullbatch import expected_pairs, objective
from rec_lib.evaluation.graph import same_role_auc, step_distances
from rec_lib.figures.node2vec import alpha_figure, clusters_figure, fit_figure, spring_place
from rec_lib.widgets.node2vec import COLOURS, SCENES, SEED, STEPS, WINDOW, Explorer, flat, node2vec_panel

NOVEL, PLANTED = SCENES


@functools.cache
def explorer():
    return Explorer()


def compute(graph=NOVEL, p=1.0, q=1.0, length=40, num_walks=5, colour=COLOURS[0], step=10):
    return explorer().compute(graph, p, q, length, num_walks, colour, step)


@pytest.mark.parametrize("graph", SCENES)
def test_trails_are_walks_and_a_later_step_only_adds(graph):
    short, long = compute(graph, step=4), compute(graph, step=30)
    matrix = short.graph.matrix().toarray()
    for a, b in zip(short.trails, long.trails, strict=True):
        np.testing.assert_array_equal(a, b[:5])
        assert len(b) == 31
        assert all(matrix[u, v] > 0 for u, v in zip(b[:-1], b[1:], strict=True))
        assert b[0] == explorer().scenes[graph].start


def test_steps_beyond_the_end_of_a_walk_show_its_end():
    data = compute(length=5, step=79)
    assert [len(trail) for trail in data.trails] == [5, 5, 5]
    assert "Step 4 of 4" in node2vec_panel().summary(data)


@pytest.mark.parametrize("graph", SCENES)
def test_meters_say_what_q_does(graph):
    inward, outward = compute(graph, q=10.0).meters, compute(graph, q=0.1).meters
    away, stays = list(inward)[2], list(inward)[3]
    assert outward[away] > 1.5 * inward[away]
    assert inward[stays] > outward[stays] + 0.1
    assert all(0 <= value <= 1 for data in (inward, outward) for value in data.values())
    assert sum(list(inward.values())[:3]) == pytest.approx(1)


def test_structure_meter_is_the_library_s_measure():
    scene = explorer().scenes[PLANTED]
    walks = scene.walker.walk(1.0, 0.25, 5, 40, rng=np.random.default_rng(SEED))
    corpus = Corpus.from_walks(walks, len(scene.graph))
    vectors = train_full_batch(cooccurrences(corpus, WINDOW), corpus.counts, scene.vectors, steps=STEPS, lr=0.05)
    expected = same_role_auc(vectors.centre, scene.role, scene.community)
    assert list(compute(PLANTED, q=0.25).meters.values())[5] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("graph", SCENES)
@pytest.mark.parametrize("q", [0.1, 10.0])
def test_few_steps_from_the_common_start_come_near_the_optimum(graph, q):
    """The slider's short training loses little against a long one."""
    scene = explorer().scenes[graph]
    walks = scene.walker.walk(1.0, q, 5, 40, rng=np.random.default_rng(SEED))
    corpus = Corpus.from_walks(walks, len(scene.graph))
    counts = cooccurrences(corpus, WINDOW)
    pairs = expected_pairs(counts, noise_law(corpus.counts))
    start, few, many = (
        objective(train_full_batch(counts, corpus.counts, scene.vectors, steps=k, lr=0.05), *pairs)
        for k in (0, STEPS, 500)
    )
    assert few < start
    assert (start - few) > 0.7 * (start - many)


def test_the_map_is_turned_to_lie_as_the_reference_does():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 6))
    map_ = flat(vectors)
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    np.testing.assert_allclose(flat(vectors @ turn, map_), map_, atol=1e-8)


def test_colours_say_what_they_show():
    by = {colour: compute(PLANTED, colour=colour) for colour in COLOURS}
    assert by[COLOURS[1]].groups == ("hub", "member", "leaf", "bridge")
    assert by[COLOURS[2]].values is not None
    assert len(set(by[COLOURS[0]].group.tolist())) == 8


def test_play_drives_the_step():
    panel = node2vec_panel()
    assert any(isinstance(child, ipywidgets.Play) for child in panel.box.children)


def test_figures_of_the_section_have_alt_texts_with_their_numbers():
    graph = explorer().scenes[NOVEL].graph
    label = np.arange(len(graph)) % 6
    figures = [
        alpha_figure(4, 0.5),
        clusters_figure(graph, spring_place(graph), {"six": label, "one": label * 0}, "Clusters"),
        fit_figure(["a", "b"], np.array([10, 20]), np.array([12.0, 18.0]), "Fit"),
    ]
    words = ("P = 0.38", "77", "standard errors")
    assert all(word in figure.layout.meta["alt"] for word, figure in zip(words, figures, strict=True))


def test_step_distances_by_hand():
    graph = explorer().scenes[NOVEL].graph
    walks = explorer().scenes[NOVEL].walker.walk(rng=np.random.default_rng(0), num_walks=1, length=20)
    distance = step_distances(graph, walks)
    matrix = graph.matrix().toarray() > 0
    for row, found in zip(walks, distance, strict=True):
        for t, x, d in zip(row[:-2], row[2:], found, strict=True):
            assert d == (0 if t == x else 1 if matrix[t, x] else 2)
