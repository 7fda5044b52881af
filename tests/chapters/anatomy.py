"""What a notebook of the course must hold. Each rule takes a ``Chapter`` and returns what is wrong, in words.

A section has the full anatomy (Why, Derive, Build, Train, Play, Exercises, Recap; claims, derivation, exercises). A map
(start page, evolution maps, summaries) has a picture, a quiz or claims, and the rules that hold for both kinds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from rec_lib import catalogue
from rec_lib.cli import notebooks
from rec_lib.exercises.core import UnknownExercise, find
from rec_lib.exercises.core import exercises as exercises_of
from rec_lib.paths import root

MAPS = {"2.1", "2.8", "3.1", "3.11", "4.1", "4.7"}  # evolution maps and summaries; every other section is a section
PARTS = ("Why", "Derive", "Build", "Train", "Play", "Exercises", "Recap")
FILLER = (
    "simply powerful obviously basically seamless seamlessly leverage leverages delve cutting-edge state-of-the-art"
).split() + ["as we can see", "of course", "needless to say", "it is easy to see", "it is clear that", "game changer"]
IGNORED = {"nbval-ignore-output", "nbval-skip"}
PLOTLY = "application/vnd.plotly.v1+json"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NOT_PROSE = re.compile(
    r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|<!--.*?-->|!\[|\]\([^)]*\)|https?://\S+", re.DOTALL
)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Chapter:
    """One notebook, read."""

    path: Path
    notebook: NotebookNode = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Chapter:
        return cls(path, nbformat.read(path, as_version=4))

    @property
    def section(self) -> str:
        return str(self.notebook.metadata.get("course", {}).get("section", ""))

    @cached_property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @cached_property
    def prose(self) -> list[str]:
        return [cell.source for cell in self.notebook.cells if cell.cell_type == "markdown"]

    @cached_property
    def headings(self) -> list[str]:
        """Headings of the second level, in order."""
        return [line[3:].strip() for text in self.prose for line in text.splitlines() if line.startswith("## ")]

    def part(self, name: str) -> list[NotebookNode]:
        """The cells below ``## name``, up to the next heading of that level."""
        inside, found = False, []
        for cell in self.notebook.cells:
            marks = [line[3:] for line in cell.source.splitlines() if line.startswith("## ")]
            if cell.cell_type == "markdown" and marks:
                inside = _names(marks[-1], name)
            if inside:
                found.append(cell)
        return found

    def calls(self, name: str, cells: list[NotebookNode] | None = None) -> Iterator[tuple[NotebookNode, ast.Call]]:
        """Calls of a function ("check") or method (".agrees_with") outside function bodies, with their cells."""
        for cell in self.code if cells is None else cells:
            if cell.cell_type == "code":
                yield from ((cell, node) for node in _calls(_parse(cell.source)) if _called(node) == name)


def _names(heading: str, part: str) -> bool:
    return re.match(rf"{part}\b", heading.strip()) is not None


def _parse(source: str) -> ast.AST:
    return ast.parse(TransformerManager().transform_cell(source))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from _calls(node)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else f".{getattr(call.func, 'attr', '')}"


def _text(cell: NotebookNode) -> str:
    """What a cell printed or showed as plain text."""
    shown = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "\n".join("".join(text) for text in shown)


# --- both kinds ------------------------------------------------------------------------------------------------------


def is_stored_clean(c: Chapter) -> list[str]:
    return notebooks.problems(c.path)


def kind_of(notebook: str) -> str:
    """The kind that a notebook (path below chapters/) must be of: by the catalogue, not by what it says of itself."""
    sections = {s.notebook: s.id for s in catalogue.SECTIONS if s.notebook}
    return "section" if notebook in sections and sections[notebook] not in MAPS else "map"


def says_what_it_is(c: Chapter) -> list[str]:
    name = c.path.relative_to(root() / "chapters").as_posix()
    section = next((s for s in catalogue.SECTIONS if s.notebook == name), None)
    wanted = {"kind": kind_of(name)} | ({"section": section.id} if section else {})
    course = dict(c.notebook.metadata.get("course", {}))
    return [] if course == wanted else [f'metadata "course" is {course}, expected {wanted}']


def has_a_title(c: Chapter) -> list[str]:
    first = c.notebook.cells[0]
    found = [] if first.cell_type == "markdown" and first.source.startswith("# ") else ["does not open with # Title"]
    if not CHINESE.search(first.source):
        found.append("the title cell lacks the heading in Chinese")
    if not re.search(r"\bminutes?\b", "\n".join(c.prose[:2])):
        found.append("the opening does not say how many minutes it takes")
    return found


def warns_of_nothing(c: Chapter) -> list[str]:
    """A warning that is stored is a warning that every learner sees."""
    said = [o.text for cell in c.code for o in cell.get("outputs", []) if o.get("name") == "stderr"]
    return [f"a cell warns: {text.strip()[:120]}" for text in said if "Warning" in text]


def begins_reproducibly(c: Chapter) -> list[str]:
    first = c.code[0].source
    draws = any(re.search(r"\brng\b|\.random\.", cell.source) for cell in c.code)  # who draws nothing seeds nothing
    wanted = ["torch.set_num_threads(1)", "torch.manual_seed("] if "torch" in first else ["default_rng("] * draws
    return [f"the first code cell lacks {call}" for call in wanted if call not in first]


def imports_what_a_learner_types(c: Chapter) -> list[str]:
    """A hint is asked for by typing ``hint("…")``: the names must be there, used by the notebook or not."""
    imported = {
        alias.name
        for cell in c.code
        for node in ast.walk(_parse(cell.source))
        if isinstance(node, ast.ImportFrom) and node.module == "rec_lib.exercises"
        for alias in node.names
    }
    missing = sorted({"NOT_YET", "check", "hint", "solution"} - imported)
    return [f"does not import {missing} from rec_lib.exercises"] if missing and any(c.calls("check")) else []


def ignores_few_outputs(c: Chapter) -> list[str]:
    ignored = sum(bool(IGNORED & set(cell.metadata.get("tags", []))) for cell in c.code)
    found = [] if 4 * ignored <= len(c.code) else [f"{ignored} of {len(c.code)} code cells are ignored by nbval"]
    comments = [cell.source for cell in c.code if re.search(r"#\s*NBVAL_|#\s*PYTEST_VALIDATE", cell.source)]
    return found + ["a comment steers nbval; use a tag, which is counted" for _ in comments]


def keeps_its_claims(c: Chapter) -> list[str]:
    cells: dict[str, tuple[NotebookNode, int]] = {}
    for cell, _ in c.calls("claim"):
        cells[cell.id] = (cell, cells.get(cell.id, (cell, 0))[1] + 1)
    found = [
        f"cell {id}: {count} claims, but {_text(cell).count('✓')} ✓ in its output"
        for id, (cell, count) in cells.items()
        if _text(cell).count("✓") < count
    ]
    return found if cells else ["makes no claim"]


def links_resolve(c: Chapter) -> list[str]:
    links = [link for text in c.prose for link in LINK.findall(NOT_PROSE.sub(lambda m: _keep_links(m[0]), text))]
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    found = [f"link to {link}, which does not exist" for link in local if not (c.path.parent / link).is_file()]
    if not any(link.endswith(".ipynb") for link in local):
        found.append("has no link to a previous or next notebook")
    return found


def _keep_links(text: str) -> str:
    return text if text.startswith("](") else ""


def figures_have_alt_text(c: Chapter) -> list[str]:
    return [
        f"cell {cell.id}: a figure without alt text (layout.meta.alt)"
        for cell in c.code
        for output in cell.outputs
        if PLOTLY in output.get("data", {}) and not _alt(output.data[PLOTLY])
    ]


def _alt(figure: dict) -> str:
    meta = figure.get("layout", {}).get("meta")
    return str(meta.get("alt", "")).strip() if isinstance(meta, dict) else ""


def speaks_plainly(c: Chapter) -> list[str]:
    found = []
    for text in c.prose:
        prose = NOT_PROSE.sub(" ", text)
        found += [f"filler {word!r}" for word in FILLER if re.search(rf"\b{re.escape(word)}\b", prose, re.IGNORECASE)]
        found += [
            f"exclamation mark: …{prose[max(0, m.start() - 40) : m.end()]!r}" for m in re.finditer("[!！]", prose)
        ]
    return found


def shows_a_picture(c: Chapter) -> list[str]:
    drawn = [cell for cell in c.code if any(PLOTLY in o.get("data", {}) for o in cell.outputs)]
    return [] if drawn else ["shows no figure"]


# --- sections only ---------------------------------------------------------------------------------------------------


def has_its_parts_in_order(c: Chapter) -> list[str]:
    order = [part for heading in c.headings for part in (*PARTS, "Claims") if _names(heading, part)]
    without_claims = tuple(part for part in order if part != "Claims")
    found = [] if without_claims == PARTS else [f"parts are {without_claims}, expected {PARTS}"]
    late = "Claims" in order and order[order.index("Claims") - 1] != "Train"
    return found + (["## Claims does not follow ## Train"] if late else [])


def derives_what_it_builds(c: Chapter) -> list[str]:
    derive = c.part("Derive")
    return [] if any(c.calls(".agrees_with", derive)) else ["## Derive has no derivation that agrees_with the code"]


def plays(c: Chapter) -> list[str]:
    return [] if any(c.calls("show", c.part("Play"))) else ["## Play shows no panel"]


def asks(c: Chapter) -> list[str]:
    found = [] if any(c.calls("quiz")) else ["has no quiz"]
    asked = [call.args[0].value for _, call in c.calls("check") if isinstance(call.args[0], ast.Constant)]
    own = {e.id: e.kind for e in exercises_of(int(c.section.partition(".")[0] or 0)) if e.section == c.section}
    if len(set(asked)) < 3:
        found.append(f"checks {len(set(asked))} exercises, expected 3 or more")
    found += [f"the library's exercise {id} is not in the notebook" for id in own if id not in asked]
    kinds = {own[id] for id in asked if id in own}
    return (
        found if len(kinds) >= 3 else [*found, f"exercises are of kinds {sorted(kinds)}, expected three or more kinds"]
    )


def holds_the_librarys_stubs(c: Chapter) -> list[str]:
    found = []
    for cell, call in c.calls("check"):
        id = call.args[0].value if isinstance(call.args[0], ast.Constant) else ""
        try:
            exercise = find(id)
        except UnknownExercise as error:
            found.append(str(error))
            continue
        given, _, last = cell.source.rstrip().rpartition("\n")
        if last.strip() != f'check("{id}", {exercise.answer_name})':
            found.append(f'{id}: the cell does not end in check("{id}", {exercise.answer_name})')
        elif given.strip("\n").rstrip() != exercise.stub:
            found.append(f"{id}: the cell above check is not the library's stub, which is\n{exercise.stub}")
        if "not attempted" not in _text(cell):
            found.append(f"{id}: the stored output is not that of an untouched stub: {_text(cell)[:80]!r}")
    return found


def ends_with_the_terms(c: Chapter) -> list[str]:
    recap = "\n".join(cell.source for cell in c.part("Recap"))
    wanted = {"术语": "the terms in both languages", "|": "a table of principle, strength, limit"}
    return [f"## Recap lacks {what}" for mark, what in wanted.items() if mark not in recap]


Rule = Callable[[Chapter], list[str]]
BOTH: tuple[Rule, ...] = (
    is_stored_clean,
    says_what_it_is,
    has_a_title,
    warns_of_nothing,
    begins_reproducibly,
    imports_what_a_learner_types,
    ignores_few_outputs,
    keeps_its_claims,
    links_resolve,
    figures_have_alt_text,
    shows_a_picture,
    speaks_plainly,
)
SECTION: tuple[Rule, ...] = (
    has_its_parts_in_order,
    derives_what_it_builds,
    plays,
    asks,
    holds_the_librarys_stubs,
    ends_with_the_terms,
)
