"""Every click model of the catalogue keeps the whole contract. Nothing is skipped by name."""

import importlib
import inspect

import pytest
from contract.ctr_checks import CHECKS

from rec_lib.catalogue import SYSTEMS
from rec_lib.models import CTRModel


def load(dotted):
    module, name = dotted.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def is_click_model(system):
    """Of kind ctr, or a baseline beside them."""
    if system.state == "planned" or system.kind not in ("ctr", "baseline"):
        return False
    cls = load(system.parts["class"])
    return system.kind == "ctr" or (inspect.isclass(cls) and issubclass(cls, CTRModel))


CLASSES = [load(s.parts["class"]) for s in SYSTEMS if is_click_model(s)]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_contract(cls, check):
    check(cls)


def test_every_click_model_of_the_library_is_in_the_catalogue():
    package = importlib.import_module("rec_lib.models")
    classes = {
        c for _, c in inspect.getmembers(package, inspect.isclass) if issubclass(c, CTRModel) and c is not CTRModel
    }
    assert classes == set(CLASSES)
