"""What every embedding promises, whatever it reads: a text or a graph. One check a function; `CHECKS` lists them all."""

import inspect
import random

import numpy as np
import pytest
import torch

from rec_lib.data.graphs import from_edges
from rec_lib.data.sides import Sides
from rec_lib.data.text import from_lines
from rec_lib.embeddings import Corpus

SMALL = {"dim": 4, "window": 2}
REFUSED = {"dim": 0, "window": 0, "negatives": -1, "lr": 0.0, "epochs": 0}
OTHER = {"dim": 5, "window": 1, "negatives": 1, "lr": 0.2, "epochs": 2, "subsample": 0.01, "share": 2}
OTHER |= {"architecture": "cbow", "output": "hierarchical", "p": 0.2, "q": 4.0, "num_walks": 3, "length": 9}
OTHER |= {"sides": None, "weight_step": 0.0}
SAME_LAW = {"threads"}  # more threads do the same work; the order of the steps alone differs


def planted_graph():
    """Two communities of ten nodes, joined by one edge."""
    rng = np.random.default_rng(0)
    inside = [(a + 10 * c, b + 10 * c) for c in (0, 1) for a in range(10) for b in range(a) if rng.random() < 0.6]
    return from_edges([*inside, (0, 10)])


def planted_text():
    """Two topics of ten words; a sentence keeps to one."""
    rng = np.random.default_rng(0)
    lines = [" ".join(f"w{w:02d}" for w in rng.choice(10, 12) + 10 * (k % 2)) for k in range(300)]
    return from_lines(lines, "planted")


def planted_sides():
    """An attribute that most nodes of a community share, and one that says nothing."""
    rng = np.random.default_rng(0)
    mostly = [(int(v // 10 if rng.random() < 0.9 else rng.integers(2)),) for v in range(20)]
    return Sides.of({"mostly": mostly, "noise": [(int(x),) for x in rng.integers(0, 5, 20)]})


def planted_baskets():
    """Two communities of ten items; a basket holds five of one."""
    rng = np.random.default_rng(0)
    return Corpus.from_sentences([rng.permutation(10)[:5] + 10 * (k % 2) for k in range(300)], 20)


def make(cls, **options):
    """An embedding of the planted world of its kind, by the name of its first argument; a set has no window of its own."""
    first = next(iter(inspect.signature(cls).parameters))
    if first == "baskets":
        return cls(planted_baskets(), **({"dim": 4} | options))
    if "sides" in inspect.signature(cls).parameters:
        options = {"sides": planted_sides()} | options
    return cls({"graph": planted_graph, "text": planted_text}[first](), **(SMALL | options))


def planted_community(model):
    """(n,) the community of each row of `vectors`."""
    if hasattr(model, "text"):
        return np.array([int(word[1:]) // 10 for word in model.text.words])
    return np.arange(20) // 10


def fitted(cls, seed=0, **options):
    model = make(cls, **options)
    returned = model.fit(np.random.default_rng(seed))
    assert returned is model.vectors
    return model


def check_vectors_are_rows_of_float32(cls):
    vectors = fitted(cls).vectors
    assert vectors.shape == (20, 4)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()


def check_same_generator_same_vectors(cls):
    a, b, c = (fitted(cls, seed).vectors for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def check_fitting_again_starts_anew(cls):
    model = fitted(cls)
    first = model.vectors.copy()
    np.testing.assert_array_equal(model.fit(np.random.default_rng(0)), first)


def check_no_global_random_state(cls):
    before = random.getstate(), torch.get_rng_state()
    fitted(cls)
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


def check_two_models_share_no_storage(cls):
    a, b = fitted(cls), fitted(cls)
    assert not np.shares_memory(a.vectors, b.vectors)


def check_bad_numbers_are_refused(cls):
    names = inspect.signature(cls).parameters
    for name, value in REFUSED.items():
        assert name in names
        with pytest.raises(ValueError, match="expected"):
            make(cls, **{name: value})


def check_every_option_changes_the_vectors(cls):
    plain = fitted(cls).vectors
    for name in list(inspect.signature(cls).parameters)[1:]:
        if name in SAME_LAW:
            continue
        other = fitted(cls, **{name: OTHER[name]}).vectors
        assert other.shape != plain.shape or (other != plain).any(), f"{name} changes nothing"


def check_planted_communities_are_recovered(cls):
    """Over five seeds the three nearest of a row are of its own community, nearly always."""
    for seed in range(5):
        model = fitted(cls, seed, dim=8, epochs=10, lr=0.1)
        community = planted_community(model)
        u = model.vectors / np.linalg.norm(model.vectors, axis=1, keepdims=True)
        cosine = u @ u.T - 2 * np.eye(len(u))
        near = np.argsort(-cosine, axis=1)[:, :3]
        assert (community[near] == community[:, None]).mean() > 0.9


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}
