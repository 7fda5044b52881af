"""Measured results carry a fingerprint of the code that made them, and stale ones are found."""

import ast
import json
import random

import numpy as np
import pytest
from scipy import stats

from rec_lib import experiments
from rec_lib.experiments import Experiment, core, load_experiment, measure, measured
from rec_lib.experiments.core import confirm


def coin(seed, bias):
    rng = np.random.default_rng(seed)
    return {"a": rng.normal() + bias, "b": rng.normal()}


TOY = Experiment("0.0", coin, {"bias": 3.0})


def test_results_come_back_with_their_spread(tmp_path):
    m = measure(TOY, seeds=range(6), folder=tmp_path)
    a = [coin(s, 3.0)["a"] for s in range(6)]
    b = [coin(s, 3.0)["b"] for s in range(6)]
    assert m.mean("a") == pytest.approx(np.mean(a), abs=1e-5)
    assert m.sd("a") == pytest.approx(np.std(a, ddof=1), abs=1e-5)
    half = 2.5706 * np.std(a, ddof=1) * (7 / 6) ** 0.5  # t with 5 degrees of freedom, one more seed beside six
    assert m.interval("a") == pytest.approx((np.mean(a) - half, np.mean(a) + half), abs=1e-4)
    paired = m.paired("a", "b")
    d = np.subtract(a, b)
    assert (paired.min, paired.wins, paired.seeds) == (pytest.approx(d.min(), abs=1e-5), (d > 0).sum(), 6)
    low, high = stats.t.interval(0.95, 5, loc=d.mean(), scale=stats.sem(d))
    assert paired.lower == pytest.approx(low, abs=1e-5)
    record = json.loads((tmp_path / "0.0.json").read_text())
    assert record["settings"] == {"bias": 3.0}
    assert set(record["versions"]) == {"python", "torch", "numpy"}
    with pytest.raises(KeyError, match="no result 'c'"):
        m.values("c")


def test_seeds_that_disagree_on_names_or_are_too_few_are_refused(tmp_path):
    odd = Experiment("0.1", lambda seed: {f"x{seed}": 1.0})
    with pytest.raises(ValueError, match="different names"):
        measure(odd, folder=tmp_path)
    with pytest.raises(ValueError, match="at least two"):
        measure(TOY, seeds=[1], folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_missing_results_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"course.py measure 9\.9"):
        measured("9.9", folder=tmp_path)
    with pytest.raises(KeyError, match="no experiment"):
        load_experiment("9.9")


def test_fingerprint_sees_code_and_settings_but_not_comments(monkeypatch):
    assert Experiment("0.0", coin, {"bias": 2.0}).fingerprint != TOY.fingerprint
    parse = ast.parse
    real = load_experiment("3.7.2")
    before = real.fingerprint
    monkeypatch.setattr(core.ast, "parse", lambda s: parse("# a comment\n" + s.replace('"""', '"""Other words. ', 1)))
    assert real.fingerprint == before
    monkeypatch.setattr(core.ast, "parse", lambda s: parse(s.replace("0.5 *", "1.0 *")))  # in layers/interaction.py
    assert real.fingerprint != before


PACKAGE = {  # a rec_lib of its own: the experiment `run` uses FM and `own`, not LR
    "models/__init__.py": "from rec_lib.models.deep import Net\nfrom .fm import FM as Machine\nfrom rec_lib.models import lr\n"
    "def own(): return 1\n",
    "models/fm.py": "from . import parts\nclass FM: pass\n",
    "models/parts.py": "HALF = 0.5\n",
    "models/lr.py": "class LR: pass\n",
    "models/deep/__init__.py": "from rec_lib.models.deep.net import Net\n",
    "models/deep/net.py": "class Net: pass\n",
    "run.py": "from rec_lib.models import Machine\nimport numpy\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """``package({file: text})`` writes the toy rec_lib with these files changed; gives the fingerprint of rec_lib.run."""

    def written(changes=(), run=PACKAGE["run.py"]):
        for name, text in {**PACKAGE, "run.py": run, **dict(changes)}.items():
            file = tmp_path / "rec_lib" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return Experiment("0.0", toy).fingerprint

    def toy(seed):
        return {}

    toy.__module__ = "rec_lib.run"
    monkeypatch.setattr(core.paths, "root", lambda: tmp_path)
    return written


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("from rec_lib.models import Machine", {"models/fm.py", "models/parts.py"}),
        ("from rec_lib.models import Net", {"models/deep/net.py"}),  # two packages pass it on
        ("from rec_lib.models import lr", {"models/lr.py"}),
        ("from rec_lib.models.deep import net", {"models/deep/net.py"}),
        ("from rec_lib.models import own", set(PACKAGE) - {"run.py", "models/deep/__init__.py"}),  # made in __init__
        ("import rec_lib.models", set(PACKAGE) - {"run.py", "models/deep/__init__.py"}),
        ("from rec_lib.models import *", set(PACKAGE) - {"run.py", "models/deep/__init__.py"}),
        ("import numpy", set()),
    ],
)
def test_fingerprint_covers_the_files_that_make_what_is_imported(package, line, counted):
    before = package(run=line)
    changed = {name for name in PACKAGE if package({name: PACKAGE[name] + "more = 1\n"}, run=line) != before}
    assert changed - {"run.py"} == counted


def test_a_new_export_makes_nothing_stale(package):
    before = package()
    assert (
        package({"models/__init__.py": PACKAGE["models/__init__.py"] + "from rec_lib.models.lr import LR\n"}) == before
    )
    assert package({"models/fm.py": "class FM: deep = True\n"}) != before


def test_fingerprint_is_the_same_in_every_python():
    """ast.dump writes another text in each of 3.11 to 3.14; this one was compared between 3.11, 3.12 and 3.13."""
    code = "def f(x, *, y=None):\n    return f'{x!r} é', x ** -1, []\n"
    text = (
        "Module(body=[FunctionDef(name='f' args=arguments(args=[arg(arg='x')] kwonlyargs=[arg(arg='y')] "
        "kw_defaults=[Constant()]) body=[Return(value=Tuple(elts=[JoinedStr(values=[FormattedValue(value=Name(id='x' "
        "ctx=Load()) conversion=114) Constant(value=' \\xe9')]) BinOp(left=Name(id='x' ctx=Load()) op=Pow() "
        "right=UnaryOp(op=USub() operand=Constant(value=1))) List(ctx=Load())] ctx=Load()))])])"
    )
    assert core._text(ast.parse(code)) == text


@pytest.mark.parametrize("section", core.MODULES)
def test_stored_results_are_not_stale(section):
    experiment = load_experiment(section)
    stored = experiments.measured(section)
    assert experiment.id == stored.id == section
    assert len(stored.seeds) >= 5
    assert stored.fingerprint == experiment.fingerprint, f"the code has changed: run course.py measure {section}"


def test_results_are_confirmed_only_if_every_digit_is_the_same(tmp_path, monkeypatch):
    offset = 0.0

    def run(seed):
        return {"auc": 0.7 + seed / 100 + offset, "train_seconds": random.random()}

    old = Experiment("t", run, {})
    monkeypatch.setattr(Experiment, "fingerprint", "old")
    measure(old, range(3), tmp_path)
    monkeypatch.setattr(Experiment, "fingerprint", "new")
    again = measure(old, range(2), tmp_path / "again")
    assert confirm(old, again, tmp_path) == []
    assert measured("t", tmp_path).fingerprint == "new"
    assert measured("t", tmp_path).seeds == (0, 1, 2)
    monkeypatch.setattr(Experiment, "fingerprint", "newer")
    offset = 1e-6
    again = measure(old, range(2), tmp_path / "again")
    assert confirm(old, again, tmp_path) == ["auc"]
    assert measured("t", tmp_path).fingerprint == "new"
    monkeypatch.setattr(Experiment, "fingerprint", "newest")
    with pytest.raises(ValueError, match="edited while"):
        confirm(old, again, tmp_path)
