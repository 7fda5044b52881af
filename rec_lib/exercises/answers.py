"""Judges of answers that are not functions: a formula or a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rec_lib.exercises.compare import is_tensor, show
from rec_lib.exercises.guard import Call, Deadline, call
from rec_lib.exercises.model import NOT_ATTEMPTED, NOT_YET, Judge, Outcome

SECONDS = 5.0
POINTS = 7


def _given(answer: Any, deadline: Deadline) -> Call:
    """The answer itself, or what it returns when it is a function without arguments."""
    return call(answer, (), deadline) if callable(answer) and hasattr(answer, "__code__") else Call(answer)


def numeric_judge(
    value: float | Callable[[], float],
    rtol: float,
    why: str,
    unit: str = "",
    traps: Sequence[tuple[float, str]] = (),
    seconds: float = SECONDS,
) -> Judge:
    """Judge one number. A wrong one is told its direction and the way to the right one, not the right one.

    Args:
        value: the right number, or a function that computes it when it is needed.
        rtol: relative tolerance (absolute, where the right number is 0).
        why: what the number is, shown with a wrong answer: a formula or a sentence.
        unit: of the number, as ``pairs`` or ``%``.
        traps: numbers that particular mistakes lead to, each with the sentence that such an answer gets.
        seconds: time limit, for answers given as a function.
    """

    def judge(answer: Any) -> Outcome:
        done = _given(answer, Deadline(seconds))
        got = done.value
        if got is NOT_YET:
            return NOT_ATTEMPTED
        if done.problem:
            return Outcome("wrong", f"your function {done.problem}", done.printed)
        text = _number_problem(got)
        if not text:
            number, expected = float(got), float(value() if callable(value) else value)
            if _near(number, expected, rtol):
                return Outcome("right", printed=done.printed)
            text = _direction(number, expected, rtol, unit, why)
            trap = next((sentence for wrong, sentence in traps if _near(number, wrong, rtol)), "")
            text = f"{text}\n{trap}" if trap else text
        return Outcome("wrong", text, done.printed)

    return judge


def trial_judge(
    run: Callable[[float], Any],
    verdict: Callable[[Any], str],
    allowed: tuple[float, float],
    what: str,
    seconds: float = SECONDS,
) -> Judge:
    """Judge a setting by trying it.

    Args:
        run: makes the trial with the learner's number.
        verdict: says in words what is seen and its likely cause; "" when the trial went as the task asks.
        allowed: the open interval in which a trial makes sense.
        what: the number is, for messages, as ``a learning rate``.
        seconds: time limit, for answers given as a function.
    """

    def judge(answer: Any) -> Outcome:
        done = _given(answer, Deadline(seconds))
        if done.value is NOT_YET:
            return NOT_ATTEMPTED
        text = f"your function {done.problem}" if done.problem else _number_problem(done.value)
        if not text:
            number, (low, high) = float(done.value), allowed
            if low < number < high:
                text = verdict(run(number))
            else:
                text = f"value: got {number:.6g}, expected {what} between {low:g} and {high:g}, both excluded"
        return Outcome("wrong", text, done.printed) if text else Outcome("right", printed=done.printed)

    return judge


def _near(a: float, b: float, rtol: float) -> bool:
    return abs(a - b) <= rtol * (abs(b) if b else 1.0)


def _number_problem(got: Any) -> str:
    if got is None:
        return "type: got None, expected a number: is the return missing?"
    is_number = isinstance(got, (int, float, np.integer, np.floating)) or getattr(got, "is_number", False) is True
    one_entry = (is_tensor(got) or isinstance(got, np.ndarray)) and got.ndim == 0
    is_truth = isinstance(got, (bool, np.bool_)) or (one_entry and str(got.dtype).endswith("bool"))
    if is_truth or not (is_number or one_entry):
        return f"type: got {type(got).__name__} {show(got)}, expected one number"
    return "" if math.isfinite(float(got)) else f"value: got {show(float(got))}, expected a finite number"


def _direction(got: float, expected: float, rtol: float, unit: str, why: str) -> str:
    said = f"{got:.6g} {unit}".rstrip()
    if expected and got / expected > 0:
        factor = got / expected
        if abs(factor - 1) < 0.05:
            amount = f"too {'large' if abs(factor) > 1 else 'small'}, by less than 5 %"
        else:
            amount = f"{factor:.3g} times" if factor > 1 else f"1/{1 / factor:.3g} of"
            amount = f"too {'large' if factor > 1 else 'small'}: {amount} the expected number"
        if abs(factor / 100 - 1) < rtol or abs(factor * 100 - 1) < rtol:
            amount += " (a percentage where a fraction is meant, or the other way round?)"
    elif expected:
        amount = "of the wrong sign" if got else "expected a number that is not 0"
    else:
        amount = "expected a smaller number" if got > 0 else "expected a larger number"
    return f"value: got {said}, {amount} (tolerance {rtol:.2g} of it)\nwanted: {why}"


def symbolic_judge(
    reference: Any,
    domain: Mapping[str, tuple[float, float]],
    seconds: float = SECONDS,
) -> Judge:
    """Judge a sympy expression by its meaning: equal values at random points of the domain.

    Symbols are matched by name, whatever was assumed about them.

    Args:
        reference: the right expression, or a function that builds it when it is needed.
        domain: for every symbol that an answer may use, by name, the open interval its values are drawn from.
        seconds: time limit for evaluating the answer.
    """

    def judge(answer: Any) -> Outcome:
        deadline = Deadline(seconds)
        done = _given(answer, deadline)
        if done.value is NOT_YET:
            return NOT_ATTEMPTED
        if done.problem:
            return Outcome("wrong", f"your function {done.problem}", done.printed)
        right = reference() if callable(reference) and hasattr(reference, "__code__") else reference
        text = _not_a_formula(done.value, domain) or _unequal(done.value, right, domain, deadline)
        return Outcome("wrong", text, done.printed) if text else Outcome("right", printed=done.printed)

    return judge


def _not_a_formula(got: Any, domain: Mapping[str, tuple[float, float]]) -> str:
    import sympy

    if got is None:
        return "type: got None, expected a sympy expression: is the return missing?"
    if isinstance(got, sympy.Equality):
        return "type: got an equation, expected its right-hand side only"
    if isinstance(got, bool) or not isinstance(got, (sympy.Expr, int, float)):
        return f"type: got {type(got).__name__} {show(got)}, expected a sympy expression in {', '.join(domain)}"
    return ""


def _unequal(got: Any, right: Any, domain: Mapping[str, tuple[float, float]], deadline: Deadline) -> str:
    """Empty if equal at all points; else got, expected and the first point where they differ."""
    written = call(_written_out, (got,), deadline)
    if written.problem:
        return f"your formula {written.problem}"
    formula, reference = written.value, _written_out(right)
    if unknown := sorted(_names(formula) - set(domain)):
        return f"symbols: got {', '.join(unknown)}, expected only {', '.join(domain)}"
    used = _names(formula) | _names(reference)
    rng = np.random.default_rng(0)
    wrong: list[tuple[str, complex, complex]] = []
    for _ in range(POINTS):
        point = {name: _inside(rng, *interval) for name, interval in domain.items()}
        expected = _value(reference, point)
        done = call(_value, (formula, point), deadline)
        if done.problem:
            return f"your formula {done.problem}"
        if not abs(done.value - expected) <= 1e-8 * max(1.0, abs(expected)):
            where = ", ".join(f"{name} = {value:.3g}" for name, value in point.items() if name in used)
            wrong.append((where, done.value, expected))
    if not wrong:
        return ""
    where, value, expected = wrong[0]
    if not np.isfinite(value):
        return f"value: at {where or 'every point'} your formula is not a finite number, expected {_plain(expected)}"
    text = f"value: at {where or 'every point'} got {_plain(value)}, expected {_plain(expected)}"
    ratios = [v / e for _, v, e in wrong if e]
    if len(ratios) == POINTS and max(abs(r - ratios[0]) for r in ratios) < 1e-6:
        text += f"; {_plain(ratios[0], 2)} × the expected value at every point"
    return text


def _inside(rng: np.random.Generator, low: float, high: float) -> float:
    """A number of the open interval, with two decimals where it is wide enough: it is shown to the learner."""
    exact = low + (high - low) * float(rng.uniform(0.05, 0.95))
    short = round(exact, 2)
    return short if low < short < high else exact


def _written_out(expr: Any) -> Any:
    import sympy

    from rec_lib.derive import algebra

    return algebra.concrete(sympy.sympify(expr), {})


def _names(expr: Any) -> set[str]:
    """Names of the symbols and indexed elements that occur."""
    from rec_lib.derive import algebra

    return {str(s) for s in algebra.unknowns([expr])}


def _value(expr: Any, point: Mapping[str, float]) -> complex:
    """The number that an expression is where its symbols, by name, have the values of ``point``."""
    import sympy

    from rec_lib.derive import algebra

    return algebra.value_at(expr, {s: sympy.Rational(str(point[str(s)])) for s in algebra.unknowns([expr])})


def _plain(number: complex, digits: int = 0) -> str:
    real = number.real if abs(number.imag) < 1e-12 * max(1.0, abs(number)) else None
    if real is None:
        return f"{number:.6g}"
    return f"{real:.{digits}f}" if digits else f"{real:.6g}"
