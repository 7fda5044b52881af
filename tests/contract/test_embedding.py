"""Every embedding of the catalogue keeps the whole contract. Nothing is skipped by name."""

import importlib

import pytest
from contract.embedding_checks import CHECKS

from rec_lib.catalogue import SYSTEMS


def load(dotted):
    module, name = dotted.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


CLASSES = [load(s.parts["class"]) for s in SYSTEMS if s.kind == "embedding" and s.state != "planned"]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_contract(cls, check):
    check(cls)
