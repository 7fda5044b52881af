"""Every exercise of the course: the solution passes, the stub is not attempted, wrong answers get their message."""

import json
import time

import pytest

from rec_lib import catalogue, paths
from rec_lib.exercises import core
from rec_lib.figures.course_map import START

ALL = {e.id: e for chapter in core.chapters() for e in core.exercises(chapter)}
WRONG = [(e, k) for e in ALL.values() for k in range(len(e.wrong))]
CHAPTERS = paths.root() / "chapters"
SECTIONS = (START, *catalogue.SECTIONS)
NOTEBOOKS = {s.id: CHAPTERS / s.notebook for s in SECTIONS if s.notebook and (CHAPTERS / s.notebook).is_file()}
IN_NOTEBOOKS = [id for id, e in ALL.items() if e.section in NOTEBOOKS]


@pytest.mark.parametrize("chapter", core.chapters())
def test_ids_are_unique_and_belong_to_their_chapter(chapter):
    own = [e.id for e in core.exercises(chapter)]
    assert len(set(own)) == len(own)
    assert all(id.startswith(f"{chapter}.") for id in own)


def test_every_section_with_a_notebook_has_three_kinds():
    kinds = {}
    for e in ALL.values():
        kinds.setdefault(e.section, set()).add(e.kind)
    with_notebook = {s.id for s in catalogue.SECTIONS if s.notebook}
    assert {s: k for s, k in kinds.items() if s in with_notebook and len(k) < 3} == {}
    assert set(kinds) <= with_notebook | {START.id}


@pytest.mark.parametrize("id", ALL)
def test_the_stub_is_not_attempted_and_the_solution_is_right(id):
    exercise = ALL[id]
    assert core.grade(exercise, exercise.run(exercise.stub)).status == "not attempted"
    answer = exercise.run(exercise.solution)
    outcome = core.grade(exercise, answer)
    assert outcome.status == "right", outcome.message
    started = time.process_time()
    core.grade(exercise, answer)
    assert time.process_time() - started < 20, "a check is waited for"


@pytest.mark.parametrize(("exercise", "k"), WRONG, ids=[f"{e.id}-{k}" for e, k in WRONG])
def test_each_wrong_answer_gets_the_message_it_needs(exercise, k):
    wrong = exercise.wrong[k]
    outcome = core.grade(exercise, exercise.run(wrong.source))
    assert outcome.status == "wrong"
    assert wrong.expect in outcome.message
    assert outcome == core.grade(exercise, exercise.run(wrong.source)), "the message must be the same in every run"


@pytest.mark.parametrize("id", ALL)
def test_hints_differ_and_only_the_last_may_be_the_whole_answer(id):
    exercise = ALL[id]
    assert len(set(exercise.hints)) == 3
    assert exercise.title.strip()
    body = [line.strip() for line in exercise.solution.splitlines() if line.strip() and "def " not in line]
    assert not [line for line in body if len(line) > 12 and line in exercise.hints[0]]


@pytest.mark.parametrize("id", IN_NOTEBOOKS)
def test_the_notebook_holds_the_stub_and_checks_it(id):
    exercise = ALL[id]
    cells = json.loads(NOTEBOOKS[exercise.section].read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    own = [source for source in sources if f'check("{id}"' in source]
    assert len(own) == 1
    assert own[0].startswith(exercise.stub)
    assert own[0].rstrip().endswith(f'check("{id}", {exercise.answer_name})')
