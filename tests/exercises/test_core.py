"""check, hint, solution, claim: what a learner reads, and that it is the same as plain text and in a notebook."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from rec_lib.exercises import ClaimFailed, check, claim, core, hint, record, solution
from rec_lib.exercises.judges import code_judge, numeric_judge
from rec_lib.exercises.model import Exercise, Wrong

BUGGY = """
def area(a, b):
    # a bug: adds
    return a + b
"""
WRONG = (Wrong("x = 1", "got"), Wrong("x = 2", "got"), Wrong("x = 'a'", "str"))
NUMBER = Exercise(
    "3.7.9-six",
    "numeric",
    "What is 2 · 3?",
    "x = NOT_YET",
    "x = 6",
    ("Multiply.", "Two threes.", "6."),
    numeric_judge(6, 1e-6, "2 · 3"),
    WRONG,
)
BUG = Exercise(
    "3.7.9-area",
    "bug",
    "Mend the area",
    BUGGY,
    BUGGY.replace("+", "*"),
    ("Try 2, 2.", "Try 1, 1.", "+ or ·?"),
    code_judge("area", lambda a, b: a * b, lambda rng, size: (size, size + 1)),
    WRONG,
)


@pytest.fixture(autouse=True)
def _course(tmp_path, monkeypatch):
    monkeypatch.setenv("REC_LIB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(core, "chapters", lambda: [3])
    monkeypatch.setattr(core, "exercises", lambda chapter: (NUMBER, BUG))


def test_the_three_outcomes_are_told_apart_and_only_attempts_are_recorded(capsys):
    check("3.7.9-six", NUMBER.run(NUMBER.stub))
    assert capsys.readouterr().out == "○ 3.7.9-six: not attempted yet (What is 2 · 3?)\n"
    assert record.state().attempts == {}
    check("3.7.9-six", 5)
    said = capsys.readouterr().out
    assert said.startswith("✗ 3.7.9-six: not right yet.\nvalue: got 5, too small")
    assert said.endswith('hint("3.7.9-six") helps.\n')
    assert record.state().right == set()
    check("3.7.9-six", 6)
    assert capsys.readouterr().out == "✓ 3.7.9-six: right.\n"
    check("3.7.9-six", 7)
    assert record.state().right == {"3.7.9-six"}, "what was right once stays right"
    assert record.state().attempts == {"3.7.9-six": 3}


def test_a_bug_left_as_it_was_is_not_attempted_and_mended_it_is_right():
    assert core.grade(BUG, BUG.run(BUG.stub)).status == "not attempted"
    assert core.grade(BUG, BUG.run(BUG.solution)).status == "right"
    renamed = "def area(a, b):\n    c = a + b\n    return c"
    assert "value: got 3, expected 2" in core.grade(BUG, BUG.run(renamed)).message


def test_prints_are_shown_and_cut(capsys):
    def area(a, b):
        print("xy" * 1000)
        return 0

    check("3.7.9-area", area)
    said = capsys.readouterr().out
    assert "your code printed:\nxyxy" in said
    assert "… (cut)" in said
    assert len(said) < 1000


def test_hints_come_one_by_one_and_are_remembered(capsys):
    said = []
    for _ in range(4):
        hint("3.7.9-six")
        said.append(capsys.readouterr().out)
    assert said[0] == "Hint 1 of 3 for 3.7.9-six\n1. Multiply.\n"
    assert said[1] == "Hint 2 of 3 for 3.7.9-six\n1. Multiply.\n2. Two threes.\n"
    assert said[2].endswith('3. 6.\nThat was the last hint; solution("3.7.9-six") shows one answer.\n')
    assert said[3] == said[2]
    assert record.state().hints == {"3.7.9-six": 3}


def test_the_solution_is_code_that_runs(capsys):
    solution("3.7.9-area")
    head, _, source = capsys.readouterr().out.partition("\n")
    assert head == "One answer to 3.7.9-area"
    assert core.grade(BUG, BUG.run(source)).status == "right"


@pytest.mark.parametrize("act", [hint, solution, lambda id: check(id, 1)])
@pytest.mark.parametrize("id", ["3.7.9-sux", "six", "", "9.9-x", None])
def test_unknown_ids_are_answered_with_the_nearest(act, id):
    with pytest.raises(core.UnknownExercise, match=r"the nearest are 3\.7\.9-"):
        act(id)


def test_messages_in_a_notebook_are_rich_and_escaped(monkeypatch):
    import IPython
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw: shown.append(bundle))
    core.say("✗ a < b", "got <b>\nexpected")
    assert shown[0]["text/plain"] == "✗ a < b\ngot <b>\nexpected"
    assert "✗ a &lt; b</strong><pre" in shown[0]["text/html"]
    assert "got &lt;b&gt;" in shown[0]["text/html"]


def test_judging_leaves_the_callers_random_state_alone():
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    check("3.7.9-area", lambda a, b: torch.rand(()).item())
    assert torch.equal(before, torch.random.get_rng_state())


def test_importing_the_package_loads_neither_torch_nor_sympy_nor_plotly():
    program = "import sys, rec_lib.exercises as e; print([m for m in ('torch', 'sympy', 'plotly') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "six"}, "expected section-words"),
        ({"kind": "essay"}, "expected one of"),
        ({"hints": ("one",)}, "got 1 hints"),
        ({"wrong": ()}, "0 wrong answers"),
    ],
)
def test_an_incomplete_exercise_is_refused(changes, said):
    parts = {name: getattr(NUMBER, name) for name in NUMBER.__dataclass_fields__}
    with pytest.raises(ValueError, match=said):
        Exercise(**(parts | changes))


def test_a_stub_that_defines_nothing_is_refused():
    parts = {name: getattr(NUMBER, name) for name in NUMBER.__dataclass_fields__}
    with pytest.raises(ValueError, match="defines no name"):
        _ = Exercise(**(parts | {"stub": "print(1)"})).answer_name


@pytest.mark.parametrize("condition", [True, np.True_, np.float64(2) > 1, torch.tensor(1.0) > 0])
def test_a_claim_that_holds_is_printed(condition, capsys):
    claim("Two is more than one", condition)
    assert capsys.readouterr().out == "✓ Two is more than one\n"


@pytest.mark.parametrize("condition", [False, np.False_, torch.tensor(False)])
def test_a_claim_that_does_not_hold_stops_the_notebook(condition):
    with pytest.raises(ClaimFailed, match="One is more than two — this does not hold here"):
        claim("One is more than two", condition)


@pytest.mark.parametrize(
    "condition", [np.array([True, True]), np.array([True]), 1, 0.5, None, "yes", torch.ones(2) > 0]
)
def test_a_claim_needs_one_truth_value(condition):
    with pytest.raises(TypeError, match="expected one True or False"):
        claim("Something", condition)


@pytest.mark.parametrize("text", ["", "  ", True])
def test_a_claim_needs_a_sentence(text):
    with pytest.raises(ValueError, match="expected a sentence"):
        claim(text, True)
