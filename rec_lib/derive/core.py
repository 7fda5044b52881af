"""A derivation as data: named steps, each an expression and a sentence, that can be shown, proved and held to code.

How to write one (this example is run by the tests)::

    import sympy
    from rec_lib.derive import Derivation, Step, symbol_array

    v = symbol_array("v", (3, 2))  # v[0, 0] is the Symbol v_{1,1}; real, because paper indices start at 1
    pairs = sum(v[i, d] * v[j, d] for i in range(3) for j in range(i + 1, 3) for d in range(2))
    square = sum((sum(v[i, d] for i in range(3)) ** 2 - sum(v[i, d] ** 2 for i in range(3))) / 2 for d in range(2))
    PAIRWISE = Derivation(
        id="fm-pairwise",
        title="The pairwise term in linear time",
        steps=(
            Step("pairs", pairs, "Every pair of fields meets once.", lhs=r"y_{FM}"),
            Step("square", square, "The square of the sum holds every pair twice and every square once."),
        ),
        inputs={"v": (3, 2)},
        final=square,
        symbols={"v": v},
        wire=lambda code, t: code(t["v"].unsqueeze(0)),  # the real layer wants a batch axis
    )
    PAIRWISE.show()                     # in a notebook: sentence and formula, step by step
    PAIRWISE.check()                    # each step equals the one before
    PAIRWISE.agrees_with(fm_pairwise)   # value and gradient of the real code

Steps may also be written with symbolic sums (``sympy.Sum`` over ``sympy.IndexedBase`` elements, 1-based as in papers):
give their sizes, ``sizes={n: 3, k: 2}``, and put the elements into ``symbols``,
``symbols={"v": symbol_array(v, (3, 2))}`` with ``v = sympy.IndexedBase("v", real=True)``.
A step that is not equal to the one before (a definition, the next quantity) says ``starts=True``.
To hold a model class, ``wire`` builds it and lends it the tensors as parameters, see ``run_module``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import sympy
from IPython import get_ipython
from IPython.display import display
from torch import Tensor

from rec_lib.derive import algebra
from rec_lib.derive.agreement import Agreement, compare


class BrokenStep(AssertionError):
    """A step of a derivation does not equal the one before it."""


def symbol_array(name: str | sympy.IndexedBase, shape: tuple[int, ...]) -> np.ndarray:
    """An array of real sympy symbols ``name_{1,1}`` …, numbered from 1 as in papers.

    Args:
        name: LaTeX name of the symbols, or an IndexedBase whose elements are wanted (``v[1, 1]`` …).
        shape: shape of the array; ``()`` gives an array of one symbol without an index, read as ``a[()]``.
    """
    out = np.empty(shape, dtype=object)
    for position in product(*(range(n) for n in shape)):
        number = tuple(p + 1 for p in position)
        if isinstance(name, sympy.IndexedBase):
            out[position] = name[number]
        else:
            out[position] = sympy.Symbol(f"{name}_{{{','.join(map(str, number))}}}" if number else name, real=True)
    return out


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Args:
        name: short handle, unique in the derivation.
        expr: a sympy expression, or a Matrix for a vector-valued formula.
        why: one sentence that says what was done.
        lhs: LaTeX of the left-hand side; shown with the first step of a chain.
        starts: True if this step begins a new chain, that is, is not claimed to equal the one before.
    """

    name: str
    expr: Any
    why: str
    lhs: str = ""
    starts: bool = False


@dataclass(frozen=True)
class Proof:
    """What ``Derivation.check`` found: how many equalities were shown by algebra and how many at random points."""

    title: str
    by_algebra: int
    at_points: int

    def __repr__(self) -> str:
        how = [f"{self.by_algebra} by algebra"] if self.by_algebra else []
        how += [f"{self.at_points} at {algebra.POINTS} random points"] if self.at_points else []
        return f"✓ {self.title}: each step equals the one before ({', '.join(how) or 'one step'})"


def by_name(code: Callable[..., Tensor], tensors: dict[str, Tensor]) -> Tensor:
    """The default wire: every input is an argument of the same name."""
    return code(**tensors)


@dataclass(frozen=True)
class Derivation:
    """A formula, derived.

    Args:
        id: handle, as ``fm-pairwise``.
        title: headline.
        steps: in order; see ``Step``.
        inputs: shape of each input of the final formula.
        final: the formula that code is held to, on concrete sizes: an expression, or a Matrix for a vector.
        symbols: for each input the array of its sympy symbols, of the same shape.
        wire: ``(code, tensors) -> Tensor`` calls the code with float64 tensors named as the inputs.
        terms: named parts whose sum is ``final``; a disagreement then says which of them is wrong.
        sizes: numbers for the symbolic sizes in the steps.
        domain: ``{input: (low, high)}`` where random numbers are drawn from; default (0.25, 2) for positive symbols
            and (-2, 2) for others.

    Raises:
        ValueError: names that occur twice, no steps, or inputs and symbols that do not match.
    """

    id: str
    title: str
    steps: tuple[Step, ...]
    inputs: Mapping[str, tuple[int, ...]]
    final: Any
    symbols: Mapping[str, Any]
    wire: Callable[[Any, dict[str, Tensor]], Tensor] = by_name
    terms: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[Any, int] = field(default_factory=dict)
    domain: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [s.name for s in self.steps]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{self.id}: got steps {names}; expected at least one, each with its own name.")
        shapes = {name: np.shape(array) for name, array in self.symbols.items()}
        if shapes != {name: tuple(shape) for name, shape in self.inputs.items()}:
            raise ValueError(
                f"{self.id}: symbols have shapes {shapes}, inputs say {dict(self.inputs)}; make them equal."
            )
        if unknown := set(self.domain) - set(self.inputs):
            raise ValueError(f"{self.id}: domain names {sorted(unknown)}; the inputs are {list(self.inputs)}.")

    def step(self, name: str) -> Step:
        """The step of that name.

        Raises:
            KeyError: there is none; the message lists those that there are.
        """
        for step in self.steps:
            if step.name == name:
                return step
        names = [s.name for s in self.steps]
        near = difflib.get_close_matches(name, names, n=1)
        raise KeyError(f"{self.id} has no step {name!r}; {f'did you mean {near[0]!r}?' if near else f'it has {names}'}")

    def show(self, until: str | None = None) -> None:
        """Show title and steps (up to and including ``until``): a sentence and a formula each."""
        last = self.steps.index(self.step(until)) if until is not None else len(self.steps) - 1
        text, plain = [f"**{self.title}**"], [self.title]
        for number, step in enumerate(self.steps[: last + 1], start=1):
            lhs = f"{step.lhs} = " if step.lhs else ("= " if number > 1 and not step.starts else "")
            text.append(f"{number}. {step.why}\n\n$$\\displaystyle {lhs}{latex(step.expr)}$$")
            plain.append(f"{number}. {step.why}\n   {lhs}{step.expr}")
        if get_ipython() is None:
            print("\n".join(plain))
        else:
            display({"text/markdown": "\n\n".join(text), "text/plain": "\n".join(plain)}, raw=True)

    @cached_property
    def _symbol_domain(self) -> dict[Any, tuple[float, float]]:
        return {s: self.domain[name] for name in self.domain for s in np.ravel(self.symbols[name])}

    def check(self) -> Proof:
        """Prove that each step equals the one before, the last equals ``final``, and the terms add up to it.

        Raises:
            BrokenStep: names the two steps and a point where they differ, with both values.
        """
        chain = [(s.name, s.expr, s.starts) for s in self.steps] + [("final", self.final, False)]
        if self.terms:
            chain.append(("sum of terms", sum_of(self.terms), False))
        parts = [[algebra.concrete(e, self.sizes) for e in algebra.components(expr)] for _, expr, _ in chain]
        count = {"algebra": 0, "points": 0}
        for (before, _, _), left, (name, _, starts), right in zip(chain, parts, chain[1:], parts[1:], strict=False):
            if starts:
                continue
            if len(left) != len(right):
                raise BrokenStep(f"{self.id}: {before!r} has {len(left)} entries, {name!r} has {len(right)}.")
            how = "algebra"
            for k, (a, b) in enumerate(zip(left, right, strict=True)):
                how_one, found = algebra.difference(a, b, self._symbol_domain)
                how = how_one if how_one == "points" else how
                if found:
                    raise BrokenStep(_broken(self.id, before, name, k if len(left) > 1 else None, *found))
            if name in {s.name for s in self.steps}:
                count[how] += 1
        return Proof(self.title, count["algebra"], count["points"])

    def agrees_with(self, code: Any, draws: int = 5, seed: int = 0) -> Agreement:
        """Hold code to the final formula: value and gradient, in double precision, on random numbers.

        Args:
            code: a function or a class; ``wire`` knows how to call it.
            draws: number of random draws.
            seed: of the draws and of whatever the code draws itself; the caller's generators are left alone.

        Raises:
            Disagreement: names the inputs and terms that differ, with formula value, code value and ratio.
        """
        final = [algebra.concrete(e, self.sizes) for e in algebra.components(self.final)]
        terms = {n: [algebra.concrete(e, self.sizes) for e in algebra.components(t)] for n, t in self.terms.items()}
        return compare(self, code, final, terms, draws, seed)


def sum_of(terms: Mapping[str, Any]) -> list[sympy.Expr]:
    """Component-wise sum of named terms."""
    return [sympy.Add(*column) for column in zip(*(algebra.components(t) for t in terms.values()), strict=True)]


def latex(expr: Any) -> str:
    """LaTeX of an expression, matrix or array, the same in every run."""
    return sympy.latex(sympy.Matrix(expr) if isinstance(expr, (np.ndarray, list, tuple)) else expr)


def _broken(id: str, before: str, name: str, entry: int | None, point: dict, a: complex, b: complex) -> str:
    where = ", ".join(f"{symbol} = {value}" for symbol, value in point.items()) or "every point"
    which = "" if entry is None else f" (entry {entry})"
    left, right = (f"{x.real:.6g}" if abs(x.imag) < 1e-12 else f"{x:.6g}" for x in (a, b))
    ratio = f"; ratio {b.real / a.real:.2f}" if a.real and not a.imag and not b.imag else ""
    return f"{id}: step {name!r}{which} does not equal {before!r}: {right} against {left}{ratio}, at {where}."
