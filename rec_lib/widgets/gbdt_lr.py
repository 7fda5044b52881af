"""The panel of section 2.6: one sample falls through the trees; its leaf code, and the weights that LR puts on leaves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.special import expit

from rec_lib.data.piecewise import thresholds
from rec_lib.evaluation.metrics import auc_on
from rec_lib.figures.gbdt_lr import Fall, fall_figure, summary
from rec_lib.models.gbdt_lr import GBDTLR
from rec_lib.schema import FIRST
from rec_lib.training import fit
from rec_lib.widgets.core import Panel, check_choice, check_range, check_whole, choice, slider

WEIGHTS = (("LR's, trained", "lr"), ("the trees' own", "trees"))
AD = 12  # ads to choose from
GAP = 2.5  # leaves' widths between trees: a text on the right of one tree stays clear of the next tree's on the left


class Trees:
    """The geometry of a GBDTLR's trees and both sets of weights.

    Args:
        model: trained; its dense fields are x1 … x4 on [−1, 1] and it reads one field of ids, "ad".
        own: the state of the same model before training: the trees' own leaf values.
        ads: true weight of each ad in the law, for the panel's comparison.

    Raises:
        ValueError: a model without trees, or without weights for raw features.
    """

    def __init__(self, model: GBDTLR, own: Mapping[str, torch.Tensor], ads: np.ndarray) -> None:
        if model.w is None or bool((model.length < 0).all()):
            raise ValueError("the panel needs a GBDTLR with raw=True whose trees are grown.")
        self.model, self.own, self.ads = model.eval(), own, ads
        self.fields = [f.name for f in model.schema.dense]
        self.kept = model.length >= 0  # (T, L)
        self.tree = torch.nonzero(self.kept)[:, 0].numpy() + 1
        path, self.turns = model.path.numpy(), []  # turns: for each leaf the splits on its way, from the root down
        x = np.arange(len(self.tree)) + (self.tree - 1) * GAP
        depth = model.length[self.kept].numpy()
        self.leaves = np.stack([x, -depth], axis=1)
        self.split_at: dict[tuple[int, int], np.ndarray] = {}
        for k, (t, leaf) in enumerate(torch.nonzero(self.kept).tolist()):
            splits = np.flatnonzero(path[t, :, leaf])
            self.turns.append([(t, int(s), path[t, s, leaf] > 0) for s in splits])
            for level, s in enumerate(splits):
                below = [
                    j for j, (u, other) in enumerate(torch.nonzero(self.kept).tolist()) if u == t and path[t, s, other]
                ]
                self.split_at[(t, int(s))] = np.array([self.leaves[below, 0].mean(), -float(level)])
            assert len(splits) == depth[k]
        self.edges: dict[tuple[tuple[float, ...], tuple[float, ...]], set[int]] = {}
        for k, turns in enumerate(self.turns):
            stops = [self.split_at[(t, s)] for t, s, _ in turns] + [self.leaves[k]]
            for a, b in zip(stops, stops[1:], strict=False):
                self.edges.setdefault((tuple(a), tuple(b)), set()).add(k)

        # a text beside a split, away from its parent, is not crossed by a branch
        self.sides = tuple(
            next(
                (f"middle {'right' if at[0] > a[0] else 'left'}" for a, b in self.edges if b == tuple(at)), "top center"
            )
            for at in self.split_at.values()
        )

    def condition(self, t: int, s: int, left: bool = True) -> str:
        """ "x1 ≤ 0.20", or with > for the right turn."""
        name = self.fields[int(self.model.feature[t, s])]
        return f"{name} {'≤' if left else '>'} {self.model.threshold[t, s].item():.2f}"

    @torch.no_grad()
    def compute(self, x1: float, x2: float, x3: float, x4: float, ad: int, weights: str) -> Fall:
        """All that is drawn for one sample.

        Raises:
            ValueError: a value outside its control's range; the message names the control.
        """
        for name, value in {"x1": x1, "x2": x2, "x3": x3, "x4": x4}.items():
            check_range(name, value, -1, 1)
        check_whole("ad", ad, 1, AD)
        check_choice("weights", weights, [value for _, value in WEIGHTS])
        # to two decimals, so that a slider's 0.1 + 0.2 is the 0.3 that it shows
        x = {name: round(value, 2) for name, value in zip(self.fields, (x1, x2, x3, x4), strict=True)}
        batch = {name: torch.tensor([value]) for name, value in x.items()} | {"ad": torch.tensor([ad - 1 + FIRST])}
        on = self.model.leaf_code(batch)[0][self.kept].numpy() > 0
        state = self.model.state_dict() if weights == "lr" else self.own
        w = state["leaf"][self.kept].double().numpy()
        id_weight = float(state["w.table"][ad - 1 + FIRST])
        dense = float(self.model.dense_values(batch)[0] @ state["dense"])
        logit = float(state["w0"]) + float(w[on].sum()) + id_weight + dense
        reached = [self.turns[k] for k in np.flatnonzero(on)]
        way = {(t, s) for turns in reached for t, s, _ in turns}
        law = -0.5 + self.ads[ad - 1] + 1.5 * np.sign(x["x1"] - 0.2) * np.sign(x["x2"] + 0.1) + (abs(x["x3"]) < 0.4)
        return Fall(
            title=f"A sample falls through {self.tree.max()} trees",
            splits=np.array(list(self.split_at.values())),
            conditions=tuple(self.condition(t, s) for t, s in self.split_at),
            sides=self.sides,
            splits_on=np.array([split in way for split in self.split_at]),
            leaves=self.leaves,
            leaves_on=on,
            edges=np.array([[a, b] for a, b in self.edges]),
            edges_on=np.array([bool(owners & set(np.flatnonzero(on).tolist())) for owners in self.edges.values()]),
            tree=self.tree,
            weights=w,
            paths=tuple(" and ".join(self.condition(*turn) for turn in turns) or "one leaf" for turns in reached),
            constant=float(state["w0"]),
            id_name=f"ad {ad}",
            id_weight=id_weight,
            dense=dense,
            logit=logit,
            p=float(expit(logit)),
            truth=float(expit(law)),
        )


def fall_panel(trees: Trees) -> Panel:
    """The panel: a slider for each dense feature and the ad, and whose weights are added up."""
    start = {"x1": 0.5, "x2": 0.5, "x3": 0.0, "x4": 0.0}
    controls = {name: slider(f"{name} (no unit)", -1.0, 1.0, value, 0.05, "+.2f") for name, value in start.items()}
    controls |= {
        "ad": slider("ad 广告 (number)", 1, AD, 1, 1),
        "weights": choice("weights of the leaves", WEIGHTS, "lr"),
    }
    return Panel(controls, trees.compute, fall_figure, summary)


def grow(seed: int = 5, trees: int = 3, leaves: int = 6) -> Trees:
    """A few trees of the world `thresholds`, and LR trained on their leaves and the ads; the caller's generator is untouched."""
    world = thresholds(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GBDTLR(world.train.schema, trees, leaves)
        model.fit_trees(world.train, learning_rate=0.5, min_leaf=200)
        own = {name: value.clone() for name, value in model.state_dict().items()}
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-2, fused=True)
        validate = auc_on(world.valid)
        fit(model, world.train, optimizers=[optimizer], validate=validate, epochs=8, batch_size=512, progress=False)
    ads = np.random.default_rng(seed).normal(size=300)[:AD]  # the first thing that the world draws
    return Trees(model, own, ads)


def demo() -> Panel:
    """The panel over three trees of a world in which x1 and x2 cross."""
    return fall_panel(grow())
