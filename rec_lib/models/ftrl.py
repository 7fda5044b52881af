"""FTRL-Proximal: online logistic regression whose weights stay exactly zero until they have earned their place.

Paper    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013: algorithm 1 and sec. 3.
Section  2.4.3 逻辑回归模型的训练方法; 5.3 推荐系统的实时性
Idea     w = argmin_w  g_{1:t}·w + ½ Σ_s σ_s ‖w − w_s‖² + λ₁‖w‖₁ + ½ λ₂‖w‖²,  each coordinate with its own rate
Differs  the gradient is autograd's, of whatever loss was differentiated; weights are stored beside z and n, and brought up to
         date where the gradient is not 0; the centre of the β term is the initial weight, which in the paper is 0.
Symbols  w weights · g gradient · z, n what algorithm 1 keeps for each coordinate · α, β rate · λ₁, λ₂ penalties
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Any, overload

import torch
from torch import Tensor

from rec_lib.layers.proximal import soft_threshold


def proximal_weight(z: Tensor, n: Tensor, alpha: float, beta: float, l1: float, l2: float) -> Tensor:
    """The argmin in closed form, coordinate by coordinate: 0 where |z| ≤ λ₁.

    Args:
        z, n: of one shape; where β = λ₂ = 0, n must be above 0.
    """
    strength = (beta + n.sqrt()) / alpha + l2  # how strongly a weight is held
    return -soft_threshold(z, l1) / strength  # w = −(z − sgn(z) λ₁) / ((β + √n)/α + λ₂)


def absorb(w: Tensor, z: Tensor, n: Tensor, g: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """z and n after a gradient g that was taken at w."""
    sigma = ((n + g.square()).sqrt() - n.sqrt()) / alpha  # by how much 1/η grows
    return z + g - sigma * w, n + g.square()


class FTRL(torch.optim.Optimizer):
    """FTRL-Proximal for any parameters, dense or sparse gradients. A coordinate without gradient is left as it is.

    The paper differentiates the log loss of one row. A mean over B rows makes g smaller by B, and λ₁ and β count for more: to
    keep their scale in batches, differentiate ``model.loss(batch) * len(batch["label"])``.

    Args:
        params: parameters or parameter groups. LR's weights start at 0, as algorithm 1's do.
        alpha: α > 0, finite; the rate of a coordinate is α / (β + √(sum of its squared gradients)).
        beta: β ≥ 0, finite, 1 in the paper.
        l1: λ₁ ≥ 0. A weight is 0 until its gradients have added up to more than λ₁.
        l2: λ₂ ≥ 0.

    Raises:
        ValueError: a setting outside these bounds.
    """

    def __init__(
        self, params: Iterable[Any], alpha: float = 0.1, beta: float = 1.0, l1: float = 0.0, l2: float = 0.0
    ) -> None:
        if not (0 < alpha < inf and 0 <= beta < inf and l1 >= 0 and l2 >= 0):
            raise ValueError(
                f"got alpha={alpha}, beta={beta}, l1={l1}, l2={l2}; expected a finite alpha > 0, a finite "
                "beta and penalties of 0 or more."
            )
        super().__init__(params, {"alpha": alpha, "beta": beta, "l1": l1, "l2": l2})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take in the gradients, and bring the weights that have one up to date."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._update(p, *_touched(p.grad), **{k: group[k] for k in ("alpha", "beta", "l1", "l2")})
        return loss

    def _update(self, p: Tensor, at: Tensor, g: Tensor, alpha: float, beta: float, l1: float, l2: float) -> None:
        w, state = p.view(-1), self.state[p]
        if not state:
            state["z"], state["n"] = -w * beta / alpha, torch.zeros_like(w)  # z of the initial weights
        z, n = absorb(w[at], state["z"][at], state["n"][at], g, alpha)
        state["z"][at], state["n"][at] = z, n
        w[at] = proximal_weight(z, n, alpha, beta, l1, l2)


def _touched(grad: Tensor) -> tuple[Tensor, Tensor]:
    """Flat positions where the gradient is not 0, and what it is there."""
    if grad.is_sparse:
        grad = grad.coalesce()
        row = torch.zeros_like(grad.indices()[0])
        for size, index in zip(grad.shape, grad.indices(), strict=False):  # the sparse axes come first
            row = row * size + index
        values = grad.values().flatten(1) if grad.values().dim() > 1 else grad.values().unsqueeze(1)
        position = row.unsqueeze(1) * values.shape[1] + torch.arange(values.shape[1], device=grad.device)
        position, values = position.flatten(), values.flatten()
    else:
        values = grad.reshape(-1)
        position = torch.arange(len(values), device=grad.device)
    return position[values != 0], values[values != 0]
