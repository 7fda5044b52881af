"""The multilayer perceptron that the deep parts share."""

from __future__ import annotations

from torch import nn


def mlp(
    in_dim: int,
    hidden: tuple[int, ...],
    dropout: float = 0.0,
    activation: type[nn.Module] = nn.ReLU,
    out_bias: bool = True,
) -> nn.Sequential:
    """Dense layers in_dim → hidden… → 1, each hidden one with an activation, then dropout.

    Returns:
        a module (B, in_dim) → (B, 1); with ``hidden=()`` it is one linear layer.

    Raises:
        ValueError: a width below 1 or a dropout outside [0, 1).
    """
    if min(hidden, default=1) < 1 or not 0 <= dropout < 1:
        raise ValueError(f"got hidden={hidden}, dropout={dropout}; expected widths ≥ 1 and 0 ≤ dropout < 1.")
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(in_dim, width), activation()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        in_dim = width
    return nn.Sequential(*layers, nn.Linear(in_dim, 1, bias=out_bias))
