"""Two-tower: one network makes a vector of a user, another one of an item; the score is their inner product.

Paper    Huang et al., "Learning Deep Structured Semantic Models for Web Search", CIKM 2013 (DSSM): eq. 4-6; Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", RecSys 2019: eq. 2-4.
Section  4.3.2 “广义”的Item2vec
Idea     s(u, i) = ⟨f(x_u), g(x_i)⟩ / τ;  loss of a batch  −1/B Σ_a log softmax_b(s(u_a, i_b) − log Q(i_b))[a]
Differs  a user is what was taken and features, no id; vectors are added up before the layers (DSSM: letter trigrams); Q is counted, not estimated from a stream; some items' ids are hidden in training, so that their tower learns to do without; strangers get the popular items.
Symbols  B batch · T history · D size of an embedding · N size of u and v · τ temperature · Q how often an item stands in a batch
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from tqdm.auto import tqdm

from rec_lib.data.basket_pairs import BasketPairs, features_of
from rec_lib.data.interactions import Interactions
from rec_lib.layers.in_batch import unit
from rec_lib.models.topn import TopN
from rec_lib.models.tower_network import TwoTowerNetwork
from rec_lib.schema import OOV, Batch


class TwoTower(TopN):
    """Towers over history, ids and features, trained with the other items of a batch as negatives.

    Args:
        dim: D. hidden: widths of the layers of both towers, the last one is N; () for none. maxlen: T in training; served is the mean of all that was taken.
        temperature: τ. normalise: vectors of length 1. correction: take log Q off.
        id_dropout: share of the items' ids that training hides, so that `item_tower` can do without.
        per_user: examples of each user an epoch. epochs, batch_size, lr, l2: of Adam. init_sd: of the embeddings.
        rng: draws weights and examples; the global generator of torch is left alone. Seed 0 by default.

    Raises:
        ValueError: sizes below 1, a batch_size below 2, numbers that cannot be; the message says what is expected.
    """

    progress = False  # set it on a model to see a bar of epochs
    watch: Callable[[int], object] | None = None  # set it to look at the model after each epoch

    def __init__(self, dim: int = 32, hidden: tuple[int, ...] = (32,), maxlen: int = 50, temperature: float = 0.3,
                 normalise: bool = True, correction: bool = True, id_dropout: float = 0.1, per_user: int = 20,
                 epochs: int = 40, batch_size: int = 256, lr: float = 0.01, l2: float = 0.0, init_sd: float = 0.1,
                 rng: np.random.Generator | None = None):  # fmt: skip
        sizes = (dim, *hidden, maxlen, per_user, epochs, batch_size - 1)
        if min(sizes) < 1 or not (0 < temperature < np.inf and lr > 0 and init_sd > 0 and l2 >= 0 and 0 <= id_dropout <= 1):  # fmt: skip
            raise ValueError(
                f"got {dim=}, {hidden=}, {maxlen=}, {temperature=}, {id_dropout=}, {per_user=}, {epochs=}, {batch_size=}, {lr=}, "
                f"{l2=}, {init_sd=}; expected sizes of 1 or more, a batch of 2 or more (one has no negatives), temperature, "
                "lr and init_sd above 0, l2 of 0 or more, id_dropout from 0 to 1."
            )
        self.dim, self.hidden, self.maxlen, self.temperature = dim, tuple(hidden), maxlen, temperature
        self.normalise, self.correction = normalise, correction
        self.id_dropout, self.per_user, self.epochs, self.batch_size = id_dropout, per_user, epochs, batch_size
        self.lr, self.l2, self.init_sd = lr, l2, init_sd
        self.rng = np.random.default_rng(0) if rng is None else rng

    def fit(self, interactions: Interactions | csr_matrix, user_features: np.ndarray | None = None,
            item_features: np.ndarray | None = None) -> Self:  # fmt: skip
        """As `TopN.fit`; features are (users, F) and (items, G) numbers, such as 0 and 1. ValueError where they do not fit."""
        self._features = user_features, item_features
        return super().fit(interactions)

    def _fit(self, seen: csr_matrix) -> None:
        x, y = (features_of(f, n) for f, n in zip(self._features, seen.shape, strict=True))
        rows = BasketPairs(seen, self.maxlen, self.rng)
        log_q = torch.from_numpy(np.log(np.maximum(rows.q, 1e-12))).float() if self.correction else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.rng.integers(1 << 31)))
            self.net = TwoTowerNetwork(seen.shape[1], x.shape[1], y.shape[1], self.dim, self.hidden, self.temperature, self.normalise, self.init_sd)  # fmt: skip
        adam = torch.optim.Adam(self.net.parameters(), lr=self.lr, weight_decay=self.l2, fused=True)
        for epoch in tqdm(range(1, self.epochs + 1), desc="TwoTower", unit="epoch", disable=not self.progress):
            for batch in rows.batches(self.per_user, self.batch_size):
                more = {"user_features": x[batch["user"]], "item_features": y[batch["item"]]}
                if log_q is not None:
                    more["log_q"] = log_q[batch["item"]]
                adam.zero_grad(set_to_none=True)
                self._loss(batch | more).backward()
                adam.step()
            if self.watch is not None or epoch == self.epochs:
                self.u = self.user_tower(seen, x.numpy())
                self.v = self.item_tower(y.numpy(), np.arange(seen.shape[1]))
            if self.watch is not None:
                self.watch(epoch)

    def _loss(self, batch: Batch) -> Tensor:
        hidden = torch.from_numpy(self.rng.random(len(batch["item"])) < self.id_dropout)
        return self.net.loss(batch | {"item": batch["item"].masked_fill(hidden, OOV)})

    @torch.no_grad()
    def item_tower(self, features: np.ndarray, ids: np.ndarray | None = None) -> np.ndarray:
        """v (n, N) float64 of items with these `features (n, G)`; without ids, of items that training never met."""
        ids, net = np.full(len(features), OOV) if ids is None else ids, copy.deepcopy(self.net).double()
        return self._out(net.g(net.q[torch.from_numpy(ids)], torch.from_numpy(features).double()))

    @torch.no_grad()
    def user_tower(self, taken: csr_matrix, features: np.ndarray) -> np.ndarray:
        """u (n, N) float64 of users, fitted ones or newcomers, who took `taken (n, items)` and have `features (n, F)`."""
        net = copy.deepcopy(self.net).double()
        mean = (taken != 0) @ net.e.numpy() / np.maximum(np.diff(taken.indptr), 1)[:, None]  # (n, D)
        return self._out(net.f(torch.from_numpy(mean), torch.from_numpy(features).double()))

    def _out(self, vectors: Tensor) -> np.ndarray:
        out: np.ndarray = (unit(vectors) if self.normalise else vectors).numpy()
        return out

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.u[users] @ self.v.T / self.temperature  # (U, items)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"u": self.u, "v": self.v}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.u, self.v = arrays["u"], arrays["v"]
