"""The panel of section 2.7: points in the plane, m regions, and what each of them has learned after so many steps.

All models are trained when the panel is made, in one tensor; a slider only chooses among them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits

from rec_lib.data.bayes import expected_log_loss
from rec_lib.figures.ls_plm import Regions, regions_figure, summary
from rec_lib.layers.mixture import mixture_logit
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider, steps

M = 6  # regions at most
STARTS = 3
STEPS = (0, 5, 20, 60, 200)
POINTS, REACH, GRID = 250, 3.0, 60

Law = Callable[[np.ndarray], np.ndarray]  # points (n, 2) -> log-odds (n,)
TRUTHS: dict[str, tuple[str, Law]] = {
    "regimes": ("two regimes with opposed slopes", lambda x: 1.5 * x[:, 1] * np.tanh(3 * x[:, 0])),
    "line": ("one straight line", lambda x: x[:, 0] + x[:, 1]),
    "corner": ("a corner: clicks where both are large", lambda x: 0.5 + 2 * np.minimum(x[:, 0], x[:, 1])),
    "ring": ("a disc in the middle", lambda x: 2.5 - 0.7 * (x**2).sum(axis=1)),
}


class RegionWorld:
    """Points of each truth, and models of 1 … M regions from STARTS starts, kept after each of STEPS steps.

    theta (truths, M, starts, kept, 3, 2M): rows are x1, x2 and the constant; the first M columns are the gate's, regions that a
    model does not have are shut out by a constant of −10⁹. losses and fresh (truths, M, starts, kept): log loss on the points,
    and on the whole plane, where the law is known and no labels are drawn.
    """

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.axis = np.linspace(-REACH, REACH, GRID)
        self.plane = np.stack(np.meshgrid(self.axis, self.axis), axis=-1).reshape(-1, 2)
        self.points = np.stack([rng.uniform(-REACH, REACH, (POINTS, 2)) for _ in TRUTHS])
        logits = np.stack([law(x) for x, (_, law) in zip(self.points, TRUTHS.values(), strict=True)])
        self.clicked = rng.random(logits.shape) < expit(logits)
        self.theta, self.losses = self._train(torch.Generator().manual_seed(seed))
        on_plane = np.stack([expit(law(self.plane)) for _, law in TRUTHS.values()])  # (n, GRID²)
        self.floor = np.array([expected_log_loss(p, p) for p in on_plane])
        self.fresh = np.array(
            [
                [
                    [
                        [expected_log_loss(p, probability(t[:, :m], t[:, M : M + m], self.plane)) for t in kept]
                        for kept in starts
                    ]
                    for m, starts in enumerate(models, start=1)
                ]
                for p, models in zip(on_plane, self.theta, strict=True)
            ]
        )

    def _train(self, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
        n = len(TRUTHS)
        x = torch.from_numpy(self.points).float()
        x = torch.cat([x, torch.ones(n, POINTS, 1)], dim=2)  # (n, P, 3)
        y = torch.from_numpy(self.clicked).float()[:, None, None].expand(n, M, STARTS, POINTS)
        theta = (0.5 * torch.randn(n, M, STARTS, 3, 2 * M, generator=generator)).requires_grad_()
        shut = torch.where(torch.arange(M)[None, :] > torch.arange(M)[:, None], -1e9, 0.0)  # (M, M)  model, region
        optimizer = torch.optim.Adam([theta], lr=0.1, fused=True)
        kept, losses = [], []
        for step in range(STEPS[-1] + 1):
            scores = torch.einsum("npk,nmskj->nmspj", x, theta)  # (n, M, S, P, 2M)
            logit = mixture_logit(scores[..., :M] + shut[None, :, None, None, :], scores[..., M:])  # (n, M, S, P)
            loss = binary_cross_entropy_with_logits(logit, y, reduction="none").mean(dim=3)  # (n, M, S)
            if step in STEPS:
                shut_out = theta.detach().clone()
                shut_out[..., 2, :M] += shut[None, :, None, :]
                kept.append(shut_out)
                losses.append(loss.detach().clone())
            optimizer.zero_grad()
            loss.sum().backward()  # each model's gradient is its own
            optimizer.step()
        return torch.stack(kept, dim=3).double().numpy(), torch.stack(losses, dim=3).double().numpy()

    def compute(self, truth: str, m: int, step: int, start: int) -> Regions:
        """All that is drawn for one setting.

        Raises:
            ValueError: a value outside its control's range; the message names the control.
        """
        check_choice("truth", truth, TRUTHS)
        check_whole("m", m, 1, M)
        check_choice("step", step, STEPS)
        check_whole("start", start, 1, STARTS)
        k, at = list(TRUTHS).index(truth), STEPS.index(step)
        theta = self.theta[k, m - 1, start - 1, at]
        u, w = theta[:, :m], theta[:, M : M + m]  # (3, m) each
        borders, middles, middle_of = _borders(u), *_middles(u, w)
        lead = (_with_one(self.points[k]) @ u).argmax(axis=1)
        return Regions(
            truth=TRUTHS[truth][0],
            m=m,
            step=step,
            points=self.points[k],
            clicked=self.clicked[k],
            axis=self.axis,
            p=probability(u, w, self.plane).reshape(GRID, GRID),
            borders=borders,
            middles=middles,
            middle_of=middle_of,
            share=np.bincount(lead, minlength=m) / POINTS,
            losses=self.losses[k, :, start - 1, at],
            fresh=self.fresh[k, :, start - 1, at],
            floor=float(self.floor[k]),
        )


def probability(u: np.ndarray, w: np.ndarray, at: np.ndarray) -> np.ndarray:
    """p of LS-PLM with gate u and regions w (3, m) at places (n, 2)."""
    x = torch.from_numpy(_with_one(at))
    return torch.sigmoid(mixture_logit(x @ torch.from_numpy(u), x @ torch.from_numpy(w))).numpy()


def _with_one(at: np.ndarray) -> np.ndarray:
    return np.concatenate([at, np.ones((len(at), 1))], axis=1)


def _cut(line: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Foot and direction of the line a·x + b = 0 in the plane; None where a is 0."""
    size = float(np.hypot(line[0], line[1]))
    if size < 1e-9:
        return None
    normal = line[:2] / size
    return -line[2] / size * normal, np.array([-normal[1], normal[0]])


def _where(line: np.ndarray, rules: list[np.ndarray]) -> np.ndarray | None:
    """The piece (2, 2) of the line on which all rules r·(x, 1) ≥ 0 hold, inside the picture; None where there is none."""
    found = _cut(line)
    if found is None:
        return None
    foot, along = found
    box = [np.array([s * a, s * (1 - a), REACH]) for s in (1.0, -1.0) for a in (1.0, 0.0)]
    low, high = -10.0 * REACH, 10.0 * REACH
    for rule in [*rules, *box]:
        slope, value = float(rule[:2] @ along), float(rule[:2] @ foot + rule[2])
        if abs(slope) < 1e-12:
            if value < 0:
                return None
        elif slope > 0:
            low = max(low, -value / slope)
        else:
            high = min(high, -value / slope)
    return np.stack([foot + low * along, foot + high * along]) if low < high else None


def _borders(u: np.ndarray) -> np.ndarray:
    """Pieces of the lines on which two regions share the lead."""
    m = u.shape[1]
    pieces = [
        _where(u[:, a] - u[:, b], [u[:, a] - u[:, c] for c in range(m) if c not in (a, b)])
        for a in range(m)
        for b in range(a + 1, m)
    ]
    return np.array([p for p in pieces if p is not None]).reshape(-1, 2, 2)


def _middles(u: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each region's line of log-odds 0, where that region leads; and the numbers of those regions."""
    m = u.shape[1]
    pieces = [_where(w[:, a], [u[:, a] - u[:, c] for c in range(m) if c != a]) for a in range(m)]
    there = [a for a, p in enumerate(pieces) if p is not None]
    return np.array([pieces[a] for a in there]).reshape(-1, 2, 2), np.array(there, dtype=int)


def regions_panel(world: RegionWorld, truth: str = "regimes") -> Panel:
    """The panel: which truth, how many regions, after how many steps, from which start."""
    controls = {
        "truth": choice("truth", [(text, name) for name, (text, _) in TRUTHS.items()], truth),
        "m": slider("regions m 分片数", 1, M, 1, 1),
        "step": steps("training steps", STEPS, STEPS[-1]),
        "start": slider("start (number)", 1, STARTS, 1, 1),
    }
    return Panel(controls, world.compute, regions_figure, summary)


def demo() -> Panel:
    """The panel over its four truths."""
    return regions_panel(RegionWorld())
