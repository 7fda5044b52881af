"""``check``, ``hint`` and ``solution``: find an exercise by its id, judge an answer, say what came out."""

from __future__ import annotations

import contextlib
import difflib
import dis
import html
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rec_lib.exercises import record
from rec_lib.exercises.model import NOT_ATTEMPTED, NOT_YET, Exercise, Outcome

_MAX_PRINTED = 600  # characters of a learner's prints that are shown


class UnknownExercise(LookupError):
    """No exercise has this id."""


def chapters() -> list[int]:
    """Numbers of the chapters that have exercises."""
    return sorted(int(p.stem.removeprefix("ch")) for p in Path(__file__).parent.glob("ch[0-9][0-9].py"))


def exercises(chapter: int) -> tuple[Exercise, ...]:
    """The exercises of one chapter, in the order of its sections."""
    return importlib.import_module(f"rec_lib.exercises.ch{chapter:02d}").EXERCISES


def find(id: str) -> Exercise:
    """The exercise of that id.

    Raises:
        UnknownExercise: there is none; the message lists the nearest ids.
    """
    head = str(id).partition(".")[0]  # "3" of "3.7.2-fm-term": its chapter is looked through first
    here = [int(head)] if head.isdecimal() and int(head) in chapters() else []
    known: list[str] = []
    for chapter in here + [c for c in chapters() if c not in here]:
        for exercise in exercises(chapter):
            if exercise.id == id:
                return exercise
            known.append(exercise.id)
    near = difflib.get_close_matches(str(id), known, n=3, cutoff=0.4) or known[:3]
    raise UnknownExercise(
        f"no exercise is called {id!r}; the nearest are {', '.join(near) or 'none: no chapter has any'}."
    )


def grade(exercise: Exercise, answer: Any) -> Outcome:
    """Judge an answer without showing or recording anything. The caller's random state is left as it was.

    An answer whose comparison, conversion or printing breaks (a complex number, an object with a faulty ``__repr__``)
    is wrong in a way no judge foresaw; the learner is told so instead of being shown this library's insides.
    """
    if answer is NOT_YET or (exercise.kind == "bug" and _is_stub(exercise, answer)):
        return NOT_ATTEMPTED
    with _own_random_state():
        try:
            return exercise.judge(answer)
        except Exception as error:
            what = type(error).__name__
            with contextlib.suppress(Exception):  # its text may be what breaks
                what = f"{what}: {error}"
            kind = type(answer).__name__
            return Outcome("wrong", f"type: this answer ({kind}), or what it returns, cannot be compared ({what})")


def check(id: str, answer: Any) -> None:
    """Judge an answer, say what came out, and remember it.

    Args:
        id: of the exercise, as ``"3.7.2-fm-term"``.
        answer: the function itself for a code exercise; the expression or number for the others.

    Raises:
        UnknownExercise: there is no exercise of that id.
    """
    exercise = find(id)
    outcome = grade(exercise, answer)
    note = ""
    if outcome.status != "not attempted":
        note = record.add("check", id, right=outcome.status == "right")
    head = {
        "not attempted": f"○ {id}: not attempted yet ({exercise.title})",
        "right": f"✓ {id}: right.",
        "wrong": f"✗ {id}: not right yet.",
    }[outcome.status]
    printed = outcome.printed.strip()
    cut = printed[:_MAX_PRINTED] + ("\n… (cut)" if len(printed) > _MAX_PRINTED else "")
    body = [outcome.message, f"your code printed:\n{cut}" if printed else "", note]
    if outcome.status == "wrong":
        body.append(f'hint("{id}") helps.')
    say(head, "\n".join(part for part in body if part))


def hint(id: str) -> None:
    """Show the next hint of an exercise, after those already seen. After the third it points to ``solution``.

    Raises:
        UnknownExercise: there is no exercise of that id.
    """
    exercise = find(id)
    seen = min(record.state().hints.get(id, 0), len(exercise.hints))
    note = ""
    if seen < len(exercise.hints):
        seen += 1
        note = record.add("hint", id, level=seen)
    lines = [f"{k}. {text}" for k, text in enumerate(exercise.hints[:seen], start=1)]
    if seen == len(exercise.hints):
        lines.append(f'That was the last hint; solution("{id}") shows one answer.')
    say(f"Hint {seen} of {len(exercise.hints)} for {id}", "\n".join([*lines, note]).strip())


def solution(id: str) -> None:
    """Show the source of one right answer.

    Raises:
        UnknownExercise: there is no exercise of that id.
    """
    exercise = find(id)
    say(f"One answer to {id}", exercise.solution)


def say(head: str, body: str) -> None:
    """Show a message: rich in a notebook, the same words as plain text everywhere."""
    plain = f"{head}\n{body}" if body else head
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(plain)
        return
    from IPython.display import display

    block = f'<pre style="margin:.3em 0 0;white-space:pre-wrap">{html.escape(body)}</pre>' if body else ""
    style = "border-left:4px solid currentColor;padding:.2em .8em"
    rich = f'<div role="status" style="{style}"><strong>{html.escape(head)}</strong>{block}</div>'
    display({"text/plain": plain, "text/html": rich}, raw=True)


def _is_stub(exercise: Exercise, answer: Any) -> bool:
    """Whether a function does what the stub's function does, instruction by instruction.

    Comments, the docstring and the names of local variables do not count: who has changed those has not tried yet.
    """
    code = getattr(answer, "__code__", None)
    return code is not None and _instructions(code) == _instructions(exercise.run(exercise.stub).__code__)


def _instructions(code: Any) -> list[tuple[str, Any]]:
    number = {name: i for i, name in enumerate((*code.co_varnames, *code.co_cellvars, *code.co_freevars))}
    found: list[tuple[str, Any]] = [("arguments", code.co_argcount)]
    for step in dis.get_instructions(code):
        value = step.argval
        if hasattr(value, "co_code"):
            value = _instructions(value)
        elif step.opname == "LOAD_CONST":
            value = (type(value), value)
        elif "FAST" in step.opname or "DEREF" in step.opname:
            value = tuple(number[name] for name in (value if isinstance(value, tuple) else (value,)))
        found.append((step.opname, value))
    return found


@contextlib.contextmanager
def _own_random_state() -> Iterator[None]:
    """Seeded torch randomness inside, the caller's untouched outside."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
