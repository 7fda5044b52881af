"""Formula against code: value and gradient, and a report that says which input or term differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
import torch
from torch import Tensor, nn

from rec_lib.derive import algebra

if TYPE_CHECKING:
    from rec_lib.derive.core import Derivation

RTOL = 1e-9


class Disagreement(AssertionError):
    """Code and formula differ in value or gradient."""


@dataclass(frozen=True)
class Agreement:
    """Code and formula are equal on all draws, in value and in every gradient."""

    title: str
    code: str
    inputs: Mapping[str, tuple[int, ...]]
    draws: int

    def __repr__(self) -> str:
        shapes = ", ".join(f"{n} {tuple(s)}" if s else n for n, s in self.inputs.items())
        return f"✓ {self.code} agrees with “{self.title}”: value and gradient in {shapes}; {self.draws} random draws"


def run_module(module: nn.Module, parameters: Mapping[str, Tensor], *args: Any) -> Tensor:
    """Call a module with tensors of the derivation in place of its parameters, in double precision.

    Use it in a ``wire`` that holds a model class to a formula::

        def wire(code, t):
            model = code(SCHEMA, dim=2, hidden=(2,))
            return run_module(model, {"emb.table": t["v"], "linear.w.table": t["w"]}, BATCH)

    Parameters that are not named keep the module's own values, cast to float64.

    Raises:
        ValueError: a name that is not a parameter of the module, or a tensor of another shape.
    """
    own = {name: p.shape for name, p in module.named_parameters()}
    for name, tensor in parameters.items():
        if name not in own:
            raise ValueError(f"{type(module).__name__} has no parameter {name!r}; it has {list(own)}.")
        if tensor.shape != own[name]:
            raise ValueError(f"parameter {name!r} has shape {tuple(own[name])}, the wire gives {tuple(tensor.shape)}.")
    return torch.func.functional_call(module.double(), dict(parameters), args)


def compare(
    derivation: Derivation,
    code: Any,
    final: list[sympy.Expr],
    terms: Mapping[str, list[sympy.Expr]],
    draws: int,
    seed: int,
) -> Agreement:
    """Evaluate formula and code on ``draws`` random draws; see ``Derivation.agrees_with``."""
    flat = [s for name in derivation.inputs for s in np.ravel(derivation.symbols[name])]
    if missing := set(map(str, algebra.unknowns(final))) - set(map(str, flat)):
        raise ValueError(f"{derivation.id}: final contains {sorted(missing)}, which no input names.")
    formula = _compiled(flat, [final, *terms.values()])
    rng = np.random.default_rng(seed)
    name = getattr(code, "__name__", type(code).__name__)
    rows: list[tuple[np.ndarray, np.ndarray]] = []  # (1 + terms, m, 1 + n) of the formula; (m, 1 + n) of the code
    for _ in range(draws):
        values = [_draw(s, rng, derivation._symbol_domain) for s in flat]
        rows.append((formula(values), _run(derivation, code, name, values, len(final), seed)))
    expected = np.stack([f[0] for f, _ in rows])  # (draws, m, 1 + n)  column 0 the value, then ∂/∂ each symbol
    got = np.stack([c for _, c in rows])
    if not np.isfinite(expected).all():
        raise ValueError(f"{derivation.id}: the formula is not finite on some draw; narrow the domain of its inputs.")
    wrong = ~(np.abs(got - expected) <= RTOL * np.maximum(1.0, np.maximum(np.abs(got), np.abs(expected))))
    if wrong.any():
        parts = np.stack([f[1:] for f, _ in rows], axis=1)  # (terms, draws, m, 1 + n)
        raise Disagreement(_report(derivation, name, expected, got, wrong, dict(zip(terms, parts, strict=True))))
    return Agreement(derivation.title, name, derivation.inputs, draws)


def _compiled(flat: list[sympy.Expr], groups: list[list[sympy.Expr]]) -> Any:
    """Numbers → array (groups, m, 1 + n): each component's value, then its derivative by each symbol."""
    plain = [sympy.Symbol(f"x{k}", real=True) for k in range(len(flat))]  # lambdify needs identifiers, not v[1, 2]
    rename = dict(zip(flat, plain, strict=True))
    renamed = [[e.xreplace(rename) for e in group] for group in groups]
    table = [[[e, *(e.diff(x) for x in plain)] for e in group] for group in renamed]
    function = sympy.lambdify(plain, sympy.flatten(table), modules=["scipy", "numpy"], cse=True)
    shape = (len(groups), len(groups[0]), 1 + len(flat))
    return lambda values: np.array([float(x) for x in function(*values)]).reshape(shape)


def _draw(symbol: sympy.Expr, rng: np.random.Generator, domain: Mapping[Any, tuple[float, float]]) -> float:
    low, high = domain.get(symbol) or ((0.25, 2.0) if symbol.is_positive or symbol.is_nonnegative else (-2.0, 2.0))
    return float(rng.uniform(low, high))


def _run(derivation: Derivation, code: Any, name: str, values: list[float], m: int, seed: int) -> np.ndarray:
    """Value and gradient of the code: (m, 1 + n)."""
    tensors: dict[str, Tensor] = {}
    start = 0
    for key, shape in derivation.inputs.items():
        size = int(np.prod(shape))
        tensors[key] = torch.tensor(values[start : start + size], dtype=torch.float64).reshape(tuple(shape))
        tensors[key].requires_grad_()
        start += size
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        out = derivation.wire(code, tensors)
        if not isinstance(out, Tensor):
            raise Disagreement(f"{name} returned {type(out).__name__}; expected a torch Tensor.")
        if out.numel() != m:
            raise Disagreement(f"{name} returned shape {tuple(out.shape)}; the formula has {m} value(s).")
        if out.dtype != torch.float64:
            raise Disagreement(f"{name} got float64 tensors and returned {out.dtype}: a cast inside loses precision.")
        if not out.requires_grad:
            raise Disagreement(f"the output of {name} has no gradient: detach(), numpy or no_grad cuts it off.")
        lines = []
        for value in out.flatten():
            gradient = torch.autograd.grad(value, list(tensors.values()), retain_graph=True, allow_unused=True)
            pieces = [torch.zeros_like(t) if g is None else g for t, g in zip(tensors.values(), gradient, strict=True)]
            lines.append(torch.cat([value.detach().reshape(1), *(p.flatten() for p in pieces)]))
    return torch.stack(lines).numpy()


def _report(
    derivation: Derivation,
    name: str,
    expected: np.ndarray,
    got: np.ndarray,
    wrong: np.ndarray,
    terms: dict[str, np.ndarray],
) -> str:
    """The message of a Disagreement: the value, each input's gradient, then the term or factor that explains it."""
    lines = [f"{name} does not agree with “{derivation.title}”."]
    _, m, _ = expected.shape
    if wrong[:, :, 0].any():
        at = tuple(np.argwhere(wrong[:, :, 0])[0])
        which = "value" if m == 1 else f"value, entry {at[1]}"
        f, c = expected[(*at, 0)], got[(*at, 0)]
        lines.append(f"  {which}: formula {f:.6g}, code {c:.6g}; code has {algebra.ratio_hint(c, f)}")
    else:
        lines.append("  value: agrees")
    column = 1
    for key, shape in derivation.inputs.items():
        size = int(np.prod(shape))
        block = slice(column, column + size)
        if not wrong[:, :, block].any():
            lines.append(f"  ∂/∂{key}: agrees")
        else:
            draw, entry, k = np.argwhere(wrong[:, :, block])[0]
            index = ", ".join(map(str, np.unravel_index(k, shape))) if shape else ""
            f, c = expected[draw, entry, column + k], got[draw, entry, column + k]
            symbol = np.ravel(derivation.symbols[key])[k]
            where = f"∂/∂{key}[{index}]" if shape else f"∂/∂{key}"
            hint = algebra.ratio_hint(c, f)
            lines.append(f"  {where} (in the formula {symbol}): formula {f:.6g}, code {c:.6g}; code has {hint}")
        column += size
    lines.append("  " + _explanation(expected, got, terms))
    return "\n".join(lines)


def _explanation(expected: np.ndarray, got: np.ndarray, terms: dict[str, np.ndarray]) -> str:
    """Which multiples of the named terms (or of the whole formula) the code computes, if any multiples do."""
    named = terms or {"the formula": expected}
    if not np.isfinite(got).all():
        return "the code's numbers are not finite"
    matrix = np.stack([t.ravel() for t in named.values()], axis=1)  # (draws·m·(1 + n), terms)
    factor, *_ = np.linalg.lstsq(matrix, got.ravel(), rcond=None)
    if np.abs(matrix @ factor - got.ravel()).max() > 1e-7 * max(1.0, np.abs(got).max()):
        if not terms:
            return "the code is not a multiple of the formula"
        return f"the code is not a sum of multiples of the terms {', '.join(terms)}"
    if not terms:
        return f"everywhere: {algebra.ratio_hint(factor[0], 1.0)}"
    odd = [(n, c) for n, c in zip(named, factor, strict=True) if abs(c - 1) > 1e-6]
    said = [f"{n} is missing" if abs(c) < 1e-6 else f"{n} is there {algebra.times(c)}" for n, c in odd]
    return "term by term: " + "; ".join([*said, "the other terms agree"] if len(odd) < len(named) else said)
