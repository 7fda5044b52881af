"""``quiz``: a few questions a section, each answer with its own feedback.

The questions are data, ``assets/quiz/<section>.json``; ``assets/quiz/schema.json`` says what a file holds.
"""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rec_lib import paths
from rec_lib.exercises import record


class UnknownQuiz(LookupError):
    """No quiz, or no question of a quiz, has this name."""


class UnreadableAnswer(ValueError):
    """An answer that cannot be judged: another kind than the question asks for."""


def folder() -> Path:
    """Where the quizzes are."""
    return paths.root() / "assets" / "quiz"


def quiz(id: str) -> Quiz:
    """The quiz of a section, as ``quiz("3.7.2")``; the last line of a cell shows it.

    Raises:
        UnknownQuiz: there is none; the message lists those that there are.
    """
    known = sorted(p.stem for p in folder().glob("[0-9]*.json"))
    if id not in known:
        near = difflib.get_close_matches(str(id), known, n=3, cutoff=0.3) or known[:3]
        raise UnknownQuiz(f"there is no quiz {id!r}; there are {', '.join(near) or 'none yet'}.")
    return Quiz(id, json.loads((folder() / f"{id}.json").read_text(encoding="utf-8"))["questions"])


@dataclass(frozen=True)
class Quiz:
    """Questions of one section. In a notebook they are shown as controls; elsewhere ``answer`` takes the answers."""

    section: str
    questions: list[dict[str, Any]]

    def __repr__(self) -> str:
        lines = [f"Quiz {self.section}"]
        for number, question in enumerate(self.questions, start=1):
            lines.append(f"{number}. {question['question']}")
            options = question.get("options", [])
            lines += [f"   {letter}  {option['text']}" for letter, option in zip(LETTERS, options, strict=False)]
        return "\n".join([*lines, f'Answer by the controls, or by quiz("{self.section}").answer(1, "A").'])

    def answer(self, number: int, answer: str | float) -> None:
        """Answer a question: a letter, or a number. Prints the feedback and remembers whether it was right.

        An answer that is no letter of an option, or no number where one is asked for, is not judged; it says what to type.

        Raises:
            UnknownQuiz: no question has that number.
        """
        try:
            right, feedback = self.judge(number, answer)
        except UnreadableAnswer as error:
            print(f"○ {error}")
            return
        print(f"{'✓ right' if right else '✗ not right yet'}. {feedback}")

    def judge(self, number: int, answer: str | float) -> tuple[bool, str]:
        """Whether an answer is right, and its feedback; the attempt is recorded.

        Raises:
            UnknownQuiz: no question has that number.
            UnreadableAnswer: the answer is no letter of an option, or no number where one is asked for.
        """
        if not 1 <= number <= len(self.questions):
            raise UnknownQuiz(f"quiz {self.section} has questions 1 to {len(self.questions)}, not {number}.")
        question = self.questions[number - 1]
        right, feedback = (_judge_choice if question["kind"] == "choice" else _judge_number)(question, answer)
        note = record.add("quiz", f"{self.section}/{question['id']}", right=right)
        return right, f"{feedback} {note}".strip()

    def box(self) -> Any:
        """The quiz as ipywidgets: real radio buttons, fields and buttons, so the keyboard works as everywhere."""
        import ipywidgets as widgets

        rows = [self._row(number, widgets) for number in range(1, len(self.questions) + 1)]
        return widgets.VBox(rows)

    def _row(self, number: int, widgets: Any) -> Any:
        question = self.questions[number - 1]
        text = widgets.HTMLMath(f"<strong>{number}.</strong> {question['question']}")
        wide = widgets.Layout(width="auto")
        if question["kind"] == "choice":
            options = [
                (f"{letter}  {o['text']}", letter) for letter, o in zip(LETTERS, question["options"], strict=False)
            ]
            field = widgets.RadioButtons(options=options, value=None, description=f"Answer {number}", layout=wide)
        else:
            placeholder = f"a number, in {question['unit']}" if "unit" in question else "a number"
            field = widgets.Text(placeholder=placeholder, description=f"Answer {number}")
        button = widgets.Button(description=f"Check {number}", tooltip=f"Check the answer to question {number}")
        feedback = widgets.HTMLMath()
        button.on_click(partial(self._clicked, number, field, feedback))
        return widgets.VBox([text, field, button, feedback])

    def _clicked(self, number: int, field: Any, feedback: Any, _button: Any) -> None:
        if field.value in (None, ""):
            feedback.value = "○ Choose or type an answer first."
            return
        try:
            right, text = self.judge(number, field.value)
        except UnreadableAnswer as error:
            feedback.value = f"○ {error}"
            return
        feedback.value = f"{'✓ Right.' if right else '✗ Not right yet.'} {text}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self.box()._repr_mimebundle_()
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
        display({**data, "text/plain": repr(self)}, raw=True)


LETTERS = "ABCDEFGH"


def _judge_choice(question: dict[str, Any], answer: str | float) -> tuple[bool, str]:
    letters = LETTERS[: len(question["options"])]
    letter = str(answer).strip().upper()
    if len(letter) != 1 or letter not in letters:
        raise UnreadableAnswer(
            f"got {answer!r}; expected one of the letters {', '.join(letters)}. Nothing was counted."
        )
    option = question["options"][letters.index(letter)]
    return option["right"], option["feedback"]


def _judge_number(question: dict[str, Any], answer: str | float) -> tuple[bool, str]:
    try:
        got = float(str(answer).strip().replace(",", "").replace(" ", ""))
    except ValueError:
        raise UnreadableAnswer(
            f"got {answer!r}; expected a number by itself, such as 0.25 or 1e6. Nothing was counted."
        ) from None
    if not math.isfinite(got):
        raise UnreadableAnswer(f"got {answer!r}; expected a finite number. Nothing was counted.")
    if _near(got, question["value"], question["rtol"]):
        return True, question["right"]
    traps = (t["feedback"] for t in question.get("traps", []) if _near(got, t["value"], question["rtol"]))
    return False, next(traps, question["wrong"])


def _near(got: float, value: float, rtol: float) -> bool:
    return abs(got - value) <= rtol * (abs(value) if value else 1.0)
