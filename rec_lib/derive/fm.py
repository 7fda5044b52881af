"""FM, step by step: why the double sum costs O(kn), the whole model, and the vector that NFM keeps.

Source  Rendle, "Factorization Machines", ICDM 2010: eq. 1, lemma 3.1;
        He & Chua, "Neural Factorization Machines", SIGIR 2017: eq. 3-4 (bi-interaction pooling).
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy import Sum
from torch import Tensor

from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.tiny import HALF, F, f, i, indexed, j, k, n, one_id_a_field

x, v, w = indexed("x", "v", "w")
w0 = symbol_array("w_0", ())
SIZES = {n: 3, F: 3, k: 2}


def pairs_of_fields() -> sp.Expr:
    """Σ_{i<j} ⟨v_i, v_j⟩ over the fields of a sample."""
    return Sum(Sum(v[i, f] * v[j, f], (f, 1, k)), (j, i + 1, F), (i, 1, F))


def half_of_square(coordinate: sp.Expr) -> sp.Expr:
    """½[(Σ_i v_if)² − Σ_i v_if²] over the fields, in one coordinate."""
    return HALF * (Sum(v[i, coordinate], (i, 1, F)) ** 2 - Sum(v[i, coordinate] ** 2, (i, 1, F)))


def _layer(code: Callable[[Tensor], Tensor], t: dict[str, Tensor]) -> Tensor:
    """A layer (B, F, D) → (B, …) on one sample with the rows x_i v_i."""
    return code((t["x"].unsqueeze(1) * t["v"]).unsqueeze(0)).squeeze(0)


_square_of_sum = Sum(v[i, f] * x[i], (i, 1, n)) ** 2
_sum_of_squares = Sum(v[i, f] ** 2 * x[i] ** 2, (i, 1, n))
_linear_time = Sum(HALF * (_square_of_sum - _sum_of_squares), (f, 1, k))
_features = {"x": symbol_array(x, (3,)), "v": symbol_array(v, (3, 2))}

pairwise = Derivation(
    id="fm-pairwise",
    title="The pairwise term in linear time",
    steps=(
        Step(
            "double sum",
            Sum(Sum(v[i, f] * v[j, f], (f, 1, k)) * x[i] * x[j], (j, i + 1, n), (i, 1, n)),
            "Every pair of features once: the inner product of their vectors, times both values. This is the definition.",
            lhs=r"\sum_{i<j} \langle v_i, v_j\rangle\, x_i x_j",
        ),
        Step(
            "by coordinate",
            Sum(Sum(v[i, f] * x[i] * v[j, f] * x[j], (j, i + 1, n), (i, 1, n)), (f, 1, k)),
            "The same terms in another order, coordinate $f$ outermost. Coordinates never meet each other: "
            "what remains is to add up the products of pairs of plain numbers, $a_i = v_{i,f}\\, x_i$.",
        ),
        Step(
            "all ordered pairs",
            Sum(HALF * (Sum(v[i, f] * x[i] * v[j, f] * x[j], (j, 1, n), (i, 1, n)) - _sum_of_squares), (f, 1, k)),
            "Let $i$ and $j$ both run from 1 to $n$. Every pair now comes twice, as $(i, j)$ and as $(j, i)$, and each feature meets itself once. "
            "Take the second away, halve the rest.",
        ),
        Step(
            "half of the square",
            _linear_time,
            "A double sum without a condition on the indices is a product of two sums, here twice the same one. "
            "One pass over the features gives both sums.",
        ),
    ),
    inputs={"x": (3,), "v": (3, 2)},
    symbols=_features,
    final=_linear_time,
    terms={
        "½ square of sum": Sum(HALF * _square_of_sum, (f, 1, k)),
        "−½ sum of squares": Sum(-HALF * _sum_of_squares, (f, 1, k)),
    },
    sizes=SIZES,
    wire=_layer,
)

_pooled = [HALF * (_square_of_sum - _sum_of_squares).subs(f, number) for number in (1, 2)]

bi_interaction = Derivation(
    id="bi-interaction",
    title="Bi-interaction pooling",
    steps=(
        Step(
            "sum over pairs",
            sp.Matrix([Sum(v[i, c] * x[i] * v[j, c] * x[j], (j, i + 1, n), (i, 1, n)) for c in (1, 2)]),
            "Multiply the vectors of each pair number by number and add up over the pairs: one vector with $k$ numbers, here $k = 2$.",
            lhs=r"f_{BI} = \sum_{i<j} x_i v_i \odot x_j v_j",
        ),
        Step(
            "half of the square",
            sp.Matrix(_pooled),
            "FM's identity holds in each coordinate by itself, before anything is added up over $f$. So $f_{BI}$ costs $O(kn)$ as well.",
        ),
    ),
    inputs={"x": (3,), "v": (3, 2)},
    symbols=_features,
    final=sp.Matrix(_pooled),
    sizes=SIZES,
    wire=_layer,
)

_first_order = w0[()] + Sum(w[i], (i, 1, F))
_second_order = Sum(half_of_square(f), (f, 1, k))

model = Derivation(
    id="fm",
    title="FM, one feature a field",
    steps=(
        Step(
            "eq. 1",
            _first_order + pairs_of_fields(),
            "Of all features of a field one is present, with $x = 1$; the others have $x = 0$ and drop out. What is left is a sum over $F$ fields.",
            lhs=r"y_{FM}",
        ),
        Step("lemma 3.1", _first_order + _second_order, "The pairwise term in linear time."),
    ),
    inputs={"w0": (), "w": (3,), "v": (3, 2)},
    symbols={"w0": w0, "w": symbol_array(w, (3,)), "v": symbol_array(v, (3, 2))},
    final=_first_order + _second_order,
    terms={"linear": _first_order, "pairwise": _second_order},
    sizes=SIZES,
    wire=lambda code, t: one_id_a_field(
        code, {"linear.w0": t["w0"], "linear.w.table": t["w"].unsqueeze(1), "emb.table": t["v"]}, n_fields=3, dim=2
    ),
)
