"""AutoRec: an autoencoder squeezes a row of ratings through one hidden layer and rebuilds all of the row, holes too.

Paper    Sedhain, Menon, Sanner, Xie, "AutoRec: Autoencoders Meet Collaborative Filtering", WWW 2015 companion: model h, its objective, the prediction.
Section  3.2 AutoRec——单隐层神经网络推荐模型
Idea     R̂_ui = h(r⁽ⁱ⁾)_u,  h(r) = f(W g(V r + μ) + b),  f the identity, g the sigmoid
Differs  a batch is ratings, not rows: every step reads all rows, so the full batch is the paper's objective (λ/2)(‖W‖² + ‖V‖²) + Σe², divided by the number of ratings; a pair with an id without training ratings gets their mean (the paper: 3); b starts at the mean; μ is called c, since μ is the mean in this course; the matrix is dense.
Symbols  B batch · N rows (items; users in U-AutoRec) · M places in a row · D hidden size (the paper's k) · λ l2
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.models.rating import RatingModel
from rec_lib.schema import Batch


class IAutoRec(RatingModel):
    """I-AutoRec: an item is the row of all users' ratings of it, 0 where there is none.

    Its input are the training ratings and nothing else, whatever is asked. Train it with batches of all ratings: a smaller
    batch costs as much. Memory: items × users numbers, so a matrix like MovieLens-1M's is about the largest.

    Args:
        train: the ratings to learn from, and the rows that go in; a pair rated twice counts with its mean.
        dim: D, hidden size.
        l2: λ of the two weight matrices; biases are free.
        init_sd: standard deviation of the initial weights.

    Raises:
        ValueError: a dim below 1, or a negative λ or init_sd.
    """

    row, place = "item", "user"  # what has rows, and what the places in a row stand for
    ratings: Tensor
    count: Tensor

    def __init__(self, train: Table, dim: int = 500, l2: float = 100.0, init_sd: float = 0.03):
        super().__init__(train)
        if dim < 1 or min(l2, init_sd) < 0:
            raise ValueError(
                f"got dim={dim}, l2={l2}, init_sd={init_sd}; expected a hidden layer (dim ≥ 1), and none below 0."
            )
        self.l2 = l2
        at = train[self.row], train[self.place]
        total = torch.zeros(self.schema.size(self.row), self.schema.size(self.place), dtype=train["label"].dtype)
        total.index_put_(at, train["label"], accumulate=True)
        times = torch.zeros_like(total).index_put_(at, torch.ones_like(train["label"]), accumulate=True)
        self.register_buffer("ratings", total / times.clamp(min=1))  # (N, M)  the rows r, 0 where there is no rating
        self.register_buffer("count", torch.tensor(float(len(train))))
        places = self.schema.size(self.place)
        self.V = nn.Parameter(torch.randn(places, dim) * init_sd)  # (M, D)  the paper's Vᵀ
        self.W = nn.Parameter(torch.randn(places, dim) * init_sd)  # (M, D)
        self.c = nn.Parameter(torch.zeros(dim))
        self.b = nn.Parameter(self.mu.repeat(places))

    def forward(self, batch: Batch) -> Tensor:
        i, u = batch[self.row], batch[self.place]  # (B,)
        known = self.known_item[batch["item"]] & self.known_user[batch["user"]]  # (B,)
        z = self.encode(self.ratings)  # (N, D)  g(V r + μ)
        h = self.decode(z)  # (N, M)  f(W z + b)
        return torch.where(known, h[i, u], self.mu)  # (B,)  R̂_ui = h(r⁽ⁱ⁾)_u

    def encode(self, r: Tensor) -> Tensor:
        """g(V r + μ) of rows of ratings, also of rows that were not in training: (N, M) → (N, D)."""
        return self.g(r @ self.V + self.c)

    def g(self, x: Tensor) -> Tensor:
        """The hidden activation."""
        return torch.sigmoid(x)

    def decode(self, z: Tensor) -> Tensor:
        """f(W z + b): (N, D) → (N, M)."""
        return z @ self.W.T + self.b

    def penalty(self, batch: Batch) -> Tensor:
        """(λ/2)(‖W‖² + ‖V‖²), shared equally by all training ratings: (B,). Rows without ratings are not used, and free."""
        used = self.get_buffer(f"known_{self.place}").to(self.V.dtype)  # (M,)
        squares = self.W.square().sum(dim=1) + self.V.square().sum(dim=1)  # (M,)
        return (self.l2 / 2 * (squares @ used) / self.count).expand(len(batch["label"]))


class UAutoRec(IAutoRec):
    """U-AutoRec: the same with a user as the row of that user's ratings of all items."""

    row, place = "user", "item"
