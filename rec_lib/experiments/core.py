"""Run a section's experiment over seeds, keep the results with a fingerprint of what made them, read them back.

A number that a notebook states comes from here. The fingerprint covers the experiment's file, every file of rec_lib
that it imports, directly or not, and its settings; comments, docstrings and this file, which only keeps the books, do
not count. When it no longer fits, the numbers are stale and a test says so.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student_t
from tqdm.auto import tqdm

from rec_lib import paths

MODULES = {
    "2.2": "cf",
    "2.3": "mf",
    "2.4": "lr",
    "2.5": "fm",
    "2.6": "gbdt_lr",
    "2.7": "ls_plm",
    "2.8": "classics",
    "3.2": "autorec",
    "3.3": "deep_crossing",
    "3.4": "neural_cf",
    "3.5": "pnn",
    "3.6": "wide_deep",
    "3.7.1": "fnn",
    "3.7.2": "deepfm",
    "3.7.3": "nfm",
    "3.8.1": "afm",
    "3.8.2": "din",
    "3.9": "dien",
    "3.10.1": "drn",
    "3.10.2": "drn_online",
    "3.11": "architectures",
    "4.1": "vectors",
    "4.2": "word2vec",
    "4.3": "item2vec",
    "4.4.1": "deepwalk",
    "4.4.2": "node2vec",
    "4.4.3": "eges",
    "4.5": "youtube_recall",
    "4.6": "lsh",
}


@dataclass(frozen=True)
class Experiment:
    """``run(seed, **settings)`` gives one number a name; names read like "ml100k_random/deepfm/auc"."""

    id: str
    run: Callable[..., dict[str, float]]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode())
        for module, tree in sorted(_closure(self.run.__module__).items()):
            digest.update(f"{module} {_text(tree)}".encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Paired:
    """Differences seed by seed. ``lower`` above 0: the difference is more than the luck of these seeds."""

    mean: float
    sd: float
    min: float
    wins: int
    seeds: int

    @property
    def lower(self) -> float:
        """Lower end of the 95 % confidence interval of the mean difference (Student's t)."""
        return self.mean - _t(self.seeds) * self.sd / self.seeds**0.5

    def __str__(self) -> str:
        return f"{self.mean:+.4f} ± {self.sd:.4f} (min {self.min:+.4f}, {self.wins}/{self.seeds} seeds above 0)"


@dataclass(frozen=True)
class Measured:
    """The stored results of an experiment: ``results[name]`` has one value a seed."""

    id: str
    seeds: tuple[int, ...]
    results: dict[str, tuple[float, ...]]
    fingerprint: str

    def values(self, name: str) -> np.ndarray:
        """(seeds,)"""
        if name not in self.results:
            raise KeyError(f"{self.id} has no result {name!r}; it has {sorted(self.results)}")
        return np.array(self.results[name])

    def mean(self, name: str) -> float:
        return float(self.values(name).mean())

    def sd(self, name: str) -> float:
        """Standard deviation over seeds (n − 1)."""
        return float(self.values(name).std(ddof=1))

    def min(self, name: str) -> float:
        return float(self.values(name).min())

    def interval(self, name: str) -> tuple[float, float]:
        """95 % prediction interval (Student's t): where one more seed falls, 19 times in 20 if the values are normal."""
        n = len(self.values(name))
        half = _t(n) * self.sd(name) * (1 + 1 / n) ** 0.5
        return self.mean(name) - half, self.mean(name) + half

    def paired(self, a: str, b: str) -> Paired:
        """a − b, seed by seed."""
        d = self.values(a) - self.values(b)
        return Paired(float(d.mean()), float(d.std(ddof=1)), float(d.min()), int((d > 0).sum()), len(d))


def _t(n: int) -> float:
    """97.5 % quantile of Student's t for n values; with five seeds 2.78, where a normal curve would say 1.96."""
    return float(student_t.ppf(0.975, n - 1))


def load_experiment(section: str) -> Experiment:
    """The experiment of a section, such as "3.7.2"."""
    if section not in MODULES:
        raise KeyError(f"no experiment belongs to section {section!r}; there are {sorted(MODULES)}")
    return importlib.import_module(f"rec_lib.experiments.{MODULES[section]}").EXPERIMENT


def measure(experiment: Experiment, seeds: Iterable[int] = range(5), folder: Path | None = None) -> Measured:
    """Run all seeds and write ``assets/measured/<id>.json`` at the end, atomically."""
    seeds = tuple(seeds)
    if len(seeds) < 2:
        raise ValueError(f"got seeds={seeds}: a spread needs at least two.")
    fingerprint = experiment.fingerprint  # of the code that runs now: it may be edited before the last seed is done
    start = time.perf_counter()
    runs = [experiment.run(seed, **experiment.settings) for seed in tqdm(seeds, desc=experiment.id, unit="seed")]
    if any(run.keys() != runs[0].keys() for run in runs):
        raise ValueError(
            f"{experiment.id}: the seeds returned different names; every seed must report the same results."
        )
    record = {
        "id": experiment.id,
        "fingerprint": fingerprint,
        "seeds": seeds,
        "settings": experiment.settings,
        "seconds": round(time.perf_counter() - start, 1),
        "versions": {"python": platform.python_version()} | {p: version(p).split("+")[0] for p in ("torch", "numpy")},
        "results": {name: [round(float(run[name]), 6) for run in runs] for name in runs[0]},
    }
    _write(record, _path(experiment.id, folder))
    return measured(experiment.id, folder)


def confirm(experiment: Experiment, again: Measured, folder: Path | None = None) -> list[str]:
    """Put stored results under the fingerprint of today's code, if some of their seeds, measured again, are the same.

    For a change that is not meant to change a number: `again` must have been measured by the code that is there now.

    Returns:
        The names whose values are not as stored to the last digit, "…seconds" and "…speedup" left out, which belong to
        the machine; the fingerprint then stays stale.
    """
    stored, fingerprint = measured(experiment.id, folder), experiment.fingerprint
    if again.fingerprint != fingerprint:
        raise ValueError(f"{experiment.id} was edited while it was measured; measure it again.")
    at = [stored.seeds.index(seed) for seed in again.seeds]
    names = {name for name in stored.results.keys() | again.results.keys() if not name.endswith(("seconds", "speedup"))}
    other = [n for n in sorted(names) if again.results.get(n) != _at(stored, n, at)]
    if not other:
        path = _path(experiment.id, folder)
        _write(json.loads(path.read_text(encoding="utf-8")) | {"fingerprint": fingerprint}, path)
    return other


def _at(stored: Measured, name: str, at: list[int]) -> tuple[float, ...] | None:
    return tuple(stored.results[name][i] for i in at) if name in stored.results else None


def _write(record: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def measured(section: str, folder: Path | None = None) -> Measured:
    """The stored results of a section. Raises FileNotFoundError that names the command when there are none."""
    path = _path(section, folder)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is missing: nothing was measured for {section}. Run: course.py measure {section}"
        )
    record = json.loads(path.read_text(encoding="utf-8"))
    results = {name: tuple(values) for name, values in record["results"].items()}
    return Measured(record["id"], tuple(record["seeds"]), results, record["fingerprint"])


def _path(section: str, folder: Path | None) -> Path:
    return (folder or paths.root() / "assets" / "measured") / f"{section}.json"


def _closure(module: str) -> dict[str, ast.Module]:
    """Parsed source, without docstrings, of a module and of every rec_lib module that it imports."""
    found: dict[str, ast.Module] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _source(name)
        if name in found or file is None or name == __name__:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                waiting += [_home(_origin(node, name), alias.name) for alias in node.names]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
        found[name] = _without_docstrings(tree)
    return found


def _home(module: str, name: str) -> str:
    """The module whose code ``from module import name`` brings: where a package's ``__init__`` only passes the name on,
    the module that it has it from. So an export that is added to a package leaves alone what does not use it.
    """
    file = _source(module)
    if file is None or file.name != "__init__.py":
        return module
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    if isinstance(node, ast.Import):
                        return alias.name
                    origin = _origin(node, module)
                    return f"{module}.{alias.name}" if origin == module else _home(origin, alias.name)
    made = any(name in (getattr(node, "id", None), getattr(node, "name", None)) for node in ast.walk(tree))
    return module if made or _source(f"{module}.{name}") is None else f"{module}.{name}"


def _origin(node: ast.ImportFrom, importer: str) -> str:
    """The full name of the module that an import names, relative to its importer or not."""
    if not node.level:
        return node.module or ""
    file = _source(importer)
    package = importer if file is not None and file.name == "__init__.py" else importer.rpartition(".")[0]
    return resolve_name("." * node.level + (node.module or ""), package)


def _source(name: str) -> Path | None:
    if name.partition(".")[0] != "rec_lib":
        return None
    base = paths.root().joinpath(*name.split("."))
    return next((f for f in (base / "__init__.py", base.with_suffix(".py")) if f.is_file()), None)


def _text(node: Any) -> str:
    """A syntax tree as text that every Python writes alike: ``ast.dump`` does not, and each version adds empty fields."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({' '.join(f'{name}={_text(value)}' for name, value in fields)})"
    return f"[{' '.join(map(_text, node))}]" if isinstance(node, list) else ascii(node)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body[0] = ast.Pass()
    return tree
