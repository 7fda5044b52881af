"""Judges: what turns an answer into right, wrong because …, or not attempted.

A judge is deterministic: it draws its inputs from a generator seeded the same way every time, small ones first, so the
input that it shows is the smallest on which the answer fails, and the message is the same in every run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rec_lib.exercises.answers import numeric_judge, symbolic_judge, trial_judge
from rec_lib.exercises.compare import compare, is_tensor, ratio, show
from rec_lib.exercises.guard import Call, Deadline, OutOfTime, call, copied
from rec_lib.exercises.model import NOT_ATTEMPTED, NOT_YET, Judge, Outcome

__all__ = [
    "Property",
    "code_judge",
    "numbers",
    "numeric_judge",
    "scales",
    "symbolic_judge",
    "symmetric",
    "trial_judge",
]

SECONDS = 5.0  # for all calls of one check; the reference takes milliseconds
SIZES = (1, 2, 3, 4)
DRAWS = 3  # inputs of each size

Draw = Callable[[np.random.Generator, int], tuple[Any, ...]]


class _Problem(Exception):
    """The learner's function failed inside a property."""

    def __init__(self, done: Call):
        self.done = done


@dataclass(frozen=True)
class Property:
    """A named law of the answer.

    Args:
        name: what a message calls it, as ``symmetry``.
        fails: ``fails(function, args, rng)`` returns None, or a sentence that says what went wrong. ``function`` is the
            learner's, guarded; ``args`` one drawn input.
        of_right: it is looked at only when all values are right (what they cost, say), and shown without an input.
    """

    name: str
    fails: Callable[[Callable[..., Any], tuple[Any, ...], np.random.Generator], str | None]
    of_right: bool = False


def numbers(rng: np.random.Generator, *shape: int) -> Any:
    """A float32 tensor of multiples of ½ between -2 and 2 without 0: easy to read, and sums of products are exact."""
    import torch

    values = rng.integers(1, 5, size=shape) * rng.choice([-0.5, 0.5], size=shape)
    return torch.tensor(np.asarray(values), dtype=torch.float32)


def symmetric(what: str, axis: int, argument: int = 0) -> Property:
    """Reordering one axis of one argument (an array or tensor) leaves the answer as it is."""

    def fails(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
        order = np.roll(np.arange(args[argument].shape[axis]), 1)
        index = (slice(None),) * axis + (order.tolist(),)
        moved = (*args[:argument], args[argument][index], *args[argument + 1 :])
        before, after = function(*args), function(*moved)
        if compare(after, before, 1e-4, 1e-5) is None:
            return None
        return (
            f"the order of the {what} must not matter; got {show(before)}, and {show(after)} with them moved on by one"
        )

    return Property("symmetry", fails)


def scales(degree: int, argument: int = 0, name: str = "the input") -> Property:
    """Twice the argument, called ``name`` in the message, gives 2^degree times the answer."""

    def fails(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
        once = function(*args)
        twice = function(*args[:argument], args[argument] * 2, *args[argument + 1 :])
        if compare(twice, once * 2**degree, 1e-4, 1e-5) is None:
            return None
        return f"twice {name} must give {2**degree} times the answer; got {show(once)}, then {show(twice)}"

    return Property("scale", fails)


def code_judge(
    function_name: str,
    reference: Callable[..., Any] | None,
    draw: Draw,
    properties: Sequence[Property] = (),
    rtol: float = 1e-4,
    atol: float = 1e-5,
    seconds: float = SECONDS,
) -> Judge:
    """Judge a function by a reference on random inputs, and name the property that fails.

    Args:
        function_name: how messages call the learner's function.
        reference: the right function; None where only the properties decide (answers that are random, say).
        draw: ``draw(rng, size)`` returns a tuple of arguments, larger for larger ``size`` (1 to 4).
        properties: laws that are named when the value is wrong, and that a right answer must obey too.
        rtol, atol: tolerance of numbers.
        seconds: time limit for all calls together.
    """

    def judge(answer: Any) -> Outcome:
        if answer is NOT_YET:
            return NOT_ATTEMPTED
        if not callable(answer):
            text = f"got {show(answer)}, expected the function itself: check(…, {function_name}), without brackets after it"
            return Outcome("wrong", f"type: {text}")
        return _CodeRun(function_name, reference, draw, properties, rtol, atol, Deadline(seconds), answer).outcome()

    return judge


@dataclass
class _CodeRun:
    """One check of one function."""

    name: str
    reference: Callable[..., Any] | None
    draw: Draw
    properties: Sequence[Property]
    rtol: float
    atol: float
    deadline: Deadline
    answer: Callable[..., Any]

    def outcome(self) -> Outcome:
        rng = np.random.default_rng(0)
        inputs = [self.draw(rng, size) for size in SIZES for _ in range(DRAWS)]
        first_wrong: tuple[str, tuple[Any, ...], str] | None = None
        factors: list[float | None] = []
        for args in inputs:
            done = call(self.answer, tuple(map(copied, args)), self.deadline)
            if done.value is NOT_YET:
                return NOT_ATTEMPTED
            expected = self.reference(*map(copied, args)) if self.reference else done.value
            if problem := self._misuse(done, expected):
                return self._wrong(problem, args, done.printed)
            difference = compare(done.value, expected, self.rtol, self.atol)
            if difference and difference.what != "value":
                return self._wrong(f"{difference.what}: {difference.text}", args, done.printed)
            if self.reference and np.any(np.abs(_floats(expected)) > 0):
                factors.append(ratio(done.value, expected))
            if difference and first_wrong is None:
                first_wrong = (f"value: {difference.text}", args, done.printed)
        broken = self._broken_property(inputs, rng, right=first_wrong is None)
        if first_wrong is None:
            return self._wrong(*broken) if broken else Outcome("right")
        text, args, printed = first_wrong
        if broken and broken[0].startswith(f"{self.name} "):  # the function failed inside a property
            return self._wrong(*broken)
        lines = [text + _constant(factors)]
        if broken:
            lines.insert(0, broken[0])
        return self._wrong("\n".join(lines), args, printed)

    def _misuse(self, done: Call, expected: Any) -> str:
        if done.problem:
            return f"{self.name} {done.problem}"
        if done.changed:
            names = self._argument_names(max(done.changed) + 1)
            which = ", ".join(names[i] for i in done.changed)
            return f"input: {self.name} changed its argument {which} in place; work on a copy or build a new value"
        if done.value is None and expected is not None:
            return f"type: {self.name} returned None: is the return missing?"
        return ""

    def _broken_property(self, inputs: list[tuple[Any, ...]], rng: np.random.Generator, right: bool) -> tuple | None:
        def guarded(*args: Any) -> Any:
            done = call(self.answer, args, None)
            if done.problem:
                raise _Problem(done)
            return done.value

        for law in (law for law in self.properties if right or not law.of_right):
            for args in inputs:
                try:
                    sentence = self.deadline.run(law.fails, (guarded, tuple(map(copied, args)), rng))
                except OutOfTime:
                    return f"{self.name} {self.deadline.message}", args, ""
                except _Problem as problem:
                    return (
                        f"{self.name} {problem.done.problem} (while {law.name} was tested)",
                        args,
                        problem.done.printed,
                    )
                if sentence:
                    return f"{law.name}: {sentence}", () if law.of_right else args, ""
        return None

    def _wrong(self, text: str, args: tuple[Any, ...], printed: str) -> Outcome:
        names = self._argument_names(len(args))
        shown = ", ".join(f"{name} = {show(value)}" for name, value in zip(names, args, strict=True))
        return Outcome("wrong", f"{text}\nsmallest failing input: {shown}" if shown else text, printed)

    def _argument_names(self, n: int) -> list[str]:
        try:
            names = list(inspect.signature(self.reference or self.answer).parameters)
        except (TypeError, ValueError):  # some built-in functions have no signature
            names = []
        return (names + [f"argument {i + 1}" for i in range(len(names), n)])[:n]


def _floats(value: Any) -> np.ndarray:
    if is_tensor(value):
        return value.detach().cpu().numpy().astype(float)
    return np.asarray(value, dtype=float) if isinstance(value, (int, float, np.ndarray, np.generic)) else np.zeros(1)


def _constant(factors: list[float | None]) -> str:
    """``"; 2.00 × the expected value on every input"`` if that is so."""
    known = [f for f in factors if f is not None]
    if not factors or len(known) < len(factors) or max(known) - min(known) > 1e-3 * max(1.0, abs(known[0])):
        return ""
    if abs(known[0] - 1) <= 1e-3:
        return ""
    factor = f"{known[0]:.2f}" if known[0] == 0 or abs(known[0]) >= 0.01 else f"{known[0]:.2g}"
    return f"; {factor} × the expected value on every input"
