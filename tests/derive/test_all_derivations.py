"""Every derivation of the library: each step is proved, quickly, and its text can be shown."""

import importlib
import pkgutil
import time

import pytest

from rec_lib import derive
from rec_lib.derive import Derivation


def derivations():
    names = [m.name for m in pkgutil.iter_modules(derive.__path__)]
    modules = [importlib.import_module(f"rec_lib.derive.{name}") for name in names]
    return {d.id: d for module in modules for d in vars(module).values() if isinstance(d, Derivation)}


ALL = derivations()


def test_there_are_some_and_every_id_is_unique():
    titles = [d.title for d in ALL.values()]
    assert titles
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("id", ALL)
def test_each_step_equals_the_one_before(id):
    started = time.process_time()
    ALL[id].check()
    assert time.process_time() - started < 20, (
        "a learner would take it for hanging"
    )  # a few tenths when nothing else runs


@pytest.mark.parametrize("id", ALL)
def test_each_step_says_why_and_can_be_shown(id, capsys):
    assert all(len(step.why.split()) > 3 for step in ALL[id].steps)
    ALL[id].show()
    assert capsys.readouterr().out.startswith(ALL[id].title)
