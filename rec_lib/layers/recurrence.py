"""All steps of a gated recurrent unit as one node of the graph: the equations of gru.py, with their gradient written out.

Autograd would record ten nodes a step. Here a step is one or two products of matrices and a few passes, forward and backward; whatever
does not wait for a neighbouring step is computed for all steps at once. Units come before rows, so that a gate is one block of memory.

Source  Zhou et al., "Deep Interest Evolution Network for Click-Through Rate Prediction", AAAI 2019, arXiv:1809.03672: eq. 2-5.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Recurrence(Function):
    """``gru_step`` for every step, from a state of zeros.

    x (T, G, B), the input's share of [u], r, h̃      U (G, H)      a (T, B), what scales u, or stands for it      → states (T, H, B)

    G is 3H, or 2H where there is no u.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, U: Tensor, a: Tensor) -> Tensor:
        T, _, B = x.shape
        H = U.shape[1]
        x = x.contiguous()
        gates = x[:, :-H].clone(memory_format=torch.contiguous_format)  # (T, G − H, B)  will be [u], r
        new, back = x.new_empty(T, H, B), x.new_empty(T, H, B)  # h̃ and U^h h
        z = (
            a.unsqueeze(1).expand(T, H, B) if len(U) == 2 * H else x.new_empty(T, H, B)
        )  # how much of the state is replaced
        h = x.new_zeros(T + 1, H, B)  # h[t] is the state before step t
        for t in range(T):
            gates[t].addmm_(U[:-H], h[t]).sigmoid_()  # eq. 2, 3
            torch.mm(U[-H:], h[t], out=back[t])
            torch.addcmul(x[t, -H:], gates[t, -H:], back[t], out=new[t]).tanh_()  # eq. 4
            if len(U) == 3 * H:
                torch.mul(gates[t, :H], a[t], out=z[t])
            torch.lerp(h[t], new[t], z[t], out=h[t + 1])  # eq. 5
        ctx.save_for_backward(U, a, gates, new, back, z, h)
        return h[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        U, a, gates, new, back, z, h = ctx.saved_tensors
        T, H, B = new.shape
        d_states = d_states.contiguous()
        u, r = gates[:, :-H], gates[:, -H:]  # u is (T, 0, B) where there is none
        move = new - h[:-1]  # (T, H, B)  ∂h'/∂z
        to_new = torch.addcmul(z, z * new, new, value=-1)  # (T, H, B)  ∂h'/∂(what tanh gets) = z (1 − h̃²)
        to_r = torch.addcmul(r, r, r, value=-1).mul_(back)  # (T, H, B)  ∂(what tanh gets)/∂(what σ gets)
        if len(U) == 3 * H:
            to_u = torch.addcmul(u, u, u, value=-1).mul_(move).mul_(a.unsqueeze(1))  # (T, H, B)  ∂h'/∂(what σ gets)
            to_new = torch.cat([to_u, to_new], dim=1)  # (T, K, B)  K = G − H
        K = to_new.shape[1]
        to_back = torch.cat([to_r, r], dim=1)  # (T, 2H, B)
        parts = [U[: K - H], torch.zeros_like(U[-H:]), U[K - H :]]  # h̃ reads the state through U^h h only
        U_T = torch.cat(parts).mT.contiguous()  # (H, K + 2H)
        d = to_new.new_empty(T, K + 2 * H, B)  # gradients of [u], h̃, r, U^h h
        d_h = torch.empty_like(new)  # of the state after each step
        carried = new.new_zeros(H, B)  # (H, B)
        for t in range(T - 1, -1, -1):
            torch.add(d_states[t], carried, out=d_h[t])
            torch.mul(to_new[t].view(K // H, H, B), d_h[t], out=d[t, :K].view(K // H, H, B))
            torch.mul(to_back[t].view(2, H, B), d[t, K - H : K], out=d[t, K:].view(2, H, B))
            carried = torch.addcmul(d_h[t], d_h[t], z[t], value=-1).addmm_(U_T, d[t])
        d_x = torch.cat([d[:, : K - H], d[:, K : K + H], d[:, K - H : K]], dim=1)  # (T, G, B)
        d_U = (d @ h[:-1].mT).sum(dim=0)  # (K + 2H, H)
        d_a = (d_h * move * (u if K > H else 1)).sum(dim=1) if ctx.needs_input_grad[2] else None  # (T, B)
        return d_x, torch.cat([d_U[: K - H], d_U[K:]]), d_a
