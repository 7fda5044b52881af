"""Where things are: the clone itself, and the one folder that the course writes to."""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path:
    """The clone's folder (rec_lib is installed from it in place, so its parent is the clone)."""
    return Path(__file__).resolve().parents[1]


def home() -> Path:
    """Folder for data, caches and progress: ``$REC_LIB_HOME``, or ``.course`` in the clone. Writers create it."""
    return Path(os.environ["REC_LIB_HOME"]).expanduser() if os.environ.get("REC_LIB_HOME") else root() / ".course"
