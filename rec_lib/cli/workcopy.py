"""The learner's copy of the notebooks: chapters/ is the original, work/ is where a learner writes.

A notebook counts as touched when the text of one of its cells differs from the copy that was laid down. Running it,
saving it or scrolling in it does not count: outputs can be had again, a learner's text cannot. What was laid down is
noted in a manifest under the course's home.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

KEPT = ".kept"


@dataclass
class Report:
    """What ``fill`` did, as paths relative to work/."""

    new: list[str] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # touched by the learner
    outdated: list[str] = field(default_factory=list)  # those of kept whose original has changed since


def fingerprint(path: Path) -> str:
    """SHA-256 over what a learner can write: cells with attachments and tags, without outputs.

    Over the bytes of anything else than a notebook, or of a broken one.
    """
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a half-written one is whatever its bytes are
            cells = [
                (c["cell_type"], "".join(c["source"]), c.get("attachments"), c["metadata"].get("tags"))
                for c in json.loads(content)["cells"]
            ]
            content = json.dumps(cells).encode()
    return hashlib.sha256(content).hexdigest()


def originals(chapters: Path) -> list[str]:
    """Every file of chapters/ in reading order, as relative POSIX paths; hidden files and caches are left out."""
    found = (path.relative_to(chapters) for path in chapters.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not any(p.startswith((".", "__pycache__")) for p in path.parts))


def fill(chapters: Path, work: Path, manifest: Path) -> Report:
    """Bring work/ up to date with chapters/: new and untouched files are copied, touched ones stay."""
    known = _read(manifest)
    report = Report()
    for name in originals(chapters):
        original, copy = fingerprint(chapters / name), work / name
        mine = fingerprint(copy) if copy.is_file() else None
        if mine not in (None, original, known.get(name)):
            report.kept.append(name)
            if original != known.get(name):
                report.outdated.append(name)
            continue
        if mine != original:
            (report.new if mine is None else report.refreshed).append(name)
            _write(manifest, known | {name: original})  # before the copy: an interrupt must not leave it unknown
            _copy(chapters / name, copy)
        known[name] = original
    _write(manifest, known)
    return report


def find(chapters: Path, wanted: str) -> list[str]:
    """The notebooks that ``wanted`` names: a section ("3.7.2"), a path under chapters/ or work/, or a file name."""
    if not wanted:
        return []
    end = wanted.replace("\\", "/").removeprefix("./").removeprefix("chapters/").removeprefix("work/")
    notebooks = [name for name in originals(chapters) if name.endswith(".ipynb")]
    return [
        name
        for name in notebooks
        if end in (name, Path(name).name, Path(name).stem) or wanted == section(chapters / name)
    ]


def section(notebook: Path) -> str:
    """The section that a notebook's metadata names; empty for one that has none."""
    try:
        return str(json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["course"]["section"])
    except (ValueError, KeyError, TypeError):  # a stray or half-written one belongs to no section
        return ""


def reset(chapters: Path, work: Path, manifest: Path, name: str) -> Path | None:
    """Lay the original of ``name`` down again; returns where the learner's version went, None if there was none."""
    copy, kept, known = work / name, None, _read(manifest)
    if copy.is_file():
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
        kept = work / KEPT / Path(name).with_name(f"{Path(name).stem}_{stamp}{Path(name).suffix}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(copy, kept)
    _copy(chapters / name, copy)
    _write(manifest, known | {name: fingerprint(copy)})
    return kept


def _copy(original: Path, copy: Path) -> None:
    """Whole or not at all: a learner's notebook is never half overwritten."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    partial = copy.with_name(f".{copy.name}.{os.getpid()}")
    shutil.copyfile(original, partial)
    os.replace(partial, copy)


def _read(manifest: Path) -> dict[str, str]:
    """The manifest; empty when it is missing or broken (then every copy that differs counts as touched)."""
    try:
        known = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {k: v for k, v in known.items() if isinstance(v, str)} if isinstance(known, dict) else {}


def _write(manifest: Path, known: dict[str, str]) -> None:
    manifest.parent.mkdir(parents=True, exist_ok=True)
    partial = manifest.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(partial, manifest)
