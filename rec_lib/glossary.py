"""Terms in both languages, each with one line: ``assets/glossary.json``, shown where a notebook sums up."""

from __future__ import annotations

import difflib
import html
import json
from dataclasses import dataclass

from rec_lib import paths


@dataclass(frozen=True)
class Term:
    """One term: English, Chinese, and what it means in a line."""

    en: str
    zh: str
    line: str


@dataclass(frozen=True)
class Terms:
    """Some terms, shown as a table in a notebook and as lines elsewhere."""

    terms: tuple[Term, ...]

    def __repr__(self) -> str:
        return "\n".join(f"{t.en} · {t.zh}: {t.line}" for t in self.terms)

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        rows = "".join(
            f"<tr>{''.join(f'<td {left}>{html.escape(cell)}</td>' for cell in (t.en, t.zh, t.line))}</tr>"
            for t in self.terms
        )
        head = "".join(f"<th scope='col' {left}>{name}</th>" for name in ("term", "术语", "in a line"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def glossary(*names: str) -> Terms:
    """The terms of these English names, in this order; all of them when none is given.

    Raises:
        ValueError: a name is not in the glossary; the message gives the nearest ones.
    """
    text = (paths.root() / "assets" / "glossary.json").read_text(encoding="utf-8")
    known = {entry["en"]: Term(**entry) for entry in json.loads(text)}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.3)
            raise ValueError(f"The glossary has no {name!r}; the nearest are {near or list(known)[:3]}.")
    return Terms(tuple(known[name] for name in names or known))
