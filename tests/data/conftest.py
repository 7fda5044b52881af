"""The real files, and a learner who has nothing yet."""

import os
from pathlib import Path

import pytest

from rec_lib import paths
from rec_lib.data import sources
from rec_lib.data.movielens import load
from rec_lib.data.sources import Unavailable


@pytest.fixture
def real():
    """The files of the real data, by name; the ratings stand first."""
    load()
    return sources.from_folder(Path(os.environ.get("REC_LIB_DATA") or paths.home() / "data"), "ml-100k")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A learner who has nothing yet, and no network."""
    monkeypatch.setenv("REC_LIB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REC_LIB_DATA", raising=False)

    def unreachable(name):
        raise Unavailable("nothing answers")

    monkeypatch.setattr(sources, "from_site", unreachable)
    monkeypatch.setattr(sources, "from_wheel", unreachable)
    return tmp_path / "home"
