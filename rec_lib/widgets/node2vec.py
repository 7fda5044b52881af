"""Node2vec live: p, q, walk length and number of walks → walks on the graph, vectors, and what both keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import ipywidgets
import numpy as np
from threadpoolctl import ThreadpoolController

from rec_lib.data.graphs import ROLES, Graph, les_miserables, planted_roles
from rec_lib.embeddings import Corpus, Vectors, Walker, cooccurrences, train_full_batch
from rec_lib.evaluation.graph import louvain, purity, same_role_auc, walk_statistics
from rec_lib.figures.node2vec import edge_path, spring_place
from rec_lib.figures.node2vec_panel import Explored, explored_figure, summary
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, choice, slider, steps

PQ = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
LENGTHS = (5, 7, 10, 20, 40, 80)
MOST_WALKS = 5
COLOURS = ("communities 社区", "roles 角色", "degree 度")
WINDOW, DIM, SEED, STEPS = 10, 16, 0, 20
BANDS = ("1–2 neighbours", "3–9 neighbours", "10 or more")
FAR = 4  # moves on that a walk is asked whether it is still in its community: fits the shortest walks


@dataclass(frozen=True)
class Scene:
    """A graph ready to be walked on: drawn, grouped, and embedded once at p = q = 1 as the common start of all settings."""

    graph: Graph
    place: np.ndarray  # (n, 2)
    edges: str
    community: np.ndarray  # (n,)
    role: np.ndarray  # (n,)
    roles: tuple[str, ...]
    start: int  # where the walks that are drawn begin
    walker: Walker
    vectors: Vectors
    map: np.ndarray  # (n, 2) of `vectors`


def planted_scene() -> Scene:
    """The planted graph, its communities around a ring: hub in the middle, members about it, leaves outside, bridges inside."""
    graph = planted_roles(np.random.default_rng(SEED))
    community, role = np.asarray(graph.community), np.asarray(graph.role)
    turn = 2 * np.pi * community / (community.max() + 1)
    radius = np.array([0.0, 0.8, 1.25, 1.1])[role]
    spread = np.array([0.0, 2 * np.pi / 14, 0.28, 0.9])[role]
    middle = np.array([0, 0, 5, 1])[role] / 2
    order = np.concatenate([np.arange((role[community == c] == r).sum()) for c in range(8) for r in range(4)])
    angle = turn + np.where(role == 3, np.pi, 0) + (order - middle * (role != 1)) * spread
    place = 3.4 * np.stack([np.cos(turn), np.sin(turn)], 1)
    place = place + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return _scene(graph, place, community, role, ROLES, start=1)


def novel_scene() -> Scene:
    """Les Misérables; it has no known roles, so nodes of like degree stand for them."""
    graph = les_miserables()
    place = spring_place(graph)
    start = graph.names.index("Marius")
    return _scene(graph, place, louvain(graph), np.digitize(graph.degree, (3, 10)), BANDS, start)


SCENES: dict[str, Callable[[], Scene]] = {
    "Les Misérables 悲惨世界": novel_scene,
    "planted communities and roles": planted_scene,
}


def _scene(
    graph: Graph, place: np.ndarray, community: np.ndarray, role: np.ndarray, roles: tuple[str, ...], start: int
) -> Scene:
    walker = Walker(graph)
    walks = walker.walk(1.0, 1.0, MOST_WALKS, 40, rng=np.random.default_rng(SEED))
    rng = np.random.default_rng(SEED)
    begin = Vectors(*(rng.normal(0, 0.1, (len(graph), DIM)).astype(np.float32) for _ in range(2)))
    vectors = _train(walks, begin, steps=300)
    return Scene(
        graph,
        place,
        edge_path(graph, place),
        community,
        role,
        roles,
        start,
        walker,
        vectors,
        flat(vectors.centre),
    )


def _train(walks: np.ndarray, begin: Vectors, steps: int) -> Vectors:
    corpus = Corpus.from_walks(walks, len(begin.centre))
    return train_full_batch(cooccurrences(corpus, WINDOW), corpus.counts, begin, steps=steps, lr=0.05)


def flat(vectors: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """(n, 2): the two directions of largest spread, scaled; turned and mirrored to lie as `like` does where that is given."""
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    points = centred @ axes[:2].T
    points = points / np.sqrt((points**2).mean())
    if like is not None:
        left, _, right = np.linalg.svd(points.T @ like)
        points = points @ (left @ right)
    return points


def _meters(
    graph: Graph, walks: np.ndarray, vectors: np.ndarray, community: np.ndarray, role: np.ndarray
) -> dict[str, float]:
    did = walk_statistics(
        graph, walks[:: len(walks) // 150 or 1], community, FAR
    )  # some 200 walks are enough for a bar
    return {
        "steps back to t (d = 0)": did["d0"],
        "steps near t (d = 1)": did["d1"],
        "steps away from t (d = 2)": did["d2"],
        f"walk: same community {FAR} moves on": did["far_same"],
        "vectors: homophily 同质性 (5 nearest)": purity(vectors, community),
        "vectors: structure 结构性 (same-role AUC)": same_role_auc(vectors, role, community),
    }


class Explorer:
    """The panel's pure part; scenes are built once, when the explorer is."""

    def __init__(self) -> None:
        self._blas = (
            ThreadpoolController()
        )  # matrices of 184 rows: handing them to other cores costs more than it saves
        with self._blas.limit(limits=1, user_api="blas"):
            self.scenes = {name: build() for name, build in SCENES.items()}
        self._learn = lru_cache(maxsize=256)(self._learn_fresh)

    def compute(self, graph: str, p: float, q: float, length: int, num_walks: int, colour: str, step: int) -> Explored:
        """Walks and vectors of one setting.

        graph: one of SCENES; p, q: 0.1 to 10; length: nodes in a walk, 5 to 80; num_walks: from each node, 1 to 5;
        colour: one of COLOURS; step: how far the three drawn walks are shown, at most to their end.

        The vectors start from those at p = q = 1 and take 20 steps of Adam on the expected skip-gram objective. So the
        result depends on the setting only, not on the way to it. Raises ValueError that names the control out of range.
        """
        check_choice("graph", graph, self.scenes)
        check_choice("colour", colour, COLOURS)
        for name, value, low, high in (("p", p, 0.1, 10), ("q", q, 0.1, 10), ("length", length, 5, 80)):
            check_range(name, value, low, high)
        check_whole("num_walks", num_walks, 1, MOST_WALKS)
        check_whole("step", step, 0, 79)
        scene = self.scenes[graph]
        with self._blas.limit(limits=1, user_api="blas"):
            points, meters = self._learn(graph, p, q, length, num_walks)
            _, reference = self._learn(graph, 1.0, 1.0, length, num_walks)
        shown = scene.walker.walk(p, q, 3, length, rng=np.random.default_rng(SEED + 1), starts=np.array([scene.start]))
        kinds = {COLOURS[0]: scene.community, COLOURS[1]: scene.role}
        group = kinds.get(colour, np.zeros(len(scene.graph), int))
        groups = scene.roles if colour == COLOURS[1] else (colour,)
        tokens = num_walks * length
        return Explored(
            graph=scene.graph,
            place=scene.place,
            edges=scene.edges,
            map=points,
            group=group,
            groups=groups,
            values=np.log(scene.graph.degree) if colour == COLOURS[2] else None,
            trails=tuple(walk[: step + 1] for walk in shown),
            steps=length,
            meters=meters,
            reference=reference,
            title=f"{graph.split(' 悲')[0]}: p = {p:g}, q = {q:g}",
            note=(
                f"{num_walks} walks of {length} nodes make {tokens} tokens a node; the vectors take the same {STEPS} steps on "
                f"their counts, so length changes what is counted, not how long it is trained."
            ),
        )

    def _learn_fresh(
        self, graph: str, p: float, q: float, length: int, num_walks: int
    ) -> tuple[np.ndarray, dict[str, float]]:
        scene = self.scenes[graph]
        walks = scene.walker.walk(p, q, num_walks, length, rng=np.random.default_rng(SEED))
        vectors = _train(walks, scene.vectors, steps=STEPS).centre
        meters = _meters(scene.graph, walks, vectors, scene.community, scene.role)
        return flat(vectors, scene.map), meters


def node2vec_panel() -> Panel:
    """The panel, with a button that plays the walks."""
    explorer = Explorer()
    controls = {
        "graph": choice("graph 图", SCENES, next(iter(SCENES))),
        "colour": choice("colour by", COLOURS, COLOURS[0]),
        "p": steps("p (return 返回)", PQ, 1.0),
        "q": steps("q (in-out 进出)", PQ, 1.0),
        "length": steps("walk length L (nodes)", LENGTHS, 80),
        "num_walks": slider("walks from each node", 1, MOST_WALKS, MOST_WALKS, 1),
        "step": slider("step shown", 0, 79, 12, 1),
    }
    panel = Panel(controls, explorer.compute, explored_figure, summary)
    play = ipywidgets.Play(
        min=0, max=79, value=controls["step"].value, interval=250, description="play the walks", show_repeat=False
    )
    ipywidgets.jslink((play, "value"), (controls["step"], "value"))
    panel.box.children = (*panel.box.children[:2], play, *panel.box.children[2:])
    return panel
