"""The inside of Deep Crossing before its first step: gradient by layer and spread by unit, with the shortcut and without."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from rec_lib.data import worlds
from rec_lib.data.table import Table
from rec_lib.experiments.deep_crossing import DEPTH, Plain, start_as_he
from rec_lib.figures.deep_crossing import Cascade, cascade_figure, summary
from rec_lib.models.deep_crossing import DeepCrossing, ResidualUnit
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider, switch

UNITS = 12  # at most
STARTS = {"as PyTorch does": False, "as He et al. do": True}
ROWS = 256


class Cascades:
    """Untrained networks over one batch of a planted world; all start from the same table of vectors.

    Args:
        rows: the batch.
        seed: of the initial weights.
    """

    def __init__(self, rows: Table, seed: int = 0) -> None:
        self.rows, self.seed = rows, seed
        self._measured = lru_cache(maxsize=None)(self._measure)

    def compute(self, units: int, shortcut: bool, start: str) -> Cascade:
        """Gradient and spread of one network, and of the same one with the shortcut switched.

        Raises:
            ValueError: a value outside its control's range; the message names the control.
        """
        check_whole("units", units, 1, UNITS)
        check_choice("start", start, STARTS)
        shortcut = bool(shortcut)
        gradient, spread = self._measured(units, shortcut, start)
        other_gradient, other_spread = self._measured(units, not shortcut, start)
        return Cascade(units, shortcut, start, gradient, spread, other_gradient, other_spread)

    def network(self, units: int, shortcut: bool, start: str) -> DeepCrossing:
        """The untrained network, in double precision: gradients of deep plain networks leave the range of single."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            kind = DeepCrossing if shortcut else Plain
            model = kind(self.rows.schema, DEPTH["dim"], (DEPTH["hidden"],) * units, 0.0, DEPTH["init_sd"])
            if STARTS[start]:
                start_as_he(model.units)
        return model.double()

    def _measure(self, units: int, shortcut: bool, start: str) -> tuple[np.ndarray, np.ndarray]:
        model = self.network(units, shortcut, start)
        outputs: list[torch.Tensor] = []
        for unit in model.units:
            unit.register_forward_hook(lambda _module, args, out: outputs.extend([args[0], out][bool(outputs) :]))
        model.loss(self.rows.batch()).backward()
        layers = [layer for unit in model.units if isinstance(unit, ResidualUnit) for layer in (unit.inner, unit.outer)]
        gradients = [layer.weight.grad for layer in layers if layer.weight.grad is not None]
        gradient = np.array([_rms(g) for g in gradients])
        spread = np.array([_rms(x - x.mean(dim=0)) for x in outputs])
        return gradient, spread


def _rms(x: torch.Tensor) -> float:
    return float(x.detach().square().mean().sqrt())


def cascade_panel(rows: Table, units: int = 10, seed: int = 0) -> Panel:
    """The panel: how many units, with the shortcut or without, and how the weights start."""
    controls = {
        "units": slider("units 残差单元 (two layers each)", 1, UNITS, units, 1),
        "shortcut": switch("shortcut 捷径 (add the input)", False),
        "start": choice("weights start", STARTS, "as PyTorch does"),
    }
    return Panel(controls, Cascades(rows, seed).compute, cascade_figure, summary)


def demo() -> Panel:
    """The panel over a batch of the world of third order."""
    world = worlds.third_order(0, (ROWS, 10, 10))
    return cascade_panel(world.train)
