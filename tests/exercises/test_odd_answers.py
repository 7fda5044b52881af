"""Whatever a learner hands in, check answers in words: never with a traceback of the course's own code."""

import datetime

import numpy as np
import pytest
import sympy
import torch

from rec_lib.exercises import core


class Faulty:
    def __repr__(self):
        raise ValueError("no words")


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no words either")


def raises_silently(*args):
    raise Silent


LOOP: list = []
LOOP.append(LOOP)
VALUES = (
    sympy.I, sympy.zoo, 10**400, -1, 1 + 2j, "a", None, {}, LOOP, Faulty(), float("nan"), np.array("a"), np.array(1 + 2j), np.array(True),
    np.str_("a"), np.datetime64("2020"), datetime.date(2020, 1, 1), torch.tensor(1 + 2j), torch.tensor(1.0, dtype=torch.bfloat16), torch.ones(0),
)  # fmt: skip
EXERCISES = [e for chapter in core.chapters() for e in core.exercises(chapter)]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_odd_answers_are_wrong_in_words(exercise):
    for value in VALUES:
        for answer in (value, lambda *args, value=value: value):
            outcome = core.grade(exercise, answer)
            assert outcome.status == "wrong", (value if not isinstance(value, Faulty) else "Faulty", outcome)
            assert outcome.message
    assert core.grade(exercise, raises_silently).status == "wrong"


def test_more_hints_than_there_are_end_with_the_last(monkeypatch, capsys):
    exercise = EXERCISES[0]
    core.record.add("hint", exercise.id, level=99)
    core.hint(exercise.id)
    assert "Hint 3 of 3" in capsys.readouterr().out
