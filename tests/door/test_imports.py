"""Rooms import one way only, and light doors stay light."""

import ast
import subprocess
import sys

import pytest

from rec_lib import paths

ROOMS = (  # a room may import from the lines above its own, and from itself
    {"paths", "catalogue"},
    {"schema", "glossary"},
    {"data", "layers"},
    {"models", "embeddings", "retrieval"},
    {"evaluation"},
    {"training"},
    {"derive", "figures"},
    {"experiments"},
    {"widgets", "exercises"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
HEAVY = {
    "torch",
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "numba",
    "sympy",
    "plotly",
    "ipywidgets",
    "networkx",
    "jupyterlab",
}


def imported_rooms(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            module = node.module or ""
            names |= {f"rec_lib.{alias.name}" for alias in node.names} if module == "rec_lib" else {module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("rec_lib.")}


FILES = sorted(path.relative_to(paths.root()).as_posix() for path in (paths.root() / "rec_lib").rglob("*.py"))


@pytest.mark.parametrize("file", FILES)
def test_rooms_import_one_way_only(file):
    parts = file.removesuffix(".py").split("/")
    room = parts[1]
    if room == "__init__":
        return
    found = imported_rooms((paths.root() / file).read_text(encoding="utf-8")) - {room}
    assert {other for other in found if LEVEL[other] >= LEVEL[room]} == set(), "imports a room that comes after it"
    if room in ("catalogue", "paths"):
        assert not found


def loaded_by(code: str) -> set[str]:
    show = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code", ["import rec_lib", "import rec_lib.catalogue", "import rec_lib.cli.__main__, rec_lib.cli.doctor"]
)
def test_light_doors_load_nothing_heavy(code):
    assert not loaded_by(code) & HEAVY


def test_models_load_neither_formulas_nor_figures():
    assert not loaded_by("import rec_lib.models") & {"plotly", "sympy", "ipywidgets", "IPython", "pandas", "numba"}
