"""``course.py reset SECTION``: the original notebook again; the learner's version is kept under work/.kept/."""

from __future__ import annotations

from rec_lib.cli import workcopy
from rec_lib.paths import home, root


def main(argv: list[str]) -> int:
    chapters, work = root() / "chapters", root() / "work"
    found = workcopy.find(chapters, argv[0]) if len(argv) == 1 else []
    if len(found) != 1:
        said = f"{argv[0]!r} names {len(found)} notebooks. " if len(argv) == 1 else ""
        print(f"{said}Name one notebook by its section or its file:\n")
        for name in workcopy.originals(chapters):
            if name.endswith(".ipynb"):
                print(f"  {workcopy.section(chapters / name):8s} {name}")
        return 2
    kept = workcopy.reset(chapters, work, home() / "work.json", found[0])
    print(f"work/{found[0]} is the original again.")
    if kept is not None:
        print(f"Your version is kept as {kept.relative_to(root()).as_posix()}.")
    print("If the notebook is open in JupyterLab: File > Reload Notebook from Disk.")
    return 0
