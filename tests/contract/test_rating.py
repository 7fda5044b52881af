"""Every rating model of the library keeps the whole contract. Nothing is skipped by name."""

import importlib
import inspect

import pytest
from contract.rating_checks import CHECKS

from rec_lib.catalogue import SYSTEMS
from rec_lib.models import RatingModel

PACKAGE = importlib.import_module("rec_lib.models")
CLASSES = sorted(
    {c for _, c in inspect.getmembers(PACKAGE, inspect.isclass) if issubclass(c, RatingModel) and c is not RatingModel},
    key=lambda c: c.__name__,
)


def load(dotted):
    module, name = dotted.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_contract(cls, check):
    check(cls)


def test_catalogue_and_library_have_the_same_rating_models():
    """A rating model may also stand in the catalogue as a baseline."""
    rows = [s for s in SYSTEMS if s.state != "planned" and "class" in s.parts]
    listed = {load(s.parts["class"]) for s in rows}
    assert set(CLASSES) <= listed
    assert {load(s.parts["class"]) for s in rows if s.kind == "rating"} <= set(CLASSES)
