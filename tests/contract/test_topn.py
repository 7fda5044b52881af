"""Every top-n recommender of the catalogue keeps the whole contract. Nothing is skipped by name."""

import importlib
import inspect

import pytest
from contract.topn_checks import CHECKS

from rec_lib.catalogue import SYSTEMS
from rec_lib.models import TopN


def load(dotted):
    module, name = dotted.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


BUILT = [load(s.parts["class"]) for s in SYSTEMS if s.kind in ("topn", "baseline") and s.state != "planned"]
CLASSES = [cls for cls in BUILT if issubclass(cls, TopN)]  # a baseline may be of another kind


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_contract(cls, check):
    check(cls)


def test_every_topn_system_keeps_the_protocol():
    for s in SYSTEMS:
        if s.kind == "topn" and s.state != "planned":
            assert issubclass(load(s.parts["class"]), TopN), s.id


def test_every_topn_model_of_the_library_is_in_the_catalogue():
    package = importlib.import_module("rec_lib.models")
    classes = {c for _, c in inspect.getmembers(package, inspect.isclass) if issubclass(c, TopN) and c is not TopN}
    assert classes == set(CLASSES)
