"""The inside of Wide & Deep: what each of its parts knows about the pairs that have to be learnt by heart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from rec_lib.data import worlds
from rec_lib.data.effects import Memorised
from rec_lib.data.worlds import World
from rec_lib.experiments.wide_deep import DIMS, in_memorised
from rec_lib.figures.wide_deep import Memory, memory_figure, summary
from rec_lib.models.wide_deep import WideDeep
from rec_lib.schema import FIRST
from rec_lib.widgets.core import Panel, check_choice, choice, steps

KINDS = {"Wide & Deep": "wide_deep", "deep part alone": "deep"}


class Reader:
    """Trained models of the world of memorised pairs, read pair by pair.

    Args:
        world: `worlds.memorised`.
        models: (name as in KINDS, numbers in a vector) → the trained model.
    """

    def __init__(self, world: World, models: Mapping[tuple[str, int], WideDeep]) -> None:
        self.world, self.models = world, dict(models)
        self.dims = sorted({dim for _, dim in models})
        self._read = lru_cache(maxsize=None)(self._of)

    def compute(self, model: str, dim: int) -> Memory:
        """What the parts of one model know.

        Raises:
            ValueError: a value outside its control's range; the message names the control.
        """
        check_choice("model", model, KINDS)
        check_choice("dim", dim, self.dims)
        return self._read(model, dim)

    @torch.no_grad()
    def _of(self, name: str, dim: int) -> Memory:
        listed = self.world.law.effects["memorised"]
        assert isinstance(listed, Memorised)
        contexts = self.world.law.sizes["context"]
        users, items = (np.repeat(part, contexts) for part in np.divmod(listed.keys, listed.size))
        columns = {"user": users, "item": items, "context": np.tile(np.arange(contexts), len(listed.keys))}
        batch = {field: torch.from_numpy(ids + FIRST) for field, ids in columns.items()}
        model = self.models[name, dim]
        own = torch.zeros(len(users)) if model.wide.cross is None else model.wide.cross(batch)
        rest = (model(batch) - own).numpy() - self.world.law.without("memorised").logit(columns)
        shape = (len(listed.keys), contexts)  # the mean over contexts: a pair has one weight
        by_cross, by_rest = (x.reshape(shape).mean(axis=1) * listed.signs for x in (own.numpy(), rest))
        return Memory(name, dim, by_cross, by_rest, listed.signs > 0, listed.strength)


def train_models(world: World, seed: int = 0, progress: bool = False) -> dict[tuple[str, int], WideDeep]:
    """The models that the panel compares, trained on a world: about ten seconds."""
    found = {}
    for name, kind in KINDS.items():
        for dim in DIMS:
            model = in_memorised(kind, world, dim, seed, paper=kind == "wide_deep", progress=progress)
            assert isinstance(model, WideDeep)
            found[name, dim] = model
    return found


def memory_panel(world: World, models: Mapping[tuple[str, int], WideDeep]) -> Panel:
    """The panel: which model, and how long its vectors are."""
    reader = Reader(world, models)
    controls = {
        "model": choice("model", KINDS, "Wide & Deep"),
        "dim": steps("numbers in a vector 维数", reader.dims, reader.dims[0]),
    }
    return Panel(controls, reader.compute, memory_figure, summary)


def demo() -> Panel:
    """The panel over a world of fewer rows."""
    world = worlds.memorised(0, (5_000, 1_000, 1_000))
    return memory_panel(world, train_models(world))
