"""Every policy of the library keeps the whole contract. Nothing is skipped by name."""

import importlib
import inspect

import pytest
from contract.policy_checks import CHECKS

from rec_lib.catalogue import SYSTEMS
from rec_lib.models import Policy

PACKAGE = importlib.import_module("rec_lib.models")
CLASSES = sorted(
    {c for _, c in inspect.getmembers(PACKAGE, inspect.isclass) if issubclass(c, Policy) and c is not Policy},
    key=lambda c: c.__name__,
)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_contract(cls, check):
    check(cls)


def test_every_policy_of_the_catalogue_keeps_it():
    rows = [s for s in SYSTEMS if s.kind == "policy" and s.state != "planned"]
    assert rows
    assert {s.parts["class"].rpartition(".")[2] for s in rows} <= {c.__name__ for c in CLASSES}
