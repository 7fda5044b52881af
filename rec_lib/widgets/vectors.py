"""The explorer of 4.1: any set of vectors that the course trains, as a cloud that turns; a search, neighbours, and sums."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np

from rec_lib.data.word_pairs import FAMILIES
from rec_lib.evaluation.vectors import principal_axes, unit_rows
from rec_lib.experiments.vectors import NEAR, SETTINGS, Things, VectorSet, train_set
from rec_lib.figures.vectors import Cloud, cloud_figure, summary
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider, switch

COLOURS = ("genre or family", "year", "popularity")
DOTS = 450  # things that are drawn, the most frequent, so that a turn is smooth; all are searched
TURN = 350
EXAMPLES = {"film": ("Star Wars", "", ""), "word": ("king", "man", "woman")}
# A film's first of these genres is its colour; the last are those that most films have.
_KINDS = {
    "children’s": ("Children's", "Animation"),
    "science fiction": ("Sci-Fi",),
    "horror, thriller": ("Horror", "Thriller", "Mystery", "Crime", "Film-Noir"),
    "action": ("Action", "Adventure", "War", "Western"),
    "romance": ("Romance",),
    "comedy": ("Comedy", "Musical"),
}
_YEARS = ((1, "to 1969"), (1970, "1970s"), (1980, "1980s"), (1990, "1990–94"), (1995, "1995"), (1996, "1996 on"))


@dataclass(frozen=True, eq=False)
class Prepared:
    """A set with what is computed once: rows of length 1, three components, and which rows are drawn."""

    set: VectorSet
    unit: np.ndarray
    mean: np.ndarray
    axes: np.ndarray
    shares: np.ndarray
    places: np.ndarray
    drawn: np.ndarray


@dataclass(frozen=True)
class Found:
    """What a text was taken to mean: a row, or None, and the sentence that says so."""

    row: int | None
    said: str


class Explorer:
    """The panel's pure part. Raises ValueError where there is no set."""

    def __init__(self, sets: Sequence[VectorSet]) -> None:
        if not sets:
            raise ValueError("got no set of vectors; expected at least one, as train_set makes them.")
        self.sets = {s.label: _prepared(s) for s in sets}
        self._lower = {id(s.things): [name.casefold() for name in s.things.names] for s in sets}
        self._groups = {id(s.things): {by: _grouped(s.things, by) for by in COLOURS} for s in sets}

    def find(self, text: str, things: Things) -> Found:
        """The thing whose name is the text, or the most frequent one whose name has it; capitals do not matter."""
        key, names = text.strip().casefold(), self._lower[id(things)]
        if not key:
            return Found(None, "")
        exact = [i for i, name in enumerate(names) if key in (name, _bare(name))]
        within = exact or [i for i, name in enumerate(names) if key in name]
        if not within:
            near = _like(key, names)
            hint = f"; names like it: {', '.join(things.names[i] for i in near)}" if near else ""
            return Found(None, f"No {things.kind} here has “{text.strip()}” in its name{hint}.")
        row = max(within, key=lambda i: things.counts[i])
        more = f", the best known of {len(within)} with “{text.strip()}”" if len(within) > 1 else ""
        return Found(row, f"{things.names[row]}{more} ({things.counts[row]:,} {things.unit})")

    def compute(self, vectors: str, colour: str, turn: int, a: str, b: str, c: str, leave_out: bool) -> Cloud:
        """One setting: the label of a set, one of COLOURS, 0 to 350 degrees, three texts, and whether a, b and c may not be found.

        Raises ValueError that names the control out of range; a text that is no name is not out of range.
        """
        check_choice("vectors", vectors, self.sets)
        check_choice("colour", colour, COLOURS)
        check_whole("turn", turn, 0, TURN)
        for name, text in (("a", a), ("b", b), ("c", c)):
            if not isinstance(text, str):
                raise ValueError(f"{name} got {text!r}, expected a text such as 'Star Wars'.")
        check_choice("leave_out", leave_out, (False, True))
        now = self.sets[vectors]
        things = now.set.things
        angle = np.deg2rad(turn)
        x, y, z = now.places.T
        plane = np.stack([x * np.cos(angle) + z * np.sin(angle), y], axis=1)
        found = {letter: self.find(text, things) for letter, text in (("a", a), ("b", b), ("c", c))}
        rows = {letter: f.row for letter, f in found.items() if f.row is not None}
        target: np.ndarray | None = None
        near: tuple[tuple[str, float, np.ndarray], ...] = ()
        in_picture = 0
        if rows:
            query = sum((-1 if letter == "b" else 1) * now.unit[row] for letter, row in rows.items())
            length = np.linalg.norm(query)
            if length > 1e-9:
                cosine = now.unit @ (query / length)
                barred = [*rows.values()] if leave_out else []
                cosine[barred] = -np.inf
                best = np.argsort(-cosine, kind="stable")[: min(NEAR, len(cosine) - len(set(barred)))]
                flat = (query - now.mean) @ now.axes.T
                target = np.array([flat[0] * np.cos(angle) + flat[2] * np.sin(angle), flat[1]])
                gap = ((plane - target) ** 2).sum(1)
                gap[barred] = np.inf
                in_picture = len(set(np.argsort(gap, kind="stable")[: len(best)].tolist()) & set(best.tolist()))
                near = tuple((things.names[i], float(cosine[i]), plane[i]) for i in best)
                target = target if len(rows) > 1 else None  # the sum of one is that one
        group, groups = self._groups[id(things)][colour]
        return Cloud(
            title=f"{now.set.label}: vectors of {now.unit.shape[1]} numbers (section {now.set.section})",
            dim=now.unit.shape[1],
            names=np.array(things.names)[now.drawn],
            places=plane[now.drawn],
            group=group[now.drawn],
            groups=groups,
            reach=1.05 * np.array([np.hypot(now.places[:, 0], now.places[:, 2]).max(), np.abs(y).max()]),
            turn=turn,
            asked={letter: (things.names[row], plane[row]) for letter, row in rows.items()},
            target=target,
            near=near,
            in_picture=in_picture,
            shares=now.shares,
            message=_said(found, rows, bool(near), things),
        )


def explorer_panel(sets: Sequence[VectorSet]) -> Panel:
    """The panel over these sets. Another kind of set (films, words) brings its own example for a, b and c."""
    explorer = Explorer(sets)
    kinds = {s.label: s.things.kind for s in sets}
    first = sets[0]
    start = EXAMPLES[first.things.kind]
    controls = {
        "vectors": choice("vectors", [(f"{s.label} ({s.section})", s.label) for s in sets], first.label),
        "colour": choice("colour by", COLOURS, COLOURS[0]),
        "turn": slider("turn the cloud (degrees)", 0, TURN, 0, 10),
        **{
            letter: ipywidgets.Text(value=text, description=label, **_TEXT)
            for letter, label, text in zip("abc", ("find a", "minus b", "plus c"), start, strict=True)
        },
        "leave_out": switch("a, b, c may not be the answer", True),
    }

    def another_kind(change: dict[str, str]) -> None:
        if kinds[change["old"]] != kinds[change["new"]]:
            for letter, text in zip("abc", EXAMPLES[kinds[change["new"]]], strict=True):
                controls[letter].value = text

    panel = Panel(controls, explorer.compute, cloud_figure, summary)
    controls["vectors"].observe(another_kind, names="value")
    return panel


def demo() -> Panel:
    """The panel over two sets of films and the words, trained as for the measurements, with words of one pass."""
    quick = {**SETTINGS["text"], "dim": 16, "epochs": 1}
    sets = [train_set(id, 0, SETTINGS["ways"][id]) for id in ("ials", "node2vec")]
    return explorer_panel([*sets, train_set("words", 0, quick)])


_TEXT = {"style": {"description_width": "initial"}, "layout": {"flex": "1 1 220px", "max_width": "300px"}}


def _prepared(s: VectorSet) -> Prepared:
    unit = unit_rows(s.vectors)
    axes, shares = principal_axes(unit, 3)
    mean = unit.mean(0)
    drawn = np.sort(np.argsort(-s.things.counts, kind="stable")[:DOTS])
    return Prepared(s, unit, mean, axes, shares, (unit - mean) @ axes.T, drawn)


def _grouped(things: Things, by: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The group of each thing, (n,), and the groups' names."""
    n = len(things.names)
    if by == "popularity":
        edges = np.quantile(things.counts, (0.5, 0.75, 0.9, 0.97)).astype(int)
        names = (
            f"{things.unit}: up to {edges[0]:,}",
            *(f"{low + 1:,}–{high:,}" for low, high in zip(edges[:-1], edges[1:], strict=True)),
            f"more than {edges[-1]:,}",
        )
        return np.searchsorted(edges, things.counts), names
    if by == "year":
        if not things.year.any():
            return np.full(n, 6), ("",) * 6 + ("words have no year",)
        starts = [start for start, _ in _YEARS]
        place = np.searchsorted(starts, things.year, side="right") - 1
        return np.where(place < 0, 6, place), (*(name for _, name in _YEARS), "no year")
    if things.kind == "word":
        family = {w: k for k, pairs in enumerate(FAMILIES.values()) for pair in pairs for w in pair}
        return np.array([family.get(w, 6) for w in things.names]), (*FAMILIES, "other words")
    column = {name: j for j, name in enumerate(things.genre_names)}
    has = np.stack([things.genres[:, [column[g] for g in some if g in column]].any(1) for some in _KINDS.values()], 1)
    return np.where(has.any(1), has.argmax(1), 6), (*_KINDS, "drama, other")


def _bare(name: str) -> str:
    """A film's name without its year."""
    return name[:-7] if name.endswith(")") and name[-6:-5] == "(" else name


def _like(key: str, names: list[str]) -> list[int]:
    """Up to three names that are spelled like the text, or have a word that is."""
    bare = [_bare(name) for name in names]
    close = difflib.get_close_matches(key, bare, 3, 0.6)
    if not close:
        words = {w for name in bare for w in name.split() if len(w) > 3}
        alike = difflib.get_close_matches(key, sorted(words), 3, 0.7)
        close = [next(name for name in bare if w in name.split()) for w in alike]
    return [bare.index(name) for name in dict.fromkeys(close)]


def _said(found: dict[str, Found], rows: dict[str, int], any_near: bool, things: Things) -> str:
    lost = " ".join(f.said for f in found.values() if f.row is None and f.said)
    if not rows:
        return lost or f"Type a part of a {things.kind}’s name after “find a”."
    if not any_near:
        return f"{lost} The sum is zero: it points nowhere.".strip()
    signs = {"a": "", "b": "− ", "c": "+ "}
    total = " ".join(signs[letter] + found[letter].said for letter in rows)
    return f"{lost} Looking for {total}.".strip()
