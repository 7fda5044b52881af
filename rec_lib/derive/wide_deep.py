"""Wide & Deep, step by step: an AND as a product, the sum of the parts, and the one error that trains both.

Source  Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016, arXiv:1606.07792: eq. 1-3.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import f, i, indexed, j, relu
from rec_lib.schema import FIRST, OOV, Schema, Sparse

M = sp.Symbol("M", integer=True, positive=True)  # hidden units
m = sp.Symbol("m", integer=True, positive=True)

x, z, c, w, v, W, b, h = indexed("x", "z", "c", "w", "v", "W", "b", "h")
w0, t = symbol_array("w_0", ()), symbol_array("t", ())


def weight_by_loops(x: Tensor, z: Tensor, c: Tensor) -> Tensor:
    """Σ_k w_k φ_k, combination by combination. What :data:`cross_product` is held to."""
    total = x.new_zeros(())
    for a in range(len(x)):
        for d in range(len(z)):
            total = total + c[a, d] * (x[a] * z[d])
    return total


_every = Sum(c[i, j] * x[i] * z[j], (i, 1, 2), (j, 1, 3))

cross_product = Derivation(
    id="cross-product",
    title="A cross-product is an AND",
    steps=(
        Step(
            "eq. 1",
            sp.Add(*[
                c[p, q] * sp.prod([(x[a] if a <= 2 else z[a - 2]) ** int(a in (p, 2 + q)) for a in range(1, 6)])
                for p in (1, 2) for q in (1, 2, 3)
            ]),
            r"Two fields of two and three values, one-hot: $x_1, x_2$ and $z_1, z_2, z_3$. Combination $k$ multiplies all five, each to the power $c_{ki}$, which is 1 for the two that are in it and 0 for the others. Each combination has its own weight $c_{i,j}$.",
            lhs=r"\sum_k w_k\,\phi_k(x)",
        ),
        Step(
            "pairs",
            _every,
            "What is raised to the power 0 is 1 and drops out. A product of zeros and ones is 1 only if both are 1: an AND. Of six terms one is left, so the code looks up one weight.",
        ),
    ),
    inputs={"x": (2,), "z": (3,), "c": (2, 3)},
    symbols={"x": symbol_array(x, (2,)), "z": symbol_array(z, (3,)), "c": symbol_array(c, (2, 3))},
    final=_every.doit(),
    wire=lambda code, given: code(given["x"], given["z"], given["c"]),
)  # fmt: skip

# two fields with one value each, so one combination: c[1]; vectors of two numbers, two hidden units
_unit = b[m] + Sum(W[m, i, f] * v[i, f], (f, 1, 2), (i, 1, 2))
_linear, _cross = w0[()] + w[1] + w[2], c[1]
_deep = Sum(h[m] * relu(_unit), (m, 1, M))
_shapes: dict[str, tuple[int, ...]] = {
    "w0": (),
    "w": (2,),
    "c": (1,),
    "v": (2, 2),
    "W": (2, 2, 2),
    "b": (2,),
    "h": (2,),
}
_symbols = {
    "w0": w0, "w": symbol_array(w, (2,)), "c": symbol_array(c, (1,)), "v": symbol_array(v, (2, 2)),
    "W": symbol_array(W, (2, 2, 2)), "b": symbol_array(b, (2,)), "h": symbol_array(h, (2,)),
}  # fmt: skip


class _Loss(nn.Module):
    """A model's loss in place of its logit, so that :func:`run_module` can call it."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        loss = self.model.loss
        assert callable(loss)
        return loss(batch)


def _rows(values: Tensor, size: int) -> Tensor:
    """A field's table of which only the last row is read."""
    return torch.cat([values.new_zeros(size - 1, values.shape[1]), values])


def _lent(given: dict[str, Tensor]) -> dict[str, Tensor]:
    size = FIRST + 1
    combinations = FIRST + (size - OOV) ** 2  # those of unknown values among them; the real one is the last
    return {
        "wide.linear.w0": given["w0"],
        "wide.linear.w.table": torch.cat([_rows(a.reshape(1, 1), size) for a in given["w"]]),
        "wide.cross.w.table": _rows(given["c"].reshape(1, 1), combinations),
        "deep.emb.table": torch.cat([_rows(row.unsqueeze(0), size) for row in given["v"]]),
        "deep.mlp.0.weight": given["W"].flatten(1),
        "deep.mlp.0.bias": given["b"],
        "deep.mlp.2.weight": given["h"].unsqueeze(0),
    }


def _model(code: Callable[..., nn.Module]) -> tuple[nn.Module, dict[str, Tensor]]:
    schema = Schema((Sparse("user", FIRST + 1), Sparse("item", FIRST + 1)))
    batch = {name: torch.tensor([FIRST]) for name in ("user", "item")}
    return code(schema, dim=2, hidden=(2,), crosses=(("user", "item"),)), batch


def _logit(code: Callable[..., nn.Module], given: dict[str, Tensor]) -> Tensor:
    made, batch = _model(code)
    return run_module(made, _lent(given), batch).squeeze(0)


model = Derivation(
    id="wide-deep",
    title="Wide & Deep: one sum, one sigmoid",
    steps=(
        Step(
            "eq. 3",
            _linear + _cross + _deep,
            r"A user and a film. Wide: a bias, a weight for each of them, and $c_1$ for this very pair. Deep: a network over their vectors, here with one hidden layer. The paper's one bias $b$ is $w_0$; the network has none at its end.",
            lhs="y",
        ),
    ),
    inputs=_shapes,
    symbols=_symbols,
    final=_linear + _cross + _deep,
    terms={"linear": _linear, "cross": _cross, "deep": _deep},
    sizes={M: 2},
    wire=_logit,
)

_y = _linear + _cross + _deep
_logit_symbol = sp.Symbol("y", real=True)
_log_loss = sp.log(1 + sp.exp(_logit_symbol)) - t[()] * _logit_symbol
_error_in_y = 1 / (1 + sp.exp(-_logit_symbol)) - t[()]
_error = _error_in_y.subs(_logit_symbol, _y)


def _slope(code: Callable[..., nn.Module], given: dict[str, Tensor]) -> Tensor:
    made, batch = _model(code)
    lent = {f"model.{name}": tensor for name, tensor in _lent(given).items()}
    loss = run_module(_Loss(made), lent, batch | {"label": given["t"].reshape(1)})
    (gradient,) = torch.autograd.grad(loss, given["c"], create_graph=True)
    return gradient[0]


joint = Derivation(
    id="joint-gradient",
    title="Joint training: the pair's weight learns what the network does not say",
    steps=(
        Step(
            "derivative",
            sp.Derivative(_log_loss, _logit_symbol),
            r"The log loss of one sample with label $t$ and logit $y$. The weight of the pair is one of the terms of $y$, so the loss moves with it as it moves with $y$.",
            lhs=r"\frac{\partial J}{\partial c_1} = \frac{\partial J}{\partial y}",
        ),
        Step("p − t", _error_in_y, r"The fraction is $p$, so this is the error $p - t$."),
        Step(
            "both parts",
            _error,
            r"And $p$ has *both* parts in it. Where the network is right already, the error is small and the pair's weight stays where it is. Trained apart, the wide part would see an error of its own and learn everything once more.",
            lhs=r"\frac{\partial J}{\partial c_1}",
            starts=True,
        ),
    ),
    inputs=_shapes | {"t": ()},
    symbols=_symbols | {"t": t},
    final=_error,
    sizes={M: 2},
    domain={"t": (0.0, 1.0)},
    wire=_slope,
)
