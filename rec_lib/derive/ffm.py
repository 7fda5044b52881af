"""FFM, step by step: the model, FM as the special case, FFM as a special case of a wide FM, and what it costs.

Source  Juan, Zhuang, Chin, Lin, "Field-aware Factorization Machines for CTR Prediction", RecSys 2016, sec. 3.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor, nn

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.fm import pairs_of_fields, v, w, w0
from rec_lib.derive.tiny import F, f, i, indexed, j, k, one_id_a_field

V, a, b, x, z = indexed("V", "a", "b", "x", "z")
N, M = sp.symbols("N M", integer=True, positive=True)  # features that are there in one field and in another

_linear = w0[()] + Sum(w[i], (i, 1, F))
_aware = Sum(Sum(V[i, j, f] * V[j, i, f], (f, 1, k)), (j, i + 1, F), (i, 1, F))
_first_order = {"w0": w0, "w": symbol_array(w, (3,))}
_first_order_shapes: dict[str, tuple[int, ...]] = {"w0": (), "w": (3,)}
_SIZES = {F: 3, k: 2}


def _run(code: Callable[..., nn.Module], t: dict[str, Tensor], table: Tensor, dim: int) -> Tensor:
    parameters = {"linear.w0": t["w0"], "linear.w.table": t["w"].unsqueeze(1), "emb.table": table}
    return one_id_a_field(code, parameters, n_fields=3, dim=dim)


model = Derivation(
    id="ffm",
    title="FFM, one feature a field",
    steps=(
        Step(
            "sec. 3",
            _linear + _aware,
            "Feature $i$ of field $i$ has a vector $V_{i,g}$ for each field $g$ that it may meet. A pair uses the two that are meant for each other: "
            "the one that $i$ has for $j$'s field, and the one that $j$ has for $i$'s.",
            lhs=r"y_{FFM}",
        ),
    ),
    inputs=_first_order_shapes | {"V": (3, 3, 2)},
    symbols=_first_order | {"V": symbol_array(V, (3, 3, 2))},
    final=_linear + _aware,
    terms={"linear": _linear, "field-aware pairs": _aware},
    sizes=_SIZES,
    wire=lambda code, t: _run(code, t, t["V"].flatten(1), dim=2),
)

is_fm = Derivation(
    id="ffm-is-fm",
    title="FFM with one vector for all partners is FM",
    steps=(
        Step(
            "same vector for everyone",
            _linear + Sum(Sum(v[i, f] * v[j, f], (f, 1, k)), (j, i + 1, F), (i, 1, F)),
            "Put $V_{i,g} = v_i$ for every partner field $g$.",
            lhs=r"y_{FFM}",
        ),
        Step("FM", _linear + pairs_of_fields(), "This is FM. So FFM can say all that FM of the same dimension can."),
    ),
    inputs=_first_order_shapes | {"v": (3, 2)},
    symbols=_first_order | {"v": symbol_array(v, (3, 2))},
    final=_linear + pairs_of_fields(),
    sizes=_SIZES,
    wire=lambda code, t: _run(code, t, t["v"].repeat(1, 3), dim=2),
)

_BLOCKS = ((1, 2), (1, 3), (2, 3))  # one block of k = 2 numbers a pair of fields


def _partner(feature: int, block: tuple[int, int]) -> int | None:
    """Whom a feature meets in a block; None if the block is of two other fields."""
    return {block[0]: block[1], block[1]: block[0]}.get(feature)


def _long(feature: int) -> list[sp.Expr]:
    """The feature's vector in the wide FM: its vector for the partner in its own blocks, zeros in the others."""
    partners = [_partner(feature, block) for block in _BLOCKS]
    return [sp.S.Zero if g is None else V[feature, g, number] for g in partners for number in (1, 2)]


def _long_rows(vectors: Tensor) -> Tensor:
    """The same in torch: (3, 3, 2) → (3, 6)."""
    partners = [[_partner(feature, block) for block in _BLOCKS] for feature in (1, 2, 3)]
    zero = vectors.new_zeros(2)
    return torch.stack(
        [torch.cat([zero if g is None else vectors[i, g - 1] for g in row]) for i, row in enumerate(partners)]
    )


_products = sp.Add(
    *(p * q for i_, j_ in _BLOCKS for p, q in zip(_long(i_), _long(j_), strict=True))
)  # Σ_{i<j} ⟨long_i, long_j⟩

is_wide_fm = Derivation(
    id="ffm-is-wide-fm",
    title="FFM is an FM with long vectors that are mostly zero",
    steps=(
        Step(
            "long vectors",
            sp.Matrix([_long(feature) for feature in (1, 2, 3)]),
            "Three fields, $k = 2$. Give an FM one block of $k$ numbers for each pair of fields, here (1, 2), (1, 3), (2, 3). "
            "In a block, the two features that belong there carry the vectors they have for each other; the third has zeros. One row a feature:",
            lhs=r"\begin{pmatrix} v_1 \\ v_2 \\ v_3 \end{pmatrix}",
        ),
        Step(
            "FM of the long vectors",
            _linear + _products,
            "FM with these vectors. In each inner product one block is left: in every other one of the two has zeros.",
            lhs=r"y_{FM}",
            starts=True,
        ),
        Step(
            "FFM",
            _linear + _aware,
            r"Term for term FFM. So an FM of dimension $k\,F(F-1)/2$ *can* say what FFM says. FFM spends its numbers on nothing else.",
        ),
    ),
    inputs=_first_order_shapes | {"V": (3, 3, 2)},
    symbols=_first_order | {"V": symbol_array(V, (3, 3, 2))},
    final=_linear + _aware,
    sizes=_SIZES,
    wire=lambda code, t: _run(code, t, _long_rows(t["V"]), dim=6),
)

_by_pair = Sum(Sum(a[i, f] * b[j, f], (f, 1, k)) * x[i] * z[j], (j, 1, M), (i, 1, N))
_by_field = Sum(Sum(a[i, f] * x[i], (i, 1, N)) * Sum(b[j, f] * z[j], (j, 1, M)), (f, 1, k))

by_field = Derivation(
    id="ffm-by-field",
    title="Two fields meet once, however many features they hold",
    steps=(
        Step(
            "pair by pair",
            _by_pair,
            "$N$ features of one field, with vectors $a_i$ for the other; $M$ of the other, with vectors $b_j$ for the first. Every pair costs an inner product.",
            lhs=r"\sum_{i, j} \langle a_i, b_j\rangle\, x_i z_j",
        ),
        Step(
            "field by field",
            _by_field,
            "All of them use the same two kinds of vectors, so each field can be added up first: $N + M$ vectors are scaled and added, and *one* inner "
            "product is left for the pair of fields. What cannot be saved are the $F(F-1)/2$ pairs of fields: every one has vectors of its own.",
        ),
    ),
    inputs={"x": (2,), "z": (3,), "a": (2, 2), "b": (3, 2)},
    symbols={
        "x": symbol_array(x, (2,)),
        "z": symbol_array(z, (3,)),
        "a": symbol_array(a, (2, 2)),
        "b": symbol_array(b, (3, 2)),
    },
    final=_by_field,
    sizes={N: 2, M: 3, k: 2},
)
