"""YouTube recall: a network turns the last watches into a user vector; the nearest video vectors are the candidates.

Paper    Covington, Adams, Sargin, "Deep Neural Networks for YouTube Recommendations", RecSys 2016: section 3.1 (softmax, sampling), 3.2 (tower), 3.3 (example age), 3.4 (next watch).
Section  4.5.3 深度学习网络与Embedding召回
Idea     P(w = i | U) = e^{v_i·u} / Σ_j e^{v_j·u},  u = relu(W_L(… relu(W_1[mean of watched e_j; age] + b_1) …) + b_L)
Differs  watches and age are all that is known of a user (no searches, place, sex); age runs from 0 (newest) to 1; draws are shared by a batch; strangers get the popular items, as in every top-n model here.
Symbols  B batch · T watches kept · D size of e · V items · N size of u and v · S draws
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_matrix
from tqdm.auto import tqdm

from rec_lib.data.interactions import Interactions
from rec_lib.data.watches import Watches
from rec_lib.models.topn import TopN
from rec_lib.models.watch_network import WatchNetwork, draw
from rec_lib.schema import Batch


class YouTubeRecall(TopN):
    """Candidates by inner product of a computed user vector and stored item vectors.

    Args:
        dim: D. hidden: widths of the ReLU layers, the last one is N. init_sd: of e and v.
        maxlen: T, the last watches that are averaged.
        negatives: S, draws a batch by popularity; None: the softmax over all items.
        per_user: examples of each user an epoch, so that nobody counts more than another.
        epochs, batch_size, lr, l2: of Adam. rng: draws weights, examples, negatives; seed 0 by default.

    Raises:
        ValueError: sizes that are no whole numbers from 1, an lr or init_sd that is not above 0, a negative l2.
    """

    progress = False  # set it on a model to see a bar of epochs
    watch: Callable[[int], object] | None = None  # set it to look at the model after each epoch

    def __init__(self, dim: int = 16, hidden: tuple[int, ...] = (32, 16), maxlen: int = 50, negatives: int | None = 100,
                 per_user: int = 20, epochs: int = 40, batch_size: int = 128, lr: float = 0.01, l2: float = 0.0,
                 init_sd: float = 0.1, rng: np.random.Generator | None = None):  # fmt: skip
        sizes = (dim, *hidden, maxlen, 1 if negatives is None else negatives, per_user, epochs, batch_size)
        whole = all(isinstance(size, int | np.integer) and size >= 1 for size in sizes)
        if not (hidden and whole and lr > 0 and init_sd > 0 and l2 >= 0):
            raise ValueError(
                f"got {dim=}, {hidden=}, {maxlen=}, {negatives=}, {per_user=}, {epochs=}, {batch_size=}, {lr=}, {l2=}, "
                f"{init_sd=}; expected whole numbers of 1 or more as sizes, lr and init_sd above 0 and l2 of 0 or more."
            )
        self.dim, self.hidden, self.maxlen, self.negatives = dim, tuple(hidden), maxlen, negatives
        self.per_user, self.epochs, self.batch_size = per_user, epochs, batch_size
        self.lr, self.l2, self.init_sd = lr, l2, init_sd
        self.rng = np.random.default_rng(0) if rng is None else rng

    def fit(self, interactions: Interactions | csr_matrix, times: csr_matrix | None = None) -> Self:
        """As `TopN.fit`; with `times (users, items)` the next watch is learnt from those before it, and the age counts.

        Without: any watch from the others (see `data.watches.Watches`). ValueError where a watch has no time.
        """
        self._times = times
        return super().fit(interactions)

    def _fit(self, seen: csr_matrix) -> None:
        rows = self._rows(seen)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.rng.integers(1 << 31)))
            self.net = self._network(seen.shape[1])
        self.history = rows.histories(np.arange(seen.shape[0]))  # (users, T)
        adam = torch.optim.Adam(self.net.parameters(), lr=self.lr, weight_decay=self.l2, fused=True)
        for epoch in tqdm(range(1, self.epochs + 1), desc="YouTubeRecall", unit="epoch", disable=not self.progress):
            for batch in rows.batches(self.per_user, self.batch_size):
                adam.zero_grad(set_to_none=True)
                self.net.loss(self._with_draws(batch)).backward()
                adam.step()
            if self.watch is not None:
                self.watch(epoch)

    def _rows(self, seen: csr_matrix) -> Watches:
        return Watches(seen, self._times, self.maxlen, self.rng)

    def _network(self, items: int) -> WatchNetwork:
        return WatchNetwork(items, self.dim, self.hidden, self.init_sd)

    def _with_draws(self, batch: Batch) -> Batch:
        return batch if self.negatives is None else draw(batch, self.popularity, self.negatives, self.rng)

    @torch.no_grad()
    def user_vectors(self, users: np.ndarray) -> np.ndarray:
        """u of `users (U,)`, age 0: (U, N) float64, so that company changes no digit. Without a watch: ValueError."""
        ids, known = self._users(users), self.knows(users)
        if not known.all():
            raise ValueError(f"user {ids[~known][0]} watched nothing in training; recommend() gives popular items.")
        batch = {"history": torch.from_numpy(self.history[ids]), "age": torch.zeros(len(ids))}
        u: np.ndarray = copy.deepcopy(self.net).double().user(batch).numpy()
        return u

    def item_vectors(self) -> np.ndarray:
        """v of every id, padding and unknown included: (V, N) float64."""
        self._fitted()
        v: np.ndarray = self.net.v.detach().double().numpy()
        return v

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.user_vectors(users) @ self.item_vectors().T  # (U, V)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"history": self.history} | {name: value.numpy() for name, value in self.net.state_dict().items()}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        with torch.device("meta"):  # shapes alone: nothing is drawn that would be thrown away
            self.net = self._network(self.seen.shape[1])
        state = {name: torch.from_numpy(arrays[name]) for name in self.net.state_dict()}
        self.net.load_state_dict(state, assign=True)
        self.history = arrays["history"]
