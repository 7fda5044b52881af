"""What top-n models share that score a pair (user, item) with a torch network: training on sampled negatives, scores, file.

A subclass gives `_network(users, items)`, a `PairScorer`, and may train it in another way than `_trained` does.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm.auto import tqdm

from rec_lib.data.pointwise import Pointwise
from rec_lib.models.topn import TopN
from rec_lib.schema import Batch

PAIRS = 1 << 16  # pairs scored at a time: bounds the memory, changes no number


class PairScorer(nn.Module):
    """A network over the fields "user" and "item": ``forward(batch) -> logits (B,)``."""

    def loss(self, batch: Batch) -> Tensor:
        """Mean log loss over the batch's pairs, those that happened (label 1) and those that were drawn (label 0)."""
        logits = self(batch)  # (B,)
        return binary_cross_entropy_with_logits(logits, batch["label"].to(logits.dtype))


S = TypeVar("S", bound=PairScorer)


@torch.no_grad()
def pair_scores(net: PairScorer, users: np.ndarray, items: int) -> np.ndarray:
    """Logits of all pairs of `users (U,)` and the items 0 … items − 1: (U, items) float64."""
    columns, scores = torch.arange(items), np.empty((len(users), items))
    step = max(1, PAIRS // items)
    for start in range(0, len(users), step):
        block = torch.from_numpy(users[start : start + step])
        pairs = {"user": block.repeat_interleave(items), "item": columns.repeat(len(block))}
        scores[start : start + step] = net(pairs).view(len(block), items).numpy()
    return scores


class PairNetwork(TopN):
    """A network over pairs, trained with Adam on what happened and on items that are drawn anew in every epoch.

    Args:
        negatives: items a user does not have, for each that it has.
        epochs: passes over the pairs.
        batch_size: rows of a step.
        lr, l2: rate and weight decay of Adam.
        rng: draws weights, negatives and the order; the global generator of torch is left alone. Seed 0 by default.

    Raises:
        ValueError: negatives, epochs or batch_size below 1, a rate that is not above 0, a negative l2.
    """

    progress = False  # set it on a model to see a bar of epochs
    watch: Callable[[int], object] | None = None  # set it to look at the model after each epoch of each stage
    net: PairScorer

    def __init__(
        self, negatives: int, epochs: int, batch_size: int, lr: float, l2: float, rng: np.random.Generator | None
    ):
        if min(negatives, epochs, batch_size) < 1 or not lr > 0 or not l2 >= 0:
            raise ValueError(
                f"got {negatives=}, {epochs=}, {batch_size=}, {lr=}, {l2=}; expected 1 or more of the first three, lr "
                "above 0 and l2 of 0 or more."
            )
        self.negatives, self.epochs, self.batch_size, self.lr, self.l2 = negatives, epochs, batch_size, lr, l2
        self.rng = np.random.default_rng(0) if rng is None else rng

    def _fit(self, seen: csr_matrix) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.rng.integers(1 << 31)))
            self.net = self._trained(self._rows(seen), *seen.shape).eval()

    def _rows(self, seen: csr_matrix) -> Pointwise:
        return Pointwise(seen, self.negatives, self.rng)

    def _trained(self, rows: Pointwise, users: int, items: int) -> PairScorer:
        return self._by_adam(self._network(users, items), rows)

    def _by_adam(self, net: S, rows: Pointwise) -> S:
        return self._descend(
            net, rows, torch.optim.Adam(net.parameters(), lr=self.lr, weight_decay=self.l2, fused=True)
        )

    def _descend(self, net: S, rows: Pointwise, optimizer: torch.optim.Optimizer) -> S:
        """`epochs` passes, each over negatives of its own."""
        self.net = net
        for epoch in tqdm(range(1, self.epochs + 1), desc=type(net).__name__, unit="epoch", disable=not self.progress):
            for batch in rows.batches(self.batch_size):
                optimizer.zero_grad(set_to_none=True)
                net.loss(batch).backward()
                optimizer.step()
            if self.watch is not None:
                self.watch(epoch)
        return net

    def _score(self, users: np.ndarray) -> np.ndarray:
        return pair_scores(self.net, users, self.seen.shape[1])

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: value.numpy() for name, value in self.net.state_dict().items()}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        with torch.device("meta"):  # shapes alone: nothing is drawn that would be thrown away
            self.net = self._network(*self.seen.shape)
        state = {name: torch.from_numpy(arrays[name]) for name in self.net.state_dict()}
        self.net.load_state_dict(state, assign=True)
        self.net.eval()

    @abstractmethod
    def _network(self, users: int, items: int) -> PairScorer:
        """An untrained network for ids below `users` and `items`."""
