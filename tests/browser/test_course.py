"""The course in a real browser: what a learner does, and that nothing goes wrong behind their back."""

from __future__ import annotations

import re

import pytest
from panels import PanelInPage

from rec_lib.exercises import quiz
from rec_lib.exercises.core import chapters, exercises

SLOW = 300  # ms from key to redraw (95 of 100) above which a slider is no longer live


def panels(ran) -> list[PanelInPage]:
    boxes = ran.page.locator(".rec-panel")
    return [PanelInPage(ran.page, boxes.nth(i)) for i in range(boxes.count())]


def answers_a_quiz(ran, section):
    """By the controls: question 1 wrongly, then rightly, each with the feedback of its own option."""
    question = quiz(section).questions[0]
    box = ran.cell(f'quiz("{section}")').locator(".jp-OutputArea")
    for right in (False, True):
        place, option = next((k, o) for k, o in enumerate(question["options"]) if o["right"] is right)
        box.locator("input[type=radio]").nth(place).check()
        box.get_by_role("button", name="Check 1").click()
        box.get_by_text(option["feedback"]).wait_for(timeout=10_000)
    assert ran.trouble == []


def test_without_the_token_there_is_no_way_in(lab):
    assert lab.status("/api/contents") == 403
    assert lab.status("/api/contents", "wrong") == 403
    assert lab.status("/api/contents", lab.token) == 200


def test_run_all_ends_without_errors(ran):
    assert ran.failures() == []
    assert ran.trouble == []


def test_figures_are_drawn(ran):
    plots = ran.page.locator(".js-plotly-plot")
    assert plots.count() > 0
    assert ran.page.locator(".js-plotly-plot .main-svg").count() >= plots.count()
    assert ran.empty_figures() == []


def test_there_is_a_panel_to_play_with(ran):
    assert panels(ran), "no panel (.rec-panel) came up"
    for panel in panels(ran):
        assert panel.summary().strip()


def test_controls_stand_two_in_a_row_on_a_projector(ran):
    ran.page.set_viewport_size({"width": 1280, "height": 720})
    ran.page.wait_for_timeout(500)
    for panel in panels(ran):
        boxes = [c.bounding_box() for c in panel.box.locator(".widget-slider, .widget-dropdown").all()[:2]]
        if len(boxes) == 2:
            assert abs(boxes[0]["y"] - boxes[1]["y"]) < 8, f"the first two controls stand below each other: {boxes}"
            assert boxes[1]["x"] > boxes[0]["x"]
    ran.page.set_viewport_size({"width": 1400, "height": 1100})
    ran.page.wait_for_timeout(500)


@pytest.mark.parametrize("move", [PanelInPage.pressed, PanelInPage.dragged], ids=["keyboard", "mouse"])
def test_sliders_redraw_the_plot(ran, move):
    """Every slider moves, and the picture with it; each is put back, for one may make another idle."""
    for panel in panels(ran):
        for slider in range(panel.sliders.count()):
            picture = panel.steady_picture()
            with move(panel, slider) as (before, after):
                assert after != before, f"slider {slider} stayed at {before}"
                moved = panel.steady_picture()
            assert moved != picture, f"slider {slider} went from {before} to {after}, the plot stayed"
    assert ran.trouble == []


def test_a_slider_is_live(ran, report):
    """Key to redraw of each panel's first slider."""
    for panel in panels(ran):
        if panel.sliders.count():
            found = panel.latency(0)
            report(
                f"{ran.notebook}: key to redraw p50 {found.p50:.0f} ms, p95 {found.p95:.0f} ms ({found.presses} presses)"
            )
            assert found.p95 <= SLOW


def test_an_answer_is_judged_and_the_progress_outlives_a_reload(ran):
    """Wrong, two hints, right; then the page is loaded anew and the course still knows. A map has a quiz alone."""
    code = "\n".join(ran.sources())
    asked = [e for chapter in chapters() for e in exercises(chapter) if f'check("{e.id}"' in code]
    if not asked:
        answers_a_quiz(ran, re.search(r'quiz\("(.+?)"\)', code)[1])
        return
    exercise = asked[0]
    check = f'check("{exercise.id}", {exercise.answer_name})'
    cell = ran.cell(check)
    assert "not attempted yet" in cell.locator(".jp-OutputArea").first.inner_text()

    said = ran.replace_and_run(cell, f"{exercise.wrong[0].source}\n\n\n{check}")
    assert "not right yet" in said
    assert exercise.wrong[0].expect in said
    for level in (1, 2):
        said = ran.replace_and_run(cell, f'hint("{exercise.id}")')
        assert f"Hint {level} of 3" in said
        assert exercise.hints[level - 1] in said
    said = ran.replace_and_run(cell, f"{exercise.solution}\n\n\n{check}")
    assert f"✓ {exercise.id}: right." in said

    ran.replace_and_run(cell, f"{exercise.stub}\n\n\n{check}")
    ran.save()
    ran.open(ran.notebook)
    said = ran.replace_and_run(ran.cell(check), "from rec_lib.exercises import progress\n\nprint(progress())")
    assert re.search(rf"^{re.escape(exercise.section)}\s.*\b1 of ", said, re.MULTILINE)
    assert ran.trouble == []
