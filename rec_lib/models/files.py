"""One ``.npz`` file a fitted model: written whole or not at all, read without pickle."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from rec_lib.models.base import ModelFileError


def write_arrays(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the arrays to one file, atomically: whoever reads sees the old file or the new one."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays that :func:`write_arrays` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is truncated or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, ValueError, TypeError, KeyError, EOFError, OSError) as error:
        raise ModelFileError(f"{path} is no complete file written by save ({error}). Save the model again.") from error
