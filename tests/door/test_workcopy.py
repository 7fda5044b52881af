"""work/ is the learner's: what they wrote is never lost, what they did not touch follows the original."""

import json
import shutil

import pytest

from rec_lib import paths
from rec_lib.cli import reset, workcopy

NAME = "ch03_deep_learning/03_07_2_deepfm.ipynb"


def notebook(*sources: str, section: str = "3.7.2", outputs: tuple = ()) -> str:
    cells = [{"cell_type": "code", "source": [text], "metadata": {}, "outputs": list(outputs)} for text in sources]
    return json.dumps(
        {"cells": cells, "metadata": {"course": {"section": section}}, "nbformat": 4, "nbformat_minor": 5}
    )


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A clone with two notebooks, and fill() for it."""
    chapters = tmp_path / "chapters"
    for name, section in [("00_start_here.ipynb", ""), (NAME, "3.7.2")]:
        (chapters / name).parent.mkdir(parents=True, exist_ok=True)
        (chapters / name).write_text(notebook("1 + 1", section=section), encoding="utf-8")
    (chapters / ".ipynb_checkpoints").mkdir()
    (chapters / ".ipynb_checkpoints" / "00_start_here.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(reset, "root", lambda: tmp_path)
    monkeypatch.setattr(reset, "home", lambda: tmp_path / ".course")
    return tmp_path


def fill(course) -> workcopy.Report:
    return workcopy.fill(course / "chapters", course / "work", course / ".course" / "work.json")


def write(place, *sources: str, **more) -> None:
    place.write_text(notebook(*sources, **more), encoding="utf-8")


def test_first_fill_copies_everything_but_hidden_files(course):
    assert fill(course).new == ["00_start_here.ipynb", NAME]
    assert sorted(p.name for p in (course / "work").rglob("*") if p.is_file()) == [
        "00_start_here.ipynb",
        "03_07_2_deepfm.ipynb",
    ]
    assert fill(course) == workcopy.Report()


def test_untouched_is_refreshed_even_after_it_was_run(course):
    fill(course)
    write(course / "work" / NAME, "1 + 1", outputs=({"output_type": "stream", "name": "stdout", "text": "2"},))
    write(course / "chapters" / NAME, "2 + 2")
    assert fill(course).refreshed == [NAME]
    assert (course / "work" / NAME).read_bytes() == (course / "chapters" / NAME).read_bytes()


def test_touched_is_kept_and_news_of_the_original_are_told(course):
    fill(course)
    write(course / "work" / NAME, "my answer")
    assert fill(course) == workcopy.Report(kept=[NAME])
    write(course / "chapters" / NAME, "2 + 2")
    assert fill(course) == workcopy.Report(kept=[NAME], outdated=[NAME])
    assert "my answer" in (course / "work" / NAME).read_text(encoding="utf-8")


def test_broken_and_unknown_copies_count_as_touched(course):
    fill(course)
    (course / "work" / NAME).write_text('{"cells": [', encoding="utf-8")
    assert fill(course).kept == [NAME]
    (course / ".course" / "work.json").write_text("not json", encoding="utf-8")
    assert fill(course).kept == [NAME]


def test_a_lost_manifest_does_not_make_untouched_copies_touched(course):
    fill(course)
    shutil.rmtree(course / ".course")
    assert fill(course) == workcopy.Report()
    write(course / "chapters" / NAME, "2 + 2")
    assert fill(course).refreshed == [NAME]


@pytest.mark.parametrize("wanted", ["3.7.2", NAME, "03_07_2_deepfm", "work/" + NAME, "chapters\\" + NAME])
def test_reset_lays_down_the_original_and_keeps_the_learners(course, wanted, capsys):
    fill(course)
    for answer in ("first answer", "second answer"):
        write(course / "work" / NAME, answer)
        assert reset.main([wanted]) == 0
    kept = sorted((course / "work" / ".kept" / "ch03_deep_learning").iterdir())
    assert [json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"] for path in kept] == [
        ["first answer"],
        ["second answer"],
    ]
    assert "work/.kept/ch03_deep_learning/03_07_2_deepfm_" in capsys.readouterr().out
    write(course / "chapters" / NAME, "2 + 2")
    assert fill(course).refreshed == [NAME]


@pytest.mark.parametrize("words", [[], ["9.9"], ["3.7.2", "4.6"]])
def test_reset_of_nothing_known_lists_what_there_is(course, words, capsys):
    assert reset.main(words) == 2
    assert f"3.7.2    {NAME}" in capsys.readouterr().out


def test_every_section_of_the_course_can_be_reset():
    chapters = paths.root() / "chapters"
    for name in workcopy.originals(chapters):
        section = workcopy.section(chapters / name)
        assert workcopy.find(chapters, section or name) == [name]


def test_attachments_and_tags_are_the_learners_too(course):
    fill(course)
    copy = course / "work" / NAME
    changed = json.loads(copy.read_text(encoding="utf-8"))
    changed["cells"][0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    copy.write_text(json.dumps(changed), encoding="utf-8")
    write(course / "chapters" / NAME, "2 + 2")
    assert fill(course).kept == [NAME]


def test_an_interrupted_fill_knows_what_it_laid_down(course, monkeypatch):
    real, calls = workcopy._write, []

    def full(manifest, known):
        calls.append(known)
        if len(calls) == 3:  # the last one, after both copies
            raise OSError(28, "No space left on device")
        real(manifest, known)

    monkeypatch.setattr(workcopy, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        fill(course)
    monkeypatch.undo()
    workcopy_fill = workcopy.fill(course / "chapters", course / "work", course / ".course" / "work.json")
    assert workcopy_fill == workcopy.Report()
    write(course / "chapters" / NAME, "2 + 2")
    assert workcopy.fill(course / "chapters", course / "work", course / ".course" / "work.json").refreshed == [NAME]


@pytest.mark.parametrize("text", ["5", "null", "[1]", "[[[], 1]]", '{"a": 1}', "[" * 10**5])
def test_a_broken_manifest_counts_as_empty(course, text):
    fill(course)
    write(course / "work" / NAME, "mine")
    (course / ".course" / "work.json").write_text(text, encoding="utf-8")
    assert fill(course).kept == [NAME]
    (course / ".course" / "work.json").write_text(text, encoding="utf-8")
    kept = workcopy.reset(course / "chapters", course / "work", course / ".course" / "work.json", NAME)
    assert kept.read_text(encoding="utf-8") == notebook("mine")


def test_a_stray_notebook_belongs_to_no_section(course):
    (course / "chapters" / "Untitled.ipynb").write_text("", encoding="utf-8")
    assert workcopy.find(course / "chapters", "3.7.2") == [NAME]
    assert workcopy.find(course / "chapters", "") == []
