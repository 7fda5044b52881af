"""Each rule of ``anatomy.py`` finds the fault that it is there for: a good notebook is spoilt in one place."""

import anatomy
import nbformat
import pytest

from rec_lib.paths import root

GOOD = root() / "chapters" / "ch03_deep_learning" / "03_07_2_deepfm.ipynb"


def prose(chapter, old, new):
    """Replace text in the first Markdown cell that has it."""
    cell = next(c for c in chapter.notebook.cells if c.cell_type == "markdown" and old in c.source)
    cell.source = cell.source.replace(old, new, 1)


def code(chapter, old, new):
    """Replace text in every code cell that has it."""
    cells = [c for c in chapter.code if old in c.source]
    assert cells, f"no code cell has {old!r}"
    for cell in cells:
        cell.source = cell.source.replace(old, new)


def after_title(chapter, text):
    chapter.notebook.cells.insert(1, nbformat.v4.new_markdown_cell(text))


def ignore_many(chapter):
    for cell in chapter.code[: len(chapter.code) // 4 + 1]:
        cell.metadata["tags"] = ["nbval-ignore-output"]


def without_outputs(chapter, call):
    for cell, _ in chapter.calls(call):
        cell.outputs = []


def without_alt(chapter):
    for cell in chapter.code:
        for output in cell.outputs:
            output.get("data", {}).get(anatomy.PLOTLY, {}).get("layout", {}).pop("meta", None)


def without_figures(chapter):
    for cell in chapter.code:
        cell.outputs = [o for o in cell.outputs if anatomy.PLOTLY not in o.get("data", {})]


FAULTS = {
    "wrong section": (anatomy.says_what_it_is, lambda c: c.notebook.metadata["course"].update(section="3.7.1")),
    "calls itself a map": (anatomy.says_what_it_is, lambda c: c.notebook.metadata["course"].update(kind="map")),
    "no title": (anatomy.has_a_title, lambda c: after_title(c, "x") or c.notebook.cells.pop(0)),
    "a warning": (
        anatomy.warns_of_nothing,
        lambda c: c.code[0].outputs.append(
            nbformat.v4.new_output("stream", name="stderr", text="x.py:1: UserWarning: old")
        ),
    ),
    "not seeded": (anatomy.begins_reproducibly, lambda c: code(c, "torch.manual_seed(", "print(")),
    "drawing unseeded": (
        anatomy.begins_reproducibly,
        lambda c: c.code[0].update(source="import numpy as np\n\nnoise = np.random.normal()"),
    ),
    "no way to a hint": (anatomy.imports_what_a_learner_types, lambda c: code(c, " hint,", "")),
    "ignored outputs": (anatomy.ignores_few_outputs, ignore_many),
    "steered by a comment": (anatomy.ignores_few_outputs, lambda c: code(c, "import", "# NBVAL_SKIP\nimport")),
    "claims not shown": (anatomy.keeps_its_claims, lambda c: without_outputs(c, "claim")),
    "dead link": (anatomy.links_resolve, lambda c: after_title(c, "[next](no_such.ipynb)")),
    "no alt text": (anatomy.figures_have_alt_text, without_alt),
    "no figure": (anatomy.shows_a_picture, without_figures),
    "filler": (anatomy.speaks_plainly, lambda c: after_title(c, "This is simply a sum.")),
    "hype": (anatomy.speaks_plainly, lambda c: after_title(c, "FM wins!")),
    "part missing": (anatomy.has_its_parts_in_order, lambda c: prose(c, "## Derive", "## Algebra")),
    "parts swapped": (
        anatomy.has_its_parts_in_order,
        lambda c: (prose(c, "## Why", "## X"), prose(c, "## Play", "## Why")),
    ),
    "no agreement": (anatomy.derives_what_it_builds, lambda c: code(c, "agrees_with", "agreed_with")),
    "no panel": (anatomy.plays, lambda c: prose(c, "## Play", "## Played")),
    "no quiz": (anatomy.asks, lambda c: code(c, "quiz(", "print(")),
    "exercise dropped": (anatomy.asks, lambda c: code(c, 'check("', 'print("')),
    "stub edited": (anatomy.holds_the_librarys_stubs, lambda c: code(c, "NOT_YET\n", "NOT_YET  # here\n")),
    "check of another": (anatomy.holds_the_librarys_stubs, lambda c: code(c, 'check("3.7.2-', 'check("3.7.2-x-')),
    "answered in advance": (anatomy.holds_the_librarys_stubs, lambda c: without_outputs(c, "check")),
    "no terms": (anatomy.ends_with_the_terms, lambda c: prose(c, "术语", "Terms")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_rule_finds(fault):
    rule, spoil = FAULTS[fault]
    chapter = anatomy.Chapter.read(GOOD)
    assert rule(chapter) == []
    spoil(chapter)
    assert rule(anatomy.Chapter(GOOD, chapter.notebook)) != []


@pytest.mark.parametrize(
    "text",
    [
        "`a != b`, $n!$ and $$k!$$ are not shouting",
        "![a picture](x.png)",
        "```python\nprint('simply!')\n```",
        "<!-- note! -->",
        "Simplify, powered, course",
    ],
)
def test_what_is_not_prose_is_not_judged(text):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert anatomy.speaks_plainly(anatomy.Chapter(GOOD, notebook)) == []


def test_every_rule_is_tried():
    elsewhere = {anatomy.is_stored_clean}  # test_notebooks_cli.py
    assert {rule for rule, _ in FAULTS.values()} | elsewhere == {*anatomy.BOTH, *anatomy.SECTION}
