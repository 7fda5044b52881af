"""The panel of section 3.2: one film's row of ratings, and what AutoRec makes of it by hidden size and λ.

All models are trained when the panel is made, side by side in one tensor; a slider only chooses among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rec_lib.figures.autorec import Rebuilt, row_figure
from rec_lib.widgets.core import Panel, check_choice, choice, steps

HIDDEN = (1, 2, 3, 5, 10, 30)
PRICES = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
USERS, FILMS, STEPS = 50, 200, 300
RATED, NOISE, WIDTH = 0.4, 0.5, 0.3
SHOWN = {
    "liked in the middle": 0.0,
    "liked on the right": 0.8,
    "liked left of the middle": -0.45,
}  # name -> whom it suits


@dataclass(frozen=True, eq=False)
class RowWorld:
    """Films that suit users of one taste, rated by some with noise, and a model for each hidden size and λ, trained on them.

    A user has a taste in [−1, 1]; a film that suits taste t gets 2.5 exp(−(taste − t)²/2·0.3²) − 1 stars above usual. So a
    film is one number, and its row is a bend that no straight line follows.
    """

    seed: int = 0

    @cached_property
    def taste(self) -> np.ndarray:
        return np.linspace(-1, 1, USERS)

    @cached_property
    def _drawn(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        suits = rng.uniform(-1, 1, FILMS)
        suits[: len(SHOWN)] = list(SHOWN.values())
        truth = 2.5 * np.exp(-((self.taste - suits[:, None]) ** 2) / (2 * WIDTH**2)) - 1
        rated = rng.random(truth.shape) < RATED
        return truth, np.where(rated, truth + rng.normal(0, NOISE, truth.shape), np.nan)

    @property
    def truth(self) -> np.ndarray:
        """(films, users)"""
        return self._drawn[0]

    @property
    def stars(self) -> np.ndarray:
        """(films, users), NaN where nothing was rated."""
        return self._drawn[1]

    @cached_property
    def rebuilt(self) -> np.ndarray:
        """What each model says for every film and user: (hidden sizes, prices, films, users)."""
        generator = torch.Generator().manual_seed(self.seed)
        return np.stack([self._trained(size, generator) for size in HIDDEN])

    def _trained(self, size: int, generator: torch.Generator) -> np.ndarray:
        """All prices of one hidden size, side by side: (prices, films, users)."""
        stars = torch.from_numpy(self.stars).float()
        rated, r = ~stars.isnan(), stars.nan_to_num(0.0)
        price, models = torch.tensor(PRICES), len(PRICES)
        V, W = (0.1 * torch.randn(USERS, size, generator=generator).repeat(models, 1, 1) for _ in range(2))
        c, b = torch.zeros(models, 1, size), torch.zeros(models, 1, USERS)
        optimizer = torch.optim.Rprop([weight.requires_grad_() for weight in (V, W, c, b)], lr=0.01)
        for _ in range(STEPS):
            optimizer.zero_grad()
            error = torch.where(rated, r - rebuild(r, V, W, c, b), 0.0)
            squares = (V.square() + W.square()).sum(dim=(1, 2))
            (error.square().sum() + (price / 2 * squares).sum()).backward()  # each model's gradient is its own
            optimizer.step()
        return rebuild(r, V, W, c, b).detach().double().numpy()

    @cached_property
    def errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Root mean squared error on the ratings, and of the truth in the holes: both (hidden sizes, prices)."""
        hole = np.isnan(self.stars)
        seen = np.sqrt(((self.rebuilt - self.stars)[..., ~hole] ** 2).mean(axis=-1))
        return seen, np.sqrt(((self.rebuilt - self.truth)[..., hole] ** 2).mean(axis=-1))

    def __call__(self, film: str, hidden: int, price: float) -> Rebuilt:
        """All that is drawn for one setting.

        Raises:
            ValueError: a value that its control does not have; the message names the control.
        """
        check_choice("film", film, SHOWN)
        check_choice("hidden", hidden, HIDDEN)
        check_choice("price", price, PRICES)
        row, size, here = list(SHOWN).index(film), HIDDEN.index(hidden), PRICES.index(price)
        seen, fresh = self.errors
        return Rebuilt(
            taste=self.taste,
            truth=self.truth[row],
            stars=self.stars[row],
            rebuilt=self.rebuilt[size, here, row],
            hidden=hidden,
            price=price,
            prices=np.array(PRICES),
            seen=seen[size],
            fresh=fresh[size],
            here=here,
        )


def rebuild(r: Tensor, V: Tensor, W: Tensor, c: Tensor, b: Tensor) -> Tensor:
    """W g(V r + c) + b of many models at once: (N, M), then (models, M, D) twice, (models, 1, D), (models, 1, M) → (models, N, M)."""
    return torch.sigmoid(r @ V + c) @ W.mT + b


def summary(data: Rebuilt) -> str:
    """What is seen, in words."""
    hole = np.isnan(data.stars)
    off = np.sqrt(((data.rebuilt - data.truth)[hole] ** 2).mean())
    best = int(data.fresh.argmin())
    where = (
        "the best λ of this size"
        if best == data.here
        else f"the best λ of this size is {data.prices[best]:g}, with {data.fresh[best]:.2f}"
    )
    return (
        f"{data.hidden} hidden {'unit' if data.hidden == 1 else 'units'}, λ = {data.price:g}: off by {off:.2f} stars where this film "
        f"has no rating. Over all films: {data.seen[data.here]:.2f} on the ratings, {data.fresh[data.here]:.2f} in the holes ({where})."
    )


def row_panel(world: RowWorld | None = None) -> Panel:
    """The panel; it trains its models first, which takes some seconds."""
    world = world or RowWorld()
    controls = {
        "film": choice("film", SHOWN, next(iter(SHOWN))),
        "hidden": steps("hidden units", HIDDEN, 5),
        "price": steps("λ (price of the weights)", [(f"{price:g}", price) for price in PRICES], 3.0),
    }
    return Panel(controls, world, row_figure, summary)


def demo() -> Panel:
    """The panel of the notebook."""
    return row_panel()
