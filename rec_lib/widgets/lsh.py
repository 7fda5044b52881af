"""The panel of section 4.6: buckets in the plane, a query's candidates, and the S-curve that predicts them.

The hashes are drawn once, when the panel is made. A slider only says how many of them are used and how wide their
buckets are, so that what changes in the picture is what was moved.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from rec_lib.figures.lsh import NEIGHBOURS, Buckets, buckets_figure
from rec_lib.retrieval import ExactIndex
from rec_lib.retrieval.probability import and_or, collision, or_and, threshold
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, choice, slider

WIDTHS, HASHES, TABLES = (0.2, 4.0), (1, 8), (1, 12)
ORDERS = (("AND 与, then OR 或", "and-or"), ("OR 或, then AND 与", "or-and"))
GRID = 56  # places along each side of the shaded plane
QUERIES = 40  # over which recall is averaged


class BucketWorld:
    """Points in the plane, some of them queries, and TABLES × HASHES hashes to choose from."""

    def __init__(self, points: np.ndarray, names: Sequence[str], rng: np.random.Generator) -> None:
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 * QUERIES or len(names) != len(points):
            raise ValueError(
                f"got points {points.shape} and {len(names)} names; expected (n, 2) with n >= {2 * QUERIES}, a name each"
            )
        self.points, self.names = points, names
        # the outermost tenth of the points has no neighbours to speak of, and may lie outside the picture
        inner = np.argsort(np.linalg.norm(points - np.median(points, axis=0), axis=1))[: 9 * len(points) // 10]
        self.queries = rng.choice(inner, QUERIES, replace=False)
        found, distances = ExactIndex().build(points).query(points[self.queries], NEIGHBOURS + 1)
        others = found != self.queries[:, None]
        others[others.all(axis=1), -1] = False  # more than k duplicates came before the query itself
        self.nearest = found[others].reshape(QUERIES, NEIGHBOURS)
        self.near = float(np.median(distances[:, -1]))
        self.far = float(np.median(np.linalg.norm(points[self.queries][:, None] - points, axis=2)))
        self.directions = rng.standard_normal((2, TABLES[1], HASHES[1]))
        self.offsets = rng.uniform(0, 1, (TABLES[1], HASHES[1]))  # in units of w
        reach = 1.1 * np.quantile(np.abs(points), 0.99)
        self.axis = np.linspace(-reach, reach, GRID)
        self.places = np.stack(np.meshgrid(self.axis, self.axis), axis=-1).reshape(-1, 2)

    def codes(self, at: np.ndarray, w: float, K: int, L: int) -> np.ndarray:
        """⌊(x·v + b)/w⌋ of places (n, 2): (n, L, K)."""
        projected = np.tensordot(at, self.directions[:, :L, :K], axes=1)
        return np.floor(projected / w + self.offsets[:L, :K]).astype(np.int16)

    def walls(self, w: float, K: int) -> np.ndarray:
        """End points of the bucket walls of table 1, longer than the picture: (walls, 2, 2)."""
        lines = []
        reach = 1.5 * self.axis[-1]
        for x, b in zip(self.directions[:, 0, :K].T, self.offsets[0, :K], strict=True):
            length = np.linalg.norm(x)
            last = int(reach * length / w) + 1
            steps = np.arange(-last, last + 1) - b  # where (x·v)/w + b is a whole number
            foot = steps[:, None] * w / length * (x / length)
            along = reach * np.array([-x[1], x[0]]) / length
            lines.append(np.stack([foot - along, foot + along], axis=1)[np.linalg.norm(foot, axis=1) < reach])
        return np.concatenate(lines)

    def __call__(self, w: float, K: int, L: int, order: str, query: int) -> Buckets:
        """All that is drawn for one setting.

        Raises:
            ValueError: a value outside its control's range; the message names the control.
        """
        check_range("w", w, *WIDTHS)
        check_whole("K", K, *HASHES)
        check_whole("L", L, *TABLES)
        check_choice("order", order, [value for _, value in ORDERS])
        check_whole("query", query, 1, QUERIES)
        and_first = order == "and-or"
        codes = self.codes(self.points, w, K, L)
        at_places = self.codes(self.places, w, K, L)
        own = codes[self.queries[query - 1]]
        agreement = shared(at_places, own[None], and_first)[0]
        candidates = shared(codes, codes[self.queries], and_first) > 0  # (queries, n)
        found = np.take_along_axis(candidates, self.nearest, axis=1)
        curve = and_or if and_first else or_and
        p = np.linspace(0, 1, 101)
        near, far = float(collision(self.near, w)), float(collision(self.far, w))
        return Buckets(
            points=self.points,
            names=self.names,
            query=int(self.queries[query - 1]),
            candidates=candidates[query - 1],
            nearest=self.nearest[query - 1],
            axis=self.axis,
            region=agreement.reshape(GRID, GRID),
            walls=self.walls(w, K),
            p=p,
            found=curve(p, K, L),
            near=(near, float(curve(near, K, L))),
            far=(far, float(curve(far, K, L))),
            steep=threshold(K, L) if and_first else 1 - threshold(L, K),
            recall=float(found.mean()),
            examined=float(candidates.mean()),
            w=w,
            K=K,
            L=L,
            and_first=and_first,
        )


@njit(cache=True)
def shared(codes: np.ndarray, own: np.ndarray, and_first: bool) -> np.ndarray:
    """How far points with `codes (n, L, K)` agree with queries `own (m, L, K)`: (m, n), 0 for no candidate.

    AND first: the share of tables in which all K hashes are equal. OR first: 1 where each of the K groups has an equal
    hash among its L.
    """
    n, L, K = codes.shape
    out = np.zeros((len(own), n))
    for q in range(len(own)):
        for i in range(n):
            if and_first:
                for t in range(L):
                    h = 0
                    while h < K and codes[i, t, h] == own[q, t, h]:
                        h += 1
                    if h == K:
                        out[q, i] += 1 / L
            else:
                h, t = 0, 0
                while h < K and t < L:  # group h: look for an equal hash, then go on to the next group
                    t = 0
                    while t < L and codes[i, t, h] != own[q, t, h]:
                        t += 1
                    h += 1
                out[q, i] = 1.0 if t < L else 0.0
    return out


def summary(data: Buckets) -> str:
    """What is seen, in words."""
    found = int(data.candidates[data.nearest].sum())
    others = int(data.candidates.sum()) - 1
    return (
        f"This query: {others} candidates among {len(data.points) - 1} points, {found} of its {NEIGHBOURS} nearest are "
        f"among them. Over {QUERIES} queries: recall@10 {data.recall:.2f}, {data.examined:.0%} of the points examined. "
        f"At the 10th neighbour's distance one hash collides with p = {data.near[0]:.2f}, the whole rule with "
        f"P = {data.near[1]:.2f}; at the median distance p = {data.far[0]:.2f} and P = {data.far[1]:.2f}."
    )


def lsh_panel(points: np.ndarray, names: Sequence[str], rng: np.random.Generator) -> Panel:
    """The panel over `points (n, 2)`, which are centred and scaled to standard deviation 1, the unit of w."""
    world = BucketWorld((points - points.mean(axis=0)) / points.std(), names, rng)
    controls = {
        "w": slider("bucket width w (standard deviations)", *WIDTHS, 1.0, 0.1),
        "K": slider("hashes per table K", *HASHES, 2, 1),
        "L": slider("tables L", *TABLES, 2, 1),
        "order": choice("order", ORDERS, "and-or"),
        "query": slider("query (number)", 1, QUERIES, 1, 1),
    }
    return Panel(controls, world, buckets_figure, summary)


def demo() -> Panel:
    """The panel over 600 points in twelve clusters."""
    rng = np.random.default_rng(4)
    centres = rng.normal(0, 2.2, (12, 2))
    points = centres[rng.integers(12, size=600)] + rng.normal(0, 0.55, (600, 2))
    return lsh_panel(points, [f"point {i}" for i in range(600)], rng)
