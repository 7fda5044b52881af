"""Every model file begins in the same way, and stays short. Its class is in the catalogue."""

import importlib
import inspect
import re

import pytest

from rec_lib.models import CTRModel, Policy, RatingModel, TopN

PACKAGE = importlib.import_module("rec_lib.models")
BASES = (CTRModel, Policy, RatingModel, TopN)
CLASSES = [c for _, c in inspect.getmembers(PACKAGE, inspect.isclass) if issubclass(c, BASES) and c not in BASES]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_header_names_paper_section_idea_departures_and_symbols(cls):
    module = inspect.getmodule(cls)
    lines = module.__doc__.strip().splitlines()
    assert re.fullmatch(r"[^:]+: .+\.", lines[0]), "the first line reads 'Name: what it is in one sentence.'"
    fields = [line.split()[0] for line in lines[1:] if re.match(r"[A-Z][a-z]+\s{2,}\S", line)]
    assert fields == ["Paper", "Section", "Idea", "Differs", "Symbols"]
    assert len(inspect.getsource(module).splitlines()) <= 120
