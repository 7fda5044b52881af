"""Where things are: the clone itself, and the one folder that the course writes to."""

from __future__ import annotations

import os
from pathlib import Path


class NoSuchHome(OSError):
    """A path begins with ~ and a name that no user of this computer has."""


def root() -> Path:
    """The clone's folder (rec_lib is installed from it in place, so its parent is the clone)."""
    return Path(__file__).resolve().parents[1]


def home() -> Path:
    """Folder for data, caches and progress: ``$REC_LIB_HOME``, or ``.course`` in the clone. Writers create it."""
    return named_by("REC_LIB_HOME") or root() / ".course"


def named_by(variable: str) -> Path | None:
    """The folder that an environment variable names, None where it is not set. Raises NoSuchHome for an unknown ~user."""
    text = os.environ.get(variable)
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:
        raise NoSuchHome(
            f"{variable} is set to {text}, and there is no such user ({error}). Set it to a full path, or unset it."
        ) from error
