"""LS-PLM: several logistic regressions, and a softmax gate that says whose word counts where.

Paper    Gai, Zhu, Li, Liu, Wang, "Learning Piece-wise Linear Models from Large Scale Data for Ad Click Prediction", arXiv:1704.05194, 2017: eq. 2 (model with softmax and sigmoid), sec. 2 (loss with both penalties).
Section  2.7 LS-PLM——阿里巴巴曾经的主流推荐模型
Idea     p = Σ_{i≤m} softmax(u_1ᵀx … u_mᵀx)_i σ(w_iᵀx);  minimise log loss + λ‖Θ‖_{2,1} + β‖Θ‖_1,  Θ = [u_1 … u_m, w_1 … w_m]
Differs  proximal steps on mini-batches in place of the paper's directional derivatives with orthant-wise L-BFGS over all rows: the same penalties and exact zeros, another path; a mean loss, so λ and β are per row; a constant feature that is not penalised; a bag or history is one feature, the mean of its rows; logits, no sigmoid here.
Symbols  B batch · F fields · N dense features · m regions
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from rec_lib.layers import FieldEmbedding
from rec_lib.layers.mixture import mixture_logit
from rec_lib.layers.proximal import group_soft_threshold, soft_threshold
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class LSPLM(CTRModel):
    """Piece-wise linear model with m regions. With m = 1 it is logistic regression.

    A row of ``theta.table`` (and of ``dense``) holds one feature's 2m numbers, first m of the gate, then m of the
    regions. Equal regions would stay equal for ever, so they start apart, at random.
    """

    def __init__(self, schema: Schema, m: int = 2, init_sd: float = 0.05):
        super().__init__(schema)
        self.m = m
        self.theta = FieldEmbedding(schema, 2 * m, init_sd)
        self.dense = nn.Parameter(torch.randn(len(schema.dense), 2 * m) * init_sd) if schema.dense else None
        self.bias = nn.Parameter(torch.zeros(2 * m))

    def scores(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Gate scores u_iᵀx and regions' log-odds w_iᵀx: (B, m) each."""
        theta_x = self.bias + self.theta(batch).sum(dim=1)  # (B, 2m)  Θᵀx
        if self.dense is not None:
            x = torch.stack([batch[f.name].to(theta_x.dtype) for f in self.schema.dense], dim=1)  # (B, N)
            theta_x = theta_x + x @ self.dense  # (B, 2m)
        u, w = theta_x.split(self.m, dim=1)  # (B, m), (B, m)
        return u, w

    def forward(self, batch: Batch) -> Tensor:
        u, w = self.scores(batch)  # (B, m), (B, m)
        return mixture_logit(u, w)  # (B,)  log p/(1 − p), p = Σ_i softmax(u)_i σ(w_i): eq. 2


class ProximalAdagrad(torch.optim.Optimizer):
    """A gradient step on the loss, then the proximal map of λ‖Θ‖_{2,1} + β‖Θ‖_1: weights become exactly zero.

    A row is a feature and a group. All numbers of a row share one step size, lr over the root of the row's squared
    gradients so far (AdaGrad by feature): rare features take long steps, and within a row the proximal map keeps its
    closed form, first each number's soft threshold, then the row's.

    Args:
        model: its ``bias`` is left out of the penalties, as the constant is.
        lr: step size.
        l21: λ, the price of a feature's length; it takes whole features away.
        l1: β, the price of each number.

    Raises:
        ValueError: a step size that is not positive and finite, or a penalty that is not 0 or more.
    """

    def __init__(self, model: LSPLM, lr: float = 0.1, l21: float = 0.0, l1: float = 0.0):
        if not (0 < lr < inf and l21 >= 0 and l1 >= 0):
            raise ValueError(f"lr={lr}, l21={l21}, l1={l1}: expected a finite lr > 0 and penalties of at least 0.")
        features = [p for p in model.parameters() if p is not model.bias]
        groups: list[dict[str, Any]] = [{"params": features}, {"params": [model.bias], "l21": 0.0, "l1": 0.0}]
        super().__init__(groups, {"lr": lr, "l21": l21, "l1": l1})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step on the gradients that ``backward`` left."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                theta, g = p.view(-1, p.shape[-1]), p.grad.view(-1, p.shape[-1])  # (features, 2m)
                if p not in self.state:
                    self.state[p]["squares"] = theta.new_full((len(theta), 1), 1e-8)
                squares = self.state[p]["squares"].add_(g.square().mean(dim=1, keepdim=True))
                rate = group["lr"] / squares.sqrt()  # (features, 1)
                theta.sub_(rate * g)
                theta.copy_(group_soft_threshold(soft_threshold(theta, rate * group["l1"]), rate * group["l21"], dim=1))
        return loss
