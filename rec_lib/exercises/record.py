"""The learner's progress: one line of JSON appended an attempt, folded when it is read.

The file is ``progress.jsonl`` in ``rec_lib.paths.home()``. A line is written by one system call on a descriptor in
append mode, so two notebooks at once do not mix their lines; a line cut off by a crash is skipped when read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rec_lib import paths

_unsaved: dict[Path, list[dict[str, Any]]] = {}  # what could not be written; kept and tried again with the next event


@dataclass
class State:
    """All events folded: exercises ever right, attempts, hints seen, quiz questions and whether they were right."""

    right: set[str] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    quiz: dict[str, bool] = field(default_factory=dict)


def _file() -> Path:
    return paths.home() / "progress.jsonl"


def add(what: str, id: str, **detail: Any) -> str:
    """Append one event. Returns "" or, if the file cannot be written, a sentence that says so.

    Args:
        what: ``check``, ``hint`` or ``quiz``.
        id: of the exercise or question.
        detail: ``right=`` or ``level=``.
    """
    file = _file()
    events = _unsaved.setdefault(file, [])
    events.append({"time": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, "id": id, **detail})
    try:
        _append(file, "".join(json.dumps(event) + "\n" for event in events).encode())
    except OSError as error:
        return f"(Progress is kept for this session only: {error.strerror or error} while writing {file.name}.)"
    events.clear()
    return ""


def _append(file: Path, lines: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # O_BINARY exists on Windows only: without it "\n" would become two bytes there
    flags = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
    descriptor = os.open(file, flags, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":  # a crash cut the last line: do not let it swallow this one
                lines = b"\n" + lines
        if os.write(descriptor, lines) < len(lines):
            raise OSError("no space left")
    finally:
        os.close(descriptor)


def _events() -> Iterator[dict[str, Any]]:
    file = _file()
    try:
        lines = file.read_bytes().splitlines()
    except OSError:  # not written yet, or not ours to read: add() says so when it cannot write
        lines = []
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):  # cut off by a crash, or not ours
            continue
        if isinstance(event, dict) and isinstance(event.get("id"), str):
            yield event
    yield from _unsaved.get(file, [])


def state() -> State:
    """Read and fold all events; unreadable lines are skipped."""
    folded = State()
    for event in _events():
        id, what = event["id"], event.get("what")
        if what == "check":
            folded.attempts[id] = folded.attempts.get(id, 0) + 1
            if event.get("right") is True:
                folded.right.add(id)
        elif what == "hint" and isinstance(event.get("level"), int):
            folded.hints[id] = max(folded.hints.get(id, 0), event["level"])
        elif what == "quiz":
            folded.quiz[id] = folded.quiz.get(id, False) or event.get("right") is True
    return folded


@dataclass(frozen=True)
class Progress:
    """How many exercises of each section are right, of how many; shown in a notebook as the coloured course map."""

    sections: dict[str, tuple[int, int]]

    @property
    def shares(self) -> dict[str, float]:
        """Share of a section's exercises that are right, 0 to 1."""
        return {section: right / total for section, (right, total) in self.sections.items()}

    def __repr__(self) -> str:
        lines = ["Exercises right, by section"]
        for section, (right, total) in self.sections.items():
            lines.append(f"{section:<7} {'■' * right}{'□' * (total - right)}  {right} of {total}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from rec_lib.figures.course_map import course_map

        return {**course_map(progress=self.shares)._repr_mimebundle_(), "text/plain": repr(self)}


def progress() -> Progress:
    """The learner's progress over all sections that have exercises."""
    from rec_lib.exercises.core import chapters, exercises

    right = state().right
    sections: dict[str, tuple[int, int]] = {}
    for exercise in (e for chapter in chapters() for e in exercises(chapter)):
        done, total = sections.get(exercise.section, (0, 0))
        sections[exercise.section] = (done + (exercise.id in right), total + 1)
    return Progress(sections)
