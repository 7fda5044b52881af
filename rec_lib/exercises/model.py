r"""What an exercise is.

How to write one of each kind, in ``rec_lib/exercises/ch03.py`` (this example is run by the tests)::

    import sympy
    import torch

    from rec_lib.exercises.judges import code_judge, numeric_judge, numbers, scales, symbolic_judge, symmetric
    from rec_lib.exercises.model import Exercise, Wrong
    from rec_lib.layers import fm_pairwise

    def _fields(rng, size):  # called with size 1, 2, 3 …: the first failing input is then the smallest
        return (numbers(rng, 2, size + 1, size),)  # (B, F, D), values with one decimal that are easy to read

    EXERCISES = (
        Exercise(
            id="3.7.1-pairwise",
            kind="code",
            title="Write the pairwise term in linear time",
            stub='''
    def pairwise(v):
        # v: (B, F, D) field vectors. Return (B,).
        return NOT_YET
    ''',
            solution='''
    def pairwise(v):
        return (v.sum(1).square() - v.square().sum(1)).sum(1) / 2
    ''',
            hints=("What does the square of a sum contain?", "Every pair twice, every square once.", "½[(Σv)² − Σv²]."),
            judge=code_judge("pairwise", fm_pairwise, _fields, properties=(symmetric("fields", axis=1), scales(2))),
            wrong=(
                Wrong("def pairwise(v):\n    return (v.sum(1).square() - v.square().sum(1)).sum(1)", "2.00 ×"),
                Wrong("def pairwise(v):\n    return (v.sum(1).square() - v.square().sum(1)) / 2", "shape"),
                Wrong("def pairwise(v):\n    return (v[:, 0] * v[:, 1]).sum(1)", "order of the fields"),
            ),
        ),
        Exercise(
            id="3.7.1-gradient",
            kind="symbolic",
            title="Differentiate the pairwise term",
            stub='''
    v1, v2, v3 = sympy.symbols("v1 v2 v3")
    answer = NOT_YET  # ∂/∂v1 of v1 v2 + v1 v3 + v2 v3
    ''',
            solution='''
    v1, v2, v3 = sympy.symbols("v1 v2 v3")
    answer = v2 + v3
    ''',
            hints=("Which terms contain v1?", "Two of the three.", "v1 (v2 + v3): take the factor of v1."),
            judge=symbolic_judge(sympy.Symbol("v2") + sympy.Symbol("v3"), {"v1": (-2, 2), "v2": (-2, 2), "v3": (-2, 2)}),
            wrong=(
                Wrong('answer = sympy.Symbol("v2")', "expected"),
                Wrong('answer = 2 * (sympy.Symbol("v2") + sympy.Symbol("v3"))', "2.00 ×"),
                Wrong('answer = sympy.Symbol("x")', "x"),
            ),
        ),
        Exercise(
            id="3.7.1-count",
            kind="numeric",
            title="How many pairs do 20 000 features have?",
            stub="pairs = NOT_YET",
            solution="pairs = 20_000 * 19_999 / 2",
            hints=("Each feature meets all others.", "Each pair was now counted twice.", "n(n − 1)/2"),
            judge=numeric_judge(199_990_000, 1e-9, "n(n − 1)/2", "pairs", traps=((399_980_000, "Each pair is there twice."),)),
            wrong=(
                Wrong("pairs = 20_000 * 19_999", "twice"),
                Wrong("pairs = 20_000**2 / 2", "too large"),
                Wrong("pairs = '199990000'", "str"),
            ),
        ),
    )

A ``"bug"`` exercise is judged like code; its stub *is* the buggy function, and a stub left as it is counts as not
attempted. Sources are run with ``np``, ``torch``, ``nn``, ``F``, ``math``, ``sympy`` and ``NOT_YET`` at hand; what else
they need they import. The answer is the last name that the stub defines.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

KINDS = ("code", "symbolic", "numeric", "bug")
ID = re.compile(r"(?P<section>\d+(\.\d+)+)-[a-z0-9]+(-[a-z0-9]+)*")


class _NotYet:
    """The answer that an untouched stub gives."""

    def __repr__(self) -> str:
        return "NOT_YET"


NOT_YET = _NotYet()


@dataclass(frozen=True)
class Outcome:
    """What a judge says: ``status``, why in plain text, and what the learner's code printed meanwhile."""

    status: Literal["not attempted", "right", "wrong"]
    message: str = ""
    printed: str = ""


NOT_ATTEMPTED = Outcome("not attempted")
Judge = Callable[[Any], Outcome]


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong answer (source of a whole stub cell) and a piece of the message that it must get."""

    source: str
    expect: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", _clean(self.source))


@dataclass(frozen=True)
class Exercise:
    """One exercise; the module's docstring shows one of each kind.

    Args:
        id: section, dash, a few words: ``3.7.2-fm-term``. Never changed once released: learners' progress hangs on it.
        kind: ``code``, ``symbolic``, ``numeric`` or ``bug``.
        title: one line, as an imperative or a question.
        stub: source of the cell that the learner gets.
        solution: source of one right answer, to be pasted in place of the stub.
        hints: three, each giving more away than the one before.
        judge: built by ``code_judge``, ``symbolic_judge`` or ``numeric_judge``.
        wrong: at least three wrong answers.

    Raises:
        ValueError: any of these is not so.
    """

    id: str
    kind: str
    title: str
    stub: str
    solution: str
    hints: tuple[str, ...]
    judge: Judge
    wrong: tuple[Wrong, ...]

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise ValueError(f"got the id {self.id!r}; expected section-words, as '3.7.2-fm-term'.")
        if self.kind not in KINDS:
            raise ValueError(f"{self.id}: got the kind {self.kind!r}; expected one of {KINDS}.")
        if len(self.hints) != 3 or len(self.wrong) < 3:
            raise ValueError(
                f"{self.id}: got {len(self.hints)} hints and {len(self.wrong)} wrong answers; expected 3 and 3 or more."
            )
        object.__setattr__(self, "stub", _clean(self.stub))
        object.__setattr__(self, "solution", _clean(self.solution))

    @property
    def section(self) -> str:
        """``"3.7.2"`` of ``"3.7.2-fm-term"``."""
        return self.id.partition("-")[0]

    @property
    def answer_name(self) -> str:
        """The name that the stub defines last, which is what ``check`` is given."""
        names: list[str] = []
        for node in ast.parse(self.stub).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.append(node.name)
            elif isinstance(node, ast.Assign):
                names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        if not names:
            raise ValueError(f"{self.id}: the stub defines no name.")
        return names[-1]

    def run(self, source: str) -> Any:
        """Execute a stub, a solution or a wrong answer, and return the object it defines as the answer."""
        scope = namespace()
        exec(compile(source, f"<{self.id}>", "exec"), scope)
        return scope[self.answer_name]


def namespace() -> dict[str, Any]:
    """The names that a notebook's first cell has defined when an exercise's cell is run."""
    import math

    import numpy as np
    import sympy
    import torch
    from torch import nn
    from torch.nn import functional

    names = {"math": math, "np": np, "sympy": sympy, "torch": torch, "nn": nn, "F": functional}
    return {"__name__": "exercise", **names, "NOT_YET": NOT_YET}


def _clean(source: str) -> str:
    return textwrap.dedent(source).strip("\n").rstrip()
