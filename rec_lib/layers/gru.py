"""The gated recurrent unit by its equations, and attention in place of, or on top of, its update gate.

Source  Zhou et al., "Deep Interest Evolution Network for Click-Through Rate Prediction", AAAI 2019, arXiv:1809.03672: eq. 2-5 (GRU) and the section on the interest evolving layer (AGRU, AUGRU).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

GATES = ("gru", "agru", "augru")


class GRU(nn.Module):
    """u = σ(W^u i + U^u h + b^u),  r = σ(W^r i + U^r h + b^r),  h̃ = tanh(W^h i + r ∘ U^h h + b^h),  h ← (1 − u) ∘ h + u ∘ h̃.

    u opens the door to what is new: 0 keeps the state, 1 replaces it. ``torch.nn.GRU`` calls 1 − u the update gate z, so
    its weights of that gate are −W^u, −U^u, −b^u; and it has a second bias, inside r ∘ (U^h h + b), which the paper has not.

    ``"augru"`` scales u by an attention a: u ← a u. ``"agru"`` puts a in its place, and has no W^u, U^u, b^u. At padding the
    state stays as it is.

    Time comes first, so that the input's share of all steps is one product of matrices for the gates and one for h̃, and
    each step reads a contiguous block of them.

    Args:
        in_dim: D, of the input. states: H. gate: one of ``GATES``.

    Raises:
        ValueError: another gate, or sizes below 1.
    """

    def __init__(self, in_dim: int, states: int, gate: str = "gru"):
        super().__init__()
        if gate not in GATES or min(in_dim, states) < 1:
            raise ValueError(f"got {in_dim=}, {states=}, {gate=}; expected sizes from 1 and one of {GATES}.")
        self.states, self.gate = states, gate
        width = (2 if gate == "agru" else 3) * states  # [u], r, h̃ side by side
        bound = states**-0.5
        self.W, self.U, self.b = (
            nn.Parameter((2 * torch.rand(*shape) - 1) * bound) for shape in ((in_dim, width), (states, width), (width,))
        )

    def forward(self, i: Tensor, mask: Tensor, a: Tensor | None = None) -> Tensor:
        """Inputs (T, B, D), mask (T, B) and, unless the gate is "gru", attention (T, B), 0 at padding → states (T, B, H)."""
        T, B, _ = i.shape
        widths = (self.W.shape[1] - self.states, self.states)  # of the gates [u], r side by side, and of h̃
        U_gates, U_new = self.U.split(widths, dim=1)
        parts = zip(self.b.split(widths), self.W.split(widths, dim=1), widths, strict=True)
        x_gates, x_new = (torch.addmm(b, i.flatten(0, 1), W).view(T, B, n) for b, W, n in parts)  # (T, B, n)  W i + b
        scale = (mask.to(i.dtype) if a is None else a).unsqueeze(2)  # (T, B, 1)  of u
        h = i.new_zeros(B, self.states)
        states = []
        for x_g, x_h, a_t in zip(x_gates.unbind(), x_new.unbind(), scale.unbind(), strict=True):
            h = gru_step(x_g, x_h, h, U_gates, U_new, a_t)  # (B, H)
            states.append(h)
        return torch.stack(states) if T else i.new_zeros(0, B, self.states)  # (T, B, H)


def gru_step(x_gates: Tensor, x_new: Tensor, h: Tensor, U_gates: Tensor, U_new: Tensor, a: Tensor) -> Tensor:
    """One step: the input's share (B, 2H) or (B, H) of the gates [u], r and (B, H) of h̃, state (B, H), a (B, 1) → state (B, H)."""
    *u, r = torch.sigmoid(torch.addmm(x_gates, h, U_gates)).split(h.shape[1], dim=1)  # (B, H) each  eq. 2, 3
    new = torch.tanh(torch.addcmul(x_new, r, h @ U_new))  # (B, H)  h̃, eq. 4
    return torch.lerp(h, new, a * u[0] if u else a)  # (B, H)  (1 − u) ∘ h + u ∘ h̃, eq. 5 with a u or a for u
