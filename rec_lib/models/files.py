"""One ``.npz`` file a fitted model: written whole or not at all, read without pickle."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rec_lib.schema import Schema


class ModelFileError(ValueError):
    """The file does not hold the weights of this model."""


def write_arrays(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the arrays to one file, atomically: whoever reads sees the old file or the new one."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")  # mkstemp's is readable by its owner only
    try:
        with open(temporary, "xb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
    except Exception as error:  # zip, zlib and numpy's header parser each have errors of their own for foreign bytes
        raise ModelFileError(f"{path} is no complete file written by save ({error}). Save the model again.") from error


def save_weights(model: nn.Module, schema: Schema, path: str | Path) -> None:
    """Write a torch model's state and schema."""
    arrays = {f"weight:{name}": value.cpu().numpy() for name, value in model.state_dict().items()}
    write_arrays(path, arrays | {"model": np.array(type(model).__name__), "schema": np.array(schema.to_json())})


def load_weights(model: nn.Module, schema: Schema, path: str | Path) -> None:
    """Read what :func:`save_weights` wrote into a model of the same class, schema and sizes.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is truncated, foreign, or of another model; the model's weights stay as they are.
    """
    arrays = read_arrays(path)
    try:
        name, stored = str(arrays.pop("model")), Schema.from_json(str(arrays.pop("schema")))
    except (KeyError, ValueError) as error:
        raise ModelFileError(f"{path} is no complete file written by save ({error}). Save the model again.") from error
    own_name = type(model).__name__
    if name != own_name or stored != schema:
        what = f"a {name}, not a {own_name}" if name != own_name else "a model of another schema"
        raise ModelFileError(f"{path} holds the weights of {what}. Build the model that was saved, then load.")
    own = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    got = {key.removeprefix("weight:"): value.shape for key, value in arrays.items()}
    if differ := sorted(key for key in own.keys() | got.keys() if own.get(key) != got.get(key)):
        raise ModelFileError(
            f"{path} does not fit: {differ[0]!r} has shape {got.get(differ[0])} in the file and {own.get(differ[0])} here "
            f"({len(differ)} differ). Build the model with the settings it was saved with."
        )
    model.load_state_dict({key.removeprefix("weight:"): torch.from_numpy(value) for key, value in arrays.items()})
