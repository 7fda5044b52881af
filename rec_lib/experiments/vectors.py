"""4.1 What an embedding is: vectors of the same films by every way that the course has, and the words of 4.2, under one measure.

Names: films/<set>/<measure> and words/<measure>, with the measures
    genre           share of the ten nearest films that have a genre in common with the film
    share2, share3  share of the variance that a picture of two, or three, principal components has
    kept2, kept3    share of the ten nearest that are among the ten nearest dots of that picture
    analogies, analogies_kept, answer_is_c, c_alone, chance    see `analogy_report`
    picture_chance  the share that dots strewn at random would keep
words/queen: rank of queen for king − man + woman.
films/random is for vectors that were drawn, not learnt; films/chance/genre for films drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from rec_lib.data import movielens, views
from rec_lib.data.graphs import from_edges
from rec_lib.data.sides import Sides
from rec_lib.data.word_pairs import analogies
from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.deepwalk import DeepWalk
from rec_lib.embeddings.eges import EGES
from rec_lib.embeddings.engine import train
from rec_lib.embeddings.item2vec import Item2vec
from rec_lib.embeddings.node2vec import Node2vec
from rec_lib.embeddings.word2vec import Word2vec
from rec_lib.evaluation.vectors import analogy_report, cosine_neighbours, kept_in_picture, principal_axes, unit_rows
from rec_lib.evaluation.words import analogy_ranks
from rec_lib.experiments.core import Experiment
from rec_lib.experiments.film_vectors import SETTINGS as FM_SETTINGS
from rec_lib.experiments.film_vectors import train_film_vectors
from rec_lib.experiments.node2vec import genre_precision, genres, random_precision
from rec_lib.experiments.word2vec import SETTINGS as WORD_SETTINGS
from rec_lib.experiments.word2vec import bible
from rec_lib.models.ials import IALS
from rec_lib.schema import FIRST

LEAST = 20  # likes of a film that is shown and judged; all films train
NEAR = 10
# A film and the next of its series, both liked LEAST times or more: written down from the titles before anything was trained.
SERIES = tuple(
    tuple(line.split(" > "))
    for line in """\
Star Wars (1977) > The Empire Strikes Back (1980)
Raiders of the Lost Ark (1981) > Indiana Jones and the Last Crusade (1989)
The Godfather (1972) > The Godfather: Part II (1974)
Alien (1979) > Aliens (1986)
The Terminator (1984) > Terminator 2: Judgment Day (1991)
Die Hard (1988) > Die Hard 2 (1990)
Batman (1989) > Batman Returns (1992)
Jurassic Park (1993) > The Lost World: Jurassic Park (1997)
Star Trek: The Motion Picture (1979) > Star Trek: The Wrath of Khan (1982)
Jean de Florette (1986) > Manon of the Spring (Manon des sources) (1986)
The Wrong Trousers (1993) > A Close Shave (1995)
Three Colors: Blue (1993) > Three Colors: White (1994)
Scream (1996) > Scream 2 (1997)""".splitlines()
)
# No setting was chosen by what is measured here. Sessions, DeepWalk and Node2vec run as in 4.4.2 (q = 4: the end of its
# range where most is found), FM as in 4.6, words as in 4.2, EGES as in 4.4.3.
SETTINGS: dict[str, Any] = {
    "ways": {
        "likes": {},
        "ials": {"dim": 16},
        "fm": FM_SETTINGS,
        "skip-gram": {"dim": 16, "window": 5, "epochs": 10},
        "item2vec": {"dim": 16, "window": 10, "share": 5, "subsample": 1e-3, "epochs": 20},
        "deepwalk": {"dim": 16, "num_walks": 10, "length": 40, "window": 5},
        "node2vec": {"dim": 16, "q": 4.0, "num_walks": 10, "length": 40, "window": 5},
        "eges": {"dim": 16, "epochs": 1, "lr": 0.05},
    },
    "text": WORD_SETTINGS["base"],
}


@dataclass(frozen=True, eq=False)
class Things:
    """What the vectors stand for, row by row.

    names; kind ("film" or "word"); unit of `counts` (n,): "likes" or "occurrences"; year (n,), 0 where there is none;
    genres (n, G) bool in the order of `genre_names`, G = 0 for words.
    """

    names: tuple[str, ...]
    kind: str
    unit: str
    counts: np.ndarray
    year: np.ndarray
    genres: np.ndarray
    genre_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class VectorSet:
    """One way's vectors (n, d): `id` as in SETTINGS, a `label`, the `section` that teaches it, what it `read`."""

    id: str
    label: str
    section: str
    read: str
    things: Things
    vectors: np.ndarray


@cache
def likes() -> csr_matrix:
    """(users + 2, films + 2) CSR of float32: 1 where a user gave a film four stars or more."""
    table = views.ctr(movielens.load())
    liked = table["label"].numpy() == 1
    user, film = table["user"].numpy()[liked], table["item"].numpy()[liked]
    shape = (table.schema.size("user"), table.schema.size("item"))
    return csr_matrix((np.ones(len(user), np.float32), (user, film)), shape=shape)


@cache
def often() -> np.ndarray:
    """Encoded ids of the films that are shown and judged, ascending."""
    return np.flatnonzero(np.bincount(likes().indices, minlength=likes().shape[1]) >= LEAST)


@cache
def films() -> Things:
    """Films that were liked LEAST times or more."""
    ml, ids = movielens.load(), often()
    titles = views.item_titles(ml)
    return Things(
        tuple(titles[i] for i in ids),
        "film",
        "likes",
        np.bincount(likes().indices, minlength=likes().shape[1])[ids],
        ml.items["year"].to_numpy()[ids - FIRST],
        genres(ml)[ids],
        tuple(sorted({genre for row in ml.items["genres"] for genre in row})),
    )


@cache
def words() -> Things:
    """The words of 4.2."""
    text = bible()
    n = len(text.words)
    return Things(text.words, "word", "occurrences", text.counts, np.zeros(n, int), np.zeros((n, 0), bool), ())


def film_quads() -> np.ndarray:
    """Rows of `films()` (a, b, c, d): film a is to its sequel b as c is to d, for every two series, (m, 4)."""
    row = {name: i for i, name in enumerate(films().names)}
    pairs = [(row[first], row[second]) for first, second in SERIES]
    return np.array([[*p, *q] for p in pairs for q in pairs if p != q])


def _sessions(seed: int) -> list[np.ndarray]:
    return [s - FIRST for s in views.sequences(movielens.load(), rng=np.random.default_rng(seed))]


def _graph(seed: int) -> Any:
    steps = np.concatenate([np.stack([s[:-1], s[1:]], 1) for s in _sessions(seed)])
    steps = steps[steps[:, 0] != steps[:, 1]]
    return from_edges(steps, directed=True, names=views.item_titles(movielens.load())[FIRST:])


def _likes(seed: int) -> np.ndarray:
    return likes().T.toarray()[FIRST:, FIRST:]


def _ials(seed: int, dim: int) -> np.ndarray:
    return IALS(dim=dim, rng=np.random.default_rng(seed)).fit(likes()).y[FIRST:]


def _fm(seed: int, **settings: Any) -> np.ndarray:
    return train_film_vectors(seed, **settings).vectors


def _skip_gram(seed: int, **settings: Any) -> np.ndarray:
    corpus = Corpus.from_sentences(_sessions(seed), len(movielens.load().items))
    return train(corpus, **settings, rng=np.random.default_rng(seed)).centre


def _item2vec(seed: int, **settings: Any) -> np.ndarray:
    matrix = likes()[FIRST:, FIRST:]
    baskets = Corpus(matrix.indices, matrix.indptr.astype(np.int64), matrix.shape[1])
    return Item2vec(baskets, **settings).fit(np.random.default_rng(seed))


def _deepwalk(seed: int, **settings: Any) -> np.ndarray:
    return DeepWalk(_graph(seed), **settings).fit(np.random.default_rng(seed))


def _node2vec(seed: int, **settings: Any) -> np.ndarray:
    return Node2vec(_graph(seed), **settings).fit(np.random.default_rng(seed))


def _eges(seed: int, **settings: Any) -> np.ndarray:
    items = movielens.load().items
    years = [(int(year),) if year else () for year in items["year"]]
    sides = Sides.of({"genre": list(items["genres"]), "year": years}, least=2)
    return EGES(_graph(seed), sides, **settings).fit(np.random.default_rng(seed))


# id: label, section, what the vectors were learnt from, recipe: (seed, settings) → (all films, d), row i is encoded id FIRST + i
FILM_WAYS: dict[str, tuple[str, str, str, Callable[..., np.ndarray]]] = {
    "likes": ("likes themselves (no training)", "2.2", "which users liked the film", _likes),
    "ials": ("implicit ALS", "2.3", "who liked what, and what was left", _ials),
    "fm": ("FM", "4.6", "clicks, with every feature of user and film", _fm),
    "skip-gram": ("skip-gram on sessions", "4.2", "which films were liked close to each other in time", _skip_gram),
    "item2vec": ("Item2vec", "4.3", "which films a user liked, as a set", _item2vec),
    "deepwalk": ("DeepWalk", "4.4.1", "walks on the graph of what was liked next", _deepwalk),
    "node2vec": ("Node2vec (q = 4)", "4.4.2", "walks on that graph that stay near", _node2vec),
    "eges": ("EGES", "4.4.3", "walks on that graph, and the films' genres and years", _eges),
}


def train_set(id: str, seed: int, settings: dict[str, Any]) -> VectorSet:
    """One set of FILM_WAYS, or "words", trained from new random vectors. Raises ValueError for another id."""
    if id == "words":
        vectors = Word2vec(bible(), **settings).fit(np.random.default_rng(seed))
        return VectorSet(
            id, "King James words, skip-gram", "4.2", "which words stand near each other", words(), vectors
        )
    if id not in FILM_WAYS:
        raise ValueError(f"no set {id!r}; expected one of {[*FILM_WAYS, 'words']}")
    label, section, read, recipe = FILM_WAYS[id]
    return VectorSet(id, label, section, read, films(), recipe(seed, **settings)[often() - FIRST])


def judged(vectors: np.ndarray, quads: np.ndarray) -> dict[str, float]:
    """The measures that films and words have in common."""
    u = unit_rows(vectors)
    near = cosine_neighbours(u, NEAR)
    axes, shares = principal_axes(u, 3)
    places = (u - u.mean(0)) @ axes.T  # (n, 3)
    report = analogy_report(u, quads)
    return {
        "share2": float(shares[:2].sum()),
        "share3": float(shares.sum()),
        "kept2": kept_in_picture(places[:, :2], near),
        "kept3": kept_in_picture(places, near),
        "picture_chance": NEAR / (len(u) - 1),
        "analogies": report["left out"],
        "analogies_kept": report["kept"],
        "answer_is_c": report["c itself"],
        "c_alone": report["c alone"],
        "chance": report["chance"],
    }


def run(seed: int, ways: dict[str, dict[str, Any]], text: dict[str, Any]) -> dict[str, float]:
    """Every set once, and films and vectors drawn at random."""
    quads, everyone = film_quads(), np.arange(len(often()))
    noise = np.random.default_rng(seed).normal(size=(len(everyone), 16))
    found = {id: train_set(id, seed, settings).vectors for id, settings in ways.items()} | {"random": noise}
    results = {"films/chance/genre": random_precision(films().genres, everyone)}
    for id, vectors in found.items():
        measures = {"genre": genre_precision(vectors, films().genres, everyone, NEAR)} | judged(vectors, quads)
        results |= {f"films/{id}/{key}": value for key, value in measures.items()}
    vectors = train_set("words", seed, text).vectors
    measures = judged(vectors, analogies(bible())) | {"queen": queen_rank(vectors)}
    return results | {f"words/{key}": value for key, value in measures.items()}


def queen_rank(vectors: np.ndarray) -> float:
    """Rank of queen for king − man + woman, the three left out: 1 is what the famous example promises."""
    quad = [bible().number(word) for word in ("man", "king", "woman", "queen")]
    return float(analogy_ranks(vectors, np.array([quad]))[0])


EXPERIMENT = Experiment(id="4.1", run=run, settings=SETTINGS)
