"""NeuralCF: a network in place of the inner product of a user's and an item's vector.

Paper    He, Liao, Zhang, Nie, Hu, Chua, "Neural Collaborative Filtering", WWW 2017, arXiv:1708.05031: eq. 7 (loss), 8-9 (GMF), 10 (MLP), 12 (NeuMF), 13 (pretraining).
Section  3.4 NeuralCF模型——CF与深度学习的结合
Idea     ŷ_ui = σ(hᵀ[φ^G; φ^M]),  φ^G = p^G_u ⊙ q^G_i,  φ^M = relu(W_L(… relu(W_1[p^M_u; q^M_i] + b_1) …) + b_L)
Differs  it ranks items for users, so it is a top-n model (fit, score, recommend; strangers get the popular items) around a torch network; logits, σ is in the loss; the last layers of GMF and MLP need not be equally wide.
Symbols  B batch · K width of φ^G · L of φ^M · p, q vectors of user and item · h output weights · α GMF's share in a pretrained start
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from rec_lib.data.pointwise import Pointwise
from rec_lib.models.pair_network import PairNetwork, PairScorer
from rec_lib.schema import Batch

NETWORKS = ("gmf", "mlp", "neumf")


class Tower(nn.Module):
    """A table of vectors for users and one for items, drawn with standard deviation `init_sd`."""

    def __init__(self, users: int, items: int, dim: int, init_sd: float):
        super().__init__()
        self.p, self.q = (nn.Parameter(torch.randn(rows, dim) * init_sd) for rows in (users, items))


class GMF(Tower):
    """Generalised matrix factorisation: coordinate by coordinate, user times item."""

    def forward(self, batch: Batch) -> Tensor:
        p_u, q_i = self.p.index_select(0, batch["user"]), self.q.index_select(0, batch["item"])  # (B, K)
        return p_u * q_i  # (B, K)  φ^G, eq. 8


class MLP(Tower):
    """The two vectors, of hidden[0] numbers each, side by side through dense layers of the widths `hidden`."""

    def __init__(self, users: int, items: int, hidden: tuple[int, ...], init_sd: float):
        super().__init__(users, items, hidden[0], init_sd)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip((2 * hidden[0], *hidden), hidden, strict=False))

    def forward(self, batch: Batch) -> Tensor:
        p_u, q_i = self.p.index_select(0, batch["user"]), self.q.index_select(0, batch["item"])
        z = torch.cat([p_u, q_i], dim=1)  # (B, 2·hidden[0])  z_1
        for layer in self.layers:
            z = torch.relu(layer(z))  # (B, width)
        return z  # (B, L)  φ^M, eq. 10


class NeuMF(PairScorer):
    """Output weights over one tower (this is then GMF or MLP) or both (NeuMF). `widths`: numbers that each gives."""

    def __init__(self, towers: list[Tower], widths: list[int]):
        super().__init__()
        self.towers = nn.ModuleList(towers)
        self.h = nn.Parameter((2 * torch.rand(sum(widths)) - 1) / sum(widths) ** 0.5)

    def forward(self, batch: Batch) -> Tensor:
        phi = torch.cat([tower(batch) for tower in self.towers], dim=1)  # (B, K + L)  [φ^G; φ^M]
        return phi @ self.h  # (B,)  hᵀ[φ^G; φ^M], eq. 12; with one tower eq. 9 or 10


def pretrained(gmf: NeuMF, mlp: NeuMF, alpha: float) -> NeuMF:
    """NeuMF that starts at copies of two trained towers, h = [α h^G; (1 − α) h^M]: eq. 13."""
    both = copy.deepcopy(gmf)
    both.towers.extend(copy.deepcopy(mlp).towers)
    both.h = nn.Parameter(torch.cat([alpha * gmf.h.detach(), (1 - alpha) * mlp.h.detach()]))
    return both


class NeuralCF(PairNetwork):
    """GMF, MLP or NeuMF as a top-n model; `PairNetwork` says what the other settings mean.

    Args:
        network: "gmf", "mlp" or "neumf".
        dim: K. hidden: widths of the MLP's layers. init_sd: of the vectors.
        alpha: "neumf" trains GMF and MLP first, `epochs` each, starts at both and goes on as long with plain SGD at the
            rate `sgd_lr`; None starts from scratch.

    Raises:
        ValueError: a network of another name, sizes below 1, an alpha outside [0, 1], rates that are not above 0.
    """

    net: NeuMF

    def __init__(self, network: str = "neumf", dim: int = 16, hidden: tuple[int, ...] = (32, 16), alpha: float | None = 0.5,
                 negatives: int = 4, epochs: int = 20, batch_size: int = 256, lr: float = 0.01, sgd_lr: float = 0.1,
                 l2: float = 0.0, init_sd: float = 0.1, rng: np.random.Generator | None = None):  # fmt: skip
        super().__init__(negatives, epochs, batch_size, lr, l2, rng)
        share = 0.0 if alpha is None else alpha
        if network not in NETWORKS or not hidden or min(dim, *hidden) < 1 or not 0 <= share <= 1 or not sgd_lr > 0:
            raise ValueError(
                f"got {network=}, {dim=}, {hidden=}, {alpha=}, {sgd_lr=}; expected one of {NETWORKS}, widths from 1, an "
                "alpha from 0 to 1 (or None), and a rate above 0."
            )
        self.network, self.dim, self.hidden, self.init_sd = network, dim, tuple(hidden), init_sd
        self.alpha, self.sgd_lr = alpha, sgd_lr

    def _network(self, users: int, items: int) -> NeuMF:
        return self._of(self.network, users, items)

    def _of(self, network: str, users: int, items: int) -> NeuMF:
        gmf = [GMF(users, items, self.dim, self.init_sd)] if network != "mlp" else []
        mlp = [MLP(users, items, self.hidden, self.init_sd)] if network != "gmf" else []
        return NeuMF([*gmf, *mlp], [self.dim] * len(gmf) + [self.hidden[-1]] * len(mlp))

    def _trained(self, rows: Pointwise, users: int, items: int) -> PairScorer:
        if self.network != "neumf" or self.alpha is None:
            return super()._trained(rows, users, items)
        gmf, mlp = (self._by_adam(self._of(tower, users, items), rows) for tower in ("gmf", "mlp"))
        both = pretrained(gmf, mlp, self.alpha)
        return self._descend(both, rows, torch.optim.SGD(both.parameters(), lr=self.sgd_lr))
