"""Quizzes: the data keep to their schema, each answer gets its feedback, the controls work, answers are remembered."""

import json

import IPython.display
import jsonschema
import pytest

from rec_lib.exercises import quiz, quizzes, record

FILES = sorted(quizzes.folder().glob("[0-9]*.json"))
SCHEMA = json.loads((quizzes.folder() / "schema.json").read_text())
SAMPLE = {
    "section": "1.2",
    "questions": [
        {
            "id": "colour",
            "kind": "choice",
            "question": "Which?",
            "options": [
                {"text": "red", "right": False, "feedback": "Not red."},
                {"text": "blue", "right": True, "feedback": "Blue."},
            ],
        },
        {
            "id": "count",
            "kind": "number",
            "question": "How many?",
            "value": 1000,
            "rtol": 0.01,
            "unit": "pairs",
            "right": "So many.",
            "wrong": "Count again.",
            "traps": [{"value": 2000, "feedback": "Twice."}],
        },
    ],
}


@pytest.fixture
def sample(tmp_path, monkeypatch):
    monkeypatch.setenv("REC_LIB_HOME", str(tmp_path / "home"))
    (tmp_path / "1.2.json").write_text(json.dumps(SAMPLE))
    monkeypatch.setattr(quizzes, "folder", lambda: tmp_path)
    return quiz("1.2")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_quiz_keeps_to_the_schema(file):
    data = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(data, SCHEMA)
    assert data["section"] == file.stem
    ids = [q["id"] for q in data["questions"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_quiz_can_be_answered_rightly_by_its_controls(file, tmp_path, monkeypatch):
    monkeypatch.setenv("REC_LIB_HOME", str(tmp_path))
    shown = quiz(file.stem)
    for question, row in zip(shown.questions, shown.box().children, strict=True):
        _, field, button, feedback = row.children
        if question["kind"] == "choice":
            field.value = quizzes.LETTERS[[o["right"] for o in question["options"]].index(True)]
        else:
            field.value = str(question["value"])
            for trap in question.get("traps", []):
                assert shown.judge(shown.questions.index(question) + 1, trap["value"]) == (False, trap["feedback"])
        button.click()
        assert feedback.value.startswith("✓ Right. ")
    assert set(record.state().quiz) == {f"{file.stem}/{q['id']}" for q in shown.questions}
    assert all(record.state().quiz.values())


def test_the_schema_refuses_two_right_options_and_latex_in_an_option():
    data = {"section": "1.2", "questions": [{**SAMPLE["questions"][0], "id": f"q{k}"} for k in range(3)]}
    jsonschema.validate(data, SCHEMA)
    for change in ({"right": True}, {"text": "$x$"}):
        spoiled = json.loads(json.dumps(data))
        spoiled["questions"][0]["options"][0] |= change
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoiled, SCHEMA)


def test_every_answer_has_its_feedback(sample, capsys):
    for number, answer, said in [
        (1, "A", "✗ not right yet. Not red.\n"),
        (1, " b ", "✓ right. Blue.\n"),
        (2, 1001, "✓ right. So many.\n"),
        (2, "1,000", "✓ right. So many.\n"),
        (2, "2e3", "✗ not right yet. Twice.\n"),
        (2, 3, "✗ not right yet. Count again.\n"),
    ]:
        sample.answer(number, answer)
        assert capsys.readouterr().out == said
    assert record.state().quiz == {"1.2/colour": True, "1.2/count": True}


def test_answers_of_the_wrong_kind_are_refused_and_not_recorded(sample):
    for number, answer in [(1, "C"), (1, ""), (1, "AB"), (2, "many"), (2, "about 3"), (2, "nan"), (2, [3]), (2, None)]:
        with pytest.raises(quizzes.UnreadableAnswer, match=r"expected (one of the letters A, B|a (finite )?number)"):
            sample.judge(number, answer)
    with pytest.raises(quizzes.UnknownQuiz, match="questions 1 to 2"):
        sample.judge(3, "A")
    assert record.state().quiz == {}


def test_a_number_in_words_gets_a_kind_word_and_no_traceback(sample, capsys):
    sample.answer(2, "about 3")
    assert capsys.readouterr().out == (
        "○ got 'about 3'; expected a number by itself, such as 0.25 or 1e6. Nothing was counted.\n"
    )
    sample.answer(1, "blue")
    assert capsys.readouterr().out == "○ got 'blue'; expected one of the letters A, B. Nothing was counted.\n"
    assert record.state().quiz == {}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_no_question_of_the_course_meets_words_with_an_error(file, capsys):
    shown = quiz(file.stem)
    for number in range(1, len(shown.questions) + 1):
        shown.answer(number, "about 3")
        assert capsys.readouterr().out.startswith("○ got 'about 3'; expected ")


def test_the_controls_ask_for_an_answer_before_they_judge(sample):
    choice, number = sample.box().children
    choice.children[2].click()
    assert choice.children[3].value == "○ Choose or type an answer first."
    choice.children[1].value = "A"
    choice.children[2].click()
    assert choice.children[3].value == "✗ Not right yet. Not red."
    number.children[1].value = "lots"
    number.children[2].click()
    assert number.children[3].value.startswith("○ got 'lots'; expected a number")


def test_without_a_notebook_the_questions_are_text(sample):
    assert repr(sample).splitlines() == [
        "Quiz 1.2",
        "1. Which?",
        "   A  red",
        "   B  blue",
        "2. How many?",
        'Answer by the controls, or by quiz("1.2").answer(1, "A").',
    ]


def test_a_notebook_gets_the_controls_and_the_same_text(sample, monkeypatch):
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    sample._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert shown[0]["text/plain"] == repr(sample)


def test_unknown_quizzes_are_answered_with_the_nearest(sample):
    with pytest.raises(quizzes.UnknownQuiz, match="there are 1.2"):
        quiz("1.3")
