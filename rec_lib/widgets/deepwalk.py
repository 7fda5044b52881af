"""DeepWalk live: one walker on a graph, the law of its next jump, and where many walkers spend their time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import ipywidgets
import networkx as nx
import numpy as np

from rec_lib.data import movielens, views
from rec_lib.data.graphs import Graph, from_edges, from_networkx, item_graph, karate_club, les_miserables
from rec_lib.embeddings.deepwalk import jump_probabilities
from rec_lib.embeddings.walks import END, Walker
from rec_lib.figures.deepwalk import Walked, summary, walked_figure
from rec_lib.figures.node2vec import edge_path, spring_place
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider

JUMPS, WALKS, MANY = 60, 9, 300
FILMS, SHOWN = 24, 7


def most_liked_films() -> Graph:
    """Transitions between the films that were liked most, directed and weighted."""
    ml = movielens.load()
    graph = item_graph(views.sequences(ml), views.item_titles(ml))
    strength = np.bincount(graph.indices, graph.weights, len(graph))
    kept = np.sort(np.argsort(-strength, kind="stable")[:FILMS])
    part = graph.matrix()[kept][:, kept].tocoo()
    return from_edges(np.stack(part.coords, 1), part.data, True, [graph.names[k] for k in kept])


def shop_with_a_sink() -> Graph:
    """Ten pages of a shop; nobody goes on from the last one."""
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 0), (3, 4), (4, 5), (5, 6), (6, 4), (6, 7), (7, 8), (8, 6), (8, 9)]
    weights = [5, 3, 4, 3, 2, 4, 3, 3, 1, 4, 3, 1, 2]
    pages = ["start", "offers", "search", "list", "shoe", "size", "basket", "address", "payment", "thank you"]
    return from_edges(np.array(pairs), np.array(weights, float), True, pages)


GRAPHS: dict[str, Callable[[], Graph]] = {
    "karate club 空手道俱乐部": karate_club,
    "Les Misérables 悲惨世界": les_miserables,
    "women and events 南方妇女": lambda: from_networkx(nx.davis_southern_women_graph()),
    "films liked one after the other": most_liked_films,
    "pages of a shop, with a sink": shop_with_a_sink,
}


@dataclass(frozen=True, eq=False)
class Scene:
    """A graph ready to be walked on: all its walks are made, the panel only looks."""

    graph: Graph
    place: np.ndarray
    edges: str
    walks: np.ndarray  # (WALKS, JUMPS + 1), from one node
    crowd: np.ndarray  # (MANY, JUMPS + 1), from nodes all over
    share: np.ndarray  # (n,) of the weight of all edges


@cache
def scene(name: str) -> Scene:
    """The scene of one of GRAPHS."""
    graph = GRAPHS[name]()
    walker, n = Walker(graph), len(graph)
    strength = np.bincount(graph.rows, graph.weights, n)
    start = 0 if graph.directed and n < 20 else int(np.argsort(-strength)[n // 2])
    walks = walker.walk(num_walks=WALKS, length=JUMPS + 1, rng=np.random.default_rng(1), starts=np.array([start]))
    crowd = walker.walk(num_walks=MANY // n + 1, length=JUMPS + 1, rng=np.random.default_rng(2))[:MANY]
    place = spring_place(graph)
    return Scene(graph, place, edge_path(graph, place), walks, crowd, strength / strength.sum())


def compute(graph: str, walk: int, step: int) -> Walked:
    """Walk number `walk` (1 to 9) after `step` jumps (0 to 60), or at its end.

    graph: one of GRAPHS. Raises ValueError that names the control out of range.
    """
    check_choice("graph", graph, GRAPHS)
    check_whole("walk", walk, 1, WALKS)
    check_whole("step", step, 0, JUMPS)
    s = scene(graph)
    whole = s.walks[walk - 1]
    trail = whole[: step + 1][whole[: step + 1] != END]
    here = int(trail[-1])
    nodes = s.graph.neighbours(here)
    law = jump_probabilities(s.graph.weights[s.graph.indptr[here] : s.graph.indptr[here + 1]])
    order = np.argsort(-law, kind="stable")
    so_far = s.crowd[:, : step + 1]
    seen = np.bincount(so_far[so_far != END], minlength=len(s.graph)) / (so_far != END).sum()
    shown = np.argsort(-s.share, kind="stable")[:SHOWN]
    return Walked(
        graph=s.graph,
        place=s.place,
        edges=s.edges,
        trail=trail,
        ended=len(nodes) == 0,
        following=int(whole[len(trail)]) if len(trail) < len(whole) else END,
        nodes=nodes[order],
        law=law[order],
        visited=shown,
        seen=seen[shown],
        expected=s.share[shown],
        title=f"{graph}: walk {walk}, {len(trail) - 1} jumps",
    )


def deepwalk_panel() -> Panel:
    """The panel, with a button that lets the walker walk."""
    controls = {
        "graph": choice("graph 图", GRAPHS, next(iter(GRAPHS))),
        "walk": slider("walk", 1, WALKS, 1, 1),
        "step": slider("jumps made", 0, JUMPS, 8, 1),
    }
    panel = Panel(controls, compute, walked_figure, summary)
    play = ipywidgets.Play(
        min=0, max=JUMPS, value=controls["step"].value, interval=400, description="let it walk", show_repeat=False
    )
    ipywidgets.jslink((play, "value"), (controls["step"], "value"))
    panel.box.children = (*panel.box.children[:2], play, *panel.box.children[2:])
    return panel
