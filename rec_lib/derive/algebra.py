"""What the derivations need from sympy: finite sums written out, random points, equality of two expressions.

Equality is decided by expansion where both sides are polynomials of moderate size, and at random points otherwise.
``sympy.simplify`` is not used: it may run for minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

POINTS = 5
_GRID = 16  # random points are multiples of 1/16: rational functions are then compared exactly
_EXPAND_LIMIT = 4000  # operations; beyond it expansion may take longer than a learner waits


def components(expr: Any) -> list[sympy.Expr]:
    """The entries of a scalar, matrix, array or list of expressions, in reading order."""
    if isinstance(expr, np.ndarray):
        return [sympy.sympify(e) for e in expr.flat]
    if isinstance(expr, (list, tuple)):
        return [entry for part in expr for entry in components(part)]
    if isinstance(expr, sympy.MatrixBase):
        return list(expr)
    if isinstance(expr, sympy.NDimArray):
        return list(sympy.flatten(expr))
    return [sympy.sympify(expr)]


def concrete(expr: sympy.Expr, sizes: Mapping[Any, int]) -> sympy.Expr:
    """Put numbers for the symbolic sizes and write out every finite sum, product and derivative.

    Integrals stay: they are evaluated by quadrature, because a closed form may take sympy minutes.

    Raises:
        ValueError: a bound of a sum is not a number after ``sizes`` were put in.
    """
    return _written_out(sympy.sympify(expr).subs(dict(sizes)))


def _written_out(expr: sympy.Expr) -> sympy.Expr:
    if isinstance(expr, (sympy.Sum, sympy.Product)):
        inner, *limits = expr.args
        index, low, high = limits[-1]  # sympy's last limit is the outermost sum
        if not (low.is_Integer and high.is_Integer):
            raise ValueError(
                f"the bounds of {expr} are {low} and {high}; expected numbers (a derivation names them in sizes={{…}})."
            )
        inner = expr.func(inner, *limits[:-1]) if len(limits) > 1 else inner
        terms = [_written_out(inner.subs(index, k)) for k in range(int(low), int(high) + 1)]
        return sympy.Add(*terms) if isinstance(expr, sympy.Sum) else sympy.Mul(*terms)
    if not expr.args or isinstance(expr, (sympy.Indexed, sympy.Integral)):
        return expr
    rebuilt = expr.func(*[_written_out(a) if isinstance(a, sympy.Basic) else a for a in expr.args])
    return rebuilt.doit() if isinstance(rebuilt, sympy.Derivative) else rebuilt


def unknowns(exprs: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Free symbols and indexed elements such as v[1, 2], sorted by name."""
    found: set[sympy.Expr] = set()
    for expr in exprs:
        indexed = expr.atoms(sympy.Indexed)
        labels = {label for e in indexed for label in e.base.free_symbols}
        found |= indexed | {s for s in expr.free_symbols if isinstance(s, sympy.Symbol) and s not in labels}
    return sorted(found, key=str)


def random_point(
    names: Sequence[sympy.Expr], rng: np.random.Generator, domain: Mapping[Any, tuple[float, float]]
) -> dict[sympy.Expr, sympy.Number]:
    """One random value a name, from its domain; without one, from what sympy was told about the symbol."""
    point = {}
    for name in names:
        low, high = domain.get(name) or ((0.25, 2.0) if name.is_positive or name.is_nonnegative else (-2.0, 2.0))
        if name.is_integer:
            point[name] = sympy.Integer(int(rng.integers(max(1, np.ceil(low)), max(2, np.floor(high)) + 1)))
        else:  # neither end of the domain is drawn: formulas may have a pole there
            point[name] = sympy.Rational(round(_GRID * float(low + (high - low) * rng.uniform(0.05, 0.95))), _GRID)
            if not low < point[name] < high:  # a domain narrower than the grid
                point[name] = sympy.Rational(str(round(float(rng.uniform(low, high)), 6)))
    return point


def value_at(expr: sympy.Expr, point: Mapping[sympy.Expr, sympy.Number]) -> complex:
    """The number that ``expr`` is at a point (``nan`` where it has none)."""
    if expr.has(sympy.Integral) and np.isfinite(number := _by_quadrature(expr, point)):
        return number
    put_in = expr.subs(dict(point)) if expr.has(sympy.Integral) else expr.xreplace(dict(point))
    number = sympy.N(put_in, 20)
    return complex(number) if number.is_number and number.is_finite is not False else complex("nan")


def _by_quadrature(expr: sympy.Expr, point: Mapping[sympy.Expr, sympy.Number]) -> complex:
    """Integrals by scipy: a hundred times faster than sympy's, in double precision."""
    # exp(-z²/2)·exp(d·z) is 0·inf far out, exp(d·z − z²/2) is not
    merged = expr.replace(sympy.Integral, lambda f, *limits: sympy.Integral(sympy.powsimp(f), *limits))
    with np.errstate(all="ignore"):
        return complex(sympy.lambdify(list(point), merged, modules=["scipy", "numpy"])(*map(float, point.values())))


def close(a: complex, b: complex, rtol: float = 1e-9) -> bool:
    """Equal up to rounding; nan equals nothing."""
    return abs(a - b) <= rtol * max(1.0, abs(a), abs(b))


def difference(
    left: sympy.Expr, right: sympy.Expr, domain: Mapping[Any, tuple[float, float]], seed: int = 0
) -> tuple[str, tuple[dict[sympy.Expr, sympy.Number], complex, complex] | None]:
    """How two expressions were compared, and a point where they differ with both values there (None: equal)."""
    names = unknowns([left, right])
    short = left.count_ops() + right.count_ops() <= _EXPAND_LIMIT
    if short and left.is_polynomial(*names) and right.is_polynomial(*names) and sympy.expand(left - right) == 0:
        return "algebra", None
    rng = np.random.default_rng(seed)
    for _ in range(POINTS if names else 1):
        point = random_point(names, rng, domain)
        a, b = value_at(left, point), value_at(right, point)
        if not close(a, b):
            return "points", (point, a, b)
    return "points", None


def times(ratio: float) -> str:
    """``"2.00 × (a missing ½?)"``: a factor, and the slip that usually makes it."""
    slips = {2.0: " (a missing ½?)", 0.5: " (a ½ too many?)", -1.0: " (a wrong sign?)", 0.0: " (is it missing?)"}
    return f"{ratio:.2f} ×" + next((text for value, text in slips.items() if abs(ratio - value) < 1e-6), "")


def ratio_hint(code: float, formula: float) -> str:
    """``"2.00 × formula: a missing ½?"`` for two numbers that should be equal, or their difference in words."""
    if abs(formula) < 1e-12:
        return f"{code:.6g} where the formula has 0"
    factor, _, slip = times(code / formula).partition(" ×")
    return f"{factor} × formula" + slip.replace(" (", ": ").rstrip(")")
