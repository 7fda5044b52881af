"""PNN, step by step: inner and outer products without a visit to every pair, and the product layer as a dense layer.

Source  Qu et al., "Product-based Neural Networks for User Response Prediction", ICDM 2016, arXiv:1611.00144: eq. 1-14.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import indexed, one_id_a_field, relu

N, M, D = sp.symbols("N M D", integer=True, positive=True)  # fields, numbers in a vector, units (the paper's D1)
i, j, a, c, n = sp.symbols("i j a c n", integer=True, positive=True)  # fields, numbers, unit

f, theta, W, T, Z, b, h = indexed("f", r"\theta", "W", "T", "Z", "b", "h")
b0 = symbol_array("b_0", ())
SIZES = {N: 3, M: 2, D: 2}

_dot = Sum(f[i, a] * f[j, a], (a, 1, M))
_inner_pairs = Sum(theta[i] * theta[j] * _dot, (j, 1, N), (i, 1, N))
_inner = Sum(Sum(theta[i] * f[i, a], (i, 1, N)) ** 2, (a, 1, M))
_one_unit = {"f": (3, 2), "theta": (3,)}

inner = Derivation(
    id="ipnn",
    title="IPNN: the weighed inner products of all pairs are one squared length",
    steps=(
        Step(
            "eq. 8",
            _inner_pairs,
            r"One unit of the first hidden layer weighs the product of fields $i$ and $j$ with $W_{ij} = \theta_i\theta_j$: "
            "the paper gives the matrix rank one, $N$ numbers in place of $N^2$. All ordered pairs count, and each field with itself.",
            lhs=r"l_p",
        ),
        Step(
            "by coordinate",
            Sum(theta[i] * f[i, a] * theta[j] * f[j, a], (j, 1, N), (i, 1, N), (a, 1, M)),
            r"Give each weight to its own vector, and put the sum over the coordinate $a$ outermost.",
        ),
        Step(
            "squared length",
            _inner,
            r"A double sum without a condition is a product of two equal sums. With $\delta_i = \theta_i f_i$ it is $\lVert\sum_i\delta_i\rVert^2$. "
            "A squared length is never below 0: this is the price of the rank of one.",
        ),
    ),
    inputs=_one_unit,
    symbols={"f": symbol_array(f, (3, 2)), "theta": symbol_array(theta, (3,))},
    final=_inner,
    sizes=SIZES,
    wire=lambda code, t: code(t["f"].unsqueeze(0), t["theta"].unsqueeze(0)).squeeze(),
)

_outer_pairs = Sum(Sum(W[a, c] * f[i, a] * f[j, c], (c, 1, M), (a, 1, M)), (j, 1, N), (i, 1, N))
_sum_a, _sum_c = Sum(f[i, a], (i, 1, N)), Sum(f[j, c], (j, 1, N))
_outer = Sum(W[a, c] * _sum_a * _sum_c, (c, 1, M), (a, 1, M))

outer = Derivation(
    id="opnn",
    title="OPNN: one matrix for all pairs lets the vectors be summed first",
    steps=(
        Step(
            "pairs",
            _outer_pairs,
            r"The outer product of fields $i$ and $j$ is the table of all $f_{i,a} f_{j,c}$. One unit weighs it with $W$, the same $W$ for every pair.",
            lhs=r"l_p",
        ),
        Step(
            "entry by entry",
            Sum(W[a, c] * Sum(f[i, a] * f[j, c], (j, 1, N), (i, 1, N)), (c, 1, M), (a, 1, M)),
            r"$W$ does not know which pair it weighs, so it stands outside the sum over pairs. What is inside is the paper's superposition (eq. 12).",
        ),
        Step(
            "sum pooling",
            _outer,
            r"The double sum is a product of two sums: $f_\Sigma f_\Sigma^\top$ with $f_\Sigma=\sum_i f_i$ (eq. 13). The fields are added up before they meet, "
            "and who brought which number is forgotten.",
        ),
    ),
    inputs={"f": (3, 2), "W": (2, 2)},
    symbols={"f": symbol_array(f, (3, 2)), "W": symbol_array(W, (2, 2))},
    final=_outer,
    sizes=SIZES,
    wire=lambda code, t: code(t["f"].unsqueeze(0), t["W"].unsqueeze(0)).squeeze(),
)

_fm_twice = 2 * Sum(Sum(f[i, a] * f[j, a], (a, 1, M)), (j, i + 1, N), (i, 1, N))
_squares = Sum(f[i, a] ** 2, (a, 1, M), (i, 1, N))

same = Derivation(
    id="pnn-contains-fm",
    title="With weights of one both are FM twice, and the squared lengths",
    steps=(
        Step(
            "θ = 1, or W = I",
            Sum(Sum(f[i, a], (i, 1, N)) ** 2, (a, 1, M)),
            r"Put 1 for every $\theta_i$ in IPNN, or the unit matrix for $W$ in OPNN: both become the squared length of the sum.",
            lhs=r"\lVert f_\Sigma\rVert^2",
        ),
        Step(
            "FM inside",
            _fm_twice + _squares,
            "The square of a sum holds every pair twice and every square once (FM's identity, read backwards). One unit with these weights is FM's pairwise term, doubled, plus the squared lengths.",
        ),
    ),
    inputs={"f": (3, 2)},
    symbols={"f": symbol_array(f, (3, 2))},
    final=_fm_twice + _squares,
    sizes=SIZES,
    wire=lambda code, t: code(t["f"].unsqueeze(0), t["f"].new_ones(1, 3)).squeeze(),
)

# The product layer beside a dense layer over [z, p]: K signals of each kind, one unit
K = sp.symbols("K", integer=True, positive=True)
z, p, w, u = indexed("z", "p", "w", "u")
_b1 = symbol_array("b_1", ())
_split = relu(Sum(w[i] * z[i], (i, 1, K)) + Sum(u[j] * p[j], (j, 1, K)) + _b1[()])
_joined = relu(sum((w[k] * z[k] for k in (1, 2, 3)), sum((u[k] * p[k] for k in (1, 2, 3)), _b1[()])))

layer = Derivation(
    id="pnn-product-layer",
    title="The product layer is a dense layer that reads z and p",
    steps=(
        Step(
            "eq. 3",
            _split,
            r"The paper: $\operatorname{relu}(l_z + l_p + b_1)$, each signal with weights of its own.",
            lhs="l_1",
        ),
        Step(
            "as code has it",
            _joined,
            r"The common code: put $z$ and $p$ into one long vector, here three numbers each, and a dense layer above it. The same sum. So the two part ways elsewhere: in what $p$ is.",
        ),
    ),
    inputs={"z": (3,), "p": (3,), "w": (3,), "u": (3,), "b": ()},
    symbols={name: symbol_array(base, (3,)) for name, base in {"z": z, "p": p, "w": w, "u": u}.items()} | {"b": _b1},
    final=_joined,
    sizes={K: 3},
    wire=lambda code, t: code(**t),
)


def dense_over_both(z: Tensor, p: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
    """One unit of a dense ReLU layer over the concatenation of both signals. What :data:`layer` is held to."""
    return torch.relu(torch.nn.functional.linear(torch.cat([z, p]), torch.cat([w, u]).unsqueeze(0), b.reshape(1)))


# The models: two fields of two numbers, two units, then the output
_SMALL = {N: 2, M: 2, D: 2}
_signal_z = b[n] + Sum(Z[n, i, a] * f[i, a], (a, 1, M), (i, 1, N))
_l_inner = Sum(Sum(T[n, i] * f[i, a], (i, 1, N)) ** 2, (a, 1, M))
_l_outer = Sum(W[n, a, c] * _sum_a * _sum_c, (c, 1, M), (a, 1, M))
_network: dict[str, tuple[int, ...]] = {"f": (2, 2), "Z": (2, 2, 2), "b": (2,), "h": (2,), "b0": ()}
_network_symbols = {
    "f": symbol_array(f, (2, 2)), "Z": symbol_array(Z, (2, 2, 2)), "b": symbol_array(b, (2,)),
    "h": symbol_array(h, (2,)), "b0": b0,
}  # fmt: skip


def _output(l_p: sp.Expr) -> sp.Expr:
    return b0[()] + Sum(h[n] * relu(_signal_z + l_p), (n, 1, D))


def _run(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    lent = {
        "emb.table": t["f"],
        "linear.weight": t["Z"].flatten(1),
        "linear.bias": t["b"],
        "mlp.0.weight": t["h"].unsqueeze(0),
        "mlp.0.bias": t["b0"].reshape(1),
    }
    lent |= {name: t[key] for name, key in (("theta", "T"), ("w_p", "W")) if key in t}
    return one_id_a_field(code, lent, n_fields=2, dim=2, hidden=(2,))


def _model(id: str, title: str, why: str, l_p: sp.Expr, products: dict[str, tuple[int, ...]]) -> Derivation:
    own = {key: symbol_array({"T": T, "W": W}[key], shape) for key, shape in products.items()}
    return Derivation(
        id=id,
        title=title,
        steps=(Step("eq. 1-5", _output(l_p), why, lhs="y"),),
        inputs=_network | products,
        symbols=_network_symbols | own,
        final=_output(l_p),
        sizes=_SMALL,
        wire=_run,
    )


ipnn = _model(
    "ipnn-model",
    "IPNN with one hidden layer",
    r"Unit $n$ reads the vectors through $Z_n$ and their inner products through $\theta_n$ (row $n$ of $T$); both are added, with a bias, before the ReLU.",
    _l_inner,
    {"T": (2, 2)},
)
opnn = _model(
    "opnn-model",
    "OPNN with one hidden layer",
    r"The same network; its products are $f_\Sigma f_\Sigma^\top$, and unit $n$ has a matrix $W_n$ for them.",
    _l_outer,
    {"W": (2, 2, 2)},
)
pnn = _model(
    "pnn-model",
    "PNN*: both products at once",
    "Each unit weighs inner and outer products, and adds both to the linear signal.",
    _l_inner + _l_outer,
    {"T": (2, 2), "W": (2, 2, 2)},
)
