"""The inside of a cross network: its monomials, layer by layer, and the weight that each of them gets."""

from __future__ import annotations

import numpy as np

from rec_lib.figures.dcn import Monomials, monomials_figure, summary
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider, switch

LAYERS = 4  # at most
VERSIONS = {"DCN (a vector a layer)": 1, "DCN-V2 (a matrix a layer)": 2}
OUTPUTS = {"number 1 of x_L": 0, "number 2 of x_L": 1}
SIZE = LAYERS + 2  # powers 0 … LAYERS + 1


class CrossNetwork:
    """A cross network over two numbers, with weights drawn once: those of the first layers stay when one is added."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.w = rng.uniform(0.3, 1.0, (LAYERS, 2)) * rng.choice([-1, 1], (LAYERS, 2))
        self.matrix = rng.uniform(0.3, 1.0, (LAYERS, 2, 2)) * rng.choice([-1, 1], (LAYERS, 2, 2))
        self.b = rng.uniform(0.2, 0.6, (LAYERS, 2)) * rng.choice([-1, 1], (LAYERS, 2))

    def compute(self, version: str, layers: int, output: str, bias: bool) -> Monomials:
        """The weights of all monomials of one number that leaves the network.

        Raises:
            ValueError: a value outside its control's range; the message names the control.
        """
        check_choice("version", version, VERSIONS)
        check_whole("layers", layers, 0, LAYERS)
        check_choice("output", output, OUTPUTS)
        bias, matrix = bool(bias), VERSIONS[version] == 2
        x_0 = np.zeros((2, SIZE, SIZE))  # two polynomials: x_1 and x_2
        x_0[0, 1, 0] = x_0[1, 0, 1] = 1.0
        x = x_0
        for layer in range(layers):
            b = self.b[layer] * bias
            if matrix:
                scale = np.einsum("ac,cij->aij", self.matrix[layer], x)
                scale[:, 0, 0] += b
                x = times_input(scale) + x
            else:
                x = times_input(np.stack([np.tensordot(self.w[layer], x, 1)] * 2)) + x
                x[:, 0, 0] += b
        free = layers * ((4 if matrix else 2) + 2 * bias)
        return Monomials(version, layers, output, bias, x[OUTPUTS[output]], free)


def times_input(scale: np.ndarray) -> np.ndarray:
    """x_1 times the first polynomial and x_2 times the second: their tables (2, P, P) move up by one power."""
    out = np.zeros_like(scale)
    out[0, 1:, :] = scale[0, :-1, :]
    out[1, :, 1:] = scale[1, :, :-1]
    return out


def monomials_panel(seed: int = 0) -> Panel:
    """The panel: which cross layer, how many, which output, and whether there are biases."""
    controls = {
        "version": choice("layer", VERSIONS, "DCN (a vector a layer)"),
        "layers": slider("cross layers 交叉层", 0, LAYERS, 1, 1),
        "output": choice("output", OUTPUTS, "number 1 of x_L"),
        "bias": switch("biases", False),
    }
    return Panel(controls, CrossNetwork(seed).compute, monomials_figure, summary)


def demo() -> Panel:
    """The panel."""
    return monomials_panel()
