"""The panel of section 3.9: a history, a candidate that can be switched, and what passes the gates for it."""

from __future__ import annotations

import numpy as np
import torch

from rec_lib.data import worlds
from rec_lib.data.worlds import World
from rec_lib.figures.dien import Evolved, evolved_figure
from rec_lib.models.dien import DIEN
from rec_lib.schema import FIRST
from rec_lib.training import fit
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider, switch

STAGES = 4
LETTERS = "ABCDEFGH"


class Evolving:
    """A trained AUGRU over histories of a world of ``worlds.threads``.

    Args:
        model: DIEN with evolution "augru", trained on that world.
        world: the world; its test rows give the histories.
        rows: how many of them to offer.

    Raises:
        ValueError: another evolution, or a world of another kind.
    """

    def __init__(self, model: DIEN, world: World, rows: int = 8):
        if model.evolution != "augru" or not world.name.startswith("threads"):
            raise ValueError(
                f"got a model with evolution {model.evolution!r} and the world {world.name!r}; expected 'augru' and worlds.threads."
            )
        self.model, self.law = model.eval(), world.law
        histories = world.test["history"][:rows]
        own = [sorted(set((h // STAGES).tolist())) for h in (histories - FIRST)]
        self.histories, self.threads = histories, own
        self.most = min(len(categories) for categories in own)  # kinds that every one of them shows
        self.rows = [(f"user {row + 1}", row) for row in range(rows)]

    @torch.no_grad()
    def __call__(self, history: int, thread: int, stage: int, steered: bool) -> Evolved:
        """All that is drawn. Raises ValueError for a value that its control cannot take; the message names the control."""
        check_choice("history", history, [row for _, row in self.rows])
        check_whole("thread", thread, 1, self.most)
        check_whole("stage", stage, 1, STAGES)
        check_choice("steered", steered, (True, False))
        category = self.threads[history][thread - 1]
        items = STAGES * category + torch.arange(STAGES) + FIRST
        ids = self.histories[history].repeat(STAGES, 1)
        batch = {"item": items, "history": ids}
        model = self.model
        e, mask = model.behaviours(ids)  # (T, 4, D), one row a stage
        h = model.extractor(e, mask)
        v = model.emb(batch)
        a = model.attention(h, mask, v[:, 0]) if steered else torch.ones(mask.shape)
        states = model.evolver(h, mask, a)  # (T, 4, H)
        before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
        size = model.evolver.states
        W, U, b = model.evolver.W[:, :size], model.evolver.U[:, :size], model.evolver.b[:size]
        u = torch.sigmoid(h @ W + before @ U + b)  # (T, 4, H)
        opened = a.unsqueeze(2) * u
        later = torch.cat([(1 - opened).flip(0).cumprod(0).flip(0)[1:], torch.ones_like(opened[:1])])
        p = torch.sigmoid(model.mlp(torch.cat([model.emb.flat(v, batch), states[-1]], dim=1)).squeeze(1))
        at = stage - 1
        columns = {"item": items.numpy() - FIRST, "history": ids.numpy() - FIRST}
        return Evolved(
            history=self.rows[history][0],
            listed=[_name(i) for i in (self.histories[history] - FIRST).tolist()],
            own=((self.histories[history] - FIRST) // STAGES == category).numpy(),
            attention=a[:, at].numpy(),
            gate=u[:, at].mean(dim=1).numpy(),
            opened=opened[:, at].mean(dim=1).numpy(),
            left=(opened * later)[:, at].mean(dim=1).numpy(),
            candidates=[_name(i) for i in (items - FIRST).tolist()],
            chosen=at,
            p=p.numpy(),
            truth=self.law.probability(columns),
            steered=bool(steered),
        )


def _name(item: int) -> str:
    return f"{LETTERS[item // STAGES]}{item % STAGES + 1}"


def summary(data: Evolved) -> str:
    """What is seen, in words."""
    inside = float(data.left[data.own].sum())
    how = "attention scales the gate" if data.steered else "attention is switched off, a = 1"
    best = data.candidates[int(np.argmax(data.p))]
    next_one = data.candidates[int(np.argmax(data.truth))]
    return (
        f"{data.history}, candidate {data.candidates[data.chosen]}; {how}. Of the last state {inside:.0%} come from the "
        f"candidate's own kind, {float(data.left[~data.own].sum()):.0%} from others. The model likes {best} best; next of this kind is {next_one}."
    )


def evolving_panel(model: DIEN, world: World) -> Panel:
    """The panel over a trained model; ``Evolving`` says what the arguments are."""
    compute = Evolving(model, world)
    controls = {
        "history": choice("history of", compute.rows, 0),
        "thread": slider("candidate's kind", 1, compute.most, 1, 1),
        "stage": slider("candidate's stage", 1, STAGES, 1, 1),
        "steered": switch("attention scales the gate", True),
    }
    return Panel(controls, compute, evolved_figure, summary)


def small_world() -> tuple[DIEN, World]:
    """What ``Evolving`` takes, trained for a moment."""
    world = worlds.threads(0, 2, (1_000, 200, 200))
    model = DIEN(world.train.schema, dim=8, init_sd=0.5)
    fit(
        model,
        world.train,
        optimizers=[torch.optim.Adam(model.parameters(), lr=0.01, fused=True)],
        epochs=2,
        batch_size=128,
        progress=False,
    )
    return model, world


def demo() -> Panel:
    """The panel over a small world."""
    return evolving_panel(*small_world())
