"""The panel of section 2.3: films in the plane of a model with two numbers, a user's vector to move, a list that follows.

The vector is moved by two sliders (arrow keys), or by a click anywhere in the plane, which sets both sliders at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.figures.mf import SHOWN, Latent, latent_figure
from rec_lib.models.mf import MF
from rec_lib.widgets.core import Panel, check_range, slider, switch

STEP = 0.05
GRID = 41  # places along each side of the shaded plane


@dataclass(frozen=True)
class Plane:
    """Films in the plane: the inner product of a place and a user's vector is in stars.

    films (n, 2); bias (n,) of each film, stars; names; mean of all ratings; users (m, 2) vectors that were learned
    """

    films: np.ndarray
    bias: np.ndarray
    names: Sequence[str]
    mean: float
    users: np.ndarray


def plane_of(model: MF, films: np.ndarray, names: Sequence[str]) -> Plane:
    """The plane of a trained model with dim = 2, with the films of these ids.

    A rotation of all vectors changes no prediction, nor does stretching the films and shrinking the users. So the axes are
    turned to the films' widest direction, the films scaled to standard deviation 1, and the users the other way.

    Raises:
        ValueError: another dim, a model without biases, or names that do not fit.
    """
    if model.p.shape[1] != 2 or model.b_item is None or len(names) != len(films):
        raise ValueError(
            f"got dim={model.p.shape[1]}, {len(films)} films, {len(names)} names; expected dim 2, biases, and a name each."
        )
    q = model.q.detach().double().numpy()[films]
    p = model.p.detach().double().numpy()[model.known_user.numpy()]
    _, _, axes = np.linalg.svd(q - q.mean(axis=0), full_matrices=False)
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]  # one sign for all machines
    scale = np.sqrt(q.var(axis=0).mean())  # the same for every rotation
    bias = model.b_item.detach().double().numpy()[films]
    return Plane(q @ axes.T / scale, bias, names, float(model.mu), p @ axes.T * scale)


class LatentWorld:
    """A plane and the grid that its background is shaded on."""

    def __init__(self, plane: Plane):
        if (
            plane.films.ndim != 2
            or plane.films.shape[1] != 2
            or len(plane.films) < SHOWN
            or len(plane.names) != len(plane.films)
        ):
            raise ValueError(
                f"got films {plane.films.shape} and {len(plane.names)} names; expected (n, 2) with n >= {SHOWN}, a name each"
            )
        self.plane = plane
        longest = max(np.abs(plane.users).max(initial=0.0), STEP)
        self.limit = float(np.ceil(longest / STEP) * STEP)  # no user's number lies beyond
        self.axis = np.linspace(-1, 1, GRID) * max(1.05 * np.abs(plane.films).max(), self.limit)
        self.places = np.stack(np.meshgrid(self.axis, self.axis), axis=-1)  # (g, g, 2)

    def __call__(self, x: float, y: float, bias: bool) -> Latent:
        """All that is drawn with the user at (x, y).

        Raises:
            ValueError: a number outside its slider's range, or a bias that is no truth value; the message names the control.
        """
        check_range("x", x, -self.limit, self.limit)
        check_range("y", y, -self.limit, self.limit)
        user = np.array([x, y], dtype=float)
        gain = self.plane.films @ user
        score = self.plane.mean + gain + (self.plane.bias if bias else 0.0)
        return Latent(
            films=self.plane.films,
            names=self.plane.names,
            user=user,
            gain=gain,
            score=score,
            best=np.argsort(-score, kind="stable")[:SHOWN],
            axis=self.axis,
            field=self.places @ user,
            with_bias=bias,
        )


def summary(data: Latent) -> str:
    """What is seen, in words."""
    best, worst = int(data.best[0]), int(data.gain.argmin())
    x, y = data.user
    if not data.user.any():
        return (
            "The user's vector is (0, 0): the inner product says nothing, everybody gets the same list. "
            f"First: {data.names[best]}, {data.score[best]:.2f} stars."
        )
    return (
        f"User ({x:.2f}, {y:.2f}). First: {data.names[best]}, {data.score[best]:.2f} stars, of which the inner product gives "
        f"{data.gain[best]:+.2f}. Of {len(data.names)} films {int((data.gain > 0).sum())} gain stars for this user; "
        f"{data.names[worst]} loses most, {data.gain[worst]:+.2f}."
    )


def latent_panel(plane: Plane, start: tuple[float, float] = (0.5, 0.25)) -> Panel:
    """The panel over a plane; the user starts at `start`, rounded to the sliders' steps."""
    world = LatentWorld(plane)
    x, y = (_on_slider(number, world.limit) for number in start)
    controls = {
        "x": slider("user's first number", -world.limit, world.limit, x, STEP),
        "y": slider("user's second number", -world.limit, world.limit, y, STEP),
        "bias": switch("add each film's own bias", True),
    }
    panel = Panel(controls, world, latent_figure, summary)

    def follow(_trace: Any, points: Any, _state: Any) -> None:
        """A click in the plane moves the user there; beyond the sliders' ends, to the end."""
        if points.xs:
            for name, at in (("x", points.xs[0]), ("y", points.ys[0])):
                controls[name].value = _on_slider(at, world.limit)

    for trace in panel.widget.data[:3]:  # the plane and the films in it
        trace.on_click(follow)
    return panel


def _on_slider(number: float, limit: float) -> float:
    return float(np.clip(round(number / STEP) * STEP, -limit, limit))


def demo() -> Panel:
    """The panel over 150 films in the plane, drawn at random."""
    rng = np.random.default_rng(3)
    films, bias = rng.normal(size=(150, 2)), rng.normal(0, 0.4, 150)
    return latent_panel(Plane(films, bias, [f"film {i}" for i in range(150)], 3.5, rng.normal(0, 0.3, (200, 2))))
