"""FM, step by step: why the double sum costs O(kn), what a sample teaches a vector, the whole model, biased matrix
factorisation as its smallest case, and the vector that NFM keeps.

Source  Rendle, "Factorization Machines", ICDM 2010: eq. 1, eq. 4 (gradient), lemma 3.1, sec. V-A (matrix factorisation);
        He & Chua, "Neural Factorization Machines", SIGIR 2017: eq. 3-4 (bi-interaction pooling).
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
import torch
from sympy import Sum
from torch import Tensor

from rec_lib.derive import algebra
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

_one_coordinate = HALF * (_square_of_sum - _sum_of_squares)
_step_of_vector = sp.Matrix(
    [x[1] * Sum(v[i, c] * x[i], (i, 1, n)) - v[1, c] * x[1] ** 2 for c in (1, 2)]
)  # k = 2 numbers, one a coordinate


def _gradient(code: Callable[[Tensor], Tensor], t: dict[str, Tensor]) -> Tensor:
    """∂ (pairwise term) / ∂ v_1 by autograd, (2,)."""
    return torch.autograd.grad(_layer(code, t), t["v"], create_graph=True)[0][0]


vector_gradient = Derivation(
    id="fm-vector-gradient",
    title="What one sample teaches a vector",
    steps=(
        Step(
            "slope of the linear form",
            sp.Matrix([sp.Derivative(_one_coordinate.subs(f, c), v[1, c]) for c in (1, 2)]),
            "How the pairwise term moves with the vector of feature 1, here $k = 2$ numbers.",
            lhs=r"\frac{\partial y}{\partial v_1}",
        ),
        Step(
            "without a square",
            _step_of_vector,
            "The sum over all features is shared by all of them and computed once; each vector takes its own part off. So the gradient costs $O(kn)$ too.",
        ),
        Step(
            "the company it kept",
            sp.Matrix([x[1] * Sum(v[i, c] * x[i], (i, 2, n)) for c in (1, 2)]),
            "The vector moves along the sum of the vectors it stood with. *Every* sample that holds feature 1 moves it, whoever the partners were: "
            "that is how the pair with a partner it never met gets its weight.",
        ),
    ),
    inputs={"x": (3,), "v": (3, 2)},
    symbols=_features,
    final=_step_of_vector,
    sizes=SIZES,
    wire=_gradient,
)

_mu, _b_u, _b_i = symbol_array("\\mu", ()), symbol_array("b_u", ()), symbol_array("b_i", ())
p, q = indexed("p", "q")
_mf = _mu[()] + _b_u[()] + _b_i[()] + Sum(p[f] * q[f], (f, 1, k))
_user_and_item = {w0[()]: _mu[()], w[1]: _b_u[()], w[2]: _b_i[()]}


def _renamed(expr: sp.Expr) -> sp.Expr:
    """FM over two fields in the letters of matrix factorisation."""
    named = algebra.concrete(expr, {F: 2, k: 2}).subs(_user_and_item)
    return named.subs({v[1, c]: p[c] for c in (1, 2)} | {v[2, c]: q[c] for c in (1, 2)})


is_biased_mf = Derivation(
    id="fm-is-biased-mf",
    title="FM with a user and an item, and nothing else, is biased matrix factorisation",
    steps=(
        Step(
            "two fields",
            _renamed(_first_order + pairs_of_fields()),
            "FM's equation 1 for two fields, user and item, written out for $k = 2$. There is one pair. The letters are those of 2.3: "
            "$w_0$ is called $\\mu$, the first-order weights $b_u$ and $b_i$, the vectors $p$ and $q$.",
            lhs=r"y_{FM}",
        ),
        Step(
            "biased MF",
            _mf,
            "The rating formula of 2.3.3, $\\mu + b_u + b_i + q_i^\\top p_u$. Nothing is left over on either side.",
        ),
    ),
    inputs={"mu": (), "b_u": (), "b_i": (), "p": (2,), "q": (2,)},
    symbols={"mu": _mu, "b_u": _b_u, "b_i": _b_i, "p": symbol_array(p, (2,)), "q": symbol_array(q, (2,))},
    final=_mf,
    terms={"biases": _mu[()] + _b_u[()] + _b_i[()], "inner product": Sum(p[f] * q[f], (f, 1, k))},
    sizes={k: 2},
    wire=lambda code, t: one_id_a_field(
        code,
        {
            "linear.w0": t["mu"],
            "linear.w.table": torch.stack([t["b_u"], t["b_i"]]).unsqueeze(1),
            "emb.table": torch.stack([t["p"], t["q"]]),
        },
        n_fields=2,
        dim=2,
    ),
)
