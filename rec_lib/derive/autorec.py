"""AutoRec, step by step: the model, its objective, where a gradient goes and where not, MF in disguise, why a sigmoid.

Source  Sedhain, Menon, Sanner, Xie, "AutoRec", WWW 2015 companion: the model h, the objective of I-AutoRec, the prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from sympy import Sum, exp
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.derive.core import Derivation, Step, symbol_array
from rec_lib.derive.lr import sigma
from rec_lib.derive.tiny import indexed
from rec_lib.schema import FIRST, Schema, Sparse

m, n, k, T = sp.symbols("m n k T", integer=True, positive=True)  # users, those who rated, hidden units, all ratings
u, v, d = sp.symbols("u v d", integer=True, positive=True)

r, V, W, c, b, a = indexed("r", "V", "W", "c", "b", "a")
l2, spread, other = (symbol_array(name, ()) for name in ("lambda", "s", "x"))

# Three users, one film that users 1 and 2 have rated. User 3 rated another film, so that it is known, and priced.
SCHEMA = Schema((Sparse("user", FIRST + 3), Sparse("item", FIRST + 2)))
THREE_RATINGS = Table(
    SCHEMA,
    {
        "user": torch.tensor([FIRST, FIRST + 1, FIRST + 2]),
        "item": torch.tensor([FIRST, FIRST, FIRST + 1]),
        "label": torch.tensor([4.0, 2.0, 3.0]),
    },
)
HOLE = {"user": torch.tensor([FIRST + 2]), "item": torch.tensor([FIRST])}


def _z(unit: sp.Expr) -> sp.Expr:
    """What a hidden unit makes of the film's row."""
    return sigma(c[unit] + Sum(V[v, unit] * r[v], (v, 1, n)))


class z_of(sp.Function):
    """A hidden unit of the film, printed as z_d; of unit 1, 2, … it is σ(c_d + Σ_v V_vd r_v), over the two users who rated."""

    nargs = 1

    @classmethod
    def eval(cls, unit: sp.Expr) -> sp.Expr | None:
        return sigma(c[unit] + V[1, unit] * r[1] + V[2, unit] * r[2]) if unit.is_Integer else None

    def _latex(self, printer: object, exp: str | None = None) -> str:
        text = f"z_{{{sp.latex(self.args[0])}}}"
        return text if exp is None else rf"{text}^{{{exp}}}"


class other_z_of(z_of):
    """A hidden unit of the other film, which user 3 gave x stars: printed as z'_d."""

    @classmethod
    def eval(cls, unit: sp.Expr) -> sp.Expr | None:
        return sigma(c[unit] + V[3, unit] * other[()]) if unit.is_Integer else None

    def _latex(self, printer: object, exp: str | None = None) -> str:
        text = f"z'_{{{sp.latex(self.args[0])}}}"
        return text if exp is None else rf"{text}^{{{exp}}}"


def _h(user: sp.Expr, unit_of: type[z_of] = z_of) -> sp.Expr:
    return b[user] + Sum(W[user, d] * unit_of(d), (d, 1, k))


_inputs: dict[str, tuple[int, ...]] = {"r": (2,), "V": (3, 2), "W": (3, 2), "c": (2,), "b": (3,)}
_symbols = {
    name: symbol_array(base, _inputs[name]) for name, base in (("r", r), ("V", V), ("W", W), ("c", c), ("b", b))
}
_sizes = {m: 3, n: 2, k: 2}


def _places(t: Tensor) -> Tensor:
    """Rows of zeros for PAD and OOV before the three users'."""
    return torch.cat([t.new_zeros(FIRST, *t.shape[1:]), t])


def _lent(t: dict[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """The formula's numbers under the names that they have in the model. The other film's row holds x, or 3 stars."""
    row = torch.cat([_places(t["r"]), t["r"].new_zeros(1)])
    another = torch.zeros_like(row).index_put((torch.tensor([FIRST + 2]),), t.get("x", row.new_tensor(3.0)))
    ratings = torch.cat([row.new_zeros(FIRST, len(row)), row.unsqueeze(0), another.unsqueeze(0)])
    tables = {name: _places(t[name]) for name in ("V", "W", "b")} | {"c": t["c"], "ratings": ratings}
    return {prefix + name: value for name, value in tables.items()}


def _predict(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """R̂ of user 3 for the film that user 3 has not rated."""
    model = code(THREE_RATINGS, dim=2).double()
    return torch.func.functional_call(model, _lent(t), (HOLE,)).squeeze(0)


class _Loss(nn.Module):
    """``loss`` where ``functional_call`` looks: in forward."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.model.loss(batch)


_predicted = _h(sp.Integer(3))

model = Derivation(
    id="autorec",
    title="I-AutoRec: a film's row through one hidden layer",
    steps=(
        Step(
            "the whole row",
            b[3] + Sum(W[3, d] * sigma(c[d] + Sum(V[v, d] * r[v], (v, 1, n)) + Sum(V[v, d] * 0, (v, n + 1, m))), (d, 1, k)),
            "The film's row has a place for each of $m$ users. The first $n$ have rated it; the other places hold 0. Each hidden unit adds "
            "up the row with weights of its own and bends the sum; user 3 adds up the units with weights of its own.",
            lhs=r"\hat R_{3i} = h(r^{(i)})_3",
        ),
        Step(
            "holes add nothing",
            b[3] + Sum(W[3, d] * _z(d), (d, 1, k)),
            "A weight times 0 is 0: the sums run over those who rated. User 3 is not among them, and gets a prediction all the same.",
        ),
        Step(
            "hidden layer",
            _predicted,
            "Let $z_d$ be what unit $d$ makes of the row. The hidden layer of this film is $z = (z_1, \\dots, z_k)$.",
        ),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=_predicted,
    terms={"bias": b[3], "decoded": Sum(W[3, d] * z_of(d), (d, 1, k))},
    sizes=_sizes,
    wire=_predict,
)  # fmt: skip

# --- the objective ---------------------------------------------------------------------------------------------------

_film = Sum((r[u] - _h(u)) ** 2, (u, 1, n))
_another = other[()] - _h(sp.Integer(3), other_z_of)
_price = Sum(W[u, d] ** 2 + V[u, d] ** 2, (d, 1, k), (u, 1, m))
_objective = _film + _another**2 + l2[()] / 2 * _price


def _whole_loss(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    model: Any = code(THREE_RATINGS, dim=2).double()
    model.l2 = t["l2"]
    batch = THREE_RATINGS.batch() | {"label": torch.cat([t["r"], t["x"].reshape(1)])}
    return torch.func.functional_call(_Loss(model), _lent(t, "model."), (batch,))


objective = Derivation(
    id="autorec-objective",
    title="The objective: errors where there are ratings, and the price of both matrices",
    steps=(
        Step(
            "by T",
            _objective / T,
            "$\\sum_i \\|r^{(i)} - h(r^{(i)})\\|^2_{\\mathcal O} + \\frac{\\lambda}{2}(\\|W\\|_F^2 + \\|V\\|_F^2)$, for two films with $T = 3$ ratings. The first film's error is summed over the users who rated it, and nobody else; the second film has "
            "one rating, $x$, by user 3, and a hidden layer $z'$. Then $\\lambda/2$ for each squared weight. All of it divided by the number of ratings.",
            lhs="L",
        ),
        Step(
            "a mean and a share",
            (_film + _another**2) / T + l2[()] / (2 * T) * _price,
            "So it is the mean squared error over the ratings, and the price shared by them. What is smallest stays where it was.",
        ),
    ),
    inputs=_inputs | {"x": (), "l2": ()},
    symbols=_symbols | {"x": other, "l2": l2},
    final=(_film + _another**2) / 3 + l2[()] / 6 * _price,
    terms={"errors": (_film + _another**2) / 3, "price": l2[()] / 6 * _price},
    sizes=_sizes | {T: 3},
    wire=_whole_loss,
    domain={"l2": (0.1, 2.0)},
)

# --- where the gradient goes -----------------------------------------------------------------------------------------

_slope_seen = Sum(-2 * (r[u] - _h(u)) * W[u, 1], (u, 1, n)) * _z(1) * (1 - _z(1)) * r[1]


def _film_gradient(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """Of the film's two errors, summed: in V of user 1 and of user 3, and in W of user 3; first hidden unit."""
    model = code(THREE_RATINGS, dim=2, l2=0.0).double()
    batch = THREE_RATINGS.batch(slice(0, 2)) | {"label": t["r"]}
    lent = _lent(t, "model.")
    weights = [lent["model.V"], lent["model.W"]]
    loss = 2 * torch.func.functional_call(_Loss(model), lent, (batch,))
    in_V, in_W = torch.autograd.grad(loss, weights, create_graph=True)
    return torch.stack([in_V[FIRST, 0], in_V[FIRST + 2, 0], in_W[FIRST + 2, 0]])


gradient = Derivation(
    id="autorec-gradient",
    title="One film's errors: who learns, and who does not",
    steps=(
        Step(
            "derivative",
            sp.Matrix([sp.Derivative(_film, weight) for weight in (V[1, 1], V[3, 1], W[3, 1])]),
            "The film's errors, summed over the two users who rated it. How do they move with what the first hidden unit reads of user 1, "
            "with what it reads of user 3, and with what user 3 reads of it?",
            lhs=r"\frac{\partial}{\partial V_{11}},\; \frac{\partial}{\partial V_{31}},\; \frac{\partial}{\partial W_{31}}",
        ),
        Step(
            "chain rule",
            sp.Matrix([_slope_seen, 0, 0]),
            "Errors come back through $W$, are gathered in the unit, pass the slope of the sigmoid, $z(1 - z)$, and are multiplied with what "
            "went in: user 1's stars. User 3 put in 0 and was asked nothing: this film teaches user 3's weights nothing.",
        ),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=sp.Matrix([_slope_seen, 0, 0]),
    sizes=_sizes,
    wire=_film_gradient,
)  # fmt: skip

# --- what it is in the terms of MF -----------------------------------------------------------------------------------

q = indexed("q")[0]


def _as_mf(code: Callable[..., nn.Module], t: dict[str, Tensor]) -> Tensor:
    """A matrix factorisation whose film vector is the hidden layer, whose user vector is a row of W."""
    model = code(THREE_RATINGS, dim=2).double()
    film = torch.sigmoid(t["r"] @ t["V"][:2] + t["c"])
    films = torch.cat([film.new_zeros(FIRST, 2), film.unsqueeze(0), film.new_zeros(1, 2)])
    lent = {"p": _places(t["W"]), "q": films, "b_user": _places(t["b"]), "mu": film.new_zeros(())}
    lent["b_item"] = film.new_zeros(len(films))
    return torch.func.functional_call(model, lent, (HOLE,)).squeeze(0)


as_mf = Derivation(
    id="autorec-as-mf",
    title="I-AutoRec is a matrix factorisation whose film vectors are computed",
    steps=(
        Step(
            "as it stands",
            _predicted,
            "The prediction, once more. The hidden layer depends on the film alone, the weights in front of it on the user alone.",
            lhs=r"\hat R_{3i}",
        ),
        Step(
            "an inner product",
            b[3] + W[3, 1] * _z(1) + W[3, 2] * _z(2),
            "Let $q_i$ stand for the hidden layer and $p_u$ for the user's row of $W$: $b_u + p_u^\\top q_i$, with $k = 2$. MF learns a free $q_i$ for "
            "each film. AutoRec reads $q_i$ off the film's ratings, and each of its numbers lies between 0 and 1.",
        ),
    ),
    inputs=_inputs,
    symbols=_symbols,
    final=b[3] + W[3, 1] * _z(1) + W[3, 2] * _z(2),
    sizes=_sizes,
    wire=_as_mf,
)

# --- why a sigmoid ---------------------------------------------------------------------------------------------------

_like_yes = exp(-Sum((r[u] - a[u]) ** 2, (u, 1, n)) / (2 * spread[()] ** 2))
_like_no = exp(-Sum((r[u] + a[u]) ** 2, (u, 1, n)) / (2 * spread[()] ** 2))
_odds = 2 * Sum(a[u] * r[u], (u, 1, n)) / spread[()] ** 2

yes_or_no = Derivation(
    id="autorec-yes-or-no",
    title="The best guess of a yes-or-no trait is one hidden unit",
    steps=(
        Step(
            "Bayes",
            _like_yes / (_like_yes + _like_no),
            "A film has a trait or not, each as likely. If it has, user $u$ rates it $a_u$ above usual, if not $a_u$ below, give or take "
            "noise of standard deviation $s$. Given the ratings, how probable is it that the film has the trait?",
            lhs=r"P(\text{yes} \mid r)",
        ),
        Step(
            "divide by the first",
            1 / (1 + exp(Sum((r[u] - a[u]) ** 2 - (r[u] + a[u]) ** 2, (u, 1, n)) / (2 * spread[()] ** 2))),
            "Numerator and denominator by the likelihood of yes; the exponents are subtracted.",
        ),
        Step(
            "squares cancel",
            sigma(_odds),
            "$(r - a)^2 - (r + a)^2 = -4ar$. What is left is a sigmoid of a weighted sum of the ratings: a hidden unit of AutoRec, with "
            "$V_{ud} = 2a_u/s^2$. Those who did not rate are not in the sum: a hole must read as 0, *as usual*.",
        ),
    ),
    inputs={"r": (3,), "a": (3,), "s": ()},
    symbols={"r": symbol_array(r, (3,)), "a": symbol_array(a, (3,)), "s": spread},
    final=sigma(_odds),
    sizes={n: 3},
    domain={"s": (0.5, 2.0)},
)
