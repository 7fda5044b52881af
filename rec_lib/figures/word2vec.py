"""Figures of section 4.2: the training pairs of a sentence beside vectors that move, and ranks of gold pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import BLUE, FAINT, GREY, PALETTE, VERMILION, Picture, new_figure


@dataclass(frozen=True)
class Scene:
    """One setting of the panel.

    words                 the sentence
    share (n, n)          how often place j is a context of place i, over all draws of the reach; 0 on the diagonal
    negatives             words drawn against each pair
    drawn                 for the first pairs: (centre, context, the words drawn)
    names, group          the vocabulary and the topic of each word (0 is for "the")
    trail (S, V, 2)       the vectors in two dimensions, from the start up to the step shown
    asked, near           a word and its nearest words with their cosines
    within, across        mean cosine of two words of one topic, and of two topics
    epoch                 passes over the text so far
    """

    words: tuple[str, ...]
    share: np.ndarray
    negatives: int
    drawn: tuple[tuple[str, str, tuple[str, ...]], ...]
    names: tuple[str, ...]
    group: np.ndarray
    trail: np.ndarray
    asked: str
    near: tuple[tuple[str, float], ...]
    within: float
    across: float
    epoch: int


def scene_figure(data: Scene) -> Picture:
    """Left: which places of the sentence are pairs. Right: all vectors, with the way that they came."""
    figure = new_figure(
        f"Training pairs of one sentence, and the vectors after {data.epoch} passes",
        alt(data),
        height=520,
        showlegend=False,
        margin={"l": 12, "r": 12, "t": 84, "b": 60},
        xaxis={"domain": [0.09, 0.42], "type": "category", "fixedrange": True, "title": {"text": "context 上下文"}},
        yaxis={
            "domain": [0, 1],
            "type": "category",
            "autorange": "reversed",
            "fixedrange": True,
            "title": {"text": "centre 中心词"},
        },
        xaxis2={"domain": [0.52, 1], "anchor": "y2", "visible": False, "fixedrange": True},
        yaxis2={"domain": [0, 1], "anchor": "x2", "visible": False, "fixedrange": True},
    )
    labels = [f"{place + 1} {word}" for place, word in enumerate(data.words)]
    n = len(labels)
    centre, context = (grid.ravel() for grid in np.indices((n, n)))
    share = data.share.ravel()
    pair = np.where(share > 0)[0]
    traces = [
        {
            "type": "scatter",
            "x": [labels[j] for j in context],
            "y": [labels[i] for i in centre],
            "mode": "markers",
            "marker": {"size": 6, "color": FAINT, "symbol": "square"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": [labels[j] for j in context[pair]],
            "y": [labels[i] for i in centre[pair]],
            "mode": "markers+text",
            "text": [f"{x:.0%}" for x in share[pair]],
            "textposition": "bottom center",
            "textfont": {"size": 12},
            "marker": {"size": 6 + 18 * share[pair], "color": BLUE},
            "hovertemplate": "%{y} → %{x}: %{text} of the passes<extra></extra>",
        },
    ]
    lines = np.full((len(data.names), len(data.trail) + 1, 2), np.nan)
    lines[:, :-1] = data.trail.transpose(1, 0, 2)
    flat = lines.reshape(-1, 2)
    traces.append(
        {
            "type": "scatter",
            "x": flat[:, 0],
            "y": flat[:, 1],
            "mode": "lines",
            "line": {"color": FAINT, "width": 1.5},
            "xaxis": "x2",
            "yaxis": "y2",
            "hoverinfo": "skip",
        }
    )
    shapes = np.array(["x", "circle", "square", "diamond"])
    colours = np.array([GREY, *PALETTE[:3]])
    here = data.trail[-1]
    asked = np.array([name == data.asked for name in data.names])
    written = apart(here, int(asked.argmax()))
    traces.append(
        {
            "type": "scatter",
            "x": here[:, 0],
            "y": here[:, 1],
            "mode": "markers+text",
            "text": [name if show else "" for name, show in zip(data.names, written, strict=True)],
            "hovertext": list(data.names),
            "textposition": "top center",
            "textfont": {"size": 12},
            "marker": {
                "size": np.where(asked, 17, 10),
                "symbol": shapes[data.group],
                "color": colours[data.group],
                "line": {"width": np.where(asked, 3, 0), "color": VERMILION},
            },
            "xaxis": "x2",
            "yaxis": "y2",
            "hoverinfo": "text",
        }
    )
    figure.add_traces(traces)
    return figure


def apart(points: np.ndarray, first: int) -> np.ndarray:
    """Whose names can be written without covering another's, (V,) bool: `first`, then in the order of the points (V, 2)."""
    room = np.array([0.16, 0.06]) * np.maximum(np.ptp(points, axis=0), 1e-9)
    written = np.zeros(len(points), bool)
    for w in (first, *range(len(points))):
        written[w] |= not (np.abs(points[written] - points[w]) < room).all(1).any()
    return written


def alt(data: Scene) -> str:
    """The picture in words."""
    near = ", ".join(f"{name} {cosine:.2f}" for name, cosine in data.near)
    return (
        f"Left: {int((data.share > 0).sum())} pairs of places in the sentence “{' '.join(data.words)}”, larger where a pair is "
        f"met more often. Right: the vectors of {len(data.names)} words in two dimensions after {data.epoch} passes, with the way "
        f"they came; symbols mark three topics. Nearest to {data.asked}: {near}. Mean cosine within a topic {data.within:.2f}, "
        f"across topics {data.across:.2f}."
    )


def summary(data: Scene) -> str:
    """What is seen, in plain text."""
    near = ", ".join(f"{name} ({cosine:.2f})" for name, cosine in data.near)
    if data.negatives:
        centre, context, drawn = data.drawn[0]
        pair = f"For {centre} → {context} say yes; no to the drawn {', '.join(drawn)}."
    else:
        pair = "Nothing is drawn, so every answer is yes."
    return (
        f"{int((data.share > 0).sum())} pairs at most in a pass. {pair} Nearest to {data.asked}: {near}. "
        f"Mean cosine within a topic {data.within:.2f}, across topics {data.across:.2f}."
    )


def tree_figure(
    names: tuple[str, ...], start: np.ndarray, nodes: np.ndarray, ones: np.ndarray, counts: np.ndarray
) -> Picture:
    """A Huffman tree: the root on top, words as leaves with their counts; a branch to the right is a 1."""
    n = len(names)
    leaves = sorted(range(n), key=lambda w: tuple(ones[start[w] : start[w + 1]]))
    x = {w: float(k) for k, w in enumerate(leaves)}
    below: dict[int, list[float]] = {}
    place: dict[int, tuple[float, float]] = {}
    for w in range(n):
        for depth, node in enumerate(nodes[start[w] : start[w + 1]]):
            below.setdefault(int(node), []).append(x[w])
            place[int(node)] = (float(np.mean(below[int(node)])), -float(depth))
    ends = {w: (x[w], -float(start[w + 1] - start[w])) for w in range(n)}
    edges: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for w in range(n):
        way = [place[int(node)] for node in nodes[start[w] : start[w + 1]]] + [ends[w]]
        edges += list(zip(way[:-1], way[1:], strict=True))
    codes = ["".join(str(int(b)) for b in ones[start[w] : start[w + 1]]) for w in range(n)]
    said = ", ".join(f"{names[w]} {codes[w]}" for w in range(n))
    figure = new_figure(
        "A Huffman tree: frequent words have short ways",
        f"Huffman tree of {n} words with their codes: {said}.",
        height=400,
        showlegend=False,
        xaxis={"visible": False, "fixedrange": True, "range": [-0.6, n - 0.4]},
        yaxis={"visible": False, "fixedrange": True, "range": [min(y for _, y in ends.values()) - 1.9, 0.5]},
    )
    for a, b in dict.fromkeys(edges):
        figure.add_scatter(
            x=[a[0], b[0]], y=[a[1], b[1]], mode="lines", line={"color": GREY, "width": 2}, hoverinfo="skip"
        )
    inner = np.array(list(place.values()))
    figure.add_scatter(
        x=inner[:, 0],
        y=inner[:, 1],
        mode="markers",
        marker={"size": 12, "color": BLUE, "symbol": "diamond"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[ends[w][0] for w in range(n)],
        y=[ends[w][1] for w in range(n)],
        mode="markers+text",
        text=[f"{names[w]}<br>{int(counts[w])}×<br>{codes[w]}" for w in range(n)],
        textposition="bottom center",
        textfont={"size": 13},
        marker={"size": 10, "color": VERMILION},
        hoverinfo="skip",
    )
    return figure
