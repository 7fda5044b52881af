"""Progress survives crashes, two writers at once, and a folder that cannot be written."""

import json
import subprocess
import sys

import pytest

from rec_lib.exercises import core, progress, record
from rec_lib.exercises.record import Progress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("REC_LIB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def lines(home):
    """Lines that hold something: a writer that meets another's unfinished line begins with a line break."""
    return [line for line in (home / "progress.jsonl").read_bytes().splitlines() if line]


def test_an_event_is_one_line_of_json(home):
    assert record.add("check", "3.7.2-a", right=True) == ""
    assert record.add("hint", "3.7.2-a", level=2) == ""
    events = [json.loads(line) for line in lines(home)]
    assert [e["what"] for e in events] == ["check", "hint"]
    assert events[0]["right"] is True
    assert events[0]["time"].endswith("+00:00")


def test_nothing_is_recorded_before_the_first_event(home):
    assert record.state() == record.State()
    assert not home.exists()


def test_two_processes_at_once_lose_nothing(home):
    program = (
        "import sys\nfrom rec_lib.exercises import record\n"
        "for k in range(400):\n    record.add('check', f'3.7.2-{sys.argv[1]}-{k}', right=True, text='x' * 300)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "ab"]
    assert [w.wait() for w in writers] == [0, 0]
    assert len([json.loads(line) for line in lines(home)]) == 800
    assert len(record.state().right) == 800


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_by_a_crash_is_skipped_and_the_next_one_is_whole(home, cut):
    record.add("check", "3.7.2-a", right=True)
    record.add("check", "3.7.2-b", right=True)
    file = home / "progress.jsonl"
    file.write_bytes(file.read_bytes()[:-cut])
    survivors = {"3.7.2-a"} | ({"3.7.2-b"} if cut == 1 else set())
    assert record.state().right == survivors
    record.add("check", "3.7.2-c", right=True)
    assert record.state().right == survivors | {"3.7.2-c"}


@pytest.mark.parametrize(
    "line", [b"\xff\xfe\n", b"[1, 2]\n", b'"x"\n', b'{"id": 3}\n', b'{"what": "hint", "id": "a"}\n', b"\n"]
)
def test_foreign_lines_are_ignored(home, line):
    record.add("check", "3.7.2-a", right=True)
    with (home / "progress.jsonl").open("ab") as file:
        file.write(line)
    record.add("check", "3.7.2-b", right=False)
    state = record.state()
    assert (state.right, state.attempts, state.hints) == ({"3.7.2-a"}, {"3.7.2-a": 1, "3.7.2-b": 1}, {})


def test_what_cannot_be_written_is_said_kept_and_written_later(home):
    home.write_text("a file where the folder should be")
    note = record.add("check", "3.7.2-a", right=True)
    assert note.startswith("(Progress is kept for this session only: ")
    assert record.add("hint", "3.7.2-b", level=1).startswith("(Progress")
    assert record.state().right == {"3.7.2-a"}
    assert record.state().hints == {"3.7.2-b": 1}
    home.unlink()
    assert record.add("check", "3.7.2-c", right=True) == ""
    assert len(lines(home)) == 3
    assert record.state().right == {"3.7.2-a", "3.7.2-c"}
    assert record.state().attempts == {"3.7.2-a": 1, "3.7.2-c": 1}


def test_a_disk_that_takes_half_a_line_counts_as_full(home, monkeypatch):
    real = record.os.write
    monkeypatch.setattr(record.os, "write", lambda descriptor, data: real(descriptor, data[: len(data) // 2]))
    assert "no space left" in record.add("check", "3.7.2-a", right=True)
    monkeypatch.setattr(record.os, "write", real)
    assert record.add("check", "3.7.2-b", right=True) == ""
    assert record.state().right == {"3.7.2-a", "3.7.2-b"}


def test_a_failed_save_is_part_of_what_check_says(home, capsys):
    home.write_text("")
    exercise = core.exercises(core.chapters()[0])[0]
    core.check(exercise.id, exercise.run(exercise.solution))
    said = capsys.readouterr().out
    assert "right.\n(Progress is kept for this session only" in said


def test_progress_counts_right_exercises_by_section():
    first = core.exercises(core.chapters()[0])[0]
    before = progress()
    assert before.sections[first.section][0] == 0
    record.add("check", first.id, right=False)
    assert progress() == before
    record.add("check", first.id, right=True)
    record.add("check", "3.7.2-of-an-older-edition", right=True)
    right, total = progress().sections[first.section]
    assert right == 1
    assert progress().shares[first.section] == 1 / total


def test_progress_is_a_table_as_text_and_the_course_map_in_a_notebook():
    shown = Progress({"3.7.2": (2, 4), "3.7.3": (0, 3)})
    assert repr(shown) == "Exercises right, by section\n3.7.2   ■■□□  2 of 4\n3.7.3   □□□  0 of 3"
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown)
    assert "3.7.2" in json.dumps(bundle["application/vnd.plotly.v1+json"])


def test_the_map_can_be_drawn_for_all_exercises_there_are():
    assert set(progress()._repr_mimebundle_()) == {"application/vnd.plotly.v1+json", "text/plain"}
